/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_apply.h - makes the certificates on a revocation list REVOKED.
 */
#ifndef JITR_CRL_APPLY_H
#define JITR_CRL_APPLY_H

#include "jitr/registrar/crl_import.h"

/* Continues at *p, for at most CRL_STEPS_AT_ONCE rows and CRL_CERTS_AT_ONCE certificates.
 * Adds to *named, even if the transaction is not committed afterwards. */
MUST_USE enum err crl_apply(struct txn *t, const struct certid *ca_id, uint64_t list,
    struct crl_progress *p, struct crl_named *named, int64_t now);

#endif
