/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy.h - AWS IoT policies: compile once, evaluate often (aws-iot F).
 *
 * A compiled policy is immutable.  Evaluation is pure, allocates nothing, and
 * takes a few milliseconds at most whatever policies and topic are: beyond a
 * number of steps (pattern.h) everything counts as hidden.  An explicit Deny
 * wins over any Allow; no match is a Deny.
 *
 * A variable is matched as literal text, never spliced into the pattern: a
 * client that calls itself "*" matches only "*".  One without a value matches
 * nothing.  What depends on a hidden fact (facts.h) does not allow, and does
 * deny.  There is no clock: the time is hidden.
 * iot:ConnectAttributes and iot:LastWillTopic have none but for iot:Connect.
 */
#ifndef JITR_POLICY_H
#define JITR_POLICY_H

#include "jitr/core/facts.h"

#define POLICY_CHARACTERS_MAX 2048 /* without white space (aws-iot 1.7, PolicyDocument) */
#define POLICY_BYTES_MAX      404600
#define POLICIES_MAX          10 /* of one certificate (aws-iot appendix 1) */

enum policy_action {
	POLICY_CONNECT,        /* iot:Connect       client/<client id>  */
	POLICY_PUBLISH,        /* iot:Publish       topic/<topic>       */
	POLICY_RETAIN_PUBLISH, /* iot:RetainPublish topic/<topic>       */
	POLICY_RECEIVE,        /* iot:Receive       topic/<topic>       */
	POLICY_SUBSCRIBE,      /* iot:Subscribe     topicfilter/<text>  */
	POLICY_CONTROL,        /* any other; policy_request.control is its name */
	POLICY_ACTION_COUNT
};

const char *policy_action_name(enum policy_action a);   /* "iot:Connect"; "" for control */
const char *policy_resource_type(enum policy_action a); /* "client", "topic", ...; "" */

/* Where this broker stands in an ARN: "arn:aws:iot:<region>:<account>:". */
#define ARN_PREFIX_SIZE 112
struct arn_scope {
	char prefix[ARN_PREFIX_SIZE];
};

struct arn_scope arn_scope_of(const char *region, const char *account_id);

/*
 * One question.  The resource's ARN is head and name, one behind the other:
 * for an action of a device head is "<prefix>topic/" and name the topic; for
 * POLICY_CONTROL head may be empty and name the whole, "*" for none.  A head
 * that is not empty has at least the ARN's first five parts.
 *
 * Those five are compared one by one, so a wildcard there does not reach beyond
 * its colon; what is behind them, which may contain colons, is compared as one
 * text (IAM user guide, "Resource"; policy_form.h for resources with fewer parts).
 *
 * A topic or filter that begins with '$' is reached only by an Allow that
 * names its first level literally, behind the first '/' of its resource:
 * topic/$SYS/... but not topic/... with a wildcard or a variable there.
 *
 * A control action is allowed only by an action pattern with literal text
 * behind "iot:" ("iot:UpdateCertificate", "iot:*Certificate", not "*",
 * "iot:*" or NotAction): a device's broad policy makes no administrator.
 *
 * With any_name every name behind head is asked for at once: an Allow has to reach
 * all of them, and a Deny that may reach one of them denies.
 */
struct policy_request {
	enum policy_action action;
	const char *control; /* "iot:UpdateCertificate" */
	struct view head, name;
	bool any_name; /* then name is empty */
	const struct facts *facts;
	size_t *steps; /* what the answer takes is added; NULL */
};

enum policy_result {
	POLICY_IMPLICIT_DENY, /* nothing matched */
	POLICY_ALLOWED,
	POLICY_EXPLICIT_DENY,
};

/* Which statement decided: the first that denies, else the first that allows. */
struct policy_match {
	size_t policy;    /* in the set */
	size_t statement; /* in the document, from 0 */
	struct view sid;  /* lives as long as the policy; may be empty */
};

struct policy;

/* Compile a document.  ERR_POLICY: *diag names the place and what is wrong,
 * "Statement[1].Condition.StringEqual: unknown operator".  Broker thread. */
MUST_USE enum err policy_compile(struct view document, const struct arn_scope *scope,
    struct policy **out, struct diag *diag);
void policy_free(struct policy *p); /* NULL is fine */

/* ground may be NULL; it is set unless the answer is POLICY_IMPLICIT_DENY. */
enum policy_result policy_eval(const struct policy *const *set, size_t count,
    const struct policy_request *request, struct policy_match *ground);

/* What of the facts it looks at, so that the rest need not be gathered. */
enum {
	POLICY_USES_CERTIFICATE = 1u << 0,
	POLICY_USES_THING = 1u << 1,
	POLICY_ALLOWS_CONTROL = 1u << 2, /* there is an Allow for some control action */
	POLICY_DENIES_CONTROL = 1u << 3, /* there is a Deny that may reach one */
};

unsigned policy_uses(const struct policy *p);

/* The variables and condition keys it names, each once, as written: nth = 0,
 * 1, ...; *has_value says whether these facts have a value for it.  false: no
 * more.  For testAuthorization's missingContextValues. */
bool policy_variable(const struct policy *p, size_t nth, const struct facts *facts,
    struct view *name, bool *has_value);

#endif
