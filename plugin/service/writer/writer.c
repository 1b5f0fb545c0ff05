/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer.c - see writer.h.
 *
 * Two first-in first-out lists under one mutex: waiting (broker -> writer)
 * and done (writer -> broker).  The writer takes what waits, at most
 * batch_max, and holds no lock while it runs, commits and syncs.  A job that
 * asks to be run again goes back to the end of the first list.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "jitr/service/writer.h"

struct fifo {
	struct job *first, **end;
	size_t count;
};

struct writer {
	struct store *store;
	struct writer_config config;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the six below */
	struct fifo waiting, done;
	size_t running;
	size_t urgent; /* of those that wait, not patient */
	bool stopping;
	struct writer_state state; /* what commits cost; waiting is not kept here */
	pthread_cond_t work;
};

static void
fifo_init(struct fifo *f)
{
	f->first = NULL;
	f->end = &f->first;
	f->count = 0;
}

static void
fifo_push(struct fifo *f, struct job *job)
{
	job->next = NULL;
	*f->end = job;
	f->end = &job->next;
	f->count++;
}

static struct job *
fifo_pop(struct fifo *f)
{
	struct job *job = f->first;

	if (job == NULL)
		return NULL;
	f->first = job->next;
	if (f->first == NULL)
		f->end = &f->first;
	f->count--;
	return job;
}

static size_t
fifo_move(struct fifo *to, struct fifo *from, size_t max)
{
	size_t moved = 0;

	for (; moved < max && from->first != NULL; moved++)
		fifo_push(to, fifo_pop(from));
	return moved;
}

static uint64_t
monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void
count_commit(struct writer *w, uint64_t us)
{
	pthread_mutex_lock(&w->lock);
	w->state.commits++;
	w->state.commit_us += us;
	w->state.commit_us_last = us;
	if (us > w->state.commit_us_max)
		w->state.commit_us_max = us;
	pthread_mutex_unlock(&w->lock);
}

/* A commit without a change costs nothing, and says nothing about the disk. */
static enum err
commit(struct writer *w, struct txn *t)
{
	uint64_t before = monotonic_us();
	enum err e = store_commit(t);

	if (e == ERR_OK && store_changed(w->store))
		count_commit(w, monotonic_us() - before);
	return e;
}

static enum err
try_jobs(struct writer *w, struct job *first, const struct job *end)
{
	struct txn t;
	int64_t now = w->config.now();
	enum err e = store_write(w->store, &t);

	if (e != ERR_OK)
		return e;
	for (struct job *job = first; job != end; job = job->next) {
		if (job != first)
			store_next_step(&t);
		job->result = job->type->run(&t, job, now);
	}
	return commit(w, &t);
}

static void
settle(struct writer *w, struct job *first, const struct job *end, enum err e)
{
	for (struct job *job = first; job != end; job = job->next) {
		if (e != ERR_OK) {
			job->result = e;
			job->failure = store_failure(w->store);
		} else if (job->result == ERR_OK && job->type->committed != NULL) {
			job->type->committed(job);
		}
	}
}

/*
 * All jobs of the batch in one transaction.  When that fails, each in one of
 * its own: a job for which there is no room must not take those along that
 * need none.
 */
static void
run_batch(struct writer *w, struct fifo *batch)
{
	enum err e = try_jobs(w, batch->first, NULL);

	if (e == ERR_OK || batch->count == 1) {
		settle(w, batch->first, NULL, e);
		return;
	}
	for (struct job *job = batch->first; job != NULL; job = job->next)
		settle(w, job, job->next, try_jobs(w, job, job->next));
}

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

/* Until there is a job that is worth a commit, or one that has been patient for
 * long enough.  Called and left with the lock held. */
