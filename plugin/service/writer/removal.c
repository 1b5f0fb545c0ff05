/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* removal.c - see removal.h. */
#include <stddef.h>

#include "jitr/service/removal.h"

static struct removal *
removal_of(struct job *job)
{
	return (struct removal *)(void *)((char *)job - offsetof(struct removal, job));
}

static enum err
removal_run(struct txn *t, struct job *job, int64_t now)
{
	(void)now;
	store_use_reserve(t);
	store_drop_messages(t, removal_of(job)->running);
	return ERR_OK;
}

/* After a failure the next job removes the same rows: a job has an upper limit, not a
 * range. */
static void
removal_finish(struct job *job)
{
	struct removal *r = removal_of(job);

	r->submitted = false;
	if (job->result == ERR_OK)
		r->removed = r->running;
}

static const struct job_type removal_type = { "remove published", true, removal_run, NULL,
	removal_finish };

void
removal_tick(struct removal *r)
{
	if (r->submitted || r->wanted <= r->removed)
		return;
	r->job = (struct job){ .type = &removal_type };
	r->running = r->wanted;
	r->submitted = writer_submit(r->writer, &r->job) == ERR_OK;
}

enum err
removal_up_to(void *removal, uint64_t up_to)
{
	struct removal *r = removal;

	if (up_to > r->wanted)
		r->wanted = up_to;
	removal_tick(r);
	return ERR_OK;
}
