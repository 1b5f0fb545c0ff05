/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* gate_cut.c - live connections of certificates that may not any more. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate_private.h"

/* Of the broker's time at one tick: long enough to be done with a handful of
 * clients. */
#define CUT_BUDGET_NS (3 * 1000 * 1000)

/*
 * Kicking walks all connections (mosquitto section 4): as many as fit into the
 * tick's budget, at least one.  A principal leaves the list first, since the
 * kick calls gate_disconnected().
 */
int64_t
gate_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static size_t
count_sessions(const struct principal *p, bool admitted)
{
	const struct session *session;
	size_t count = 0;

	for (session = p->sessions; session != NULL; session = session->next)
		count += session->admitted == admitted;
	return count;
}

/* Of several connections with one certificate those that may stay do: the
 * others are told apart by client id.  They are live, since we have them. */
static void
kick_some(struct gate *g, const struct principal *p)
{
	struct session *session, *next;

	for (session = p->sessions; session != NULL; session = next) {
		char *id = session->admitted || session->client_id == NULL
		    ? NULL : strdup(session->client_id);

		next = session->next;
		if (id != NULL)
			g->config.broker->kick_one(id); /* frees the session */
		free(id);
	}
}

static void
kick(struct gate *g, const struct principal *p)
{
	char hex[CERTID_HEX_SIZE];

	for (struct session *session = p->sessions; session != NULL; session = session->next)
		session->kicked = !session->admitted;
	if (count_sessions(p, true) > 0) {
		kick_some(g, p);
		return;
	}
	memcpy(hex, p->hex, sizeof(hex)); /* p goes with its last session */
	g->config.broker->kick(hex);
}

void
gate_cut_off(struct gate *g)
{
	struct principal *p;
	int64_t start;

	if (g->sessions.to_cut == NULL)
		return;
	start = gate_clock_ns();
	do {
		p = principal_next_cut(&g->sessions);
		if (p == NULL || count_sessions(p, false) == 0) /* activated again meanwhile */
			continue;
		g->config.stats->cut++;
		report_cut(g->config.report, &p->id, p->cut_reason);
		kick(g, p);
	} while (p != NULL && gate_clock_ns() - start < CUT_BUDGET_NS);
}
