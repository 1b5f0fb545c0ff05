/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crls.h - the revocation lists of all CAs: files that are watched, imports
 * that are told of, what they leave behind tidied up.
 *
 * A file is looked at every few seconds on the writer's thread, and read when
 * it is another one than the last time.  A list that cannot be taken leaves the
 * one in force; it is told once, and kept for describeCrl.
 *
 * Broker thread.
 */
#ifndef JITR_CRLS_H
#define JITR_CRLS_H

#include "jitr/service/crl_import.h"
#include "jitr/service/gate.h"

#define CRL_WATCH_MS 2000 /* between two looks at the files */

struct crls_config {
	struct store *store;
	struct writer *writer;
	struct report *report;
	struct stats *stats;
	struct gate *gate;
	const struct broker *broker;
	int64_t (*now)(void);
	const char *crl_dir; /* borrowed: where files may be; NULL: none can be named */
};

struct crls;

MUST_USE enum err crls_open(const struct crls_config *config, struct crls **out);
void crls_close(struct crls *c); /* after writer_stop(); NULL is fine */

void crls_tick(struct crls *c);

/* May this be set as the file of a CA?  ERR_REQUEST and *diag, of the text alone:
 * nothing is said of the file. */
MUST_USE enum err crls_check_file(const struct crls *c, struct view path, struct diag *diag);

/* Settings of CAs may have changed: files of theirs are looked at again, as they
 * are not where there are none. */
void crls_settings_changed(struct crls *c);

/* An import by another process begins, and ends like this: live connections of the
 * certificates it names are closed. */
void crls_begin(struct crls *c);
void crls_end(struct crls *c, const struct crl_import *i, enum err result, const struct diag *diag);

/* The list of this CA was taken out of force; the CA was deleted with its list. */
void crls_removed(struct crls *c, const struct certid *ca_id);
void crls_ca_deleted(struct crls *c, const struct certid *ca_id);

/* The last list of this CA that could not be taken, since the last one that
 * could; NULL: none.  Lives until the next call. */
struct crl_failure {
	int64_t time;
	struct diag details;
	bool of_file; /* tells of a file on the broker's machine */
};

const struct crl_failure *crls_failure(const struct crls *c, const struct certid *ca_id);

#endif
