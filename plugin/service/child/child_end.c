/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* child_end.c - from the end of the link to the next start; see child_private.h. */
#include <signal.h>

#include "jitr/core/backoff.h"

#include "child_private.h"
#include "process.h"

void
child_end(struct child *c, int64_t grace_ms)
{
	link_close(c->link);
	c->link = NULL;
	c->kill_at = c->config.now() + grace_ms;
	c->state = CHILD_ENDING;
}

void
child_ended(struct child *c)
{
	int64_t now = c->config.now(), up_ms = c->up_since != 0 ? now - c->up_since : 0, delay;

	c->ends = backoff_count(c->ends, up_ms);
	delay = backoff_delay(c->ends);
	c->up_since = 0;
	c->start_at = now + delay;
	c->pid = 0;
	c->state = CHILD_DOWN;
}

void
child_reap(struct child *c)
{
	struct diag how;

	if (!process_ended(c->pid, &how)) {
		if (c->config.now() >= c->kill_at)
			(void)kill(c->pid, SIGKILL);
		return;
	}
	if (c->why.text[0] == '\0')
		diag_set(&c->why, "the registrar has ended: %s", how.text);
	child_ended(c);
}
