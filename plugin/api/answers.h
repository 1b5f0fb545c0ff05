/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * answers.h - answers on their way to the connections that asked.
 *
 * The broker sends an answer to a client id: the connection that has that id by then
 * receives it.  So an answer waits here until the broker is about to send, is dropped if
 * the connection that asked has ended, and keeps its client id from other connections
 * until it is sent (gate_hold()).  Broker thread.
 */
#ifndef JITR_ANSWERS_H
#define JITR_ANSWERS_H

#include "jitr/service/broker.h"
#include "jitr/service/gate.h"

struct reply;

struct answers {
	struct reply *first, *last; /* list */
	struct gate *gate;
	const struct broker *broker;
};

/* The texts are copied; response_topic: a second topic, NULL for none. */
MUST_USE enum err answers_add(struct answers *a, const struct caller *caller, const char *client_id,
    const char *response_topic, struct view payload);

bool answers_waiting(const struct answers *a);
/* Sends them all; the error of the last one that could not be sent. */
MUST_USE enum err answers_send(struct answers *a);
void answers_clear(struct answers *a);

#endif
