/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_import.h - imports a revocation list into the registry.
 *
 * The import has several parts, each with its own transaction, so that a list with a
 * million entries does not delay other jobs.  The first part reads and checks the list.  The
 * entries are stored under a list number that no CA refers to yet.  The last part makes the
 * CA refer to it, which puts the list in force, and revokes the first certificates that the
 * list names.  Certificates that are left, also after a crash, are revoked by crl_tidy.c.
 *
 * In jobs of the writer, except new and free.
 */
#ifndef JITR_CRL_IMPORT_H
#define JITR_CRL_IMPORT_H

#include "jitr/adapter/crl.h"
#include "jitr/adapter/store.h"

#define CRL_ROWS_AT_ONCE  50000 /* entries stored or removed in one transaction */
#define CRL_STEPS_AT_ONCE 50000 /* rows read in search of certificates that the list names */
#define CRL_CERTS_AT_ONCE 2000  /* certificates revoked */

/* How far a list was applied to the certificates of its CA. */
struct crl_progress {
	struct revoked_walk walk;
	size_t revoked; /* certificates that became REVOKED */
	bool done;
};

/* Certificates that a list names and that may be connected.  The gate judges their
 * connections first after a list has changed; it judges all others as well, so that these
 * need not be complete. */
#define CRL_NAMED_MAX 2000

struct crl_named {
	size_t count;
	struct certid ids[CRL_NAMED_MAX];
};

struct crl_import;

/* bytes: PEM or DER, allocated; the import takes ownership, also on failure. */
MUST_USE enum err crl_import_new(const struct certid *ca_id, uint8_t *bytes, size_t len,
    struct crl_import **out);

/* The same from a file, which the first part reads.  dir: crl_dir.h; borrowed for the life
 * of the import. */
MUST_USE enum err crl_import_new_file(const struct certid *ca_id, const char *dir, const char *path,
    struct crl_import **out);
void crl_import_free(struct crl_import *i); /* NULL is fine */

/* The next part.  ERR_OK; ERR_NOT_FOUND: no such CA; ERR_CERTIFICATE and *diag: the list is
 * bad; ERR_STORAGE and *diag: the file cannot be read; or an error of the store. */
MUST_USE enum err crl_import_run(struct crl_import *i, struct txn *t, int64_t now,
    struct diag *diag);

/* After ERR_CERTIFICATE: the time at which the list becomes valid, if that is its only
 * fault; otherwise 0. */
int64_t crl_import_valid_from(const struct crl_import *i);

/* The part was committed; is there another part? */
bool crl_import_committed(struct crl_import *i);

/* The result, after the last part. */
struct crl_result {
	struct certid ca_id;
	struct crl crl;                /* the list in force */
	bool unchanged;                /* it was in force before */
	size_t revoked;                /* certificates that became REVOKED so far */
	const struct crl_named *named; /* valid until crl_import_free() */
};

struct crl_result crl_import_result(const struct crl_import *i);

/* Removes the list of a CA.  ERR_NOT_FOUND and *diag: it has none. */
MUST_USE enum err crl_remove(struct txn *t, const struct certid *ca_id, struct diag *diag);

#endif
