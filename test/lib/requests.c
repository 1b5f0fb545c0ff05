/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* requests.c - see requests.h. */
#include <stdio.h>
#include <string.h>

#include "jitr/core/text.h"
#include "jitr/adapter/x509.h"
#include "jitr/service/registration_jobs.h"
#include "requests.h"
#include "suite.h"

struct report *report;
struct gate *gate;
struct crls *crls;
struct api *api;
struct relay *relay;

static struct registration_jobs *registrations;
struct stats stats;
struct certid admin_certificate;
enum authorization authorization;
static struct judge judge;
static char admin_name[] = "admin";
static char *const admin_names[] = { admin_name };

struct pki_cert *ca, *other, *device, *second, *stranger, *proof, *wrong_proof;

static cJSON *answer; /* the last one */

/*
 * Names in angle brackets.
 */

static struct {
	const char *name;
	char text[4096];
} words[40];
static size_t word_count;

void
word(const char *name, const char *text)
{
	size_t i = 0;

	while (i < word_count && strcmp(words[i].name, name) != 0)
		i++;
	if (i == word_count)
		ck_assert_uint_lt(word_count++, COUNT_OF(words));
	words[i].name = name;
	ck_assert_uint_lt(strlen(text), sizeof(words[i].text));
	strcpy(words[i].text, text);
}

void
word_pem(const char *name, struct view pem)
{
	char quoted[4096];
	struct text t = text_in(quoted, sizeof(quoted));

	text_add_json(&t, pem);
	ck_assert(!t.cut);
	quoted[t.len - 1] = '\0';
	word(name, quoted + 1);
}

void
word_time(const char *name, int64_t ms)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", (double)ms / 1000);
	word(name, text);
}

void
word_validity(const char *before, const char *after, const struct pki_cert *c)
{
	struct presented p;

	ck_assert_int_eq(x509_read(c->x, &p), ERR_OK);
	word_time(before, p.not_before);
	word_time(after, p.not_after);
}

/* The word at this place, e.g. "<ca id>"; NULL: none. */
static const char *
word_at(const char *at, size_t *len)
{
	const char *end = *at == '<' ? strchr(at, '>') : NULL;

	for (size_t i = 0; end != NULL && i < word_count; i++) {
		*len = strlen(words[i].name);
		if (strncmp(at + 1, words[i].name, *len) == 0 && at + 1 + *len == end) {
			*len += 2;
			return words[i].text;
		}
	}
	return NULL;
}

const char *
replace_words(const char *text, char quote)
{
	static char buffer[1 << 18];
	struct text t = text_in(buffer, sizeof(buffer));

	while (*text != '\0') {
		size_t len = 1;
		const char *w = word_at(text, &len);
		char c[2] = { *text == '\'' ? quote : *text, '\0' };

		text_add(&t, w != NULL ? w : c);
		text += w != NULL ? len : 1;
	}
	ck_assert(!t.cut);
	return buffer;
}

const char *
expand(const char *text)
{
	return replace_words(text, '"');
}

/*
 * Sending.
 */

struct client
admin(void)
{
	return (struct client){ .id = "c1", .user_name = "admin", .address = "::1" };
}

void
parse_answer(void)
{
	const struct note *n = world_last(NOTE_ANSWER);
	struct diag diag = { "" };

	cJSON_Delete(answer);
	answer = NULL;
	ck_assert_ptr_nonnull(n);
	ck_assert_msg(json_parse((struct view){ (uint8_t *)n->text, n->text_len }, 16, &answer,
			  &diag) == ERR_OK,
	    "%s: %s", diag.text, n->text);
}

/* A connection for each client id and user name. */
static void *
log_in(const struct client *c)
{
	static char handles[2100][200];
	struct client copy = *c;
	char text[200];
	size_t i = 0;

	(void)snprintf(text, sizeof(text), "%s %.150s", c->id,
	    c->user_name != NULL ? c->user_name : "-");
	while (i < COUNT_OF(handles) - 1 && handles[i][0] != '\0' && strcmp(handles[i], text) != 0)
		i++;
	strcpy(handles[i], text);
	copy.handle = handles[i];
	copy.name_to_check = true;
	if (gate_caller(gate, &copy).session == 0)
		(void)gate_connect(gate, &copy);
	return copy.handle;
}

static void
certificate_changed(void *context, const struct certid *id_or_null)
{
	(void)context;
	gate_changed(gate, id_or_null);
}

static void
policy_changed(void *context, struct view name)
{
	(void)context;
	gate_policy_changed(gate, name);
}

static void
thing_changed(void *context, struct view name)
{
	(void)context;
	gate_thing_changed(gate, name);
}

