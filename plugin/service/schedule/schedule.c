/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* schedule.c - see schedule.h. */
#include <stdlib.h>

#include "jitr/service/schedule.h"
#include "jitr/service/registry_schedule.h"
#include "jitr/service/writer.h"

#define CHECK_INTERVAL_MS INT64_C(1000)
#define DAY_MS            INT64_C(86400000)

/* At most in one transaction. */
#define SUPERSEDED_AT_ONCE 500
#define EXPIRING_AT_ONCE   500

struct schedule {
	struct schedule_config config;
	int64_t checked_at; /* 0: check at the next tick */
	bool job_pending;
};

struct schedule_job {
	struct job job;
	struct schedule *schedule;
	struct certid superseded[SUPERSEDED_AT_ONCE];
	size_t superseded_count, expiring_count;
};

enum err
schedule_open(const struct schedule_config *config, struct schedule **out)
{
	struct schedule *s = calloc(1, sizeof(*s));

	*out = s;
	if (s == NULL)
		return ERR_NOMEM;
	s->config = *config;
	return ERR_OK;
}

void
schedule_close(struct schedule *s)
{
	free(s);
}

/* A certificate is announced if its notAfter is before this time. */
static int64_t
expiry_limit(const struct schedule *s, int64_t now)
{
	return now + s->config.expiring_days * DAY_MS;
}

static enum err
schedule_run(struct txn *t, struct job *job, int64_t now)
{
	struct schedule_job *j = (struct schedule_job *)job;
	const struct schedule *s = j->schedule;
	enum err e = registry_retire_superseded(t, now, j->superseded, SUPERSEDED_AT_ONCE,
	    &j->superseded_count);

	j->expiring_count = 0;
	if (e == ERR_OK && s->config.expiring_days > 0)
		e = registry_announce_expiring(t, expiry_limit(s, now), s->config.account_id, now,
		    EXPIRING_AT_ONCE, &j->expiring_count);
	return e;
}

static void
report_superseded(struct schedule *s, const struct certid *id)
{
	const struct change_listener *listener = s->config.listener;
	char hex[CERTID_HEX_SIZE];

	certid_to_hex(id, hex);
	report_line(s->config.report, LEVEL_NOTICE,
	    "certificate inactive: reason=\"superseded by a newer certificate of its thing\" "
	    "certificate=%s",
	    hex);
	listener->certificate(listener->context, id);
}

/* After a failure the next check finds the same entries due. */
static void
schedule_finish(struct job *job)
{
	struct schedule_job *j = (struct schedule_job *)job;
	struct schedule *s = j->schedule;

	s->job_pending = false;
	if (job->result == ERR_OK) {
		for (size_t i = 0; i < j->superseded_count; i++)
			report_superseded(s, &j->superseded[i]);
		if (j->expiring_count > 0)
			s->config.listener->events(s->config.listener->context);
		s->checked_at = 0; /* there may be more */
	}
	free(j);
}

static const struct job_type schedule_type = { "schedule", false, schedule_run, NULL,
	schedule_finish };

static bool
is_kind_due(struct txn *t, enum schedule_kind kind, int64_t until)
{
	struct schedule_entry entry;
	enum err e = store_next_schedule(t, kind, &entry);

	return e == ERR_CORRUPT || (e == ERR_OK && entry.time <= until);
}

static bool
is_due(struct schedule *s, int64_t now)
{
	struct txn t;
	bool due;

	if (store_read(s->config.store, &t) != ERR_OK)
		return false;
	due = is_kind_due(&t, SCHEDULE_SUPERSEDE, now) ||
	    (s->config.expiring_days > 0 && is_kind_due(&t, SCHEDULE_EXPIRY, expiry_limit(s, now)));
	store_end(&t);
	return due;
}

/* A clock that was set back ends the wait. */
static bool
is_time_to_check(const struct schedule *s, int64_t now)
{
	return !s->job_pending &&
	    (s->checked_at == 0 || now < s->checked_at || now - s->checked_at >= CHECK_INTERVAL_MS);
}

void
schedule_tick(struct schedule *s)
{
	struct schedule_job *j;
	int64_t now = s->config.now();

	if (!is_time_to_check(s, now))
		return;
	s->checked_at = now;
	if (!is_due(s, now))
		return;
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return;
	j->job.type = &schedule_type;
	j->schedule = s;
	s->job_pending = writer_submit(s->config.writer, &j->job) == ERR_OK;
	if (!s->job_pending)
		free(j);
}
