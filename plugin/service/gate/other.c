/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * other.c - clients without a certificate of ours: other plugins and acl_file decide.
 *
 * Mosquitto denies what all plugins defer, without telling the client or the log.  The plugin
 * does not learn what the others answer; while other_clients is not set it logs once
 * that it deferred a question.  The line waits for the tick: the broker may be in the middle of a
 * delivery (mosquitto section 0, 19).
 */
#include "gate_private.h"

#include "jitr/core/text.h"

bool
is_admin_access(const struct access_question *q)
{
	return q->action != ACTION_WRITE && topic_is_ours(access_plain_topic(q));
}

/* Every client may send a request: the answer says whether it has the rights (contract,
 * section 3; gate_administration()).  Topics below $CONTROL administer other plugins too: if
 * this plugin allowed them, the others and acl_file would not be asked (mosquitto section 7). */
enum access
access_of_others(const struct gate *g, const struct access_question *q)
{
	if (q->action == ACTION_WRITE && topic_is_request(q->topic))
		return ACCESS_ALLOW;
	if (topic_is_foreign_control(access_plain_topic(q)))
		return ACCESS_DEFER;
	return g->config.other_clients == OTHER_CLIENTS_ALLOW ? ACCESS_ALLOW : ACCESS_DEFER;
}

/* Without a certificate, or with one that unknown_ca leaves to others. */
static bool
is_other_client(struct gate *g, const struct client *c)
{
	struct session *session;
	struct certid id;

	if (c->x == NULL)
		return !name_is_certid(c->user_name, &id);
	session = session_find(&g->sessions, c->handle, c->x);
	return session != NULL && session->principal == NULL;
}

void
gate_deferred(struct gate *g, const struct client *c, const struct access_request *request)
{
	struct left *left = &g->left;

	if (left->state != LEFT_NONE || g->config.other_clients != OTHER_CLIENTS_UNSET ||
	    !is_other_client(g, c))
		return;
	left->state = LEFT_NOTED;
	left->action = request->action;
	keep_text(left->client_id, sizeof(left->client_id), c->id);
	keep_text(left->user_name, sizeof(left->user_name), c->user_name);
	keep_text(left->address, sizeof(left->address), c->address);
	keep_text(left->topic, sizeof(left->topic), request->topic);
}

static void
add_quoted(struct text *t, const char *name, const char *value, size_t most)
{
	text_addf(t, " %s=\"", name);
	text_add_escaped(t, view_of(value), most);
	text_add(t, "\"");
}

void
left_report(struct gate *g)
{
	static const char *const words[] = {
		[ACTION_READ] = "receive",
		[ACTION_WRITE] = "publish",
		[ACTION_SUBSCRIBE] = "subscribe",
		[ACTION_UNSUBSCRIBE] = "unsubscribe",
	};
	struct left *left = &g->left;
	char buffer[700];
	struct text t = text_in(buffer, sizeof(buffer));

	if (left->state != LEFT_NOTED)
		return;
	left->state = LEFT_LOGGED;
	text_addf(&t, "%s deferred:", words[left->action]);
	add_quoted(&t, "topic", left->topic, 160);
	add_quoted(&t, "client", left->client_id, 80);
	add_quoted(&t, "user", left->user_name, 80);
	text_add(&t, " address=");
	text_add_escaped(&t, view_of(left->address[0] != '\0' ? left->address : "-"), 64);
	report_line(g->config.report, LEVEL_WARNING,
	    "%s: the broker denies it unless an acl_file or "
	    "another plugin allows it, because other_clients is not set: set it to allow or defer. "
	    "Said once",
	    buffer);
}
