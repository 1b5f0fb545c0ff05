/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registrar.c - see registrar.h: the loop. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "registrar_private.h"

/* Frames that are read in one turn. */
#define FRAMES_PER_TURN 4096

/* The parts look for work that is due this often. */
#define TICK_MS 10

/* How often the store is asked for changes by other processes, and the broker is told the
 * counters. */
#define ELSEWHERE_MS 100
#define STATE_MS     200

/* A broker that says less often that its loop runs hangs: the health file grows old. */
#define ALIVE_MS 15000

/* How long a registrar that ends waits for the broker to take what it sends. */
#define LAST_FLUSH_MS 1000

enum err
registrar_open(int fd, struct registrar **out)
{
	struct link_config config = { .fd = fd,
		.end = WIRE_REGISTRAR,
		.frames_max = LINK_FRAMES_MAX,
		.bytes_max = LINK_BYTES_MAX };
	struct registrar *r = calloc(1, sizeof(*r));
	enum err e;

	if (r == NULL)
		return ERR_NOMEM;
	e = link_open(&config, &r->link);
	if (e != ERR_OK) {
		free(r);
		return e;
	}
	r->out.link = r->link;
	*out = r;
	return ERR_OK;
}

bool
registrar_failed(const struct registrar *r)
{
	return r->failed;
}

/*
 * Waiting.
 */

static int
least(int a, int64_t b)
{
	return b >= 0 && b < a ? (int)b : a;
}

static int
time_to_wait(struct registrar *r, int max_ms)
{
	int ms = max_ms;

	if (r->state != REGISTRAR_RUNNING || outgoing_is_full(&r->out))
		return ms;
	if (r->unread)
		return 0;
	ms = least(ms, writer_due(r->writer, monotonic_ms()));
	return api_is_busy(r->api) ? least(ms, 1) : ms;
}

static void
wait_for_work(struct registrar *r, int max_ms)
{
	struct pollfd fd = { .fd = link_fd(r->link) };

	if (!outgoing_is_full(&r->out))
		fd.events |= POLLIN;
	if (link_waiting(r->link).frames > 0)
		fd.events |= POLLOUT;
	(void)poll(&fd, 1, time_to_wait(r, max_ms));
}

/*
 * Reading.
 */

static void
end(struct registrar *r, bool failed)
{
	r->failed = failed;
	r->state = REGISTRAR_ENDED;
}

/* false: there is no complete frame. */
static bool
receive_one(struct registrar *r)
{
	struct wire_frame frame;
	enum err e = link_next(r->link, &frame);

	if (e == ERR_OK)
		e = incoming_frame(r, &frame);
	else if (e == ERR_NOT_FOUND)
		return false;
	if (e != ERR_OK && r->state != REGISTRAR_ENDED)
		end(r, e != ERR_STORAGE);
	return r->state != REGISTRAR_ENDED;
}

/* A full queue to the broker stops the reading, so that the broker's own queue fills. */
static void
receive(struct registrar *r)
{
	enum err e = link_fill(r->link);

	r->unread = true;
	for (size_t i = 0; r->unread && i < FRAMES_PER_TURN && !outgoing_is_full(&r->out); i++)
		r->unread = receive_one(r);
	if (e != ERR_OK && e != ERR_NOT_FOUND && link_state(r->link) != LINK_OPEN &&
	    r->state != REGISTRAR_ENDED)
		end(r, link_state(r->link) == LINK_CORRUPT);
}

/*
 * Working.
 */

static void
look_elsewhere(struct registrar *r, int64_t now)
{
	if (now - r->looked_elsewhere < ELSEWHERE_MS)
		return;
	r->looked_elsewhere = now;
	if (!store_changed_elsewhere(r->store))
		return;
	r->listener.certificate(r->listener.context, NULL);
	r->listener.events(r->listener.context);
	api_changed_elsewhere(r->api);
}

static void
tell_state(struct registrar *r, int64_t now)
{
	struct wire_state state = { .count = 0 };
	struct writer_state writer;

	if (now - r->told < STATE_MS)
		return;
	r->told = now;
	writer_read_state(r->writer, &writer);
	if (writer.commit_us_max > r->commit_us_max)
		r->commit_us_max = writer.commit_us_max;
	if (!stats_any(&r->stats) && writer.commits == r->commits_told)
		return;
	state.waiting = writer.waiting;
	state.commits = writer.commits;
	state.commit_us = writer.commit_us;
	state.commit_us_max = r->commit_us_max;
	state.commit_us_last = writer.commit_us_last;
	if (!outgoing_state(&r->out, &state, &r->stats))
		return;
	r->commits_told = writer.commits;
	r->commit_us_max = 0;
}

static void
tick(struct registrar *r, int64_t now)
{
	if (now - r->ticked < TICK_MS)
		return;
	r->ticked = now;
	recovery_tick(&r->recovery, now);
	look_elsewhere(r, now);
	crls_tick(r->crls);
	schedule_tick(r->schedule);
	removal_tick(&r->removal);
	if (now - r->heard < ALIVE_MS)
		health_tick(r->health, now);
	tell_state(r, now);
}

static void
work(struct registrar *r)
{
	if (outgoing_is_full(&r->out))
		return;
	api_tick(r->api);
	tick(r, monotonic_ms());
	if (writer_due(r->writer, monotonic_ms()) == 0)
		(void)writer_turn(r->writer);
}

enum registrar_state
registrar_turn(struct registrar *r, int max_ms)
{
	wait_for_work(r, max_ms);
	receive(r);
	if (r->state == REGISTRAR_RUNNING)
		work(r);
	if (!outgoing_flush(&r->out) && r->state != REGISTRAR_ENDED)
		end(r, false);
	return r->state;
}

/*
 * The end.
 */

static void
flush_the_rest(struct registrar *r)
{
	struct pollfd fd = { .fd = link_fd(r->link), .events = POLLOUT };
	int64_t until = monotonic_ms() + LAST_FLUSH_MS;

	while (
	    outgoing_flush(&r->out) && link_waiting(r->link).frames > 0 && monotonic_ms() < until)
		(void)poll(&fd, 1, LAST_FLUSH_MS);
}

void
registrar_close(struct registrar *r)
{
	if (r == NULL)
		return;
	parts_close(r);
	flush_the_rest(r);
	link_close(r->link);
	free(r);
}
