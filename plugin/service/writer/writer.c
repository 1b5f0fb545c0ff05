/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer.c - see writer.h.
 *
 * One mutex guards two queues: waiting (broker to writer) and done (writer to broker).
 * The writer takes at most batch_max waiting jobs and holds no lock while it runs them,
 * commits and syncs.  A job that is to be run again is appended to the first queue.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "jitr/service/writer.h"

#include "batch.h"
#include "job_queue.h"

struct writer {
	struct writer_config config;
	pthread_t thread;
	pthread_mutex_t lock; /* guards all members below */
	struct job_queue waiting, done;
	size_t running; /* jobs of the batch that is being run */
	size_t urgent;  /* waiting jobs that are not deferrable */
	bool stopping;
	struct commit_times commits;
	pthread_cond_t work;
};

static struct timespec
time_after(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += (long)ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Waits for a job that is not deferrable, or until the deferrable ones have waited
 * WRITER_DEFER_MAX_MS.  Called and left with the lock held. */
static void
wait_for_work(struct writer *w)
{
	struct timespec until;
	int rc = 0;

	while (w->waiting.count == 0 && !w->stopping)
		pthread_cond_wait(&w->work, &w->lock);
	until = time_after(WRITER_DEFER_MAX_MS);
	while (rc == 0 && w->urgent == 0 && !w->stopping)
		rc = pthread_cond_timedwait(&w->work, &w->lock, &until);
}

/* A commit costs the same for one job as for many.  Called and left with the
 * lock held. */
static void
gather(struct writer *w)
{
	struct timespec until;
	int rc = 0;

	if (w->config.gather_ms == 0)
		return;
	until = time_after(w->config.gather_ms);
	while (rc == 0 && !w->stopping && w->waiting.count < w->config.batch_max)
		rc = pthread_cond_timedwait(&w->work, &w->lock, &until);
}

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
 * held.  Returns whether an urgent job is to be run again.
 */
static bool
return_jobs(struct writer *w, struct job_queue *batch)
{
	bool any_urgent = false;
	struct job *job;

	while ((job = job_queue_pop(batch)) != NULL) {
		bool again = take_again(w, job);

		job_queue_push(again ? &w->waiting : &w->done, job);
		if (again && !job->type->deferrable) {
			w->urgent++;
			any_urgent = true;
		}
	}
	w->running = 0;
	return any_urgent;
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

/* Called and left with the lock held. */
static void
notify_done(struct writer *w)
{
	if (w->config.done == NULL || w->done.count == 0)
		return;
	pthread_mutex_unlock(&w->lock);
	w->config.done(w->config.done_context);
	pthread_mutex_lock(&w->lock);
}

/* Called and left with the lock held; runs the batch without it.  Returns as
 * return_jobs(). */
static bool
run_batch(struct writer *w, struct job_queue *batch)
{
	struct commit_times times = { .count = 0 };

	w->running = batch->count;
	pthread_mutex_unlock(&w->lock);
	batch_run(w->config.store, w->config.now, batch, &times);
	pthread_mutex_lock(&w->lock);
	add_times(w, &times);
	return return_jobs(w, batch);
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;
	bool between_parts = false; /* of a long job: there is no wait for other jobs */
	struct job_queue batch;

	job_queue_init(&batch);
	pthread_mutex_lock(&w->lock);
	for (;;) {
		wait_for_work(w);
		if (w->waiting.count == 0)
			break;
		if (!between_parts)
			gather(w);
		(void)job_queue_move(&batch, &w->waiting, w->config.batch_max);
		w->urgent -= job_queue_count_urgent(&batch);
		between_parts = run_batch(w, &batch);
		notify_done(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* All signals are blocked in the thread: a SIGHUP delivered to it would not wake the
 * broker's loop. */
static bool
start_thread(struct writer *w)
{
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&w->thread, NULL, writer_main, w) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

/* On the monotonic clock, which is never set. */
static void
init_condition(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void
writer_free(struct writer *w)
{
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

enum err
writer_start(const struct writer_config *config, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ERR_NOMEM;
	w->config = *config;
	job_queue_init(&w->waiting);
	job_queue_init(&w->done);
	pthread_mutex_init(&w->lock, NULL);
	init_condition(&w->work);
	if (!start_thread(w)) {
		writer_free(w);
		return ERR_NOMEM;
	}
	*out = w;
	return ERR_OK;
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

	pthread_mutex_lock(&w->lock);
	if (count_all(w) < w->config.queue_max) {
		job_queue_push(&w->waiting, job);
		w->urgent += !job->type->deferrable;
		wake = w->waiting.count == 1 || w->urgent == 1 ||
		    w->waiting.count >= w->config.batch_max;
		e = ERR_OK;
	}
	pthread_mutex_unlock(&w->lock);
	if (wake)
		pthread_cond_signal(&w->work);
	return e;
}

size_t
writer_collect(struct writer *w, size_t max)
{
	struct job_queue finished;
	struct job *job;
	size_t count;

	job_queue_init(&finished);
	pthread_mutex_lock(&w->lock);
	count = job_queue_move(&finished, &w->done, max);
	pthread_mutex_unlock(&w->lock);

	while ((job = job_queue_pop(&finished)) != NULL)
		job->type->finish(job);
	return count;
}

void
writer_read_state(struct writer *w, struct writer_state *out)
{
	pthread_mutex_lock(&w->lock);
	*out = (struct writer_state){ .waiting = count_all(w),
		.commits = w->commits.count,
		.commit_us = w->commits.sum_us,
		.commit_us_max = w->commits.max_us,
		.commit_us_last = w->commits.last_us };
	w->commits.max_us = 0;
	pthread_mutex_unlock(&w->lock);
}

/* The thread has ended: jobs that finish() functions have submitted are run here. */
static void
run_rest(struct writer *w)
{
	struct job_queue batch;

	job_queue_init(&batch);
	while (writer_collect(w, SIZE_MAX) > 0) {
		pthread_mutex_lock(&w->lock);
		while (job_queue_move(&batch, &w->waiting, w->config.batch_max) > 0)
			(void)run_batch(w, &batch);
		pthread_mutex_unlock(&w->lock);
	}
}

void
writer_stop(struct writer *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->work);
	pthread_join(w->thread, NULL);
	run_rest(w);
	writer_free(w);
}
