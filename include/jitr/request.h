/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * request.h - control requests: bytes in, bytes out.
 *
 * {"commands":[{"command":"describeCertificate",...}, ...]} on $CONTROL/jitr/v1
 * is answered by {"responses":[...]} to the asking client alone (contract,
 * section 3).  A request that only reads is answered at once; changes are jobs
 * of the writer, and the request is answered after the last commit: an answer
 * to a change means that it is on disk.  Commands are carried out in order,
 * a question sees the changes before it and none after, and each stands
 * alone: one that fails has changed nothing.
 *
 * Broker thread.
 */
#ifndef JITR_REQUEST_H
#define JITR_REQUEST_H

#include "jitr/crls.h"

/* Bounds of what one request may cost the broker's thread. */
#define REQUEST_MAX          (512 * 1024) /* bytes */
#define REQUEST_DENIED_MAX   (16 * 1024)  /* of a caller who may not: only to name what he asked */
#define REQUEST_COMMANDS_MAX 50
#define REQUEST_DEPTH_MAX    16

struct api_config {
	char                 account_id[13];
	char                 region[64];
	const char          *ca_path; /* borrowed */
	struct store        *store;
	struct writer       *writer;
	struct gate         *gate;
	struct crls         *crls;
	struct report       *report;
	struct stats        *stats;
	const struct broker *broker;
	int64_t (*now)(void);
};

struct api;

MUST_USE enum err api_open(const struct api_config *config, struct api **out);
void api_close(struct api *a); /* after writer_stop(); NULL is fine */

/* A message on the control topic.  Always answered, also when it is garbage;
 * response_topic: where else the client wants to hear it, NULL as a rule.  Answers wait
 * for api_tick() or api_send_answers(). */
void api_request(struct api *a, const struct client *c, struct view payload,
    const char *response_topic);

/* For a broker that sends what plugins publish before it ticks (2.1). */
void api_send_answers(struct api *a);
bool api_has_answers(const struct api *a);

/* TICK: whatever of the CA mirror failed is tried again now and then. */
void api_tick(struct api *a);

/* Another process changed the registry: the CA mirror is brought up to date. */
void api_changed_elsewhere(struct api *a);

#endif
