/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* batch.h - jobs run and committed in one transaction. */
#ifndef JITR_BATCH_H
#define JITR_BATCH_H

#include "job_queue.h"

/* The time that commits with a change took. */
struct commit_times {
	uint64_t count;
	uint64_t sum_us, max_us, last_us;
};

/*
 * Runs all jobs in one transaction.  If it fails, each job is run in a transaction of its
 * own, so that a job for which there is no room does not fail the others.  Sets the jobs'
 * results and calls committed(); adds to *times.
 */
void batch_run(struct store *store, int64_t (*now)(void), struct job_queue *batch,
    struct commit_times *times);

#endif
