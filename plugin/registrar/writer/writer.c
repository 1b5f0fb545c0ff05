/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer.c - see writer.h.
 *
 * A long job is run in parts, and each part joins a batch like any other job: a job that is to
 * be run again is appended to the queue, so that it does not delay the others.
 */
#include <stdlib.h>

#include "batch.h"
#include "job_queue.h"

struct writer {
	struct writer_config config;
	struct job_queue waiting;
	size_t urgent; /* waiting jobs that are not deferrable */
	bool stopping;
	struct commit_times commits;

	/* For writer_due(): when it first saw the deferrable jobs that wait; ms, monotonic;
	 * -1: it has not seen them. */
	int64_t waiting_since;
};

/* Is the job to be run again?  Not while the writer stops: the remaining parts could take
 * any time. */
static bool
take_again(const struct writer *w, struct job *job)
{
	bool again = job->again && job->result == ERR_OK;

	job->again = false;
	if (again && w->stopping) {
		job->result = ERR_BUSY;
		job->failure = "the broker stopped in the middle of it";
	}
	return again && !w->stopping;
}

static void
push_waiting(struct writer *w, struct job *job)
{
	job_queue_push(&w->waiting, job);
	w->urgent += !job->type->deferrable;
}

/* Those of a batch that are to be run again wait again, before a finish() submits others. */
static void
sort_out(struct writer *w, struct job_queue *batch, struct job_queue *finished)
{
	struct job *job;

	job_queue_init(finished);
	while ((job = job_queue_pop(batch)) != NULL) {
		if (take_again(w, job))
			push_waiting(w, job);
		else
			job_queue_push(finished, job);
	}
}

static void
add_times(struct writer *w, const struct commit_times *times)
{
	if (times->count == 0)
		return;
	w->commits.count += times->count;
	w->commits.sum_us += times->sum_us;
	w->commits.last_us = times->last_us;
	if (times->max_us > w->commits.max_us)
		w->commits.max_us = times->max_us;
}

enum err
writer_open(const struct writer_config *config, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));

	*out = w;
	if (w == NULL)
		return ERR_NOMEM;
	w->config = *config;
	w->waiting_since = -1;
	job_queue_init(&w->waiting);
	return ERR_OK;
}

enum err
writer_submit(struct writer *w, struct job *job)
{
	if (w->waiting.count >= w->config.queue_max)
		return ERR_BUSY;
	push_waiting(w, job);
	return ERR_OK;
}

void
writer_read_state(struct writer *w, struct writer_state *out)
{
	*out = (struct writer_state){ .waiting = w->waiting.count,
		.commits = w->commits.count,
		.commit_us = w->commits.sum_us,
		.commit_us_max = w->commits.max_us,
		.commit_us_last = w->commits.last_us };
	w->commits.max_us = 0;
}

int64_t
writer_due(struct writer *w, int64_t now)
{
	int64_t at;

	if (w->waiting.count == 0)
		return -1;
	if (w->urgent > 0)
		return 0;
	if (w->waiting_since < 0)
		w->waiting_since = now;
	at = w->waiting_since + WRITER_DEFER_MAX_MS;
	return at > now ? at - now : 0;
}

size_t
writer_turn(struct writer *w)
{
	struct commit_times times = { .count = 0 };
	struct job_queue batch, finished;
	struct job *job;
	size_t count;

	job_queue_init(&batch);
	if (job_queue_move(&batch, &w->waiting, w->config.batch_max) == 0)
		return 0;
	w->urgent -= job_queue_count_urgent(&batch);
	w->waiting_since = -1;
	batch_run(w->config.store, w->config.now, &batch, &times);
	add_times(w, &times);
	sort_out(w, &batch, &finished);
	count = finished.count;
	while ((job = job_queue_pop(&finished)) != NULL)
		job->type->finish(job);
	return count;
}

/* finish() functions may submit jobs. */
void
writer_stop(struct writer *w)
{
	if (w == NULL)
		return;
	w->stopping = true;
	while (w->waiting.count > 0)
		(void)writer_turn(w);
	free(w);
}
