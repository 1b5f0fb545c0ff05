/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate_clone.c - one certificate, used by two clients or from two addresses at
 * once: a key that was copied, or a fleet that shares one.
 *
 * The same client id from the same address is a device that comes back before
 * the broker has noticed that it left.  A new client with the client id of another
 * takes its place by MQTT's own rule (MQTT 5, 3.1.4-3): the plugin closes none for
 * that.  Administrators' certificates are shared on purpose.
 */
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"
#include <utlist.h>

#define SHARED_MAX      256   /* between two ticks */
#define SHARED_INTERVAL 10000 /* ms between two lines about one certificate */

struct shared {
	struct certid id;
	char client_id[2][132], address[2][64]; /* the new client's, and the other's */
	struct shared *next, *prev;
};

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool
shares_with(const struct session *a, const struct session *b)
{
	return a != b && b->admitted &&
	    !(same_text(a->client_id, b->client_id) && same_text(a->address, b->address));
}

static struct session *
find_other(const struct session *session)
{
	struct session *other = session->principal->sessions;

	while (other != NULL && !shares_with(session, other))
		other = other->next;
	return other;
}

/* The log is told at the next tick, and of one certificate once in a while. */
static void
tell_later(struct gate *g, const struct session *session, const struct session *other)
{
	struct principal *p = session->principal;
	int64_t now = g->config.now();
	struct shared *shared;

	if (g->shared_count >= SHARED_MAX ||
	    (p->shared_told != 0 && now >= p->shared_told &&
		now - p->shared_told < SHARED_INTERVAL))
		return;
	shared = calloc(1, sizeof(*shared));
	if (shared == NULL)
		return;
	p->shared_told = now;
	shared->id = p->id;
	keep_text(shared->client_id[0], sizeof(shared->client_id[0]), session->client_id);
	keep_text(shared->client_id[1], sizeof(shared->client_id[1]), other->client_id);
	keep_text(shared->address[0], sizeof(shared->address[0]), session->address);
	keep_text(shared->address[1], sizeof(shared->address[1]), other->address);
	DL_APPEND(g->shared, shared);
	g->shared_count++;
}

/* For good: it stays out when it is judged again, as each of its packets is. */
static void
evict(struct session *session)
{
	session->shut_out = REASON_CLONE;
	session->admitted = false;
}

/* All but the newest.  The broker closes the one with the same client id. */
static void
evict_others(struct gate *g, struct session *session)
{
	struct session *other, *next;

	for (other = session->principal->sessions; other != NULL; other = next) {
		next = other->next;
		if (!shares_with(session, other) || same_text(session->client_id, other->client_id))
			continue;
		evict(other);
		session_disconnect(&g->sessions, other, REASON_CLONE);
	}
}

enum reason
shared_admit(struct gate *g, struct session *session)
{
	const struct session *other = find_other(session);

	if (other == NULL || gate_names_administrator(g, &session->principal->id))
		return REASON_NONE;
	g->config.stats->clones++;
	tell_later(g, session, other);
	if (g->config.clone_policy == CLONE_OLDEST) {
		evict(session);
		return REASON_CLONE;
	}
	if (g->config.clone_policy == CLONE_NEWEST)
		evict_others(g, session);
	return REASON_NONE;
}

static void
shared_free(struct gate *g, struct shared *shared)
{
	DL_DELETE(g->shared, shared);
	g->shared_count--;
	free(shared);
}

void
shared_report_all(struct gate *g)
{
	static const char *const done[] = { [CLONE_ALLOW] = "both may stay",
		[CLONE_NEWEST] = "the newest stays",
		[CLONE_OLDEST] = "the oldest stays" };
	struct shared *shared;

	while ((shared = g->shared) != NULL) {
		struct client new = { .id = shared->client_id[0], .address = shared->address[0] };

		report_clone(g->config.report, &new, &shared->id, shared->client_id[1],
		    shared->address[1], done[g->config.clone_policy]);
		shared_free(g, shared);
	}
}

void
shared_forget_all(struct gate *g)
{
	while (g->shared != NULL)
		shared_free(g, g->shared);
}
