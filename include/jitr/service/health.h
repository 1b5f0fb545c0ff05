/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * health.h - a file whose time of modification says that the plugin works.
 *
 * It is set anew every ten seconds by the writer thread, on request of a tick: so
 * the broker's loop runs, and the thread that writes the registry does not hang.
 * A health check that looks at it needs no connection and leaves no line in the log.
 *
 * Broker thread.
 */
#ifndef JITR_HEALTH_H
#define JITR_HEALTH_H

#include "jitr/service/report.h"

/* The first three are the caller's, and borrowed; the rest begins zero. */
struct health {
	const char *path; /* NULL: there is none */
	struct writer *writer;
	struct report *report;
	int64_t next; /* ms, monotonic */
	bool waiting; /* a job is on its way */
	bool failed;  /* the last one, and that was logged */
};

/* Makes the file, and sets its time. */
MUST_USE enum err health_start(const struct health *h, struct diag *diag);

/* elapsed: ms of a clock that is never set back. */
void health_tick(struct health *h, int64_t elapsed);

#endif