static void
crl_changed(void *context, const struct certid *named, size_t count)
{
	(void)context;
	gate_crl_changed(gate, named, count);
}

static void
crl_removed(void *context, const struct certid *ca_id)
{
	(void)context;
	stats_forget_crl(ca_id, &world_broker);
}

static const struct change_listener listener = { .certificate = certificate_changed,
	.policy = policy_changed,
	.thing = thing_changed,
	.crl = crl_changed,
	.crl_removed = crl_removed };

static void
send_answers(void)
{
	relay_send_answers(relay);
	gate_release(gate);
}

void
requests_tick(void)
{
	relay_tick(relay);
	api_tick(api);
	send_answers();
}

static void
pass_request(void *context, const struct control_request *r)
{
	(void)context;
	api_request(api, r);
}

static void
pass_left(void *context, uint64_t session)
{
	(void)context;
	api_caller_left(api, session);
}

static void
pass_answer(void *context, const struct control_answer *a)
{
	(void)context;
	relay_answer(relay, a);
}

void
post(const struct client *c, struct view payload, const char *response_topic)
{
	struct client copy = *c;

	if (c->handle == NULL)
		copy.handle = log_in(c);
	relay_request(relay, &copy, payload, response_topic);
	send_answers();
}

void
send_as(const struct client *c, struct view payload)
{
	post(c, payload, NULL);
	world_settle();
	parse_answer();
}

void
send_text(const char *text)
{
	struct client c = admin();

	send_as(&c, view_of(expand(text)));
}

void
ask(const char *commands)
{
	char text[16384];

	snprintf(text, sizeof(text), "{'commands':[%s]}", commands);
	send_text(text);
}

const cJSON *
response(int nth)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "responses");
	const cJSON *r = cJSON_GetArrayItem(list, nth);

	ck_assert_ptr_nonnull(r);
	return r;
}

int
response_count(void)
{
	return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(answer, "responses"));
}

const char *
member(const cJSON *o, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(o, name);

	return cJSON_IsString(value) ? value->valuestring : "(none)";
}

const cJSON *
data(int nth)
{
	return cJSON_GetObjectItemCaseSensitive(response(nth), "data");
}

/* A random UUID, which is not compared; each registration has a new one. */
static void
take_generation(cJSON *response_data)
{
	static const char *const names[] = { "generationId", "thingId" };
	cJSON *o = cJSON_GetObjectItem(response_data, "certificateDescription");

	o = o != NULL ? o : response_data;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!cJSON_HasObjectItem(o, names[i]))
			continue;
		ck_assert_uint_eq(strlen(member(o, names[i])), 36);
		cJSON_DeleteItemFromObject(o, names[i]);
	}
}

void
ck_response(int nth, const char *expected)
{
	cJSON *want = cJSON_Parse(expand(expected)), *have = cJSON_Duplicate(response(nth), true);
	char *text;

	ck_assert_ptr_nonnull(want);
	take_generation(cJSON_GetObjectItem(have, "data"));
	text = cJSON_PrintUnformatted(have);
	ck_assert_msg(cJSON_Compare(have, want, true), "%s\nis not\n%s", text, expand(expected));
	cJSON_free(text);
	cJSON_Delete(have);
	cJSON_Delete(want);
}

void
ck_error(int nth, const char *error, const char *message)
{
	ck_assert_msg(strcmp(member(response(nth), "error"), error) == 0 &&
		strstr(member(response(nth), "message"), replace_words(message, '\'')) != NULL,
	    "%s: %s", member(response(nth), "error"), member(response(nth), "message"));
	ck_assert_ptr_null(data(nth));
}

void
ck_done(int nth)
{
	ck_assert_msg(cJSON_IsObject(data(nth)) && data(nth)->child == NULL, "%s: %s",
	    member(response(nth), "error"), member(response(nth), "message"));
}

/*
 * The world.
 */

static void
presented(void *context, uint64_t number, enum err result, const struct outcome *outcome,
    const char *failure)
{
	(void)context;
	gate_presented(gate, number, result, outcome, failure);
}

static void
open_registrations(struct gate_config *of)
{
	struct registration_jobs_config jobs = { .writer = world.writer,
		.rules = of->rules,
		.presented = presented };

	ck_assert_int_eq(registration_jobs_open(&jobs, &registrations), ERR_OK);
	of->registrations = registration_jobs_port(registrations);
}

