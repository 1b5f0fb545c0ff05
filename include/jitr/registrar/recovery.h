/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * recovery.h - opens a broken registry again, and says when its files are gone.
 *
 * The states are those of store.h.  While the registry is broken no certificate is let in
 * and nothing is changed; after it was opened again store_changed_elsewhere() returns true,
 * so that everything that was cached is compared with it.  The registrar's thread.
 */
#ifndef JITR_RECOVERY_H
#define JITR_RECOVERY_H

#include "jitr/adapter/store.h"
#include "jitr/service/broker.h"

/* After the first failure to open it, then twice as long each time. */
#define RECOVERY_RETRY_MS     1000
#define RECOVERY_RETRY_MAX_MS 60000

/* A disk that fails at each commit has a line in the log at most so often. */
#define RECOVERY_LOG_MS 10000

struct recovery {
	struct store *store; /* borrowed */
	void (*log)(void *context, enum log_level level, const char *line);
	void *context;

	/* Zero at first; times in ms, monotonic. */
	bool gone;          /* was logged */
	bool broken;        /* was logged */
	int64_t broken_at;  /* when it was logged; 0: never */
	int64_t retry_at;   /* not opened before */
	int64_t retry_wait; /* 0: the last attempt succeeded */
};

/* Each tick; cheap while the registry is in order.  now: ms, monotonic, greater than 0. */
void recovery_tick(struct recovery *r, int64_t now);

#endif
