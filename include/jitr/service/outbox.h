/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outbox.h - stored messages, on their way to the broker.
 *
 * Broker thread, on each tick: publish what was committed since the last
 * time, and submit a job that removes what the broker has had a turn of its
 * loop to deliver.  The job waits for the next change and costs no commit of
 * its own.  After a crash the messages not yet removed are published again: at
 * least once, never lost; and since any change takes the removal along, one
 * that comes again tells of a certificate that has not changed since.
 */
#ifndef JITR_OUTBOX_H
#define JITR_OUTBOX_H

#include "jitr/service/broker.h"
#include "jitr/core/pace.h"
#include "jitr/service/writer.h"

/* What is published at one tick at most: the broker copies it for each
 * subscriber before it goes on. */
#define OUTBOX_PER_TICK       128
#define OUTBOX_BYTES_PER_TICK ((size_t)256 << 10) /* topics and payloads */

/* Of a message; a larger one is passed over as damaged.  Less together than
 * what a tick has room for. */
#define OUTBOX_TOPIC_MAX   65535 /* MQTT 3.1.1, 1.5.3 */
#define OUTBOX_PAYLOAD_MAX ((size_t)96 << 10)

struct outbox {
	struct store *store;
	struct writer *writer;
	const struct broker *broker;
	struct pace *pace;  /* NULL: as fast as the ticks come */
	bool pending;       /* there may be rows that were not published */
	uint64_t published; /* the highest number handed to the broker, or passed over */
	uint64_t delivered; /* the highest number it has had a turn for */
	uint64_t removed;   /* the highest number taken from the store */
	bool dropping;      /* a job that removes some is on its way */
	bool failing;       /* the store could not be read at the last try */
	size_t in_a_row;    /* published since there were none */
};

/* Told once in a row: a subscriber that is offline has lost some by then if its
 * queue in the broker is as long as it is by default. */
#define OUTBOX_MANY 1000

/* Publishes what one tick and the pace have room for; how many messages.  outbox.pending
 * stays set while there may be more, and where the store could not be read or
 * there was no memory: what was not published stays stored. */
size_t outbox_pump(struct outbox *o);

#endif
