/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate_late.c - clients that got past CONNECT without being asked.
 *
 * use_identity_as_username and use_subject_as_username skip the connect check
 * (mosquitto section 0, 6): such a client is first seen when it publishes or
 * subscribes, or, from 2.1 on, once it is connected.  It is judged then.  The
 * broker may be in the middle of a delivery, where logging would call us again
 * and kicking would corrupt it: both wait for the tick.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"
#include <utlist.h>

#include "jitr/adapter/x509.h"

/* Between two ticks; more are judged all the same, but not reported. */
#define LATE_MAX 1024

struct late {
	struct judgement judgement;
	enum err submitted;
	const void *handle;
	struct x509_st *x; /* held */
	char id[132], address[64];
	struct late *next, *prev;
};

static void
late_free(struct gate *g, struct late *l)
{
	DL_DELETE(g->late, l);
	g->late_count--;
	x509_free(l->x);
	free(l);
}

static void
report_later(struct gate *g, const struct client *c, const struct judgement *j, enum err submitted)
{
	struct late *l = g->late_count < LATE_MAX ? calloc(1, sizeof(*l)) : NULL;

	if (l == NULL)
		return;
	l->judgement = *j;
	l->judgement.plan = NULL;
	l->submitted = submitted;
	l->handle = c->handle;
	l->x = c->x;
	x509_hold(l->x);
	keep_text(l->id, sizeof(l->id), c->id);
	keep_text(l->address, sizeof(l->address), c->address != NULL ? c->address : "-");
	DL_APPEND(g->late, l);
	g->late_count++;
}

/* It is connected, and its certificate's record alone may allow it: what it was refused
 * for, as a list that is too old, is asked at CONNECT and not again.  Other connections of
 * its certificate are judged anew. */
void
shut_out(struct gate *g, struct session *session, enum reason reason)
{
	session->shut_out = reason;
	session->admitted = false;
	g->changes++;
	session_cut(&g->sessions, session, reason);
}

struct session *
gate_connect_late(struct gate *g, const struct client *c)
{
	struct session *session = NULL;
	struct judgement j;
	enum err submitted;

	gate_judge_unasked(g, c, &j);
	submitted = gate_submit(g, c, &j);
	if (j.has_id)
		session = gate_remember(g, c, &j);
	report_later(g, c, &j, submitted);
	if (session != NULL && j.decision.verdict == VERDICT_DENY)
		shut_out(g, session, j.decision.reason);
	judgement_clear(&j);
	return session;
}

void
gate_connected(struct gate *g, const struct client *c)
{
	struct session *session = session_find(&g->sessions, c->handle, c->x);

	departed_forget(&g->departures, c->handle);
	if (session == NULL && c->x != NULL)
		session = gate_connect_late(g, c);
	if (session != NULL && session->principal != NULL && is_held(g, c))
		shut_out(g, session, REASON_CLIENT_ID_BUSY);
}

void
late_report_all(struct gate *g)
{
	struct late *l;

	while ((l = g->late) != NULL) {
		struct client c = { .id = l->id, .address = l->address, .x = l->x };
		struct session *session = session_find(&g->sessions, l->handle, l->x);

		gate_report_judged(g, &c, &l->judgement,
		    session != NULL && session->admitted ? session : NULL);
		if (l->submitted != ERR_OK)
			gate_report_not_submitted(g, &l->judgement, l->submitted);
		late_free(g, l);
	}
}

void
late_forget_all(struct gate *g)
{
	while (g->late != NULL)
		late_free(g, g->late);
}
