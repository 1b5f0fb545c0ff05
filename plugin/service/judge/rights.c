/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* rights.c - see rights.h. */
#include <string.h>

#include "jitr/service/rights.h"

static void
hold(struct rights *r, struct cached_policy *p)
{
	if (p == NULL)
		r->failed = true;
	else
		r->held[r->count++] = p;
}

static bool
is_held(const struct rights *r, struct view name)
{
	for (size_t i = 0; i < r->count; i++)
		if (view_equal(view_of(r->held[i]->name), name))
			return true;
	return false;
}

static void
hold_planned(struct rights *r, struct policy_cache *c, struct txn *t, const struct plan *plan)
{
	for (size_t i = 0; i < plan->policy_count && !r->failed; i++) {
		const struct planned_policy *p = &plan->policies[i];

		if (is_held(r, p->name))
			continue;
		if (r->count == POLICIES_MAX)
			r->failed = true;
		else
			hold(r, policy_cache_take_planned(c, t, p->name, p->document));
	}
}

/* New policies are taken before old ones are released, so that a policy that is attached
 * before and after is not compiled again. */
void
rights_read(struct rights *r, struct policy_cache *c, struct txn *t, const struct certid *id,
    const struct plan *plan_or_null)
{
	struct view names[POLICIES_MAX];
	struct rights now = { .count = 0 };
	size_t count = 0;

	now.failed = store_list_attached(t, id, NULL, true, names, COUNT_OF(names), &count) !=
	    ERR_OK;
	for (size_t i = 0; i < count && !now.failed; i++)
		hold(&now, policy_cache_take(c, t, names[i]));
	if (plan_or_null != NULL && !now.failed)
		hold_planned(&now, c, t, plan_or_null);
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

static unsigned
uses_of(struct cached_policy *const *held, size_t count)
{
	unsigned use = 0;

	for (size_t i = 0; i < count; i++)
		if (held[i]->policy != NULL)
			use |= policy_uses(held[i]->policy);
	return use;
}

unsigned
rights_use(const struct rights *r)
{
	return uses_of(r->held, r->count);
}

bool
policy_set_uses(const struct policy_set *s, unsigned facts)
{
	return (uses_of(s->held, s->count) & facts) != 0;
}

bool
policy_set_is_usable(const struct policy_set *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->held[i]->policy == NULL)
			return false;
	return !s->failed;
}

enum policy_result
policy_set_ask(const struct policy_set *s, const struct policy_request *request,
    struct policy_match *ground)
{
	const struct policy *set[POLICY_SET_MAX];

	if (s->failed)
		return POLICY_IMPLICIT_DENY;
	for (size_t i = 0; i < s->count; i++) {
		set[i] = s->held[i]->policy;
		if (set[i] == NULL)
			return POLICY_IMPLICIT_DENY;
	}
	return policy_eval(set, s->count, request, ground);
}
