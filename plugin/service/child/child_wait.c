/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* child_wait.c - start and stop, which wait; see child.h. */
#include <poll.h>
#include <stdlib.h>

#include "child_private.h"

/* Between two looks whether the process has ended. */
#define END_POLL_MS 1

/* The time until a killed process has ended, unless it waits for a disk. */
#define KILL_MS 1000

/* Until the link can be read, or written where something waits.  A signal ends the wait. */
static void
wait_link(const struct link *l, int64_t ms)
{
	struct pollfd p = { .fd = link_fd(l), .events = POLLIN };

	if (link_waiting(l).frames > 0)
		p.events |= POLLOUT;
	(void)poll(&p, 1, ms > 0 ? (int)ms : 0);
}

/* ENDING to DOWN; false: it has not ended. */
static bool
wait_end(struct child *c, int64_t until)
{
	while (c->state == CHILD_ENDING && c->config.now() < until) {
		child_reap(c);
		if (c->state == CHILD_ENDING)
			(void)poll(NULL, 0, END_POLL_MS);
	}
	return c->state != CHILD_ENDING;
}

static enum err
wait_start(struct child *c, struct diag *diag)
{
	while (c->state == CHILD_STARTING) {
		if (child_greet(c) && c->state == CHILD_STARTING)
			wait_link(c->link, c->heard_at + CHILD_START_MS - c->config.now());
	}
	if (c->state == CHILD_UP)
		return ERR_OK;
	(void)wait_end(c, c->kill_at + KILL_MS);
	diag_set(diag, "%s", c->why.text);
	return ERR_STORAGE;
}

enum err
child_open(const struct child_config *config, struct child **out, struct diag *diag)
{
	struct child *c = calloc(1, sizeof(*c));
	enum err e;

	if (c == NULL)
		return ERR_NOMEM;
	c->config = *config;
	child_begin(c);
	e = wait_start(c, diag);
	if (e != ERR_OK)
		free(c);
	else
		*out = c;
	return e;
}

static void
pass_frames(struct child *c)
{
	struct wire_frame frame;

	while (link_next(c->link, &frame) == ERR_OK) {
		if (frame.type == WIRE_LOG) {
			if (child_log_frame(c, &frame) != ERR_OK)
				return;
		} else if (c->state == CHILD_UP && c->config.last_frame != NULL) {
			c->config.last_frame(c->config.context, &frame);
		}
	}
}

/* What waits to be sent is sent before STOP, and what the process sends is read until it
 * ends. */
static void
stop(struct child *c)
{
	int64_t until = c->config.now() + CHILD_END_MS;
	bool told = false;
	enum err e = ERR_OK;

	while (e != ERR_STORAGE && link_state(c->link) != LINK_CORRUPT && c->config.now() < until) {
		pass_frames(c);
		told = told || link_send(c->link, WIRE_STOP, 0, NULL, 0) == ERR_OK;
		(void)link_flush(c->link);
		e = link_fill(c->link);
		if (e == ERR_NOT_FOUND)
			wait_link(c->link, until - c->config.now());
	}
	pass_frames(c);
	child_end(c, until - c->config.now());
}

void
child_close(struct child *c)
{
	bool told;

	if (c == NULL)
		return;
	told = c->link != NULL;
	if (told)
		stop(c);
	if (c->state == CHILD_ENDING && !wait_end(c, c->kill_at + KILL_MS))
		child_log(c, LEVEL_WARNING,
		    "the registrar (process %d) does not end: a disk may not answer; until it "
		    "has ended, no broker can open the registry",
		    c->pid);
	else if (told && c->config.now() >= c->kill_at)
		child_log(c, LEVEL_WARNING,
		    "the registrar did not end within %d s and was killed: a disk may not answer; "
		    "what was answered is stored",
		    CHILD_END_MS / 1000);
	free(c);
}
