/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_report.c - one line per decision, for people and for programs.
 *
 * The broker's log has the plugin's texts, the log file has AWS's format (aws-iot H.1).  No
 * client can write a line of its own, and failing writes are reported, but rarely.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jitr/registrar/log_file.h"
#include "jitr/service/report.h"
#include "jitr/adapter/json.h"
#include "suite.h"
#include "world.h"

#define TIME      1502379443476 /* 2017-08-10 15:37:23.476 */
#define TIME_TEXT "2017-08-10 15:37:23.476"

static struct report *report;
static struct log_file *file;
static struct pki_cert *ca, *device;
static struct certid id, ca_id;
static cJSON *line;

/* As the registrar writes it. */
static enum err
append(void *context, const char *text, size_t len)
{
	size_t written = 0;
	int error = file != NULL ? log_file_append(file, text, len, &written) : 0;

	(void)context;
	if (error != 0)
		report_lost(report, strerror(error));
	return ERR_OK;
}

static enum err (*record)(void *context, const char *text, size_t len) = append;

/* path NULL: there is no log file. */
static void
open_report(const char *path)
{
	struct report_config config = { .sink = { NULL, world_sink.log, record },
		.log_file = path,
		.account_id = "123456789012",
		.now = world_now };
	struct diag diag = { "" };

	if (path != NULL)
		ck_assert_msg(log_file_open(path, &file, &diag) == ERR_OK, "%s", diag.text);
	ck_assert_int_eq(report_open(&config, &report), ERR_OK);
}

static void
close_report(void)
{
	report_close(report);
	report = NULL;
	log_file_close(file);
	file = NULL;
}

static void
set_up(void)
{
	world_open();
	world_set_clock(TIME);
	ca = pki_ca("Test CA");
	device = pki_device(ca, "device-1");
	id = world_id(device);
	ca_id = world_id(ca);
}

static void
tear_down(void)
{
	cJSON_Delete(line);
	line = NULL;
	close_report();
	pki_free(device);
	pki_free(ca);
	world_close();
}

/* The text of the last line of the broker's log. */
static const char *
logged(void)
{
	const struct note *n = world_last(NOTE_LINE);

	ck_assert_ptr_nonnull(n);
	return n->text;
}

static void
ck_logged(enum log_level level, const char *text)
{
	ck_assert_str_eq(logged(), text);
	ck_assert_int_eq(world_last(NOTE_LINE)->level, level);
}

/* The nth line of the log file, from 0; NULL: there is none. */
static const cJSON *
json_line(const char *path, size_t nth)
{
	char *text, *at, *end = NULL;
	struct diag diag = { "" };
	enum err e = ERR_OK;

	cJSON_Delete(line);
	line = NULL;
	at = text = world_read_file(path);
	ck_assert_ptr_nonnull(text);
	while ((end = strchr(at, '\n')) != NULL && nth-- > 0)
		at = end + 1;
	if (end != NULL)
		e = json_parse((struct view){ (uint8_t *)at, (size_t)(end - at) }, 4, &line, &diag);
	ck_assert_msg(e == ERR_OK, "%s: %s", diag.text, at);
	free(text);
	return line;
}

static const char *
member(const cJSON *json, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);

	return cJSON_IsString(value) ? value->valuestring : "(none)";
}

static struct client
client_of(const struct pki_cert *c)
{
	return (
	    struct client){ .id = "d1", .user_name = "u1", .address = "203.0.113.7", .x = c->x };
}

static const struct decision accepted = { .verdict = VERDICT_ALLOW };
static const struct decision revoked = { .reason = REASON_REVOKED };
static const struct decision unknown = { .reason = REASON_UNKNOWN_CA };

/*
 * The broker's log.
 */

START_TEST(a_connection_is_a_line_with_all_its_facts)
{
	struct client c = client_of(device);
	char expected[1000];

	open_report(NULL);
	report_connection(report,
	    &(struct connection_line){ .client = &c,
		.id = &id,
		.ca_id = &ca_id,
		.decision = &accepted,
		.registered = true });
	snprintf(expected, sizeof(expected),
	    "jitr: connection accepted: certificate=%s ca=%s "
	    "client=\"d1\" address=203.0.113.7 subject=\"CN=device-1\"",
	    world_hex(device), world_hex(ca));
	ck_logged(LEVEL_INFO, expected);
	report_connection(report,
	    &(struct connection_line){ .client = &c,
		.id = &id,
		.ca_id = &ca_id,
		.decision = &revoked,
		.registered = true });
	snprintf(expected, sizeof(expected),
	    "jitr: connection refused: reason=\"revoked\" "
	    "code=DEVICE_CERTIFICATE_REVOKED certificate=%s ca=%s client=\"d1\" address=203.0.113.7 subject=\"CN=device-1\"",
	    world_hex(device), world_hex(ca));
	ck_logged(LEVEL_NOTICE, expected);
}
END_TEST

