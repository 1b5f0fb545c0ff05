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
	if (uploads_open(&a->uploads) != ERR_OK || ca_mirror_open(&mirror, &a->mirror) != ERR_OK) {
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
	ca_mirror_close(a->mirror);
	free(a);
}

/*
 * Messages.
 */

static void
request_throttle(struct api *a, const struct control_request *request)
{
	struct control_answer answer = { .number = request->number,
		.session = request->caller.session,
		.throttled = true };

	a->config.answer(a->config.answer_context, &answer);
}

static bool
request_fits(struct api *a, uint64_t hash, size_t bytes)
{
	return a->held + bytes <= REQUESTS_HELD_MAX &&
	    allowance_find(a, hash)->held + bytes <= REQUESTS_HELD_MAX / 2;
}

void
api_request(struct api *a, const struct control_request *request)
{
	uint64_t hash = caller_hash_of(a, &request->caller);
	struct request *r = NULL;

	if (request_fits(a, hash, request_size(request->payload.len, request->response_topic)))
		r = request_new(a, request);
	if (r == NULL) {
		request_throttle(a, request);
		return;
	}
	request_queue(r);
	requests_run(a);
}

void
api_caller_left(struct api *a, uint64_t session)
{
	for (struct request *r = a->waiting; r != NULL; r = r->next)
		if (r->caller.session == session)
			r->caller.administration = ADMINISTRATION_NONE;
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
	unusable_log(a);
	ca_mirror_tick(a->mirror);
	uploads_tick(a->uploads, a->config.now());
}

bool
api_is_busy(const struct api *a)
{
	return a->waiting != NULL;
}
