/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* tick.c - the work of a tick, and how soon the next one must come. */
#include "plugin_private.h"

#include "jitr/service/writer.h"

/* The broker sends a tick at every turn of its loop; more often than this is not needed. */
#define TICK_MS 10

/* The interval at which the broker is woken: while the gate judges and closes connections;
 * while an answer waits to be delivered; while events wait, one for each turn of the loop. */
#define WAKE_FOR_GATE_US   500
#define WAKE_FOR_OTHERS_US 1000
#define WAKE_FOR_EVENTS_US (1000000 / PACE_PER_SECOND)

/* At most this many jobs are finished in one tick. */
#define FINISH_PER_TICK 512

/* How often the store is asked for changes by other processes. */
#define EXTERNAL_CHECK_MS 100

/* A broker that has sent no tick for this long sends none. */
#define NO_TICK_MS 10000

/* Without ticks no event is published and no answer is sent. */
void
report_missing_ticks(struct plugin *p)
{
	if (p->ticking || p->no_tick_reported ||
	    clock_ms(CLOCK_MONOTONIC) - p->started < NO_TICK_MS)
		return;
	p->no_tick_reported = true;
	report_line(p->report, LEVEL_ERROR,
	    "this broker sends its plugins no ticks, so nothing can "
	    "be published or answered: remove per_listener_settings from mosquitto.conf");
}

static void
check_external_changes(struct plugin *p, int64_t now)
{
	if (now - p->external_check_at < EXTERNAL_CHECK_MS)
		return;
	p->external_check_at = now;
	if (!store_changed_elsewhere(p->store))
		return;
	outbox_notify(p->outbox);
	gate_changed(p->gate, NULL);
	api_changed_elsewhere(p->api);
}

static void
publish_events(struct plugin *p)
{
	if (gate_take_announced(p->gate))
		outbox_notify(p->outbox);
	p->stats.events += outbox_pump(p->outbox);
	removal_tick(&p->removal);
}

/* published: whether this tick published; 2.1 sleeps before it delivers that. */
static void
ask_for_wake(struct plugin *p, bool published)
{
	if (p->more)
		wake_start(p->wake, WAKE_FOR_GATE_US);
	else if (outbox_has_more(p->outbox) || gate_has_events(p->gate))
		wake_start(p->wake, WAKE_FOR_EVENTS_US);
	else if (api_is_busy(p->api) || published)
		wake_start(p->wake, WAKE_FOR_OTHERS_US);
}

static void
do_tick(struct plugin *p, int64_t now)
{
	uint64_t published = broker_publications();

	p->ticked = now;
	p->ticking = true;
	atomic_store(&p->finished, false);
	wake_stop(p->wake);
	pace_refill(&p->pace, now);
	writer_collect(p->writer, FINISH_PER_TICK);
	check_external_changes(p, now);
	publish_events(p);
	p->more = gate_tick(p->gate);
	relay_tick(p->relay);
	api_tick(p->api);
	relay_send_answers(p->relay);
	crls_tick(p->crls);
	schedule_tick(p->schedule);
	counters_tick(p->counters, now);
	health_tick(p->health, now);
	dropped_report(p, now);
	ask_for_wake(p, broker_publications() != published);
}

void
tick(struct plugin *p)
{
	int64_t now = clock_ms(CLOCK_MONOTONIC);

	gate_release(p->gate); /* the broker has sent what was published before */
	pace_turn(&p->pace);
	if (now - p->ticked >= TICK_MS || atomic_load(&p->finished) || relay_has_answers(p->relay))
		do_tick(p, now);
	else if (p->more)
		p->more = gate_go_on(p->gate);
}
