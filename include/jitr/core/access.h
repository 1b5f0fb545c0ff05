/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * access.h - decides whether an accepted client may publish, subscribe or receive.
 *
 * access_decide() judges packets, wills, deliveries to offline sessions, explain and
 * testAuthorization; access_connect() judges iot:Connect.  Live clients and explain
 * therefore cannot differ.  Pure, no allocation.  The certificate's policies are
 * evaluated through a callback, so any thread may call that may call the callback.
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
	ACCESS_DISCONNECT, /* deny, and disconnect the client; never returned by this module */
};

enum action {
	ACTION_READ,  /* a message is about to be delivered */
	ACTION_WRITE, /* publish, or a will */
	ACTION_SUBSCRIBE,
	ACTION_UNSUBSCRIBE,
};

/* What decides the rights of an ACTIVE certificate. */
enum authorization {
	AUTHORIZATION_POLICY, /* the policies attached to it decide (aws-iot F) */
	AUTHORIZATION_DEFER,  /* other plugins and acl_file decide */
	AUTHORIZATION_ALLOW,
};

struct access_question {
	enum action action;
	struct view topic; /* or topic filter, as the client sent it */
	bool retain;       /* ACTION_WRITE only */
};

/* Evaluates the policies of a certificate.  match may be NULL. */
typedef enum policy_result access_asker(const void *context, enum policy_action action,
    struct view name, struct policy_match *match);

struct access_rights {
	enum authorization authorization;
	bool administrator; /* listed in admin_certificates */
	access_asker *ask;
	const void *context;
};

/* The rule that decided. */
enum access_basis {
	BASIS_RESERVED, /* only the plugin may publish to this topic */
	BASIS_CONTROL,  /* the control topic, or a response: the plugin's answer says whether
			 * the client has rights */
	BASIS_ADMINISTRATOR,
	BASIS_OPTION, /* the option authorization is defer or allow */
	BASIS_POLICY,
};

struct access_decision {
	enum access access;
	enum access_basis basis;
	enum policy_result result; /* BASIS_POLICY only; match is set unless this is
				    * POLICY_IMPLICIT_DENY */
	struct policy_match match;
};

/* The topic as acl_file rules see it: for a shared subscription, the filter behind the
 * group (MQTT 5, 4.8.2). */
struct view access_plain_topic(const struct access_question *q);

struct access_decision access_decide(const struct access_rights *r,
    const struct access_question *q);

/* May the client connect with this client id (iot:Connect)? */
struct access_decision access_connect(const struct access_rights *r, struct view client_id);

/* Why access_connect() denied, or REASON_NONE if it did not.  policies: number of
 * attached policies; usable: all of them could be compiled. */
enum reason access_refusal(const struct access_decision *d, bool usable, size_t policies);

#endif
