/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request.c - see request.h. */
#include <stdlib.h>
#include <sys/random.h>

#include "request_private.h"

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

	if (a == NULL)
		return ERR_NOMEM;
	if (answers_open(config->gate, config->broker, &a->answers) != ERR_OK ||
	    uploads_open(&a->uploads) != ERR_OK || ca_mirror_open(&mirror, &a->mirror) != ERR_OK) {
		api_close(a);
		return ERR_NOMEM;
	}
	a->config = *config;
	a->account = (struct account){ a->config.account_id, a->config.region, a->config.endpoint,
		arn_scope_of(a->config.region, a->config.account_id) };
	a->actions = command_actions();
	a->seed = seed_of(a);
	*out = a;
	return ERR_OK;
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
	uploads_close(a->uploads);
	answers_close(a->answers);
	ca_mirror_close(a->mirror);
	free(a);
}

/*
 * Messages.
 */

/* The answer is always the same, whatever the request says.  A bridge has no address, and
 * may have no name. */
static void
client_deny(struct api *a, const struct client *c)
{
	struct caller caller;

	a->config.stats->denied++;
	denied_log(a, c, "not an administrator", NULL);
	if (!refusals_may_answer(&a->denied, caller_hash(a->seed, c->id), a->config.clock_us())) {
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
	if (!refusals_may_answer(&a->throttled, hash, a->config.clock_us())) {
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
	suppressed_log(a);
	ca_mirror_tick(a->mirror);
	uploads_tick(a->uploads, a->config.now());
	api_send_answers(a);
}

bool
api_has_answers(const struct api *a)
{
	return answers_waiting(a->answers);
}

void
api_send_answers(struct api *a)
{
	enum err e = answers_send(a->answers);

	if (e != ERR_OK)
		unanswered_log(a, e);
}

bool
api_is_busy(const struct api *a)
{
	return a->waiting != NULL;
}
