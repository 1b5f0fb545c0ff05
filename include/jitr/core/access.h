/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access.h - may a certificate that is let in do this?
 *
 * The one place where that is decided: packets, wills, deliveries to offline
 * sessions, explain and testAuthorization all ask access_decide(), and iot:Connect
 * access_connect(), so they cannot differ.  Pure, no allocation; it asks the
 * certificate's policies through a function of the caller.  Any thread that may
 * call that function.
 */
#ifndef JITR_ACCESS_H
#define JITR_ACCESS_H

#include "jitr/core/decide.h"
#include "jitr/core/policy.h"
#include "jitr/core/topic.h"

enum access {
	ACCESS_DENY,
	ACCESS_ALLOW,
	ACCESS_DEFER,      /* other plugins and acl_file decide */
	ACCESS_DISCONNECT, /* no, and the client is to be disconnected; never from here */
};

enum action {
	ACTION_READ,  /* a message is about to be delivered */
	ACTION_WRITE, /* publish, or a will */
	ACTION_SUBSCRIBE,
	ACTION_UNSUBSCRIBE,
};

/* What an ACTIVE certificate may do. */
enum authorization {
	AUTHORIZATION_POLICY, /* the policies attached to it decide (aws-iot F) */
	AUTHORIZATION_DEFER,  /* other plugins and acl_file decide */
	AUTHORIZATION_ALLOW,
};

struct access_question {
	enum action action;
	struct view topic; /* or filter, as it was sent */
	bool retain;       /* of ACTION_WRITE */
};

/* What the policies of a certificate say; ground may be NULL. */
typedef enum policy_result access_asker(const void *context, enum policy_action action,
    struct view name, struct policy_match *ground);

struct access_rights {
	enum authorization authorization;
	bool administrator; /* one of admin_certificates */
	access_asker *ask;
	const void *context;
};

/* What decided. */
enum access_basis {
	BASIS_RESERVED, /* only the plugin publishes there */
	BASIS_CONTROL,  /* requests and their answers: the answer says whether the client may */
	BASIS_ADMINISTRATOR,
	BASIS_OPTION, /* authorization is not policy */
	BASIS_POLICY,
};

struct access_decision {
	enum access access;
	enum access_basis basis;
	enum policy_result result; /* of BASIS_POLICY; the next is set unless it is
	                              * POLICY_IMPLICIT_DENY */
	struct policy_match ground;
};

/* The topic as rules without policies see it: a shared subscription is the filter
 * that it shares (MQTT 5, 4.8.2). */
struct view access_plain_topic(const struct access_question *q);

struct access_decision access_decide(const struct access_rights *r,
    const struct access_question *q);

/* iot:Connect. */
struct access_decision access_connect(const struct access_rights *r, struct view client_id);

/* Why access_connect() said no, of one with so many policies; usable: all of them
 * can be asked.  REASON_NONE: it said yes. */
enum reason access_refusal(const struct access_decision *d, bool usable, size_t policies);

#endif
