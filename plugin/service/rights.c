/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* rights.c - see rights.h. */
#include <string.h>

#include "rights.h"

/* The new ones are taken before the old ones are let go, so that none is
 * compiled again that is attached before and after. */
void
rights_read(struct rights *r, struct policy_cache *c, struct txn *t, const struct certid *id)
{
	struct view names[POLICIES_MAX];
	struct rights now = { .count = 0 };
	size_t count = 0;

	now.failed = store_list_attached(t, id, NULL, true, names, COUNT_OF(names), &count) != ERR_OK;
	for (size_t i = 0; i < count && !now.failed; i++) {
		now.held[now.count] = policy_cache_take(c, t, names[i]);
		if (now.held[now.count] == NULL)
			now.failed = true;
		else
			now.count++;
	}
	rights_clear(r, c);
	*r = now;
}

void
rights_clear(struct rights *r, struct policy_cache *c)
{
	for (size_t i = 0; i < r->count; i++)
		policy_cache_release(c, r->held[i]);
	memset(r, 0, sizeof(*r));
}

unsigned
rights_use(const struct rights *r)
{
	unsigned use = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->held[i]->policy != NULL)
			use |= policy_uses(r->held[i]->policy);
	return use;
}

bool
rights_usable(const struct rights *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->held[i]->policy == NULL)
			return false;
	return !r->failed;
}

enum policy_result
rights_ask(const struct rights *r, const struct policy_request *request,
    struct policy_ground *ground)
{
	const struct policy *set[POLICIES_MAX];

	if (r->failed)
		return POLICY_IMPLICIT_DENY;
	for (size_t i = 0; i < r->count; i++) {
		set[i] = r->held[i]->policy;
		if (set[i] == NULL)
			return POLICY_IMPLICIT_DENY;
	}
	return policy_eval(set, r->count, request, ground);
}
