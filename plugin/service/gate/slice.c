/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* slice.c - the clock, the length of a slice of the broker's time, and snapshots. */
#include <time.h>

#include "gate_private.h"

/* Of the broker's time at one turn of its loop: other clients wait longer by this. */
#define SLICE_NS ((int64_t)4 * 1000 * 1000)
/* If the turns are long because the broker is busy: a quarter of its time, so that a busy
 * broker disconnects as many clients per second as an idle one. */
#define SLICE_SHARE  4
#define SLICE_MAX_NS ((int64_t)50 * 1000 * 1000)

int64_t
gate_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t
gate_slice_ns(int64_t since_last)
{
	int64_t share = since_last / SLICE_SHARE;

	return share < SLICE_NS ? SLICE_NS : share > SLICE_MAX_NS ? SLICE_MAX_NS : share;
}

struct txn *
gate_read(struct gate *g, struct txn *t)
{
	return store_read(g->config.store, t) == ERR_OK ? t : NULL;
}

void
gate_read_end(struct txn *t_or_null)
{
	if (t_or_null != NULL)
		store_end(t_or_null);
}
