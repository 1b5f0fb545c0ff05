/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rule.h - the rule of a CA: which of its certificates become ACTIVE by
 * themselves, and what they get.
 *
 * A compiled rule is immutable.  Evaluation is pure: facts in, plan out.  It
 * takes some 20 ms at most, whatever the rule and the certificate.
 *
 * The conditions are those of policies (condition.h) and mean the same, with
 * regular expressions besides (expression.h); all must hold.  If one surely
 * does not, the status is what the rule says for that.  If none surely does
 * not, but one is hidden, or the thing would have no name, the plan has failed:
 * that revokes none.
 */
#ifndef JITR_RULE_H
#define JITR_RULE_H

#include "jitr/core/plan.h"

#define RULE_BYTES_MAX     16384
#define RULE_SUPERSEDE_MAX (3650 * INT64_C(86400)) /* seconds */

struct rule;

/* ERR_REQUEST: *diag names the place and what is wrong, "activation:
 * conditions.StringEqual: unknown operator".  Broker thread. */
MUST_USE enum err rule_compile(struct view document, struct rule **out, struct diag *diag);
void rule_free(struct rule *r); /* NULL is fine */

/* What the settings of its CA keep of it. */
bool rule_supersedes(const struct rule *r);
int64_t rule_supersede_after(const struct rule *r); /* ms */

/* What its plans may do; views into the rule. */
struct plan_reach rule_reach(const struct rule *r);

/* Of the facts it looks at client_id, certificate_id, cert, source_text and
 * source.  room is for texts of the plan, which also points into the rule and
 * the facts. */
void rule_eval(const struct rule *r, const struct facts *facts, uint8_t room[PLAN_ROOM],
    struct plan *out);

#endif
