/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* stats.c - see stats.h. */
#include <inttypes.h>
#include <stdio.h>

#include "jitr/stats.h"

static void
publish_counter(const struct broker *broker, const char *topic, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	/* A counter that could not be published is told at the next interval. */
	(void)broker->publish(topic, view_of(text), 0, true);
}

void
stats_publish(const struct stats *s, const struct broker *broker)
{
#define X(field, topic) publish_counter(broker, STATS_TOPIC topic, s->field);
	STATS_TABLE(X)
#undef X
}
