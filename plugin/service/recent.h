/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * recent.h - what was allowed a moment ago.
 *
 * A device says most of what it says on a few topics.  That its policies allow
 * one need not be asked again as long as nothing has changed.  A table of
 * fixed size, whatever the number of clients; only permissions are kept, so a
 * lost entry costs a question and a wrong one cannot be made by collision:
 * the whole question is compared.  Broker thread.
 */
#ifndef JITR_RECENT_H
#define JITR_RECENT_H

#include "jitr/base.h"

#define RECENT_ENTRIES   4096 /* a power of two */
#define RECENT_TOPIC_MAX 215

struct recent_entry {
	uint64_t session; /* its number; 0: empty */
	uint64_t stamp;   /* of its rights */
	uint32_t len;
	uint8_t  action;
	char     topic[RECENT_TOPIC_MAX];
};

struct recent {
	struct recent_entry entries[RECENT_ENTRIES];
};

/* One question: session, state of its rights, action, topic. */
struct recent_question {
	uint64_t    session, stamp;
	uint8_t     action;
	struct view topic;
};

bool recent_has(const struct recent *r, const struct recent_question *q);
void recent_keep(struct recent *r, const struct recent_question *q);

#endif
