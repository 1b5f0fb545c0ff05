/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_failures.h - the last failed import of each CA, until one succeeds.  The registrar's thread. */
#ifndef JITR_CRL_FAILURES_H
#define JITR_CRL_FAILURES_H

#include "jitr/registrar/crls.h"

struct crl_failures;

MUST_USE enum err crl_failures_new(struct crl_failures **out);
void crl_failures_free(struct crl_failures *f); /* NULL is fine */

/* NULL: none.  Valid until the next change. */
const struct crl_failure *crl_failures_find(const struct crl_failures *f,
    const struct certid *ca_id);

/* Replaces the failure of the CA.  Returns whether the text is new. */
bool crl_failures_put(struct crl_failures *f, const struct certid *ca_id,
    const struct crl_failure *failure);

void crl_failures_remove(struct crl_failures *f, const struct certid *ca_id);

#endif
