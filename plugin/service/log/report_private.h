/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report_private.h - what the report*.c files share.  Private.
 *
 * report_file.c has the log file; report.c what is said there and in the
 * broker's log.
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
	int fd;        /* writer thread's from report_start() on */
	int64_t told;  /* when lines lost were last told of */
	uint64_t lost; /* lines that could not be written since then */
};

/* Is there a file, and a thread to write it? */
bool report_has_file(const struct report *r);

/* A line, its end included, for the file.  One that cannot be written is
 * counted as lost. */
void report_write(struct report *r, const char *text, size_t len);
void report_lost(struct report *r, const char *why);

#endif
