/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rights.h - the policies that are attached to one certificate.
 *
 * Compiled policies are shared (policy_cache.h): a new default version is used from the next
 * question on.  Rights that could not be read completely allow nothing.  Broker thread.
 */
#ifndef JITR_RIGHTS_H
#define JITR_RIGHTS_H

#include "jitr/core/plan.h"
#include "jitr/service/policy_cache.h"

/* The most policies that are asked together: explain asks more than a certificate has. */
#define POLICY_SET_MAX 30

/* Policies that are asked together; borrowed. */
struct policy_set {
	struct cached_policy *const *held;
	size_t count;
	bool failed; /* one is missing: the set allows nothing */
};

struct rights {
	struct cached_policy *held[POLICIES_MAX];
	size_t count;
	bool failed; /* they could not be read, or memory ran out */
};

static inline struct policy_set
rights_set(const struct rights *r)
{
	return (struct policy_set){ r->held, r->count, r->failed };
}

/* Reads the attached policies again, and those that a plan will attach; NULL: no plan. */
void rights_read(struct rights *r, struct policy_cache *c, struct txn *t, const struct certid *id,
    const struct plan *plan_or_null);
void rights_clear(struct rights *r, struct policy_cache *c);

/* The facts that the policies use, all together (policy.h). */
unsigned rights_use(const struct rights *r);

/* Can all policies of the set be asked? */
bool policy_set_is_usable(const struct policy_set *s);

/* Do some policies of the set use one of these facts (policy.h)? */
bool policy_set_uses(const struct policy_set *s, unsigned facts);

/* A policy that cannot be used denies.  ground may be NULL. */
enum policy_result policy_set_ask(const struct policy_set *s, const struct policy_request *request,
    struct policy_match *ground);

#endif
