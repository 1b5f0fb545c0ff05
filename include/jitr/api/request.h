/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * request.h - control requests: bytes in, bytes out.
 *
 * {"commands":[{"command":"describeCertificate",...}, ...]} on $CONTROL/jitr/v1
 * is answered by {"responses":[...]} to the asking client alone (contract,
 * section 3).  Changes are jobs of the writer, and the request is answered after
 * the last commit: an answer to a change means that it is on disk.  Commands are
 * carried out in order, a question sees the changes before it and none after,
 * and each stands alone: one that fails has changed nothing.
 *
 * Requests are carried out in slices: as much of the broker's thread as they
 * have been given at once, and the rest from api_tick(), caller by caller in
 * turn.  A caller that is sent more than its share waits, its requests with it,
 * up to a bound, beyond which they are refused.
 *
 * Of a caller without rights nothing is read: it has one fixed answer, a few
 * times, and then none (budget.h).
 *
 * Broker thread.
 */
#ifndef JITR_REQUEST_H
#define JITR_REQUEST_H

#include "jitr/service/crls.h"

/* Bounds of one request. */
#define REQUEST_MAX          (512 * 1024) /* bytes */
#define REQUEST_COMMANDS_MAX 50
#define REQUEST_DEPTH_MAX    16
#define REQUEST_ANSWER_MAX   (1024 * 1024) /* bytes; what exceeds it is an error of its command */
#define REQUEST_STEPS_MAX    4000000       /* of policies that are asked (pattern.h) */
#define REQUEST_TIME_MAX_US  500000        /* on the broker's thread */

/* Of the broker's thread: at once, and in a second. */
#define REQUESTS_SLICE_US 3000
#define REQUESTS_SHARE_US 300000

/* Bytes of requests that are under way; of one caller half of that. */
#define REQUESTS_HELD_MAX (32 * 1024 * 1024)

/* Bytes of answers, at once and in a second: to one caller and to all. */
#define ANSWERS_OF_ONE_MAX      (8 * 1024 * 1024)
#define ANSWERS_OF_ONE_A_SECOND (2 * 1024 * 1024)
#define ANSWERS_MAX             (32 * 1024 * 1024)
#define ANSWERS_A_SECOND        (8 * 1024 * 1024)

struct api_config {
	char account_id[13];
	char region[64];
	char endpoint[256];  /* host name or address of the broker */
	const char *ca_path; /* borrowed */
	struct store *store;
	struct writer *writer;
	struct gate *gate;
	struct crls *crls;
	struct report *report;
	struct stats *stats;
	const struct broker *broker;
	int64_t (*now)(void);      /* ms since 1970 */
	int64_t (*clock_us)(void); /* monotonic, not 0 */
};

struct api;

MUST_USE enum err api_open(const struct api_config *config, struct api **out);
void api_close(struct api *a); /* after writer_stop(); NULL is fine */

/* A message on the control topic.  Answered also when it is garbage, as long as
 * its caller keeps within its share; response_topic: where else the client wants
 * to hear it, NULL as a rule.  Answers wait for api_tick() or api_send_answers(). */
void api_request(struct api *a, const struct client *c, struct view payload,
    const char *response_topic);

/* For a broker that sends what plugins publish before it ticks (2.1). */
void api_send_answers(struct api *a);
bool api_has_answers(const struct api *a);
bool api_is_busy(const struct api *a); /* requests wait for api_tick() */

/* TICK: requests go on; whatever of the CA mirror failed is tried again now and
 * then. */
void api_tick(struct api *a);

/* Another process changed the registry: the CA mirror is brought up to date. */
void api_changed_elsewhere(struct api *a);

#endif
