/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * twins.h - certificates with the same signed part.
 *
 * Some signatures have a second form that is as good (ECDSA: s and n - s), and a
 * certificate in that form has another id.  What its CA signed is the same, so it
 * is the same certificate: one id stands for it, the others are refused.
 *
 * One that is REVOKED comes first, then those that were ever given a status, the
 * pending ones last; among equals the older one.  A second one is not registered;
 * where an older version has done so, none of them can become ACTIVE.
 *
 * A few look-ups.  Any thread that has a transaction.
 */
#ifndef JITR_TWINS_H
#define JITR_TWINS_H

#include "jitr/adapter/store.h"

#define TWINS_MAX 16 /* that are looked at; with more, none stands */

struct twins {
	size_t count;        /* of the others */
	bool stands;         /* this id does: no other one comes before it */
	struct certid other; /* with count > 0: the one that stands, or the next */
};

/* The others of a signed part.  own: the record of this id; NULL: it is not
 * registered. */
MUST_USE enum err twins_find(struct txn *t, const struct certid *content, const struct certid *id,
    const struct cert *own_or_null, struct twins *out);

/* The same of one that is registered. */
MUST_USE enum err twins_find_registered(struct txn *t, const struct cert *own, struct twins *out);

/* "certificate <id> with its signature in another form": the id is first, for lines
 * that are cut. */
void twins_say(const struct twins *twins, struct diag *diag);

#endif
