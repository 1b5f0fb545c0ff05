/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_import.h - a revocation list on its way into the registry.
 *
 * A part at a time, each in a transaction of its own, so that a million entries
 * keep no other job waiting: the list is read and checked, its entries are stored
 * under a number that nothing refers to yet, and the last part puts it in force
 * and revokes the certificates it names, as many as fit.  What is left to do after that,
 * here or after a crash, crl_tidy does.
 *
 * Writer thread, but for new and free.
 */
#ifndef JITR_CRL_IMPORT_H
#define JITR_CRL_IMPORT_H

#include "jitr/adapter/crl.h"
#include "jitr/adapter/store.h"

#define CRL_ROWS_AT_ONCE  50000 /* entries stored or removed in one transaction */
#define CRL_STEPS_AT_ONCE 50000 /* rows looked at for certificates that the list names */
#define CRL_CERTS_AT_ONCE 2000  /* certificates revoked */

/* How far a list was applied to the certificates of its CA. */
struct crl_progress {
	struct revoked_walk walk;
	size_t revoked; /* that this made REVOKED */
	bool done;
};

/* Certificates that a list names and the gate may have let in: some of them, since it
 * judges every connection when it is told that a list has changed, but that takes time. */
#define CRL_NAMED_MAX 2000

struct crl_named {
	size_t count;
	struct certid ids[CRL_NAMED_MAX];
};

struct crl_import;

/* bytes: PEM or DER, allocated; from here on the import's, also on failure. */
MUST_USE enum err crl_import_new(const struct certid *ca_id, uint8_t *bytes, size_t len,
    struct crl_import **out);

/* The same from a file, which is read with the first part.  dir: where it may be
 * (crl_place.h), borrowed for the import's life. */
MUST_USE enum err crl_import_new_file(const struct certid *ca_id, const char *dir, const char *path,
    struct crl_import **out);
void crl_import_free(struct crl_import *i); /* NULL is fine */

/* The next part.  ERR_OK, ERR_NOT_FOUND (no such CA), ERR_CERTIFICATE and *diag
 * (what is wrong with the list), ERR_STORAGE and *diag (the file cannot be
 * read), or the store's. */
MUST_USE enum err crl_import_run(struct crl_import *i, struct txn *t, int64_t now,
    struct diag *diag);

/* After ERR_CERTIFICATE: when the list becomes valid, if nothing else is wrong with it;
 * otherwise 0. */
int64_t crl_import_valid_from(const struct crl_import *i);

/* Its transaction was committed; is there more to do? */
bool crl_import_committed(struct crl_import *i);

/* When it is done. */
struct crl_result {
	struct certid ca_id;
	struct crl crl;                /* the list that is in force */
	bool unchanged;                /* it was already */
	size_t revoked;                /* certificates that this made REVOKED, so far */
	const struct crl_named *named; /* lives as long as the import */
};

struct crl_result crl_import_result(const struct crl_import *i);

/* Takes the list of a CA out of force.  ERR_NOT_FOUND and *diag: there is none. */
MUST_USE enum err crl_remove(struct txn *t, const struct certid *ca_id, struct diag *diag);

/*
 * What imports leave behind: certificates that a list names and that are not
 * REVOKED yet, entries of lists that nothing refers to.  To be begun only while no
 * import is under way; one may begin meanwhile.  Begins all zero.
 */
struct crl_tidy {
	struct certid ca_id, next_ca_id; /* of the list that is being applied */
	uint64_t list, next_list;
	struct crl_progress now, next; /* of it; revoked is counted over all lists */
	uint64_t bound, next_bound;
	bool more, applying, next_applying;
	struct crl_named named;
};

MUST_USE enum err crl_tidy_run(struct crl_tidy *tidy, struct txn *t, int64_t now);
bool crl_tidy_committed(struct crl_tidy *tidy);

#endif
