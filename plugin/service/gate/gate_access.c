/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* gate_access.c - see gate.h: what a client may do. */
#include <stdio.h>
#include <string.h>

#include "gate_private.h"

#include "jitr/adapter/x509.h"

/* The text of a question, which ends with a zero byte as the broker's do. */
static const char *
topic_text(const struct access_question *q)
{
	return (const char *)q->topic.data;
}

/* What an administrator may hear whatever other plugins say. */
static bool
is_admin_access(const struct access_question *q)
{
	return q->action != ACTION_WRITE && topic_is_ours(access_plain_topic(q));
}

/* Every client may ask: the answer to its request says whether it may (contract,
 * section 3), and goes by gate_administration().  Below $CONTROL other plugins are
 * administered as well: an Allow of ours would keep them and acl_file from being
 * asked (mosquitto section 7). */
static enum access
access_of_others(const struct gate *g, const struct access_question *q)
{
	if (q->action == ACTION_WRITE && topic_is_request(q->topic))
		return ACCESS_ALLOW;
	if (topic_is_foreign_control(access_plain_topic(q)))
		return ACCESS_DEFER;
	return g->config.other_clients == OTHER_CLIENTS_ALLOW ? ACCESS_ALLOW : ACCESS_DEFER;
}

static void
note_refusal(struct gate *g, struct principal *p, const struct facts *facts,
    const struct access_question *q)
{
	switch (q->action) {
	case ACTION_WRITE:
		g->config.stats->denied_publish++;
		denial_note(g, p, facts, "publish", topic_text(q));
		break;
	case ACTION_SUBSCRIBE:
		g->config.stats->denied_subscribe++;
		denial_note(g, p, facts, "subscribe", topic_text(q));
		break;
	case ACTION_READ:
		g->config.stats->denied_receive++;
		denial_note(g, p, facts, "receive", topic_text(q));
		break;
	case ACTION_UNSUBSCRIBE:
		break;
	}
}

/* For a message that is not delivered no client is disconnected: that would be
 * the publisher (mosquitto section 0, 10). */
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

/* By far the most questions, of an admitted session: an ordinary topic that was
 * allowed a moment ago, and nothing has changed since. */
static bool
is_allowed_again(const struct gate *g, const struct session *s, const struct access_question *q)
{
	struct allow_cache_question question;

	if (topic_text(q)[0] == '$')
		return false;
	question = allow_cache_question_of(s, q);
	return allow_cache_has(&g->allow_cache, &question);
}

/* Only what policies allow is kept: it is what costs. */
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

static enum access
access_of_session(struct gate *g, struct session *s, const struct access_question *q)
{
	struct rights_asker asker = { g, s->principal, &s->facts };
	struct access_rights rights;
	struct access_decision d;

	session_refresh(g, s);
	if (!s->admitted)
		return ACCESS_DENY;
	if (is_allowed_again(g, s, q))
		return ACCESS_ALLOW;
	rights = gate_rights(&asker);
	d = access_decide(&rights, q);
	keep_allowed(g, s, q, &d);
	if (d.access != ACCESS_DENY || d.basis != BASIS_POLICY)
		return d.access;
	note_refusal(g, s->principal, &s->facts, q);
	return disconnects(g, q->action) ? ACCESS_DISCONNECT : ACCESS_DENY;
}

/* An offline session, a will, the publisher of a retained message: judged by
 * its certificate, as the registry has it. */
static enum access
access_absent(struct gate *g, const struct certid *id, const char *client_id,
    const struct access_question *q)
{
	struct principal *p = gate_find_absent(g, id);
	struct facts facts;
	struct rights_asker asker = { g, p, &facts };
	struct access_rights rights;
	struct access_decision d;
	struct thing thing;
	struct txn t;

	if (p == NULL || !gate_facts_absent(g, p, view_of(client_id), &facts, &thing, &t))
		return ACCESS_DENY;
	rights = gate_rights(&asker);
	d = access_decide(&rights, q);
	if (d.access == ACCESS_DENY && d.basis == BASIS_POLICY)
		note_refusal(g, p, &facts, q);
	store_end(&t);
	return d.access;
}

/*
 * A client that was never seen at CONNECT and has no certificate.  Without an address it is
 * not connected: a session restored from disk, or the publisher of a retained message, with
 * the name that the plugin had given it when it was stored (mosquitto section 0, 11).  A
 * connected client may have given itself any name, as by use_identity_as_username with a PSK
 * (mosquitto section 0, 6).
 */
static enum access
access_of_unknown(struct gate *g, const struct client *c, const struct access_question *q)
{
	struct certid id;

	if (name_is_certid(c->user_name, &id) && c->address != NULL)
		return ACCESS_DENY;
	if (name_is_certid(c->user_name, &id)) {
		if (q->action == ACTION_READ) /* its queue is one that may be resumed */
			takeover_learn(g, c->id, &id);
		return access_absent(g, &id, c->id, q);
	}
	return is_admin_restored(g, c) && is_admin_access(q) ? ACCESS_ALLOW
							     : access_of_others(g, q);
}

/* The will of a client comes after it, and messages for its offline session: it sends no
 * more than one will, at once where its protocol has no delayed ones, and subscribes to
 * nothing, but that what it subscribed to is judged again while it is being closed.  Whatever
 * does is another client at its address. */
static bool
is_of_departed(const struct departed *d, const struct access_question *q)
{
	switch (q->action) {
	case ACTION_WRITE:
		return !d->will_sent && (d->fresh || !d->will_at_once);
	case ACTION_READ:
		return true;
	case ACTION_SUBSCRIBE:
	case ACTION_UNSUBSCRIBE:
		break;
	}
	return d->fresh;
}

