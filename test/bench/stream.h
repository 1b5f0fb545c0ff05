/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * stream.h - publishers, each with one subscriber that gets what it publishes:
 * QoS 0, TLS 1.3, one message in, the same message out.
 *
 * A thread for each pair; pairs know nothing of each other.  A message that
 * does not arrive as it was sent is the end of the program.
 */
#ifndef JITR_BENCH_STREAM_H
#define JITR_BENCH_STREAM_H

#include "fleet.h"

#define STREAM_TOPICS_MAX 4

/* Below factory/line1/<client id of the publisher>/. */
extern const char *const stream_topics[STREAM_TOPICS_MAX];

/* How a publisher publishes. */
struct pace {
	const char *name;
	const char *what; /* the same in words */
	size_t pairs;     /* at a time */
	unsigned topics;  /* the first so many, in turns; 0: each message has a topic of its own */
	unsigned burst;   /* messages on their way before it waits until all have arrived */
	unsigned gap_us;  /* then it pauses for up to twice as long */
};

struct stream;

/* Connects two devices for each pair, and subscribes. */
struct stream *stream_open(int port, const struct device *d, const struct pace *pace);
void stream_close(struct stream *s);

/* Sends this many messages in total, a multiple of pairs and burst.  Blocks. */
void stream_run(struct stream *s, size_t messages);

#endif
