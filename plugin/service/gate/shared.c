/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * shared.c - one certificate, used by two clients or from two addresses at the same time: a
 * key that was copied, or a fleet that shares one.
 *
 * The same client id from the same address is a device that reconnects before the broker has
 * noticed that it left.  A new client with the client id of another one takes its place by the
 * rule of MQTT (MQTT 5, 3.1.4-3), so the plugin disconnects neither.  Administrators may share
 * a certificate.
 */
#include <string.h>

#include "gate_private.h"

#define SHARED_INTERVAL 10000 /* ms between two lines about one certificate */

struct shared {
	struct notice notice;
	struct certid id;
	/* Of the new client and of the other one. */
	char client_id[2][NOTICE_NAME_SIZE], address[2][NOTICE_ADDRESS_SIZE];
};

static void
log_shared(struct gate *g, const struct notice *n)
{
	static const char *const done[] = { [SHARED_ALLOW] = "both may stay",
		[SHARED_NEWEST] = "the newest stays",
		[SHARED_OLDEST] = "the oldest stays" };
	const struct shared *shared = (const struct shared *)n;
	struct client new = { .id = shared->client_id[0], .address = shared->address[0] };

	report_shared(g->config.report, &new, &shared->id, shared->client_id[1], shared->address[1],
	    done[g->config.shared_certificate]);
}

static const struct notice_type shared_type = { NOTICE_SHARED, 256, log_shared, NULL };

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool
shares_with(const struct session *a, const struct session *b)
{
	return a != b && session_is_admitted(b) &&
	    !(same_text(a->live->client_id, b->live->client_id) &&
		same_text(a->live->address, b->live->address));
}

static struct session *
find_other(const struct session *session)
{
	struct session *other = session->principal->sessions;

	while (other != NULL && !shares_with(session, other))
		other = other->next;
	return other;
}

static void
log_later(struct gate *g, const struct session *session, const struct session *other)
{
	struct principal *p = session->principal;
	int64_t now = g->config.now();
	struct shared *shared;

	if (!notice_is_due(p->shared_logged, now, SHARED_INTERVAL))
		return;
	shared = notice_add(&g->notices, &shared_type, sizeof(*shared));
	if (shared == NULL)
		return;
	p->shared_logged = now;
	shared->id = p->id;
	keep_text(shared->client_id[0], sizeof(shared->client_id[0]), session->live->client_id);
	keep_text(shared->client_id[1], sizeof(shared->client_id[1]), other->live->client_id);
	keep_text(shared->address[0], sizeof(shared->address[0]), session->live->address);
	keep_text(shared->address[1], sizeof(shared->address[1]), other->live->address);
}

/* Its certificate alone would admit it again. */
static void
evict(struct session *session)
{
	session->shut_out = REASON_SHARED;
	session_step(session, SESSION_ON_SHUT_OUT);
}

/* All but the newest.  The broker disconnects the one with the same client id. */
static void
evict_others(struct gate *g, struct session *session)
{
	struct session *other, *next;

	for (other = session->principal->sessions; other != NULL; other = next) {
		next = other->next;
		if (!shares_with(session, other) ||
		    same_text(session->live->client_id, other->live->client_id))
			continue;
		evict(other);
		session_disconnect(&g->sessions, other, REASON_SHARED);
	}
}

enum reason
shared_admit(struct gate *g, struct session *session)
{
	const struct session *other = find_other(session);

	if (other == NULL || judge_names_administrator(&g->judge, &session->principal->id))
		return REASON_NONE;
	g->config.stats->shared++;
	log_later(g, session, other);
	if (g->config.shared_certificate == SHARED_OLDEST) {
		evict(session);
		return REASON_SHARED;
	}
	if (g->config.shared_certificate == SHARED_NEWEST)
		evict_others(g, session);
	return REASON_NONE;
}
