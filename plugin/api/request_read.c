/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request_read.c - see request_private.h. */
#include <stdlib.h>

#include "jitr/adapter/json.h"

#include "request_private.h"

static enum err
request_parse(struct view payload, cJSON **json, const cJSON **commands, struct diag *diag)
{
	static const char *const names[] = { "commands" };
	struct members m;
	enum err e = json_parse(payload, REQUEST_DEPTH_MAX, json, diag);

	if (e != ERR_OK)
		return e;
	m = json_members(*json, diag);
	if (!cJSON_IsObject(*json))
		json_fail(&m, "request", NULL, "be an object");
	else
		json_only(&m, names, COUNT_OF(names));
	*commands = m.failed == ERR_OK ? json_array(&m, "commands", REQUEST_COMMANDS_MAX) : NULL;
	if (*commands == NULL || cJSON_GetArraySize(*commands) == 0)
		json_fail(&m, "commands", NULL, "be a list of at least one command");
	return m.failed;
}

static bool
commands_make(struct request *r, size_t count)
{
	r->commands = calloc(count, sizeof(r->commands[0]));
	if (r->commands == NULL)
		return false;
	r->count = count;
	request_hold(r, count * sizeof(r->commands[0]));
	return true;
}

/* One command without a name carries what is wrong with the whole request. */
static void
request_refuse(struct request *r, enum err e, const struct diag *diag)
{
	if (!commands_make(r, 1)) {
		r->cut_short = true;
		r->stage = REQUEST_DONE;
		return;
	}
	r->commands[0].result = e;
	r->commands[0].diag = *diag;
	r->prepared = 1;
	r->stage = REQUEST_OPEN;
}

static bool
request_is_too_large(const struct request *r, struct diag *diag)
{
	if (r->payload != NULL)
		return false;
	diag_set(diag, "The request is too large: %zu bytes, at most %d are accepted",
	    r->payload_len, REQUEST_MAX);
	return true;
}

/* Bytes that cJSON takes for it, names included; more than that where strings have
 * commas. */
static size_t
tree_size(struct view text)
{
	size_t bytes = 0;

	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == ',' || text.data[i] == '{' || text.data[i] == '[')
			bytes += sizeof(cJSON);
	return bytes;
}

/* The client may have left, or lost its rights, while it waited. */
void
request_read(struct request *r)
{
	const cJSON *commands = NULL;
	struct diag diag = { "" };
	enum err e;

	r->may = gate_is_connected(r->api->config.gate, &r->caller)
	    ? gate_administration(r->api->config.gate, &r->client)
	    : ADMINISTRATION_NONE;
	if (r->may == ADMINISTRATION_NONE) {
		r->api->config.stats->denied++;
		diag_set(&diag, "This client may not use %s any more", CONTROL_TOPIC);
		request_refuse(r, ERR_DENIED, &diag);
		return;
	}
	if (request_is_too_large(r, &diag)) {
		e = ERR_REQUEST;
	} else {
		struct view payload = { r->payload, r->payload_len };

		e = request_parse(payload, &r->json, &commands, &diag);
		if (r->json != NULL)
			request_hold(r, tree_size(payload));
	}
	free(r->payload);
	r->payload = NULL;
	r->stage = REQUEST_PREPARING;
	if (e == ERR_OK && !commands_make(r, (size_t)cJSON_GetArraySize(commands)))
		e = ERR_NOMEM;
	if (e != ERR_OK)
		request_refuse(r, e, &diag);
}

static void
command_read(struct request *r, struct command *c)
{
	const cJSON *commands = cJSON_GetObjectItemCaseSensitive(r->json, "commands");

	command_parse(cJSON_GetArrayItem(commands, (int)r->prepared), c, &r->api->account,
	    r->api->config.now());
	c->gate = r->api->config.gate;
	c->crls = r->api->config.crls;
	c->uploads = &r->api->uploads;
	c->caller = r->caller;
	c->asker = r->user_name != NULL ? r->user_name : r->client_id;
	c->budget = &r->budget;
}

/* Only the first refusal is logged: a client must not fill the log with one request. */
static void
command_check_rights(struct request *r, struct command *c)
{
	c->by_policy = true;
	command_authorize(c, r->api->config.gate, &r->client);
	command_authorize_content(c, r->api->config.store, r->api->config.gate, &r->client);
	if (c->result != ERR_DENIED || r->told_denied)
		return;
	r->told_denied = true;
	r->api->config.stats->denied++;
	denied_log(r->api, &r->client, "not allowed by a policy", c->name);
}

/* The next command: its words, the rights of its caller, what has to be done before
 * a transaction. */
void
request_prepare(struct request *r)
{
	struct command *c = &r->commands[r->prepared];

	command_read(r, c);
	if (c->result == ERR_OK && request_is_late(r))
		command_set_late(c);
	if (r->may == ADMINISTRATION_BY_POLICY)
		command_check_rights(r, c);
	if (c->result == ERR_OK && c->type->prepare != NULL)
		c->result = c->type->prepare(c);
	if (++r->prepared == r->count)
		r->stage = REQUEST_OPEN;
}
