/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outbox.h - publishes stored messages.
 *
 * On each tick the outbox publishes the messages committed since the last tick, and reports
 * the number up to which the broker has had a turn of its loop to deliver them.  These may be
 * removed from the store (removal.h).  Messages that were not removed are published again by
 * the next process: at least once, never lost.
 *
 * Reads the store and writes nothing.  Broker thread.
 */
#ifndef JITR_OUTBOX_H
#define JITR_OUTBOX_H

#include "jitr/adapter/store.h"
#include "jitr/core/pace.h"
#include "jitr/service/broker.h"

/* At most this is published in one tick: the broker copies a message for each subscriber
 * before publish() returns. */
#define OUTBOX_PER_TICK       128
#define OUTBOX_BYTES_PER_TICK ((size_t)256 << 10) /* topics and payloads */

/* Limits of one message, together less than the limit of a tick; a larger one is skipped as
 * damaged. */
#define OUTBOX_TOPIC_MAX   65535 /* MQTT 3.1.1, 1.5.3 */
#define OUTBOX_PAYLOAD_MAX ((size_t)96 << 10)

/* After this many messages without a pause a line is logged: with the default queue length
 * of the broker, a subscriber that is offline has lost some of them. */
#define OUTBOX_BURST_WARNING 1000

/* Takes the number up to which messages were delivered; it never decreases.  An error: full, the
 * outbox reports again at the next tick. */
struct outbox_port {
	void *context;
	enum err (*published)(void *context, uint64_t up_to);
};

struct outbox_config {
	struct store *store;
	struct outbox_port port;
	const struct broker *broker;
	struct pace *pace; /* NULL: no limit beyond that of a tick */
};

struct outbox;

/* *config is copied; its pointers are borrowed.  Messages stored by an earlier process are
 * published first. */
MUST_USE enum err outbox_open(const struct outbox_config *config, struct outbox **out);
void outbox_close(struct outbox *o); /* NULL is fine */

/* Messages may have been committed. */
void outbox_notify(struct outbox *o);

/* The remover was started again and knows no number: the next tick reports the current one. */
void outbox_report_again(struct outbox *o);

/* Publishes as much as one tick and the pace allow; returns the number of messages.
 * Messages that cannot be read, or for which there is no memory, stay stored for the next
 * tick. */
size_t outbox_pump(struct outbox *o);

/* Is there more to publish at the next tick?  false also after an error: the next attempt
 * does not need the broker's loop to be woken. */
bool outbox_has_more(const struct outbox *o);

#endif
