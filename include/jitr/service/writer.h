/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * writer.h - the one thread that writes.
 *
 * The broker thread submits jobs and goes on; the writer runs all jobs that
 * are waiting in one transaction and pays for one sync (group commit: a batch
 * gathers for a moment, and while the one before it syncs).  Completed jobs come back to
 * the broker thread, which finishes them in the order they were submitted; one
 * that took several turns, when its last one is done.
 *
 * A job has one owner at a time: the submitter, then the writer, then the
 * broker thread again.  Nothing else is shared, so there is nothing to lock
 * but the two queues.
 *
 * On the writer thread these are forbidden, because the broker is single
 * threaded: mosquitto_*() including its log and its allocator, and cJSON,
 * whose allocator Mosquitto 2.1 replaces with its own.  The thread takes no
 * signals.
 */
#ifndef JITR_WRITER_H
#define JITR_WRITER_H

#include "jitr/adapter/store.h"

#define WRITER_PATIENCE_MS 1000

struct job;

struct job_type {
	const char *name;

	/* Not worth a commit: waits for the next job that is, or for the end; but
	 * no longer than WRITER_PATIENCE_MS. */
	bool deferrable;

	/* Writer thread.  Look, decide, and only then put: a job that answers an
	 * error has changed nothing.  Run again, from the start, when a batch could
	 * not be committed as a whole. */
	enum err (*run)(struct txn *t, struct job *job, int64_t now);

	/* Writer thread, after the batch was committed and before finish; not
	 * called when the job or its commit failed.  For what must follow the
	 * change on disk, outside the database.  May be NULL.
	 *
	 * A long job does a part of its work at each run, and notes here what is
	 * done: with job->again set it goes to the end of the queue and is run
	 * again, behind all that came meanwhile.  Once writer_stop() was called it
	 * is not: it is finished with ERR_BUSY, so that the broker ends soon.  What
	 * is on disk by then is what its parts have left there, as after a crash. */
	void (*committed)(struct job *job);

	/* Broker thread, after the commit, job->result set.  Frees the job. */
	void (*finish)(struct job *job, void *context);
};

/* Embed as the first member of a concrete job. */
struct job {
	const struct job_type *type;
	struct job *next;
	enum err result;
	const char *failure; /* why the writer could not do it, in words; NULL: it did */
	bool again;          /* set by committed(), cleared by the writer */
};

struct writer_config {
	size_t queue_max;     /* jobs submitted and not finished; beyond: ERR_BUSY */
	size_t batch_max;     /* jobs in one transaction */
	int gather_ms;        /* how long the first job of a batch waits for others */
	int64_t (*now)(void); /* ms since 1970 */

	/* Writer thread, without a lock: jobs are done.  Calls nothing of the
	 * broker's.  NULL: not told. */
	void (*done)(void *context);
	void *done_context;
};

struct writer;

MUST_USE enum err writer_start(struct store *s, const struct writer_config *config,
    struct writer **out);

/* Broker thread.  On ERR_OK the job is no longer the caller's; on ERR_BUSY
 * it still is.  Never waits. */
MUST_USE enum err writer_submit(struct writer *w, struct job *job);

/* Broker thread.  Finishes at most max jobs that are done; answers how many. */
size_t writer_collect(struct writer *w, size_t max, void *context);

/* What the writer has to do, and what commits cost; any thread. */
struct writer_state {
	size_t waiting;         /* jobs submitted and not finished */
	uint64_t commits;       /* with a change, since the start */
	uint64_t commit_us;     /* all of them together */
	uint64_t commit_us_max; /* the longest since this was last asked */
	uint64_t commit_us_last;
};

void writer_look(struct writer *w, struct writer_state *out);

/* Commits what waits, stops the thread, finishes the rest; of a long job the
 * part that is its turn.  NULL is fine. */
void writer_stop(struct writer *w, void *context);

#endif
