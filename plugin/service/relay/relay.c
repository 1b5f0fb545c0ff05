/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* relay.c - see relay.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Report a lack of memory instead of exiting. */
#define HASH_NONFATAL_OOM 1

#include "answers.h"
#include "jitr/core/rate.h"
#include "jitr/service/relay.h"
#include <uthash.h>

/* A request that was passed on and has no answer yet. */
struct pending {
	uint64_t number;
	struct caller caller;
	uint64_t hash; /* of its user or certificate */
	size_t bytes;
	bool left; /* its connection ended, and the api was told */
	UT_hash_handle hh;
	char *response_topic; /* in text; NULL: none */
	char text[];          /* the client id, then the response topic */
};

struct outstanding {
	size_t requests, bytes;
};

struct relay {
	struct relay_config config;
	struct answers *answers; /* owned */
	struct pending *pending; /* hash, by number */
	uint64_t numbered;       /* requests so far */
	struct outstanding of_all, of_one[CALLERS_MAX];
	uint64_t seed; /* of the hashes of callers */
	struct refusals denied, throttled;
	struct lines lines;
};

static uint64_t
seed_of(const struct relay *r)
{
	uint64_t seed = (uint64_t)(uintptr_t)r ^ (uint64_t)r->config.clock_us() << 20;

	(void)!getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
	return seed;
}

enum err
relay_open(const struct relay_config *config, struct relay **out)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR_NOMEM;
	if (answers_open(config->gate, config->broker, &r->answers) != ERR_OK) {
		free(r);
		return ERR_NOMEM;
	}
	r->config = *config;
	r->seed = seed_of(r);
	*out = r;
	return ERR_OK;
}

/*
 * Outstanding requests.
 */

static struct pending *
find(const struct relay *r, uint64_t number)
{
	struct pending *p;

	HASH_FIND(hh, r->pending, &number, sizeof(number), p);
	return p;
}

static void
pending_end(struct relay *r, struct pending *p)
{
	struct outstanding *of_one = &r->of_one[p->hash % CALLERS_MAX];

	r->of_all.requests--;
	r->of_all.bytes -= p->bytes;
	of_one->requests--;
	of_one->bytes -= p->bytes;
	HASH_DEL(r->pending, p);
	free(p);
}

static bool
has_room(const struct relay *r, uint64_t hash, size_t bytes)
{
	const struct outstanding *of_one = &r->of_one[hash % CALLERS_MAX];

	return of_one->requests < RELAY_REQUESTS_OF_ONE &&
	    of_one->bytes + bytes <= RELAY_BYTES_OF_ONE &&
	    r->of_all.requests < RELAY_REQUESTS_MAX && r->of_all.bytes + bytes <= RELAY_BYTES_MAX;
}

static struct pending *
pending_new(struct relay *r, const struct control_request *request, size_t bytes)
{
	const char *topic = request->response_topic;
	size_t size = strlen(request->caller.client_id) + 1;
	size_t topic_size = topic != NULL ? strlen(topic) + 1 : 0;
	struct pending *p = calloc(1, sizeof(*p) + size + topic_size);

	if (p == NULL)
		return NULL;
	p->number = request->number;
	p->bytes = bytes;
	memcpy(p->text, request->caller.client_id, size);
	if (topic != NULL)
		p->response_topic = memcpy(p->text + size, topic, topic_size);
	HASH_ADD(hh, r->pending, number, sizeof(p->number), p);
	if (find(r, p->number) == p)
		return p;
	free(p);
	return NULL;
}

/* The user name, a certificateId for a client with a certificate, else the client id: all
 * connections of one user or certificate share what may be outstanding. */
static uint64_t
hash_of(const struct relay *r, const struct client *c)
{
	return caller_hash(r->seed, c->user_name != NULL ? c->user_name : c->id);
}

/* NULL: too much is outstanding, or out of memory. */
static struct pending *
pending_begin(struct relay *r, const struct client *c, struct control_request *request)
{
	uint64_t hash = hash_of(r, c);
	size_t bytes = request->payload.data != NULL ? request->payload.len : 0;
	struct pending *p = NULL;

	bytes += request->response_topic != NULL ? strlen(request->response_topic) : 0;
	request->number = ++r->numbered;
	if (has_room(r, hash, bytes))
		p = pending_new(r, request, bytes);
	if (p == NULL)
		return NULL;
	p->hash = hash;
	p->caller = (struct caller){ c->handle, request->caller.session };
	r->of_all.requests++;
	r->of_all.bytes += bytes;
	r->of_one[hash % CALLERS_MAX].requests++;
	r->of_one[hash % CALLERS_MAX].bytes += bytes;
	return p;
}

/*
 * Answers.
 */

static void
log_unanswered(struct relay *r, enum err e)
{
	if (lines_may_log(&r->lines, r->config.clock_us()))
		report_line(r->config.report, LEVEL_ERROR, "a request could not be answered: %s",
		    err_text(e));
}

static void
answer(struct relay *r, const struct caller *caller, const char *client_id,
    const char *response_topic, struct view payload)
{
	enum err e = answers_add(r->answers, caller, client_id, response_topic, payload);

	if (e != ERR_OK)
		log_unanswered(r, e);
}

/* The answer is always the same, whatever the request says, and on the answers' topic alone: a
 * client without rights does not choose where it goes.  A bridge has no address, and may have no
 * name. */
