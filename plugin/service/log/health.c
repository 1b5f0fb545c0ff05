/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* health.c - see health.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jitr/service/health.h"

#define HEALTH_INTERVAL_MS 10000

struct health_job {
	struct job job;
	struct health *health;
	int error; /* errno; 0: none */
};

/* errno, 0: done.  A link in the directory must not lead to another file. */
static int
set_time(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644),
	    error = 0;

	if (fd < 0)
		return errno;
	if (futimens(fd, NULL) != 0)
		error = errno;
	(void)close(fd);
	return error;
}

enum err
health_start(const struct health *h, struct diag *diag)
{
	int error = h->path != NULL ? set_time(h->path) : 0;

	if (error == 0)
		return ERR_OK;
	diag_set(diag, "health_file %s: %s", h->path, strerror(error));
	return ERR_STORAGE;
}

static enum err
health_run(struct txn *t, struct job *job, int64_t now)
{
	struct health_job *j = (struct health_job *)job;

	(void)t;
	(void)now;
	j->error = set_time(j->health->path);
	return ERR_OK;
}

static void
health_finish(struct job *job, void *context)
{
	struct health_job *j = (struct health_job *)job;
	struct health *h = j->health;

	(void)context;
	if (j->error != 0 && !h->failed)
		report_line(h->report, LEVEL_ERROR, "health_file %s: %s", h->path,
		    strerror(j->error));
	h->failed = j->error != 0;
	h->waiting = false;
	free(j);
}

static const struct job_type health_type = { "health", false, health_run, NULL, health_finish };

/* One at a time: behind a writer that hangs none pile up. */
void
health_tick(struct health *h, int64_t elapsed)
{
	struct health_job *j;

	if (h->path == NULL || h->waiting || elapsed < h->next)
		return;
	h->next = elapsed + HEALTH_INTERVAL_MS;
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return;
	j->job.type = &health_type;
	j->health = h;
	h->waiting = writer_submit(h->writer, &j->job) == ERR_OK;
	if (!h->waiting)
		free(j);
}
