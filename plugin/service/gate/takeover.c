/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * takeover.c - a client that resumes the session of another certificate.
 *
 * The broker keeps a session by client id and gives it to the next client with this id,
 * whatever its certificate is, with subscriptions that this certificate may never have been
 * allowed.  Deliveries are judged by iot:Receive of the new certificate, but the broker does not
 * ask about iot:Subscribe again, and a plugin cannot remove a subscription.  When a plugin
 * disconnects a client, the broker asks about each of its subscriptions
 * (check_subscription_acls in plugin_public.c, 2.0.12 and later, and Debian's 2.0.11) and
 * removes those that are denied.  So a client that resumes the session of another certificate is
 * disconnected once, and finds the allowed subscriptions when it reconnects.
 *
 * The certificate of a session is known from its CONNECT, and, after a restart, as soon as
 * the broker asks about the session.
 */
#include <stdlib.h>
#include <string.h>

/* Report a lack of memory instead of exiting. */
#define HASH_NONFATAL_OOM 1

#include "gate_private.h"
#include <utlist.h>

/* Sessions whose certificate is remembered; beyond, the oldest is forgotten. */
#define OWNERS_MAX 200000

#define TAKEOVER_BUDGET_NS (500 * 1000) /* of a tick */

struct owner {
	struct certid id;
	UT_hash_handle hh;
	char client_id[];
};

struct takeover {
	const void *handle;
	uint64_t number; /* of the session */
	struct certid before;
	struct takeover *next, *prev;
};

static struct owner *
find_owner(const struct gate *g, const char *client_id)
{
	struct owner *owner;

	HASH_FIND_STR(g->owners, client_id, owner);
	return owner;
}

static void
forget_owner(struct gate *g, struct owner *owner)
{
	HASH_DEL(g->owners, owner);
	free(owner);
}

static bool
add_owner(struct gate *g, const char *client_id, const struct certid *id)
{
	size_t size = strlen(client_id) + 1;
	struct owner *owner;

	if (HASH_COUNT(g->owners) >= OWNERS_MAX)
		forget_owner(g, g->owners); /* the first is the oldest */
	owner = malloc(sizeof(*owner) + size);
	if (owner == NULL)
		return false;
	owner->id = *id;
	memcpy(owner->client_id, client_id, size);
	HASH_ADD_STR(g->owners, client_id, owner);
	if (find_owner(g, client_id) == owner)
		return true;
	free(owner);
	return false;
}

static bool
disconnect_later(struct gate *g, const struct session *session, const struct certid *before)
{
	struct takeover *t = malloc(sizeof(*t));

	if (t == NULL)
		return false;
	*t = (struct takeover){ .handle = session->client,
		.number = session->number,
		.before = *before };
	DL_APPEND(g->takeovers, t);
	return true;
}

/* In MQTT 5 a session with clean start may persist; in 3.1.1 one with clean session does not. */
static bool
may_persist(const struct client *c)
{
	return c->version == 5 || !c->clean_session;
}

bool
takeover_note(struct gate *g, const struct client *c, const struct session *session)
{
	const struct certid *id = &session->principal->id;
	struct owner *owner;
	struct certid before;

	if (g->config.authorization != AUTHORIZATION_POLICY || c->id == NULL || !may_persist(c))
		return true;
	owner = find_owner(g, c->id);
	if (owner == NULL)
		return add_owner(g, c->id, id);
	before = owner->id;
	owner->id = *id;
	return c->clean_session || certid_equal(&before, id) ||
	    disconnect_later(g, session, &before);
}

void
takeover_learn(struct gate *g, const char *client_id, const struct certid *id)
{
	if (client_id != NULL && find_owner(g, client_id) == NULL)
		(void)add_owner(g, client_id, id);
}

static void
carry_out(struct gate *g, const struct takeover *t)
{
	struct session *session = session_of(&g->sessions, t->handle);
	char before[CERTID_HEX_SIZE], now[CERTID_HEX_SIZE];

	if (session == NULL || session->number != t->number)
		return; /* it left: its session is judged when a client resumes it */
	certid_to_hex(&t->before, before);
	certid_to_hex(&session->principal->id, now);
	report_line(g->config.report, LEVEL_NOTICE,
	    "session taken over: its client is closed once, so "
	    "that its subscriptions are checked again: certificate=%s before=%s",
	    now, before);
	disconnect_session(g, session);
}

void
takeover_tick(struct gate *g)
{
	int64_t start = gate_clock_ns();
	struct takeover *t;

	while ((t = g->takeovers) != NULL && gate_clock_ns() - start < TAKEOVER_BUDGET_NS) {
		DL_DELETE(g->takeovers, t);
		carry_out(g, t);
		free(t);
	}
}

void
takeover_forget_all(struct gate *g)
{
	struct takeover *t;

	while ((t = g->takeovers) != NULL) {
		DL_DELETE(g->takeovers, t);
		free(t);
	}
	while (g->owners != NULL)
		forget_owner(g, g->owners);
}
