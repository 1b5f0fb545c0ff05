/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule_form.h - a compiled rule, between its compiler and its evaluation.
 * Nothing else looks inside.
 */
#ifndef JITR_RULE_FORM_H
#define JITR_RULE_FORM_H

#include "jitr/core/condition.h"
#include "jitr/core/rule.h"

struct rule {
	const struct condition *conditions; /* all must hold */
	size_t condition_count;
	struct view policies[POLICIES_MAX];
	size_t policy_count;
	struct pattern thing; /* text and variables; of no pieces: there is no thing */
	bool supersedes;
	int64_t supersede_after; /* ms */
	enum cert_status otherwise;
	enum truth (
	    *expression_match)(const struct expression *e, struct view value, struct context *c);
	void *memory; /* all of it, this included */
};

#endif
