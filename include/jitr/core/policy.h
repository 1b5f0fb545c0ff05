/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy.h - AWS IoT policies: compile once, evaluate often (aws-iot F).
 *
 * A compiled policy is immutable.  Evaluation is pure, allocates nothing, and takes at
 * most a few milliseconds for any policies and topic: when the budget of steps
 * (pattern.h) is used up, all further results are hidden.  An explicit Deny overrides
 * any Allow; no match is a Deny.
 *
 * The value of a variable is matched literally, never interpreted as a pattern: a
 * client with the id "*" matches only "*".  A variable without a value matches nothing.
 * A condition on a hidden fact (facts.h) does not allow and does deny.  There is no
 * clock: the time is hidden.  iot:ConnectAttributes and iot:LastWillTopic have values
 * for iot:Connect only.
 */
#ifndef JITR_POLICY_H
#define JITR_POLICY_H

#include "jitr/core/facts.h"

#define POLICY_CHARACTERS_MAX 2048 /* without white space (aws-iot 1.7, PolicyDocument) */
#define POLICY_BYTES_MAX      404600
#define POLICIES_MAX          10 /* per certificate (aws-iot appendix 1) */

enum policy_action {
	POLICY_CONNECT,        /* iot:Connect       client/<client id>  */
	POLICY_PUBLISH,        /* iot:Publish       topic/<topic>       */
	POLICY_RETAIN_PUBLISH, /* iot:RetainPublish topic/<topic>       */
	POLICY_RECEIVE,        /* iot:Receive       topic/<topic>       */
	POLICY_SUBSCRIBE,      /* iot:Subscribe     topicfilter/<text>  */
	POLICY_CONTROL,        /* any other action, named by policy_request.control */
	POLICY_ACTION_COUNT
};

const char *policy_action_name(enum policy_action a);   /* "iot:Connect"; "" for control */
const char *policy_resource_type(enum policy_action a); /* "client", "topic", ...; "" */

/* Prefix of the ARNs of this broker: "arn:aws:iot:<region>:<account>:". */
#define ARN_PREFIX_SIZE 112
struct arn_scope {
	char prefix[ARN_PREFIX_SIZE];
};

struct arn_scope arn_scope_of(const char *region, const char *account_id);

/*
 * A request to evaluate.  The resource's ARN is prefix followed by name.  For an action
 * of a device prefix is "<scope>topic/" and name is the topic.  For POLICY_CONTROL
 * prefix may be empty and name the whole ARN, or "*" for no resource.  A prefix that is
 * not empty has at least the first five parts of the ARN.
 *
 * The first five parts are compared one by one, so a wildcard does not match across a
 * colon.  The rest, which may contain colons, is compared as one text (IAM user guide,
 * "Resource"; policy_form.h for resources with fewer parts).
 *
 * A topic or filter that begins with '$' is matched only by an Allow that names its
 * first level literally, behind the first '/' of the resource: topic/$SYS/..., but not
 * topic/... with a wildcard or variable in its place.
 *
 * A control action is allowed only by an action pattern with literal text behind "iot:"
 * ("iot:UpdateCertificate", "iot:*Certificate"; not "*", "iot:*" or NotAction): a broad
 * policy for a device does not make it an administrator.
 *
 * With any_name the request is for every name behind prefix: an Allow must match all of
 * them, and a Deny that may match one of them denies.
 */
struct policy_request {
	enum policy_action action;
	const char *control; /* "iot:UpdateCertificate" */
	struct view prefix, name;
	bool any_name; /* name is empty */
	const struct facts *facts;
	size_t *steps; /* the steps used are added; may be NULL */
};

enum policy_result {
	POLICY_IMPLICIT_DENY, /* nothing matched */
	POLICY_ALLOWED,
	POLICY_EXPLICIT_DENY,
};

/* The statement that decided: the first that denies, otherwise the first that allows. */
struct policy_match {
	size_t policy;    /* index in the set */
	size_t statement; /* index in the document, from 0 */
	struct view sid;  /* may be empty; valid as long as the policy */
};

struct policy;

/* Compiles a document.  ERR_POLICY: *diag has the place and the reason,
 * "Statement[1].Condition.StringEqual: unknown operator".  The registrar's thread. */
MUST_USE enum err policy_compile(struct view document, const struct arn_scope *scope,
    struct policy **out, struct diag *diag);
void policy_free(struct policy *p); /* NULL is fine */

/* Evaluates the policies of a set.  match may be NULL; it is set unless the result is
 * POLICY_IMPLICIT_DENY. */
enum policy_result policy_eval(const struct policy *const *set, size_t count,
    const struct policy_request *request, struct policy_match *match);

/* What a policy uses: facts, so that the caller need not gather the others, and rights over
 * the control API. */
enum {
	POLICY_USES_CERTIFICATE = 1u << 0, /* facts.cert */
	POLICY_USES_THING = 1u << 1,       /* facts.thing */
	POLICY_ALLOWS_CONTROL = 1u << 2,   /* has an Allow for some control action */
	POLICY_DENIES_CONTROL = 1u << 3,   /* has a Deny that may match a control action */
};

unsigned policy_uses(const struct policy *p);

/* The variables and condition keys of the policy, each once, as written: nth = 0, 1,
 * ...; *has_value: these facts have a value for it.  False: no more.  For
 * missingContextValues of testAuthorization. */
bool policy_variable(const struct policy *p, size_t nth, const struct facts *facts,
    struct view *name, bool *has_value);

#endif
