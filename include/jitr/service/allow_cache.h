/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * allow_cache.h - what was allowed a moment ago.
 *
 * A device says most of what it says on a few topics.  That its policies allow
 * one need not be asked again as long as nothing has changed.  A table of
 * fixed size, whatever the number of clients; only permissions are kept, so a
 * lost entry costs a question and a wrong one cannot be made by collision:
 * the whole question is compared.  Broker thread.
 */
#ifndef JITR_ALLOW_CACHE_H
#define JITR_ALLOW_CACHE_H

#include "jitr/core/base.h"

#define ALLOW_CACHE_ENTRIES   4096 /* a power of two */
#define ALLOW_CACHE_TOPIC_MAX 215

struct allow_cache_entry {
	uint64_t session;        /* its number; 0: empty */
	uint64_t rights_version; /* of its rights */
	uint32_t len;
	uint8_t action;
	char topic[ALLOW_CACHE_TOPIC_MAX];
};

struct allow_cache {
	struct allow_cache_entry entries[ALLOW_CACHE_ENTRIES];
};

/* One question: session, state of its rights, action, topic. */
struct allow_cache_question {
	uint64_t session, rights_version;
	uint8_t action;
	struct view topic;
};

bool allow_cache_has(const struct allow_cache *r, const struct allow_cache_question *q);
void allow_cache_keep(struct allow_cache *r, const struct allow_cache_question *q);

#endif
