/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* presence.c - see presence.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/event.h"
#include "jitr/service/presence.h"
#include "jitr/adapter/x509.h"

struct presence_note {
	struct presence_note *next;
	struct presence_event event;
	uint8_t texts[]; /* of the event */
};

static bool
has_presence(const struct presence *p, const char *client_id)
{
	return p != NULL && p->on && event_has_presence(view_of(client_id));
}

/* Without random bytes the versions still differ between sessions. */
static void
name_session(uint8_t id[16])
{
	if (random_fill(id, 16) != ERR_OK)
		memset(id, 0, 16);
}

static struct presence_note *
note_of(const struct presence_event *e)
{
	struct presence_note *n = malloc(sizeof(*n) + e->client_id.len + e->address.len);
	uint8_t *room;

	if (n == NULL)
		return NULL;
	n->next = NULL;
	n->event = *e;
	room = n->texts;
	view_move(&n->event.client_id, &room);
	view_move(&n->event.address, &room);
	return n;
}

static void
note(struct presence *p, const struct presence_event *e)
{
	struct presence_note *n = p->waiting < PRESENCE_WAITING_MAX ? note_of(e) : NULL;

	if (n == NULL) {
		p->stats->presence_dropped++;
		return;
	}
	if (p->first == NULL)
		p->first = n;
	else
		p->last->next = n;
	p->last = n;
	p->waiting++;
}

/* The time; greater if another client connected in the same millisecond, or the clock was set
 * back. */
static uint64_t
next_version(struct presence *p)
{
	int64_t now = p->now();

	p->version = now > 0 && (uint64_t)now > p->version ? (uint64_t)now : p->version + 1;
	return p->version;
}

void
presence_connected(struct presence *p, struct presence_session *s, const char *client_id,
    const struct certid *certificate, const char *address)
{
	struct presence_event e = { .kind = PRESENCE_CONNECTED,
		.client_id = view_of(client_id),
		.principal = *certificate,
		.address = view_of(address) };

	if (!has_presence(p, client_id))
		return;
	name_session(s->id);
	s->version = next_version(p);
	memcpy(e.session, s->id, sizeof(e.session));
	e.version = s->version;
	e.timestamp = p->now();
	note(p, &e);
}

void
presence_disconnected(struct presence *p, struct presence_session *s, const char *client_id,
    const struct certid *certificate, const struct presence_end *end)
{
	struct presence_event e = { .kind = PRESENCE_DISCONNECTED,
		.client_id = view_of(client_id),
		.principal = *certificate,
		.version = s->version,
		.client_initiated = end->client_initiated,
		.disconnect_reason = end->reason };

	if (s->version == 0 || !has_presence(p, client_id))
		return;
	memcpy(e.session, s->id, sizeof(e.session));
	e.timestamp = p->now();
	*s = (struct presence_session){ .version = 0 };
	note(p, &e);
}

/* A client that reconnects all the time must not displace the events of others. */
static bool
too_many_failures(struct presence *p, int64_t now)
{
	if (now / 1000 != p->second) {
		p->second = now / 1000;
		p->failures = 0;
	}
	return p->failures++ >= PRESENCE_FAILED_PER_SECOND;
}

void
presence_connect_failed(struct presence *p, const char *client_id, const struct certid *certificate,
    const char *address)
{
	struct presence_event e = { .kind = PRESENCE_CONNECT_FAILED,
		.client_id = view_of(client_id),
		.principal = *certificate,
		.address = view_of(address) };

	if (!has_presence(p, client_id))
		return;
	e.timestamp = p->now();
	if (too_many_failures(p, e.timestamp)) {
		p->stats->presence_suppressed++;
		return;
	}
	name_session(e.session);
	note(p, &e);
}

static void
drop_first(struct presence *p)
{
	struct presence_note *n = p->first;

	p->first = n->next;
	p->waiting--;
	free(n);
}

static bool
publish(const struct presence *p, const struct presence_event *e)
{
	char topic[EVENT_PRESENCE_TOPIC_SIZE], buffer[EVENT_PAYLOAD_SIZE];
	struct text payload = text_in(buffer, sizeof(buffer));

	(void)event_presence_topic(e->kind, e->client_id, topic);
	return p->broker->publish(topic, event_presence(e, &payload), 1, false) == ERR_OK;
}

/* The broker may call the plugin from publish(), which may append events: the first one is
 * removed afterwards. */
void
presence_tick(struct presence *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < PRESENCE_PER_TICK && p->first != NULL && pace_allows(p->pace); i++) {
		if (!publish(p, &p->first->event))
			return;
		pace_spend(p->pace);
		drop_first(p);
		p->stats->presence_published++;
	}
}

void
presence_clear(struct presence *p)
{
	while (p->first != NULL)
		drop_first(p);
}
