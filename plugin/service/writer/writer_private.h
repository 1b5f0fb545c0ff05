/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer_private.h - shared by writer.c, which has the queues and runs batches, and
 * writer_thread.c, which does it on a thread of its own.  Private.
 */
#ifndef JITR_WRITER_PRIVATE_H
#define JITR_WRITER_PRIVATE_H

#include "batch.h"
#include "job_queue.h"

struct writer_thread;

struct writer {
	struct writer_config config;
	struct writer_thread *thread; /* NULL: a loop calls writer_turn() */

	/* With a thread, its lock guards these. */
	struct job_queue waiting, done;
	size_t running;     /* jobs of the batch that is being run */
	size_t urgent;      /* waiting jobs that are not deferrable */
	bool between_parts; /* of a long job: there is no wait for other jobs */
	bool stopping;
	struct commit_times commits;

	/* For writer_due(): ms, monotonic; -1: no job of the kind was waiting yet. */
	int64_t waiting_since, urgent_since;
};

/* NULL: no memory.  No thread yet. */
struct writer *writer_new(const struct writer_config *config);

/* Runs and commits one batch; false: no job was waiting.  Called and left with the lock held;
 * runs the jobs without it. */
bool writer_run_batch(struct writer *w);

/*
 * writer_thread.c.  t NULL: nothing is done.
 */

void thread_lock(struct writer_thread *t);
void thread_unlock(struct writer_thread *t);
void thread_signal(struct writer_thread *t); /* there is something to do */

/* Waits for the end of the thread, after writer->stopping was set, and frees *t. */
void thread_end(struct writer_thread *t);

#endif
