/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate_cut.c - after a change: judge every connection again and close those that
 * may not stay, one connection at a time, in slices of the broker's time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"

/* Of the broker's time at one turn of its loop.  What other clients wait for grows
 * by so much. */
#define SLICE_NS ((int64_t)4 * 1000 * 1000)
/* A turn that was long because the broker is busy: a quarter of its time, so that
 * a busy broker closes as many in a second as a quiet one. */
#define SLICE_SHARE  4
#define SLICE_MAX_NS ((int64_t)50 * 1000 * 1000)

int64_t
gate_slice_ns(int64_t since_last)
{
	int64_t share = since_last / SLICE_SHARE;

	return share < SLICE_NS ? SLICE_NS : share > SLICE_MAX_NS ? SLICE_MAX_NS : share;
}

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
gate_close_session(struct gate *g, struct session *session)
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
		(void)principal_next_cut(&g->sessions);
		return;
	}
	tell_once(g, p);
	gate_close_session(g, session);
}

/* At least one, here and in sweep(): each call comes nearer to the end. */
static void
cut(struct gate *g, int64_t until)
{
	if (g->sessions.to_cut == NULL)
		return;
	do
		cut_next(g);
	while (g->sessions.to_cut != NULL && gate_clock_ns() < until);
}

/*
 * Judging.
 */

/* The last certificate first; those that are not connected cost a look. */
static struct principal *
named_next(struct gate *g)
{
	struct principal *p = NULL;

	while (p == NULL && g->named_count > 0)
		p = principal_find(&g->sessions, &g->named[--g->named_count]);
	if (g->named_count == 0) {
		free(g->named);
		g->named = NULL;
	}
	return p;
}

bool
gate_refresh_sessions(struct gate *g, struct principal *p)
{
	struct session *session = p->sessions, *next;

	for (size_t n = 0; session != NULL && n < SESSIONS_AT_ONCE; n++) {
		next = session->next;
		session_refresh(g, session);
		session = next;
	}
	return session == NULL;
}

static void
refresh_next(struct gate *g)
{
	struct principal *p = named_next(g);
	struct session *session = p == NULL ? sweep_next(&g->sessions) : NULL;

	if (p != NULL)
		(void)gate_refresh_sessions(g, p);
	else if (session != NULL && session->principal != NULL)
		session_refresh(g, session);
}

static void
sweep(struct gate *g, int64_t until)
{
	if (g->sessions.sweep_left == 0)
		return;
	do
		refresh_next(g);
	while (g->sessions.sweep_left > 0 && gate_clock_ns() < until);
}

static bool
has_work(const struct gate *g)
{
	return g->sessions.sweep_left > 0 || g->sessions.to_cut != NULL;
}

bool
gate_go_on(struct gate *g)
{
	int64_t start, slice;

	if (!has_work(g)) {
		g->worked = 0;
		return false;
	}
	start = gate_clock_ns();
	slice = gate_slice_ns(g->worked != 0 ? start - g->worked : 0);
	sweep(g, start + slice / 2);
	cut(g, start + slice);
	sweep(g, start + slice);
	g->worked = gate_clock_ns();
	return has_work(g);
}
