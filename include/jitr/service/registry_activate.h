/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_activate.h - plans carried out, and what follows from them in time.
 *
 * As registry.h: look, decide, then put; writer thread.
 */
#ifndef JITR_REGISTRY_ACTIVATE_H
#define JITR_REGISTRY_ACTIVATE_H

#include "jitr/core/plan.h"
#include "jitr/adapter/store.h"

/* A certificate that a plan is for, registered or not; all borrowed. */
struct planned_cert {
	const struct certid *id, *content;
	struct view serial;
};

/* Can it be carried out for this certificate?  Not where it is registered with
 * its signature in another form as well.
 * Looks only; any thread that has a transaction.  ERR_REQUEST: *diag says what is
 * in the way; other errors are the store's. */
MUST_USE enum err registry_check_plan(struct txn *t, const struct plan *plan,
    const struct planned_cert *cert, struct diag *diag);

/* Policies and thing of a plan that was checked; the certificate is registered
 * and has its status. */
MUST_USE enum err registry_carry_out(struct txn *t, const struct plan *plan,
    const struct certid *id, int64_t now);

/* A certificate became ACTIVE: what is older and ACTIVE of its things becomes
 * INACTIVE after so many ms. */
MUST_USE enum err registry_supersede(struct txn *t, const struct cert *cert, int64_t after,
    int64_t now);

/* The same, if its CA says so. */
MUST_USE enum err registry_supersede_by_ca(struct txn *t, const struct cert *cert, int64_t now);

/* What is due: the ids of at most max certificates. */
MUST_USE enum err registry_superseded(struct txn *t, int64_t now, struct certid *ids, size_t max,
    size_t *count);

/* Those that expire up to a time and were not looked at yet, at most max of
 * them; *count get their event. */
MUST_USE enum err registry_expiring(struct txn *t, int64_t until, const char *account_id,
    int64_t now, size_t max, size_t *count);

#endif