static enum access
access_of_departed(struct gate *g, struct departed *d, const struct client *c,
    const struct access_question *q)
{
	enum access access;

	switch (d->as) {
	case DEPARTED_CERTIFICATE:
		if (!is_of_departed(d, q))
			return ACCESS_DENY;
		access = access_absent(g, &d->id, c->id, q);
		d->will_sent |= q->action == ACTION_WRITE && access != ACCESS_DENY;
		return access;
	case DEPARTED_REFUSED:
		return q->action == ACTION_READ &&
			gate_may_connect_absent(g, &d->id, view_of(c->id))
		    ? access_absent(g, &d->id, c->id, q)
		    : ACCESS_DENY;
	case DEPARTED_ADMINISTRATOR:
		return is_admin_access(q) && is_of_departed(d, q) ? ACCESS_ALLOW
								  : access_of_others(g, q);
	case DEPARTED_OTHER:
		return access_of_others(g, q);
	case DEPARTED_UNKNOWN:
		break;
	}
	return ACCESS_DENY;
}

static enum access
access_of_other(const struct gate *g, const struct client *c, const struct session *session,
    const struct access_question *q)
{
	return is_admin_session(g, session, c->user_name) && is_admin_access(q)
	    ? ACCESS_ALLOW
	    : access_of_others(g, q);
}

/*
 * Its user name is its certificateId, for acl_file and other plugins too.  At SIGHUP the
 * broker puts back the name from the certificate where a listener takes it from there
 * (mosquitto section 0, 6).
 */
static void
restore_name(struct gate *g, struct session *session, const struct client *c)
{
	const char *hex = session->principal->hex;

	if (c->user_name != NULL && strcmp(c->user_name, hex) == 0)
		return;
	if (name_is_certid(c->user_name, NULL))
		shut_out(g, session, REASON_NAME_RESERVED);
	else if (g->config.broker->name_client(c->handle, hex) != ERR_OK)
		shut_out(g, session, REASON_REGISTRY_FAILED);
}

/* A client without a certificate that another plugin let in before this one was asked: it
 * has a session from here on, for its answers and its will.  Whether its name was checked
 * is not known. */
static struct session *
meet_other(struct gate *g, const struct client *c)
{
	struct connection connection = { c->handle, NULL, c->id, c->address, NULL };

	return c->address == NULL || name_is_certid(c->user_name, NULL)
	    ? NULL
	    : session_add(&g->sessions, &connection, NULL);
}

/* NULL: it has left, or is not known.  One that is met here has its name already, and
 * c->user_name is gone with that. */
static struct session *
find_session(struct gate *g, const struct client *c)
{
	struct session *session = session_find(&g->sessions, c->handle, c->x);

	if (session != NULL && session->principal != NULL)
		restore_name(g, session, c);
	if (session != NULL || departed_find(&g->departures, c) != NULL)
		return session;
	return c->x != NULL ? gate_connect_late(g, c) : meet_other(g, c);
}

static enum access
access_without_session(struct gate *g, const struct client *c, const struct access_question *q)
{
	struct departed *d = departed_find(&g->departures, c);

	if (d != NULL)
		return access_of_departed(g, d, c, q);
	return c->x != NULL ? ACCESS_DENY : access_of_unknown(g, c, q);
}

enum access
gate_access(struct gate *g, const struct client *c, enum action action, const char *topic,
    bool retain)
{
	struct access_question q = { action, view_of(topic), retain };
	struct session *session;

	if (action == ACTION_WRITE && topic_is_reserved(topic))
		return ACCESS_DENY;
	session = find_session(g, c);
	if (session == NULL)
		return access_without_session(g, c, &q);
	if (session->principal == NULL)
		return access_of_other(g, c, session, &q);
	return access_of_session(g, session, &q);
}

bool
gate_access_known(struct gate *g, const void *client, const char *id, const char *user_name,
    enum action action, const char *topic, bool retain, enum access *out)
{
	struct session *session = session_known(&g->sessions, client, id, user_name);
	struct access_question q = { action, view_of(topic), retain };

	if (session == NULL)
		return false;
	*out = access_of_session(g, session, &q);
	return true;
}

/*
 * The control API.
 */

/* The session of a client with a certificate that is let in; NULL: none. */
static struct session *
find_admitted(struct gate *g, const struct client *c)
{
	struct session *session = c->x != NULL ? session_find(&g->sessions, c->handle, c->x) : NULL;

	if (session == NULL || session->principal == NULL)
		return NULL;
	session_refresh(g, session);
	return session->admitted ? session : NULL;
}

static bool
is_administrator(struct gate *g, const struct client *c)
{
	struct session *session = session_find(&g->sessions, c->handle, c->x);

	if (session == NULL || session->principal == NULL)
		return is_admin_session(g, session, c->user_name);
	session = find_admitted(g, c);
	return session != NULL && gate_names_administrator(g, &session->principal->id);
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
	char arn[512];
	struct policy_request r = { .action = POLICY_CONTROL,
		.control = action,
		.head = view_of(""),
		.name = view_of("*"),
		.facts = &s->facts };
	int len;

	if (resource != NULL) {
		len = snprintf(arn, sizeof(arn), "%s%s", g->config.scope.prefix, resource);
		if (len < 0 || (size_t)len >= sizeof(arn))
			return POLICY_EXPLICIT_DENY;
		r.name = view_of(arn);
		r.any_name = len > 0 && arn[len - 1] == '/';
	}
	if (r.any_name) {
		r.head = r.name;
		r.name = view_of("");
	}
	return rights_ask(&s->principal->rights, &r, NULL);
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
