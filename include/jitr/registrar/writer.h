/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer.h - commits all changes to the registry.
 *
 * A job is submitted and waits.  The writer runs all waiting jobs in one transaction, so that
 * they share one sync (group commit), and finishes them in the order in which they were
 * submitted; a job that is run in several parts is finished after its last part.
 *
 * It has no thread: the loop of the registrar calls writer_turn().  A batch is what was submitted
 * during the commit before it, so that it grows with the load.  A job has one owner at a time: the
 * submitter, then the writer, then the submitter again.
 */
#ifndef JITR_WRITER_H
#define JITR_WRITER_H

#include "jitr/adapter/store.h"
#include "jitr/service/writer_state.h"

/* A deferrable job is committed after this time at the latest. */
#define WRITER_DEFER_MAX_MS 1000

struct job;

struct job_type {
	const char *name;

	/* Not worth a commit of its own: waits for the next job that is not
	 * deferrable, for WRITER_DEFER_MAX_MS, or for the end. */
	bool deferrable;

	/* Read and decide first, then put: a job that returns an error has changed nothing.  Run again from the start when a batch could not be
	 * committed as a whole. */
	enum err (*run)(struct txn *t, struct job *job, int64_t now);

	/* After the commit and before finish; not called if the job or
	 * its commit failed.  For work outside the database that must follow the commit.
	 * May be NULL.
	 *
	 * A long job does one part of its work in each run and records its progress here.
	 * If it sets job->again, it is appended to the queue and run again after the jobs
	 * submitted in the meantime.  After writer_stop() it is not run again, so that the
	 * process ends soon: it is finished with ERR_BUSY, and the database has the parts
	 * committed so far, as after a crash. */
	void (*committed)(struct job *job);

	/* After the commit, with job->result set.  Frees the job.  May submit others. */
	void (*finish)(struct job *job);
};

/* The first member of a concrete job. */
struct job {
	const struct job_type *type;
	struct job *next;
	enum err result;
	const char *failure; /* why the commit failed, borrowed until finish(); NULL: it did not */
	bool again;          /* set by committed(), cleared by the writer */
};

struct writer_config {
	struct store *store;  /* borrowed */
	size_t queue_max;     /* jobs submitted and not finished; beyond: ERR_BUSY */
	size_t batch_max;     /* jobs in one transaction */
	int64_t (*now)(void); /* ms since 1970 */
};

struct writer;

MUST_USE enum err writer_open(const struct writer_config *config, struct writer **out);

/* The time until writer_turn() has work, in ms; 0: now; -1: nothing waits.  Deferrable jobs alone
 * wait for WRITER_DEFER_MAX_MS from the call that first sees them.  now: ms, monotonic. */
int64_t writer_due(struct writer *w, int64_t now);

/* Runs and commits one batch, whether it is due or not, and finishes its jobs; returns their
 * number.  Waits for the disk.  Of a long job one part is run. */
size_t writer_turn(struct writer *w);

/* After ERR_OK the writer owns the job; after ERR_BUSY the caller still does.  Does not wait. */
MUST_USE enum err writer_submit(struct writer *w, struct job *job);

/* commit_us_max is that since the last call. */
void writer_read_state(struct writer *w, struct writer_state *out);

/* Commits the waiting jobs (of a long job the part that is due) and finishes all jobs.  NULL is
 * fine. */
void writer_stop(struct writer *w);

#endif
