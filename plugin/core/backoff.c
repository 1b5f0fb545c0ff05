/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* backoff.c - see backoff.h. */
#include "jitr/core/backoff.h"

#define SECOND_MS 1000
#define DOUBLINGS 6 /* 1 s doubled so often exceeds the maximum */

unsigned
backoff_count(unsigned before, int64_t up_ms)
{
	if (up_ms >= BACKOFF_RESET_MS)
		return 1;
	return before <= DOUBLINGS + 1 ? before + 1 : before;
}

int64_t
backoff_delay(unsigned ends)
{
	if (ends <= 1)
		return 0;
	if (ends - 2 >= DOUBLINGS)
		return BACKOFF_MAX_MS;
	return (int64_t)SECOND_MS << (ends - 2);
}
