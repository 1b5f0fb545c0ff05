/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * child.h - starts the registrar process, keeps it running and stops it.
 *
 * The process gets one end of a pair of sockets as descriptor 3, /dev/null as input and
 * output, and the broker's standard error, where a crash shows.  Every other descriptor is
 * closed.  It has no arguments, and of the environment only what libraries and sanitizers
 * read.  The signals that the broker handles are blocked in it (SIGHUP, SIGINT, SIGTERM,
 * SIGUSR1, SIGUSR2), because a terminal, systemd and pkill send them to all of its processes:
 * it ends when STOP arrives or its socket ends.
 *
 *	CHILD_DOWN ── child_tick(), the delay is over ──► CHILD_STARTING
 *	    ▲                                                │      │ HELLO
 *	    │ waitpid()                   FAILED, link ended │      ▼
 *	CHILD_ENDING ◄───────────────────────────────────────┴── CHILD_UP
 *	                                                  child_lost()
 *
 * A process whose link has ended has CHILD_END_MS to finish what it is doing, then it is
 * killed: the next one is started when it has ended, because a registry has one writer.  A
 * process that hangs before HELLO is killed after CHILD_START_MS.
 *
 * Broker thread.  Only child_open() and child_close() wait.
 */
#ifndef JITR_CHILD_H
#define JITR_CHILD_H

#include "jitr/service/broker.h"
#include "jitr/service/link.h"

#define CHILD_END_MS 5000

/* A process that is starting and sends no frame for this long is killed.  An upgrade of a
 * large registry takes minutes without a frame; the next start goes on with it. */
#define CHILD_START_MS (10 * 60 * 1000)

/* The process's end of the link. */
#define CHILD_FD 3

struct child_config {
	const char *path;                 /* of the program; borrowed */
	const struct wire_config *config; /* sent at each start; borrowed */
	size_t frames_max, bytes_max;     /* as in link.h */
	int64_t (*now)(void);             /* ms, monotonic */

	/* A line of the process, or about its end. */
	void (*log)(void *context, enum log_level level, const char *line);

	/* A frame that arrives while the process is stopped, valid for the call.  May be
	 * NULL. */
	void (*last_frame)(void *context, const struct wire_frame *frame);
	void *context;
};

enum child_state {
	CHILD_DOWN,
	CHILD_STARTING,
	CHILD_ENDING,
	CHILD_UP,
};

struct child;

/* Starts the process and waits until it is up; meanwhile its log lines are passed on.  An
 * error: it cannot be started, is of another version, has failed, or sent nothing for
 * CHILD_START_MS; *diag has its line. */
MUST_USE enum err child_open(const struct child_config *config, struct child **out,
    struct diag *diag);

/* Sends STOP, waits until the process has ended, at most CHILD_END_MS, and kills it then.
 * NULL is fine. */
void child_close(struct child *c);

/* TICK.  Goes on with a start or an end; does not wait.  Returns the new state. */
enum child_state child_tick(struct child *c);

/* The link of a process that is up; otherwise NULL.  Its user flushes it and takes the
 * frames off it, until one of its functions fails: then child_lost().  Another link after
 * each start. */
struct link *child_link(const struct child *c);

/* CHILD_UP: the link failed; or, with why, the process sent a frame that its user refuses:
 * "sent a malformed ANSWER".  A process that sent such a frame, or what is no frame, is
 * killed at once. */
void child_lost(struct child *c, const char *why_or_null);

/* Passes a LOG frame on to the log, with control characters escaped. */
MUST_USE enum err child_log_frame(struct child *c, const struct wire_frame *frame);

/* How often the process was started again. */
uint64_t child_restarts(const struct child *c);

/* 0: there is none now. */
int child_pid(const struct child *c);

#endif
