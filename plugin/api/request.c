/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* request.c - see request.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "jitr/ca_mirror.h"
#include "jitr/request.h"
#include "jitr/text.h"

#include "answers.h"
#include "audit.h"
#include "command.h"
#include "upload.h"

#include "jitr/x509.h"

/* A request takes so much besides its bytes, until it is read. */
#define REQUEST_OVERHEAD 16384

/* What the broker keeps of an answer besides its bytes. */
#define ANSWER_OVERHEAD 512

static const struct rate slice_rate = { REQUESTS_SLICE_US, REQUESTS_SHARE_US };
static const struct rate answer_rate = { ANSWERS_OF_ONE_MAX, ANSWERS_OF_ONE_A_SECOND };
static const struct rate answers_rate = { ANSWERS_MAX, ANSWERS_A_SECOND };

/* What one user or certificate with rights may still use, or several of one hash. */
struct allowance {
	struct bucket answers;
	size_t        held; /* bytes of its requests that are under way */
};

struct api {
	struct api_config config;
	struct account    account;
	struct ca_mirror  mirror;
	struct uploads    uploads;
	struct answers    answers_ready;

	struct request   *waiting; /* for a slice, in the order in which they came */
	bool              running;
	uint64_t          last_asker; /* that was given a slice */
	uint64_t          seed;
	size_t            held;
	struct bucket     slices, answers;
	struct allowance  allowances[CALLERS_MAX];
	struct refusals   strangers, throttled;
	struct lines      lines;
};

enum request_stage {
	REQUEST_UNREAD,     /* its bytes are as they came */
	REQUEST_PREPARING,  /* its commands are read, allowed, prepared, one by one */
	REQUEST_OPEN,       /* the next run of commands is to begin */
	REQUEST_AT_WRITER,  /* a run of changes is a job; not in the list of those that wait */
	REQUEST_RESPONDING, /* a run is done, and is put into the answer command by command */
	REQUEST_DONE,
};

/*
 * A request on its way.  Its commands are carried out in runs: neighbours that
 * change something are one job of the writer.
 */
struct request {
	struct job          job;
	struct api         *api;
	struct request     *next; /* of those that wait */
	enum request_stage  stage;
	struct client       client; /* its certificate is held, its texts are: */
	char               *client_id, *user_name, *address;
	enum administration may;
	uint64_t            who;    /* asks, for its allowance */
	struct caller       caller; /* the connection that asked */
	char               *response_topic;
	uint8_t            *payload; /* until it is read */
	size_t              payload_len, held;
	struct budget       budget;
	int64_t             used_us;

	cJSON          *json;      /* what the commands' texts point into */
	char           *answer;    /* so far, without its end */
	size_t          answer_len, answer_size;
	bool            changes_ca, told_denied, cut_short;
	bool            alone; /* a run of several could not be committed */
	enum err        mirror_result;
	struct diag     mirror_diag;
	size_t          prepared, done, end; /* the present run begins and ends here */
	size_t          count;
	struct command *commands;
};

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
	struct api *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return ERR_NOMEM;
	a->config = *config;
	a->account = (struct account){ a->config.account_id, a->config.region, a->config.endpoint,
		arn_scope_of(a->config.region, a->config.account_id) };
	a->mirror = (struct ca_mirror){ .ca_path = config->ca_path, .store = config->store,
		.writer = config->writer, .report = config->report, .now = config->now };
	a->answers_ready = (struct answers){ .gate = config->gate, .broker = config->broker };
	a->seed = seed_of(a);
	*out = a;
	return ERR_OK;
}

static struct allowance *
allowance_of(struct api *a, uint64_t who)
{
	return &a->allowances[who % CALLERS_MAX];
}

/* What it holds of memory, for the bounds of its caller and of all. */
static void
hold(struct request *r, size_t bytes)
{
	r->held += bytes;
	r->api->held += bytes;
	allowance_of(r->api, r->who)->held += bytes;
}

static void
let_go(struct request *r)
{
	r->api->held -= r->held;
	allowance_of(r->api, r->who)->held -= r->held;
	r->held = 0;
}

static void
request_free(struct request *r)
{
	if (r == NULL)
		return;
	let_go(r);
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
	free(a);
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

/* false: it goes on in the next slice. */
static bool
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
make_room(struct request *r, size_t len)
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
	hold(r, size - r->answer_size);
	r->answer = grown;
	r->answer_size = size;
	return true;
}

/* An answer that lacks something must not be taken for a whole one. */
static void
append(struct request *r, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	r->cut_short = r->cut_short || len == 0 || !make_room(r, len + 1);
	if (r->cut_short)
		return;
	memcpy(r->answer + r->answer_len, text, len + 1);
	r->answer_len += len;
}

