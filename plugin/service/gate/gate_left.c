/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate_left.c - says once that other_clients is not set.
 *
 * Mosquitto denies what all plugins defer, and neither the client nor the log is
 * told.  The plugin does not learn what the others answer; it can say that it
 * left a question to them.  Nothing is logged where that happens: the broker may
 * be in the middle of a delivery (mosquitto section 0, 19).
 */
#include "gate_private.h"

#include "jitr/core/text.h"

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
gate_deferred(struct gate *g, const struct client *c, enum action action, const char *topic)
{
	struct left *left = &g->left;

	if (left->state != LEFT_NONE || g->config.other_clients != OTHER_CLIENTS_UNSET ||
	    !is_other_client(g, c))
		return;
	left->state = LEFT_NOTED;
	left->action = action;
	keep_text(left->client_id, sizeof(left->client_id), c->id);
	keep_text(left->user_name, sizeof(left->user_name), c->user_name);
	keep_text(left->address, sizeof(left->address), c->address);
	keep_text(left->topic, sizeof(left->topic), topic);
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
