/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_apply.h - whom a revocation list names becomes REVOKED.  Writer thread.
 */
#ifndef JITR_CRL_APPLY_H
#define JITR_CRL_APPLY_H

#include "jitr/store.h"

/* Goes on where *walk is, a bounded part of the way.  *revoked grows by those
 * that were not REVOKED; *done: the way has ended. */
MUST_USE enum err crl_apply(struct txn *t, const struct certid *ca_id, uint64_t list,
    struct revoked_walk *walk, int64_t now, size_t *revoked, bool *done);

#endif
