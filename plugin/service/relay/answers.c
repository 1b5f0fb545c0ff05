/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* answers.c - see answers.h. */
#include <stdlib.h>
#include <string.h>

#include "answers.h"

struct reply {
	struct reply *next;
	struct caller caller;
	char *client_id, *response_topic;
	size_t len;
	uint8_t payload[];
};

/* Answers of one call are sent until they have this many bytes: the broker copies and encrypts
 * them before it reads the next packet of another client. */
#define BYTES_AT_ONCE 65536

struct answers {
	struct reply *first, *last; /* list */
	struct gate *gate;
	const struct broker *broker;
};

enum err
answers_open(struct gate *gate, const struct broker *broker, struct answers **out)
{
	struct answers *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return ERR_NOMEM;
	a->gate = gate;
	a->broker = broker;
	*out = a;
	return ERR_OK;
}

static void
reply_free(struct reply *r)
{
	free(r->client_id);
	free(r->response_topic);
	free(r);
}

static struct reply *
reply_new(const struct caller *caller, const char *client_id, const char *response_topic,
    struct view payload)
{
	struct reply *r = calloc(1, sizeof(*r) + payload.len);

	if (r == NULL)
		return NULL;
	r->caller = *caller;
	r->client_id = strdup(client_id);
	r->response_topic = response_topic != NULL ? strdup(response_topic) : NULL;
	r->len = payload.len;
	memcpy(r->payload, payload.data, payload.len);
	if (r->client_id != NULL && (r->response_topic != NULL) == (response_topic != NULL))
		return r;
	reply_free(r);
	return NULL;
}

enum err
answers_add(struct answers *a, const struct caller *caller, const char *client_id,
    const char *response_topic, struct view payload)
{
	struct reply *new = reply_new(caller, client_id, response_topic, payload);

	if (new == NULL)
		return ERR_NOMEM;
	if (a->first == NULL)
		a->first = new;
	else
		a->last->next = new;
	a->last = new;
	return ERR_OK;
}

bool
answers_waiting(const struct answers *a)
{
	return a->first != NULL;
}

static enum err
send_one(struct answers *a, const struct reply *r)
{
	struct view payload = { r->payload, r->len };
	enum err e = ERR_NOMEM;

	if (!gate_is_connected(a->gate, &r->caller))
		return ERR_OK;
	if (gate_hold(a->gate, &r->caller, r->client_id))
		e = a->broker->answer(r->client_id, CONTROL_RESPONSE_TOPIC, payload);
	if (e == ERR_OK && r->response_topic != NULL)
		e = a->broker->answer(r->client_id, r->response_topic, payload);
	return e;
}

static void
drop_first(struct answers *a)
{
	struct reply *first = a->first;

	a->first = first->next;
	reply_free(first);
}

enum err
answers_send(struct answers *a)
{
	enum err failed = ERR_OK;
	size_t sent = 0;

	while (a->first != NULL && sent < BYTES_AT_ONCE) {
		enum err e = send_one(a, a->first);

		failed = e != ERR_OK ? e : failed;
		sent += a->first->len;
		drop_first(a);
	}
	return failed;
}

void
answers_close(struct answers *a)
{
	if (a == NULL)
		return;
	while (a->first != NULL)
		drop_first(a);
	free(a);
}
