/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * principal.c - judges a certificate by its id, from the registry alone, with its policies.
 */
#include "gate_private.h"

static bool
asks_policies(const struct gate *g, const struct principal *p)
{
	return g->config.authorization == AUTHORIZATION_POLICY && p->verdict == VERDICT_ALLOW;
}

/* The decision, and the policies from the same snapshot. */
static void
keep_decision(struct gate *g, struct txn *t, struct principal *p, const struct decision *d)
{
	p->verdict = d->verdict;
	p->reason = d->reason;
	p->generation = g->generation;
	p->revision++;
	if (d->reason != p->absence)
		p->absence = REASON_NONE;
	if (asks_policies(g, p))
		rights_read(&p->rights, &g->judge.policies, t, &p->id, p->plan);
	else
		rights_clear(&p->rights, &g->judge.policies);
}

static void
keep_unreadable(struct principal *p)
{
	p->verdict = VERDICT_DENY;
	p->reason = REASON_REGISTRY_FAILED;
	p->revision++;
}

bool
principal_is_stale(const struct gate *g, const struct principal *p)
{
	return p->verdict != VERDICT_ALLOW ||
	    (p->plan == NULL && (p->generation != g->generation || p->rights.failed));
}

void
principal_refresh(struct gate *g, struct txn *txn_or_null, struct principal *p)
{
	struct decision d;

	if (!principal_is_stale(g, p))
		return;
	if (txn_or_null == NULL) {
		keep_unreadable(p);
		return;
	}
	d = judge_registered(&g->judge, txn_or_null, &p->id);
	if (d.reason == REASON_DELETED && p->absence != REASON_NONE)
		d.reason = p->absence;
	keep_decision(g, txn_or_null, p, &d);
}

struct principal *
principal_find_absent(struct gate *g, struct txn *txn_or_null, const struct certid *id)
{
	struct principal *p = principal_absent(&g->sessions, id);

	if (p != NULL)
		principal_refresh(g, txn_or_null, p);
	return p != NULL && p->verdict == VERDICT_ALLOW ? p : NULL;
}

void
principal_keep_judgement(struct gate *g, struct txn *txn_or_null, struct principal *p,
    const struct decision *d)
{
	if (p->verdict == VERDICT_ALLOW && d->verdict == VERDICT_ALLOW && !p->rights.failed &&
	    p->generation == g->generation)
		return;
	if (txn_or_null != NULL)
		keep_decision(g, txn_or_null, p, d);
	else
		keep_unreadable(p);
}
