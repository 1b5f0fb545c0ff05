/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request.c - see request.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "jitr/adapter/x509.h"

#include "request_private.h"

/* A request takes so much besides its bytes, until it is read. */
#define REQUEST_OVERHEAD 16384

static uint64_t
seed_of(const struct api *a)
{
	uint64_t seed = (uint64_t)(uintptr_t)a ^ (uint64_t)a->config.clock_us() << 20;

	(void)!getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
	return seed;
}

enum err
api_open(const struct api_config *config, struct api **out)
{
	struct ca_mirror_config mirror = { .ca_path = config->ca_path,
		.store = config->store,
		.writer = config->writer,
		.report = config->report,
		.now = config->now };
	struct api *a = calloc(1, sizeof(*a));
	enum err e;

	if (a == NULL)
		return ERR_NOMEM;
	a->config = *config;
	a->account = (struct account){ a->config.account_id, a->config.region, a->config.endpoint,
		arn_scope_of(a->config.region, a->config.account_id) };
	e = ca_mirror_open(&mirror, &a->mirror);
	if (e != ERR_OK) {
		free(a);
		return e;
	}
	a->answers_ready = (struct answers){ .gate = config->gate, .broker = config->broker };
	a->seed = seed_of(a);
	*out = a;
	return ERR_OK;
}

struct allowance *
allowance_find(struct api *a, uint64_t hash)
{
	return &a->allowances[hash % CALLERS_MAX];
}

void
request_hold(struct request *r, size_t bytes)
{
	r->held += bytes;
	r->api->held += bytes;
	allowance_find(r->api, r->hash)->held += bytes;
}

static void
request_release(struct request *r)
{
	r->api->held -= r->held;
	allowance_find(r->api, r->hash)->held -= r->held;
	r->held = 0;
}

void
request_free(struct request *r)
{
	if (r == NULL)
		return;
	request_release(r);
	for (size_t i = 0; i < r->count; i++)
		command_clear(&r->commands[i]);
	free(r->commands);
	cJSON_Delete(r->json);
	free(r->payload);
	free(r->answer);
	x509_free(r->client.x);
	free(r->client_id);
	free(r->user_name);
	free(r->address);
	free(r->response_topic);
	free(r);
}

void
api_close(struct api *a)
{
	struct request *r;

	if (a == NULL)
		return;
	while ((r = a->waiting) != NULL) {
		a->waiting = r->next;
		request_free(r);
	}
	uploads_clear(&a->uploads);
	answers_clear(&a->answers_ready);
	ca_mirror_close(a->mirror);
	free(a);
}

/*
 * A message becomes a request, or is refused.
 */

static bool
text_copy(const char *text, char **out)
{
	*out = text != NULL ? strdup(text) : NULL;
	return text == NULL || *out != NULL;
}

static bool
client_copy(struct request *r, const struct client *c)
{
	bool copied = text_copy(c->id != NULL ? c->id : "", &r->client_id);

	copied = text_copy(c->user_name, &r->user_name) && copied;
	copied = text_copy(c->address, &r->address) && copied;
	r->client = *c;
	r->client.id = r->client_id;
	r->client.user_name = r->user_name;
	r->client.address = r->address;
	if (c->x != NULL)
		x509_hold(c->x);
	return copied;
}

/* A request that is too large is kept without its bytes: its answer says so. */
static bool
payload_copy(struct request *r, struct view payload)
{
	r->payload_len = payload.len;
	if (payload.len > REQUEST_MAX)
		return true;
	r->payload = malloc(payload.len + 1);
	if (r->payload != NULL && payload.len > 0)
		memcpy(r->payload, payload.data, payload.len);
	return r->payload != NULL;
}

/* The budget is that of a user, or of a certificate, which has its id as user name,
 * however many clients ask with it. */
static uint64_t
client_hash(const struct api *a, const struct client *c)
{
	return caller_hash(a->seed, c->user_name != NULL ? c->user_name : c->id);
}

