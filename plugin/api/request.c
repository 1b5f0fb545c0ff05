/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request.c - see request.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/ca_mirror.h"
#include "jitr/request.h"
#include "jitr/text.h"

#include "answers.h"
#include "command.h"
#include "upload.h"

struct api {
	struct api_config config;
	struct account    account;
	struct ca_mirror  mirror;
	struct uploads    uploads;
	struct answers    answers;
};

/*
 * A request on its way.  Its commands are carried out in runs: neighbours that
 * change something are one job of the writer, the others are answered from
 * one moment of the registry.
 */
struct request {
	struct job     job;
	struct api    *api;
	cJSON         *json;      /* what the commands' texts point into */
	cJSON         *responses; /* to the commands carried out */
	struct caller  caller;
	char          *client_id, *response_topic, *user_name;
	bool           changes_ca;
	enum err       mirror_result;
	struct diag    mirror_diag;
	size_t         done, end; /* the present run begins and ends here */
	size_t         count;
	struct command commands[];
};

enum err
api_open(const struct api_config *config, struct api **out)
{
	struct api *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return ERR_NOMEM;
	a->config = *config;
	a->account = (struct account){ a->config.account_id, a->config.region,
		arn_scope_of(a->config.region, a->config.account_id) };
	a->mirror = (struct ca_mirror){ .ca_path = config->ca_path, .store = config->store,
		.writer = config->writer, .report = config->report, .now = config->now };
	a->answers = (struct answers){ .gate = config->gate, .broker = config->broker,
		.report = config->report };
	*out = a;
	return ERR_OK;
}

void
api_close(struct api *a)
{
	if (a == NULL)
		return;
	uploads_clear(&a->uploads);
	answers_clear(&a->answers);
	free(a);
}

static void
request_free(struct request *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++)
		command_clear(&r->commands[i]);
	cJSON_Delete(r->json);
	cJSON_Delete(r->responses);
	free(r->client_id);
	free(r->response_topic);
	free(r->user_name);
	free(r);
}

/*
 * Answers.
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

static void
render_command(struct txn *t, struct command *c, cJSON *o)
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
	if (c->result == ERR_OK) {
		cJSON_AddItemToObject(o, "data", data);
		return;
	}
	cJSON_Delete(data);
	add_error(c, o);
}

/* The responses to the present run. */
static void
respond(struct request *r)
{
	const struct api *a = r->api;
	struct txn t;
	enum err e = store_read(a->config.store, &t);

	for (; r->done < r->end; r->done++) {
		struct command *c = &r->commands[r->done];
		cJSON *o = cJSON_CreateObject();

		if (e != ERR_OK && c->result == ERR_OK)
			c->result = e;
		render_command(&t, c, o);
		if (!cJSON_AddItemToArray(r->responses, o))
			cJSON_Delete(o);
	}
	if (e == ERR_OK)
		store_end(&t);
}

/* cJSON leaves out what it cannot allocate; then the text is NULL as well, or
 * lacks members, which no client takes for success. */
static char *
render(struct request *r)
{
	cJSON *answer = cJSON_CreateObject();
	char *text = NULL;

	if (cJSON_AddItemToObject(answer, "responses", r->responses)) {
		r->responses = NULL;
		text = cJSON_PrintUnformatted(answer);
	}
	cJSON_Delete(answer);
	return text;
}

/* " policy=<name>"; nothing where the request did not get as far as naming it. */
static void
text_add_resource(struct text *t, const struct command *c, enum resource r)
{
	static const struct certid none;
	static const char *const words[] = {
		[RESOURCE_NONE] = "",
		[RESOURCE_CA] = "ca",
		[RESOURCE_CERTIFICATE] = "certificate",
		[RESOURCE_POLICY] = "policy",
		[RESOURCE_THING] = "thing",
		[RESOURCE_CRL] = "ca",
		[RESOURCE_TEMPLATE] = "template",
	};

	if (r == RESOURCE_NONE || (resource_has_id(r) ? certid_equal(&c->id, &none) : c->named.len == 0))
		return;
	text_addf(t, " %s=", words[r]);
	if (resource_has_id(r))
		text_add_hex(t, (struct view){ c->id.b, sizeof(c->id.b) });
	else
		text_add_escaped(t, c->named, NAME_MAX_LENGTH);
}

