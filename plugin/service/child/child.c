/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* child.c - states; see child.h. */
#include <inttypes.h>
#include <stdio.h>

#include "child_private.h"

static void
report_down(struct child *c)
{
	int64_t seconds = (c->start_at - c->config.now() + 999) / 1000;
	char when[40] = "at once";

	if (seconds > 0)
		(void)snprintf(when, sizeof(when), "in %" PRId64 " s", seconds);
	child_log(c, LEVEL_ERROR,
	    "%s; started again %s; until it is up, new devices and requests are refused, and all "
	    "else goes on",
	    c->why.text, when);
}

static void
report_up(const struct child *c)
{
	int64_t ms = c->config.now() - c->lost_at;

	child_log(c, LEVEL_NOTICE, "the registrar is up again after %" PRId64 ".%" PRId64 " s",
	    ms / 1000, ms % 1000 / 100);
}

enum child_state
child_tick(struct child *c)
{
	enum child_state before = c->state;

	if (c->state == CHILD_DOWN && c->config.now() >= c->start_at) {
		c->restarts++;
		child_begin(c);
		if (c->state == CHILD_DOWN)
			report_down(c);
	}
	if (c->state == CHILD_STARTING)
		(void)child_greet(c);
	if (c->state == CHILD_ENDING)
		child_reap(c);
	if (c->state == CHILD_DOWN && before != CHILD_DOWN)
		report_down(c);
	if (c->state == CHILD_UP && before != CHILD_UP)
		report_up(c);
	return c->state;
}

struct link *
child_link(const struct child *c)
{
	return c->state == CHILD_UP ? c->link : NULL;
}

void
child_lost(struct child *c, const char *why_or_null)
{
	if (c->state != CHILD_UP)
		return;
	if (why_or_null == NULL && link_state(c->link) == LINK_CORRUPT)
		why_or_null = "sent what is no frame";
	if (why_or_null != NULL)
		diag_set(&c->why, "the registrar %s", why_or_null);
	c->lost_at = c->config.now();
	child_end(c, why_or_null != NULL ? 0 : CHILD_END_MS);
}

uint64_t
child_restarts(const struct child *c)
{
	return c->restarts;
}

int
child_pid(const struct child *c)
{
	return c->pid;
}
