/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * stats.h - what happened, counted since the broker started.
 *
 * One row per counter: its field and its topic below $SYS/broker/jitr/.
 * Broker thread.
 */
#ifndef JITR_STATS_H
#define JITR_STATS_H

#include "jitr/broker.h"

#define STATS_TOPIC "$SYS/broker/jitr/"

#define STATS_TABLE(X)                                                                     \
	X(accepted,   "connections/accepted")    /* ACTIVE certificates let in */          \
	X(refused,    "connections/refused")     /* certificates turned away */            \
	X(cut,        "connections/cut")         /* live connections closed */             \
	X(registered, "certificates/registered") /* by a first connection, committed */    \
	X(failed,     "certificates/failed")     /* registrations that could not be stored */ \
	X(busy,       "certificates/busy")       /* registrations put off, queue full */   \
	X(events,     "events/published")        /* registration events */                 \
	X(denied_publish,   "publishes/denied")  /* by policies */                         \
	X(denied_subscribe, "subscriptions/denied")                                        \
	X(denied_receive,   "deliveries/denied")                                           \
	X(requests,   "requests/handled")        /* control requests */                    \
	X(denied,     "requests/denied")         /* of callers who may not */              \
	X(presence_published,  "presence/published")  /* events of who is connected */     \
	X(presence_dropped,    "presence/dropped")    /* too many waited, or no memory */  \
	X(presence_suppressed, "presence/suppressed") /* connections that failed, too many a second */

struct stats {
#define X(field, topic) uint64_t field;
	STATS_TABLE(X)
#undef X
};

/* One retained message per counter. */
void stats_publish(const struct stats *s, const struct broker *broker);

#endif
