/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * presented.c - judges the certificate that a client presents, beside its user name, and while
 * the broker asks about its sessions again.
 */
#include <string.h>

#include "gate_private.h"

#include "jitr/adapter/x509.h"
#include "jitr/service/facts.h"

/* While the broker asks again about all its sessions nothing is changed.  A client that a
 * plan accepted stays while the plan is being carried out. */
static void
judge_without_effects(struct gate *g, struct judgement *j)
{
	const struct principal *p = principal_find(&g->sessions, &j->presented.id);

	if (lets_in_by_plan(&j->decision) && (p == NULL || p->plan == NULL))
		j->decision = (struct decision){ .reason = REASON_REGISTERED_NOW };
	j->decision.effects = 0;
}

static enum err
judge_presented(struct gate *g, struct txn *txn_or_null, const struct client *c,
    struct judgement *j)
{
	struct facts facts = facts_of_connection(&g->judge, view_of(c->id), view_of(c->address));
	enum err e = x509_read(c->x, &j->presented);

	if (e != ERR_OK)
		return e;
	j->has_id = true;
	return txn_or_null != NULL ? judge_certificate(&g->judge, txn_or_null, c->x, &facts, j)
				   : ERR_STORAGE;
}

void
judge_client(struct gate *g, struct txn *txn_or_null, const struct client *c, struct judgement *j)
{
	enum err e;

	memset(j, 0, sizeof(*j));
	e = judge_presented(g, txn_or_null, c, j);
	if (e != ERR_OK) {
		judgement_clear(j);
		j->decision = (struct decision){ .reason = j->has_id || e != ERR_CERTIFICATE
			    ? REASON_REGISTRY_FAILED
			    : REASON_UNREADABLE };
	}
	if (j->decision.verdict == VERDICT_DEFER && name_is_certid(c->user_name, NULL))
		j->decision = (struct decision){ .reason = REASON_NAME_RESERVED };
	if (j->has_id && g->reloading)
		judge_without_effects(g, j);
}

void
judge_bypassed(struct gate *g, struct txn *txn_or_null, const struct client *c, struct judgement *j)
{
	struct certid claimed;

	judge_client(g, txn_or_null, c, j);
	if (!name_is_certid(c->user_name, &claimed) || !j->has_id ||
	    certid_equal(&claimed, &j->presented.id))
		return;
	judgement_clear(j);
	j->decision = (struct decision){ .reason = REASON_NAME_RESERVED };
}