START_TEST(unknown_values_are_a_hyphen_or_empty)
{
	struct client c = { .id = NULL };

	open_report(NULL);
	report_connection(report, &(struct connection_line){ .client = &c, .decision = &unknown });
	ck_logged(LEVEL_NOTICE,
	    "jitr: connection refused: reason=\"issued by a CA that is not "
	    "registered\" code=CA_CERTIFICATE_NOT_REGISTERED certificate=- ca=- client=\"\" address=- subject=\"\"");
}
END_TEST

START_TEST(text_of_a_client_cannot_start_a_new_line)
{
	struct pki_cert *evil = pki_device(ca, "x\" address=1.2.3.4\njitr: connection accepted");
	struct client c = { .id = "a\nb\"\033[2J", .address = "1.2.3.4\n", .x = evil->x };

	open_report(world.log_path);
	report_connection(report, &(struct connection_line){ .client = &c, .decision = &unknown });
	ck_assert_ptr_nonnull(
	    strstr(logged(), "client=\"a\\x0ab\\x22\\x1b[2J\" address=1.2.3.4\\x0a "));
	for (const char *p = logged(); *p != '\0'; p++)
		ck_assert_int_ge(*p, ' ');
	ck_assert_str_eq(member(json_line(world.log_path, 0), "clientId"), "a\nb\"\033[2J");
	ck_assert_ptr_null(json_line(world.log_path, 1));
	pki_free(evil);
}
END_TEST

