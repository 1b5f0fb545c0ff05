/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_form.h - a compiled policy, between who compiles it and who evaluates
 * it.  Nobody else looks inside.
 *
 * What can be known beforehand is: the actions of devices are bits, and a
 * resource that begins exactly as this broker's ARNs do is compared by name
 * alone.
 */
#ifndef JITR_POLICY_FORM_H
#define JITR_POLICY_FORM_H

#include "jitr/condition.h"
#include "jitr/policy.h"

/* What stands before the name in an ARN. */
enum arn_head {
	HEAD_OTHER, /* anything else */
	HEAD_CLIENT,
	HEAD_TOPIC,
	HEAD_TOPICFILTER,
};

struct resource {
	bool           any;   /* "*" */
	enum arn_head  head;  /* what whole begins with, literally */
	struct pattern whole;
	struct pattern name;  /* whole without head, unless HEAD_OTHER */
	struct view    level; /* the literal text of the first level of a name that
	                       * begins with '$'; empty: it has none */
};

struct action {
	struct pattern pattern;
	bool           names_control; /* enough to allow an action of the control API */
};

struct statement {
	bool                    deny, not_action, not_resource;
	unsigned                devices; /* bit per action of a device */
	const struct action    *actions;
	size_t                  action_count;
	const struct resource  *resources;
	size_t                  resource_count;
	const struct condition *conditions;
	size_t                  condition_count;
	struct view             sid;
};

struct policy {
	struct arn_scope      scope;
	size_t                prefix_len;
	struct statement     *statements;
	size_t                count;
	struct variable_list *names; /* in the order of the document */
	unsigned              uses;
	void                 *memory; /* all of it, this included */
};

/* How much of literal text is the head of an ARN of this scope; 0: none is. */
size_t arn_head_length(const struct policy *p, struct view literal, enum arn_head *head);

/* The first level of text, if it begins with '$'; else empty. */
struct view dollar_level(struct view name);

#endif