static void
log_change(const struct api *a, const struct request *r, const struct command *c)
{
	char buffer[700];
	struct text t = text_in(buffer, sizeof(buffer));

	text_addf(&t, "request: command=%s user=\"", c->name);
	text_add_escaped(&t, view_of(r->user_name), 80);
	text_add(&t, "\" client=\"");
	text_add_escaped(&t, view_of(r->client_id), 80);
	text_addf(&t, "\" result=%s", c->result == ERR_OK ? "done" : err_aws_name(c->result));
	text_add_resource(&t, c, c->type->changed);
	text_add_resource(&t, c, c->type->also);
	report_line(a->config.report, c->result == ERR_OK ? LEVEL_NOTICE : LEVEL_WARNING, "%s",
	    buffer);
}

static void
log_changes(const struct api *a, const struct request *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct command *c = &r->commands[i];

		if (c->type != NULL && c->type->change != NULL && !c->prepared)
			log_change(a, r, c);
	}
}

static void
send_text(struct api *a, const struct request *r, const char *text)
{
	enum err e = answers_add(&a->answers, &r->caller, r->client_id, r->response_topic,
	    view_of(text));

	if (e != ERR_OK)
		report_line(a->config.report, LEVEL_ERROR, "a request could not be answered: %s",
		    err_text(e));
}

static void
answer(struct api *a, struct request *r)
{
	char *text = render(r);

	log_changes(a, r);
	send_text(a, r, text != NULL ? text
	    : "{\"responses\":[{\"error\":\"InternalFailureException\",\"message\":\"out of memory\"}]}");
	cJSON_free(text);
}

/*
 * Changes.
 */

static bool
is_change(const struct command *c)
{
	return c->result == ERR_OK && c->type != NULL && c->type->change != NULL && !c->prepared;
}

/* An import takes many transactions and is a run by itself: what is committed is
 * told at once. */
static bool
goes_along(const struct request *r, const struct command *c)
{
	const struct command *first = &r->commands[r->done];

	return is_change(c) == is_change(first) && first->import == NULL && c->import == NULL;
}

static enum err
request_run(struct txn *t, struct job *job, int64_t now)
{
	struct request *r = (struct request *)job;

	for (size_t i = r->done; i < r->end; i++) {
		struct command *c = &r->commands[i];

		c->result = c->type->change(t, c, now);
		r->changes_ca |= c->result == ERR_OK && c->type->changed == RESOURCE_CA;
	}
	return t->failed;
}

static void
request_committed(struct job *job)
{
	struct request *r = (struct request *)job;
	struct command *first = &r->commands[r->done];

	job->again = first->import != NULL && first->result == ERR_OK &&
	    crl_import_committed(first->import);
	if (r->changes_ca)
		r->mirror_result = ca_mirror_sync(&r->api->mirror, &r->mirror_diag);
}

/* Changes whose commit failed, or that did not fit into the queue, were not
 * made. */
static void
fail_changes(struct request *r, enum err e, const char *why)
{
	for (size_t i = r->done; i < r->end; i++) {
		struct command *c = &r->commands[i];

		if (c->result != ERR_OK)
			continue;
		c->result = e;
		diag_set(&c->diag, "%s%s%s", err_text(e), why != NULL ? ": " : "",
		    why != NULL ? why : "");
	}
}

/* Everybody whom the present run concerns is told of what came of it. */
static void
conclude(struct request *r)
{
	for (size_t i = r->done; i < r->end; i++) {
		struct command *c = &r->commands[i];

		if (c->result == ERR_OK)
			command_notify(c, r->api->config.gate);
		command_conclude(c);
	}
}

