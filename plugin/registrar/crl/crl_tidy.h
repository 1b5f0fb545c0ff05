/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_tidy.h - completes what imports have left undone.
 *
 * Certificates that a list names become REVOKED, if the import could not revoke all of them
 * in its last part; then entries of lists that no CA refers to are removed.  Each run does a
 * bounded part of this in one transaction.  It must not begin while an import is under way;
 * an import may begin in the meantime.
 *
 * In jobs of the writer, except new, free and result.
 */
#ifndef JITR_CRL_TIDY_H
#define JITR_CRL_TIDY_H

#include "jitr/registrar/crl_import.h"

struct crl_tidy;

MUST_USE enum err crl_tidy_new(struct crl_tidy **out);
void crl_tidy_free(struct crl_tidy *tidy); /* NULL is fine */

/* The next part. */
MUST_USE enum err crl_tidy_run(struct crl_tidy *tidy, struct txn *t, int64_t now);

/* Its transaction was committed; is there more to do? */
bool crl_tidy_committed(struct crl_tidy *tidy);

struct crl_tidy_result {
	size_t revoked;                /* certificates that became REVOKED, committed */
	const struct crl_named *named; /* valid until crl_tidy_free() */
};

struct crl_tidy_result crl_tidy_result(const struct crl_tidy *tidy);

#endif
