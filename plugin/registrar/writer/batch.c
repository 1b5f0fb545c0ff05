/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* batch.c - see batch.h. */
#include <time.h>

#include "batch.h"

static uint64_t
monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void
add_commit(struct commit_times *times, uint64_t us)
{
	times->count++;
	times->sum_us += us;
	times->last_us = us;
	if (us > times->max_us)
		times->max_us = us;
}

/* A commit without a change does not sync, so its time says nothing about the disk. */
static enum err
commit(struct store *store, struct txn *t, struct commit_times *times)
{
	uint64_t before = monotonic_us();
	enum err e = store_commit(t);

	if (e == ERR_OK && store_changed(store))
		add_commit(times, monotonic_us() - before);
	return e;
}

/* The jobs from first up to, but not including, end. */
struct job_range {
	struct job *first;
	const struct job *end;
};

static enum err
run_jobs(struct store *store, int64_t now, struct job_range jobs, struct commit_times *times)
{
	struct txn t;
	enum err e = store_write(store, &t);

	if (e != ERR_OK)
		return e;
	for (struct job *job = jobs.first; job != jobs.end; job = job->next) {
		if (job != jobs.first)
			store_next_step(&t);
		job->result = job->type->run(&t, job, now);
	}
	return commit(store, &t, times);
}

/* e: the result of the transaction. */
static void
set_results(struct store *store, struct job_range jobs, enum err e)
{
	for (struct job *job = jobs.first; job != jobs.end; job = job->next) {
		if (e != ERR_OK) {
			job->result = e;
			job->failure = store_failure(store);
		} else if (job->result == ERR_OK && job->type->committed != NULL) {
			job->type->committed(job);
		}
	}
}

void
batch_run(struct store *store, int64_t (*now)(void), struct job_queue *batch,
    struct commit_times *times)
{
	struct job_range all = { batch->first, NULL };
	enum err e = run_jobs(store, now(), all, times);

	if (e == ERR_OK || batch->count == 1) {
		set_results(store, all, e);
		return;
	}
	for (struct job *job = batch->first; job != NULL; job = job->next) {
		struct job_range one = { job, job->next };

		set_results(store, one, run_jobs(store, now(), one, times));
	}
}