/* The broker cuts a line at 1000 bytes (mosquitto section 0, 19). */
START_TEST(long_texts_are_truncated_and_the_line_keeps_its_end)
{
	char long_id[5000], long_name[65];
	struct pki_cert *c;
	struct client client = { .id = long_id, .address = "203.0.113.7" };

	memset(long_id, '\n', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	memset(long_name, 'x', 64);
	long_name[64] = '\0';
	c = pki_device(ca, long_name);
	client.x = c->x;
	open_report(world.log_path);
	report_connection(report,
	    &(struct connection_line){ .client = &client,
		.id = &id,
		.ca_id = &ca_id,
		.decision = &revoked,
		.registered = true });
	ck_assert_uint_lt(strlen(logged()), 1000);
	ck_assert_ptr_nonnull(strstr(logged(), long_name));
	ck_assert_uint_le(strlen(member(json_line(world.log_path, 0), "clientId")), 128);
	pki_free(c);
}
END_TEST

/* The worst of everything at once. */
START_TEST(details_leave_room_for_the_identity)
{
	char bad_id[5000], details[5000];
	struct client client = { .id = bad_id,
		.address = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	struct decision d = { .reason = REASON_NOT_ALLOWED };

	memset(bad_id, '\n', sizeof(bad_id) - 1);
	bad_id[sizeof(bad_id) - 1] = '\0';
	memset(details, '\n', sizeof(details) - 1);
	details[sizeof(details) - 1] = '\0';
	open_report(world.log_path);
	report_connection(report,
	    &(struct connection_line){ .client = &client,
		.id = &id,
		.ca_id = &ca_id,
		.decision = &d,
		.details = details });
	ck_assert_uint_lt(strlen(logged()), 1000);
	ck_assert_ptr_nonnull(strstr(logged(), "with this client id: \\x0a\\x0a"));
	ck_assert_ptr_nonnull(strstr(logged(), "...\" code=AUTHORIZATION_FAILURE certificate="));
	ck_assert_ptr_nonnull(strstr(logged(), " address=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	ck_assert_uint_gt(strlen(member(json_line(world.log_path, 0), "details")), 300);
}
END_TEST

START_TEST(a_line_for_the_log_only_has_the_prefix_of_the_plugin)
{
	open_report(world.log_path);
	report_line(report, LEVEL_WARNING, "%d of %s", 3, "four");
	ck_logged(LEVEL_WARNING, "jitr: 3 of four");
	ck_assert_ptr_null(json_line(world.log_path, 0));
}
END_TEST

/*
 * The log file.
 */

static bool
is_uuid(const char *text)
{
	return strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36 && text[14] == '4';
}

START_TEST(an_accepted_connection_is_logged_as_connect_of_aws)
{
	struct client c = client_of(device);
	const cJSON *json;

	c.port = 13490;
	open_report(world.log_path);
	report_connection(report,
	    &(struct connection_line){ .client = &c,
		.id = &id,
		.ca_id = &ca_id,
		.decision = &accepted,
		.registered = true });
	json = json_line(world.log_path, 0);
	ck_assert_str_eq(member(json, "timestamp"), TIME_TEXT);
	ck_assert_str_eq(member(json, "logLevel"), "INFO");
	ck_assert(is_uuid(member(json, "traceId")));
	ck_assert_str_eq(member(json, "accountId"), "123456789012");
	ck_assert_str_eq(member(json, "status"), "Success");
	ck_assert_str_eq(member(json, "eventType"), "Connect");
	ck_assert_str_eq(member(json, "protocol"), "MQTT");
	ck_assert_str_eq(member(json, "clientId"), "d1");
	ck_assert_str_eq(member(json, "principalId"), world_hex(device));
	ck_assert_str_eq(member(json, "caCertificateId"), world_hex(ca));
	ck_assert_str_eq(member(json, "subject"), "CN=device-1");
	ck_assert_str_eq(member(json, "sourceIp"), "203.0.113.7");
	ck_assert_int_eq(cJSON_GetObjectItem(json, "sourcePort")->valueint, 13490);
	ck_assert_str_eq(member(json, "reason"), "(none)");
}
END_TEST

/* Refusals with an event of AWS, and those of the registration, which has none. */
static const struct {
	enum reason reason;
	const char *event, *code;
} refusals[] = {
	{ REASON_UNKNOWN_CA, "RegisterCertificateJIT", "CA_CERTIFICATE_NOT_REGISTERED" },
	{ REASON_CA_INACTIVE, "RegisterCertificateJIT", "CA_CERTIFICATE_INACTIVE" },
	{ REASON_AUTO_REGISTRATION_OFF, "RegisterCertificateJIT", "CA_AUTO_REGISTRATION_DISABLED" },
	{ REASON_WEAK_SIGNATURE, "RegisterCertificateJIT",
	    "CERTIFICATE_SIGNATURE_ALGORITHM_UNSUPPORTED" },
	{ REASON_EXPIRED, "RegisterCertificateJIT", "CERTIFICATE_EXPIRED" },
	{ REASON_REGISTERED_NOW, "Connection.AuthNError", "DEVICE_CERTIFICATE_NOT_REGISTERED" },
	{ REASON_PENDING_ACTIVATION, "Connection.AuthNError",
	    "DEVICE_CERTIFICATE_PENDING_ACTIVATION" },
	{ REASON_INACTIVE, "Connection.AuthNError", "DEVICE_CERTIFICATE_INACTIVE" },
	{ REASON_REVOKED, "Connection.AuthNError", "DEVICE_CERTIFICATE_REVOKED" },
	{ REASON_CLIENT_ID_BUSY, "Connection.AuthNError", "CLIENT_ID_BUSY" },
	{ REASON_NAME_RESERVED, "Connection.AuthNError", "NOT_AUTHENTICATED" },
	{ REASON_REGISTRY_FAILED, "Connection.AuthNError", "INTERNAL_SERVER_ERROR" },
};

START_TEST(a_refusal_is_logged_as_an_error_with_its_reason)
{
	struct decision d = { .reason = refusals[_i].reason };
	struct client c = client_of(device);
	const cJSON *json;

	open_report(world.log_path);
	report_connection(report,
	    &(struct connection_line){ .client = &c, .id = &id, .decision = &d });
	json = json_line(world.log_path, 0);
	ck_assert_str_eq(member(json, "logLevel"), "ERROR");
	ck_assert_str_eq(member(json, "status"), "Failure");
	ck_assert_str_eq(member(json, "eventType"), refusals[_i].event);
	ck_assert_str_eq(member(json, "reason"), refusals[_i].code);
	ck_assert_str_eq(member(json, "details"), reason_text(d.reason));
	ck_assert_str_eq(member(json, "caCertificateId"), "(none)");
	ck_assert_ptr_null(cJSON_GetObjectItem(json, "sourcePort"));
}
END_TEST

/* Its event is Connect: nothing was to be registered. */
START_TEST(a_refusal_of_a_registered_certificate_is_not_a_failed_registration)
{
	struct decision d = { .reason = REASON_EXPIRED };
	struct client c = client_of(device);

	open_report(world.log_path);
	report_connection(report,
	    &(struct connection_line){ .client = &c,
		.id = &id,
		.ca_id = &ca_id,
		.decision = &d,
		.registered = true });
	ck_assert_str_eq(member(json_line(world.log_path, 0), "eventType"),
	    "Connection.AuthNError");
}
END_TEST

/* The text of a reason does not name the list and the entry. */
START_TEST(details_follow_the_text_of_a_reason)
{
	struct client c = client_of(device);
	const cJSON *json;

	open_report(world.log_path);
	report_connection(report,
	    &(struct connection_line){ .client = &c,
		.id = &id,
		.ca_id = &ca_id,
		.decision = &revoked,
		.details = "on the list of \"2026\"",
		.registered = true });
	ck_assert(
	    world_said("connection refused: reason=\"revoked: on the list of \\x222026\\x22\" "
		       "code=DEVICE_CERTIFICATE_REVOKED certificate="));
	json = json_line(world.log_path, 0);
	ck_assert_str_eq(member(json, "reason"), "DEVICE_CERTIFICATE_REVOKED");
	ck_assert_str_eq(member(json, "details"), "revoked: on the list of \"2026\"");
	report_connection(report,
	    &(struct connection_line){ .client = &c,
		.id = &id,
		.ca_id = &ca_id,
		.decision = &accepted,
		.details = "whatever",
		.registered = true });
	ck_assert_str_eq(member(json_line(world.log_path, 1), "details"), "(none)");
	ck_assert_ptr_null(strstr(logged(), "whatever"));
}
END_TEST

START_TEST(a_closed_connection_is_logged)
{
	char expected[300];
	const cJSON *json;

	open_report(world.log_path);
	report_closed(report, &id, REASON_REVOKED);
	snprintf(expected, sizeof(expected),
	    "jitr: connection closed: reason=\"revoked\" "
	    "code=DEVICE_CERTIFICATE_REVOKED certificate=%s",
	    world_hex(device));
	ck_logged(LEVEL_NOTICE, expected);
	json = json_line(world.log_path, 0);
	ck_assert_str_eq(member(json, "eventType"), "Disconnect");
	ck_assert_str_eq(member(json, "principalId"), world_hex(device));
	ck_assert_str_eq(member(json, "disconnectReason"), "FORBIDDEN_ACCESS");
	ck_assert_str_eq(member(json, "reason"), "DEVICE_CERTIFICATE_REVOKED");
}
END_TEST

START_TEST(a_registration_is_logged_with_its_result)
{
	char expected[400];
	const cJSON *json;

	open_report(world.log_path);
	report_registration(report, &id, &ca_id, ERR_OK, "");
	snprintf(expected, sizeof(expected), "jitr: certificate registered: certificate=%s ca=%s",
	    world_hex(device), world_hex(ca));
	ck_logged(LEVEL_NOTICE, expected);
	report_registration(report, &id, &ca_id, ERR_STORAGE, "No space left\n");
	snprintf(expected, sizeof(expected),
	    "jitr: certificate not registered: "
	    "reason=\"storage failed: No space left\\x0a\" certificate=%s ca=%s",
	    world_hex(device), world_hex(ca));
	ck_logged(LEVEL_ERROR, expected);
	json = json_line(world.log_path, 0);
	ck_assert_str_eq(member(json, "eventType"), "RegisterCertificateJIT");
	ck_assert_str_eq(member(json, "status"), "Success");
	ck_assert_str_eq(member(json, "certificateId"), world_hex(device));
	ck_assert_str_eq(member(json, "caCertificateId"), world_hex(ca));
	json = json_line(world.log_path, 1);
	ck_assert_str_eq(member(json, "status"), "Failure");
	ck_assert_str_eq(member(json, "reason"), "ServiceUnavailableException");
	ck_assert_str_eq(member(json, "details"), "No space left\n");
}
END_TEST

START_TEST(lines_are_appended_to_an_existing_file)
{
	world_write_file(world.log_path, "{\"old\":\"line\"}\n");
	open_report(world.log_path);
	report_closed(report, &id, REASON_REVOKED);
	ck_assert_str_eq(member(json_line(world.log_path, 0), "old"), "line");
	ck_assert_str_eq(member(json_line(world.log_path, 1), "eventType"), "Disconnect");
}
END_TEST

/* As logrotate does: the file is moved away, SIGHUP follows. */
START_TEST(a_moved_file_is_opened_again)
{
	char moved[200];

	snprintf(moved, sizeof(moved), "%s.1", world.log_path);
	open_report(world.log_path);
	report_closed(report, &id, REASON_REVOKED);
	ck_assert_int_eq(rename(world.log_path, moved), 0);
	report_closed(report, &id, REASON_INACTIVE);
	ck_assert_int_eq(log_file_reopen(file), 0);
	report_closed(report, &id, REASON_EXPIRED);
	ck_assert_str_eq(member(json_line(moved, 1), "reason"), "DEVICE_CERTIFICATE_INACTIVE");
	ck_assert_ptr_null(json_line(moved, 2));
	ck_assert_str_eq(member(json_line(world.log_path, 0), "reason"), "CERTIFICATE_EXPIRED");
}
END_TEST

START_TEST(if_it_cannot_be_opened_again_lines_go_to_the_old_file)
{
	char dir[160], path[200], moved[160];

	snprintf(dir, sizeof(dir), "%s/log", world.dir);
	snprintf(path, sizeof(path), "%s/log/jitr.log", world.dir);
	snprintf(moved, sizeof(moved), "%s/moved", world.dir);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	open_report(path);
	ck_assert_int_eq(rename(path, moved), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(log_file_reopen(file), ENOENT);
	report_closed(report, &id, REASON_REVOKED);
	ck_assert_str_eq(member(json_line(moved, 0), "eventType"), "Disconnect");
	ck_assert(!world_said("lost"));
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_stops_the_start)
{
	struct diag diag = { "" };

	ck_assert_int_eq(log_file_open("/nowhere/at/all.log", &file, &diag), ERR_STORAGE);
	ck_assert_ptr_null(file);
	ck_assert_str_eq(diag.text, "log_file /nowhere/at/all.log: No such file or directory");
}
END_TEST

static void
ck_lines(size_t lines)
{
	ck_assert_uint_eq(world_count(NOTE_LINE), lines);
}

static enum err refusal;

static enum err
refuse(void *context, const char *text, size_t len)
{
	(void)context;
	(void)text;
	(void)len;
	return refusal;
}

START_TEST(a_line_that_the_sink_refuses_is_counted_as_lost)
{
	static const struct {
		enum err e;
		const char *why;
	} cases[] = {
		{ ERR_NOMEM, "out of memory" },
		{ ERR_BUSY, "too many changes are waiting" },
		{ ERR_STORAGE, "the registrar is not running" },
	};
	char expected[100];

	refusal = cases[_i].e;
	record = refuse;
	open_report(world.log_path);
	record = append;
	report_closed(report, &id, REASON_REVOKED);
	report_closed(report, &id, REASON_REVOKED);
	ck_lines(2 + 1);
	snprintf(expected, sizeof(expected), "jitr.log: %s; 1 lines lost", cases[_i].why);
	ck_assert(world_said(expected));
}
END_TEST

START_TEST(a_write_goes_on_where_it_failed)
{
	struct diag diag;
	size_t written = 4;
	char *text;

	ck_assert_int_eq(log_file_open(world.log_path, &file, &diag), ERR_OK);
	ck_assert_int_eq(log_file_append(file, "one\ntwo\n", 8, &written), 0);
	ck_assert_uint_eq(written, 8);
	text = world_read_file(world.log_path);
	ck_assert_str_eq(text, "two\n");
	free(text);
}
END_TEST

/* A full disk fails every line. */
START_TEST(failed_writes_are_reported_once_in_ten_seconds)
{
	open_report("/dev/full");
	for (int i = 0; i < 5; i++)
		report_closed(report, &id, REASON_REVOKED); /* one line of the log each */
	ck_lines(5 + 1);
	ck_assert(world_said("jitr: log_file /dev/full: No space left on device; 1 lines lost"));
	world_wait(9999);
	report_closed(report, &id, REASON_REVOKED);
	ck_lines(6 + 1);
	world_wait(1);
	report_closed(report, &id, REASON_REVOKED);
	ck_lines(7 + 2);
	ck_assert(world_said("jitr: log_file /dev/full: No space left on device; 6 lines lost"));
}
END_TEST

START_TEST(without_a_file_no_line_is_written)
{
	open_report(NULL);
	report_closed(report, &id, REASON_REVOKED);
	ck_lines(1);
	report_close(NULL);
}
END_TEST

/*
 * Activation and provisioning.
 */

static struct activation_line
activation_of(enum plan_origin origin, enum cert_status status, const char *details)
{
	return (struct activation_line){ .id = id,
		.ca_id = ca_id,
		.origin = origin,
		.status = status,
		.details = details };
}

static void
ck_logged_of_certificate(enum log_level level, const char *before)
{
	char expected[400];

	snprintf(expected, sizeof(expected), "jitr: certificate %s certificate=%s ca=%s", before,
	    world_hex(device), world_hex(ca));
	ck_logged(level, expected);
}

static const struct {
	enum plan_origin origin;
	enum cert_status status;
	const char *words, *event, *name;
} activations[] = {
	{ PLAN_RULE, CERT_ACTIVE, "activated: by=rule", "ActivateCertificate", "ACTIVE" },
	{ PLAN_RULE, CERT_REVOKED, "revoked: by=rule", "ActivateCertificate", "REVOKED" },
	{ PLAN_RULE, CERT_PENDING_ACTIVATION, "left pending: by=rule", "ActivateCertificate",
	    "PENDING_ACTIVATION" },
	{ PLAN_TEMPLATE, CERT_ACTIVE, "activated: by=template", "ProvisionDevice", "ACTIVE" },
	{ PLAN_TEMPLATE, CERT_INACTIVE, "made inactive: by=template", "ProvisionDevice",
	    "INACTIVE" },
};

START_TEST(the_decision_of_a_rule_or_template_is_logged)
{
	struct activation_line a = activation_of(activations[_i].origin, activations[_i].status,
	    NULL);
	const char *id_member = a.origin == PLAN_RULE ? "certificateId" : "deviceCertificateId";
	const cJSON *json;

	open_report(world.log_path);
	report_activation(report, &a);
	ck_logged_of_certificate(LEVEL_NOTICE, activations[_i].words);
	json = json_line(world.log_path, 0);
	ck_assert_str_eq(member(json, "eventType"), activations[_i].event);
	ck_assert_str_eq(member(json, "status"), "Success");
	ck_assert_str_eq(member(json, "logLevel"), "INFO");
	ck_assert_str_eq(member(json, id_member), world_hex(device));
	ck_assert_str_eq(member(json, "caCertificateId"), world_hex(ca));
	ck_assert_str_eq(member(json, "certificateStatus"), activations[_i].name);
	ck_assert_str_eq(member(json, "details"), "(none)");
	ck_assert_str_eq(member(json, "reason"), "(none)");
}
END_TEST

START_TEST(the_reason_for_leaving_a_certificate_pending_is_logged)
{
	struct activation_line a = activation_of(PLAN_RULE, CERT_PENDING_ACTIVATION,
	    "its CommonName is not like \"gw-*\"");

	open_report(world.log_path);
	report_activation(report, &a);
	ck_logged_of_certificate(LEVEL_NOTICE,
	    "left pending: by=rule "
	    "reason=\"its CommonName is not like \\x22gw-*\\x22\"");
	ck_assert_str_eq(member(json_line(world.log_path, 0), "details"), a.details);
}
END_TEST

/* AWS's event (aws-iot H.1). */
START_TEST(a_failed_provisioning_is_logged_as_provision_device_of_aws)
{
	struct activation_line a = activation_of(PLAN_TEMPLATE, CERT_PENDING_ACTIVATION,
	    "no policy of this name\n");
	const cJSON *json;

	a.failed = true;
	a.template_name = "fleet";
	open_report(world.log_path);
	report_activation(report, &a);
	ck_logged_of_certificate(LEVEL_WARNING,
	    "not activated: by=template template=\"fleet\" "
	    "reason=\"no policy of this name\\x0a\"");
	json = json_line(world.log_path, 0);
	ck_assert_str_eq(member(json, "eventType"), "ProvisionDevice");
	ck_assert_str_eq(member(json, "status"), "Failure");
	ck_assert_str_eq(member(json, "logLevel"), "ERROR");
	ck_assert_str_eq(member(json, "deviceCertificateId"), world_hex(device));
	ck_assert_str_eq(member(json, "provisioningTemplateName"), "fleet");
	ck_assert_str_eq(member(json, "certificateStatus"), "PENDING_ACTIVATION");
	ck_assert_str_eq(member(json, "reason"), "PROVISIONING_FAILED");
	ck_assert_str_eq(member(json, "details"), a.details);
}
END_TEST

START_TEST(a_failed_rule_is_logged)
{
	struct activation_line a = activation_of(PLAN_RULE, CERT_PENDING_ACTIVATION,
	    "no thing name");

	a.failed = true;
	open_report(world.log_path);
	report_activation(report, &a);
	ck_logged_of_certificate(LEVEL_WARNING, "not activated: by=rule reason=\"no thing name\"");
	ck_assert_str_eq(member(json_line(world.log_path, 0), "reason"), "ACTIVATION_FAILED");
	ck_assert_str_eq(member(json_line(world.log_path, 0), "eventType"), "ActivateCertificate");
}
END_TEST

/*
 * Revocation lists.
 */

START_TEST(a_list_put_in_force_is_logged_with_its_facts)
{
	struct crl crl = { .this_update = TIME - 1000,
		.next_update = TIME,
		.count = 12,
		.number_len = 2,
		.number = { 0x01, 0xf0 } };
	char expected[300];
	const cJSON *json;

	open_report(world.log_path);
	report_crl(report, &ca_id, &crl, ERR_OK, NULL);
	snprintf(expected, sizeof(expected),
	    "jitr: revocation list imported: ca=%s number=0x01f0 "
	    "entries=12 next_update=\"" TIME_TEXT "\"",
	    world_hex(ca));
	ck_logged(LEVEL_NOTICE, expected);
	json = json_line(world.log_path, 0);
	ck_assert_str_eq(member(json, "eventType"), "ImportCrl");
	ck_assert_str_eq(member(json, "status"), "Success");
	ck_assert_str_eq(member(json, "caCertificateId"), world_hex(ca));
	ck_assert_str_eq(member(json, "crlNumber"), "0x01f0");
	ck_assert(cJSON_GetObjectItem(json, "thisUpdate")->valuedouble == TIME - 1000);
	ck_assert(cJSON_GetObjectItem(json, "nextUpdate")->valuedouble == TIME);
	ck_assert_int_eq(cJSON_GetObjectItem(json, "entries")->valueint, 12);
}
END_TEST

START_TEST(a_list_without_a_number_is_logged_without_one)
{
	struct crl crl = { .count = 1 };

	open_report(world.log_path);
	report_crl(report, &ca_id, &crl, ERR_OK, NULL);
	ck_assert(world_said(" number=- entries=1 "));
	ck_assert_str_eq(member(json_line(world.log_path, 0), "crlNumber"), "(none)");
}
END_TEST

START_TEST(a_refused_list_is_logged_with_the_reason)
{
	char expected[300];
	const cJSON *json;

	open_report(world.log_path);
	report_crl(report, &ca_id, NULL, ERR_CERTIFICATE, "not signed by the CA's key");
	snprintf(expected, sizeof(expected),
	    "jitr: revocation list not imported: "
	    "reason=\"invalid certificate: not signed by the CA's key\" ca=%s",
	    world_hex(ca));
	ck_logged(LEVEL_ERROR, expected);
	json = json_line(world.log_path, 0);
	ck_assert_str_eq(member(json, "eventType"), "ImportCrl");
	ck_assert_str_eq(member(json, "status"), "Failure");
	ck_assert_str_eq(member(json, "reason"), "CertificateValidationException");
	ck_assert_str_eq(member(json, "details"), "not signed by the CA's key");
	ck_assert_ptr_null(cJSON_GetObjectItem(json, "entries"));
}
END_TEST

/*
 * Shared certificates.
 */

START_TEST(a_shared_certificate_is_logged_with_both_clients)
{
	struct client c = client_of(device);
	char expected[400];
	const cJSON *json;

	open_report(world.log_path);
	report_shared(report, &c, &id, "d2", "198.51.100.9", "the older one is closed");
	snprintf(expected, sizeof(expected),
	    "jitr: certificate shared: "
	    "action=\"the older one is closed\" certificate=%s client=\"d1\" address=203.0.113.7 "
	    "other_client=\"d2\" other_address=198.51.100.9",
	    world_hex(device));
	ck_logged(LEVEL_WARNING, expected);
	json = json_line(world.log_path, 0);
	ck_assert_str_eq(member(json, "eventType"), "SharedCertificate");
	ck_assert_str_eq(member(json, "logLevel"), "WARN");
	ck_assert_str_eq(member(json, "status"), "Failure");
	ck_assert_str_eq(member(json, "clientId"), "d1");
	ck_assert_str_eq(member(json, "principalId"), world_hex(device));
	ck_assert_str_eq(member(json, "sourceIp"), "203.0.113.7");
	ck_assert_str_eq(member(json, "otherClientId"), "d2");
	ck_assert_str_eq(member(json, "otherSourceIp"), "198.51.100.9");
	ck_assert_str_eq(member(json, "reason"), "DEVICE_CERTIFICATE_SHARED");
	ck_assert_str_eq(member(json, "details"), "the older one is closed");
}
END_TEST

START_TEST(two_bad_client_ids_leave_room_for_each_other)
{
	char bad[300];
	struct client c = { .id = bad };

	memset(bad, '\n', sizeof(bad) - 1);
	bad[sizeof(bad) - 1] = '\0';
	open_report(world.log_path);
	report_shared(report, &c, &id, bad, NULL, "both may stay");
	ck_assert_ptr_nonnull(strstr(logged(), "\\x0a...\" address=- other_client=\"\\x0a"));
	ck_assert_ptr_nonnull(strstr(logged(), "\\x0a...\" other_address=-"));
	ck_assert_str_eq(member(json_line(world.log_path, 0), "otherSourceIp"), "(none)");
}
END_TEST

static void
file_tests(TCase *t)
{
	tcase_add_test(t, an_accepted_connection_is_logged_as_connect_of_aws);
	tcase_add_loop_test(t, a_refusal_is_logged_as_an_error_with_its_reason, 0,
	    COUNT_OF(refusals));
	tcase_add_test(t, a_refusal_of_a_registered_certificate_is_not_a_failed_registration);
	tcase_add_test(t, a_closed_connection_is_logged);
	tcase_add_test(t, a_registration_is_logged_with_its_result);
	tcase_add_test(t, details_follow_the_text_of_a_reason);
	tcase_add_test(t, lines_are_appended_to_an_existing_file);
	tcase_add_test(t, a_moved_file_is_opened_again);
	tcase_add_test(t, if_it_cannot_be_opened_again_lines_go_to_the_old_file);
	tcase_add_test(t, a_file_that_cannot_be_opened_stops_the_start);
	tcase_add_test(t, failed_writes_are_reported_once_in_ten_seconds);
	tcase_add_loop_test(t, a_line_that_the_sink_refuses_is_counted_as_lost, 0, 3);
	tcase_add_test(t, a_write_goes_on_where_it_failed);
	tcase_add_test(t, without_a_file_no_line_is_written);
}

static void
activation_tests(TCase *t)
{
	tcase_add_loop_test(t, the_decision_of_a_rule_or_template_is_logged, 0,
	    COUNT_OF(activations));
	tcase_add_test(t, the_reason_for_leaving_a_certificate_pending_is_logged);
	tcase_add_test(t, a_failed_provisioning_is_logged_as_provision_device_of_aws);
	tcase_add_test(t, a_failed_rule_is_logged);
	tcase_add_test(t, a_list_put_in_force_is_logged_with_its_facts);
	tcase_add_test(t, a_list_without_a_number_is_logged_without_one);
	tcase_add_test(t, a_refused_list_is_logged_with_the_reason);
	tcase_add_test(t, a_shared_certificate_is_logged_with_both_clients);
	tcase_add_test(t, two_bad_client_ids_leave_room_for_each_other);
}

int
main(void)
{
	Suite *suite = suite_create("report");
	TCase *t = suite_case(suite, "the broker's log");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_connection_is_a_line_with_all_its_facts);
	tcase_add_test(t, unknown_values_are_a_hyphen_or_empty);
	tcase_add_test(t, text_of_a_client_cannot_start_a_new_line);
	tcase_add_test(t, long_texts_are_truncated_and_the_line_keeps_its_end);
	tcase_add_test(t, details_leave_room_for_the_identity);
	tcase_add_test(t, a_line_for_the_log_only_has_the_prefix_of_the_plugin);
	t = suite_case(suite, "the log file");
	tcase_add_checked_fixture(t, set_up, tear_down);
	file_tests(t);
	t = suite_case(suite, "activation, revocation lists, shared certificates");
	tcase_add_checked_fixture(t, set_up, tear_down);
	activation_tests(t);
	return suite_run(suite);
}
