/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* budget.h - bounds on the cost of one request, shared by its commands.  The registrar's thread. */
#ifndef JITR_BUDGET_H
#define JITR_BUDGET_H

#include "jitr/core/base.h"

struct budget {
	size_t steps; /* left, of policies (pattern.h) */
	size_t bytes; /* left, of the answer */
	int64_t ends; /* the present slice; µs, monotonic */
	int64_t (*clock_us)(void);
};

static inline bool
budget_slice_over(const struct budget *b)
{
	return b->clock_us() >= b->ends;
}

#endif