/* What does not fit is an error of its command; errors are short. */
static char *
print_response(struct request *r, struct command *c, cJSON *o)
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
add_response(struct request *r, struct command *c, cJSON *o)
{
	char *text = print_response(r, c, o);

	append(r, r->done == 0 ? "{\"responses\":[" : ",");
	append(r, text);
	cJSON_free(text);
	r->budget.bytes = r->answer_len < REQUEST_ANSWER_MAX ? REQUEST_ANSWER_MAX - r->answer_len : 0;
	r->done++;
}

static bool
is_over_time(const struct request *r)
{
	return r->used_us > REQUEST_TIME_MAX_US;
}

static void
set_over_time(struct command *c)
{
	c->result = ERR_LIMIT;
	diag_set(&c->diag, "The request takes too long: ask for less at a time");
}

/* One command of the present run, or a part of it. */
static void
respond(struct request *r)
{
	struct command *c = &r->commands[r->done];
	cJSON *o = cJSON_CreateObject();
	struct txn t;
	enum err e = store_read(r->api->config.store, &t);

	if (c->result == ERR_OK && e != ERR_OK)
		c->result = e;
	if (c->result == ERR_OK && c->type->change == NULL && is_over_time(r))
		set_over_time(c);
	if (render_command(&t, c, o))
		add_response(r, c, o);
	if (e == ERR_OK)
		store_end(&t);
	cJSON_Delete(o);
	if (r->done == r->end)
		r->stage = REQUEST_OPEN;
}

static void
log_changes(const struct api *a, const struct request *r)
{
	const struct asker asker = { r->user_name != NULL ? r->user_name : "", r->client_id,
		r->address };

	for (size_t i = 0; i < r->count; i++) {
		const struct command *c = &r->commands[i];

		if (c->type != NULL && c->type->change != NULL && !c->prepared)
			audit_report(a->config.report, c, &asker);
	}
}

/*
 * Lines of the log that clients can cause.
 */

static void
log_untold(struct api *a)
{
	uint64_t count = lines_untold(&a->lines, a->config.clock_us());

	if (count > 0)
		report_line(a->config.report, LEVEL_NOTICE, "requests refused: %" PRIu64 " more in the "
		    "last %d s", count, (int)(LINES_INTERVAL_US / 1000000));
}

static void
log_denied(struct api *a, const struct client *c, const char *reason, const char *command)
{
	char buffer[400];
	struct text t = text_in(buffer, sizeof(buffer));

	if (!lines_may_tell(&a->lines, a->config.clock_us()))
		return;
	text_addf(&t, "request refused: reason=\"%s\" user=\"", reason);
	text_add_escaped(&t, view_of(c->user_name), 80);
	text_add(&t, "\" client=\"");
	text_add_escaped(&t, view_of(c->id), 80);
	text_add(&t, "\" address=");
	text_add_escaped(&t, view_of(c->address != NULL ? c->address : "-"), 64);
	text_addf(&t, "%s%s", command != NULL ? " command=" : "", command != NULL ? command : "");
	report_line(a->config.report, LEVEL_NOTICE, "%s", buffer);
}

/*
 * Sending.
 */

/* Whether the client reads it the broker does not say: what is sent is counted,
 * and the caller's next requests wait until its bucket has filled. */
static void
charge(struct api *a, uint64_t who, size_t bytes)
{
	int64_t now = a->config.clock_us();
	struct allowance *c = allowance_of(a, who);

	(void)bucket_level(&c->answers, &answer_rate, now);
	bucket_take(&c->answers, (int64_t)(bytes + ANSWER_OVERHEAD));
	(void)bucket_level(&a->answers, &answers_rate, now);
	bucket_take(&a->answers, (int64_t)(bytes + ANSWER_OVERHEAD));
}

static void
log_unanswered(struct api *a, enum err e)
{
	if (lines_may_tell(&a->lines, a->config.clock_us()))
		report_line(a->config.report, LEVEL_ERROR, "a request could not be answered: %s",
		    err_text(e));
}

static void
send_text(struct api *a, const struct caller *caller, const char *client_id,
    const char *response_topic, const char *text)
{
	enum err e = answers_add(&a->answers_ready, caller, client_id != NULL ? client_id : "",
	    response_topic, view_of(text));

	if (e != ERR_OK)
		log_unanswered(a, e);
}

