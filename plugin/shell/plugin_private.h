/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin_private.h - state shared by plugin.c (callbacks) and wiring.c (construction,
 * teardown).  Private.
 * Broker thread.
 */
#ifndef JITR_PLUGIN_PRIVATE_H
#define JITR_PLUGIN_PRIVATE_H

#include <stdatomic.h>
#include <time.h>

#include "broker_mosquitto.h"

#include "jitr/service/schedule.h"
#include "jitr/service/anchors.h"
#include "config.h"
#include "jitr/service/counters.h"
#include "jitr/service/crls.h"
#include "jitr/service/health.h"
#include "jitr/service/outbox.h"
#include "jitr/api/request.h"

#include "wake.h"

struct plugin {
	mosquitto_plugin_id_t *identifier;
	struct config config;
	struct store *store;
	struct writer *writer;
	struct report *report;
	struct gate *gate;
	struct crls *crls;
	struct anchors *anchors; /* NULL: not needed */
	struct api *api;
	struct schedule schedule;
	struct outbox outbox;
	struct pace pace;
	struct stats stats;
	struct counters counters;
	struct health health;
	bool sends_before_tick;  /* 2.1: what plugins publish is sent at the next
	                                           * turn of the loop, before its tick */
	struct wake *wake;       /* NULL: the broker's own ticks have to do */
	atomic_bool finished;    /* the writer has jobs that are done */
	bool more;               /* the gate has more to do at this tick */
	uint64_t dropped_told;   /* messages that the broker dropped, in the log */
	int64_t dropped_told_at; /* ms, monotonic; 0: never */
	int64_t started, ticked, looked_elsewhere; /* ms, monotonic */
	atomic_bool ticking; /* there was a tick; one that never comes is not waited for */
	bool told_no_tick, trusts_partial;
	bool shares_names; /* psk_file has names of ours */
};

int64_t clock_ms(clockid_t clock);

/* By p->config, which is parsed.  What was opened before a failure is closed by
 * close_parts(). */
MUST_USE enum err open_parts(struct plugin *p, struct diag *diag);
void close_parts(struct plugin *p); /* and frees p */

#endif
