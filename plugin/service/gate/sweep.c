/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * sweep.c - after a change: judges every session again and disconnects those that may not stay,
 * one at a time, in slices of the broker's time.
 */
#include <stdlib.h>

#include "gate_private.h"

/* The last certificate first; skips those that are not connected. */
static struct principal *
named_next(struct gate *g)
{
	struct principal *p = NULL;

	while (p == NULL && g->named_count > 0)
		p = principal_find(&g->sessions, &g->named[--g->named_count]);
	if (g->named_count == 0) {
		free(g->named);
		g->named = NULL;
	}
	return p;
}

bool
refresh_sessions(struct gate *g, struct principal *p)
{
	struct session *session = p->sessions, *next;

	for (size_t n = 0; session != NULL && n < SESSIONS_AT_ONCE; n++) {
		next = session->next;
		session_refresh(g, session);
		session = next;
	}
	return session == NULL;
}

static void
refresh_next(struct gate *g)
{
	struct principal *p = named_next(g);
	struct session *session = p == NULL ? sweep_next(&g->sessions) : NULL;

	if (p != NULL)
		(void)refresh_sessions(g, p);
	else if (session != NULL && session->principal != NULL)
		session_refresh(g, session);
}

static void
sweep(struct gate *g, int64_t until)
{
	if (g->sessions.sweep_left == 0)
		return;
	do
		refresh_next(g);
	while (g->sessions.sweep_left > 0 && gate_clock_ns() < until);
}

static bool
has_work(const struct gate *g)
{
	return g->sessions.sweep_left > 0 || g->sessions.closing != NULL;
}

void
slice_begin(struct gate *g)
{
	g->turned = has_work(g) ? gate_clock_ns() : 0;
}

bool
gate_go_on(struct gate *g)
{
	int64_t start, slice;

	if (!has_work(g)) {
		g->worked = 0;
		return false;
	}
	start = g->turned != 0 ? g->turned : gate_clock_ns();
	g->turned = 0;
	slice = gate_slice_ns(g->worked != 0 ? gate_cpu_ns() - g->worked : 0);
	sweep(g, start + slice / 2);
	disconnect_until(g, start + slice);
	sweep(g, start + slice);
	g->worked = has_work(g) ? gate_cpu_ns() : 0;
	return g->worked != 0;
}
