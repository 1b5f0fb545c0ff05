/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* outbox.c - see outbox.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/event.h"
#include "jitr/service/outbox.h"

static_assert(EVENT_PAYLOAD_SIZE + EVENT_DETAILS_MAX <= OUTBOX_PAYLOAD_MAX,
    "every event can be published");
static_assert(OUTBOX_TOPIC_MAX + OUTBOX_PAYLOAD_MAX <= OUTBOX_BYTES_PER_TICK,
    "every publishable message fits into a tick");

struct outbox {
	struct outbox_config config;
	bool pending;       /* there may be messages that were not published */
	uint64_t published; /* the highest number handed to the broker, or skipped */
	uint64_t delivered; /* the highest number that the broker has had a turn to deliver */
	uint64_t reported;  /* the highest number that the port has taken */
	bool failing;       /* the last tick had an error, which was logged */
	size_t burst;       /* published since there was nothing to publish */
};

/* A copy of a message.  No transaction is open during publish(), because the broker may
 * call the plugin from within it. */
struct outgoing {
	uint64_t seq;
	size_t topic_len, payload_len;
	char bytes[]; /* the topic, terminated, and the payload */
};

/* The limit and the result of one tick. */
struct tick {
	size_t room; /* bytes that may still be published */
	size_t published;
	bool damaged; /* a message was skipped */
	enum err failed;
};

/* What the port refuses is reported again at the next tick. */
static void
report_delivered(struct outbox *o)
{
	const struct outbox_port *port = &o->config.port;

	if (o->delivered > o->reported && port->published(port->context, o->delivered) == ERR_OK)
		o->reported = o->delivered;
}

/* A newer version may have stored messages that this one cannot publish. */
static bool
is_publishable(const struct message *m)
{
	return m->topic.len > 0 && m->topic.len <= OUTBOX_TOPIC_MAX &&
	    memchr(m->topic.data, 0, m->topic.len) == NULL && m->payload.len <= OUTBOX_PAYLOAD_MAX;
}

/* ERR_LIMIT: there is no room for it in this tick. */
static enum err
copy_message(const struct message *m, size_t room, struct outgoing **out)
{
	struct outgoing *c;

	if (m->topic.len + m->payload.len > room)
		return ERR_LIMIT;
	c = malloc(sizeof(*c) + m->topic.len + 1 + m->payload.len);
	if (c == NULL)
		return ERR_NOMEM;
	c->seq = m->seq;
	c->topic_len = m->topic.len;
	c->payload_len = m->payload.len;
	memcpy(c->bytes, m->topic.data, m->topic.len);
	c->bytes[m->topic.len] = '\0';
	if (m->payload.len > 0)
		memcpy(c->bytes + m->topic.len + 1, m->payload.data, m->payload.len);
	*out = c;
	return ERR_OK;
}

/* Copies the first message that was not published.  A damaged one is skipped, so that it
 * does not block the messages after it: ERR_OK, and *out stays NULL. */
static enum err
read_next(struct outbox *o, struct tick *tick, struct outgoing **out)
{
	struct message m = { .seq = o->published };
	struct txn t;
	enum err e = store_read(o->config.store, &t);

	if (e != ERR_OK)
		return e;
	e = store_next_message(&t, o->published, &m);
	if (e == ERR_OK && is_publishable(&m)) {
		e = copy_message(&m, tick->room, out);
	} else if (m.seq != o->published) {
		o->published = m.seq;
		tick->damaged = true;
		e = ERR_OK;
	}
	store_end(&t);
	return e;
}

static bool
publish_one(struct outbox *o, struct tick *tick, const struct outgoing *c)
{
	struct view payload = { (const uint8_t *)c->bytes + c->topic_len + 1, c->payload_len };

	if (o->config.broker->publish(c->bytes, payload, 1, false) != ERR_OK)
		return false;
	pace_spend(o->config.pace);
	o->published = c->seq;
	tick->published++;
	tick->room -= c->topic_len + c->payload_len;
	return true;
}

/* Returns whether the tick goes on.  After a failure the next tick tries again. */
static bool
publish_next(struct outbox *o, struct tick *tick)
{
	struct outgoing *c = NULL;
	enum err e;
	bool more;

	if (!pace_allows(o->config.pace))
		return false;
	e = read_next(o, tick, &c);
	if (e == ERR_NOT_FOUND)
		o->pending = false;
	else if (e != ERR_OK && e != ERR_LIMIT)
		tick->failed = e;
	if (e != ERR_OK)
		return false;
	more = c == NULL || publish_one(o, tick, c);
	free(c);
	return more;
}

/* Logged at the first failing tick only. */
static void
log_failure(struct outbox *o, enum err e, bool damaged)
{
	char line[160];

	if (e != ERR_OK && !o->failing) {
		(void)snprintf(line, sizeof(line),
		    "jitr: stored events cannot be published: %s; "
		    "they stay stored and are tried again",
		    err_text(e));
		o->config.broker->log(LEVEL_ERROR, line);
	}
	if (damaged && !o->failing)
		o->config.broker->log(LEVEL_ERROR,
		    "jitr: a stored event is damaged and is skipped");
	o->failing = e != ERR_OK || damaged;
}

/* The broker does not tell a plugin which messages it drops. */
static void
log_burst(struct outbox *o, size_t published)
{
	char line[240];

	if (o->burst < OUTBOX_BURST_WARNING && o->burst + published >= OUTBOX_BURST_WARNING) {
		(void)snprintf(line, sizeof(line),
		    "jitr: %d events in a row: a subscriber that is "
		    "offline or slow loses those beyond the broker's max_queued_messages (1000 by "
		    "default); see $SYS/broker/publish/messages/dropped",
		    OUTBOX_BURST_WARNING);
		o->config.broker->log(LEVEL_NOTICE, line);
	}
	o->burst = o->pending ? o->burst + published : 0;
}

enum err
outbox_open(const struct outbox_config *config, struct outbox **out)
{
	struct outbox *o = calloc(1, sizeof(*o));

	*out = o;
	if (o == NULL)
		return ERR_NOMEM;
	o->config = *config;
	o->pending = true;
	return ERR_OK;
}

void
outbox_close(struct outbox *o)
{
	free(o);
}

void
outbox_notify(struct outbox *o)
{
	o->pending = true;
}

void
outbox_report_again(struct outbox *o)
{
	o->reported = 0;
}

bool
outbox_has_more(const struct outbox *o)
{
	return o->pending && !o->failing;
}

size_t
outbox_pump(struct outbox *o)
{
	struct tick tick = { .room = OUTBOX_BYTES_PER_TICK };

	/* The broker has delivered by now what an earlier tick published. */
	o->delivered = o->published;
	report_delivered(o);
	if (!o->pending)
		return 0;
	for (size_t i = 0; i < OUTBOX_PER_TICK && publish_next(o, &tick); i++)
		continue;
	log_failure(o, tick.failed, tick.damaged);
	log_burst(o, tick.published);
	return tick.published;
}
