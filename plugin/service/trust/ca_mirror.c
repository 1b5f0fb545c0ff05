/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* ca_mirror.c - see ca_mirror.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/service/ca_dir.h"
#include "jitr/service/ca_mirror.h"
#include "jitr/service/writer.h"

/* A failed update is tried again after this time: its cause may be removed at any moment,
 * and devices of a new CA cannot connect until then.  The same failure is logged at most
 * once in REPORT_INTERVAL_MS. */
#define RETRY_MS           2000
#define REPORT_INTERVAL_MS 60000

struct ca_mirror {
	struct ca_mirror_config config;
	int64_t retry_at;    /* 0: the files are up to date */
	struct diag failure; /* the last one; "": none */
	int64_t reported_at; /* when it was logged */
	bool job_pending;
};

enum err
ca_mirror_open(const struct ca_mirror_config *config, struct ca_mirror **out)
{
	struct ca_mirror *m = calloc(1, sizeof(*m));

	*out = m;
	if (m == NULL)
		return ERR_NOMEM;
	m->config = *config;
	return ERR_OK;
}

void
ca_mirror_close(struct ca_mirror *m)
{
	free(m);
}

enum err
ca_mirror_sync(const struct ca_mirror *m, struct diag *diag)
{
	return ca_dir_sync(m->config.ca_path, m->config.store, diag);
}

static void
report_failure(struct ca_mirror *m, const struct diag *diag, int64_t now)
{
	if (strcmp(m->failure.text, diag->text) == 0 && now >= m->reported_at &&
	    now - m->reported_at < REPORT_INTERVAL_MS)
		return;
	report_line(m->config.report, LEVEL_ERROR,
	    "%s; devices of a new CA cannot connect until this is repaired, trying again every %d s",
	    diag->text, RETRY_MS / 1000);
	m->failure = *diag;
	m->reported_at = now;
}

void
ca_mirror_synced(struct ca_mirror *m, enum err result, const struct diag *diag)
{
	int64_t now = m->config.now();

	if (result == ERR_OK) {
		m->retry_at = 0;
		m->failure = (struct diag){ "" };
		return;
	}
	m->retry_at = now + RETRY_MS;
	report_failure(m, diag, now);
}

struct mirror_job {
	struct job job;
	struct ca_mirror *mirror;
	enum err result;
	struct diag diag;
};

/* The work is done after the commit, in mirror_committed(). */
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
mirror_finish(struct job *job)
{
	struct mirror_job *j = (struct mirror_job *)job;

	j->mirror->job_pending = false;
	if (job->result == ERR_OK)
		ca_mirror_synced(j->mirror, j->result, &j->diag);
	free(j);
}

static const struct job_type mirror_type = { "mirror", false, mirror_run, mirror_committed,
	mirror_finish };

/* Without memory or room in the queue, a later tick tries again. */
void
ca_mirror_start(struct ca_mirror *m)
{
	struct mirror_job *j;

	m->retry_at = m->config.now() + RETRY_MS;
	if (m->job_pending)
		return;
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return;
	j->job.type = &mirror_type;
	j->mirror = m;
	m->job_pending = writer_submit(m->config.writer, &j->job) == ERR_OK;
	if (!m->job_pending)
		free(j);
}

/* A clock that was set back ends the wait. */
void
ca_mirror_tick(struct ca_mirror *m)
{
	int64_t now = m->config.now();

	if (m->retry_at != 0 && (now >= m->retry_at || now < m->retry_at - RETRY_MS))
		ca_mirror_start(m);
}
