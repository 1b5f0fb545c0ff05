/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * notices.h - a queue of log lines that wait for the next tick.
 *
 * Nothing is logged while the broker asks a question: it may be in the middle of a delivery,
 * where a log line would call the plugin again (mosquitto section 0, 19).  The queue is in
 * order, and bounded for each kind, so that no kind displaces another.  Broker thread.
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

/* Sizes of the texts of a notice.  Names and topics are kept a few bytes longer than a line
 * shows them (report_text.h), so that the line marks them as truncated. */
#define NOTICE_NAME_SIZE    132
#define NOTICE_ADDRESS_SIZE 64
#define NOTICE_TOPIC_SIZE   260

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