static void
cas_changed(struct request *r)
{
	ca_mirror_synced(&r->api->mirror, r->mirror_result, &r->mirror_diag);
	crls_settings_changed(r->api->config.crls);
}

static void carry_on(struct request *r);

static void
request_finish(struct job *job, void *context)
{
	struct request *r = (struct request *)job;

	(void)context;
	if (job->result != ERR_OK)
		fail_changes(r, job->result, job->failure);
	else if (r->changes_ca)
		cas_changed(r);
	conclude(r);
	respond(r);
	carry_on(r);
}

static const struct job_type request_type = { "request", false, request_run, request_committed,
	request_finish };

/* Answers whether the run is on its way. */
static bool
submit(struct request *r)
{
	enum err e;

	r->job = (struct job){ .type = &request_type };
	r->changes_ca = false;
	e = writer_submit(r->api->config.writer, &r->job);
	if (e == ERR_OK)
		return true;
	fail_changes(r, e, "the changes that wait fill the queue");
	conclude(r);
	return false;
}

/* Run after run, until one waits for the writer or all are done. */
static void
carry_on(struct request *r)
{
	while (r->done < r->count) {
		bool changes = is_change(&r->commands[r->done]);

		r->end = r->done + 1;
		while (r->end < r->count && goes_along(r, &r->commands[r->end]))
			r->end++;
		if (changes && submit(r))
			return;
		respond(r);
	}
	answer(r->api, r);
	request_free(r);
}

/*
 * Requests.
 */

static char *
copy_text(const char *text)
{
	return strdup(text != NULL ? text : "");
}

static struct request *
request_new(struct api *a, const struct client *c, size_t count, const char *response_topic)
{
	struct request *r = calloc(1, sizeof(*r) + count * sizeof(r->commands[0]));

	if (r == NULL)
		return NULL;
	r->api = a;
	r->responses = cJSON_CreateArray();
	r->count = count;
	r->caller = gate_caller(a->config.gate, c);
	r->client_id = copy_text(c->id);
	r->user_name = copy_text(c->user_name);
	r->response_topic = response_topic != NULL ? strdup(response_topic) : NULL;
	if (r->client_id == NULL || r->user_name == NULL) {
		request_free(r);
		return NULL;
	}
	return r;
}

static void
set_denied(struct command *c)
{
	c->result = ERR_DENIED;
	diag_set(&c->diag, "This client may not use %s: name its user in admin_users or its "
			   "certificate in admin_certificates", CONTROL_TOPIC);
}

/* One command without a name carries what is wrong with the whole request. */
static void
refuse_request(struct api *a, const struct client *c, const char *response_topic, enum err e,
    const struct diag *diag)
{
	struct request *r = request_new(a, c, 1, response_topic);

	if (r == NULL)
		return;
	r->commands[0].result = e;
	r->commands[0].diag = *diag;
	if (e == ERR_DENIED)
		set_denied(&r->commands[0]);
	carry_on(r);
}

static enum err
parse_request(struct view payload, size_t max, cJSON **json, const cJSON **commands,
    struct diag *diag)
{
	static const char *const names[] = { "commands" };
	struct members m;
	enum err e;

