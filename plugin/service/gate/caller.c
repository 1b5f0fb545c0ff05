/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * caller.c - see gate.h: connections that sent a request, and client ids that an answer is
 * being sent to.
 */
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"
#include <utlist.h>

/* Answers between two ticks of the broker; further answers are not sent. */
#define HELD_MAX 4096

struct held {
	const void *handle; /* the connection that the answer is for */
	char *client_id;
	struct held *next;
};

struct caller
gate_caller(struct gate *g, const struct client *c)
{
	const struct session *session = session_find(&g->sessions, c->handle, c->x);

	return (struct caller){ c->handle, session != NULL ? session->number : 0 };
}

bool
gate_is_connected(struct gate *g, const struct caller *caller)
{
	const struct session *session = session_of(&g->sessions, caller->handle);

	return session != NULL && session->number == caller->session;
}

bool
gate_hold(struct gate *g, const struct caller *caller, const char *client_id)
{
	struct held *h = g->held_count < HELD_MAX ? calloc(1, sizeof(*h)) : NULL;

	if (h == NULL)
		return false;
	h->handle = caller->handle;
	h->client_id = strdup(client_id);
	if (h->client_id == NULL) {
		free(h);
		return false;
	}
	LL_PREPEND(g->held, h);
	g->held_count++;
	return true;
}

bool
is_held(const struct gate *g, const struct client *c)
{
	for (const struct held *h = g->held; h != NULL; h = h->next)
		if (h->handle != c->handle && c->id != NULL && strcmp(h->client_id, c->id) == 0)
			return true;
	return false;
}

/* Clients that left since the last turn are not asked about any more either. */
void
gate_release(struct gate *g)
{
	struct held *h;

	slice_begin(g);
	sessions_tick(&g->sessions);
	while ((h = g->held) != NULL) {
		g->held = h->next;
		free(h->client_id);
		free(h);
	}
	g->held_count = 0;
}
