/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* schedule.c - see schedule.h. */
#include <stdlib.h>

#include "jitr/service/schedule.h"
#include "jitr/service/registry_activate.h"

#define LOOK_MS INT64_C(1000)
#define DAY_MS  INT64_C(86400000)

/* Of one transaction. */
#define SUPERSEDED_AT_ONCE 500
#define EXPIRING_AT_ONCE   500

struct schedule_job {
	struct job job;
	struct schedule *schedule;
	struct certid superseded[SUPERSEDED_AT_ONCE];
	size_t superseded_count, expiring_count;
};

static enum err
schedule_run(struct txn *t, struct job *job, int64_t now)
{
	struct schedule_job *j = (struct schedule_job *)job;
	int64_t until = now + j->schedule->expiring_days * DAY_MS;
	enum err e = registry_superseded(t, now, j->superseded, SUPERSEDED_AT_ONCE,
	    &j->superseded_count);

	j->expiring_count = 0;
	if (e == ERR_OK && j->schedule->expiring_days > 0)
		e = registry_expiring(t, until, j->schedule->account_id, now, EXPIRING_AT_ONCE,
		    &j->expiring_count);
	return e;
}

static void
tell_superseded(struct schedule *a, const struct certid *id)
{
	char hex[CERTID_HEX_SIZE];

	certid_to_hex(id, hex);
	report_line(a->report, LEVEL_NOTICE,
	    "certificate inactive: reason=\"superseded by a newer certificate of its thing\" "
	    "certificate=%s",
	    hex);
	gate_changed(a->gate, id);
}

/* What could not be done is due again at the next look. */
static void
schedule_finish(struct job *job, void *context)
{
	struct schedule_job *j = (struct schedule_job *)job;
	struct schedule *a = j->schedule;

	(void)context;
	a->busy = false;
	if (job->result == ERR_OK) {
		for (size_t i = 0; i < j->superseded_count; i++)
			tell_superseded(a, &j->superseded[i]);
		a->announced |= j->expiring_count > 0;
		a->looked = 0; /* there may be more */
	}
	free(j);
}

static const struct job_type schedule_type = { "schedule", false, schedule_run, NULL,
	schedule_finish };

static bool
is_due(struct txn *t, enum schedule_kind kind, int64_t until)
{
	struct schedule_entry entry;
	enum err e = store_next_schedule(t, kind, &entry);

	return e == ERR_CORRUPT || (e == ERR_OK && entry.time <= until);
}

static bool
something_is_due(struct schedule *a, int64_t now)
{
	struct txn t;
	bool due;

	if (store_read(a->store, &t) != ERR_OK)
		return false;
	due = is_due(&t, SCHEDULE_SUPERSEDE, now) ||
	    (a->expiring_days > 0 && is_due(&t, SCHEDULE_EXPIRY, now + a->expiring_days * DAY_MS));
	store_end(&t);
	return due;
}

void
schedule_tick(struct schedule *a)
{
	struct schedule_job *j;
	int64_t now = a->now();

	if (a->busy || (a->looked != 0 && now >= a->looked && now - a->looked < LOOK_MS))
		return;
	a->looked = now;
	if (!something_is_due(a, now))
		return;
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return;
	j->job.type = &schedule_type;
	j->schedule = a;
	a->busy = writer_submit(a->writer, &j->job) == ERR_OK;
	if (!a->busy)
		free(j);
}

bool
schedule_take_announced(struct schedule *a)
{
	bool announced = a->announced;

	a->announced = false;
	return announced;
}
