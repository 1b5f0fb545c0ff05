/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * presence.h - events of connections (aws-iot D.9).
 *
 * Events are queued when they happen, also in the middle of a delivery, and published by
 * presence_tick(): in order, QoS 1, not retained.  They are not stored: when the broker stops,
 * waiting events are lost, like the connections.
 *
 * A client id that cannot be a topic level has no events (event_has_presence()).  p NULL:
 * presence is off.  Broker thread.
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
	struct pace *pace;    /* NULL: no limit */

	/* Private; zero at first. */
	struct presence_note *first, *last;
	size_t waiting;
	uint64_t version;  /* the last one used */
	int64_t second;    /* of the last failed connection */
	unsigned failures; /* in this second */
};

/* The common part of the events of one connection: kept by the owner of the connection, zero
 * before its first event. */
struct presence_session {
	uint8_t id[16];
	uint64_t version; /* greater for each new connection; 0: no event yet */
};

/* How a connection ended, if known. */
struct presence_end {
	enum answer client_initiated;
	const char *reason; /* AWS's word, static; NULL: not known */
};

/* A client was accepted.  address NULL: not known. */
void presence_connected(struct presence *p, struct presence_session *s, const char *client_id,
    const struct certid *certificate, const char *address);

/* It disconnected.  Once, and only if there was an event of its connection. */
void presence_disconnected(struct presence *p, struct presence_session *s, const char *client_id,
    const struct certid *certificate, const struct presence_end *end);

/* A client was refused by its certificate or its policies. */
void presence_connect_failed(struct presence *p, const char *client_id,
    const struct certid *certificate, const char *address);

/* TICK.  An event that the broker does not take is offered again. */
void presence_tick(struct presence *p);

/* Drops waiting events; zeroed is fine. */
void presence_clear(struct presence *p);

#endif
