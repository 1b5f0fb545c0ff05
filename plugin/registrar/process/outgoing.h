/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * outgoing.h - what the registrar tells the broker.
 *
 * Each function queues a frame; outgoing_flush() sends.  Frames are in the order of the calls,
 * so a change that is told before its answer is known to the gate when the answer arrives.
 *
 * Nothing is lost without a trace.  A change that finds no room becomes "anything may have
 * changed", which follows as soon as there is room.  Lines of the log and answers that find
 * none are counted, and their number is logged.  Counters stay until a STATE has them.  The
 * result of a registration must not be lost: the process ends, and the broker treats it like
 * any registrar that died.
 *
 * The registrar's thread.
 */
#ifndef JITR_OUTGOING_H
#define JITR_OUTGOING_H

#include "jitr/core/control_message.h"
#include "jitr/service/broker.h"
#include "jitr/service/link.h"
#include "jitr/service/stats.h"

/* Above this no more work is begun that sends something. */
#define OUTGOING_FULL_BYTES  ((size_t)16 << 20)
#define OUTGOING_FULL_FRAMES 16384

struct outgoing {
	struct link *link; /* borrowed */
	bool owes_change;  /* that anything may have changed */
	bool owes_events;  /* that events were stored */
	uint64_t lines_lost, answers_lost;
};

bool outgoing_is_full(const struct outgoing *o);

void outgoing_hello(struct outgoing *o);
void outgoing_fail(struct outgoing *o, const char *line);
void outgoing_log(struct outgoing *o, enum log_level level, const char *line);
void outgoing_answer(struct outgoing *o, const struct control_answer *a);
void outgoing_change(struct outgoing *o, const struct wire_change *c);

/* Moves the counters of stats to s->counters and queues s.  false: there was no room, and
 * stats has its counters as before. */
MUST_USE bool outgoing_state(struct outgoing *o, struct wire_state *s, struct stats *stats);

/* result: wire_put_result().  false: no room. */
MUST_USE bool outgoing_done(struct outgoing *o, uint64_t number, struct view result);

/* Sends what the socket takes.  false: the broker is gone. */
MUST_USE bool outgoing_flush(struct outgoing *o);

#endif
