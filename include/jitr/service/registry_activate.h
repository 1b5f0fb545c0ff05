/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_activate.h - applies plans, and changes that follow at a certain time.
 *
 * As registry.h: read, decide, then put; writer thread.
 */
#ifndef JITR_REGISTRY_ACTIVATE_H
#define JITR_REGISTRY_ACTIVATE_H

#include "jitr/core/plan.h"
#include "jitr/adapter/store.h"

/* The certificate of a plan, registered or not; all borrowed. */
struct planned_cert {
	const struct certid *id, *content;
	struct view serial;
};

/* Can the plan be applied to this certificate?  ERR_REQUEST and *diag: no, for example
 * because a variant of the certificate is registered (signature_variants.h); other errors
 * are the store's.  Reads only; any thread that has a transaction. */
MUST_USE enum err registry_check_plan(struct txn *t, const struct plan *plan,
    const struct planned_cert *cert, struct diag *diag);

/* Puts policies and thing of a plan that was checked.  The certificate is registered and has
 * its new status. */
MUST_USE enum err registry_apply_plan(struct txn *t, const struct plan *plan,
    const struct certid *id, int64_t now);

/* A certificate became ACTIVE: schedules the older ACTIVE certificates of its things to
 * become INACTIVE after this many ms. */
MUST_USE enum err registry_supersede(struct txn *t, const struct cert *cert, int64_t after,
    int64_t now);

/* The same, if its CA is configured so. */
MUST_USE enum err registry_supersede_by_ca(struct txn *t, const struct cert *cert, int64_t now);

/* Makes superseded certificates INACTIVE that are due; at most max.  ids: the certificates. */
MUST_USE enum err registry_retire_superseded(struct txn *t, int64_t now, struct certid *ids,
    size_t max, size_t *count);

/* Puts the events of certificates that expire before until (ms since 1970) and had none; at
 * most max.  *count: their number. */
MUST_USE enum err registry_announce_expiring(struct txn *t, int64_t until, const char *account_id,
    int64_t now, size_t max, size_t *count);

#endif
