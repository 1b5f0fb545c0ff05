/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_activate.h - checks and applies plans (plan.h).
 *
 * As registry.h: read, decide, then put; the registrar's thread.
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

#endif
