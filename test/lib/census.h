/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * census.h - listings of a whole registry, and whether every index agrees with the records.
 *
 * assert_consistent() lists certificates and CAs in both directions, by CA and by status,
 * follows a revocation list of every serial number (records.h), and gets every number
 * below a bound.
 */
#ifndef JITR_TEST_CENSUS_H
#define JITR_TEST_CENSUS_H

#include "jitr/adapter/store.h"

struct census {
	struct position *at; /* in the order of the listing; the caller frees it */
	size_t count, size;
	size_t with_ca;
};

/* NULL: not filtered by this. */
struct filter {
	const struct certid *ca;
	const enum cert_status *status;
};

int compare(const struct position *a, const struct position *b); /* ascending order */
struct census list_certs(struct txn *t, struct filter of, bool ascending, size_t page_size);
size_t count_listed(struct txn *t, const struct certid *ca, size_t page_size, size_t *with_ca);

/* Counts the records with a number below this; each has its document and is found by
 * its signed part. */
size_t count_certs(struct txn *t, uint32_t below);
/* The certificates of a CA that EVERY_SERIAL revokes. */
size_t count_named(struct txn *t, const struct certid *ca);
bool has_every_serial(struct txn *t);
/* The forms of a certificate that its signed part finds. */
size_t count_forms(struct txn *t, uint32_t n);

void assert_statuses_agree(struct txn *t, size_t all);
void assert_consistent(struct store *s, uint32_t below);
/* Each certificate is on the schedule of expiry once, in the order in which they expire:
 * none was warned of yet.  Changes nothing. */
void assert_all_on_the_schedule(struct store *s, uint32_t below);

#endif
