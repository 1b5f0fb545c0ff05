/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rate.h - bounds on what callers of the control topic cost: buckets that fill with time,
 * answers to refused callers, lines of the log.
 *
 * The broker tells a plugin neither that a client has read an answer nor that one was
 * dropped, and never frees an answer that finds the client's queue full.  So the bytes that
 * one caller, and all callers, are sent are bounded by rate.
 *
 * Pure: times are arguments, in µs of a monotonic clock.
 */
#ifndef JITR_RATE_H
#define JITR_RATE_H

#include "jitr/core/base.h"

/*
 * A bucket.  All zero it is full; it fills at its rate.  The cost of work is known when the
 * work is done, so the level may become negative.
 */
struct rate {
	int64_t most, a_second;
};

struct bucket {
	int64_t level;
	int64_t filled; /* when; 0: never */
};

int64_t bucket_level(struct bucket *b, const struct rate *r, int64_t now); /* > 0: go on */
void bucket_take(struct bucket *b, int64_t amount); /* after bucket_level() */

/*
 * Callers are told apart by the hash of their names; those with the same hash share a budget.
 */
#define CALLERS_MAX 256

uint64_t caller_hash(uint64_t seed, const char *name); /* NULL: "" */

/* Answers to refused callers: a few, then none until the caller has paused for a second;
 * all callers together are bounded as well. */
#define REFUSALS_AT_ONCE 5
#define REFUSAL_PAUSE_US 1000000

struct refusals {
	struct {
		int64_t asked;     /* the last time */
		unsigned answered; /* since its last pause */
	} callers[CALLERS_MAX];
	struct bucket all;
};

/* May this caller be sent an answer?  Counts it if so. */
bool refusals_may_answer(struct refusals *r, uint64_t caller, int64_t now);

/* Lines of the log about refusals: a few at once, then one per interval with the number of
 * refusals. */
#define LINES_INTERVAL_US 10000000

struct lines {
	struct bucket bucket;
	uint64_t suppressed; /* refusals without a line */
	int64_t since;       /* when the first of them was refused */
};

/* May this refusal have a line?  If not, it is counted. */
bool lines_may_log(struct lines *l, int64_t now);

/* Once per interval: the number counted, which begins again at 0; else 0. */
uint64_t lines_suppressed(struct lines *l, int64_t now);

#endif
