/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer.h - commits all changes to the registry.
 *
 * A job is submitted and waits.  The writer runs all waiting jobs in one transaction, so that
 * they share one sync (group commit), and finishes them in the order in which they were
 * submitted; a job that is run in several parts is finished after its last part.
 *
 * The writer has a thread of its own (writer_start()), or is driven by the loop of its owner's
 * thread (writer_open()).  Below, the owner's thread submits and finishes jobs; the writer
 * thread, which may be the same, runs them.  A job has one owner at a time: the submitter, then
 * the writer, then the submitter again.
 *
 * With a thread of its own: jobs collect for gather_ms, and while the previous batch syncs.
 * mosquitto_*() is forbidden on it, including its log and its allocator, because the broker is
 * single threaded; and so is cJSON, because Mosquitto 2.1 replaces its allocator.  The thread
 * blocks all signals.
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

	/* Writer thread.  Read and decide first, then put: a job that returns an error
	 * has changed nothing.  Run again from the start when a batch could not be
	 * committed as a whole. */
	enum err (*run)(struct txn *t, struct job *job, int64_t now);

	/* Writer thread, after the commit and before finish; not called if the job or
	 * its commit failed.  For work outside the database that must follow the commit.
	 * May be NULL.
	 *
	 * A long job does one part of its work in each run and records its progress here.
	 * If it sets job->again, it is appended to the queue and run again after the jobs
	 * submitted in the meantime.  After writer_stop() it is not run again, so that the
	 * broker stops soon: it is finished with ERR_BUSY, and the database has the parts
	 * committed so far, as after a crash. */
	void (*committed)(struct job *job);

	/* Owner's thread, after the commit, with job->result set.  Frees the job. */
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
	int gather_ms;        /* how long the first job of a batch waits for others */
	int64_t (*now)(void); /* ms since 1970 */

	/* Writer thread, without a lock: jobs can be collected.  Must not call the broker.
	 * May be NULL.  Not used without a thread. */
	void (*done)(void *context);
	void *done_context;
};

struct writer;

/* Starts the thread. */
MUST_USE enum err writer_start(const struct writer_config *config, struct writer **out);

/* Without a thread.  A commit is as large as what was submitted during the one before it, so
 * gather_ms can be 0. */
MUST_USE enum err writer_open(const struct writer_config *config, struct writer **out);

/* Owner's thread, without a thread of the writer: the time until writer_turn() has work, in ms;
 * 0: now; -1: nothing waits.  Deferrable jobs alone wait for WRITER_DEFER_MAX_MS from the call
 * that first sees them.  now: ms, monotonic. */
int64_t writer_due(struct writer *w, int64_t now);

/* Owner's thread, without a thread of the writer: runs and commits one batch, whether it is due
 * or not, and finishes its jobs; returns their number.  Waits for the disk.  Of a long job one
 * part is run. */
size_t writer_turn(struct writer *w);

/* Owner's thread.  After ERR_OK the writer owns the job; after ERR_BUSY the caller still
 * does.  Does not wait. */
MUST_USE enum err writer_submit(struct writer *w, struct job *job);

/* Owner's thread.  Finishes at most max completed jobs; returns their number. */
size_t writer_collect(struct writer *w, size_t max);

/* Any thread.  commit_us_max is that since the last call. */
void writer_read_state(struct writer *w, struct writer_state *out);

/* Commits the waiting jobs (of a long job the part that is due), stops the thread if there is
 * one, and finishes all jobs.  NULL is fine. */
void writer_stop(struct writer *w);

#endif
