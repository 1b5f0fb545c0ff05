/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * answers.h - answers that wait to be sent to the connections that asked.
 *
 * The broker sends an answer to a client id: the connection that has the id at that time
 * receives it.  So an answer waits here until the broker is about to send; it is dropped if
 * the connection that asked has ended; and gate_hold() keeps the client id from other
 * connections until the answer is sent.  Broker thread.
 */
#ifndef JITR_ANSWERS_H
#define JITR_ANSWERS_H

#include "jitr/service/broker.h"
#include "jitr/service/gate.h"

struct answers;

/* Gate and broker are borrowed. */
MUST_USE enum err answers_open(struct gate *gate, const struct broker *broker,
    struct answers **out);
void answers_close(struct answers *a); /* drops what waits; NULL is fine */

/* The texts are copied; response_topic: a second topic, NULL for none. */
MUST_USE enum err answers_add(struct answers *a, const struct caller *caller, const char *client_id,
    const char *response_topic, struct view payload);

bool answers_waiting(const struct answers *a);

/* Sends those that wait, up to a limit of bytes and at least one; the error is that of the last one that could not be sent. */
MUST_USE enum err answers_send(struct answers *a);

#endif
