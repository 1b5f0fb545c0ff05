/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* access.c - see gate.h: may a client publish, subscribe, receive? */
#include <string.h>

#include "gate_private.h"

#include "jitr/service/admission.h"

/* Not for a delivery: the broker would disconnect the publisher (mosquitto section 0, 10). */
static bool
disconnects(const struct gate *g, enum action action)
{
	return (action == ACTION_WRITE && g->config.deny_publish_disconnects) ||
	    (action == ACTION_SUBSCRIBE && g->config.deny_subscribe_disconnects);
}

static struct allow_cache_question
allow_cache_question_of(const struct session *s, const struct access_question *q)
{
	return (struct allow_cache_question){ s->number, s->rights_version,
		(uint8_t)(q->action << 1 | (q->action == ACTION_WRITE && q->retain)), q->topic };
}

/* The most frequent case: the policies allowed this recently, and nothing has changed since. */
static bool
is_allowed_again(const struct gate *g, const struct session *s, const struct access_question *q)
{
	struct allow_cache_question question = allow_cache_question_of(s, q);

	return allow_cache_has(&g->allow_cache, &question);
}

/* Only what policies allowed: other answers cost little, and a denial is counted each time. */
static void
keep_allowed(struct gate *g, const struct session *s, const struct access_question *q,
    const struct access_decision *d)
{
	struct allow_cache_question question;

	if (d->basis != BASIS_POLICY || d->access != ACCESS_ALLOW)
		return;
	question = allow_cache_question_of(s, q);
	allow_cache_keep(&g->allow_cache, &question);
}

/* Not inlined, so that the frequent case saves fewer registers. */
static NOT_INLINE enum access
ask_policies(struct gate *g, const struct session *s, const struct access_question *q)
{
	struct admission admission = admission_of(g, s->principal, &s->live->facts);
	struct access_rights rights = admission_rights(&admission);
	struct access_decision d = access_decide(&rights, q);

	keep_allowed(g, s, q, &d);
	if (d.access != ACCESS_DENY || d.basis != BASIS_POLICY)
		return d.access;
	denial_note(g, s->principal, &s->live->facts, q);
	return disconnects(g, q->action) ? ACCESS_DISCONNECT : ACCESS_DENY;
}

static enum access
access_of_session(struct gate *g, struct session *s, const struct access_question *q)
{
	if (!session_is_current(g, s))
		session_refresh(g, s);
	if (!session_is_admitted(s))
		return ACCESS_DENY;
	if (is_allowed_again(g, s, q))
		return ACCESS_ALLOW;
	return ask_policies(g, s, q);
}

static enum access
access_of_other_session(const struct gate *g, const struct client *c, const struct session *session,
    const struct access_question *q)
{
	return is_admin_session(g, session, c->user_name) && is_admin_access(q)
	    ? ACCESS_ALLOW
	    : access_of_others(g, q);
}

/*
 * The user name of the client is its certificateId, for acl_file and other plugins too.  At
 * SIGHUP the broker restores the name from the certificate on a listener that takes it from
 * there (mosquitto section 0, 6).
 */
static void
restore_name(struct gate *g, struct session *session, const struct client *c)
{
	const char *hex = session->principal->hex;

	if (c->user_name != NULL && strcmp(c->user_name, hex) == 0)
		return;
	if (name_is_certid(c->user_name, NULL))
		session_shut_out(g, session, REASON_NAME_RESERVED);
	else if (g->config.broker->name_client(c->handle, hex) != ERR_OK)
		session_shut_out(g, session, REASON_REGISTRY_FAILED);
}

/* A client without a certificate that another plugin accepted before this one was asked: it
 * gets a session now, for its answers and its will.  Whether its name was checked is not
 * known. */
static struct session *
add_other(struct gate *g, const struct client *c)
{
	struct connection connection = connection_of(c);
	struct session *session = NULL;

	if (c->address != NULL && !name_is_certid(c->user_name, NULL))
		session = session_add(&g->sessions, &connection, NULL);
	if (session != NULL)
		session_step(session, SESSION_ON_OTHER);
	return session;
}

static struct session *
find_left(struct gate *g, const struct client *c)
{
	struct connection connection = connection_of(c);

	return session_find_left(&g->sessions, &connection);
}

/* NULL: the client has left, or is unknown.  bypass_connect() sets the user name, which frees
 * c->user_name. */
static struct session *
find_session(struct gate *g, const struct client *c)
{
	struct session *session = session_find(&g->sessions, c->handle, c->x);

	if (session != NULL && session->principal != NULL)
		restore_name(g, session, c);
	if (session != NULL || find_left(g, c) != NULL)
		return session;
	return c->x != NULL ? bypass_connect(g, c) : add_other(g, c);
}

static enum access
access_without_session(struct gate *g, const struct client *c, const struct access_question *q)
{
	struct session *session = find_left(g, c);

	if (session != NULL)
		return access_of_left(g, session, c, q);
	return c->x != NULL ? ACCESS_DENY : access_of_unknown(g, c, q);
}

static struct access_question
question_of(const struct access_request *r)
{
	return (struct access_question){ r->action, view_of(r->topic), r->retain };
}

enum access
gate_access(struct gate *g, const struct client *c, const struct access_request *request)
{
	struct access_question q = question_of(request);
	struct session *session;

	if (request->action == ACTION_WRITE && topic_is_reserved(request->topic))
		return ACCESS_DENY;
	session = find_session(g, c);
	if (session == NULL)
		return access_without_session(g, c, &q);
	if (session_state_is_other(session->state))
		return access_of_other_session(g, c, session, &q);
	return access_of_session(g, session, &q);
}

bool
gate_access_known(struct gate *g, const struct known_client *c,
    const struct access_request *request, enum access *out)
{
	struct session *session = session_known(&g->sessions.connected, c->handle, c->id,
	    c->user_name);
	struct access_question q;

	if (session == NULL)
		return false;
	q = question_of(request);
	*out = access_of_session(g, session, &q);
	return true;
}
