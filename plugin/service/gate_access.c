/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* gate_access.c - see gate.h: what a client may do. */
#include <string.h>

#include "gate_private.h"

#define CONTROL_PREFIX "$CONTROL/jitr"
#define EVENTS_PREFIX  "$aws/events"
#define COUNTER_PREFIX "$SYS/broker/jitr"

bool
name_is_certid(const char *name, struct certid *id)
{
	/* Lower case only: that is how we write them. */
	return name != NULL && strspn(name, "0123456789abcdef") == 2 * sizeof(id->b) &&
	    certid_from_hex(id, view_of(name));
}

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

static bool
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

static enum access
access_of_others(const struct gate *g, enum action action, const char *topic)
{
	if (is_request(action, topic))
		return ACCESS_ALLOW;
	return g->config.other_clients == OTHER_CLIENTS_ALLOW ? ACCESS_ALLOW : ACCESS_DEFER;
}

/* An ACTIVE certificate.  Events are for administrators (aws-iot D.4). */
static enum access
access_of_device(const struct gate *g, const struct certid *id, enum action action,
    const char *topic)
{
	if (is_request(action, topic) ||
	    (is_admin_certificate(g, id) && is_admin_access(action, topic)))
		return ACCESS_ALLOW;
	if (g->config.authorization != AUTHORIZATION_ALLOW)
		return ACCESS_DEFER;
	if (action != ACTION_UNSUBSCRIBE && is_below(topic, "$aws"))
		return ACCESS_DENY;
	return ACCESS_ALLOW;
}

/* An offline session, a delayed will: judged by the name it was given. */
static enum access
access_by_name(struct gate *g, const struct client *c, enum action action, const char *topic)
{
	struct principal *p;
	struct certid id;

	if (!name_is_certid(c->user_name, &id))
		return is_admin_name(g, c->user_name) && is_admin_access(action, topic)
		    ? ACCESS_ALLOW : access_of_others(g, action, topic);
	p = principal_find(&g->sessions, &id);
	if (p != NULL)
		gate_refresh(g, p);
	if (p != NULL ? p->verdict != VERDICT_ALLOW : gate_judge_id(g, &id).verdict != VERDICT_ALLOW)
		return ACCESS_DENY;
	return access_of_device(g, &id, action, topic);
}

enum access
gate_access(struct gate *g, const struct client *c, enum action action, const char *topic)
{
	struct session *session;

	if (action == ACTION_WRITE && topic_is_reserved(topic))
		return ACCESS_DENY;
	if (action == ACTION_SUBSCRIBE || action == ACTION_UNSUBSCRIBE)
		topic = shared_filter(topic);
	if (c->x == NULL)
		return access_by_name(g, c, action, topic);
	session = session_find(&g->sessions, c->handle, c->x);
	if (session == NULL)
		session = gate_connect_late(g, c);
	if (session == NULL)
		return ACCESS_DENY;
	if (session->principal == NULL)
		return is_admin_user(g, c, session) && is_admin_access(action, topic)
		    ? ACCESS_ALLOW : access_of_others(g, action, topic);
	gate_refresh(g, session->principal);
	if (session->principal->verdict != VERDICT_ALLOW)
		return ACCESS_DENY;
	return access_of_device(g, &session->principal->id, action, topic);
}

static bool
may_administer(struct gate *g, const struct client *c)
{
	struct session *session = c->x != NULL ? session_find(&g->sessions, c->handle, c->x) : NULL;
	struct certid id;

	if (c->address == NULL) /* a bridge: its remote side speaks (mosquitto section 0, 13) */
		return false;
	if (c->x == NULL)
		return !name_is_certid(c->user_name, &id) && is_admin_name(g, c->user_name);
	if (session == NULL)
		return false;
	if (session->principal == NULL)
		return is_admin_user(g, c, session);
	gate_refresh(g, session->principal);
	return session->principal->verdict == VERDICT_ALLOW &&
	    is_admin_certificate(g, &session->principal->id);
}

enum administration
gate_administration(struct gate *g, const struct client *c)
{
	return may_administer(g, c) ? ADMINISTRATION_ALL : ADMINISTRATION_NONE;
}

bool
gate_may_control(struct gate *g, const struct client *c, const char *action,
    const char *resource, const char *also)
{
	(void)g;
	(void)c;
	(void)action;
	(void)resource;
	(void)also;
	return false;
}

void
gate_policy_changed(struct gate *g, struct view name)
{
	(void)name;
	gate_changed(g, NULL);
}

void
gate_thing_changed(struct gate *g, struct view name)
{
	(void)name;
	gate_changed(g, NULL);
}
