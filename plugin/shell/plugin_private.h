/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * plugin_private.h - what plugin.c, which has the broker's events, and parts.c,
 * which makes what they are turned into calls to, share.  Not for anybody else.
 * Broker thread.
 */
#ifndef JITR_PLUGIN_PRIVATE_H
#define JITR_PLUGIN_PRIVATE_H

#include <time.h>

#include "broker_mosquitto.h"

#include "jitr/agenda.h"
#include "jitr/anchors.h"
#include "jitr/config.h"
#include "jitr/counters.h"
#include "jitr/crls.h"
#include "jitr/outbox.h"
#include "jitr/request.h"

struct plugin {
	mosquitto_plugin_id_t *identifier;
	struct config          config;
	struct store          *store;
	struct writer         *writer;
	struct report         *report;
	struct gate           *gate;
	struct crls           *crls;
	struct anchors        *anchors; /* NULL: nobody asks for them */
	struct api            *api;
	struct agenda          agenda;
	struct outbox          outbox;
	struct stats           stats;
	struct counters        counters;
	int64_t                started, ticked, looked_elsewhere; /* ms, monotonic */
	bool                   sends_before_tick; /* 2.1: what plugins publish is sent at the next
	                                           * turn of the loop, before its tick */
	bool                   ticking, told_no_tick, trusts_partial;
};

int64_t clock_ms(clockid_t clock);

/* By p->config, which is parsed.  What was opened before a failure is closed by
 * close_parts(). */
MUST_USE enum err open_parts(struct plugin *p, struct diag *diag);
void              close_parts(struct plugin *p); /* and frees p */

#endif
