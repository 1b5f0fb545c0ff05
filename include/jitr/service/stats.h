/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * stats.h - counters of events since the broker started, and gauges of the current state.
 *
 * Each number is a retained message below $SYS/broker/jitr/.  All are published from the
 * first interval on, zeroes included.  A new row of a table here, a new reason and a new
 * status each make a new topic; doc/operations.md lists them.
 *
 * A part of the plugin that does not publish counts in a struct stats of its own.  Its counts
 * are taken as a list of deltas and added to those that are published.  One thread for each
 * struct.
 */
#ifndef JITR_STATS_H
#define JITR_STATS_H

#include "jitr/service/broker.h"
#include "jitr/core/decide.h"
#include "jitr/adapter/store.h"
#include "jitr/service/writer_state.h"

#define STATS_TOPIC "$SYS/broker/jitr/"

/*
 * Counters: field and topic.
 */
#define STATS_TABLE(X) \
	X(accepted, "connections/accepted") /* of ACTIVE certificates */ \
	X(refused, "connections/refused")   /* of certificates */ \
	X(closed, "connections/closed")     /* live connections, by the plugin */ \
	X(shared, \
	    "connections/shared_certificate")    /* of a certificate that another client uses */ \
	X(registered, "certificates/registered") /* by a first connection, committed */ \
	X(activated, "certificates/activated")   /* by a rule or a template */ \
	X(revoked, "certificates/revoked")       /* by a revocation list or a rule */ \
	X(provisioning_failed, "certificates/provisioning_failed") \
	X(failed, "certificates/failed")      /* registrations that could not be stored */ \
	X(busy, "certificates/throttled")     /* registrations postponed: queue full */ \
	X(crl_imported, "crl/imported")       /* revocation lists put in force */ \
	X(crl_failed, "crl/failed")           /* revocation lists rejected */ \
	X(events, "events/published")         /* of certificates */ \
	X(broker_dropped, "broker/dropped")   /* messages, as reported by the broker */ \
	X(denied_publish, "publishes/denied") /* by policies */ \
	X(denied_subscribe, "subscriptions/denied") \
	X(denied_receive, "deliveries/denied") \
	X(requests, "requests/handled")             /* control requests */ \
	X(denied, "requests/denied")                /* of callers without rights */ \
	X(throttled, "requests/throttled")          /* of callers with rights: too many at once */ \
	X(unanswered, "requests/unanswered")        /* denied or throttled, without an answer */ \
	X(presence_published, "presence/published") /* events of connections */ \
	X(presence_dropped, "presence/dropped")     /* too many waiting, or no memory */ \
	X(presence_suppressed, \
	    "presence/suppressed")                  /* of failed connections: too many a second */ \
	X(registrar_restarts, "registrar/restarts") /* as child_restarts() */

/* And "connections/refused/<code>" for each code of a reason. */
#define STATS_REFUSED_TOPIC STATS_TOPIC "connections/refused/"

struct stats {
#define X(field, topic) uint64_t field;
	STATS_TABLE(X)
#undef X
	uint64_t refused_for[REASON_COUNT];
};

/* The counters by index: the rows of STATS_TABLE, then refused_for. */
enum { STATS_COUNTERS = sizeof(struct stats) / sizeof(uint64_t) };

struct stats_delta {
	unsigned index; /* below STATS_COUNTERS */
	uint64_t count; /* more than before */
};

/* Moves the counters that are not zero to list, which has room for max; they are zero
 * afterwards.  Counters that do not fit stay for the next call.  Returns their number. */
size_t stats_take_delta(struct stats *s, struct stats_delta *list, size_t max);

/* Whether a counter is not zero. */
bool stats_any(const struct stats *s);

/* ERR_CORRUPT, and nothing was added: there is no such counter. */
MUST_USE enum err stats_add_delta(struct stats *s, const struct stats_delta *list, size_t count);

/* A connection with a certificate was refused. */
void stats_refused(struct stats *s, enum reason reason);

/*
 * Gauges of the writer and of the registry.
 */
#define WRITER_GAUGES(X) \
	X(waiting, "queue/waiting") /* jobs submitted and not finished */ \
	X(commits, "commits/count") /* with a change; a counter */ \
	X(commit_us_last, "commits/last_us") \
	X(commit_us_max, "commits/max_us") /* since the last interval */

#define STORE_GAUGES(X) \
	X(cas, "cas") \
	X(policies, "policies") \
	X(things, "things") \
	X(messages, "events/waiting") /* stored: not yet published and removed */ \
	X(bytes_used, "database/bytes_used") \
	X(bytes_most, "database/bytes_max") /* db_map_size_mb */

/* And "commits/mean_us" (since the start), "certificates/status/<STATUS>",
 * "crl/<caCertificateId>/age_seconds" (since thisUpdate),
 * ".../expires_in_seconds" (negative: stale), ".../entries". */
#define STATS_MEAN_TOPIC   STATS_TOPIC "commits/mean_us"
#define STATS_STATUS_TOPIC STATS_TOPIC "certificates/status/"
#define STATS_CRL_TOPIC    STATS_TOPIC "crl/"
#define CRL_GAUGES(X)      X(AGE, "age_seconds") X(EXPIRES, "expires_in_seconds") X(ENTRIES, "entries")

#define STATS_CRLS_MAX 250 /* published in one interval */

/*
 * Topics with another name in 0.1: field, old topic, topic.  In this release each
 * number is published under both.
 */
#define STATS_RENAMES(X) \
	X(closed, "connections/cut", "connections/closed") \
	X(shared, "connections/clones", "connections/shared_certificate") \
	X(busy, "certificates/busy", "certificates/throttled")
#define STORE_RENAMES(X) X(bytes_most, "database/bytes_most", "database/bytes_max")

/* For the log: "connections/closed (connections/cut), ...", old names in parentheses. */
const char *stats_renames(void);

/* Borrowed for the call. */
struct gauges {
	int64_t now; /* ms since 1970 */
	struct writer_state writer;
	const struct store_counts *counts; /* NULL: the registry could not be read */
	const struct crl_entry *crls;
	size_t crl_count; /* at most STATS_CRLS_MAX are published */
};

void stats_publish(const struct stats *s, const struct gauges *g, const struct broker *broker);

/* The CA has no list any more: removes the list's gauges. */
void stats_forget_crl(const struct certid *ca_id, const struct broker *broker);

#endif