	if (payload.len > max) {
		diag_set(diag, "The request is too large: %zu bytes, at most %zu are accepted",
		    payload.len, max);
		return ERR_REQUEST;
	}
	e = json_parse(payload, REQUEST_DEPTH_MAX, json, diag);
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

/* Whoever may not ask hears so for each command, and nothing is looked at. */
static void
deny_commands(struct request *r, const cJSON *commands)
{
	const cJSON *json;
	size_t i = 0;

	cJSON_ArrayForEach(json, commands) {
		struct command *c = &r->commands[i++];
		struct members m = json_members(json, NULL);

		if (cJSON_IsObject(json)) {
			c->correlation = json_string(&m, "correlationData", 0, 1024, false);
			c->name = json_string(&m, "command", 1, 128, false);
		}
		set_denied(c);
	}
}

static void
parse_commands(struct request *r, const cJSON *commands)
{
	const cJSON *json;
	size_t i = 0;

	cJSON_ArrayForEach(json, commands) {
		struct command *c = &r->commands[i++];

		command_parse(json, c, &r->api->account, r->api->config.now());
		c->gate = r->api->config.gate;
		c->crls = r->api->config.crls;
		c->uploads = &r->api->uploads;
		c->caller = r->caller;
	}
}

static void
prepare_commands(struct request *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct command *c = &r->commands[i];

		if (c->result == ERR_OK && c->type != NULL && c->type->prepare != NULL)
			c->result = c->type->prepare(c);
	}
}

static void
log_denied(struct api *a, const struct client *c, const char *reason, const char *command)
{
	char buffer[400];
	struct text t = text_in(buffer, sizeof(buffer));

	a->config.stats->denied++;
	text_addf(&t, "request refused: reason=\"%s\" user=\"", reason);
	text_add_escaped(&t, view_of(c->user_name), 80);
	text_add(&t, "\" client=\"");
	text_add_escaped(&t, view_of(c->id), 80);
	text_addf(&t, "\"%s%s", command != NULL ? " command=" : "", command != NULL ? command : "");
	report_line(a->config.report, LEVEL_NOTICE, "%s", buffer);
}

/* Each command by itself, while the client is at hand.  The log is told of the
 * first that is refused: a client must not fill it with one request. */
static void
authorize_commands(struct request *r, const struct client *client)
{
	const struct command *first = NULL;

	for (size_t i = 0; i < r->count; i++) {
		command_authorize(&r->commands[i], r->api->config.gate, client);
		if (first == NULL && r->commands[i].result == ERR_DENIED)
			first = &r->commands[i];
	}
	if (first != NULL)
		log_denied(r->api, client, "not allowed by a policy", first->name);
}

void
api_request(struct api *a, const struct client *c, struct view payload, const char *response_topic)
{
	enum administration may = gate_administration(a->config.gate, c);
	size_t max = may != ADMINISTRATION_NONE ? REQUEST_MAX : REQUEST_DENIED_MAX;
	const cJSON *commands = NULL;
	cJSON *json = NULL;
	struct diag diag = { "" };
	struct request *r;
	enum err e;

	a->config.stats->requests++;
	if (may == ADMINISTRATION_NONE)
		log_denied(a, c, "not an administrator", NULL);
	e = parse_request(payload, max, &json, &commands, &diag);
	if (e != ERR_OK) {
		refuse_request(a, c, response_topic, may != ADMINISTRATION_NONE ? e : ERR_DENIED, &diag);
		cJSON_Delete(json);
		return;
	}
	r = request_new(a, c, (size_t)cJSON_GetArraySize(commands), response_topic);
	if (r == NULL) {
		cJSON_Delete(json);
		return;
	}
	r->json = json;
	if (may == ADMINISTRATION_NONE)
		deny_commands(r, commands);
	else
		parse_commands(r, commands);
	if (may == ADMINISTRATION_BY_POLICY)
		authorize_commands(r, c);
	prepare_commands(r);
	carry_on(r);
}

/*
 * The CA mirror when no request asks for it.
 */

void
api_changed_elsewhere(struct api *a)
{
	ca_mirror_start(&a->mirror);
	crls_settings_changed(a->config.crls);
}

void
api_tick(struct api *a)
{
	ca_mirror_tick(&a->mirror);
	uploads_tick(&a->uploads, a->config.now());
	answers_send(&a->answers);
}

bool
api_has_answers(const struct api *a)
{
	return answers_waiting(&a->answers);
}

void
api_send_answers(struct api *a)
{
	answers_send(&a->answers);
}
