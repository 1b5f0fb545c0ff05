/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* gate_access.c - see gate.h: what a client may do. */
#include <stdio.h>
#include <string.h>

#include "gate_private.h"

#include "jitr/x509.h"

bool
name_is_certid(const char *name, struct certid *id)
{
	/* Lower case only: that is how we write them. */
	return name != NULL && strspn(name, "0123456789abcdef") == 2 * sizeof(id->b) &&
	    certid_from_hex(id, view_of(name));
}

/* Of clients that are not judged by policies a shared subscription is the filter it
 * shares (MQTT 5, 4.8.2). */
static struct access_question
plain_question(const struct access_question *q)
{
	struct access_question plain = *q;
	struct view shared = { NULL, 0 };

	if (q->action == ACTION_SUBSCRIBE || q->action == ACTION_UNSUBSCRIBE)
		shared = topic_shared_filter(q->topic);
	if (shared.data != NULL)
		plain.topic = shared;
	return plain;
}

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
	struct access_question plain = plain_question(q);

	return q->action != ACTION_WRITE && topic_is_ours(plain.topic);
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
is_admin_certificate(const struct gate *g, const struct certid *id)
{
	for (size_t i = 0; i < g->config.admin_certificate_count; i++)
		if (certid_equal(&g->config.admin_certificates[i], id))
			return true;
	return false;
}

/*
 * A user name counts where others have checked it: at a client without a
 * certificate, or a stranger's certificate that came through the connect
 * check.  Where a listener takes the name from the certificate nobody has.
 */
static bool
is_admin_user(const struct gate *g, const struct client *c, const struct session *session)
{
	if (c->x != NULL && (session == NULL || !session->named_by_others))
		return false;
	return is_admin_name(g, c->user_name);
}

/* Every client may ask: the answer to its request says whether it may (contract,
 * section 3), and goes by gate_administration(). */
