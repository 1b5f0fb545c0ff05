/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request_memory.c - see request_private.h. */
#include <stdlib.h>
#include <string.h>

#include "request_private.h"

/* Bytes of a request that is not read yet, without its payload. */
#define REQUEST_OVERHEAD 16384

struct allowance *
allowance_find(struct api *a, uint64_t hash)
{
	return &a->allowances[hash % CALLERS_MAX];
}

uint64_t
caller_hash_of(const struct api *a, const struct caller_facts *c)
{
	return caller_hash(a->seed, c->user_name != NULL ? c->user_name : c->client_id);
}

size_t
request_size(size_t payload_len, const char *response_topic)
{
	return REQUEST_OVERHEAD + (payload_len <= REQUEST_MAX ? 3 * payload_len : 0) +
	    (response_topic != NULL ? strlen(response_topic) : 0);
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

static bool
text_copy(const char *text, char **out)
{
	*out = text != NULL ? strdup(text) : NULL;
	return text == NULL || *out != NULL;
}

static bool
caller_copy(struct request *r, const struct caller_facts *c)
{
	bool copied = text_copy(c->client_id, &r->client_id);

	copied = text_copy(c->user_name, &r->user_name) && copied;
	copied = text_copy(c->address, &r->address) && copied;
	r->caller = *c;
	r->caller.client_id = r->client_id;
	r->caller.user_name = r->user_name;
	r->caller.address = r->address;
	return copied;
}

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

static struct command_context
context_of(struct request *r)
{
	struct api *a = r->api;

	return (struct command_context){ .account = &a->account,
		.judge = a->config.judge,
		.listener = a->config.listener,
		.crls = a->config.crls,
		.uploads = a->uploads,
		.budget = &r->budget,
		.actions = a->actions,
		.rights = &r->rights,
		.session = r->caller.session,
		.owner = r->user_name != NULL ? r->user_name : r->client_id };
}

struct request *
request_new(struct api *a, const struct control_request *request)
{
	struct request *r = calloc(1, sizeof(*r));
	bool copied;

	if (r == NULL)
		return NULL;
	r->api = a;
	r->number = request->number;
	r->hash = caller_hash_of(a, &request->caller);
	r->budget = (struct budget){ .steps = REQUEST_STEPS_MAX,
		.bytes = REQUEST_ANSWER_MAX,
		.clock_us = a->config.clock_us };
	copied = caller_copy(r, &request->caller);
	copied = text_copy(request->response_topic, &r->response_topic) && copied;
	copied = payload_copy(r, request->payload) && copied;
	r->context = context_of(r);
	request_hold(r, request_size(request->payload.len, request->response_topic));
	if (copied) {
		caller_rights_open(&r->rights, a->config.judge, &r->caller);
		return r;
	}
	request_free(r);
	return NULL;
}

void
request_free(struct request *r)
{
	if (r == NULL)
		return;
	request_release(r);
	caller_rights_close(&r->rights);
	for (size_t i = 0; i < r->count; i++)
		command_clear(&r->commands[i]);
	free(r->commands);
	cJSON_Delete(r->json);
	free(r->payload);
	free(r->answer);
	free(r->client_id);
	free(r->user_name);
	free(r->address);
	free(r->response_topic);
	free(r);
}
