/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_watch.h - reads files of revocation lists again when they change.
 *
 * A job of the writer compares the files with their state at the last check, and imports the
 * first one that has changed.  The next job continues with the file after it, so that many
 * changed files are each imported once.  There is one job at a time.
 *
 * The registrar's thread.
 */
#ifndef JITR_CRL_WATCH_H
#define JITR_CRL_WATCH_H

#include "jitr/registrar/crl_import.h"
#include "jitr/registrar/writer.h"

/* The result of importing a file. */
struct crl_found {
	const struct crl_import *import; /* NULL: the file's state cannot be read */
	struct certid ca_id;
	enum err result;
	struct diag diag;
};

struct crl_watch_config {
	struct writer *writer; /* borrowed, as the others */
	int64_t (*now)(void);  /* ms since 1970 */
	const char *dir;       /* crl_dir.h */

	/* The registrar's thread. */
	void (*found)(void *context, const struct crl_found *found);
	void *context;
};

struct crl_watch;

MUST_USE enum err crl_watch_open(const struct crl_watch_config *config, struct crl_watch **out);
void crl_watch_close(struct crl_watch *w); /* after writer_stop(); NULL is fine */

/* A CA may have another file, or accept another list. */
void crl_watch_settings_changed(struct crl_watch *w);

void crl_watch_tick(struct crl_watch *w);

/* Is a job under way, perhaps an import? */
bool crl_watch_is_busy(const struct crl_watch *w);

#endif
