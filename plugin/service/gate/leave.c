/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * leave.c - see gate.h: a client disconnects.
 *
 * Its session is kept for questions about its will and its offline session (absent.c).
 */
#include "gate_private.h"

static enum session_event
event_of(struct gate *g, struct txn *t, const struct client *c, const struct judgement *j)
{
	if (j->decision.verdict == VERDICT_DEFER)
		return SESSION_ON_OTHER;
	return j->decision.verdict == VERDICT_ALLOW && j->decision.effects == 0 &&
		may_connect_absent(g, t, &j->presented.id, view_of(c->id))
	    ? SESSION_ON_ACCEPTED
	    : SESSION_ON_REFUSED;
}

/* A client that bypassed gate_connect() and did nothing: it is judged now as it would have
 * been at CONNECT. */
static void
judge_leaving(struct gate *g, const struct client *c, struct session *session)
{
	struct txn snapshot, *t = gate_read(g, &snapshot);
	struct judgement j;

	judge_bypassed(g, t, c, &j);
	session->id = j.presented.id;
	if (j.has_id)
		session_step(session, event_of(g, t, c, &j));
	gate_read_end(t);
	judgement_clear(&j);
}

/* A client with a pre-shared key may have the address and the names of this one, and 2.0 tells
 * nothing of it: then nothing is remembered beyond the tick. */
static enum session_keeps
keeps_of(const struct gate *g, const struct client *c, const struct session *session)
{
	bool is_mqtt_3 = c->version != 0 && c->version < 5;

	if (is_psk_name(g, c->user_name) ||
	    (session != NULL && session->principal != NULL &&
		is_psk_name(g, session->principal->hex)) ||
	    (is_mqtt_3 && c->clean_session))
		return KEEPS_NOTHING;
	return is_mqtt_3 ? KEEPS_QUEUE : KEEPS_WILL;
}

/* If the plugin disconnected the client, the broker does not know why. */
static void
report_disconnected(struct gate *g, struct session *session, const struct presence_end *end)
{
	static const struct presence_end ours = { ANSWER_NO, "FORBIDDEN_ACCESS" };

	presence_disconnected(&g->presence, &session->live->presence, session->live->client_id,
	    &session->principal->id, session_state_is_closing(session->state) ? &ours : end);
}

void
gate_disconnected(struct gate *g, const struct client *c, const struct presence_end *end)
{
	struct connection connection = connection_of(c);
	struct session *session = session_of(&g->sessions, c->handle);
	bool is_judged = session != NULL;

	if (session != NULL && session->principal != NULL)
		report_disconnected(g, session, end);
	if (session != NULL && !is_admin_name(g, c->user_name))
		session_step(session, SESSION_ON_RENAMED);
	session = session_leave(&g->sessions, &connection, keeps_of(g, c, session));
	if (session == NULL)
		return;
	if (!is_judged && c->x != NULL && c->id != NULL)
		judge_leaving(g, c, session);
	session_step(session, SESSION_ON_LEAVE);
}
