/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * control_message.h - a control request on its way from the broker to the api, and the answer
 * on its way back.
 *
 * Plain data: nothing in it refers to a connection, a session or a certificate in memory, so
 * that both ends may be in different processes.
 */
#ifndef JITR_CONTROL_MESSAGE_H
#define JITR_CONTROL_MESSAGE_H

#include "jitr/core/model.h"

/* Bytes of one request; a longer one is passed on without its bytes and refused. */
#define REQUEST_MAX (512 * 1024)

/* The rights of a client to the control API. */
enum administration {
	ADMINISTRATION_NONE,
	ADMINISTRATION_BY_POLICY, /* as caller_rights_may() says (caller_rights.h) */
	ADMINISTRATION_ALL,       /* admin_users, admin_certificates */
};

/* The caller, as the gate saw it when the request arrived.  Pointers are borrowed. */
struct caller_facts {
	enum administration administration;
	uint64_t session; /* the number of its session; 0: it has none */
	bool has_certificate;
	struct certid certificate; /* if it has one of a registered CA */
	bool by_plan;              /* the gate let it in before its certificate is stored */
	enum answer persistent_connect;
	const char *client_id; /* never NULL */
	const char *user_name; /* a certificateId if it has a certificate; NULL: none */
	const char *address;   /* NULL: not known */
};

struct control_request {
	uint64_t number; /* of the one who passes it on; its answer has it too */
	struct caller_facts caller;
	struct view payload;        /* data NULL, len > REQUEST_MAX: without its bytes */
	const char *response_topic; /* a second topic for the answer; NULL: none */
};

/* Each request has one answer.  Pointers are borrowed. */
struct control_answer {
	uint64_t number, session;   /* of the request and of its caller */
	bool throttled;             /* not carried out: too many wait; without a payload */
	const char *response_topic; /* as in the request */
	struct view payload;
};

#endif
