/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report_private.h - shared by the report*.c files.  Private.
 */
#ifndef JITR_REPORT_PRIVATE_H
#define JITR_REPORT_PRIVATE_H

#include "jitr/service/report.h"

struct report {
	struct report_sink sink;
	const char *log_file; /* NULL: none */
	char account_id[13];
	int64_t (*now)(void);
	int64_t lost_logged; /* when the last line about lost lines was logged; 0: never */
	uint64_t lost;       /* lines that could not be written since then */
};

/* A line of the broker's log. */
void report_log(struct report *r, enum log_level level, const char *line);

/* Is there a log file? */
bool report_has_file(const struct report *r);

/* Hands over a line of the log file, with its end.  A line that is refused is counted with
 * report_lost(). */
void report_write(struct report *r, const char *text, size_t len);

#endif
