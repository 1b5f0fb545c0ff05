/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry_schedule.h - changes that are due at a certain time: superseded certificates
 * become INACTIVE, and certificates that expire soon get an event.
 *
 * As registry.h: read, decide, then put; the registrar's thread.
 */
#ifndef JITR_REGISTRY_SCHEDULE_H
#define JITR_REGISTRY_SCHEDULE_H

#include "jitr/adapter/store.h"

/* A certificate became ACTIVE: schedules the older ACTIVE certificates of its things to
 * become INACTIVE after this many ms. */
MUST_USE enum err registry_supersede(struct txn *t, const struct cert *cert, int64_t after,
    int64_t now);

/* The same, if its CA is configured so. */
MUST_USE enum err registry_supersede_by_ca(struct txn *t, const struct cert *cert, int64_t now);

/* Makes superseded certificates INACTIVE that are due; at most max.  ids: the certificates. */
MUST_USE enum err registry_retire_superseded(struct txn *t, int64_t now, struct certid *ids,
    size_t max, size_t *count);

/* Puts the events of certificates that expire before until (ms since 1970) and had none; at
 * most max.  *count: their number. */
MUST_USE enum err registry_announce_expiring(struct txn *t, int64_t until, const char *account_id,
    int64_t now, size_t max, size_t *count);

#endif
