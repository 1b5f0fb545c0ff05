/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * schedule.h - changes that are due at a certain time: superseded certificates become
 * INACTIVE, and certificates that expire soon get an event.
 *
 * The registrar's thread.  A tick checks the registry once a second and submits a job if something
 * is due.
 */
#ifndef JITR_SCHEDULE_H
#define JITR_SCHEDULE_H

#include "jitr/service/change_listener.h"
#include "jitr/service/report.h"
#include "jitr/registrar/writer.h"

struct schedule_config {
	struct store *store; /* borrowed, as the others */
	struct writer *writer;
	struct report *report;
	const struct change_listener *listener;
	const char *account_id;
	int64_t expiring_days; /* the event comes so long before notAfter; 0: no events */
	int64_t (*now)(void);  /* ms since 1970 */
};

struct schedule;

MUST_USE enum err schedule_open(const struct schedule_config *config, struct schedule **out);
void schedule_close(struct schedule *s); /* after writer_stop(); NULL is fine */

void schedule_tick(struct schedule *s);

#endif
