/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_warning.h - finds parts of a policy that are valid but have no effect.
 *
 * AWS accepts every well-formed policy, even if parts of it can never apply: an ARN of
 * another account, a misspelt action, a condition on a fact that this broker does not
 * provide.  Each of them gives a warning.  Pure, no allocation, bounded time and
 * output.  Any thread.
 */
#ifndef JITR_POLICY_WARNING_H
#define JITR_POLICY_WARNING_H

#include "jitr/core/policy.h"

#define POLICY_WARNINGS_MAX 16

/* Known actions other than those of devices: "iot:UpdateCertificate". */
struct action_names {
	const char *const *names;
	size_t count;
};

/* text: UTF-8, one line; may quote the document. */
typedef void policy_warner(void *context, const char *text);

/* Calls tell for each warning, at most POLICY_WARNINGS_MAX times. */
void policy_warn(const struct policy *p, const struct action_names *others, policy_warner *tell,
    void *context);

#endif
