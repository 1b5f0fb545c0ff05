/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * health.h - a file with a recent modification time shows that the plugin works.
 *
 * Every ten seconds a tick submits a job that sets the time.  A recent time therefore shows
 * that the registrar's loop makes progress.  A health check that
 * reads the time needs no connection and causes no log line.
 *
 * The registrar's thread.
 */
#ifndef JITR_HEALTH_H
#define JITR_HEALTH_H

#include "jitr/service/report.h"
#include "jitr/registrar/writer.h"

struct health_config {
	const char *path; /* NULL: there is no file.  Borrowed, as the others */
	struct writer *writer;
	struct report *report;
};

struct health;

/* Creates the file and sets its time.  ERR_STORAGE and *diag: that failed.  Without a path
 * *out is NULL. */
MUST_USE enum err health_open(const struct health_config *config, struct health **out,
    struct diag *diag);
void health_close(struct health *h); /* after writer_stop(); NULL is fine */

/* now: ms, monotonic.  NULL does nothing. */
void health_tick(struct health *h, int64_t now);

#endif
