/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * template.h - AWS's templates for just-in-time provisioning (aws-iot E).
 *
 * A compiled template is immutable.  Evaluation is pure: facts of a certificate in,
 * plan out.  The plan fails if a parameter has neither a value nor a default.
 */
#ifndef JITR_TEMPLATE_H
#define JITR_TEMPLATE_H

#include "jitr/core/plan.h"

struct template;

/* Compiles a template (aws-iot E.1).  Parts that belong to fleet provisioning are
 * refused.  Policy documents that are literal text are compiled to check them, which is
 * what scope is for.  ERR_REQUEST: *diag has the place and the reason, "templateBody:
 * Resources.thing.Properties: unknown member 'Name'".  The registrar's thread. */
MUST_USE enum err template_compile(struct view body, const struct arn_scope *scope,
    struct template **out, struct diag *diag);
void template_free(struct template *t); /* NULL is fine */

/* Everything that plans of this template may do.  The views point into the template. */
struct plan_reach template_reach(const struct template *t);

/* Uses cert and certificate_id of the facts.  A policy given by its document has no
 * name in the plan: the caller names it by the SHA-256 of its text.  room: as in
 * rule.h. */
void template_eval(const struct template *t, const struct facts *facts, uint8_t room[PLAN_ROOM],
    struct plan *out);

#endif