static void
wait_for_work(struct writer *w)
{
	struct timespec until;
	int rc = 0;

	while (w->waiting.count == 0 && !w->stopping)
		pthread_cond_wait(&w->work, &w->lock);
	until = time_after(WRITER_PATIENCE_MS);
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

static size_t
count_urgent(const struct fifo *f)
{
	size_t count = 0;

	for (const struct job *job = f->first; job != NULL; job = job->next)
		count += !job->type->deferrable;
	return count;
}

/* Not at the end: it is not known how long it would take. */
static bool
goes_on(const struct writer *w, struct job *job)
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
 * Each job of the batch is done, or goes on behind all that wait: no long job
 * keeps others from their turn.  Called with the lock held.  Is there one that
 * goes on by itself?
 */
static bool
hand_back(struct writer *w, struct fifo *batch)
{
	bool any = false;
	struct job *job;

	while ((job = fifo_pop(batch)) != NULL) {
		bool on = goes_on(w, job);

		fifo_push(on ? &w->waiting : &w->done, job);
		if (on && !job->type->deferrable) {
			w->urgent++;
			any = true;
		}
	}
	w->running = 0;
	return any;
}

/* Called and left with the lock held. */
static void
tell_done(struct writer *w)
{
	if (w->config.done == NULL || w->done.count == 0)
		return;
	pthread_mutex_unlock(&w->lock);
	w->config.done(w->config.done_context);
	pthread_mutex_lock(&w->lock);
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;
	bool in_the_middle = false;
	struct fifo batch;

	fifo_init(&batch);
	pthread_mutex_lock(&w->lock);
	for (;;) {
		wait_for_work(w);
		if (w->waiting.count == 0)
			break;
		/* Between two parts of a long job the thread does not rest: jobs that
		 * come meanwhile gather while the part before is committed. */
		if (!in_the_middle)
			gather(w);
		w->running = fifo_move(&batch, &w->waiting, w->config.batch_max);
		w->urgent -= count_urgent(&batch);
		pthread_mutex_unlock(&w->lock);

		run_batch(w, &batch);

		pthread_mutex_lock(&w->lock);
		in_the_middle = hand_back(w, &batch);
		tell_done(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Signals are the broker's: a SIGHUP taken here would not wake its loop. */
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

/* Waits are measured on a clock that is never set. */
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
writer_start(struct store *s, const struct writer_config *config, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ERR_NOMEM;
	w->store = s;
	w->config = *config;
	fifo_init(&w->waiting);
	fifo_init(&w->done);
	pthread_mutex_init(&w->lock, NULL);
	init_condition(&w->work);
	if (!start_thread(w)) {
		writer_free(w);
		return ERR_NOMEM;
	}
	*out = w;
	return ERR_OK;
}

/* Submitted and not finished.  Called with the lock held. */
static size_t
count_all(const struct writer *w)
{
	return w->waiting.count + w->running + w->done.count;
}

enum err
writer_submit(struct writer *w, struct job *job)
{
	enum err e = ERR_BUSY;
	bool wake = false;

	pthread_mutex_lock(&w->lock);
	if (count_all(w) < w->config.queue_max) {
		fifo_push(&w->waiting, job);
		w->urgent += !job->type->deferrable;
		/* In between the thread has no use for it: it gathers. */
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
writer_collect(struct writer *w, size_t max, void *context)
{
	struct fifo finished;
	struct job *job;
	size_t count;

	fifo_init(&finished);
	pthread_mutex_lock(&w->lock);
	count = fifo_move(&finished, &w->done, max);
	pthread_mutex_unlock(&w->lock);

	while ((job = fifo_pop(&finished)) != NULL)
		job->type->finish(job, context);
	return count;
}

void
writer_look(struct writer *w, struct writer_state *out)
{
	pthread_mutex_lock(&w->lock);
	*out = w->state;
	out->waiting = count_all(w);
	w->state.commit_us_max = 0;
	pthread_mutex_unlock(&w->lock);
}

/* The thread has ended: what finishing a job has submitted is run here. */
static void
run_rest(struct writer *w, void *context)
{
	struct fifo batch;

	fifo_init(&batch);
	while (writer_collect(w, SIZE_MAX, context) > 0) {
		while (fifo_move(&batch, &w->waiting, w->config.batch_max) > 0) {
			run_batch(w, &batch);
			(void)hand_back(w, &batch);
		}
	}
}

void
writer_stop(struct writer *w, void *context)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->work);
	pthread_join(w->thread, NULL);
	run_rest(w, context);
	writer_free(w);
}
