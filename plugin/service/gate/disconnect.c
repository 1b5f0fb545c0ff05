/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * disconnect.c - disconnects the clients whose sessions may not stay, one at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"

/* The broker disconnects all clients of a user name.  This client temporarily gets a name of
 * its own, so that others with its certificate stay. */
static void
kick_by_name(struct gate *g, const struct principal *p, const void *client)
{
	const struct broker *broker = g->config.broker;
	char hex[CERTID_HEX_SIZE], own[CERTID_HEX_SIZE + sizeof("-closing")];
	void *handle;

	memcpy(&handle, &client,
	    sizeof(handle));              /* the broker's pointer, not const in its functions */
	memcpy(hex, p->hex, sizeof(hex)); /* p is freed with its last session */
	(void)snprintf(own, sizeof(own), "%s-closing", hex);
	if (p->sessions->next == NULL || broker->name_client(handle, own) != ERR_OK) {
		broker->kick(hex);
		return;
	}
	broker->kick(own);
	/* The broker may keep its session, under the name of its certificate.  It does not
	 * free a client before the next turn of its loop. */
	(void)broker->name_client(handle, hex);
}

/* The kick calls gate_disconnected(), which ends the session. */
static bool
kick_by_id(struct gate *g, const struct session *session)
{
	char *id = session->live->by_name || session->live->client_id == NULL
	    ? NULL
	    : strdup(session->live->client_id);
	bool kicked = id != NULL && g->config.broker->kick_one(session->client, id);

	free(id);
	return kicked;
}

void
disconnect_session(struct gate *g, struct session *session)
{
	const void *client = session->client;
	uint64_t number = session->number;

	session_step(session, SESSION_ON_CLOSE);
	session_put_last(session);
	if (kick_by_id(g, session)) {
		session = session_of(&g->sessions, client);
		if (session == NULL || session->number != number)
			return;
	}
	kick_by_name(g, session->principal, client);
}

/* The first session that may not stay and that the broker was not told to disconnect; such
 * sessions are at the beginning of the list.  NULL: none. */
static struct session *
find_to_close(const struct principal *p)
{
	struct session *session = p->sessions;

	while (session != NULL && !session_state_is_to_close(session->state))
		session = session->next;
	return session;
}

static void
report_once(struct gate *g, struct principal *p)
{
	if (p->closing == PRINCIPAL_LOGGED)
		return;
	p->closing = PRINCIPAL_LOGGED;
	g->config.stats->closed++;
	report_closed(g->config.report, &p->id, p->close_reason);
}

/* Disconnects one client, or removes a principal from the list if it has none to disconnect:
 * all are disconnected, or its certificate was activated again. */
static void
disconnect_next(struct gate *g)
{
	struct principal *p = g->sessions.closing;
	struct session *session = find_to_close(p);

	if (session == NULL) {
		(void)principal_next_to_disconnect(&g->sessions);
		return;
	}
	report_once(g, p);
	disconnect_session(g, session);
}

/* At least one at each call, so that the list becomes empty. */
void
disconnect_until(struct gate *g, int64_t until)
{
	if (g->sessions.closing == NULL)
		return;
	do
		disconnect_next(g);
	while (g->sessions.closing != NULL && gate_clock_ns() < until);
}
