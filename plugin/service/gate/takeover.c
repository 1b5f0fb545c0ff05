/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate_takeover.c - a client that resumes the session of another certificate.
 *
 * A broker keeps a session by client id, and gives it to the next client of that
 * id, whatever its certificate: with subscriptions that this one may never have
 * been allowed.  Each delivery is judged by iot:Receive of the new certificate, but
 * nothing asks iot:Subscribe again, and a plugin cannot take a subscription away.
 * When a connection is closed by a plugin the broker does ask, for each of them
 * (check_subscription_acls in plugin_public.c, 2.0.12 and later, and Debian's 2.0.11), and
 * removes what is denied.  So a client that takes a session over is closed once, and
 * finds what it may have when it comes back.
 *
 * Which certificate a session belongs to is known from its CONNECT, and, after a restart,
 * as soon as the broker asks about the session.
 */
#include <stdlib.h>
#include <string.h>

/* Out of memory is an answer here, not the end of the broker. */
#define HASH_NONFATAL_OOM 1

#include "gate_private.h"
#include <utlist.h>

/* Sessions with a certificate that is remembered; the oldest ones are forgotten. */
#define OWNERS_MAX 200000

#define TAKEOVER_BUDGET_NS (3 * 1000 * 1000) /* of a tick */

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
close_later(struct gate *g, const struct session *session, const struct certid *before)
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

/* Of MQTT 5 a clean start may persist as well; of 3.1.1 a clean session leaves nothing. */
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
	return c->clean_session || certid_equal(&before, id) || close_later(g, session, &before);
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
		return; /* it has left: what is stored is judged when it comes back */
	certid_to_hex(&t->before, before);
	certid_to_hex(&session->principal->id, now);
	report_line(g->config.report, LEVEL_NOTICE,
	    "session taken over: its client is closed once, so "
	    "that its subscriptions are judged anew: certificate=%s before=%s",
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
