/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* gate_access.c - see gate.h: what a client may do. */
#include <stdio.h>
#include <string.h>

#include "gate_private.h"

#include "jitr/x509.h"

#define CONTROL_PREFIX "$CONTROL/jitr"
#define CONTROL_LEVEL  "$CONTROL" /* other plugins' topics are below it as well */
#define EVENTS_PREFIX  "$aws/events"
#define COUNTER_PREFIX "$SYS/broker/jitr"

/* Is topic this prefix, or below it? */
static bool
is_below(const char *topic, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(topic, prefix, len) == 0 && (topic[len] == '\0' || topic[len] == '/');
}

bool
topic_is_reserved(const char *topic)
{
	if (topic[0] != '$')
		return false;
	/* A will on the answers' topic reached subscribers in 2.0.11 (mosquitto 6). */
	return is_below(topic, EVENTS_PREFIX) || is_below(topic, COUNTER_PREFIX) ||
	    (is_below(topic, CONTROL_PREFIX) && strcmp(topic, CONTROL_TOPIC) != 0);
}

/* A shared subscription is judged as the filter it shares (MQTT 5, 4.8.2). */
static const char *
shared_filter(const char *filter)
{
	const char *slash;

	if (strncmp(filter, "$share/", 7) != 0)
		return filter;
	slash = strchr(filter + 7, '/');
	return slash != NULL ? slash + 1 : filter;
}

/* Everybody may ask: whoever may not hears so from the request's answer
 * (contract, section 3), which goes by gate_administration(). */
static bool
is_request(enum action action, const char *topic)
{
	return action == ACTION_WRITE && strcmp(topic, CONTROL_TOPIC) == 0;
}

/* What an administrator may hear whatever other plugins say. */
static bool
is_admin_access(enum action action, const char *topic)
{
	if (action == ACTION_WRITE || topic[0] != '$')
		return false;
	return is_below(topic, CONTROL_PREFIX) || is_below(topic, EVENTS_PREFIX) ||
	    is_below(topic, COUNTER_PREFIX);
}

static enum access
access_of_others(const struct gate *g, enum action action, const char *topic)
{
	if (is_request(action, topic))
		return ACCESS_ALLOW;
	return g->config.other_clients == OTHER_CLIENTS_ALLOW ? ACCESS_ALLOW : ACCESS_DEFER;
}

/* Answers to its requests come to whoever asked, and to nobody else: to listen
 * for them takes no policy. */
static bool
is_own_answer(enum action action, const char *topic)
{
	return action != ACTION_WRITE && strcmp(topic, CONTROL_RESPONSE_TOPIC) == 0;
}

/* What an ACTIVE certificate may whatever its policies say. */
static bool
is_free(const struct gate *g, const struct certid *id, enum action action, const char *topic)
{
	if (action == ACTION_UNSUBSCRIBE) /* there is no iot:Unsubscribe (aws-iot F.2) */
		return g->config.authorization != AUTHORIZATION_DEFER;
	if (topic[0] != '$')
		return false;
	if (g->config.authorization == AUTHORIZATION_POLICY && is_own_answer(action, topic))
		return true;
	return is_request(action, topic) ||
	    (is_admin_access(action, topic) && is_admin_certificate(g, id));
}

/* Without policies.  Events are for administrators (aws-iot D.4). */
static enum access
access_by_option(const struct gate *g, const char *topic)
{
	if (g->config.authorization != AUTHORIZATION_ALLOW)
		return ACCESS_DEFER;
	return is_below(topic, "$aws") ? ACCESS_DENY : ACCESS_ALLOW;
}

static bool
may_by_policy(struct gate *g, const struct principal *p, const struct facts *facts,
    enum action action, const char *topic, bool retain)
{
	struct view name = view_of(topic);

	switch (action) {
	case ACTION_READ:
		return gate_ask(g, p, facts, POLICY_RECEIVE, name);
	case ACTION_SUBSCRIBE:
		return gate_ask(g, p, facts, POLICY_SUBSCRIBE, name);
	case ACTION_WRITE:
		return gate_ask(g, p, facts, POLICY_PUBLISH, name) &&
		    (!retain || gate_ask(g, p, facts, POLICY_RETAIN_PUBLISH, name));
	case ACTION_UNSUBSCRIBE:
		break;
	}
	return true;
}

static void
note_refusal(struct gate *g, struct principal *p, const struct facts *facts, enum action action,
    const char *topic)
{
	switch (action) {
	case ACTION_WRITE:
		g->config.stats->denied_publish++;
		denial_note(g, p, facts, "publish", topic);
		break;
	case ACTION_SUBSCRIBE:
		g->config.stats->denied_subscribe++;
		denial_note(g, p, facts, "subscribe", topic);
		break;
	case ACTION_READ:
		g->config.stats->denied_receive++;
		denial_note(g, p, facts, "receive", topic);
		break;
	case ACTION_UNSUBSCRIBE:
		break;
	}
}

