/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * presence.h - events of connections (aws-iot D.9).
 *
 * What happens is noted as it happens, also in the middle of a delivery, and
 * published by presence_tick(): in order, QoS 1, not retained.  Nothing of it
 * is stored: when the broker ends, what waits is gone, as the connections are.
 *
 * Clients whose id makes no topic have no events (event_has_presence()).  p
 * NULL is a presence that is off.  Broker thread.
 */
#ifndef JITR_PRESENCE_H
#define JITR_PRESENCE_H

#include "jitr/service/broker.h"
#include "jitr/core/model.h"
#include "jitr/core/pace.h"
#include "jitr/service/stats.h"

#define PRESENCE_WAITING_MAX       32768 /* beyond, events are dropped and counted */
#define PRESENCE_PER_TICK          256
#define PRESENCE_FAILED_PER_SECOND 64 /* beyond, they are suppressed and counted */

struct presence_note;

struct presence {
	bool on;
	const struct broker *broker;
	struct stats *stats;
	int64_t (*now)(void); /* ms since 1970 */
	struct pace *pace;    /* NULL: as fast as the ticks come */

	/* presence.c's own; zero at first. */
	struct presence_note *first, *last;
	size_t waiting;
	uint64_t version; /* the last that was given */
	int64_t second;   /* of the connections that failed last, and how many */
	unsigned failures;
};

/* What the events of one connection have in common: kept by the owner of the
 * connection, zero before it was told. */
struct presence_session {
	uint8_t id[16];
	uint64_t version; /* grows from each connection to the next; 0: not told */
};

/* How a connection ended, as far as it is known. */
struct presence_end {
	enum answer client_initiated;
	const char *reason; /* AWS's word, as long as the program; NULL: not known */
};

/* A client was let in.  address NULL: not known. */
void presence_connected(struct presence *p, struct presence_session *s, const char *client_id,
    const struct certid *certificate, const char *address);

/* It has gone; once, and only if its connection was told. */
void presence_disconnected(struct presence *p, struct presence_session *s, const char *client_id,
    const struct certid *certificate, const struct presence_end *end);

/* A client that its certificate or its policies do not let in. */
void presence_connect_failed(struct presence *p, const char *client_id,
    const struct certid *certificate, const char *address);

/* TICK.  What the broker does not take is offered again. */
void presence_tick(struct presence *p);

/* Forgets what waits; zeroed is fine. */
void presence_clear(struct presence *p);

#endif