void
requests_start(size_t queue_max)
{
	struct report_config report_config = { .account_id = "123456789012",
		.sink = world_sink,
		.now = world_now };
	struct gate_config gate_config = { .authorization = authorization,
		.admin_users = admin_names,
		.admin_user_count = 1,
		.admin_certificates = &admin_certificate,
		.admin_certificate_count = 1,
		.store = world.store,
		.stats = &stats,
		.broker = &world_broker,
		.now = world_now };
	struct judge_config judge_config = { .authorization = authorization,
		.admin_certificates = &admin_certificate,
		.admin_certificate_count = 1,
		.store = world.store,
		.now = world_now };
	struct crls_config crls_config = { .store = world.store,
		.stats = &stats,
		.listener = &listener,
		.now = world_now,
		.crl_dir = "/var/lib/lists/" };
	struct api_config api_config = { .account_id = "123456789012",
		.region = "eu-central-1",
		.endpoint = "mqtt.example.com",
		.ca_path = world.ca_path,
		.listener = &listener,
		.store = world.store,
		.stats = &stats,
		.answer = pass_answer,
		.now = world_now,
		.clock_us = world_clock_us };
	struct relay_config relay_config = { .broker = &world_broker,
		.stats = &stats,
		.clock_us = world_clock_us,
		.request = pass_request,
		.left = pass_left };

	world_start_writer(queue_max, 16);
	ck_assert_int_eq(report_open(&report_config, &report), ERR_OK);
	gate_config.scope = judge_config.scope = arn_scope_of(api_config.region,
	    api_config.account_id);
	api_config.writer = world.writer;
	open_registrations(&gate_config);
	gate_config.report = api_config.report = report;
	ck_assert_int_eq(gate_open(&gate_config, &gate), ERR_OK);
	crls_config.writer = world.writer;
	crls_config.report = report;
	relay_config.gate = gate;
	relay_config.report = report;
	ck_assert_int_eq(crls_open(&crls_config, &crls), ERR_OK);
	judge_init(&judge, &judge_config);
	api_config.judge = &judge;
	api_config.crls = crls;
	ck_assert_int_eq(api_open(&api_config, &api), ERR_OK);
	ck_assert_int_eq(relay_open(&relay_config, &relay), ERR_OK);
	world.on_settled = send_answers;
}

void
requests_stop(void)
{
	world_stop_writer();
	send_answers();
	world.on_settled = NULL;
	api_close(api);
	relay_close(relay);
	judge_clear(&judge);
	crls_close(crls);
	gate_close(gate);
	registration_jobs_close(registrations);
	report_close(report);
}

static void
make_certificates(void)
{
	ca = pki_ca("Test CA");
	other = pki_ca("Other CA");
	device = pki_device(ca, "device-1");
	second = pki_device(ca, "device-2");
	stranger = pki_device(other, "stranger");
	wrong_proof = pki_verification(other,
	    "0000000000000000000000000000000000000000000000000000000000000000");
}

static void
make_words(void)
{
	word("ca id", world_hex(ca));
	word_pem("ca pem", ca->pem);
	word("other id", world_hex(other));
	word_pem("other pem", other->pem);
	word("device id", world_hex(device));
	word_pem("device pem", device->pem);
	word("second id", world_hex(second));
	word_pem("second pem", second->pem);
	word_pem("stranger pem", stranger->pem);
	word_pem("proof pem", proof->pem);
	word_pem("wrong proof pem", wrong_proof->pem);
	word("arn", "arn:aws:iot:eu-central-1:123456789012:");
	word("doc", "{\\\"Version\\\":\\\"2012-10-17\\\", \\\"Statement\\\":[]}");
	word("doc 2",
	    " {\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":"
	    "\\\"iot:Connect\\\",\\\"Resource\\\":\\\"*\\\"},\\\"Version\\\":\\\"2012-10-17\\\"}\\n");
	word_pem("template", view_of(TEMPLATE));
	word("role", "arn:aws:iam::123456789012:role/JITPRole");
	word_time("now", world_now());
	word_validity("ca from", "ca to", ca);
	word_validity("device from", "device to", device);
}

void
requests_open(void)
{
	world_open();
	memset(&stats, 0, sizeof(stats));
	word_count = 0;
	authorization = AUTHORIZATION_DEFER;
	world_wait(983); /* not a full second */
	make_certificates();
	world_put_ca(ca, CA_ACTIVE, true);
	requests_start(64);
	ask("{'command':'getRegistrationCode'}");
	proof = pki_verification(other, member(data(0), "registrationCode"));
	make_words();
	world_forget();
}

void
requests_close(void)
{
	cJSON_Delete(answer);
	answer = NULL;
	requests_stop();
	pki_free(proof);
	pki_free(wrong_proof);
	pki_free(stranger);
	pki_free(second);
	pki_free(device);
	pki_free(other);
	pki_free(ca);
	world_close();
}