/* For a message that is not delivered nobody is disconnected: that would be
 * the publisher (mosquitto section 0, 10). */
static enum access
refuse(struct gate *g, struct session *s, enum action action, const char *topic)
{
	bool disconnects = (action == ACTION_WRITE && g->config.deny_publish_disconnects) ||
	    (action == ACTION_SUBSCRIBE && g->config.deny_subscribe_disconnects);

	note_refusal(g, s->principal, &s->facts, action, topic);
	return disconnects ? ACCESS_DISCONNECT : ACCESS_DENY;
}

static struct recent_question
question_of(const struct session *s, enum action action, const char *topic, bool retain)
{
	return (struct recent_question){ s->number, s->stamp,
		(uint8_t)(action << 1 | (action == ACTION_WRITE && retain)), view_of(topic) };
}

static enum access
access_by_policy(struct gate *g, struct session *s, enum action action, const char *topic,
    bool retain)
{
	struct recent_question q = question_of(s, action, topic, retain);

	if (recent_has(&g->recent, &q))
		return ACCESS_ALLOW;
	if (!may_by_policy(g, s->principal, &s->facts, action, topic, retain))
		return refuse(g, s, action, topic);
	recent_keep(&g->recent, &q);
	return ACCESS_ALLOW;
}

/* By far the most questions: an ordinary topic that was allowed a moment ago,
 * and nothing has changed since. */
static bool
is_allowed_again(const struct gate *g, const struct session *s, enum action action,
    const char *topic, bool retain)
{
	struct recent_question q;

	if (!s->admitted || s->seen != g->changes || topic[0] == '$')
		return false;
	q = question_of(s, action, topic, retain);
	return recent_has(&g->recent, &q);
}

static enum access
access_of_session(struct gate *g, struct session *s, enum action action, const char *topic,
    bool retain)
{
	session_refresh(g, s);
	if (!s->admitted)
		return ACCESS_DENY;
	if (is_free(g, &s->principal->id, action, topic))
		return ACCESS_ALLOW;
	if (g->config.authorization != AUTHORIZATION_POLICY)
		return access_by_option(g, topic);
	return access_by_policy(g, s, action, topic, retain);
}

/* An offline session, a will, the publisher of a retained message: judged by
 * its certificate, as the registry has it. */
static enum access
access_absent(struct gate *g, const struct certid *id, const char *client_id,
    enum action action, const char *topic, bool retain)
{
	struct principal *p = gate_find_absent(g, id);
	struct thing thing;
	struct facts facts;
	struct txn t;
	bool allowed;

	if (p == NULL)
		return ACCESS_DENY;
	if (is_free(g, id, action, topic))
		return ACCESS_ALLOW;
	if (g->config.authorization != AUTHORIZATION_POLICY)
		return access_by_option(g, topic);
	if (!gate_facts_absent(g, p, view_of(client_id), &facts, &thing, &t))
		return ACCESS_DENY;
	allowed = may_by_policy(g, p, &facts, action, topic, retain);
	if (!allowed)
		note_refusal(g, p, &facts, action, topic);
	store_end(&t);
	return allowed ? ACCESS_ALLOW : ACCESS_DENY;
}

/*
 * One that was never seen at CONNECT and has no certificate.  Without an address it is not
 * connected: a session restored from disk, or the publisher of a retained message, whose name
 * was ours when it was stored (mosquitto section 0, 11).  A connected one may have given
 * itself any name, as by use_identity_as_username with a PSK (mosquitto section 0, 6).
 */
static enum access
access_of_unknown(struct gate *g, const struct client *c, enum action action, const char *topic,
    bool retain)
{
	struct certid id;

	if (name_is_certid(c->user_name, &id))
		return c->address == NULL ? access_absent(g, &id, c->id, action, topic, retain)
		                          : ACCESS_DENY;
	return is_admin_restored(g, c) && is_admin_access(action, topic)
	    ? ACCESS_ALLOW : access_of_others(g, action, topic);
}

/* The will of a client comes after it, and messages for its offline session.  It sends no
 * more than one will: whatever writes again is another client at its address. */
static enum access
access_of_departed(struct gate *g, struct departed *d, const struct client *c,
    enum action action, const char *topic, bool retain)
{
	enum access access;

