/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* pace.c - see pace.h. */
#include "jitr/core/pace.h"

#define EVENT 1000 /* in thousandths */

static uint64_t
earned(const struct pace *p, int64_t now)
{
	uint64_t by_turns = p->turns * EVENT;
	uint64_t by_time = now > p->refilled ? (uint64_t)(now - p->refilled) * PACE_PER_SECOND : 0;

	return by_turns < by_time ? by_turns : by_time;
}

void
pace_refill(struct pace *p, int64_t now)
{
	uint64_t more = earned(p, now);

	p->spent = p->spent > more ? p->spent - more : 0;
	p->refilled = now;
	p->turns = 0;
}

bool
pace_allows(const struct pace *p)
{
	return p == NULL || p->spent + EVENT <= (uint64_t)PACE_BURST * EVENT;
}

void
pace_spend(struct pace *p)
{
	if (p != NULL)
		p->spent += EVENT;
}
