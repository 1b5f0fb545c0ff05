/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* slice.c - see gate.h: the clocks, and the length of a slice of the broker's time. */
#include <time.h>

#include "gate_private.h"

/* The slice at one turn of the broker's loop: other clients wait longer by this. */
#define SLICE_NS ((int64_t)1000 * 1000)

/* Where a turn of a busy broker takes long, the slice is a quarter of it, so that closing many
 * connections does not take a busy broker much longer than an idle one. */
#define SLICE_SHARE  4
#define SLICE_MAX_NS ((int64_t)5 * 1000 * 1000)

static int64_t
read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t
gate_clock_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
gate_cpu_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t
gate_slice_ns(int64_t since_last)
{
	int64_t share = since_last / SLICE_SHARE;

	return share < SLICE_NS ? SLICE_NS : share > SLICE_MAX_NS ? SLICE_MAX_NS : share;
}