	switch (d->as) {
	case DEPARTED_CERTIFICATE:
		if (action == ACTION_WRITE && d->will_sent)
			return ACCESS_DENY;
		access = access_absent(g, &d->id, c->id, action, topic, retain);
		d->will_sent |= action == ACTION_WRITE && access != ACCESS_DENY;
		return access;
	case DEPARTED_REFUSED:
		return action == ACTION_READ && gate_may_connect_absent(g, &d->id, view_of(c->id))
		    ? access_absent(g, &d->id, c->id, action, topic, retain) : ACCESS_DENY;
	case DEPARTED_ADMINISTRATOR:
		return is_admin_access(action, topic) ? ACCESS_ALLOW
		                                      : access_of_others(g, action, topic);
	case DEPARTED_OTHER:
		return access_of_others(g, action, topic);
	case DEPARTED_UNKNOWN:
		break;
	}
	return ACCESS_DENY;
}

static enum access
access_of_other(const struct gate *g, const struct client *c, const struct session *session,
    enum action action, const char *topic)
{
	return is_admin_session(g, session, c->user_name) && is_admin_access(action, topic)
	    ? ACCESS_ALLOW : access_of_others(g, action, topic);
}

/*
 * Its user name is its certificateId, for acl_file and other plugins too.  SIGHUP gives
 * clients of a listener that takes the name from the certificate that one again
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

/* A client without a certificate that another plugin let in before this one was asked: from
 * here on it is one like others, for its answers and its will.  Its name was not checked as
 * far as the plugin knows. */
static struct session *
meet_other(struct gate *g, const struct client *c)
{
	struct connection connection = { c->handle, NULL, c->id, c->address, NULL };

	return c->address == NULL || name_is_certid(c->user_name, NULL)
	    ? NULL : session_add(&g->sessions, &connection, NULL);
}

/* NULL: it has left, or is not known. */
static struct session *
find_session(struct gate *g, const struct client *c)
{
	struct session *session = session_find(&g->sessions, c->handle, c->x);

	if (session != NULL || departed_find(&g->departures, c->handle, c->x) != NULL)
		return session;
	return c->x != NULL ? gate_connect_late(g, c) : meet_other(g, c);
}

static enum access
access_without_session(struct gate *g, const struct client *c, enum action action,
    const char *topic, bool retain)
{
	struct departed *d = departed_find(&g->departures, c->handle, c->x);

	if (d != NULL)
		return access_of_departed(g, d, c, action, topic, retain);
	return c->x != NULL ? ACCESS_DENY : access_of_unknown(g, c, action, topic, retain);
}

/* Topics below $CONTROL administer plugins.  Those of other plugins are never
 * allowed here, whatever an option or a policy says: an answer of ours would keep
 * the other plugin and acl_file from being asked (mosquitto 7). */
static enum access
leave_to_others(enum action action, const char *topic, enum access access)
{
	if (action == ACTION_SUBSCRIBE || action == ACTION_UNSUBSCRIBE)
		topic = shared_filter(topic);
	return access == ACCESS_ALLOW && is_below(topic, CONTROL_LEVEL) &&
	    !is_below(topic, CONTROL_PREFIX) ? ACCESS_DEFER : access;
}

static enum access
access_of_client(struct gate *g, const struct client *c, enum action action, const char *topic,
    bool retain)
{
	struct session *session;

	if (action == ACTION_WRITE && topic_is_reserved(topic))
		return ACCESS_DENY;
	if (action == ACTION_SUBSCRIBE || action == ACTION_UNSUBSCRIBE)
		topic = shared_filter(topic);
	session = find_session(g, c);
	if (session == NULL)
		return access_without_session(g, c, action, topic, retain);
	if (session->principal == NULL)
		return access_of_other(g, c, session, action, topic);
	restore_name(g, session, c);
	return access_of_session(g, session, action, topic, retain);
}

enum access
gate_access(struct gate *g, const struct client *c, enum action action, const char *topic,
    bool retain)
{
	return leave_to_others(action, topic, access_of_client(g, c, action, topic, retain));
}

bool
gate_access_known(struct gate *g, const void *client, const char *id, const char *user_name,
    enum action action, const char *topic, bool retain, enum access *out)
{
	struct session *session = session_known(&g->sessions, client, id, user_name);

	if (session == NULL)
		return false;
	if (is_allowed_again(g, session, action, topic, retain)) {
		*out = ACCESS_ALLOW;
		return true;
	}
	if (action == ACTION_WRITE && topic_is_reserved(topic)) {
		*out = ACCESS_DENY;
		return true;
	}
	if (action == ACTION_SUBSCRIBE || action == ACTION_UNSUBSCRIBE)
		topic = shared_filter(topic);
	*out = leave_to_others(action, topic,
	    access_of_session(g, session, action, topic, retain));
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
	struct session *session = session_find(&g->sessions, c->handle, c->x);

	if (session == NULL || session->principal == NULL)
		return is_admin_session(g, session, c->user_name);
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
		r.any_name = len > 0 && arn[len - 1] == '/';
	}
	if (r.any_name) {
		r.head = r.name;
		r.name = view_of("");
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
