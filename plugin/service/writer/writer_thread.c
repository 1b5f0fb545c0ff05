/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* writer_thread.c - see writer.h: the writer on a thread of its own, and its lock. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "writer_private.h"

struct writer_thread {
	pthread_t id;
	pthread_mutex_t lock;
	pthread_cond_t work;
};

void
thread_lock(struct writer_thread *t)
{
	if (t != NULL)
		pthread_mutex_lock(&t->lock);
}

void
thread_unlock(struct writer_thread *t)
{
	if (t != NULL)
		pthread_mutex_unlock(&t->lock);
}

void
thread_signal(struct writer_thread *t)
{
	if (t != NULL)
		pthread_cond_signal(&t->work);
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

/* Waits for a job that is not deferrable, or until the deferrable ones have waited
 * WRITER_DEFER_MAX_MS.  Called and left with the lock held. */
static void
wait_for_work(struct writer *w)
{
	struct timespec until;
	int rc = 0;

	while (w->waiting.count == 0 && !w->stopping)
		pthread_cond_wait(&w->thread->work, &w->thread->lock);
	until = time_after(WRITER_DEFER_MAX_MS);
	while (rc == 0 && w->urgent == 0 && !w->stopping)
		rc = pthread_cond_timedwait(&w->thread->work, &w->thread->lock, &until);
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
		rc = pthread_cond_timedwait(&w->thread->work, &w->thread->lock, &until);
}

/* Called and left with the lock held. */
static void
notify_done(struct writer *w)
{
	if (w->config.done == NULL || w->done.count == 0)
		return;
	thread_unlock(w->thread);
	w->config.done(w->config.done_context);
	thread_lock(w->thread);
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;

	thread_lock(w->thread);
	for (;;) {
		wait_for_work(w);
		if (w->waiting.count == 0)
			break;
		if (!w->between_parts)
			gather(w);
		(void)writer_run_batch(w);
		notify_done(w);
	}
	thread_unlock(w->thread);
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
	started = pthread_create(&w->thread->id, NULL, writer_main, w) == 0;
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

static struct writer_thread *
thread_new(void)
{
	struct writer_thread *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	init_condition(&t->work);
	return t;
}

static void
thread_free(struct writer_thread *t)
{
	if (t == NULL)
		return;
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void
thread_end(struct writer_thread *t)
{
	if (t == NULL)
		return;
	pthread_cond_signal(&t->work);
	pthread_join(t->id, NULL);
	thread_free(t);
}

enum err
writer_start(const struct writer_config *config, struct writer **out)
{
	struct writer *w = writer_new(config);
	bool started = false;

	*out = NULL;
	if (w == NULL)
		return ERR_NOMEM;
	w->thread = thread_new();
	if (w->thread != NULL)
		started = start_thread(w);
	if (started) {
		*out = w;
		return ERR_OK;
	}
	thread_free(w->thread);
	free(w);
	return ERR_NOMEM;
}
