/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_form.h - the compiled form of a policy.  For its compiler, its evaluation and
 * policy_warning.c only.
 *
 * Work that does not depend on the request is done by the compiler: actions of devices
 * become bits, and the parts of a resource that are equal for every ARN of this
 * registry are compared once.
 */
#ifndef JITR_POLICY_FORM_H
#define JITR_POLICY_FORM_H

#include "jitr/core/condition.h"
#include "jitr/core/policy.h"

/* The resource type in front of the name, in the sixth part of an ARN. */
enum resource_type {
	TYPE_OTHER, /* none of the others */
	TYPE_CLIENT,
	TYPE_TOPIC,
	TYPE_TOPICFILTER,
};

/* The form of a Resource element. */
enum resource_form {
	RESOURCE_ANY,     /* "*": matches every resource */
	RESOURCE_ARN,     /* all six parts */
	RESOURCE_SHORT,   /* fewer parts, and the last ends with '*', which also matches the
			   * missing ones ("it can expand to match beyond the colon
			   * boundaries", IAM user guide, "Resource") */
	RESOURCE_PARTIAL, /* fewer parts without that: not an ARN.  If it matches as text the
			   * result is hidden: it does not allow, and does deny. */
};

/* "arn", partition, service, region and account. */
#define ARN_SCOPE_PARTS (ARN_PARTS - 1)

/* Do the first five parts equal those of this registry? */
enum scope_match {
	SCOPE_FOREIGN,
	SCOPE_OWN,
	SCOPE_VARIABLE, /* depends on a variable */
};

struct resource {
	enum resource_form form;
	struct view text; /* as written in the document; not in a decoded policy */
	enum scope_match scope;
	struct pattern part[ARN_SCOPE_PARTS];
	size_t part_count;
	struct pattern rest;     /* the sixth part; for RESOURCE_PARTIAL the whole text */
	enum resource_type type; /* literal resource type at the start of rest */
	struct pattern name;     /* rest behind the resource type, unless TYPE_OTHER */
	struct view level;       /* the first level of a name that begins with '$', if it is
			      * literal; otherwise empty */
};

struct action {
	struct pattern pattern;
	bool names_control; /* may allow an action of the control API */
};

struct statement {
	bool deny, not_action, not_resource;
	unsigned devices; /* one bit per action of a device */
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
	struct variable_list *names; /* in document order */
	unsigned uses;
	void *memory; /* the compiler's; NULL: decoded (codec_form.h) */
};

/*
 * What follows from the parsed parts: for the compiler and the decoder, so that both
 * give the same policy.
 */

/* pattern is set. */
void action_derive(struct action *a);

/* rest is set: sets level, type and name.  room: for as many pieces as rest has. */
void resource_derive(struct resource *r, struct piece *room);

/* part is set: sets scope. */
void resource_derive_scope(struct resource *r, const struct arn_scope *own);

/* Actions and resources are set: sets devices; returns what the statement uses
 * (policy.h). */
unsigned statement_derive(struct statement *s);

/* What the variables use. */
unsigned variables_derive(const struct variable_list *names);

/* Length of a resource type such as "topic/" at the start of literal text; 0 if there
 * is none. */
size_t resource_type_length(struct view literal, enum resource_type *type);

/* The first level of a name that begins with '$'; otherwise empty. */
struct view reserved_level(struct view name);

#endif
