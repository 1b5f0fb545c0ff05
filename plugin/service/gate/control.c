/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* control.c - see gate.h: may a client administer the registry? */
#include "gate_private.h"

/* The admitted session of a client with a certificate; NULL: none. */
static struct session *
find_admitted(struct gate *g, const struct client *c)
{
	struct session *session = c->x != NULL ? session_find(&g->sessions, c->handle, c->x) : NULL;

	if (session == NULL || session->principal == NULL)
		return NULL;
	session_refresh(g, session);
	return session_is_admitted(session) ? session : NULL;
}

static bool
is_administrator(struct gate *g, const struct client *c)
{
	struct session *session = session_find(&g->sessions, c->handle, c->x);

	if (session == NULL || session->principal == NULL)
		return is_admin_session(g, session, c->user_name);
	session = find_admitted(g, c);
	return session != NULL && judge_names_administrator(&g->judge, &session->principal->id);
}

enum administration
gate_administration(struct gate *g, const struct client *c)
{
	struct session *session;

	if (c->address == NULL) /* a bridge: its remote side speaks (mosquitto section 0, 13) */
		return ADMINISTRATION_NONE;
	if (is_administrator(g, c))
		return ADMINISTRATION_ALL;
	if (g->config.authorization != AUTHORIZATION_POLICY)
		return ADMINISTRATION_NONE;
	session = find_admitted(g, c);
	return session != NULL && rights_use(&session->principal->rights) & POLICY_ALLOWS_CONTROL
	    ? ADMINISTRATION_BY_POLICY
	    : ADMINISTRATION_NONE;
}

void
gate_describe_caller(struct gate *g, const struct client *c, struct caller_facts *out)
{
	enum administration administration = gate_administration(g, c);
	const struct session *session = session_find(&g->sessions, c->handle, c->x);

	*out = (struct caller_facts){ .administration = administration,
		.session = session != NULL ? session->number : 0,
		.client_id = c->id != NULL ? c->id : "",
		.user_name = c->user_name,
		.address = c->address };
	if (session == NULL || session->principal == NULL)
		return;
	out->has_certificate = true;
	out->certificate = session->principal->id;
	out->by_plan = session->principal->plan != NULL;
	out->persistent_connect = session->live->facts.persistent_connect;
}
