/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * ca_mirror.h - when the CA files are brought up to date (ca_dir.h does it).
 *
 * By the request that changed a CA, after another process wrote, and again now
 * and then for as long as it fails.  Broker thread, but ca_mirror_sync().
 */
#ifndef JITR_CA_MIRROR_H
#define JITR_CA_MIRROR_H

#include "jitr/service/report.h"

/* The first five are set by the owner, and borrowed. */
struct ca_mirror {
	const char *ca_path;
	struct store *store;
	struct writer *writer;
	struct report *report;
	int64_t (*now)(void);
	int64_t retry; /* when; 0: it is up to date */
	int64_t told;  /* when, and what: */
	struct diag failure;
	bool busy;
};

/* Writer thread, after a commit. */
MUST_USE enum err ca_mirror_sync(const struct ca_mirror *m, struct diag *diag);

/* What came of it. */
void ca_mirror_synced(struct ca_mirror *m, enum err result, const struct diag *diag);

/* As a job of its own. */
void ca_mirror_start(struct ca_mirror *m);

/* TICK: what failed is tried again. */
void ca_mirror_tick(struct ca_mirror *m);

#endif
