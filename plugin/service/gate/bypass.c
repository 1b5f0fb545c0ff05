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
#include "gate_private.h"

#include "jitr/adapter/x509.h"

struct bypassed {
	struct notice notice;
	struct judgement judgement;
	const void *handle;
	struct x509_st *x; /* held */
	char id[NOTICE_NAME_SIZE], address[NOTICE_ADDRESS_SIZE];
};

static void
log_bypassed(struct gate *g, const struct notice *n)
{
	const struct bypassed *b = (const struct bypassed *)n;
	struct client c = { .id = b->id, .address = b->address, .x = b->x };
	struct session *session = session_find(&g->sessions, b->handle, b->x);

	connect_report(g, &c, &b->judgement,
	    session != NULL && session_is_admitted(session) ? session : NULL);
	registration_report(g, &b->judgement);
}

static void
clear_bypassed(struct notice *n)
{
	x509_free(((struct bypassed *)n)->x);
}

/* Further clients are judged too, but not reported. */
static const struct notice_type bypassed_type = { NOTICE_BYPASSED, 1024, log_bypassed,
	clear_bypassed };

static void
report_later(struct gate *g, const struct client *c, const struct judgement *j)
{
	struct bypassed *b = notice_add(&g->notices, &bypassed_type, sizeof(*b));

	if (b == NULL)
		return;
	b->judgement = *j;
	b->judgement.plan = NULL;
	b->handle = c->handle;
	b->x = c->x;
	x509_hold(b->x);
	keep_text(b->id, sizeof(b->id), c->id);
	keep_text(b->address, sizeof(b->address), c->address != NULL ? c->address : "-");
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

	session_forget_left(&g->sessions, c->handle);
	if (session == NULL && c->x != NULL)
		session = bypass_connect(g, c);
	if (session != NULL && session->principal != NULL && is_held(g, c))
		session_shut_out(g, session, REASON_CLIENT_ID_BUSY);
}
