/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * disconnect.c - closes connections that may not stay, one at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"

/*
 * Closing.
 */

/* The broker closes every connection of a user name.  For a moment this one gets a
 * name of its own, so that others with its certificate stay. */
static void
kick_by_name(struct gate *g, const struct principal *p, const void *client)
{
	const struct broker *broker = g->config.broker;
	char hex[CERTID_HEX_SIZE], own[CERTID_HEX_SIZE + sizeof("-closing")];
	void *handle;

	memcpy(&handle, &client, sizeof(handle)); /* the broker's own, not const there */
	memcpy(hex, p->hex, sizeof(hex));         /* p goes with its last session */
	(void)snprintf(own, sizeof(own), "%s-closing", hex);
	if (p->sessions->next == NULL || broker->name_client(handle, own) != ERR_OK) {
		broker->kick(hex);
		return;
	}
	broker->kick(own);
	/* Its session may live on, and goes by its certificate's name.  The broker
	 * frees no client before the next turn of its loop. */
	(void)broker->name_client(handle, hex);
}

/* The kick calls gate_disconnected(), which frees the session. */
static bool
kick_by_id(struct gate *g, const struct session *session)
{
	char *id = session->by_name || session->client_id == NULL ? NULL
								  : strdup(session->client_id);
	bool kicked = id != NULL && g->config.broker->kick_one(session->client, id);

	free(id);
	return kicked;
}

void
disconnect_session(struct gate *g, struct session *session)
{
	const void *client = session->client;
	uint64_t number = session->number;

	session->kicked = true;
	session_put_last(session);
	if (kick_by_id(g, session)) {
		session = session_of(&g->sessions, client);
		if (session == NULL || session->number != number)
			return;
	}
	kick_by_name(g, session->principal, client);
}

/* The first session that may not stay and was not closed yet; such sessions are at the
 * beginning of the list.  NULL: none. */
static struct session *
find_to_close(const struct principal *p)
{
	struct session *session = p->sessions;

	while (session != NULL && (session->admitted || session->kicked))
		session = session->next;
	return session;
}

static void
tell_once(struct gate *g, struct principal *p)
{
	if (p->cut_told)
		return;
	p->cut_told = true;
	g->config.stats->cut++;
	report_cut(g->config.report, &p->id, p->cut_reason);
}

/* Closes one connection; or takes a principal from the list that has none to close:
 * all are closed, or it was activated again. */
static void
cut_next(struct gate *g)
{
	struct principal *p = g->sessions.to_cut;
	struct session *session = find_to_close(p);

	if (session == NULL) {
		(void)principal_next_to_disconnect(&g->sessions);
		return;
	}
	tell_once(g, p);
	disconnect_session(g, session);
}

/* At least one, here and in sweep(): each call comes nearer to the end. */
void
disconnect_until(struct gate *g, int64_t until)
{
	if (g->sessions.to_cut == NULL)
		return;
	do
		cut_next(g);
	while (g->sessions.to_cut != NULL && gate_clock_ns() < until);
}
