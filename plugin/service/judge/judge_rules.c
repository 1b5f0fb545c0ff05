/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* judge_rules.c - see judge_rules.h. */
#include <string.h>

#include "jitr/service/judge_rules.h"

struct registry_rules
registry_rules_of(const struct config *c)
{
	struct registry_rules rules = { .decide = { .announce_interval = c->announce_interval *
						1000,
					    .defer_unknown = c->unknown_ca_defer,
					    .accept_first = c->first_connection_accept } };

	memcpy(rules.account_id, c->account_id, sizeof(rules.account_id));
	return rules;
}
