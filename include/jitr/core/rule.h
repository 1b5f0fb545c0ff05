/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule.h - the activation rule of a CA: which of its certificates become ACTIVE on
 * first connection, and their policies and thing.
 *
 * A compiled rule is immutable.  Evaluation is pure: facts in, plan out.  It takes at
 * most 20 ms for any rule and certificate.
 *
 * The conditions are those of policies (condition.h), plus regular expressions
 * (expression.h); all must hold.  If one is TRUTH_NO, the certificate gets the rule's
 * "otherwise" status.  If none is TRUTH_NO but one is TRUTH_HIDDEN, or the thing would
 * have no name, the plan fails; a failed plan never revokes.
 */
#ifndef JITR_RULE_H
#define JITR_RULE_H

#include "jitr/core/plan.h"

#define RULE_BYTES_MAX     16384
#define RULE_SUPERSEDE_MAX (3650 * INT64_C(86400)) /* seconds */

struct rule;

/* Compiles a document.  ERR_REQUEST: *diag has the place and the reason, "activation:
 * conditions.StringEqual: unknown operator".  The registrar's thread. */
MUST_USE enum err rule_compile(struct view document, struct rule **out, struct diag *diag);
void rule_free(struct rule *r); /* NULL is fine */

/* Copies of these are stored in the settings of the CA. */
bool rule_supersedes(const struct rule *r);
int64_t rule_supersede_after(const struct rule *r); /* ms */

/* Everything that plans of this rule may do.  The views point into the rule. */
struct plan_reach rule_reach(const struct rule *r);

/* Uses client_id, certificate_id, cert, source_text and source of the facts.  room:
 * buffer for texts of the plan.  The plan also points into the rule and the facts. */
void rule_eval(const struct rule *r, const struct facts *facts, uint8_t room[PLAN_ROOM],
    struct plan *out);

#endif
