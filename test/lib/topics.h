/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* topics.h - the topics that stats.h publishes below $SYS/broker/jitr/, as documents write them. */
#ifndef JITR_TEST_TOPICS_H
#define JITR_TEST_TOPICS_H

#include "jitr/service/stats.h"

static const char *const documented_topics[] = {
#define X(field, topic) topic,
	STATS_TABLE(X) WRITER_GAUGES(X) STORE_GAUGES(X)
#undef X
#define X(name, topic) "crl/<caCertificateId>/" topic,
	    CRL_GAUGES(X)
#undef X
		"connections/refused/<code>",
	"certificates/status/<STATUS>", "commits/mean_us",
#define X(field, old, topic) old,
	STATS_RENAMES(X) STORE_RENAMES(X)
#undef X
};

#endif
