/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_form.h - a compiled policy, between its compiler and its
 * evaluation.  Nothing else looks inside.
 *
 * What can be known beforehand is: the actions of devices are bits, and the
 * parts of a resource that are the same for every ARN of this registry are
 * compared when the policy is compiled.
 */
#ifndef JITR_POLICY_FORM_H
#define JITR_POLICY_FORM_H

#include "jitr/core/condition.h"
#include "jitr/core/policy.h"

/* What stands before the name in the sixth part of an ARN. */
enum arn_head {
	HEAD_OTHER, /* anything else */
	HEAD_CLIENT,
	HEAD_TOPIC,
	HEAD_TOPICFILTER,
};

/* What is written as a resource. */
enum resource_form {
	RESOURCE_ANY,     /* "*": whatever is asked for */
	RESOURCE_ARN,     /* six parts */
	RESOURCE_SHORT,   /* fewer, and the last ends with '*', which stands for the missing
	                   * ones, too ("it can expand to match beyond the colon boundaries",
	                   * IAM user guide, "Resource") */
	RESOURCE_PARTIAL, /* fewer without that: no ARN.  Where it would match as text it is
	                   * hidden: it does not allow, and it denies. */
};

/* Partition, service, region and account, with "arn" before them. */
#define ARN_HOME_PARTS (ARN_PARTS - 1)

/* Are those parts the registry's own? */
enum arn_home {
	HOME_NO,
	HOME_YES,
	HOME_ASKED, /* it depends on a variable */
};

struct resource {
	enum resource_form form;
	struct view text; /* as written */
	enum arn_home home;
	struct pattern part[ARN_HOME_PARTS];
	size_t part_count;
	struct pattern rest; /* the sixth part; of RESOURCE_PARTIAL the whole text */
	enum arn_head head;  /* what rest begins with, literally */
	struct pattern name; /* rest without head, unless HEAD_OTHER */
	struct view level;   /* the literal text of the first level of a name that
	                           * begins with '$'; empty: it has none */
};

struct action {
	struct pattern pattern;
	bool names_control; /* enough to allow an action of the control API */
};

struct statement {
	bool deny, not_action, not_resource;
	unsigned devices; /* bit per action of a device */
	const struct action *actions;
	size_t action_count;
	const struct resource *resources;
	size_t resource_count;
	const struct condition *conditions;
	size_t condition_count;
	struct view sid;
};

struct policy {
	struct arn_scope scope;
	size_t prefix_len;
	struct statement *statements;
	size_t count;
	struct variable_list *names; /* in the order of the document */
	unsigned uses;
	void *memory; /* all of it, this included */
};

/* How much of literal text is such a head; 0: none is. */
size_t arn_head_length(struct view literal, enum arn_head *head);

/* The first level of text, if it begins with '$'; else empty. */
struct view reserved_level(struct view name);

#endif
