/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* slice.c - the clock, and the length of a slice of the broker's time. */
#include <time.h>

#include "gate_private.h"

/* The slice at one turn of the broker's loop: other clients wait longer by this. */
#define SLICE_NS ((int64_t)4 * 1000 * 1000)

/* If the turns are long because the broker is busy, the slice is a quarter of its time, so
 * that a busy broker disconnects as many clients per second as an idle one. */
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
