/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule_form.h - the compiled form of a rule.  For its compiler and its evaluation only.
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
	struct pattern thing; /* text and variables; no pieces: no thing */
	bool supersedes;
	int64_t supersede_after; /* ms */
	enum cert_status otherwise;
	const struct variable_list *names; /* in document order */
	enum truth (
	    *expression_match)(const struct expression *e, struct view value, struct context *c);
	void *memory; /* the compiler's; NULL: decoded (codec_form.h) */
};

#endif
