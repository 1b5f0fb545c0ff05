/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request_answer.c - see request_private.h. */
#include <stdlib.h>
#include <string.h>

#include "command_answer.h"
#include "request_private.h"

/* Memory that the broker takes for an answer in addition to its bytes. */
#define ANSWER_OVERHEAD 512

static const struct rate answer_rate = { ANSWERS_OF_ONE_MAX, ANSWERS_OF_ONE_A_SECOND };
static const struct rate answers_rate = { ANSWERS_MAX, ANSWERS_A_SECOND };

/*
 * Responses.
 */

/* The resource that exists already. */
static void
add_resource(const struct command *c, cJSON *o)
{
	if (resource_has_id(c->type->changed)) {
		add_hex(o, "resourceId", c->id.b, sizeof(c->id.b));
		add_id_arn(o, "resourceArn", c, c->type->changed, &c->id);
	} else {
		add_view(o, "resourceId", c->named);
		add_name_arn(o, "resourceArn", c, c->type->changed, c->named);
	}
}

static void
add_error(const struct command *c, cJSON *o)
{
	cJSON_AddStringToObject(o, "error", err_aws_name(c->result));
	add_text(o, "message", c->diag.text[0] != '\0' ? c->diag.text : err_text(c->result));
	if (c->result == ERR_EXISTS)
		add_resource(c, o);
}

static enum err
command_data(struct txn *t, struct command *c, cJSON *data)
{
	if (data == NULL)
		return ERR_NOMEM;
	if (c->type->read != NULL)
		return c->type->read(t, c, data);
	return c->type->answer != NULL ? c->type->answer(c, data) : ERR_OK;
}

/* false: the command goes on in the next slice. */
static bool
command_render(struct txn *t, struct command *c, cJSON *o)
{
	cJSON *data = cJSON_CreateObject();

	if (c->name != NULL)
		cJSON_AddStringToObject(o, "command", c->name);
	if (c->correlation != NULL)
		cJSON_AddStringToObject(o, "correlationData", c->correlation);
	if (c->result == ERR_OK)
		c->result = command_data(t, c, data);
	if (c->result == ERR_OK && c->trial == NULL) {
		cJSON_AddItemToObject(o, "data", data);
		return true;
	}
	cJSON_Delete(data);
	if (c->result == ERR_OK)
		return false;
	add_error(c, o);
	return true;
}

static bool
answer_grow(struct request *r, size_t len)
{
	size_t size = r->answer_size > 0 ? r->answer_size : 1024;
	char *grown;

	while (size < r->answer_len + len)
		size *= 2;
	if (size == r->answer_size)
		return true;
	grown = realloc(r->answer, size);
	if (grown == NULL)
		return false;
	request_hold(r, size - r->answer_size);
	r->answer = grown;
	r->answer_size = size;
	return true;
}

/* An answer with a missing part is not sent. */
static void
answer_append(struct request *r, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	r->answer_lost = r->answer_lost || len == 0 || !answer_grow(r, len + 1);
	if (r->answer_lost)
		return;
	memcpy(r->answer + r->answer_len, text, len + 1);
	r->answer_len += len;
}

/* A response that does not fit becomes an error, which always fits. */
static char *
response_print(struct request *r, struct command *c, cJSON *o)
{
	char *text = cJSON_PrintUnformatted(o);

	if (text == NULL || c->result != ERR_OK || strlen(text) <= r->budget.bytes)
		return text;
	cJSON_free(text);
	cJSON_DeleteItemFromObjectCaseSensitive(o, "data");
	c->result = refuse_bytes(c);
	add_error(c, o);
	return cJSON_PrintUnformatted(o);
}

/* cJSON leaves out members that it cannot allocate.  Then the text is NULL as well, or has
 * neither "data" nor "error", which no client takes for success. */
static void
response_add(struct request *r, struct command *c, cJSON *o)
{
	char *text = response_print(r, c, o);

	answer_append(r, r->done == 0 ? "{\"responses\":[" : ",");
	answer_append(r, text);
	cJSON_free(text);
	r->budget.bytes = r->answer_len < REQUEST_ANSWER_MAX ? REQUEST_ANSWER_MAX - r->answer_len
							     : 0;
	r->done++;
}

void
request_respond(struct request *r)
{
	struct command *c = &r->commands[r->done];
	cJSON *o = cJSON_CreateObject();
	struct txn t;
	enum err e = store_read(r->api->config.store, &t);

	if (c->result == ERR_OK && e != ERR_OK)
		c->result = e;
	if (c->result == ERR_OK && c->type->run == NULL && request_is_late(r))
		command_set_late(c);
	if (command_render(&t, c, o))
		response_add(r, c, o);
	if (e == ERR_OK)
		store_end(&t);
	cJSON_Delete(o);
	if (r->done == r->end)
		r->stage = REQUEST_OPEN;
}

/*
 * Sending.
 */

bool
allowance_has_room(struct api *a, uint64_t hash, int64_t now)
{
	return bucket_level(&allowance_find(a, hash)->answers, &answer_rate, now) > 0;
}

bool
answers_have_room(struct api *a, int64_t now)
{
	return bucket_level(&a->answer_bytes, &answers_rate, now) > 0;
}

/* The broker does not tell whether a client reads its answers.  The bytes sent are counted,
 * and the caller's next requests wait until its bucket has filled. */
static void
allowance_charge(struct api *a, uint64_t hash, size_t bytes)
{
	int64_t now = a->config.clock_us();
	struct allowance *c = allowance_find(a, hash);

	(void)bucket_level(&c->answers, &answer_rate, now);
	bucket_take(&c->answers, (int64_t)(bytes + ANSWER_OVERHEAD));
	(void)bucket_level(&a->answer_bytes, &answers_rate, now);
	bucket_take(&a->answer_bytes, (int64_t)(bytes + ANSWER_OVERHEAD));
}

void
request_answer(struct request *r)
{
	struct api *a = r->api;
	const char *text = "{\"responses\":[{\"error\":\"InternalFailureException\","
			   "\"message\":\"out of memory\"}]}";
	struct control_answer answer = { .number = r->number,
		.session = r->caller.session,
		.response_topic = r->response_topic };

	changes_log(r);
	answer_append(r, "]}");
	if (!r->answer_lost)
		text = r->answer;
	allowance_charge(a, r->hash, strlen(text));
	if (r->response_topic != NULL)
		allowance_charge(a, r->hash, strlen(text) + strlen(r->response_topic));
	answer.payload = view_of(text);
	a->config.answer(a->config.answer_context, &answer);
}
