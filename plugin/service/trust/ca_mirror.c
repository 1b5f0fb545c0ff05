/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* ca_mirror.c - see ca_mirror.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/service/ca_dir.h"
#include "jitr/service/ca_mirror.h"

/* A mirror that failed is tried again after this long: whatever the cause, it may be
 * mended at any moment, and devices wait for it.  The same failure is told once a minute. */
#define MIRROR_RETRY_MS 2000
#define MIRROR_TELL_MS  60000

enum err
ca_mirror_sync(const struct ca_mirror *m, struct diag *diag)
{
	return ca_dir_sync(m->ca_path, m->store, diag);
}

void
ca_mirror_synced(struct ca_mirror *m, enum err result, const struct diag *diag)
{
	int64_t now = m->now();

	m->retry = 0;
	if (result == ERR_OK) {
		m->failure = (struct diag){ "" };
		return;
	}
	m->retry = now + MIRROR_RETRY_MS;
	if (strcmp(m->failure.text, diag->text) == 0 && now >= m->told &&
	    now - m->told < MIRROR_TELL_MS)
		return;
	report_line(m->report, LEVEL_ERROR,
	    "%s; devices of a new CA cannot connect until this is mended, trying again every %d s",
	    diag->text, MIRROR_RETRY_MS / 1000);
	m->failure = *diag;
	m->told = now;
}

struct mirror_job {
	struct job job;
	struct ca_mirror *mirror;
	enum err result;
	struct diag diag;
};

static enum err
mirror_run(struct txn *t, struct job *job, int64_t now)
{
	(void)t;
	(void)job;
	(void)now;
	return ERR_OK;
}

static void
mirror_committed(struct job *job)
{
	struct mirror_job *j = (struct mirror_job *)job;

	j->result = ca_mirror_sync(j->mirror, &j->diag);
}

static void
mirror_finish(struct job *job, void *context)
{
	struct mirror_job *j = (struct mirror_job *)job;

	(void)context;
	j->mirror->busy = false;
	if (job->result == ERR_OK)
		ca_mirror_synced(j->mirror, j->result, &j->diag);
	free(j);
}

static const struct job_type mirror_type = { "mirror", false, mirror_run, mirror_committed,
	mirror_finish };

void
ca_mirror_start(struct ca_mirror *m)
{
	struct mirror_job *j;

	m->retry = m->now() + MIRROR_RETRY_MS; /* should it not come to it now */
	if (m->busy)
		return;
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return;
	j->job.type = &mirror_type;
	j->mirror = m;
	m->busy = writer_submit(m->writer, &j->job) == ERR_OK;
	if (!m->busy)
		free(j);
}

void
ca_mirror_tick(struct ca_mirror *m)
{
	int64_t now = m->now();

	if (m->retry != 0 && (now >= m->retry || now < m->retry - MIRROR_RETRY_MS))
		ca_mirror_start(m);
}
