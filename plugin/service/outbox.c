/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* outbox.c - see outbox.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/outbox.h"

/* Messages are copied out of the transaction, a few at a time: the broker may
 * call us again from publish(), so none is open then. */
#define COPIES 16

struct copy {
	uint64_t seq;
	size_t   payload_len;
	char     topic[256];
	uint8_t  payload[1024];
};

struct drop_job {
	struct job     job;
	struct outbox *outbox;
	uint64_t       up_to;
};

static enum err
drop_run(struct txn *t, struct job *job, int64_t now)
{
	(void)now;
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

static bool
copy_message(const struct message *m, struct copy *copy)
{
	if (m->topic.len >= sizeof(copy->topic) || m->payload.len > sizeof(copy->payload))
		return false;
	copy->seq = m->seq;
	memcpy(copy->topic, m->topic.data, m->topic.len);
	copy->topic[m->topic.len] = '\0';
	memcpy(copy->payload, m->payload.data, m->payload.len);
	copy->payload_len = m->payload.len;
	return true;
}

/* At most COPIES messages that were not published yet.  One that cannot be read
 * must not keep back those behind it: it is passed over, and *damaged says so. */
static enum err
copy_messages(struct outbox *o, struct copy *copies, size_t *count, bool *damaged)
{
	uint64_t after = o->published;
	struct message m;
	struct txn t;
	enum err e = store_read(o->store, &t);

	if (e != ERR_OK)
		return e;
	while (*count < COPIES) {
		m.seq = after;
		e = store_next_message(&t, after, &m);
		if (e != ERR_OK && m.seq == after)
			break;
		if (e != ERR_OK || !copy_message(&m, &copies[*count]))
			*damaged = true;
		else
			++*count;
		after = m.seq;
	}
	store_end(&t);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static size_t
publish_copies(struct outbox *o, const struct copy *copies, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct view payload = { copies[i].payload, copies[i].payload_len };

		if (o->broker->publish(copies[i].topic, payload, 1, false) != ERR_OK)
			return i; /* the rest at the next tick */
		o->published = copies[i].seq;
	}
	return count;
}

/* Told when it begins, not at every tick. */
static void
note_failure(struct outbox *o, enum err e, bool damaged)
{
	char line[160];

	if (e != ERR_OK && !o->failing) {
		(void)snprintf(line, sizeof(line), "jitr: stored events cannot be published: %s; "
		    "they stay stored, and it is tried again", err_text(e));
		o->broker->log(LEVEL_ERROR, line);
	}
	if (damaged && !o->failing)
		o->broker->log(LEVEL_ERROR, "jitr: a stored event is damaged and is passed over; "
		    "its device's next attempt brings another");
	o->failing = e != ERR_OK || damaged;
}

static enum err
publish_some(struct outbox *o, size_t *published)
{
	struct copy copies[COPIES];
	size_t count = 0, done;
	bool damaged = false;
	enum err e = copy_messages(o, copies, &count, &damaged);

	note_failure(o, e, damaged);
	if (e != ERR_OK)
		return e;
	done = publish_copies(o, copies, count);
	*published += done;
	if (done == count && count < COPIES)
		o->pending = false;
	return done == count ? ERR_OK : ERR_BUSY;
}

size_t
outbox_pump(struct outbox *o)
{
	size_t published = 0;

	/* What was published at an earlier tick the broker has delivered by now. */
	o->delivered = o->published;
	submit_drop(o);
	while (o->pending && published < OUTBOX_PER_TICK && publish_some(o, &published) == ERR_OK)
		continue;
	return published;
}
