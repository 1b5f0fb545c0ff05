/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * child_private.h - a child, shared by the child*.c files.
 *
 *   child.c        the functions of child.h that do not wait: states
 *   child_wait.c   the functions that wait: child_open() and child_close()
 *   child_start.c  from the start to HELLO or FAILED
 *   child_end.c    from the end of the link to the next start
 *   child_log.c    lines of the log
 *
 * Each calls only files below it.
 */
#ifndef JITR_CHILD_PRIVATE_H
#define JITR_CHILD_PRIVATE_H

#include "jitr/service/child.h"

struct child {
	struct child_config config;
	enum child_state state;
	int pid;           /* 0: none */
	struct link *link; /* STARTING and UP */
	uint64_t restarts;
	unsigned ends;    /* in a row (backoff.h) */
	int64_t up_since; /* ms, monotonic; 0: not yet */
	int64_t heard_at; /* STARTING: its start, or its last frame */
	unsigned lines;   /* STARTING: logged by it */
	int64_t lost_at;  /* when the last one that was up was lost */
	int64_t kill_at;  /* ENDING */
	int64_t start_at; /* DOWN */
	struct diag why;  /* ENDING and DOWN: why it ended; empty: its status says it */
};

/* DOWN to STARTING, or to DOWN or ENDING, where c->why says why. */
void child_begin(struct child *c);

/* STARTING: takes frames that have arrived; does not wait.  false: there may be more. */
bool child_greet(struct child *c);

/* STARTING or UP to ENDING.  grace_ms: until it is killed. */
void child_end(struct child *c, int64_t grace_ms);

/* ENDING to DOWN when it has ended: does not wait. */
void child_reap(struct child *c);

/* DOWN: it could not be started, or has ended.  Sets the time of the next start. */
void child_ended(struct child *c);

/* One line, escaped. */
void child_log(const struct child *c, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
