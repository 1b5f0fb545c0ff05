/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * log_jobs.h - writes the log file as jobs of the writer, so that the broker does not wait.
 *
 * Broker thread; the file itself is used by the writer thread.
 */
#ifndef JITR_LOG_JOBS_H
#define JITR_LOG_JOBS_H

#include "jitr/service/log_file.h"
#include "jitr/service/report.h"
#include "jitr/service/writer.h"

/* All borrowed until writer_stop().  Without a file or before there is a writer, nothing is
 * written. */
struct log_jobs {
	struct log_file *file;
	struct writer *writer;
	struct report *report; /* is told which lines were lost */
};

/* Submits a line: the function of a report_sink, with a struct log_jobs as its context.
 * ERR_BUSY, ERR_NOMEM: it is lost. */
MUST_USE enum err log_jobs_record(void *jobs, const char *text, size_t len);

/* Opens the file again after logrotate has renamed it (SIGHUP): the lines submitted before go
 * to the file that was open, those after it to the new one. */
void log_jobs_reopen(struct log_jobs *jobs);

#endif
