/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * counters.h - publishes the numbers of stats.h at a fixed interval.
 *
 * An interval publishes the gauges of at most STATS_CRLS_MAX revocation lists; the next
 * interval continues with the next list.  Broker thread.
 */
#ifndef JITR_COUNTERS_H
#define JITR_COUNTERS_H

#include "jitr/service/stats.h"

/* Where the state of the writer comes from. */
struct writer_source {
	void *context;
	void (*read)(void *context, struct writer_state *out);
};

struct counters_config {
	struct store *store; /* borrowed, as the others */
	struct writer_source writer;
	const struct stats *stats;
	const struct broker *broker;
	int64_t (*now)(void); /* ms since 1970 */
	int64_t interval;     /* ms; 0: never */
};

struct counters;

MUST_USE enum err counters_open(const struct counters_config *config, struct counters **out);
void counters_close(struct counters *c); /* NULL is fine */

/* now: ms, monotonic. */
void counters_tick(struct counters *c, int64_t now);

#endif
