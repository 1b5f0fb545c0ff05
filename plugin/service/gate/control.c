/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* control.c - see gate.h: may a client administer the registry? */
#include <stdio.h>
#include <string.h>

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

static enum policy_result
ask_control(struct gate *g, const struct session *s, const char *action, const char *resource)
{
	struct policy_set set;
	char arn[512];
	struct policy_request r = { .action = POLICY_CONTROL,
		.control = action,
		.prefix = view_of(""),
		.name = view_of("*"),
		.facts = &s->live->facts };
	int len;

	if (resource != NULL) {
		len = snprintf(arn, sizeof(arn), "%s%s", g->config.scope.prefix, resource);
		if (len < 0 || (size_t)len >= sizeof(arn))
			return POLICY_EXPLICIT_DENY;
		r.name = view_of(arn);
		r.any_name = len > 0 && arn[len - 1] == '/';
	}
	if (r.any_name) {
		r.prefix = r.name;
		r.name = view_of("");
	}
	set = rights_set(&s->principal->rights);
	return policy_set_ask(&set, &r, NULL);
}

bool
gate_may_control(struct gate *g, const struct client *c, const char *action, const char *resource,
    const char *also)
{
	struct session *session;

	if (gate_administration(g, c) != ADMINISTRATION_BY_POLICY)
		return false;
	session = find_admitted(g, c);
	return session != NULL && ask_control(g, session, action, resource) == POLICY_ALLOWED &&
	    (also == NULL || ask_control(g, session, action, also) != POLICY_EXPLICIT_DENY);
}
