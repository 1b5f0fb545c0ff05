/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_apply.h - certificates on a revocation list become REVOKED.  Writer thread.
 */
#ifndef JITR_CRL_APPLY_H
#define JITR_CRL_APPLY_H

#include "jitr/service/crl_import.h"

/* Goes on where *p is, a bounded part of the way.  named grows, too, also by those
 * of a transaction that is not committed. */
MUST_USE enum err crl_apply(struct txn *t, const struct certid *ca_id, uint64_t list,
    struct crl_progress *p, struct crl_named *named, int64_t now);

#endif
