/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* admission.c - see admission.h. */
#include "jitr/service/admission.h"

/* An access_asker. */
static enum policy_result
ask(const void *context, enum policy_action action, struct view name, struct policy_match *ground)
{
	const struct admission *a = context;
	struct policy_request r = { .action = action,
		.prefix = a->judge->arn_prefix[action],
		.name = name,
		.facts = a->facts,
		.steps = a->steps };

	return policy_set_ask(&a->policies, &r, ground);
}

struct access_rights
admission_rights(const struct admission *a)
{
	return (struct access_rights){ .authorization = a->judge->config.authorization,
		.administrator = a->administrator,
		.ask = ask,
		.context = a };
}

/* That policies or facts could not be read is not a fault of a policy. */
enum reason
admission_connect(const struct admission *a)
{
	struct access_rights rights = admission_rights(a);
	struct access_decision d;
	enum reason reason;

	if (a->facts_are_missing && rights.authorization == AUTHORIZATION_POLICY)
		return REASON_REGISTRY_FAILED;
	d = access_connect(&rights, a->facts->client_id);
	reason = access_refusal(&d, policy_set_is_usable(&a->policies), a->policies.count);
	return reason == REASON_POLICY_UNUSABLE && a->policies.failed ? REASON_REGISTRY_FAILED
								      : reason;
}
