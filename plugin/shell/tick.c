/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* tick.c - the work of a tick, and how soon the next one must come. */
#include "plugin_private.h"

/* The broker sends a tick at every turn of its loop; more often than this is not needed. */
#define TICK_MS 10

/* The interval at which the broker is woken: while the gate judges and closes connections;
 * while an answer waits to be delivered; while events wait, one for each turn of the loop. */
#define WAKE_FOR_GATE_US   500
#define WAKE_FOR_OTHERS_US 1000
#define WAKE_FOR_EVENTS_US (1000000 / PACE_PER_SECOND)

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
publish_events(struct plugin *p)
{
	if (gate_take_announced(p->gate))
		outbox_notify(p->outbox);
	p->stats.events += outbox_pump(p->outbox);
}

/* published: whether this tick published; 2.1 sleeps before it delivers that. */
static void
ask_for_wake(struct plugin *p, bool published)
{
	if (p->more)
		wake_start(p->wake, WAKE_FOR_GATE_US);
	else if (outbox_has_more(p->outbox) || gate_has_events(p->gate))
		wake_start(p->wake, WAKE_FOR_EVENTS_US);
	else if (p->frames_left || published)
		wake_start(p->wake, WAKE_FOR_OTHERS_US);
}

/* Not inlined, so that most ticks, which do nothing, save fewer registers. */
static NOT_INLINE void
do_tick(struct plugin *p, int64_t now)
{
	uint64_t published = broker_publications();

	p->ticked = now;
	p->ticking = true;
	wake_stop(p->wake);
	pace_refill(&p->pace, now);
	registrar_receive(p);
	publish_events(p);
	p->more = gate_tick(p->gate);
	relay_tick(p->relay);
	relay_send_answers(p->relay);
	counters_tick(p->counters, now);
	dropped_report(p, now);
	ask_for_wake(p, broker_publications() != published);
}

static bool
has_news(struct plugin *p)
{
	return p->frames_left || (p->wake != NULL && wake_take_news(p->wake));
}

void
tick(struct plugin *p)
{
	int64_t now = clock_ms(CLOCK_MONOTONIC);

	gate_release(p->gate); /* the broker has sent what was published before */
	pace_turn(&p->pace);
	if (now - p->ticked >= TICK_MS || has_news(p) || relay_has_answers(p->relay))
		do_tick(p, now);
	else if (p->more)
		p->more = gate_go_on(p->gate);
	registrar_flush(p);
}
