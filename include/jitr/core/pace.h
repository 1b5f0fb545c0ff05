/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pace.h - how fast events are handed to the broker.
 *
 * The broker keeps max_queued_messages (1000 by default) and 20 in flight for a
 * subscriber of QoS 1 and drops what comes beyond, and it tells plugins neither of
 * acknowledgements nor of what it dropped.  So events are handed over no faster
 * than such a subscriber is certain to take them: after a burst that fits into its
 * queue one at each turn of the broker's loop, in which 2.0 reads one
 * acknowledgement from a connection without TLS, and never more than
 * PACE_PER_SECOND, which 20 in flight sustain over a round trip of 40 ms.
 *
 * Pure.  Broker thread.
 */
#ifndef JITR_PACE_H
#define JITR_PACE_H

#include "jitr/core/base.h"

#define PACE_BURST      500
#define PACE_PER_SECOND 500

/* Zeroed is a pace at its beginning: a whole burst may go. */
struct pace {
	int64_t refilled; /* ms; 0: never */
	uint64_t turns;   /* of the broker's loop, since then */
	uint64_t spent;   /* thousandths of an event, of the burst */
};

/* The broker's loop has made a turn. */
static inline void
pace_turn(struct pace *p)
{
	p->turns++;
}

/* now: ms, of a clock that is not set. */
void pace_refill(struct pace *p, int64_t now);

/* May one more go?  NULL: always. */
bool pace_allows(const struct pace *p);

/* One has gone.  NULL: nothing happens. */
void pace_spend(struct pace *p);

#endif
