/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * template.h - AWS's templates for just-in-time provisioning (aws-iot E).
 *
 * A compiled template is immutable.  Evaluation is pure: a certificate's facts
 * in, plan out; a parameter without a value and without a default fails it.
 */
#ifndef JITR_TEMPLATE_H
#define JITR_TEMPLATE_H

#include "jitr/core/plan.h"

struct template;

/* The grammar of aws-iot E.1, of which what belongs to fleet provisioning is
 * refused, and policy documents that are literal text are compiled to see
 * whether they can be (scope).  ERR_REQUEST: *diag names the place and what is
 * wrong, "templateBody: Resources.thing.Properties: unknown member 'Name'".
 * Broker thread. */
MUST_USE enum err template_compile(struct view body, const struct arn_scope *scope,
    struct template **out, struct diag *diag);
void template_free(struct template *t); /* NULL is fine */

/* What its plans may do; views into the template. */
struct plan_reach template_reach(const struct template *t);

/* Of the facts it looks at cert and certificate_id.  A policy that is given by
 * its document has no name in the plan: it is called by the SHA-256 of its
 * text, which is not for this function to compute.  room: as in rule.h. */
void template_eval(const struct template *t, const struct facts *facts, uint8_t room[PLAN_ROOM],
    struct plan *out);

#endif
