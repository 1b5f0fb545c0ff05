/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate_identity.c - what a client has proved.
 *
 * The broker's texts prove nothing: with use_identity_as_username the user name comes from
 * a certificate or a PSK, and a client id is compared with nothing (mosquitto section 0, 6
 * and 13).  What counts is the connection: its certificate, or a user name that
 * gate_connect() saw before the broker let others check it.  A client without either has
 * no rights.
 */
#include <stdlib.h>
#include <string.h>

/* Out of memory is an answer here, not the end of the broker. */
#define HASH_NONFATAL_OOM 1

#include "gate_private.h"
#include <utlist.h>

/* Answers between two ticks of the broker; an answer beyond them is not sent. */
#define HELD_MAX 4096

struct held {
	const void *handle; /* the connection that the answer is for */
	char *client_id;
	struct held *next;
};

struct shared_name {
	UT_hash_handle hh;
	char name[];
};

bool
name_is_certid(const char *name, struct certid *id_or_null)
{
	struct certid id;

	/* Lower case only: the plugin writes them so. */
	if (name == NULL || strspn(name, "0123456789abcdef") != 2 * sizeof(id.b) ||
	    !certid_from_hex(&id, view_of(name)))
		return false;
	if (id_or_null != NULL)
		*id_or_null = id;
	return true;
}

static bool
is_admin_name(const struct gate *g, const char *name)
{
	if (name == NULL)
		return false;
	for (size_t i = 0; i < g->config.admin_user_count; i++)
		if (strcmp(g->config.admin_users[i], name) == 0)
			return true;
	return false;
}

bool
gate_names_administrator(const struct gate *g, const struct certid *id)
{
	for (size_t i = 0; i < g->config.admin_certificate_count; i++)
		if (certid_equal(&g->config.admin_certificates[i], id))
			return true;
	return false;
}

/* Another plugin may have given it another name meanwhile. */
bool
is_admin_session(const struct gate *g, const struct session *session, const char *user_name)
{
	return session != NULL && session->principal == NULL &&
	    is_admin_name(g, session->checked_name) && is_admin_name(g, user_name);
}

/* A session restored from disk: its subscriptions were judged when they were made, and
 * what is queued for it is judged again when its client comes back. */
bool
is_admin_restored(const struct gate *g, const struct client *c)
{
	return c->address == NULL && is_admin_name(g, c->user_name);
}

/*
 * Names that pre-shared keys have, too.
 */

static struct shared_name *
find_shared(const struct gate *g, const char *name)
{
	struct shared_name *shared = NULL;

	if (name != NULL)
		HASH_FIND_STR(g->shared_names, name, shared);
	return shared;
}

bool
gate_share_name(struct gate *g, const char *identity)
{
	struct shared_name *shared;
	size_t size;

	if (!name_is_certid(identity, NULL) && !is_admin_name(g, identity))
		return false;
	if (find_shared(g, identity) != NULL)
		return true;
	size = strlen(identity) + 1;
	shared = malloc(sizeof(*shared) + size);
	if (shared == NULL)
		return true;
	memcpy(shared->name, identity, size);
	HASH_ADD_STR(g->shared_names, name, shared);
	if (find_shared(g, identity) == NULL)
		free(shared);
	return true;
}

void
shared_names_clear(struct gate *g)
{
	struct shared_name *shared, *next;

	HASH_ITER(hh, g->shared_names, shared, next) {
		HASH_DEL(g->shared_names, shared);
		free(shared);
	}
}

/*
 * Clients that leave.
 */

static enum departed_as
departed_as_session(const struct gate *g, const struct client *c, const struct session *session)
{
	if (session->shut_out != REASON_NONE)
		return DEPARTED_REFUSED;
	if (session->principal != NULL)
		return session->admitted ? DEPARTED_CERTIFICATE : DEPARTED_REFUSED;
	return is_admin_session(g, session, c->user_name) ? DEPARTED_ADMINISTRATOR : DEPARTED_OTHER;
}

/* A client that got past gate_connect() and did nothing so far: it is judged now, as it
 * would have been at CONNECT. */
static enum departed_as
departed_as_certificate(struct gate *g, const struct client *c, struct certid *id)
{
	enum departed_as as = DEPARTED_REFUSED;
	struct judgement j;

	gate_judge_unasked(g, c, &j);
	*id = j.presented.id;
	if (!j.has_id)
		as = DEPARTED_UNKNOWN;
	else if (j.decision.verdict == VERDICT_DEFER)
		as = DEPARTED_OTHER;
	else if (j.decision.verdict == VERDICT_ALLOW && j.decision.effects == 0 &&
	    gate_may_connect_absent(g, id, view_of(c->id)))
		as = DEPARTED_CERTIFICATE;
	judgement_clear(&j);
	return as;
}

void
remember_departure(struct gate *g, const struct client *c, const struct session *session)
{
	struct departed d = { .client = c->handle,
		.names = names_hash(c->id, c->user_name),
		.x = session != NULL ? session->x : c->x,
		.shared = find_shared(g, c->user_name) != NULL,
		.will_at_once = c->version != 0 && c->version < 5,
		.freed_at_once = c->version != 0 && c->version < 5 && c->clean_session };

	if (session != NULL) {
		d.as = departed_as_session(g, c, session);
		if (session->principal != NULL) {
			d.id = session->principal->id;
			d.shared |= find_shared(g, session->principal->hex) != NULL;
		}
	} else if (c->x != NULL && c->id != NULL) {
		d.as = departed_as_certificate(g, c, &d.id);
	}
	departed_add(&g->departures, &d);
}

/*
 * Answers to requests.
 */

struct caller
gate_caller(struct gate *g, const struct client *c)
{
	const struct session *session = session_find(&g->sessions, c->handle, c->x);

	return (struct caller){ c->handle, session != NULL ? session->number : 0 };
}

bool
gate_is_connected(struct gate *g, const struct caller *caller)
{
	const struct session *session = session_of(&g->sessions, caller->handle);

	return session != NULL && session->number == caller->session;
}

bool
gate_hold(struct gate *g, const struct caller *caller, const char *client_id)
{
	struct held *h = g->held_count < HELD_MAX ? calloc(1, sizeof(*h)) : NULL;

	if (h == NULL)
		return false;
	h->handle = caller->handle;
	h->client_id = strdup(client_id);
	if (h->client_id == NULL) {
		free(h);
		return false;
	}
	LL_PREPEND(g->held, h);
	g->held_count++;
	return true;
}

bool
is_held(const struct gate *g, const struct client *c)
{
	for (const struct held *h = g->held; h != NULL; h = h->next)
		if (h->handle != c->handle && c->id != NULL && strcmp(h->client_id, c->id) == 0)
			return true;
	return false;
}

void
gate_release(struct gate *g)
{
	struct held *h;

	departed_tick(&g->departures);
	while ((h = g->held) != NULL) {
		g->held = h->next;
		free(h->client_id);
		free(h);
	}
	g->held_count = 0;
}
