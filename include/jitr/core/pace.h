/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pace.h - limits the rate at which events are handed to the broker.
 *
 * For a QoS 1 subscriber the broker keeps max_queued_messages (1000 by default) and 20
 * in flight, and drops further messages.  It reports neither acknowledgements nor drops
 * to plugins.  Events are therefore published at a rate that such a subscriber can
 * sustain: a burst that fits into its queue, then one per iteration of the broker's
 * loop, in which 2.0 reads one acknowledgement from a connection without TLS, and at
 * most PACE_PER_SECOND, which 20 in flight sustain over a round trip of 40 ms.
 *
 * Pure.  Broker thread.
 */
#ifndef JITR_PACE_H
#define JITR_PACE_H

#include "jitr/core/base.h"

#define PACE_BURST      500
#define PACE_PER_SECOND 500

/* Zero is the initial state: a full burst is available. */
struct pace {
	int64_t refilled; /* ms, monotonic; 0: never */
	uint64_t turns;   /* iterations of the broker's loop since refilled */
	uint64_t spent;   /* of the burst, in thousandths of an event */
};

/* Counts one iteration of the broker's loop. */
static inline void
pace_turn(struct pace *p)
{
	p->turns++;
}

/* Refills the burst.  now: ms, monotonic clock. */
void pace_refill(struct pace *p, int64_t now);

/* May another event be published?  NULL: always. */
bool pace_allows(const struct pace *p);

/* Counts a published event.  NULL: does nothing. */
void pace_spend(struct pace *p);

#endif
