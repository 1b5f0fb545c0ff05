/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * budget.h - what requests may cost: time of the broker's thread, bytes of
 * answers, steps of policies, lines of the log.
 *
 * The broker tells a plugin neither that a client has read an answer nor that
 * one was dropped, and it keeps for good an answer that finds the client's queue
 * full.  What one caller and all of them may be sent is therefore bounded by
 * rate: buckets that fill with time.
 *
 * Pure: the time is handed in, in µs of a monotonic clock.  Broker thread.
 */
#ifndef JITR_BUDGET_H
#define JITR_BUDGET_H

#include "jitr/core/base.h"

/*
 * A bucket: full at first (all zero), filled at its rate.  It may be overdrawn
 * by one unit of work, whose cost is known only when it is done.
 */
struct rate {
	int64_t most, a_second;
};

struct bucket {
	int64_t level, filled; /* filled: when; 0: not yet */
};

int64_t bucket_level(struct bucket *b, const struct rate *r, int64_t now); /* > 0: go on */
void bucket_take(struct bucket *b, int64_t amount); /* after bucket_level() */

/*
 * Callers, by the hash of their names; two of one hash share a budget.
 */
#define CALLERS_MAX 256

uint64_t caller_hash(uint64_t seed, const char *name); /* NULL: as empty */

/* Short answers to callers that are refused: a few, and then none to a caller that
 * goes on without a pause of a second; all callers together have a bound too. */
#define REFUSALS_AT_ONCE 5
#define REFUSAL_PAUSE_US 1000000

struct refusals {
	struct {
		int64_t asked;
		unsigned told;
	} callers[CALLERS_MAX];
	struct bucket all;
};

bool refusals_may_tell(struct refusals *r, uint64_t caller, int64_t now);

/* Lines of the log about refusals: a few at once, and then one in a while that
 * says how many there were. */
#define LINES_INTERVAL_US 10000000

struct lines {
	struct bucket bucket;
	uint64_t untold;
	int64_t since; /* of the first that was not told */
};

bool lines_may_tell(struct lines *l, int64_t now); /* no: it is counted */
uint64_t lines_untold(struct lines *l,
    int64_t now); /* how many, once in an interval; 0: none yet */

/*
 * One request, for the commands in it.
 */
struct budget {
	size_t steps; /* of policies (pattern.h), left */
	size_t bytes; /* of the answer, left */
	int64_t ends; /* when the present slice does */
	int64_t (*clock_us)(void);
};

bool budget_slice_over(const struct budget *b);

#endif
