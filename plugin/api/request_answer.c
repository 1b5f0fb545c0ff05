/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request_answer.c - see request_private.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/text.h"

#include "audit.h"
#include "request_private.h"

/* What the broker keeps of an answer besides its bytes. */
#define ANSWER_OVERHEAD 512

static const struct rate answer_rate = { ANSWERS_OF_ONE_MAX, ANSWERS_OF_ONE_A_SECOND };
static const struct rate answers_rate = { ANSWERS_MAX, ANSWERS_A_SECOND };

/*
 * Commands become responses.
 */

/* What exists already. */
static void
add_resource(const struct command *c, cJSON *o)
{
	if (resource_has_id(c->type->changed)) {
		add_hex(o, "resourceId", c->id.b, sizeof(c->id.b));
		add_id_arn(o, "resourceArn", c->account, c->type->changed, &c->id);
	} else {
		add_view(o, "resourceId", c->named);
		add_name_arn(o, "resourceArn", c->account, c->type->changed, c->named);
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

/* false: it goes on in the next slice. */
static bool
command_render(struct txn *t, struct command *c, cJSON *o)
{
	cJSON *data = cJSON_CreateObject();

	if (c->name != NULL)
		cJSON_AddStringToObject(o, "command", c->name);
	if (c->correlation != NULL)
		cJSON_AddStringToObject(o, "correlationData", c->correlation);
	if (c->result == ERR_OK && data == NULL)
		c->result = ERR_NOMEM;
	if (c->result == ERR_OK && c->type->render != NULL)
		c->result = c->type->render(t, c, data);
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

/* An answer that lacks something must not be taken for a whole one. */
static void
answer_append(struct request *r, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	r->cut_short = r->cut_short || len == 0 || !answer_grow(r, len + 1);
	if (r->cut_short)
		return;
	memcpy(r->answer + r->answer_len, text, len + 1);
	r->answer_len += len;
}

/* What does not fit is an error of its command; errors are short. */
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

/* cJSON leaves out what it cannot allocate; then the text is NULL as well, or
 * lacks members, which no client takes for success. */
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
	if (c->result == ERR_OK && c->type->change == NULL && request_is_late(r))
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
 * The log.
 */

static void
changes_log(const struct api *a, const struct request *r)
{
	const struct asker asker = { r->user_name != NULL ? r->user_name : "", r->client_id,
		r->address };

	for (size_t i = 0; i < r->count; i++) {
		const struct command *c = &r->commands[i];

		if (c->type != NULL && c->type->change != NULL && !c->prepared)
			audit_report(a->config.report, c, &asker);
	}
}

void
untold_log(struct api *a)
{
	uint64_t count = lines_untold(&a->lines, a->config.clock_us());

	if (count > 0)
		report_line(a->config.report, LEVEL_NOTICE,
		    "requests denied: %" PRIu64 " more in the "
		    "last %d s",
		    count, (int)(LINES_INTERVAL_US / 1000000));
}

void
denied_log(struct api *a, const struct client *c, const char *reason, const char *command)
{
	char buffer[400];
	struct text t = text_in(buffer, sizeof(buffer));

	if (!lines_may_tell(&a->lines, a->config.clock_us()))
		return;
	text_addf(&t, "request denied: reason=\"%s\" user=\"", reason);
	text_add_escaped(&t, view_of(c->user_name), 80);
	text_add(&t, "\" client=\"");
	text_add_escaped(&t, view_of(c->id), 80);
	text_add(&t, "\" address=");
	text_add_escaped(&t, view_of(c->address != NULL ? c->address : "-"), 64);
	text_addf(&t, "%s%s", command != NULL ? " command=" : "", command != NULL ? command : "");
	report_line(a->config.report, LEVEL_NOTICE, "%s", buffer);
}

void
unanswered_log(struct api *a, enum err e)
{
	if (lines_may_tell(&a->lines, a->config.clock_us()))
		report_line(a->config.report, LEVEL_ERROR, "a request could not be answered: %s",
		    err_text(e));
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
	return bucket_level(&a->answers, &answers_rate, now) > 0;
}

/* The broker does not say whether a client reads what it is sent.  What is sent is
 * counted, and the caller's next requests wait until its bucket has filled. */
static void
allowance_charge(struct api *a, uint64_t hash, size_t bytes)
{
	int64_t now = a->config.clock_us();
	struct allowance *c = allowance_find(a, hash);

	(void)bucket_level(&c->answers, &answer_rate, now);
	bucket_take(&c->answers, (int64_t)(bytes + ANSWER_OVERHEAD));
	(void)bucket_level(&a->answers, &answers_rate, now);
	bucket_take(&a->answers, (int64_t)(bytes + ANSWER_OVERHEAD));
}

void
answer_queue(struct api *a, const struct caller *caller, const char *client_id,
    const char *response_topic, const char *text)
{
	enum err e = answers_add(&a->answers_ready, caller, client_id != NULL ? client_id : "",
	    response_topic, view_of(text));

	if (e != ERR_OK)
		unanswered_log(a, e);
}

void
request_answer(struct request *r)
{
	struct api *a = r->api;
	const char *text = "{\"responses\":[{\"error\":\"InternalFailureException\","
			   "\"message\":\"out of memory\"}]}";

	changes_log(a, r);
	answer_append(r, "]}");
	if (!r->cut_short)
		text = r->answer;
	allowance_charge(a, r->hash, strlen(text));
	if (r->response_topic != NULL)
		allowance_charge(a, r->hash, strlen(text) + strlen(r->response_topic));
	answer_queue(a, &r->caller, r->client_id, r->response_topic, text);
}
