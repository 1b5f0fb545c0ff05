/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * bypass.c - clients that the broker accepted without asking.
 *
 * use_identity_as_username and use_subject_as_username skip the connect check
 * (mosquitto section 0, 6): the plugin first sees such a client when it publishes or
 * subscribes, or, from 2.1 on, once it is connected, and judges it then.  The broker may be
 * in the middle of a delivery, where a log line would call the plugin again and a kick would
 * corrupt the delivery: both wait for the tick.
 */
#include <stdlib.h>

#include "gate_private.h"
#include <utlist.h>

#include "jitr/adapter/x509.h"

/* Between two ticks; further clients are judged too, but not reported. */
#define LATE_MAX 1024

struct late {
	struct judgement judgement;
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
report_later(struct gate *g, const struct client *c, const struct judgement *j)
{
	struct late *l = g->late_count < LATE_MAX ? calloc(1, sizeof(*l)) : NULL;

	if (l == NULL)
		return;
	l->judgement = *j;
	l->judgement.plan = NULL;
	l->handle = c->handle;
	l->x = c->x;
	x509_hold(l->x);
	keep_text(l->id, sizeof(l->id), c->id);
	keep_text(l->address, sizeof(l->address), c->address != NULL ? c->address : "-");
	DL_APPEND(g->late, l);
	g->late_count++;
}

/* One snapshot of the registry. */
static void
judge(struct gate *g, const struct client *c, struct attempt *a)
{
	struct txn snapshot, *t = gate_read(g, &snapshot);

	judge_bypassed(g, t, c, &a->judgement);
	registration_submit(g, c, &a->judgement);
	if (a->judgement.has_id)
		connect_remember(g, t, c, a);
	refusal_check(g, t, &a->judgement);
	gate_read_end(t);
}

struct session *
bypass_connect(struct gate *g, const struct client *c)
{
	struct attempt a = { .session = NULL };

	judge(g, c, &a);
	connect_name(g, c, &a);
	report_later(g, c, &a.judgement);
	if (a.session != NULL && a.judgement.decision.verdict == VERDICT_DENY)
		session_shut_out(g, a.session, a.judgement.decision.reason);
	judgement_clear(&a.judgement);
	return a.session;
}

void
gate_connected(struct gate *g, const struct client *c)
{
	struct session *session = session_find(&g->sessions, c->handle, c->x);

	departed_forget(&g->departures, c->handle);
	if (session == NULL && c->x != NULL)
		session = bypass_connect(g, c);
	if (session != NULL && session->principal != NULL && is_held(g, c))
		session_shut_out(g, session, REASON_CLIENT_ID_BUSY);
}

void
late_report_all(struct gate *g)
{
	struct late *l;

	while ((l = g->late) != NULL) {
		struct client c = { .id = l->id, .address = l->address, .x = l->x };
		struct session *session = session_find(&g->sessions, l->handle, l->x);

		connect_report(g, &c, &l->judgement,
		    session != NULL && session->admitted ? session : NULL);
		registration_report(g, &l->judgement);
		late_free(g, l);
	}
}

void
late_forget_all(struct gate *g)
{
	while (g->late != NULL)
		late_free(g, g->late);
}
