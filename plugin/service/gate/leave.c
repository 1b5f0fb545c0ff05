/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * leave.c - see gate.h: a client disconnects.
 */
#include <stdlib.h>

#include "gate_private.h"

static enum departed_as
departed_as_session(const struct gate *g, const struct client *c, const struct session *session)
{
	if (session->shut_out != REASON_NONE)
		return DEPARTED_REFUSED;
	if (session->principal != NULL)
		return session->admitted ? DEPARTED_CERTIFICATE : DEPARTED_REFUSED;
	return is_admin_session(g, session, c->user_name) ? DEPARTED_ADMINISTRATOR : DEPARTED_OTHER;
}

static enum departed_as
departed_as_judged(struct gate *g, struct txn *t, const struct client *c, const struct judgement *j)
{
	if (!j->has_id)
		return DEPARTED_UNKNOWN;
	if (j->decision.verdict == VERDICT_DEFER)
		return DEPARTED_OTHER;
	return j->decision.verdict == VERDICT_ALLOW && j->decision.effects == 0 &&
		may_connect_absent(g, t, &j->presented.id, view_of(c->id))
	    ? DEPARTED_CERTIFICATE
	    : DEPARTED_REFUSED;
}

/* A client that bypassed gate_connect() and did nothing: it is judged now as it would have
 * been at CONNECT. */
static enum departed_as
departed_as_certificate(struct gate *g, const struct client *c, struct certid *id)
{
	struct txn snapshot, *t = gate_read(g, &snapshot);
	enum departed_as as;
	struct judgement j;

	judge_bypassed(g, t, c, &j);
	*id = j.presented.id;
	as = departed_as_judged(g, t, c, &j);
	gate_read_end(t);
	judgement_clear(&j);
	return as;
}

static void
remember_departure(struct gate *g, const struct client *c, const struct session *session)
{
	struct departed d = { .client = c->handle,
		.names = names_hash(c->id, c->user_name),
		.x = session != NULL ? session->x : c->x,
		.shared = is_psk_name(g, c->user_name),
		.will_at_once = c->version != 0 && c->version < 5,
		.freed_at_once = c->version != 0 && c->version < 5 && c->clean_session };

	if (session != NULL) {
		d.as = departed_as_session(g, c, session);
		if (session->principal != NULL) {
			d.id = session->principal->id;
			d.shared |= is_psk_name(g, session->principal->hex);
		}
	} else if (c->x != NULL && c->id != NULL) {
		d.as = departed_as_certificate(g, c, &d.id);
	}
	departed_add(&g->departures, &d);
}

/* If the plugin disconnected it the broker does not know why. */
static void
report_disconnected(struct gate *g, struct session *session, const struct presence_end *end)
{
	static const struct presence_end ours = { ANSWER_NO, "FORBIDDEN_ACCESS" };

	presence_disconnected(&g->presence, &session->presence, session->client_id,
	    &session->principal->id, session->kicked ? &ours : end);
}

void
gate_disconnected(struct gate *g, const struct client *c, const struct presence_end *end)
{
	struct session *session = session_of(&g->sessions, c->handle);

	remember_departure(g, c, session);
	if (session != NULL && session->principal != NULL)
		report_disconnected(g, session, end);
	session_remove(&g->sessions, c->handle);
}
