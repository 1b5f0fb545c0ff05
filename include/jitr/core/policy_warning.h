/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_warning.h - what of a policy is accepted, and has no effect here.
 *
 * AWS accepts what is written correctly, whether or not it can ever apply: an ARN
 * of another account, an action with a typing error, a condition on what this
 * broker does not show.  Each is worth a sentence to the author.  Pure, no
 * allocation; bounded time and bounded number.  Any thread.
 */
#ifndef JITR_POLICY_WARNING_H
#define JITR_POLICY_WARNING_H

#include "jitr/core/policy.h"

#define POLICY_WARNINGS_MAX 16

/* Actions besides those of devices: "iot:UpdateCertificate". */
struct action_names {
	const char *const *names;
	size_t count;
};

/* UTF-8, one line; may quote the document. */
typedef void policy_warner(void *context, const char *text);

/* Tells each, POLICY_WARNINGS_MAX at most. */
void policy_warn(const struct policy *p, const struct action_names *others, policy_warner *tell,
    void *context);

#endif
