/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * request.h - control requests: bytes in, bytes out.
 *
 * {"commands":[{"command":"describeCertificate",...}, ...]} on $CONTROL/jitr/v1 is answered
 * with {"responses":[...]} to the client that asked, and to no other (contract, section 3).
 * Changes are jobs of the writer, and the request is answered after the last commit: an
 * answer to a change means that it is on disk.  Commands are carried out in order: one that
 * reads sees the changes before it and none after it.  A command that fails has changed
 * nothing, and does not fail the others.
 *
 * Requests are carried out in slices of the registrar's thread: the first at once, the others
 * from api_tick(), one caller after the other.  The requests of a caller that was sent more
 * than its share wait; beyond REQUESTS_HELD_MAX they are refused.  Requests of callers without
 * rights do not come here (relay.h).
 *
 * The registrar's thread.
 */
#ifndef JITR_REQUEST_H
#define JITR_REQUEST_H

#include "jitr/service/change_listener.h"
#include "jitr/core/control_message.h"
#include "jitr/registrar/crls.h"
#include "jitr/registrar/writer.h"
#include "jitr/service/judge.h"

/* Bounds of one request. */
#define REQUEST_COMMANDS_MAX 50
#define REQUEST_DEPTH_MAX    16
#define REQUEST_ANSWER_MAX   (1024 * 1024) /* bytes; a command that exceeds it fails */
#define REQUEST_STEPS_MAX    4000000       /* of evaluating policies (pattern.h) */
#define REQUEST_TIME_MAX_US  500000        /* on the registrar's thread */

/* Time of the registrar's thread: at once, and per second. */
#define REQUESTS_SLICE_US 3000
#define REQUESTS_SHARE_US 300000

/* Bytes of requests that are not answered yet; half of that for one caller. */
#define REQUESTS_HELD_MAX (32 * 1024 * 1024)

/* Bytes of answers, at once and per second: to one caller, and to all. */
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
	struct judge *judge; /* borrowed; of the API alone */
	struct crls *crls;
	const struct change_listener *listener; /* borrowed */
	struct report *report;
	struct stats *stats;

	/* Each request is answered once.  May be called inside api_request(). */
	void (*answer)(void *context, const struct control_answer *a);
	void *answer_context;

	int64_t (*now)(void);      /* ms since 1970 */
	int64_t (*clock_us)(void); /* monotonic, not 0 */
};

struct api;

MUST_USE enum err api_open(const struct api_config *config, struct api **out);
void api_close(struct api *a); /* after writer_stop(); NULL is fine */

/* A request of a caller with rights, borrowed for the call.  It is answered even if it is not
 * JSON; throttled if its caller has used up its share. */
void api_request(struct api *a, const struct control_request *request);

/* The connection of this session ended: its requests that are not read yet are refused. */
void api_caller_left(struct api *a, uint64_t session);

bool api_is_busy(const struct api *a); /* requests wait for api_tick() */

/* Each turn of the registrar's loop: requests go on, and a failed update of the CA mirror
 * (ca_mirror.h) is tried again. */
void api_tick(struct api *a);

/* Another process changed the registry: the CA mirror is updated. */
void api_changed_elsewhere(struct api *a);

#endif