static void
deny(struct relay *r, const struct client *c)
{
	struct denied_line line = { .reason = "not an administrator",
		.user_name = c->user_name,
		.client_id = c->id,
		.address = c->address };
	int64_t now = r->config.clock_us();
	struct caller caller;

	r->config.stats->denied++;
	if (lines_may_log(&r->lines, now))
		report_denied_request(r->config.report, &line);
	if (!refusals_may_answer(&r->denied, caller_hash(r->seed, c->id), now)) {
		r->config.stats->unanswered++;
		return;
	}
	caller = gate_caller(r->config.gate, c);
	answer(r, &caller, c->id != NULL ? c->id : "", NULL,
	    view_of("{\"responses\":[{\"error\":"
		    "\"AccessDeniedException\",\"message\":\"This client may not use " CONTROL_TOPIC
		    ": name "
		    "its user in admin_users or its certificate in admin_certificates\"}]}"));
}

static void
throttle(struct relay *r, const struct caller *caller, const char *client_id,
    const char *response_topic, uint64_t hash)
{
	r->config.stats->throttled++;
	if (!refusals_may_answer(&r->throttled, hash, r->config.clock_us())) {
		r->config.stats->unanswered++;
		return;
	}
	answer(r, caller, client_id, response_topic,
	    view_of("{\"responses\":[{\"error\":\"ThrottlingException\","
		    "\"message\":\"Too many requests of this caller wait: send the next ones when "
		    "these are answered\"}]}"));
}

#define UNAVAILABLE(text) \
	"{\"responses\":[{\"error\":\"ServiceUnavailableException\",\"message\":\"" text "\"}]}"

#define NOT_RUNNING \
	UNAVAILABLE("The registrar is not running: nothing was changed. The broker's log says why")
#define LOST UNAVAILABLE("The registrar ended: whether this was carried out is not known")

void
relay_requests_lost(struct relay *r)
{
	while (r->pending != NULL) {
		struct pending *p = r->pending;

		answer(r, &p->caller, p->text, p->response_topic, view_of(LOST));
		pending_end(r, p);
	}
}

void
relay_answer(struct relay *r, const struct control_answer *a)
{
	struct pending *p = find(r, a->number);

	if (p == NULL || p->caller.session != a->session)
		return;
	if (a->throttled)
		throttle(r, &p->caller, p->text, p->response_topic, p->hash);
	else
		answer(r, &p->caller, p->text, a->response_topic, a->payload);
	pending_end(r, p);
}

bool
relay_has_answers(const struct relay *r)
{
	return answers_waiting(r->answers);
}

void
relay_send_answers(struct relay *r)
{
	enum err e = answers_send(r->answers);

	if (e != ERR_OK)
		log_unanswered(r, e);
}

/*
 * Requests.
 */

static void
pass_on(struct relay *r, const struct client *c, struct control_request *request)
{
	struct caller caller = { c->handle, request->caller.session };
	struct pending *p = pending_begin(r, c, request);
	enum err e = ERR_BUSY;

	if (p != NULL)
		e = r->config.request(r->config.context, request);
	if (e == ERR_OK)
		return;
	if (p != NULL)
		pending_end(r, p);
	if (e == ERR_BUSY)
		throttle(r, &caller, request->caller.client_id, request->response_topic,
		    hash_of(r, c));
	else
		answer(r, &caller, request->caller.client_id, request->response_topic,
		    view_of(NOT_RUNNING));
}

void
relay_request(struct relay *r, const struct client *c, struct view payload,
    const char *response_topic)
{
	struct control_request request = { .payload = payload, .response_topic = response_topic };

	r->config.stats->requests++;
	gate_describe_caller(r->config.gate, c, &request.caller);
	if (payload.len > REQUEST_MAX)
		request.payload.data = NULL;
	if (request.caller.administration == ADMINISTRATION_NONE)
		deny(r, c);
	else
		pass_on(r, c, &request);
}

/*
 * Connections that ended.
 */

/* Once, whatever the number of its requests. */
static void
tell_left(struct relay *r, uint64_t session)
{
	for (struct pending *p = r->pending; p != NULL; p = p->hh.next)
		p->left |= p->caller.session == session;
	r->config.left(r->config.context, session);
}

void
relay_disconnected(struct relay *r, const struct client *c)
{
	for (struct pending *p = r->pending; p != NULL; p = p->hh.next)
		if (!p->left && p->caller.handle == c->handle)
			tell_left(r, p->caller.session);
}

static void
find_left(struct relay *r)
{
	for (struct pending *p = r->pending; p != NULL; p = p->hh.next)
		if (!p->left && !gate_is_connected(r->config.gate, &p->caller))
			tell_left(r, p->caller.session);
}

static void
log_suppressed(struct relay *r)
{
	uint64_t count = lines_suppressed(&r->lines, r->config.clock_us());

	if (count > 0)
		report_denied_requests(r->config.report, count, (int)(LINES_INTERVAL_US / 1000000));
}

void
relay_tick(struct relay *r)
{
	find_left(r);
	log_suppressed(r);
}

void
relay_close(struct relay *r)
{
	if (r == NULL)
		return;
	while (r->pending != NULL)
		pending_end(r, r->pending);
	answers_close(r->answers);
	free(r);
}
