/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * counters.h - when the numbers of stats.h are published: at each interval.
 *
 * Of very many revocation lists as many as fit into one interval have their gauges
 * published, and the next ones at the next.  Broker thread.
 */
#ifndef JITR_COUNTERS_H
#define JITR_COUNTERS_H

#include "jitr/service/stats.h"

/* The first six are set by the owner, and borrowed. */
struct counters {
	struct store *store;
	struct writer *writer;
	const struct stats *stats;
	const struct broker *broker;
	int64_t (*now)(void);
	int64_t interval;   /* ms; 0: never */
	int64_t published;  /* ms, monotonic */
	struct certid last; /* its gauges were published last */
	bool more;          /* there may be, behind that one */
};

/* elapsed: ms of a clock that is never set back. */
void counters_tick(struct counters *c, int64_t elapsed);

#endif
