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

/* Without a certificate, or with one of an unknown CA under unknown_ca defer. */
static bool
is_other_client(struct gate *g, const struct client *c)
{
	const struct session *session;

	if (c->x == NULL)
		return !name_is_certid(c->user_name, NULL);
	session = session_find(&g->sessions, c->handle, c->x);
	return session != NULL && session_state_is_other(session->state);
}

struct deferred {
	struct notice notice;
	enum action action;
	char client_id[NOTICE_NAME_SIZE], user_name[NOTICE_NAME_SIZE];
	char address[NOTICE_ADDRESS_SIZE], topic[NOTICE_TOPIC_SIZE];
};

static void
add_quoted(struct text *t, const char *name, const char *value, size_t most)
{
	text_addf(t, " %s=\"", name);
	text_add_escaped(t, view_of(value), most);
	text_add(t, "\"");
}

static void
log_deferred(struct gate *g, const struct notice *n)
{
	static const char *const words[] = {
		[ACTION_READ] = "receive",
		[ACTION_WRITE] = "publish",
		[ACTION_SUBSCRIBE] = "subscribe",
		[ACTION_UNSUBSCRIBE] = "unsubscribe",
	};
	const struct deferred *d = (const struct deferred *)n;
	char buffer[700];
	struct text t = text_in(buffer, sizeof(buffer));

	text_addf(&t, "%s deferred:", words[d->action]);
	add_quoted(&t, "topic", d->topic, 160);
	add_quoted(&t, "client", d->client_id, 80);
	add_quoted(&t, "user", d->user_name, 80);
	text_add(&t, " address=");
	text_add_escaped(&t, view_of(d->address[0] != '\0' ? d->address : "-"), 64);
	report_line(g->config.report, LEVEL_WARNING,
	    "%s: the broker denies it unless an acl_file or "
	    "another plugin allows it, because other_clients is not set: set it to allow or defer. "
	    "This line is logged once",
	    buffer);
}

static const struct notice_type deferred_type = { NOTICE_DEFERRED, 1, log_deferred, NULL };

void
gate_deferred(struct gate *g, const struct client *c, const struct access_request *request)
{
	struct deferred *d;

	if (g->deferred_is_noted || g->config.other_clients != OTHER_CLIENTS_UNSET ||
	    !is_other_client(g, c))
		return;
	d = notice_add(&g->notices, &deferred_type, sizeof(*d));
	if (d == NULL)
		return;
	g->deferred_is_noted = true;
	d->action = request->action;
	keep_text(d->client_id, sizeof(d->client_id), c->id);
	keep_text(d->user_name, sizeof(d->user_name), c->user_name);
	keep_text(d->address, sizeof(d->address), c->address);
	keep_text(d->topic, sizeof(d->topic), request->topic);
}
