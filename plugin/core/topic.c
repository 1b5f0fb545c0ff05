/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* topic.c - see topic.h. */
#include <string.h>

#include "jitr/core/topic.h"

#define CONTROL_PREFIX "$CONTROL/jitr"
#define EVENTS_PREFIX  "$aws/events"
#define COUNTER_PREFIX "$SYS/broker/jitr"
#define SHARE_PREFIX   "$share/"

bool
topic_begins_with_dollar(struct view topic)
{
	return topic.len > 0 && topic.data[0] == '$';
}

/* Is the topic this prefix, or below it? */
static bool
is_below(struct view topic, const char *prefix)
{
	size_t len = strlen(prefix);

	return topic.len >= len && memcmp(topic.data, prefix, len) == 0 &&
	    (topic.len == len || topic.data[len] == '/');
}

bool
topic_is_ours(struct view topic)
{
	return topic_begins_with_dollar(topic) &&
	    (is_below(topic, CONTROL_PREFIX) || is_below(topic, EVENTS_PREFIX) ||
		is_below(topic, COUNTER_PREFIX));
}

/* In 2.0.11 a will on the response topic reached subscribers (mosquitto section 6). */
bool
topic_reserved(struct view topic)
{
	return topic_is_ours(topic) && !topic_is_request(topic);
}

bool
topic_is_reserved(const char *topic)
{
	return topic[0] == '$' && topic_reserved(view_of(topic));
}

bool
topic_is_request(struct view topic)
{
	return view_equal(topic, view_of(CONTROL_TOPIC));
}

bool
topic_is_answer(struct view topic)
{
	return view_equal(topic, view_of(CONTROL_RESPONSE_TOPIC));
}

bool
topic_is_aws(struct view topic)
{
	return is_below(topic, "$aws");
}

bool
topic_is_foreign_control(struct view topic)
{
	return is_below(topic, "$CONTROL") && !is_below(topic, CONTROL_PREFIX);
}

struct view
topic_shared_filter(struct view filter)
{
	const struct view none = { NULL, 0 };
	size_t len = strlen(SHARE_PREFIX);
	const uint8_t *slash;

	if (filter.len <= len || memcmp(filter.data, SHARE_PREFIX, len) != 0)
		return none;
	slash = memchr(filter.data + len, '/', filter.len - len);
	if (slash == NULL)
		return none;
	return (struct view){ slash + 1, filter.len - (size_t)(slash + 1 - filter.data) };
}
