/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_question.c - see command_question.h. */
#include "command_question.h"

#include "command_answer.h"
#include "command_parse.h"

/* Names told at most. */
#define MISSING_MAX 100

static const char *const result_names[] = {
	[POLICY_IMPLICIT_DENY] = "IMPLICIT_DENY",
	[POLICY_ALLOWED] = "ALLOWED",
	[POLICY_EXPLICIT_DENY] = "EXPLICIT_DENY",
};

void
parse_client_id(struct members *m, struct command *c)
{
	c->explain.client_id = view_of(json_string(m, "clientId", 1, 65535, false));
}

void
parse_optional_principal(struct members *m, struct command *c)
{
	c->explain.has_principal = json_has(m, "principal");
	if (c->explain.has_principal)
		parse_principal(m, "principal", c);
}

struct explain_request
explain_request_of(const struct command *c, size_t *steps)
{
	return (struct explain_request){ .principal = c->explain.has_principal ? &c->id : NULL,
		.client_id = c->explain.client_id,
		.source = c->explain.source,
		.add = c->explain.add,
		.add_count = c->explain.add_count,
		.skip = c->explain.skip,
		.skip_count = c->explain.skip_count,
		.steps = steps };
}

bool
pay_steps(struct command *c, size_t *spent)
{
	size_t steps = *spent;

	*spent = 0;
	if (steps > c->context->budget->steps) {
		c->context->budget->steps = 0;
		return false;
	}
	c->context->budget->steps -= steps;
	return true;
}

static struct access_question
question_of(enum policy_action action, struct view name)
{
	enum action doing = action == POLICY_RECEIVE ? ACTION_READ
	    : action == POLICY_SUBSCRIBE             ? ACTION_SUBSCRIBE
						     : ACTION_WRITE;

	return (struct access_question){ doing, name, action == POLICY_RETAIN_PUBLISH };
}

struct access_decision
ask_policies(const struct explain *i, size_t nth, enum policy_action action, struct view name)
{
	struct access_question q = question_of(action, name);

	if (action == POLICY_CONNECT)
		return nth == ALL_POLICIES ? explain_connect(i, name)
					   : explain_connect_by(i, nth, name);
	return nth == ALL_POLICIES ? explain_access(i, &q) : explain_access_by(i, nth, &q);
}

enum policy_result
result_of(const struct access_decision *d)
{
	if (d->access == ACCESS_ALLOW)
		return POLICY_ALLOWED;
	return d->basis == BASIS_POLICY && d->result == POLICY_EXPLICIT_DENY ? POLICY_EXPLICIT_DENY
									     : POLICY_IMPLICIT_DENY;
}

const char *
result_name(enum policy_result result)
{
	return result_names[result];
}

void
add_missing(cJSON *o, const struct explain *i)
{
	cJSON *list = cJSON_AddArrayToObject(o, "missingContextValues");
	struct view names[MISSING_MAX];
	size_t count = explain_missing(i, names, MISSING_MAX);

	for (size_t n = 0; n < count; n++)
		add_item(list, names[n]);
}
