/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plan.h - what is to become of a certificate, by its CA's rule (rule.h) or
 * provisioning template (template.h).
 *
 * Plain data: made of facts by pure functions, compared with the registry and
 * carried out by registry_activate.h.  Views are borrowed from whatever the
 * plan was made of.  Any thread.
 *
 * A plan that could not be made says so: failed is set, the status is
 * CERT_PENDING_ACTIVATION, nothing is attached, and reason has the words.
 */
#ifndef JITR_PLAN_H
#define JITR_PLAN_H

#include "jitr/core/policy.h"

enum plan_origin {
	PLAN_RULE,
	PLAN_TEMPLATE,
};

/* AWS: OverrideSettings, what is done where the resource exists already and is
 * otherwise (aws-iot E.2). */
enum override {
	OVERRIDE_FAIL,
	OVERRIDE_DO_NOTHING,
	OVERRIDE_REPLACE,
	OVERRIDE_MERGE, /* of attributes */
};

/* A policy to be attached; with a document it is made if there is none of the
 * name, without one it must exist. */
struct planned_policy {
	struct view name, document;
};

struct planned_thing {
	struct view name; /* empty: there is no thing */
	struct view type_name, billing_group;
	struct view attributes; /* packed, as of struct thing */
	enum override on_attributes, on_type;
};

struct plan {
	enum plan_origin origin;
	struct view template_name; /* empty: a rule, or a template without a name */
	enum cert_status status;
	bool failed;
	bool no_memory;     /* and it is for want of that that it failed */
	struct diag reason; /* why, for people; may quote bytes from outside */
	struct planned_policy policies[POLICIES_MAX];
	size_t policy_count;
	struct planned_thing thing;
	bool supersedes;
	int64_t supersede_after; /* ms */
};

/* What the plans of a rule or a template may do besides giving the certificate a
 * status.  An empty name: whatever the certificate makes of it. */
struct plan_reach {
	struct view policies[POLICIES_MAX];
	size_t policy_count;
	bool makes_policies; /* of documents */
	bool has_thing;
	struct view thing;
	bool changes_thing; /* also one that is there */
};

/* Room for the texts that a plan is made of besides those of its rule or
 * template: names, and packed attributes. */
#define PLAN_ROOM \
	(4 * NAME_MAX_LENGTH + \
	    THING_ATTRIBUTES_MAX * (3 + THING_ATTRIBUTE_NAME_MAX + THING_ATTRIBUTE_VALUE_MAX))

#endif
