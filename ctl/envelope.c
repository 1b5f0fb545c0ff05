/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * envelope.c - see envelope.h.
 *
 * Any thread.
 */
#include "envelope.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

bool
random_hex(char *hex, size_t bytes)
{
	uint8_t random[32];

	if (bytes > sizeof(random) || getrandom(random, bytes, 0) != (ssize_t)bytes)
		return false;
	hex_encode((struct view){ random, bytes }, hex);
	return true;
}

/* A command name is the AWS operation in lower camel case. */
static void
command_of(const char *operation, char *out, size_t size)
{
	(void)snprintf(out, size, "%s", operation);
	out[0] = (char)tolower((unsigned char)out[0]);
}

MUST_USE static bool
add_members(cJSON *request, const cJSON *members)
{
	for (const cJSON *m = members->child; m != NULL; m = m->next) {
		cJSON *copy = cJSON_Duplicate(m, true);

		if (copy == NULL || !cJSON_AddItemToObject(request, m->string, copy)) {
			cJSON_Delete(copy);
			return false;
		}
	}
	return true;
}

char *
envelope_seal(const char *operation, const char *correlation, const cJSON *members)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(root, "commands");
	cJSON *request = cJSON_CreateObject();
	char command[64];
	char *text = NULL;

	command_of(operation, command, sizeof(command));
	if (!cJSON_AddItemToArray(list, request)) {
		cJSON_Delete(request);
		goto out;
	}
	if (cJSON_AddStringToObject(request, "command", command) != NULL &&
	    cJSON_AddStringToObject(request, "correlationData", correlation) != NULL &&
	    add_members(request, members))
		text = cJSON_PrintUnformatted(root);
out:
	cJSON_Delete(root);
	return text;
}

/* Recursion is bounded by cJSON's nesting limit of 1000. */
static void
remove_nulls(cJSON *item)
{
	cJSON *next;

	for (cJSON *child = item->child; child != NULL; child = next) {
		next = child->next;
		if (cJSON_IsNull(child) && cJSON_IsObject(item))
			cJSON_Delete(cJSON_DetachItemViaPointer(item, child));
		else
			remove_nulls(child);
	}
}

/* If a whole request is refused, there is one response, an error without command and
 * correlation. */
static bool
is_of_all(const cJSON *responses, const cJSON *r)
{
	return cJSON_GetArraySize(responses) == 1 &&
	    cJSON_IsString(cJSON_GetObjectItemCaseSensitive(r, "error")) &&
	    !cJSON_HasObjectItem(r, "correlationData") && !cJSON_HasObjectItem(r, "command");
}

cJSON *
envelope_open(struct view payload, const char *correlation)
{
	cJSON *root = cJSON_ParseWithLength((const char *)payload.data, payload.len);
	cJSON *responses = cJSON_GetObjectItemCaseSensitive(root, "responses");
	cJSON *answer = NULL;
	cJSON *r;

	cJSON_ArrayForEach(r, responses)
	{
		const cJSON *id = cJSON_GetObjectItemCaseSensitive(r, "correlationData");

		if ((cJSON_IsString(id) && strcmp(id->valuestring, correlation) == 0) ||
		    is_of_all(responses, r)) {
			answer = cJSON_DetachItemViaPointer(responses, r);
			remove_nulls(answer);
			break;
		}
	}
	cJSON_Delete(root);
	return answer;
}

const cJSON *
answer_data(const cJSON *answer)
{
	return cJSON_GetObjectItemCaseSensitive(answer, "data");
}

static const char *
answer_string(const cJSON *answer, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, name));
}

const char *
answer_error(const cJSON *answer)
{
	return answer_string(answer, "error");
}

const char *
answer_message(const cJSON *answer)
{
	const char *message = answer_string(answer, "message");

	return message != NULL ? message : "";
}
