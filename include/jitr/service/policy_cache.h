/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_cache.h - compiled policies that some connected certificate has.
 *
 * A policy is compiled once, when the first certificate that has it connects, and again when
 * its default version changes; those that have it see the new one at once.
 * One that cannot be read or compiled denies all that have it: a Deny in it may
 * not be lost.  Broker thread.
 */
#ifndef JITR_POLICY_CACHE_H
#define JITR_POLICY_CACHE_H

#include <uthash.h>

#include "jitr/core/policy.h"
#include "jitr/adapter/store.h"

struct cached_policy {
	struct policy *policy;        /* NULL: it cannot be used, or: */
	bool unread;                  /* memory ran out when it was to be compiled */
	struct generation generation; /* with version: which document it is made of */
	uint32_t version;
	uint64_t checked; /* the cache's round, when that was found out */
	unsigned holders;
	UT_hash_handle hh;
	size_t name_len;
	char name[]; /* terminated */
};

struct policy_cache {
	struct arn_scope scope;
	struct cached_policy *by_name;
	uint64_t round;       /* grows when any policy may have changed */
	uint64_t revision;    /* grows when one that is held did change */
	struct diag unusable; /* which and why, the last one; to be logged */
	bool incomplete;      /* memory ran out for one that is held */
};

/* Read again those for which memory ran out, which is not the policy's fault.  Answers
 * whether one can be used now. */
bool policy_cache_retry(struct policy_cache *c, struct txn *t);

/* One more holder; read again if it was not in this round.  NULL: out of
 * memory, which is not remembered. */
struct cached_policy *policy_cache_take(struct policy_cache *c, struct txn *t, struct view name);

/* The same for one that will be made from this document, if there is none of
 * the name yet. */
struct cached_policy *policy_cache_take_planned(struct policy_cache *c, struct txn *t,
    struct view name, struct view document);
void policy_cache_release(struct policy_cache *c, struct cached_policy *p);

/* Read again, if it is held; answers whether it is another one now.  A policy that was
 * deleted cannot be used. */
bool policy_cache_reload(struct policy_cache *c, struct txn *t, struct view name);

#endif
