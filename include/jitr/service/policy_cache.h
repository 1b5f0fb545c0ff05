/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_cache.h - compiled policies of connected certificates.
 *
 * The compiled form of a policy (codec_form.h) is decoded once, when the first certificate
 * it is attached to connects, and again when its default version changes, at once for all
 * these certificates.  A policy that cannot be read, or has no form that can be used, denies
 * everything to them, because a Deny in it must not be lost.  Broker thread.
 */
#ifndef JITR_POLICY_CACHE_H
#define JITR_POLICY_CACHE_H

#include <uthash.h>

#include "jitr/core/policy.h"
#include "jitr/adapter/store.h"

struct cached_policy {
	struct policy *policy;        /* NULL: it cannot be used */
	bool unread;                  /* because memory ran out when it was decoded */
	struct generation generation; /* and version: of its document */
	uint32_t version;
	uint64_t checked; /* the cache's round when it was compared with the registry */
	unsigned holders;
	UT_hash_handle hh;
	size_t name_len;
	char name[]; /* terminated */
};

struct policy_cache {
	struct arn_scope scope;
	struct cached_policy *by_name;
	uint64_t round;       /* incremented when any policy may have changed */
	uint64_t revision;    /* incremented when a held policy changed */
	struct diag unusable; /* name and reason of the last unusable one; to be logged */
	bool incomplete;      /* memory ran out for a held policy */
};

/* Reads the policies again for which memory ran out.  true: one changed. */
bool policy_cache_retry(struct policy_cache *c, struct txn *t);

/* Adds a holder.  Compares the policy with the registry if that was not done in this round.
 * NULL: out of memory, which is not remembered. */
struct cached_policy *policy_cache_take(struct policy_cache *c, struct txn *t, struct view name);

/* The same for a policy that will be created with this form unless it exists. */
struct cached_policy *policy_cache_take_planned(struct policy_cache *c, struct txn *t,
    struct view name, struct view form);
void policy_cache_release(struct policy_cache *c, struct cached_policy *p);

/* Reads a policy again if it is held.  true: it changed.  A deleted policy cannot be used. */
bool policy_cache_reload(struct policy_cache *c, struct txn *t, struct view name);

#endif