static enum access
access_of_others(const struct gate *g, const struct access_question *q)
{
	if (q->action == ACTION_WRITE && topic_is_request(q->topic))
		return ACCESS_ALLOW;
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

static struct recent_question
recent_question_of(const struct session *s, const struct access_question *q)
{
	return (struct recent_question){ s->number, s->stamp,
		(uint8_t)(q->action << 1 | (q->action == ACTION_WRITE && q->retain)), q->topic };
}

/* By far the most questions, of an admitted session: an ordinary topic that was
 * allowed a moment ago, and nothing has changed since. */
static bool
is_allowed_again(const struct gate *g, const struct session *s, const struct access_question *q)
{
	struct recent_question recent;

	if (topic_text(q)[0] == '$')
		return false;
	recent = recent_question_of(s, q);
	return recent_has(&g->recent, &recent);
}

/* Only what policies allow is kept: it is what costs. */
static void
keep_allowed(struct gate *g, const struct session *s, const struct access_question *q,
    const struct access_decision *d)
{
	struct recent_question recent;

	if (d->basis != BASIS_POLICY || d->access != ACCESS_ALLOW)
		return;
	recent = recent_question_of(s, q);
	recent_keep(&g->recent, &recent);
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
 * the name it was given, and by what the registry has. */
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

/* Some versions ask about a will without the certificate (mosquitto 6). */
static enum access
access_by_name(struct gate *g, const struct client *c, const struct access_question *q)
{
	struct certid id;

	if (name_is_certid(c->user_name, &id)) {
		if (g->gone_refused && c->handle == g->gone)
			return ACCESS_DENY;
		return access_absent(g, &id, c->id, q);
	}
	return is_admin_name(g, c->user_name) && is_admin_access(q)
	    ? ACCESS_ALLOW : access_of_others(g, q);
}

static enum access
access_of_stranger(struct gate *g, const struct client *c, const struct session *session,
    const struct access_question *q)
{
	return is_admin_user(g, c, session) && is_admin_access(q)
	    ? ACCESS_ALLOW : access_of_others(g, q);
}

/* Who is cut off is gone until the next tick, and by then a newcomer may have its
 * address. */
static bool
is_gone(const struct gate *g, const struct client *c)
{
	return c->handle == g->gone && c->x == g->gone_x;
}

/* The will of one that has just gone: it has no session any more and gets no
 * new one. */
static enum access
access_of_gone(struct gate *g, const struct client *c, const struct access_question *q)
{
	struct presented p;

	if (g->gone_refused)
		return ACCESS_DENY;
	if (g->gone_stranger)
		return access_of_others(g, q);
	if (x509_read(c->x, &p) != ERR_OK)
		return ACCESS_DENY;
	return access_absent(g, &p.id, c->id, q);
}

static bool
is_gone_unasked(const struct gate *g, const struct client *c)
{
	return c->handle == g->gone && g->gone_unasked && (c->x == NULL || c->x == g->gone_x);
}

/* It is judged now, for its will: as it would have been at CONNECT. */
static enum access
access_of_gone_unasked(struct gate *g, const struct client *c, const struct access_question *q)
{
	struct client with_certificate = *c;
	struct judgement j;
	enum access access = ACCESS_DENY;

	with_certificate.x = g->gone_x;
	gate_judge(g, &with_certificate, &j);
	if (j.decision.verdict == VERDICT_DEFER)
		access = access_of_others(g, q);
	if (j.decision.verdict == VERDICT_ALLOW && j.decision.effects == 0 &&
	    gate_may_connect_absent(g, &j.presented.id, view_of(c->id)))
		access = access_absent(g, &j.presented.id, c->id, q);
	judgement_clear(&j);
	return access;
}

static enum access
access_of_client(struct gate *g, const struct client *c, const struct access_question *q)
{
	struct session *session;

	if (is_gone_unasked(g, c))
		return access_of_gone_unasked(g, c, q);
	if (c->x == NULL)
		return access_by_name(g, c, q);
	session = session_find(&g->sessions, c->handle, c->x);
	if (session == NULL && is_gone(g, c))
		return access_of_gone(g, c, q);
	if (session == NULL)
		session = gate_connect_late(g, c);
	if (session == NULL)
		return ACCESS_DENY;
	if (session->principal == NULL)
		return access_of_stranger(g, c, session, q);
	return access_of_session(g, session, q);
}

enum access
gate_access(struct gate *g, const struct client *c, enum action action, const char *topic,
    bool retain)
{
	struct access_question q = { action, view_of(topic), retain };

	if (action == ACTION_WRITE && topic_is_reserved(topic))
		return ACCESS_DENY;
	return access_of_client(g, c, &q);
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

/* The session of a client that may ask for more than to be told it may not. */
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
	struct session *session = c->x != NULL ? session_find(&g->sessions, c->handle, c->x) : NULL;
	struct certid id;

	if (c->x == NULL)
		return !name_is_certid(c->user_name, &id) && is_admin_name(g, c->user_name);
	if (session != NULL && session->principal == NULL)
		return is_admin_user(g, c, session);
	session = find_admitted(g, c);
	return session != NULL && is_admin_certificate(g, &session->principal->id);
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
	    ? ADMINISTRATION_BY_POLICY : ADMINISTRATION_NONE;
}

static enum policy_result
ask_control(struct gate *g, const struct session *s, const char *action, const char *resource)
{
	char arn[512];
	struct policy_request r = { .action = POLICY_CONTROL, .control = action,
		.head = view_of(""), .name = view_of("*"), .facts = &s->facts };
	int len;

	if (resource != NULL) {
		len = snprintf(arn, sizeof(arn), "%s%s", g->config.scope.prefix, resource);
		if (len < 0 || (size_t)len >= sizeof(arn))
			return POLICY_EXPLICIT_DENY;
		r.name = view_of(arn);
	}
	return rights_ask(&s->principal->rights, &r, NULL);
}

bool
gate_may_control(struct gate *g, const struct client *c, const char *action,
    const char *resource, const char *also)
{
	struct session *session;

	if (gate_administration(g, c) != ADMINISTRATION_BY_POLICY)
		return false;
	session = find_admitted(g, c);
	return session != NULL && ask_control(g, session, action, resource) == POLICY_ALLOWED &&
	    (also == NULL || ask_control(g, session, action, also) != POLICY_EXPLICIT_DENY);
}
