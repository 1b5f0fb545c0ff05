/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report_private.h - shared by the report*.c files.  Private.
 */
#ifndef JITR_REPORT_PRIVATE_H
#define JITR_REPORT_PRIVATE_H

#include "jitr/service/report.h"

struct report {
	char *path;
	char account_id[13];
	const struct broker *broker;
	struct writer *writer;
	int64_t (*now)(void);
	int fd;              /* -1: none; the writer thread's from report_start() on */
	int64_t lost_logged; /* when the last line about lost lines was logged; 0: never */
	uint64_t lost;       /* lines that could not be written since then */
};

/* Is there a log file and a thread to write it? */
bool report_has_file(const struct report *r);

/* For appending; -1: errno. */
int report_open_file(const char *path);

/* Writes a line, including its end, to the file.  A line that cannot be written is counted
 * with report_lost(). */
void report_write(struct report *r, const char *text, size_t len);
void report_lost(struct report *r, const char *why);

#endif
