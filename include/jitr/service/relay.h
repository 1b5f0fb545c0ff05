/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * relay.h - control requests between the broker and the api, without reading them.
 *
 * A message on the control topic is refused here, or passed on with the description of its
 * caller; its answer comes back by its number and is sent to the connection that asked, or to
 * none.  A caller without rights gets one fixed answer, a few times, and then none (rate.h).
 * So does a caller with rights that has too much outstanding: requests that were passed on and
 * have no answer yet.
 *
 * Broker thread.
 */
#ifndef JITR_RELAY_H
#define JITR_RELAY_H

#include "jitr/core/control_message.h"
#include "jitr/service/gate.h"

/* Outstanding requests, and their bytes: of one user or certificate, and of all. */
#define RELAY_REQUESTS_OF_ONE 1024
#define RELAY_BYTES_OF_ONE    (16 * 1024 * 1024)
#define RELAY_REQUESTS_MAX    2048
#define RELAY_BYTES_MAX       (32 * 1024 * 1024)

struct relay_config {
	struct gate *gate; /* borrowed, as the others */
	const struct broker *broker;
	struct report *report;
	struct stats *stats;
	int64_t (*clock_us)(void); /* monotonic, not 0 */

	/* Passes a request on.  relay_answer() may be called meanwhile.  ERR_BUSY: there is no
	 * room for it; ERR_STORAGE: nothing carries out requests now. */
	enum err (*request)(void *context, const struct control_request *r);

	/* The connection of this session, which has requests outstanding, ended. */
	void (*left)(void *context, uint64_t session);
	void *context;
};

struct relay;

MUST_USE enum err relay_open(const struct relay_config *config, struct relay **out);
void relay_close(struct relay *r); /* drops what waits; NULL is fine */

/* A message on the control topic; every argument is borrowed for the call.  response_topic: a
 * second topic for the answer, NULL: none. */
void relay_request(struct relay *r, const struct client *c, struct view payload,
    const char *response_topic);

/* An answer.  It is copied and waits for relay_send_answers().  One that belongs to no
 * outstanding request is dropped. */
void relay_answer(struct relay *r, const struct control_answer *a);

/* The registrar has ended.  Each outstanding request is answered: whether it
 * was carried out is not known. */
void relay_requests_lost(struct relay *r);

/* A client disconnects: called before gate_disconnected(). */
void relay_disconnected(struct relay *r, const struct client *c);

/* Answers are sent on a TICK; Mosquitto 2.1 sends messages of plugins before that event, so
 * there they are also sent when a request was passed on. */
void relay_send_answers(struct relay *r);
bool relay_has_answers(const struct relay *r);

/* TICK: connections that ended otherwise are found, and refusals without a line are logged. */
void relay_tick(struct relay *r);

#endif
