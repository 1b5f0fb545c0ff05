/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* agenda.c - see agenda.h. */
#include <stdlib.h>

#include "jitr/agenda.h"
#include "jitr/registry_activate.h"

#define LOOK_MS INT64_C(1000)
#define DAY_MS  INT64_C(86400000)

/* Of one transaction. */
#define SUPERSEDED_AT_ONCE 500
#define EXPIRING_AT_ONCE   500

struct agenda_job {
	struct job     job;
	struct agenda *agenda;
	struct certid  superseded[SUPERSEDED_AT_ONCE];
	size_t         superseded_count, expiring_count;
};

static enum err
agenda_run(struct txn *t, struct job *job, int64_t now)
{
	struct agenda_job *j = (struct agenda_job *)job;
	int64_t until = now + j->agenda->expiring_days * DAY_MS;
	enum err e = registry_superseded(t, now, j->superseded, SUPERSEDED_AT_ONCE,
	    &j->superseded_count);

	j->expiring_count = 0;
	if (e == ERR_OK && j->agenda->expiring_days > 0)
		e = registry_expiring(t, until, j->agenda->account_id, now, EXPIRING_AT_ONCE,
		    &j->expiring_count);
	return e;
}

static void
tell_superseded(struct agenda *a, const struct certid *id)
{
	char hex[CERTID_HEX_SIZE];

	certid_to_hex(id, hex);
	report_line(a->report, LEVEL_NOTICE,
	    "certificate inactive: reason=\"superseded by a newer certificate of its thing\" "
	    "certificate=%s", hex);
	gate_changed(a->gate, id);
}

/* What could not be done is due again at the next look. */
static void
agenda_finish(struct job *job, void *context)
{
	struct agenda_job *j = (struct agenda_job *)job;
	struct agenda *a = j->agenda;

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

static const struct job_type agenda_type = { "agenda", false, agenda_run, NULL, agenda_finish };

static bool
is_due(struct txn *t, enum agenda_kind kind, int64_t until)
{
	struct agenda_entry entry;
	enum err e = store_next_agenda(t, kind, &entry);

	return e == ERR_CORRUPT || (e == ERR_OK && entry.time <= until);
}

static bool
something_is_due(struct agenda *a, int64_t now)
{
	struct txn t;
	bool due;

	if (store_read(a->store, &t) != ERR_OK)
		return false;
	due = is_due(&t, AGENDA_SUPERSEDE, now) || (a->expiring_days > 0 &&
	    is_due(&t, AGENDA_EXPIRY, now + a->expiring_days * DAY_MS));
	store_end(&t);
	return due;
}

void
agenda_tick(struct agenda *a)
{
	struct agenda_job *j;
	int64_t now = a->now();

	if (a->busy || (a->looked != 0 && now >= a->looked && now - a->looked < LOOK_MS))
		return;
	a->looked = now;
	if (!something_is_due(a, now))
		return;
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return;
	j->job.type = &agenda_type;
	j->agenda = a;
	a->busy = writer_submit(a->writer, &j->job) == ERR_OK;
	if (!a->busy)
		free(j);
}

bool
agenda_take_announced(struct agenda *a)
{
	bool announced = a->announced;

	a->announced = false;
	return announced;
}
