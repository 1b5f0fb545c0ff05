/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plan.h - the result of evaluating a CA's rule (rule.h) or provisioning template
 * (template.h) for a certificate.
 *
 * Plain data: computed from facts by pure functions, checked against the registry and
 * applied by registry_activate.h.  Views are borrowed from the inputs of the
 * evaluation.  Any thread.
 *
 * If the evaluation fails, failed is set, the status is CERT_PENDING_ACTIVATION,
 * nothing is attached, and reason explains why.
 */
#ifndef JITR_PLAN_H
#define JITR_PLAN_H

#include "jitr/core/policy.h"

enum plan_origin {
	PLAN_RULE,
	PLAN_TEMPLATE,
};

/* AWS: OverrideSettings: what to do if the resource exists and differs (aws-iot E.2). */
enum override {
	OVERRIDE_FAIL,
	OVERRIDE_DO_NOTHING,
	OVERRIDE_REPLACE,
	OVERRIDE_MERGE, /* attributes only */
};

/* A policy to attach.  With a document it is created if it does not exist; without one
 * it must exist. */
struct planned_policy {
	struct view name, document;
	struct view form; /* of the document (codec_form.h) */
};

struct planned_thing {
	struct view name; /* empty: no thing */
	struct view type_name, billing_group;
	struct view attributes; /* packed, as in struct thing */
	enum override on_attributes, on_type;
};

struct plan {
	enum plan_origin origin;
	struct view template_name; /* empty for a rule, or a template without a name */
	enum cert_status status;
	bool failed;
	bool no_memory;     /* failed because of memory */
	struct diag reason; /* why it failed; may quote bytes from outside */
	struct planned_policy policies[POLICIES_MAX];
	size_t policy_count;
	struct planned_thing thing;
	bool supersedes;
	int64_t supersede_after; /* ms */
};

/* Everything that the plans of a rule or template may do in addition to setting the
 * certificate's status; for authorization.  An empty name: the name depends on the
 * certificate. */
struct plan_reach {
	struct view policies[POLICIES_MAX];
	size_t policy_count;
	bool makes_policies; /* creates policies from documents */
	bool has_thing;
	struct view thing;
	bool changes_thing; /* also modifies an existing thing */
};

/* Buffer size for the texts of a plan that are built during evaluation: names and
 * packed attributes. */
#define PLAN_ROOM \
	(4 * NAME_MAX_LENGTH + \
	    THING_ATTRIBUTES_MAX * (3 + THING_ATTRIBUTE_NAME_MAX + THING_ATTRIBUTE_VALUE_MAX))

#endif
