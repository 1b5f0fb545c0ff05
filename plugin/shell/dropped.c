/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * dropped.c - reports that the broker drops messages.
 *
 * The broker does not tell plugins which messages it drops, but it publishes their number,
 * retained, at each sys_interval in which it changes; and it asks plugins about each
 * delivery of that message.  So the number is known only while a client subscribes to
 * DROPPED_TOPIC.
 */
#include <stdlib.h>
#include <string.h>

#include "plugin_private.h"

#define REPORT_INTERVAL_MS 60000

NOT_INLINE void
dropped_read(struct plugin *p, const void *text, size_t len)
{
	char number[24];

	if (text == NULL || len >= sizeof(number))
		return;
	memcpy(number, text, len);
	number[len] = '\0';
	p->stats.broker_dropped = strtoull(number, NULL, 10);
}

void
dropped_report(struct plugin *p, int64_t now)
{
	uint64_t dropped = p->stats.broker_dropped;

	if (dropped <= p->dropped_reported ||
	    (p->dropped_reported_at != 0 && now - p->dropped_reported_at < REPORT_INTERVAL_MS))
		return;
	p->dropped_reported = dropped;
	p->dropped_reported_at = now;
	report_line(p->report, LEVEL_WARNING,
	    "the broker says that it has dropped %llu messages so "
	    "far that clients did not take in time; events may be among them: see "
	    "max_queued_messages in mosquitto.conf",
	    (unsigned long long)dropped);
}
