/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca_mirror.h - decides when the CA files are updated; ca_dir.h updates them.
 *
 * They are updated by the request that changed a CA, after another process wrote to the
 * registry, and at intervals for as long as updates fail.  The registrar's thread.
 */
#ifndef JITR_CA_MIRROR_H
#define JITR_CA_MIRROR_H

#include "jitr/service/report.h"
#include "jitr/registrar/writer.h"

struct ca_mirror_config {
	const char *ca_path; /* borrowed, as the others */
	struct store *store;
	struct writer *writer;
	struct report *report;
	int64_t (*now)(void); /* ms since 1970 */
};

struct ca_mirror;

MUST_USE enum err ca_mirror_open(const struct ca_mirror_config *config, struct ca_mirror **out);
void ca_mirror_close(struct ca_mirror *m); /* after writer_stop(); NULL is fine */

/* After a commit: updates the files. */
MUST_USE enum err ca_mirror_sync(const struct ca_mirror *m, struct diag *diag);

/* The result of ca_mirror_sync(): a failure is logged, and tried again later. */
void ca_mirror_synced(struct ca_mirror *m, enum err result, const struct diag *diag);

/* Submits a job that updates the files. */
void ca_mirror_start(struct ca_mirror *m);

/* Tries again after a failure. */
void ca_mirror_tick(struct ca_mirror *m);

#endif