static size_t
request_size(size_t len, const char *response_topic)
{
	return REQUEST_OVERHEAD + (len <= REQUEST_MAX ? 3 * len : 0) +
	    (response_topic != NULL ? strlen(response_topic) : 0);
}

static struct request *
request_new(struct api *a, const struct client *c, struct view payload, const char *response_topic)
{
	struct request *r = calloc(1, sizeof(*r));
	bool copied;

	if (r == NULL)
		return NULL;
	r->api = a;
	r->hash = client_hash(a, c);
	r->caller = gate_caller(a->config.gate, c);
	r->budget = (struct budget){ .steps = REQUEST_STEPS_MAX,
		.bytes = REQUEST_ANSWER_MAX,
		.clock_us = a->config.clock_us };
	copied = client_copy(r, c);
	copied = text_copy(response_topic, &r->response_topic) && copied;
	copied = payload_copy(r, payload) && copied;
	request_hold(r, request_size(payload.len, response_topic));
	if (copied)
		return r;
	request_free(r);
	return NULL;
}

/* Nothing of the request is read, and nothing of it comes back.  A bridge has
 * no address, and perhaps no name. */
static void
client_deny(struct api *a, const struct client *c)
{
	struct caller caller;

	a->config.stats->denied++;
	denied_log(a, c, "not an administrator", NULL);
	if (!refusals_may_tell(&a->denied, caller_hash(a->seed, c->id), a->config.clock_us())) {
		a->config.stats->unanswered++;
		return;
	}
	caller = gate_caller(a->config.gate, c);
	answer_queue(a, &caller, c->id, NULL,
	    "{\"responses\":[{\"error\":"
	    "\"AccessDeniedException\",\"message\":\"This client may not use " CONTROL_TOPIC
	    ": name "
	    "its user in admin_users or its certificate in admin_certificates\"}]}");
}

static void
client_throttle(struct api *a, const struct client *c, uint64_t hash)
{
	struct caller caller;

	a->config.stats->throttled++;
	if (!refusals_may_tell(&a->throttled, hash, a->config.clock_us())) {
		a->config.stats->unanswered++;
		return;
	}
	caller = gate_caller(a->config.gate, c);
	answer_queue(a, &caller, c->id, NULL,
	    "{\"responses\":[{\"error\":\"ThrottlingException\","
	    "\"message\":\"Too many requests of this caller wait: send the next ones when these "
	    "are answered\"}]}");
}

static bool
request_fits(struct api *a, uint64_t hash, size_t bytes)
{
	return a->held + bytes <= REQUESTS_HELD_MAX &&
	    allowance_find(a, hash)->held + bytes <= REQUESTS_HELD_MAX / 2;
}

void
api_request(struct api *a, const struct client *c, struct view payload, const char *response_topic)
{
	uint64_t hash = client_hash(a, c);
	struct request *r = NULL;

	a->config.stats->requests++;
	if (gate_administration(a->config.gate, c) == ADMINISTRATION_NONE) {
		client_deny(a, c);
		return;
	}
	if (request_fits(a, hash, request_size(payload.len, response_topic)))
		r = request_new(a, c, payload, response_topic);
	if (r == NULL) {
		client_throttle(a, c, hash);
		return;
	}
	request_queue(r);
	requests_run(a);
}

/*
 * Ticks.
 */

void
api_changed_elsewhere(struct api *a)
{
	ca_mirror_start(a->mirror);
	crls_settings_changed(a->config.crls);
}

void
api_tick(struct api *a)
{
	requests_run(a);
	untold_log(a);
	ca_mirror_tick(a->mirror);
	uploads_tick(&a->uploads, a->config.now());
	api_send_answers(a);
}

bool
api_has_answers(const struct api *a)
{
	return answers_waiting(&a->answers_ready);
}

void
api_send_answers(struct api *a)
{
	enum err e = answers_send(&a->answers_ready);

	if (e != ERR_OK)
		unanswered_log(a, e);
}

bool
api_is_busy(const struct api *a)
{
	return a->waiting != NULL;
}
