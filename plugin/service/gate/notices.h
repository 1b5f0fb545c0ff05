/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * notices.h - what waits for the next tick to be logged.
 *
 * During a question of the broker nothing is logged: the broker may be in the middle of a
 * delivery, where a log line would call the plugin again (mosquitto section 0, 19).  One
 * queue, in order, bounded for each kind, so that no kind displaces another.  Broker thread.
 */
#ifndef JITR_NOTICES_H
#define JITR_NOTICES_H

#include "jitr/service/gate.h"

enum notice_kind {
	NOTICE_BYPASSED, /* a client that bypassed gate_connect() was judged */
	NOTICE_DENIED,   /* policies denied a question */
	NOTICE_SHARED,   /* two clients use one certificate */
	NOTICE_DEFERRED, /* other_clients is not set */
	NOTICE_KIND_COUNT
};

struct notice;

struct notice_type {
	enum notice_kind kind;
	size_t max; /* between two ticks; more are dropped */
	void (*log)(struct gate *g, const struct notice *n); /* TICK */
	void (*clear)(struct notice *n);                     /* NULL: nothing to free */
};

/* The first member of a concrete notice. */
struct notice {
	const struct notice_type *type;
	struct notice *next;
};

struct notices {
	struct notice *first, *last;
	size_t count[NOTICE_KIND_COUNT];
};

/* Appends a zeroed notice of this size, which the caller fills; owned by the queue.  NULL: too
 * many wait, or out of memory. */
void *notice_add(struct notices *all, const struct notice_type *type, size_t size);

/* Is another line about the same certificate due, so long (ms) after the last?  last 0: never. */
static inline bool
notice_is_due(int64_t last, int64_t now, int64_t interval)
{
	return last == 0 || now < last || now - last >= interval;
}

void notices_log(struct gate *g, struct notices *all); /* TICK */
void notices_clear(struct notices *all);

#endif
