/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin_private.h - state shared by start.c (start, stop), wiring.c (construction, teardown),
 * plugin.c (callbacks), changes.c, tick.c and dropped.c.  Private.  Broker thread, except where a member
 * is atomic.
 */
#ifndef JITR_PLUGIN_PRIVATE_H
#define JITR_PLUGIN_PRIVATE_H

#include <stdatomic.h>
#include <time.h>

#include "broker_mosquitto.h"

#include "jitr/service/schedule.h"
#include "jitr/service/anchors.h"
#include "jitr/service/config.h"
#include "jitr/service/counters.h"
#include "jitr/service/crls.h"
#include "jitr/service/health.h"
#include "jitr/service/gate.h"
#include "jitr/service/judge.h"
#include "jitr/service/log_jobs.h"
#include "jitr/service/outbox.h"
#include "jitr/service/registration_jobs.h"
#include "jitr/service/removal.h"
#include "jitr/service/relay.h"
#include "jitr/api/request.h"

#include "wake.h"

struct plugin {
	mosquitto_plugin_id_t *identifier;
	struct config config;

	/* The parts, all owned. */
	struct store *store;
	struct writer *writer;
	struct report *report;
	struct log_file *log_file; /* NULL: no log_file */
	struct log_jobs log_jobs;
	struct registration_jobs *registrations;
	struct gate *gate;
	struct judge judge; /* of the api */
	struct crls *crls;
	struct anchors *anchors; /* NULL: trust_store is capath */
	struct api *api;
	struct relay *relay;
	struct schedule *schedule;
	struct outbox *outbox;
	struct removal removal; /* of what the outbox has published */
	struct counters *counters;
	struct health *health; /* NULL: no health_file */
	struct wake *wake;     /* NULL: only the broker's own ticks */
	struct pace pace;
	struct stats stats;
	struct change_listener listener; /* changes.c */
	bool partial_chains;             /* x509_trust_partial_chains() was called */

	/* Ticks; times in ms, monotonic. */
	int64_t started;
	int64_t ticked;
	int64_t external_check_at; /* the last check for changes by other processes */
	bool more;                 /* the gate has more to do in this tick */
	bool no_tick_reported;
	atomic_bool ticking;  /* there was a tick, so that waking the broker has an effect */
	atomic_bool finished; /* set by the writer thread: jobs can be collected */

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

/* changes.c: the gate, the outbox and the counters are told of committed changes. */
struct change_listener changes_of(struct plugin *p);

/* tick.c */
void tick(struct plugin *p);
void report_missing_ticks(struct plugin *p);

/* dropped.c.  Text: the payload of DROPPED_TOPIC. */
#define DROPPED_TOPIC "$SYS/broker/publish/messages/dropped"
void dropped_read(struct plugin *p, const void *text, size_t len);
void dropped_report(struct plugin *p, int64_t now);

#endif
