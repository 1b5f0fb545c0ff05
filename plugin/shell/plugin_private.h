/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin_private.h - state shared by start.c (start, stop), wiring.c (construction, teardown),
 * registrar.c (the registrar process), received.c (its frames), plugin.c (callbacks), tick.c and
 * dropped.c.  Private.  Broker thread.
 */
#ifndef JITR_PLUGIN_PRIVATE_H
#define JITR_PLUGIN_PRIVATE_H

#include <limits.h>
#include <time.h>

#include "broker_mosquitto.h"

#include "jitr/service/anchors.h"
#include "jitr/service/child.h"
#include "jitr/service/config.h"
#include "jitr/service/counters.h"
#include "jitr/service/gate.h"
#include "jitr/service/outbox.h"
#include "jitr/service/relay.h"

#include "registrar.h"
#include "wake.h"

struct plugin {
	mosquitto_plugin_id_t *identifier;
	struct config config;

	/* The registrar. */
	struct child *child;            /* owned */
	struct wire_config wire_config; /* its texts are owned */
	char program[PATH_MAX];
	struct writer_state writer; /* as the registrar told it last */
	int64_t said_alive;         /* ms, monotonic */
	bool frames_left;           /* more arrived than one turn handles */
	int64_t received;           /* CPU time at the end of the last turn that left some, ns */

	/* The parts, all owned. */
	struct store *store; /* read-only */
	struct report *report;
	struct gate *gate;
	struct anchors *anchors; /* NULL: trust_store is capath */
	struct relay *relay;
	struct outbox *outbox;
	struct counters *counters;
	struct wake *wake; /* NULL: only the broker's own ticks */
	struct pace pace;
	struct stats stats;
	bool partial_chains; /* x509_trust_partial_chains() was called */

	/* Ticks; times in ms, monotonic. */
	int64_t started;
	int64_t ticked;
	bool more; /* the gate has more to do in this tick */
	bool no_tick_reported;
	bool ticking; /* there was a tick */

	/* Messages that the broker dropped (dropped.c). */
	uint64_t dropped_reported;
	int64_t dropped_reported_at; /* ms, monotonic; 0: never */

	bool sends_before_tick; /* 2.1: what plugins publish is sent at the next turn of the
	                         * loop, before its tick */
	bool psk_conflict;      /* psk_file has certificateIds or names of admin_users */
};

int64_t clock_ms(clockid_t clock);

/* wiring.c.  p->config is parsed.  After an error the caller calls close_parts(), too. */
MUST_USE enum err open_parts(struct plugin *p, struct diag *diag);
void close_parts(struct plugin *p); /* and frees p */

/* plugin.c.  MOSQ_ERR_SUCCESS, or the broker's error: some callbacks may be registered. */
int register_callbacks(struct plugin *p);
void unregister_callbacks(struct plugin *p);
void psk_names_read(struct plugin *p);

/* tick.c */
void tick(struct plugin *p);
void report_missing_ticks(struct plugin *p);

/* dropped.c.  Text: the payload of DROPPED_TOPIC. */
#define DROPPED_TOPIC "$SYS/broker/publish/messages/dropped"
void dropped_read(struct plugin *p, const void *text, size_t len);
void dropped_report(struct plugin *p, int64_t now);

#endif
