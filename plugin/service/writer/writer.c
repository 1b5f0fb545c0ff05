/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer.c - see writer.h.
 *
 * Submitted jobs wait in one queue and finished ones in another.  A batch is taken from the
 * first, run and committed without a lock, and goes to the second; a job that is to be run
 * again is appended to the first.
 */
#include <stdlib.h>

#include "writer_private.h"

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

/*
 * Moves the jobs of a batch to the done queue; those that are to be run again go to the end
 * of the waiting queue, so that a long job does not delay the others.  Called with the lock
 * held.
 */
static void
return_jobs(struct writer *w, struct job_queue *batch)
{
	struct job *job;

	w->between_parts = false;
	while ((job = job_queue_pop(batch)) != NULL) {
		bool again = take_again(w, job);

		job_queue_push(again ? &w->waiting : &w->done, job);
		if (again && !job->type->deferrable) {
			w->urgent++;
			w->between_parts = true;
		}
	}
	w->running = 0;
}

/* Called with the lock held. */
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

bool
writer_run_batch(struct writer *w)
{
	struct commit_times times = { .count = 0 };
	struct job_queue batch;

	job_queue_init(&batch);
	if (job_queue_move(&batch, &w->waiting, w->config.batch_max) == 0)
		return false;
	w->urgent -= job_queue_count_urgent(&batch);
	w->running = batch.count;
	w->waiting_since = w->urgent_since = -1;
	thread_unlock(w->thread);
	batch_run(w->config.store, w->config.now, &batch, &times);
	thread_lock(w->thread);
	add_times(w, &times);
	return_jobs(w, &batch);
	return true;
}

struct writer *
writer_new(const struct writer_config *config)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->config = *config;
	w->waiting_since = w->urgent_since = -1;
	job_queue_init(&w->waiting);
	job_queue_init(&w->done);
	return w;
}

enum err
writer_open(const struct writer_config *config, struct writer **out)
{
	*out = writer_new(config);
	return *out != NULL ? ERR_OK : ERR_NOMEM;
}

/* Jobs submitted and not finished.  Called with the lock held. */
static size_t
count_all(const struct writer *w)
{
	return w->waiting.count + w->running + w->done.count;
}

/* The thread is signalled for the first waiting job, the first urgent one, and a full
 * batch; between these it gathers and has no use for a signal. */
enum err
writer_submit(struct writer *w, struct job *job)
{
	enum err e = ERR_BUSY;
	bool wake = false;

	thread_lock(w->thread);
	if (count_all(w) < w->config.queue_max) {
		job_queue_push(&w->waiting, job);
		w->urgent += !job->type->deferrable;
		wake = w->waiting.count == 1 || w->urgent == 1 ||
		    w->waiting.count >= w->config.batch_max;
		e = ERR_OK;
	}
	thread_unlock(w->thread);
	if (wake)
		thread_signal(w->thread);
	return e;
}

size_t
writer_collect(struct writer *w, size_t max)
{
	struct job_queue finished;
	struct job *job;
	size_t count;

	job_queue_init(&finished);
	thread_lock(w->thread);
	count = job_queue_move(&finished, &w->done, max);
	thread_unlock(w->thread);

	while ((job = job_queue_pop(&finished)) != NULL)
		job->type->finish(job);
	return count;
}

void
writer_read_state(struct writer *w, struct writer_state *out)
{
	thread_lock(w->thread);
	*out = (struct writer_state){ .waiting = count_all(w),
		.commits = w->commits.count,
		.commit_us = w->commits.sum_us,
		.commit_us_max = w->commits.max_us,
		.commit_us_last = w->commits.last_us };
	w->commits.max_us = 0;
	thread_unlock(w->thread);
}

int64_t
writer_due(struct writer *w, int64_t now)
{
	int64_t at;

	if (w->waiting.count == 0)
		return -1;
	if (w->waiting_since < 0)
		w->waiting_since = now;
	if (w->urgent > 0 && w->urgent_since < 0)
		w->urgent_since = now;
	if (w->urgent == 0)
		at = w->waiting_since + WRITER_DEFER_MAX_MS;
	else if (w->between_parts || w->waiting.count >= w->config.batch_max)
		at = now;
	else
		at = w->urgent_since + w->config.gather_ms;
	return at > now ? at - now : 0;
}

size_t
writer_turn(struct writer *w)
{
	if (!writer_run_batch(w))
		return 0;
	return writer_collect(w, SIZE_MAX);
}

/* There is no thread, or no more: finish() functions may submit jobs. */
static void
run_rest(struct writer *w)
{
	do {
		while (writer_run_batch(w))
			continue;
	} while (writer_collect(w, SIZE_MAX) > 0);
}

void
writer_stop(struct writer *w)
{
	if (w == NULL)
		return;
	thread_lock(w->thread);
	w->stopping = true;
	thread_unlock(w->thread);
	thread_end(w->thread);
	w->thread = NULL;
	run_rest(w);
	free(w);
}
