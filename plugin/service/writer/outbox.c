/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* outbox.c - see outbox.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/event.h"
#include "jitr/service/outbox.h"

static_assert(EVENT_PAYLOAD_SIZE + EVENT_DETAILS_MAX <= OUTBOX_PAYLOAD_MAX,
    "every event can be carried");
static_assert(OUTBOX_TOPIC_MAX + OUTBOX_PAYLOAD_MAX <= OUTBOX_BYTES_PER_TICK,
    "whatever is carried fits into a tick");

/* A message on its way, copied out of the transaction: the broker may call us
 * again from publish(), so none is open then. */
struct carried {
	uint64_t seq;
	size_t topic_len, payload_len;
	char bytes[]; /* the topic, terminated, and the payload */
};

/* What one tick has room for, and what came of it. */
struct tick {
	size_t room; /* bytes */
	size_t published;
	bool damaged;
	enum err failed;
};

struct drop_job {
	struct job job;
	struct outbox *outbox;
	uint64_t up_to;
};

static enum err
drop_run(struct txn *t, struct job *job, int64_t now)
{
	(void)now;
	store_use_reserve(t);
	store_drop_messages(t, ((struct drop_job *)job)->up_to);
	return ERR_OK;
}

/* Rows that could not be removed are tried again with the next ones: the jobs
 * name a number, not a range. */
static void
drop_finish(struct job *job, void *context)
{
	struct drop_job *drop = (struct drop_job *)job;

	(void)context;
	drop->outbox->dropping = false;
	if (job->result == ERR_OK)
		drop->outbox->removed = drop->up_to;
	free(drop);
}

static const struct job_type drop_type = { "drop published", true, drop_run, NULL, drop_finish };

static void
submit_drop(struct outbox *o)
{
	struct drop_job *drop;

	if (o->dropping || o->delivered <= o->removed)
		return;
	drop = calloc(1, sizeof(*drop));
	if (drop == NULL)
		return; /* at the next tick */
	drop->job.type = &drop_type;
	drop->outbox = o;
	drop->up_to = o->delivered;
	o->dropping = writer_submit(o->writer, &drop->job) == ERR_OK;
	if (!o->dropping)
		free(drop);
}

/* A newer version may have written what we do not carry. */
static bool
is_fit(const struct message *m)
{
	return m->topic.len > 0 && m->topic.len <= OUTBOX_TOPIC_MAX &&
	    memchr(m->topic.data, 0, m->topic.len) == NULL && m->payload.len <= OUTBOX_PAYLOAD_MAX;
}

/* ERR_LIMIT: it is for the next tick. */
static enum err
copy_message(const struct message *m, size_t room, struct carried **out)
{
	struct carried *c;

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

/* The first message that was not published yet.  One that cannot be read must
 * not keep back those behind it: it is passed over, and *out stays NULL. */
static enum err
carry_next(struct outbox *o, struct tick *tick, struct carried **out)
{
	struct message m = { .seq = o->published };
	struct txn t;
	enum err e = store_read(o->store, &t);

	if (e != ERR_OK)
		return e;
	e = store_next_message(&t, o->published, &m);
	if (e == ERR_OK && is_fit(&m)) {
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
publish_one(struct outbox *o, struct tick *tick, const struct carried *c)
{
	struct view payload = { (const uint8_t *)c->bytes + c->topic_len + 1, c->payload_len };

	if (o->broker->publish(c->bytes, payload, 1, false) != ERR_OK)
		return false;
	pace_spend(o->pace);
	o->published = c->seq;
	tick->published++;
	tick->room -= c->topic_len + c->payload_len;
	return true;
}

/* Is there more for this tick?  What failed is tried again at the next one. */
static bool
publish_next(struct outbox *o, struct tick *tick)
{
	struct carried *c = NULL;
	enum err e;
	bool more;

	if (!pace_allows(o->pace))
		return false;
	e = carry_next(o, tick, &c);
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

/* Told when it begins, not at every tick. */
static void
note_failure(struct outbox *o, enum err e, bool damaged)
{
	char line[160];

	if (e != ERR_OK && !o->failing) {
		(void)snprintf(line, sizeof(line),
		    "jitr: stored events cannot be published: %s; "
		    "they stay stored, and it is tried again",
		    err_text(e));
		o->broker->log(LEVEL_ERROR, line);
	}
	if (damaged && !o->failing)
		o->broker->log(LEVEL_ERROR, "jitr: a stored event is damaged and is passed over");
	o->failing = e != ERR_OK || damaged;
}

/* The broker does not say what it drops. */
static void
note_many(struct outbox *o, size_t published)
{
	char line[240];

	if (o->in_a_row < OUTBOX_MANY && o->in_a_row + published >= OUTBOX_MANY) {
		(void)snprintf(line, sizeof(line),
		    "jitr: %d events in a row: a subscriber that is "
		    "offline or slow loses those beyond the broker's max_queued_messages (1000 by "
		    "default); see $SYS/broker/publish/messages/dropped",
		    OUTBOX_MANY);
		o->broker->log(LEVEL_NOTICE, line);
	}
	o->in_a_row = o->pending ? o->in_a_row + published : 0;
}

size_t
outbox_pump(struct outbox *o)
{
	struct tick tick = { .room = OUTBOX_BYTES_PER_TICK };

	/* What was published at an earlier tick the broker has delivered by now. */
	o->delivered = o->published;
	submit_drop(o);
	if (!o->pending)
		return 0;
	for (size_t i = 0; i < OUTBOX_PER_TICK && publish_next(o, &tick); i++)
		continue;
	note_failure(o, tick.failed, tick.damaged);
	note_many(o, tick.published);
	return tick.published;
}