static void
answer(struct api *a, struct request *r)
{
	const char *text = "{\"responses\":[{\"error\":\"InternalFailureException\","
			   "\"message\":\"out of memory\"}]}";

	log_changes(a, r);
	append(r, "]}");
	if (!r->cut_short)
		text = r->answer;
	charge(a, r->who, strlen(text));
	if (r->response_topic != NULL)
		charge(a, r->who, strlen(text) + strlen(r->response_topic));
	send_text(a, &r->caller, r->client_id, r->response_topic, text);
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

	return !r->alone && is_change(c) == is_change(first) && first->import == NULL &&
	    c->import == NULL;
}

static enum err
request_run(struct txn *t, struct job *job, int64_t now)
{
	struct request *r = (struct request *)job;
	struct audit_state before;

	for (size_t i = r->done; i < r->end; i++) {
		struct command *c = &r->commands[i];

		if (i > r->done)
			store_next_step(t);
		audit_look(t, c, &before);
		c->result = c->type->change(t, c, now);
		audit_compare(t, c, &before);
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

static void run_waiting(struct api *a);
static void wait_for_slice(struct request *r);

/* Commands stand alone: one for which there is no room must not take those along that
 * need none. */
static void
try_one_by_one(struct request *r)
{
	for (size_t i = r->done; i < r->end; i++) {
		r->commands[i].result = ERR_OK;
		r->commands[i].diag.text[0] = '\0';
	}
	r->alone = true;
	r->stage = REQUEST_OPEN;
	wait_for_slice(r);
	run_waiting(r->api);
}

static void
request_finish(struct job *job, void *context)
{
	struct request *r = (struct request *)job;

	(void)context;
	if (job->result == ERR_STORAGE && r->end - r->done > 1) {
		try_one_by_one(r);
		return;
	}
	if (job->result != ERR_OK)
		fail_changes(r, job->result, job->failure);
	else if (r->changes_ca)
		cas_changed(r);
	conclude(r);
	r->stage = REQUEST_RESPONDING;
	wait_for_slice(r);
	run_waiting(r->api);
}

static const struct job_type request_type = { "request", false, request_run, request_committed,
	request_finish };

static void
submit(struct request *r)
{
	enum err e;

	r->job = (struct job){ .type = &request_type };
	r->changes_ca = false;
	e = writer_submit(r->api->config.writer, &r->job);
	r->stage = e == ERR_OK ? REQUEST_AT_WRITER : REQUEST_RESPONDING;
	if (e == ERR_OK)
		return;
	fail_changes(r, e, "the changes that wait fill the queue");
	conclude(r);
}

/* What has not begun is not carried out any more. */
static void
cut_off(struct request *r)
{
	for (size_t i = r->done; i < r->count; i++) {
		struct command *c = &r->commands[i];

		if (c->result != ERR_OK || c->prepared)
			continue;
		set_over_time(c);
		command_conclude(c);
	}
}

static void
begin_run(struct request *r)
{
	if (is_over_time(r))
		cut_off(r);
	if (r->done == r->count) {
		r->stage = REQUEST_DONE;
		return;
	}
	r->end = r->done + 1;
	while (r->end < r->count && goes_along(r, &r->commands[r->end]))
		r->end++;
	if (is_change(&r->commands[r->done]))
		submit(r);
	else
		r->stage = REQUEST_RESPONDING;
}

/*
 * Reading.
 */

static enum err
parse_request(struct view payload, cJSON **json, const cJSON **commands, struct diag *diag)
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
make_commands(struct request *r, size_t count)
{
	r->commands = calloc(count, sizeof(r->commands[0]));
	if (r->commands == NULL)
		return false;
	r->count = count;
	hold(r, count * sizeof(r->commands[0]));
	return true;
}

/* One command without a name carries what is wrong with the whole request. */
static void
refuse_request(struct request *r, enum err e, const struct diag *diag)
{
	if (!make_commands(r, 1)) {
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
is_too_large(const struct request *r, struct diag *diag)
{
	if (r->payload != NULL)
		return false;
	diag_set(diag, "The request is too large: %zu bytes, at most %d are accepted",
	    r->payload_len, REQUEST_MAX);
	return true;
}

/* Of what cJSON makes of it, with its names; too many where strings have commas. */
static size_t
bytes_of_tree(struct view text)
{
	size_t bytes = 0;

	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == ',' || text.data[i] == '{' || text.data[i] == '[')
			bytes += sizeof(cJSON);
	return bytes;
}

/* The client may have left, or lost its rights, while it waited. */
static void
read_request(struct request *r)
{
	const cJSON *commands = NULL;
	struct diag diag = { "" };
	enum err e;

	r->may = gate_is_connected(r->api->config.gate, &r->caller)
	    ? gate_administration(r->api->config.gate, &r->client) : ADMINISTRATION_NONE;
	if (r->may == ADMINISTRATION_NONE) {
		r->api->config.stats->denied++;
		diag_set(&diag, "This client may not use %s any more", CONTROL_TOPIC);
		refuse_request(r, ERR_DENIED, &diag);
		return;
	}
	if (is_too_large(r, &diag)) {
		e = ERR_REQUEST;
	} else {
		struct view payload = { r->payload, r->payload_len };

		e = parse_request(payload, &r->json, &commands, &diag);
		if (r->json != NULL)
			hold(r, bytes_of_tree(payload));
	}
	free(r->payload);
	r->payload = NULL;
	r->stage = REQUEST_PREPARING;
	if (e == ERR_OK && !make_commands(r, (size_t)cJSON_GetArraySize(commands)))
		e = ERR_NOMEM;
	if (e != ERR_OK)
		refuse_request(r, e, &diag);
}

static void
parse_command(struct request *r, struct command *c)
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

/* The log is told of the first that is refused: a client must not fill it with
 * one request. */
static void
authorize(struct request *r, struct command *c)
{
	c->by_policy = true;
	command_authorize(c, r->api->config.gate, &r->client);
	command_authorize_content(c, r->api->config.store, r->api->config.gate, &r->client);
	if (c->result != ERR_DENIED || r->told_denied)
		return;
	r->told_denied = true;
	r->api->config.stats->denied++;
	log_denied(r->api, &r->client, "not allowed by a policy", c->name);
}

/* The next command: what it is, whether its caller may, and what it takes. */
static void
prepare(struct request *r)
{
	struct command *c = &r->commands[r->prepared];

	parse_command(r, c);
	if (c->result == ERR_OK && is_over_time(r))
		set_over_time(c);
	if (r->may == ADMINISTRATION_BY_POLICY)
		authorize(r, c);
	if (c->result == ERR_OK && c->type->prepare != NULL)
		c->result = c->type->prepare(c);
	if (++r->prepared == r->count)
		r->stage = REQUEST_OPEN;
}

/*
 * Slices.
 */

static void
go_on(struct request *r)
{
	switch (r->stage) {
	case REQUEST_UNREAD:
		read_request(r);
		break;
	case REQUEST_PREPARING:
		prepare(r);
		break;
	case REQUEST_OPEN:
		begin_run(r);
		break;
	case REQUEST_RESPONDING:
		respond(r);
		break;
	case REQUEST_AT_WRITER:
	case REQUEST_DONE:
		break;
	}
}

static bool
is_runnable(const struct request *r)
{
	return r->stage != REQUEST_AT_WRITER && r->stage != REQUEST_DONE;
}

static void
put_back(struct request *r)
{
	r->next = r->api->waiting;
	r->api->waiting = r;
}

/* Until the slice ends.  Whatever is begun is finished: the longest of these is
 * one evaluation of policies, or the reading of the largest request. */
static void
run(struct request *r, int64_t *now)
{
	int64_t began = *now;

	while (is_runnable(r) && *now < r->budget.ends) {
		go_on(r);
		*now = r->api->config.clock_us();
		r->used_us += *now - began;
		began = *now;
	}
	if (is_runnable(r)) {
		put_back(r);
	} else if (r->stage == REQUEST_DONE) {
		answer(r->api, r);
		request_free(r);
	}
}

static void
wait_for_slice(struct request *r)
{
	struct request **end = &r->api->waiting;

	while (*end != NULL)
		end = &(*end)->next;
	r->next = NULL;
	*end = r;
}

/* The first that is due, of another caller than the last where there is one.
 * Due is one whose caller is not sent too much already. */
static struct request *
take_next(struct api *a, int64_t now)
{
	struct request **found = NULL, *r;

	if (bucket_level(&a->answers, &answers_rate, now) <= 0)
		return NULL;
	for (struct request **at = &a->waiting; *at != NULL; at = &(*at)->next) {
		if (bucket_level(&allowance_of(a, (*at)->who)->answers, &answer_rate, now) <= 0)
			continue;
		if (found == NULL)
			found = at;
		if ((*at)->who != a->last_asker) {
			found = at;
			break;
		}
	}
	if (found == NULL)
		return NULL;
	r = *found;
	*found = r->next;
	a->last_asker = r->who;
	return r;
}

/* Once begun a slice is not begun again from within: the broker may call us
 * when it is told something. */
static void
run_waiting(struct api *a)
{
	int64_t began = a->config.clock_us(), now = began, ends;
	struct request *r;

	ends = began + bucket_level(&a->slices, &slice_rate, began);
	if (a->running || a->waiting == NULL || ends <= began)
		return;
	a->running = true;
	while (now < ends && (r = take_next(a, now)) != NULL) {
		r->budget.ends = ends;
		run(r, &now);
	}
	a->running = false;
	bucket_take(&a->slices, a->config.clock_us() - began);
}

/*
 * Requests.
 */

static bool
copy_text(const char *text, char **out)
{
	*out = text != NULL ? strdup(text) : NULL;
	return text == NULL || *out != NULL;
}

static bool
copy_client(struct request *r, const struct client *c)
{
	bool copied = copy_text(c->id != NULL ? c->id : "", &r->client_id);

	copied = copy_text(c->user_name, &r->user_name) && copied;
	copied = copy_text(c->address, &r->address) && copied;
	r->client = *c;
	r->client.id = r->client_id;
	r->client.user_name = r->user_name;
	r->client.address = r->address;
	if (c->x != NULL)
		x509_hold(c->x);
	return copied;
}

/* One that is too large is kept without its bytes, to be told so. */
static bool
copy_payload(struct request *r, struct view payload)
{
	r->payload_len = payload.len;
	if (payload.len > REQUEST_MAX)
		return true;
	r->payload = malloc(payload.len + 1);
	if (r->payload != NULL && payload.len > 0)
		memcpy(r->payload, payload.data, payload.len);
	return r->payload != NULL;
}

/* Whose budget it is: a user's, or that of a certificate, whose id is its user
 * name, however many clients ask with it. */
static uint64_t
who_asks(const struct api *a, const struct client *c)
{
	return caller_hash(a->seed, c->user_name != NULL ? c->user_name : c->id);
}

static size_t
room_for(size_t len, const char *response_topic)
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
	r->who = who_asks(a, c);
	r->caller = gate_caller(a->config.gate, c);
	r->budget = (struct budget){ .steps = REQUEST_STEPS_MAX, .bytes = REQUEST_ANSWER_MAX,
		.clock_us = a->config.clock_us };
	copied = copy_client(r, c);
	copied = copy_text(response_topic, &r->response_topic) && copied;
	copied = copy_payload(r, payload) && copied;
	hold(r, room_for(payload.len, response_topic));
	if (copied)
		return r;
	request_free(r);
	return NULL;
}

/* Nothing of the request is read, and nothing of it comes back.  A bridge has
 * no address, and perhaps no name. */
static void
deny(struct api *a, const struct client *c)
{
	struct caller caller;

	a->config.stats->denied++;
	log_denied(a, c, "not an administrator", NULL);
	if (!refusals_may_tell(&a->strangers, caller_hash(a->seed, c->id), a->config.clock_us())) {
		a->config.stats->unanswered++;
		return;
	}
	caller = gate_caller(a->config.gate, c);
	send_text(a, &caller, c->id, NULL, "{\"responses\":[{\"error\":"
	    "\"AccessDeniedException\",\"message\":\"This client may not use " CONTROL_TOPIC ": name "
	    "its user in admin_users or its certificate in admin_certificates\"}]}");
}

static void
throttle(struct api *a, const struct client *c, uint64_t who)
{
	struct caller caller;

	a->config.stats->throttled++;
	if (!refusals_may_tell(&a->throttled, who, a->config.clock_us())) {
		a->config.stats->unanswered++;
		return;
	}
	caller = gate_caller(a->config.gate, c);
	send_text(a, &caller, c->id, NULL, "{\"responses\":[{\"error\":\"ThrottlingException\","
	    "\"message\":\"Too many requests of this caller wait: send the next ones when these "
	    "are answered\"}]}");
}

static bool
is_room(struct api *a, uint64_t who, size_t bytes)
{
	return a->held + bytes <= REQUESTS_HELD_MAX &&
	    allowance_of(a, who)->held + bytes <= REQUESTS_HELD_MAX / 2;
}

void
api_request(struct api *a, const struct client *c, struct view payload, const char *response_topic)
{
	uint64_t who = who_asks(a, c);
	struct request *r = NULL;

	a->config.stats->requests++;
	if (gate_administration(a->config.gate, c) == ADMINISTRATION_NONE) {
		deny(a, c);
		return;
	}
	if (is_room(a, who, room_for(payload.len, response_topic)))
		r = request_new(a, c, payload, response_topic);
	if (r == NULL) {
		throttle(a, c, who);
		return;
	}
	wait_for_slice(r);
	run_waiting(a);
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
	run_waiting(a);
	log_untold(a);
	ca_mirror_tick(&a->mirror);
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
		log_unanswered(a, e);
}

bool
api_is_busy(const struct api *a)
{
	return a->waiting != NULL;
}
