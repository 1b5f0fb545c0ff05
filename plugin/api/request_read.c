/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request_read.c - see request_private.h. */
#include <stdlib.h>

#include "authorize.h"

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

/* One command without a name carries the error of the whole request. */
static void
request_refuse(struct request *r, enum err e, const struct diag *diag)
{
	if (!commands_make(r, 1)) {
		r->answer_lost = true;
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

/* Bytes that cJSON takes for it, names included.  A comma in a string counts as well. */
static size_t
tree_size(struct view text)
{
	size_t bytes = 0;

	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == ',' || text.data[i] == '{' || text.data[i] == '[')
			bytes += sizeof(cJSON);
	return bytes;
}

static enum err
payload_read(struct request *r, const cJSON **commands, struct diag *diag)
{
	struct view payload = { r->payload, r->payload_len };
	enum err e;

	if (request_is_too_large(r, diag))
		return ERR_REQUEST;
	e = request_parse(payload, &r->json, commands, diag);
	if (r->json != NULL)
		request_hold(r, tree_size(payload));
	return e;
}

/* The client may have disconnected, or lost its rights, while the request waited. */
void
request_read(struct request *r)
{
	const cJSON *commands = NULL;
	struct diag diag = { "" };
	enum administration administration = caller_rights_refresh(&r->rights);
	enum err e;

	r->context.by_policy = administration == ADMINISTRATION_BY_POLICY;
	if (administration == ADMINISTRATION_NONE) {
		r->api->config.stats->denied++;
		diag_set(&diag, "This client may not use %s any more", CONTROL_TOPIC);
		request_refuse(r, ERR_DENIED, &diag);
		return;
	}
	e = payload_read(r, &commands, &diag);
	free(r->payload);
	r->payload = NULL;
	r->stage = REQUEST_PREPARING;
	if (e == ERR_OK && !commands_make(r, (size_t)cJSON_GetArraySize(commands)))
		e = ERR_NOMEM;
	if (e != ERR_OK)
		request_refuse(r, e, &diag);
}

/* Only the first refusal is logged: one request must not fill the log. */
static void
command_check_rights(struct request *r, struct command *c)
{
	(void)caller_rights_refresh(&r->rights);
	authorize_command(c);
	authorize_content(c, r->api->config.store);
	if (c->result != ERR_DENIED || r->denial_logged)
		return;
	r->denial_logged = true;
	r->api->config.stats->denied++;
	denied_log(r, c->name);
}

/* The next command is parsed, authorized and prepared. */
void
request_prepare(struct request *r)
{
	const cJSON *commands = cJSON_GetObjectItemCaseSensitive(r->json, "commands");
	struct command *c = &r->commands[r->prepared];

	command_parse(cJSON_GetArrayItem(commands, (int)r->prepared), c, &r->context,
	    r->api->config.now());
	if (c->result == ERR_OK && request_is_late(r))
		command_set_late(c);
	if (r->context.by_policy)
		command_check_rights(r, c);
	if (c->result == ERR_OK && c->type->prepare != NULL)
		c->result = c->type->prepare(c);
	if (++r->prepared < r->count)
		return;
	caller_rights_close(&r->rights);
	r->stage = REQUEST_OPEN;
}
