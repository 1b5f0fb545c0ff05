/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* log_jobs.c - see log_jobs.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/service/log_jobs.h"

struct line_job {
	struct job job;
	struct log_jobs *jobs;
	int error;           /* errno; 0: none */
	size_t len, written; /* kept if the batch is run again: no line is written twice */
	char text[];
};

static enum err
line_run(struct txn *t, struct job *job, int64_t now)
{
	struct line_job *line = (struct line_job *)job;

	(void)t;
	(void)now;
	if (line->error == 0)
		line->error = log_file_append(line->jobs->file, line->text, line->len,
		    &line->written);
	return ERR_OK;
}

static void
line_finish(struct job *job)
{
	struct line_job *line = (struct line_job *)job;

	if (line->error != 0)
		report_lost(line->jobs->report, strerror(line->error));
	free(line);
}

static const struct job_type line_type = { "log line", false, line_run, NULL, line_finish };

static enum err
reopen_run(struct txn *t, struct job *job, int64_t now)
{
	struct line_job *line = (struct line_job *)job;

	(void)t;
	(void)now;
	line->error = log_file_reopen(line->jobs->file);
	return ERR_OK;
}

static void
reopen_finish(struct job *job)
{
	struct line_job *line = (struct line_job *)job;

	if (line->error != 0)
		report_line(line->jobs->report, LEVEL_ERROR,
		    "log_file %s: cannot be opened again: %s; lines "
		    "are still written to the file that was open",
		    log_file_path(line->jobs->file), strerror(line->error));
	free(line);
}

static const struct job_type reopen_type = { "reopen log", false, reopen_run, NULL, reopen_finish };

static enum err
submit(struct log_jobs *jobs, const struct job_type *type, const char *text, size_t len)
{
	struct line_job *line;
	enum err e;

	if (jobs->file == NULL || jobs->writer == NULL)
		return ERR_OK;
	line = malloc(sizeof(*line) + len);
	if (line == NULL)
		return ERR_NOMEM;
	memset(line, 0, sizeof(*line));
	line->job.type = type;
	line->jobs = jobs;
	line->len = len;
	memcpy(line->text, text, len);
	e = writer_submit(jobs->writer, &line->job);
	if (e != ERR_OK)
		free(line);
	return e;
}

enum err
log_jobs_record(void *jobs, const char *text, size_t len)
{
	return submit(jobs, &line_type, text, len);
}

void
log_jobs_reopen(struct log_jobs *jobs)
{
	enum err e = submit(jobs, &reopen_type, "", 0);

	if (e != ERR_OK)
		report_line(jobs->report, LEVEL_ERROR,
		    "log_file %s: cannot be opened again: %s; lines "
		    "are still written to the file that was open",
		    log_file_path(jobs->file), err_text(e));
}
