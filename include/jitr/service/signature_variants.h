/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * signature_variants.h - certificates that differ only in the form of their signature.
 *
 * Some signatures have a second form that is equally valid (ECDSA: s and n - s), and a
 * certificate with that form has another id.  Since the signed part (tbsCertificate) is the
 * same, it is the same certificate: one id is the primary one, and the others are refused.
 *
 * A REVOKED certificate is primary before one that was given a status, and that before a
 * pending one; then the oldest.  A variant of a registered certificate is not registered;
 * where an older version has registered several, none of them can become ACTIVE.
 *
 * A few look-ups.  Any thread that has a transaction.
 */
#ifndef JITR_SIGNATURE_VARIANTS_H
#define JITR_SIGNATURE_VARIANTS_H

#include "jitr/adapter/store.h"

#define VARIANTS_MAX 16 /* if there are more, no id is primary */

struct variants {
	size_t count;        /* other ids that are registered */
	bool is_primary;     /* the given id is */
	struct certid other; /* with count > 0: the first of the others */
};

/* The variants of a signed part.  content: its hash; own: the record of id, or NULL if id is
 * not registered. */
MUST_USE enum err variants_find(struct txn *t, const struct certid *content,
    const struct certid *id, const struct cert *own_or_null, struct variants *out);

/* The variants of a registered certificate. */
MUST_USE enum err variants_find_registered(struct txn *t, const struct cert *own,
    struct variants *out);

/* *diag: "certificate <id> with its signature in another form".  The id comes first, so that
 * it stays in a line that is cut. */
void variants_describe(const struct variants *v, struct diag *diag);

#endif
