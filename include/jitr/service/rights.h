/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * rights.h - the policies that are attached to one certificate.
 *
 * Held in compiled form; when one of them gets another default version, that
 * is what the next question is asked of.  Rights that could not be gathered
 * as a whole allow nothing.  Broker thread.
 */
#ifndef JITR_RIGHTS_H
#define JITR_RIGHTS_H

#include "jitr/core/plan.h"

#include "jitr/service/policy_cache.h"

struct rights {
	struct cached_policy *held[POLICIES_MAX];
	size_t count;
	bool failed;
};

/* Reads anew what is attached, and what a plan will attach; NULL: there is none. */
void rights_read(struct rights *r, struct policy_cache *c, struct txn *t, const struct certid *id,
    const struct plan *plan_or_null);
void rights_clear(struct rights *r, struct policy_cache *c);

/* What of the facts the policies look at, all together (policy.h). */
unsigned rights_use(const struct rights *r);

/* Can all of them be asked? */
bool rights_usable(const struct rights *r);

/* ground may be NULL. */
enum policy_result rights_ask(const struct rights *r, const struct policy_request *request,
    struct policy_match *ground);

#endif
