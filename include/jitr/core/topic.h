/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * topic.h - topics and filters that mean something to the plugin.
 *
 * Pure, no allocation.  Any thread: the broker asks about topics from others
 * than its own (mosquitto section 0, 12).
 */
#ifndef JITR_TOPIC_H
#define JITR_TOPIC_H

#include "jitr/core/base.h"

/* Control requests, and the answers to them. */
#define CONTROL_TOPIC          "$CONTROL/jitr/v1"
#define CONTROL_RESPONSE_TOPIC "$CONTROL/jitr/v1/response"

/* Topics that only the plugin publishes to: events, counters, answers. */
bool topic_is_reserved(const char *topic);
bool topic_reserved(struct view topic); /* the same of a view */

bool topic_is_request(struct view topic); /* where control requests go */
bool topic_is_answer(struct view topic);  /* where their answers arrive */

/* Events, counters and the control topic, and what is below them: what an
 * administrator may subscribe to. */
bool topic_is_ours(struct view topic_or_filter);

bool topic_begins_with_dollar(struct view topic_or_filter);

/* $aws and what is below it. */
bool topic_is_aws(struct view topic_or_filter);

/* $CONTROL and what is below it, but not ours: the administration of other
 * plugins. */
bool topic_is_foreign_control(struct view topic_or_filter);

/* The filter of a shared subscription, "$share/<group>/<filter>" (MQTT 5, 4.8.2);
 * data NULL: it is none. */
struct view topic_shared_filter(struct view filter);

#endif
