/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * topic.h - topics and topic filters with a meaning to the plugin.
 *
 * Pure, no allocation.  Any thread: the broker checks topics on several threads
 * (mosquitto section 0, 12).
 */
#ifndef JITR_TOPIC_H
#define JITR_TOPIC_H

#include "jitr/core/base.h"

/* Control requests and their responses. */
#define CONTROL_TOPIC          "$CONTROL/jitr/v1"
#define CONTROL_RESPONSE_TOPIC "$CONTROL/jitr/v1/response"

/* Topics to which only the plugin may publish: events, counters, responses. */
bool topic_is_reserved(const char *topic);
bool topic_reserved(struct view topic); /* as topic_is_reserved() */

bool topic_is_request(struct view topic); /* the topic of control requests */
bool topic_is_answer(struct view topic);  /* the topic of their responses */

/* Events, counters, the control topic, and everything below them: administrators may
 * subscribe to these. */
bool topic_is_ours(struct view topic_or_filter);

bool topic_begins_with_dollar(struct view topic_or_filter);

/* $aws and everything below it. */
bool topic_is_aws(struct view topic_or_filter);

/* $CONTROL and everything below it, except our own topics: administration of other
 * plugins. */
bool topic_is_foreign_control(struct view topic_or_filter);

/* The filter of a shared subscription, "$share/<group>/<filter>" (MQTT 5, 4.8.2); data
 * NULL if it is not one. */
struct view topic_shared_filter(struct view filter);

#endif
