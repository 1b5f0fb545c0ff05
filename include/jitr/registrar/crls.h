/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crls.h - the revocation lists of all CAs: watches their files, reports imports, and
 * tidies up after them.
 *
 * A job of the writer checks the files every few seconds and imports a file that has changed.
 * If an import fails, the list in force stays; the failure is logged once, and kept for
 * describeCrl.
 *
 * The registrar's thread.
 */
#ifndef JITR_CRLS_H
#define JITR_CRLS_H

#include "jitr/service/change_listener.h"
#include "jitr/registrar/crl_import.h"
#include "jitr/service/report.h"
#include "jitr/service/stats.h"
#include "jitr/registrar/writer.h"

#define CRL_WATCH_MS 2000 /* between two checks of the files */

struct crls_config {
	struct store *store;
	struct writer *writer;
	struct report *report;
	struct stats *stats;
	const struct change_listener *listener; /* borrowed */
	int64_t (*now)(void);
	const char *crl_dir; /* the only directory for files (crl_dir.h); NULL: none.  Borrowed */
};

struct crls;

MUST_USE enum err crls_open(const struct crls_config *config, struct crls **out);
void crls_close(struct crls *c); /* after writer_stop(); NULL is fine */

void crls_tick(struct crls *c);

/* May this path be set as the file of a CA?  ERR_REQUEST and *diag: no.  Decided from the
 * text only, so that the caller learns nothing about the file. */
MUST_USE enum err crls_check_file(const struct crls *c, struct view path, struct diag *diag);

/* Settings of CAs may have changed: checks their files.  (While no CA has a file, nothing is
 * checked.) */
void crls_settings_changed(struct crls *c);

/* An import by a request begins and ends.  At its end the live connections of the
 * certificates that the list names are closed. */
void crls_begin(struct crls *c);
void crls_end(struct crls *c, const struct crl_import *i, enum err result, const struct diag *diag);

/* The list of this CA was removed; the CA was deleted together with its list. */
void crls_removed(struct crls *c, const struct certid *ca_id);
void crls_ca_deleted(struct crls *c, const struct certid *ca_id);

/* The last failed import of this CA since the last one that succeeded; NULL: none.  Valid
 * until the next call. */
struct crl_failure {
	int64_t time;
	struct diag details;
	bool of_file; /* details are about a file of the broker's machine */
};

const struct crl_failure *crls_failure(const struct crls *c, const struct certid *ca_id);

#endif
