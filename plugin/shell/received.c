/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* received.c - see registrar.h: frames of the registrar become calls of the parts. */
#include <stdio.h>

#include "plugin_private.h"

#include "jitr/core/wire_registration.h"

_Static_assert(STATS_COUNTERS <= WIRE_COUNTERS_MAX, "STATE can carry every counter");

static enum err
answer(struct plugin *p, const struct wire_frame *frame)
{
	struct control_answer a;
	enum err e = wire_get_answer(frame->payload, &a);

	a.number = frame->number;
	if (e == ERR_OK)
		relay_answer(p->relay, &a);
	return e;
}

static enum err
done(struct plugin *p, const struct wire_frame *frame)
{
	struct presentation_result result;
	char failure[WIRE_FAILURE_MAX + 1];
	enum err e = wire_get_result(frame->payload, &result);

	if (e != ERR_OK)
		return e;
	(void)snprintf(failure, sizeof(failure), "%.*s", (int)result.failure.len,
	    (const char *)result.failure.data);
	gate_presented(p->gate, frame->number, result.result, &result.outcome,
	    result.failure.len > 0 ? failure : NULL);
	return ERR_OK;
}

static void
apply_change(struct plugin *p, const struct wire_change *c)
{
	switch (c->kind) {
	case WIRE_CHANGED_ANYTHING:
		gate_changed(p->gate, NULL);
		break;
	case WIRE_CHANGED_CERTIFICATE:
		gate_changed(p->gate, c->ids);
		break;
	case WIRE_CHANGED_POLICY:
		gate_policy_changed(p->gate, view_of(c->name));
		break;
	case WIRE_CHANGED_THING:
		gate_thing_changed(p->gate, view_of(c->name));
		break;
	case WIRE_CHANGED_CRL:
		gate_crl_changed(p->gate, c->ids, c->count);
		break;
	case WIRE_CHANGED_CRL_REMOVED:
		stats_forget_crl(c->ids, &broker_mosquitto);
		break;
	case WIRE_CHANGED_EVENTS:
		break;
	}
}

/* Every change may have stored an event. */
static enum err
changed(struct plugin *p, const struct wire_frame *frame)
{
	struct wire_change change;
	enum err e = wire_get_change(frame->payload, &change);

	if (e != ERR_OK)
		return e;
	outbox_notify(p->outbox);
	apply_change(p, &change);
	return ERR_OK;
}

static enum err
state(struct plugin *p, const struct wire_frame *frame)
{
	struct stats_delta deltas[WIRE_COUNTERS_MAX];
	struct wire_state s;
	enum err e = wire_get_state(frame->payload, &s);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < s.count; i++)
		deltas[i] = (struct stats_delta){ s.counters[i].index, s.counters[i].delta };
	e = stats_add_delta(&p->stats, deltas, s.count);
	if (e != ERR_OK)
		return e;
	if (s.commit_us_max > p->writer.commit_us_max)
		p->writer.commit_us_max = s.commit_us_max;
	p->writer.waiting = s.waiting;
	p->writer.commits = s.commits;
	p->writer.commit_us = s.commit_us;
	p->writer.commit_us_last = s.commit_us_last;
	return ERR_OK;
}

static enum err
log_line(struct plugin *p, const struct wire_frame *frame)
{
	return child_log_frame(p->child, frame);
}

static const struct {
	enum wire_type type;
	enum err (*receive)(struct plugin *p, const struct wire_frame *frame);
} receivers[] = {
	{ WIRE_ANSWER, answer },
	{ WIRE_DONE, done },
	{ WIRE_CHANGED, changed },
	{ WIRE_LOG, log_line },
	{ WIRE_STATE, state },
};

enum err
received(struct plugin *p, const struct wire_frame *frame)
{
	for (size_t i = 0; i < COUNT_OF(receivers); i++)
		if (receivers[i].type == frame->type)
			return receivers[i].receive(p, frame);
	return ERR_CORRUPT;
}
