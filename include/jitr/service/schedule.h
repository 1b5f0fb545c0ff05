/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * schedule.h - what is done at a time of its own: superseded certificates become
 * INACTIVE, and those that expire soon are announced.
 *
 * Broker thread, from TICK; looks at the registry once a second, and submits a
 * job when something is due.
 */
#ifndef JITR_SCHEDULE_H
#define JITR_SCHEDULE_H

#include "jitr/service/gate.h"

/* The owner sets all but the last three (borrowed); these begin zero. */
struct schedule {
	struct store *store;
	struct writer *writer;
	struct report *report;
	struct gate *gate;
	const char *account_id;
	int64_t expiring_days; /* how long before notAfter; 0: not at all */
	int64_t (*now)(void);
	int64_t looked;
	bool busy, announced;
};

void schedule_tick(struct schedule *a);

/* Were events committed since the last call? */
bool schedule_take_announced(struct schedule *a);

#endif
