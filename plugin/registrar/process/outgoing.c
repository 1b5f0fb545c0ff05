/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* outgoing.c - see outgoing.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "outgoing.h"

bool
outgoing_is_full(const struct outgoing *o)
{
	struct link_queue q = link_waiting(o->link);

	return q.bytes >= OUTGOING_FULL_BYTES || q.frames >= OUTGOING_FULL_FRAMES;
}

/* Takes bytes, which are NULL if there was no memory. */
static enum err
send_bytes(struct outgoing *o, enum wire_type type, uint64_t number, uint8_t *bytes, size_t len)
{
	struct view payload = { bytes, len };
	enum err e = ERR_NOMEM;

	if (bytes != NULL)
		e = len == 0 ? ERR_LIMIT : link_send(o->link, type, number, &payload, 1);
	free(bytes);
	return e;
}

/* send_NAME(): encodes what and queues it as a frame. */
#define DEFINE_SEND(name, type, what_type) \
	static enum err send_##name(struct outgoing *o, uint64_t number, what_type what) \
	{ \
		size_t len = wire_put_##name(what, NULL, SIZE_MAX); \
		uint8_t *bytes = malloc(len + 1); \
\
		if (bytes != NULL) \
			len = wire_put_##name(what, bytes, len); \
		return send_bytes(o, (type), number, bytes, len); \
	}

DEFINE_SEND(hello, WIRE_HELLO, const struct wire_hello *)
DEFINE_SEND(line, WIRE_FAILED, const char *)
DEFINE_SEND(log, WIRE_LOG, const struct wire_log *)
DEFINE_SEND(answer, WIRE_ANSWER, const struct control_answer *)
DEFINE_SEND(change, WIRE_CHANGED, const struct wire_change *)
DEFINE_SEND(state, WIRE_STATE, const struct wire_state *)

void
outgoing_hello(struct outgoing *o)
{
	struct wire_hello hello = { WIRE_PROTOCOL, JITR_VERSION };

	(void)!send_hello(o, 0, &hello);
}

void
outgoing_fail(struct outgoing *o, const char *line)
{
	(void)!send_line(o, 0, line);
}

void
outgoing_log(struct outgoing *o, enum log_level level, const char *line)
{
	struct wire_log log = { (unsigned)level, line };

	if (send_log(o, 0, &log) != ERR_OK)
		o->lines_lost++;
}

void
outgoing_answer(struct outgoing *o, const struct control_answer *a)
{
	if (send_answer(o, a->number, a) != ERR_OK)
		o->answers_lost++;
}

void
outgoing_change(struct outgoing *o, const struct wire_change *c)
{
	if (send_change(o, 0, c) == ERR_OK)
		return;
	if (c->kind == WIRE_CHANGED_EVENTS)
		o->owes_events = true;
	else
		o->owes_change = true;
}

bool
outgoing_state(struct outgoing *o, struct wire_state *s, struct stats *stats)
{
	struct stats_delta deltas[WIRE_COUNTERS_MAX];

	s->count = stats_take_delta(stats, deltas, COUNT_OF(deltas));
	for (size_t i = 0; i < s->count; i++)
		s->counters[i] = (struct wire_counter){ deltas[i].index, deltas[i].count };
	if (send_state(o, 0, s) == ERR_OK)
		return true;
	(void)!stats_add_delta(stats, deltas, s->count);
	return false;
}

bool
outgoing_done(struct outgoing *o, uint64_t number, struct view result)
{
	return link_send(o->link, WIRE_DONE, number, &result, 1) == ERR_OK;
}

static void
send_owed_change(struct outgoing *o, bool *owed, enum wire_change_kind kind)
{
	struct wire_change change = { .kind = kind };

	if (*owed)
		*owed = send_change(o, 0, &change) != ERR_OK;
}

static void
report_lost(struct outgoing *o, uint64_t *lost, const char *what)
{
	char line[100];
	uint64_t count = *lost;

	if (count == 0)
		return;
	(void)snprintf(line, sizeof(line),
	    "jitr: the link to the broker was full: %" PRIu64 " %s lost", count, what);
	*lost = 0;
	outgoing_log(o, LEVEL_ERROR, line);
}

bool
outgoing_flush(struct outgoing *o)
{
	bool open = link_flush(o->link) == ERR_OK;

	if (outgoing_is_full(o))
		return open;
	send_owed_change(o, &o->owes_change, WIRE_CHANGED_ANYTHING);
	send_owed_change(o, &o->owes_events, WIRE_CHANGED_EVENTS);
	report_lost(o, &o->lines_lost, "lines of the log were");
	report_lost(o, &o->answers_lost, "answers were");
	return open;
}
