/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* report_file.c - see report.h: the log file, which the writer thread writes. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report_private.h"

#define LOST_INTERVAL_MS 10000

struct line_job {
	struct job job;
	struct report *report;
	int error;           /* errno; 0: none */
	size_t len, written; /* kept if the batch is run again: no line is written twice */
	char text[];
};

int
report_open_file(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

static enum err
line_run(struct txn *t, struct job *job, int64_t now)
{
	struct line_job *line = (struct line_job *)job;
	ssize_t n;

	(void)t;
	(void)now;
	while (line->error == 0 && line->written < line->len) {
		n = write(line->report->fd, line->text + line->written, line->len - line->written);
		if (n > 0)
			line->written += (size_t)n;
		else if (n == 0 || errno != EINTR)
			line->error = n == 0 ? EIO : errno;
	}
	return ERR_OK;
}

/* On a full disk each line fails: logged once in LOST_INTERVAL_MS, with their number. */
void
report_lost(struct report *r, const char *why)
{
	int64_t now = r->now();

	r->lost++;
	if (r->lost_logged != 0 && now >= r->lost_logged && now - r->lost_logged < LOST_INTERVAL_MS)
		return;
	report_line(r, LEVEL_ERROR, "log_file %s: %s; %" PRIu64 " lines lost", r->path, why,
	    r->lost);
	r->lost_logged = now;
	r->lost = 0;
}

static void
line_finish(struct job *job)
{
	struct line_job *line = (struct line_job *)job;

	if (line->error != 0)
		report_lost(line->report, strerror(line->error));
	free(line);
}

static const struct job_type line_type = { "log line", false, line_run, NULL, line_finish };

static enum err
reopen_run(struct txn *t, struct job *job, int64_t now)
{
	struct line_job *line = (struct line_job *)job;
	int fd = report_open_file(line->report->path);

	(void)t;
	(void)now;
	if (fd < 0) {
		line->error = errno;
		return ERR_OK;
	}
	(void)close(line->report->fd);
	line->report->fd = fd;
	return ERR_OK;
}

static void
reopen_finish(struct job *job)
{
	struct line_job *line = (struct line_job *)job;

	if (line->error != 0)
		report_line(line->report, LEVEL_ERROR,
		    "log_file %s: cannot be opened again: %s; lines "
		    "are still written to the file that was open",
		    line->report->path, strerror(line->error));
	free(line);
}

static const struct job_type reopen_type = { "reopen log", false, reopen_run, NULL, reopen_finish };

static void
submit_line(struct report *r, const struct job_type *type, const char *text, size_t len)
{
	struct line_job *line = malloc(sizeof(*line) + len);

	if (line == NULL) {
		report_lost(r, "out of memory");
		return;
	}
	memset(line, 0, sizeof(*line));
	line->job.type = type;
	line->report = r;
	line->len = len;
	memcpy(line->text, text, len);
	if (writer_submit(r->writer, &line->job) != ERR_OK) {
		report_lost(r, "too many changes are waiting");
		free(line);
	}
}

bool
report_has_file(const struct report *r)
{
	return r->path != NULL && r->writer != NULL;
}

void
report_write(struct report *r, const char *text, size_t len)
{
	submit_line(r, &line_type, text, len);
}

void
report_reopen(struct report *r)
{
	if (report_has_file(r))
		submit_line(r, &reopen_type, "", 0);
}
