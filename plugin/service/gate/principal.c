/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * principal.c - judges a certificate by its id, from the registry alone, with its policies.
 */
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"
#include "jitr/service/revocation.h"
#include "jitr/service/signature_variants.h"

/* A list that has become too old since disconnects no client: its age is checked at
 * CONNECT. */
static enum err
read_revocation(struct txn *t, const struct cert *cert, struct revocation *out)
{
	struct view serial;
	enum err e;

	*out = (struct revocation){ .check = CRL_IF_PRESENT };
	if (!cert->has_ca)
		return ERR_OK;
	e = store_get_cert_serial(t, &cert->id, &serial);
	if (e == ERR_OK)
		e = revocation_read(t, &cert->ca_id, serial, out);
	out->check = CRL_IF_PRESENT;
	return e;
}

/* For an offline session, or a client that connected before the registry changed. */
static struct decision
judge_id(struct gate *g, struct txn *t, const struct certid *id)
{
	/* Its validity was judged when it connected. */
	struct presented p = { .id = *id, .not_before = INT64_MIN, .not_after = INT64_MAX };
	struct decision d = { .reason = REASON_REGISTRY_FAILED };
	struct known known = { .ca = NULL };
	struct variants variants;
	struct cert cert;
	enum err e = store_get_cert(t, id, &cert);

	if (e == ERR_NOT_FOUND)
		d.reason = REASON_DELETED;
	if (e == ERR_OK)
		e = read_revocation(t, &cert, &known.revocation);
	if (e == ERR_OK)
		e = variants_find_registered(t, &cert, &variants);
	if (e != ERR_OK)
		return d;
	known.cert = &cert;
	known.is_primary = variants.is_primary;
	d = decide_connect(&p, &known, &g->config.rules.decide, g->config.now());
	d.effects = 0;
	return d;
}

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
		rights_read(&p->rights, &g->policies, t, &p->id, p->plan);
	else
		rights_clear(&p->rights, &g->policies);
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
	d = judge_id(g, txn_or_null, &p->id);
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
