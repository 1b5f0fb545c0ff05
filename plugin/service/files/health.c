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

struct health {
	struct health_config config;
	int64_t next;     /* ms, monotonic: when the time is set again */
	bool job_pending; /* at most one, so that none pile up behind a writer that hangs */
	bool failed;      /* the last attempt failed, which was logged */
};

struct health_job {
	struct job job;
	struct health *health;
	int error; /* errno; 0: none */
};

/* 0, or errno.  A symbolic link is not followed: it could lead to another file. */
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
health_open(const struct health_config *config, struct health **out, struct diag *diag)
{
	int error = config->path != NULL ? set_time(config->path) : 0;

	*out = NULL;
	if (error != 0) {
		diag_set(diag, "health_file %s: %s", config->path, strerror(error));
		return ERR_STORAGE;
	}
	if (config->path == NULL)
		return ERR_OK;
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return ERR_NOMEM;
	(*out)->config = *config;
	return ERR_OK;
}

void
health_close(struct health *h)
{
	free(h);
}

static enum err
health_run(struct txn *t, struct job *job, int64_t now)
{
	struct health_job *j = (struct health_job *)job;

	(void)t;
	(void)now;
	j->error = set_time(j->health->config.path);
	return ERR_OK;
}

static void
health_finish(struct job *job)
{
	struct health_job *j = (struct health_job *)job;
	struct health *h = j->health;

	if (j->error != 0 && !h->failed)
		report_line(h->config.report, LEVEL_ERROR, "health_file %s: %s", h->config.path,
		    strerror(j->error));
	h->failed = j->error != 0;
	h->job_pending = false;
	free(j);
}

static const struct job_type health_type = { "health", false, health_run, NULL, health_finish };

void
health_tick(struct health *h, int64_t now)
{
	struct health_job *j;

	if (h == NULL || h->job_pending || now < h->next)
		return;
	h->next = now + HEALTH_INTERVAL_MS;
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return;
	j->job.type = &health_type;
	j->health = h;
	h->job_pending = writer_submit(h->config.writer, &j->job) == ERR_OK;
	if (!h->job_pending)
		free(j);
}
