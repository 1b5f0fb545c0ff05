/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* admit.c - may a session connect, and may it stay? */
#include "gate_private.h"

#include "jitr/service/admission.h"

struct admission
admission_of(const struct gate *g, const struct principal *p, const struct facts *facts)
{
	return (struct admission){ .judge = &g->judge,
		.policies = rights_set(&p->rights),
		.facts = facts,
		.administrator = judge_names_administrator(&g->judge, &p->id) };
}

static enum reason
may_connect(const struct gate *g, const struct principal *p, const struct facts *facts)
{
	struct admission a = admission_of(g, p, facts);

	return admission_connect(&a);
}

bool
may_connect_absent(struct gate *g, struct txn *txn_or_null, const struct certid *id,
    struct view client_id)
{
	struct principal *p = principal_find_absent(g, txn_or_null, id);
	struct thing thing;
	struct facts facts;

	return p != NULL && txn_or_null != NULL &&
	    gather_absent_facts(g, txn_or_null, p, client_id, &facts, &thing) &&
	    may_connect(g, p, &facts) == REASON_NONE;
}

/* Both counters only grow, so the sum differs when one of them does. */
static uint64_t
rights_version_of(const struct gate *g, const struct principal *p)
{
	return p->revision + g->judge.policies.revision;
}

enum reason
session_admit(struct gate *g, struct txn *txn_or_null, struct session *s)
{
	bool accepted = s->principal->verdict == VERDICT_ALLOW;
	enum reason reason = s->principal->reason;

	s->live->facts.client_id_as_is = g->config.client_id_as_is;
	if (accepted)
		reason = txn_or_null != NULL && gather_facts(txn_or_null, s)
		    ? may_connect(g, s->principal, &s->live->facts)
		    : REASON_REGISTRY_FAILED;
	accepted = accepted && reason == REASON_NONE;
	session_step(s, accepted ? SESSION_ON_ACCEPTED : SESSION_ON_REFUSED);
	s->rights_version = rights_version_of(g, s->principal);
	s->checked_at = g->changes;
	return accepted ? s->shut_out : reason;
}

static void
judge_again(struct gate *g, struct session *s)
{
	bool was_admitted = session_is_admitted(s);
	struct txn snapshot, *t = gate_read(g, &snapshot);
	enum reason reason;

	principal_refresh(g, t, s->principal);
	reason = session_admit(g, t, s);
	gate_read_end(t);
	if (was_admitted && !session_is_admitted(s))
		session_disconnect(&g->sessions, s, reason);
}

/* Nothing about this session has changed, though something else has? */
static bool
is_unchanged(const struct gate *g, const struct session *s)
{
	return !principal_is_stale(g, s->principal) &&
	    s->rights_version == rights_version_of(g, s->principal);
}

/* A refused session is judged each time, because its certificate may have been activated.
 * It is disconnected when it stops being admitted, and not again for each of its packets. */
void
session_refresh(struct gate *g, struct session *s)
{
	bool admitted = session_is_admitted(s);

	if (session_is_current(g, s))
		return;
	if (admitted && is_unchanged(g, s))
		s->checked_at = g->changes;
	else if (session_state_is_judged(s->state))
		judge_again(g, s);
}

/* The record of its certificate alone may allow it: what it was refused for, such as a list
 * that is too old, is checked at CONNECT and not again.  Other sessions of its certificate
 * are judged again. */
void
session_shut_out(struct gate *g, struct session *session, enum reason reason)
{
	session->shut_out = reason;
	session_step(session, SESSION_ON_SHUT_OUT);
	g->changes++;
	session_disconnect(&g->sessions, session, reason);
}
