/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_event.c - events, byte for byte (aws-iot D.3, D.9).
 *
 * The examples of registration are AWS's own.  An event is valid JSON for any text of a
 * certificate or client.
 */
#include <stdio.h>
#include <string.h>

#include "jitr/core/event.h"
#include "jitr/adapter/json.h"
#include "suite.h"

#define DEVICE  "2511e09354e2637da199073792924a89fc52de90e9165afa49f075cf8791a45a"
#define CA      "3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173"
#define ACCOUNT "123456789012"

/* Longer than any limit, of bytes that take six characters each in JSON. */
static char big[200000];

static char buffer[EVENT_PAYLOAD_SIZE + EVENT_DETAILS_MAX];
static struct text text;
static cJSON *json;

static void
set_up(void)
{
	text = text_in(buffer, sizeof(buffer));
	memset(big, '\x01', sizeof(big));
}

static void
tear_down(void)
{
	cJSON_Delete(json);
	json = NULL;
}

static struct certid
id_of(const char *hex)
{
	struct certid id;

	must(certid_from_hex(&id, view_of(hex)));
	return id;
}

static struct registered_event
event_of(int64_t timestamp, int64_t registered)
{
	return (struct registered_event){ .cert_id = id_of(DEVICE),
		.ca_id = id_of(CA),
		.status = CERT_PENDING_ACTIVATION,
		.timestamp = timestamp,
		.registered = registered };
}

/* The text has exactly these members. */
static void
check_bytes(struct view payload, const char *expected)
{
	ck_assert_str_eq(buffer, expected);
	ck_assert_ptr_eq(payload.data, buffer);
	ck_assert_uint_eq(payload.len, strlen(expected));
	ck_assert(!text.cut);
}

static const cJSON *
parse(struct view payload)
{
	struct diag diag = { "" };

	cJSON_Delete(json);
	json = NULL;
	ck_assert_msg(json_parse(payload, 4, &json, &diag) == ERR_OK, "%s: %s", diag.text, buffer);
	return json;
}

/*
 * Registration.
 */

static void
check_payload(const struct registered_event *e, const char *expected)
{
	check_bytes(event_payload(e, ACCOUNT, (struct view){ NULL, 0 }, &text), expected);
}

START_TEST(the_first_event_has_no_registration_time)
{
	struct registered_event e = event_of(1623723165331, 0);

	check_payload(&e,
	    "{\"certificateId\":\"" DEVICE "\",\"caCertificateId\":\"" CA "\","
	    "\"timestamp\":1623723165331,\"certificateStatus\":\"PENDING_ACTIVATION\","
	    "\"awsAccountId\":\"123456789012\",\"certificateRegistrationTimestamp\":null}");
}
END_TEST

/* AWS gives one time as a number and one as a string. */
START_TEST(a_later_event_has_the_registration_time_as_a_string)
{
	struct registered_event e = event_of(1623724243659, 1623723165331);

	check_payload(&e,
	    "{\"certificateId\":\"" DEVICE "\",\"caCertificateId\":\"" CA "\","
	    "\"timestamp\":1623724243659,\"certificateStatus\":\"PENDING_ACTIVATION\","
	    "\"awsAccountId\":\"123456789012\","
	    "\"certificateRegistrationTimestamp\":\"1623723165331\"}");
}
END_TEST

START_TEST(each_ca_has_a_topic_of_its_own)
{
	struct certid ca = id_of(CA);
	char topic[EVENT_TOPIC_SIZE];
	struct view v = event_topic(&ca, topic);

	ck_assert_str_eq(topic, "$aws/events/certificates/registered/" CA);
	ck_assert_ptr_eq(v.data, topic);
	ck_assert_uint_eq(v.len, strlen(topic));
}
END_TEST

START_TEST(the_longest_event_fits)
{
	struct registered_event e = event_of(INT64_MIN, INT64_MIN);
	struct view payload;

	text = text_in(buffer, EVENT_PAYLOAD_SIZE);
	payload = event_payload(&e, ACCOUNT, (struct view){ NULL, 0 }, &text);
	ck_assert_int_eq(payload.data[payload.len - 1], '}');
	ck_assert(!text.cut);
}
END_TEST

START_TEST(a_buffer_that_is_too_small_is_an_error)
{
	struct registered_event e = event_of(0, 0);

	text = text_in(buffer, 200);
	event_payload(&e, ACCOUNT, view_of(",\"a\":1"), &text);
	ck_assert(text.cut);
}
END_TEST

/*
 * Details.
 */

static const struct view names[] = {
	{ (const uint8_t *)"DNS:a.example", 13 },
	{ (const uint8_t *)"URI:urn:\"a\"", 11 },
};

static struct event_details
all_details(void)
{
	return (struct event_details){ .subject = view_of("CN=device-1,O=\"A\\, B\""),
		.alternative_names = names,
		.alternative_name_count = COUNT_OF(names),
		.serial_number = view_of("4711"),
		.not_before = 1623723165000,
		.not_after = -1,
		.client_id = view_of("d1"),
		.source_ip = view_of("203.0.113.7"),
		.reason = view_of("its rule"),
		.pem = view_of("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n") };
}

START_TEST(details_follow_the_six_members_of_aws)
{
	struct event_details d = all_details();
	struct registered_event e = event_of(1, 0);
	char room[1000];
	struct text details = text_in(room, sizeof(room));

	ck_assert(event_details(&d, &details));
	check_bytes(event_payload(&e, ACCOUNT, view_of(room), &text),
	    "{\"certificateId\":\"" DEVICE "\",\"caCertificateId\":\"" CA "\",\"timestamp\":1,"
	    "\"certificateStatus\":\"PENDING_ACTIVATION\",\"awsAccountId\":\"123456789012\","
	    "\"certificateRegistrationTimestamp\":null,"
	    "\"validity\":{\"notBefore\":1623723165000,\"notAfter\":-1},\"serialNumber\":\"4711\","
	    "\"clientId\":\"d1\",\"sourceIp\":\"203.0.113.7\",\"reason\":\"its rule\","
	    "\"subject\":\"CN=device-1,O=\\\"A\\\\, B\\\"\","
	    "\"alternativeNames\":[\"DNS:a.example\",\"URI:urn:\\\"a\\\"\"],"
	    "\"certificatePem\":\"-----BEGIN CERTIFICATE-----\\u000aAA==\\u000a"
	    "-----END CERTIFICATE-----\\u000a\"}");
	parse(view_of(buffer));
}
END_TEST

START_TEST(unknown_details_are_left_out)
{
	struct event_details d = { .subject = view_of("") };

	ck_assert(event_details(&d, &text));
	ck_assert_str_eq(buffer, ",\"validity\":{\"notBefore\":0,\"notAfter\":0},\"subject\":\"\"");
}
END_TEST

START_TEST(no_names_are_an_empty_list)
{
	struct event_details d = { .alternative_names = names };

	ck_assert(event_details(&d, &text));
	ck_assert_str_eq(buffer,
	    ",\"validity\":{\"notBefore\":0,\"notAfter\":0},"
	    "\"alternativeNames\":[]");
}
END_TEST

/* In a buffer of any size the event is JSON, and each member is complete or absent. */
START_TEST(a_detail_that_does_not_fit_is_left_out_completely)
{
	struct event_details d = all_details();
	struct registered_event e = event_of(1, 0);
	char room[1000];
	size_t all, least = SIZE_MAX;
	struct text details = text_in(room, sizeof(room));

	must(event_details(&d, &details));
	all = details.len;
	for (size_t size = 1; size <= all + 1; size++) {
		details = text_in(room, size);
		must(event_details(&d, &details) == (size == all + 1));
		must(!details.cut && details.len == strlen(room));
		text = text_in(buffer, sizeof(buffer));
		parse(event_payload(&e, ACCOUNT, view_of(room), &text));
		if (least == SIZE_MAX && cJSON_GetObjectItem(json, "alternativeNames") != NULL)
			least = size;
		must(cJSON_HasObjectItem(json, "certificatePem") == (size == all + 1));
	}
	ck_assert_uint_lt(least, all);
}
END_TEST

START_TEST(details_that_do_not_fit_leave_the_event_unchanged)
{
	struct registered_event e = event_of(1, 0);
	size_t plain = event_payload(&e, ACCOUNT, (struct view){ NULL, 0 }, &text).len;
	struct view details = view_of(",\"a\":\"b\"");

	for (size_t size = plain + 1; size <= plain + 1 + details.len; size++) {
		struct view payload;

		text = text_in(buffer, size);
		payload = event_payload(&e, ACCOUNT, details, &text);
		must(!text.cut);
		must(cJSON_HasObjectItem(parse(payload), "a") == (size == plain + 1 + details.len));
	}
}
END_TEST

/* A certificate of 64 kB in lines of 64 characters (x509.h), and other details beyond their
 * limits. */
START_TEST(the_largest_certificate_fits)
{
	struct event_details d = all_details();
	char *room = malloc(EVENT_DETAILS_MAX), *pem = malloc(65536);
	struct text details = text_in(room, EVENT_DETAILS_MAX);

	for (size_t i = 0; i < 65536; i++)
		pem[i] = i % 65 == 64 ? '\n' : 'A';
	d.pem = (struct view){ (const uint8_t *)pem, 65536 };
	ck_assert(event_details(&d, &details));
	ck_assert_uint_lt(details.len, 72u << 10);
	free(pem);
	free(room);
}
END_TEST

START_TEST(the_event_is_valid_json_for_any_certificate)
{
	static const char evil[] =
	    "\",\"certificateStatus\":\"ACTIVE\"}\n\\\xff\xc0\x80\xed\xa0\x80";
	struct view v = view_of(evil);
	struct event_details d = { .subject = v,
		.alternative_names = &v,
		.alternative_name_count = 1,
		.serial_number = v,
		.client_id = v,
		.source_ip = v,
		.reason = v,
		.pem = v };
	struct registered_event e = event_of(1, 0);
	char room[2000];
	struct text details = text_in(room, sizeof(room));
	const cJSON *object;

	ck_assert(event_details(&d, &details));
	object = parse(event_payload(&e, ACCOUNT, view_of(room), &text));
	ck_assert_int_eq(cJSON_GetArraySize(object), 6 + 8);
	ck_assert_str_eq(cJSON_GetObjectItem(object, "certificateStatus")->valuestring,
	    "PENDING_ACTIVATION");
}
END_TEST

/*
 * Provisioning failures and expiry.
 */

START_TEST(a_provisioning_failure_has_its_reason)
{
	struct failed_event e = { .cert_id = id_of(DEVICE),
		.ca_id = id_of(CA),
		.status = CERT_PENDING_ACTIVATION,
		.timestamp = 1623723165331,
		.reason = view_of("no policy \"device\"") };
	char topic[EVENT_TOPIC_SIZE];

	check_bytes(event_failed(&e, ACCOUNT, &text),
	    "{\"certificateId\":\"" DEVICE "\","
	    "\"caCertificateId\":\"" CA "\",\"timestamp\":1623723165331,"
	    "\"certificateStatus\":\"PENDING_ACTIVATION\",\"awsAccountId\":\"123456789012\","
	    "\"reason\":\"no policy \\\"device\\\"\"}");
	event_failed_topic(&e.ca_id, topic);
	ck_assert_str_eq(topic, "$aws/events/certificates/provisioning_failed/" CA);
}
END_TEST

START_TEST(a_longer_reason_is_truncated)
{
	struct failed_event e = { .status = CERT_PENDING_ACTIVATION,
		.timestamp = INT64_MIN,
		.reason = { (const uint8_t *)big, sizeof(big) } };
	const cJSON *reason;

	text = text_in(buffer, EVENT_PAYLOAD_SIZE);
	reason = cJSON_GetObjectItem(parse(event_failed(&e, ACCOUNT, &text)), "reason");
	ck_assert(!text.cut);
	ck_assert_uint_eq(strlen(reason->valuestring), EVENT_REASON_MAX);
}
END_TEST

START_TEST(a_reason_is_truncated_between_characters)
{
	struct failed_event e = { .status = CERT_PENDING_ACTIVATION };
	const cJSON *reason;

	memset(big, 'x', EVENT_REASON_MAX);
	memcpy(big + EVENT_REASON_MAX - 1 - _i, "\xf0\x9f\x94\x91", 4);
	e.reason = (struct view){ (const uint8_t *)big, sizeof(big) };
	reason = cJSON_GetObjectItem(parse(event_failed(&e, ACCOUNT, &text)), "reason");
	ck_assert_uint_eq(strlen(reason->valuestring), EVENT_REASON_MAX - 1 - (size_t)_i);
}
END_TEST

START_TEST(the_event_of_expiry_has_the_time_of_expiry)
{
	struct expiring_event e = { .cert_id = id_of(DEVICE),
		.has_ca = true,
		.ca_id = id_of(CA),
		.status = CERT_ACTIVE,
		.timestamp = 1623723165331,
		.not_after = 1623809565000 };
	char topic[EVENT_TOPIC_SIZE];

	check_bytes(event_expiring(&e, ACCOUNT, &text),
	    "{\"certificateId\":\"" DEVICE "\","
	    "\"caCertificateId\":\"" CA "\",\"timestamp\":1623723165331,"
	    "\"certificateStatus\":\"ACTIVE\",\"awsAccountId\":\"123456789012\","
	    "\"notAfter\":1623809565000}");
	event_expiring_topic(&e.ca_id, topic);
	ck_assert_str_eq(topic, "$aws/events/certificates/expiring/" CA);
}
END_TEST

START_TEST(the_event_of_expiry_works_without_a_ca)
{
	struct expiring_event e = { .cert_id = id_of(DEVICE), .status = CERT_ACTIVE };
	char topic[EVENT_TOPIC_SIZE];

	ck_assert(cJSON_IsNull(
	    cJSON_GetObjectItem(parse(event_expiring(&e, ACCOUNT, &text)), "caCertificateId")));
	event_expiring_topic(NULL, topic);
	ck_assert_str_eq(topic, "$aws/events/certificates/expiring/none");
}
END_TEST

/*
 * Presence.
 */

#define SESSION "00010203-0405-4607-8809-0a0b0c0d0e0f"

static struct presence_event
presence_of(enum presence_kind kind)
{
	struct presence_event e = { .kind = kind,
		.client_id = view_of("d\"1"),
		.timestamp = 1573002230757,
		.version = 1573002230000,
		.principal = id_of(DEVICE),
		.address = view_of("203.0.113.7") };

	for (uint8_t i = 0; i < 16; i++)
		e.session[i] = i;
	return e;
}

START_TEST(the_event_of_a_connection_is_that_of_aws)
{
	struct presence_event e = presence_of(PRESENCE_CONNECTED);

	check_bytes(event_presence(&e, &text),
	    "{\"clientId\":\"d\\\"1\",\"timestamp\":1573002230757,"
	    "\"eventType\":\"connected\",\"sessionIdentifier\":\"" SESSION "\","
	    "\"principalIdentifier\":\"" DEVICE "\",\"ipAddress\":\"203.0.113.7\","
	    "\"versionNumber\":1573002230000}");
	parse(view_of(buffer));
}
END_TEST

START_TEST(unknown_members_of_a_disconnection_are_null)
{
	struct presence_event e = presence_of(PRESENCE_DISCONNECTED);

	check_bytes(event_presence(&e, &text),
	    "{\"clientId\":\"d\\\"1\",\"timestamp\":1573002230757,"
	    "\"eventType\":\"disconnected\",\"sessionIdentifier\":\"" SESSION "\","
	    "\"principalIdentifier\":\"" DEVICE "\",\"clientInitiatedDisconnect\":null,"
	    "\"disconnectReason\":null,\"versionNumber\":1573002230000}");
	parse(view_of(buffer));
}
END_TEST

START_TEST(known_members_of_a_disconnection_are_given)
{
	struct presence_event e = presence_of(PRESENCE_DISCONNECTED);

	e.client_initiated = _i == 0 ? ANSWER_YES : ANSWER_NO;
	e.disconnect_reason = "CONNECTION_LOST";
	parse(event_presence(&e, &text));
	ck_assert_int_eq(cJSON_IsTrue(cJSON_GetObjectItem(json, "clientInitiatedDisconnect")),
	    _i == 0);
	ck_assert_int_eq(cJSON_IsFalse(cJSON_GetObjectItem(json, "clientInitiatedDisconnect")),
	    _i == 1);
	ck_assert_str_eq(cJSON_GetObjectItem(json, "disconnectReason")->valuestring,
	    "CONNECTION_LOST");
}
END_TEST

START_TEST(a_connection_that_failed_has_no_version)
{
	struct presence_event e = presence_of(PRESENCE_CONNECT_FAILED);

	e.address = view_of("");
	check_bytes(event_presence(&e, &text),
	    "{\"clientId\":\"d\\\"1\",\"timestamp\":1573002230757,"
	    "\"eventType\":\"connect_failed\",\"connectFailureReason\":\"AUTHORIZATION_FAILED\","
	    "\"sessionIdentifier\":\"" SESSION "\",\"principalIdentifier\":\"" DEVICE "\","
	    "\"ipAddress\":null}");
	parse(view_of(buffer));
}
END_TEST

START_TEST(presence_has_a_topic_for_each_client)
{
	static const char *const topics[] = { "$aws/events/presence/connected/a/b",
		"$aws/events/presence/disconnected/a/b",
		"$aws/events/presence/connect_failed/a/b" };
	char topic[EVENT_PRESENCE_TOPIC_SIZE];
	struct view v = event_presence_topic((enum presence_kind)_i, view_of("a/b"), topic);

	ck_assert_str_eq(topic, topics[_i]);
	ck_assert_uint_eq(v.len, strlen(topic));
}
END_TEST

START_TEST(the_longest_client_id_fits)
{
	struct presence_event e = presence_of((enum presence_kind)_i);
	char topic[EVENT_PRESENCE_TOPIC_SIZE];
	struct view v;

	memset(big, '"', sizeof(big));
	e.client_id = (struct view){ (const uint8_t *)big, EVENT_CLIENT_ID_MAX };
	e.address = (struct view){ (const uint8_t *)"\x01\x01", 2 };
	e.timestamp = INT64_MIN;
	e.version = UINT64_MAX;
	e.disconnect_reason = "CUSTOMAUTH_TTL_EXPIRATION";
	ck_assert(event_has_presence(e.client_id));
	v = event_presence_topic(e.kind, e.client_id, topic);
	ck_assert_int_eq(v.data[v.len - 1], '"');
	text = text_in(buffer, EVENT_PAYLOAD_SIZE);
	parse(event_presence(&e, &text));
	ck_assert(!text.cut);
}
END_TEST

#define BYTES(literal) \
	{ \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

static const struct {
	const char *what;
	struct view id;
	bool has;
} client_ids[] = {
	{ "a usual one", BYTES("device-1"), true },
	{ "one of several levels", BYTES("a/b//c/"), true },
	{ "a space and a quote", BYTES(" \""), true },
	{ "letters beyond ASCII", BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91\xc2\xa0"), true },
	{ "none", BYTES(""), false },
	{ "a plus", BYTES("a+"), false },
	{ "a number sign", BYTES("#"), false },
	{ "a NUL", BYTES("a\0b"), false },
	{ "a line feed", BYTES("a\n"), false },
	{ "the last of the controls", BYTES("\x1f"), false },
	{ "delete", BYTES("\x7f"), false },
	{ "the first of the C1 controls", BYTES("\xc2\x80"), false },
	{ "the last of the C1 controls", BYTES("\xc2\x9f"), false },
	{ "broken UTF-8", BYTES("a\xff"), false },
	{ "a character cut short", BYTES("a\xe2\x82"), false },
};

START_TEST(client_ids_that_cannot_be_in_a_topic_have_no_presence_events)
{
	ck_assert_msg(event_has_presence(client_ids[_i].id) == client_ids[_i].has, "%s",
	    client_ids[_i].what);
}
END_TEST

START_TEST(client_ids_that_are_too_long_have_no_presence_events)
{
	memset(big, 'x', sizeof(big));
	ck_assert(event_has_presence((struct view){ (const uint8_t *)big, EVENT_CLIENT_ID_MAX }));
	ck_assert(
	    !event_has_presence((struct view){ (const uint8_t *)big, EVENT_CLIENT_ID_MAX + 1 }));
}
END_TEST

static void
certificate_tests(TCase *t)
{
	tcase_add_test(t, the_first_event_has_no_registration_time);
	tcase_add_test(t, a_later_event_has_the_registration_time_as_a_string);
	tcase_add_test(t, each_ca_has_a_topic_of_its_own);
	tcase_add_test(t, the_longest_event_fits);
	tcase_add_test(t, a_buffer_that_is_too_small_is_an_error);
	tcase_add_test(t, details_follow_the_six_members_of_aws);
	tcase_add_test(t, unknown_details_are_left_out);
	tcase_add_test(t, no_names_are_an_empty_list);
	tcase_add_test(t, a_detail_that_does_not_fit_is_left_out_completely);
	tcase_add_test(t, details_that_do_not_fit_leave_the_event_unchanged);
	tcase_add_test(t, the_largest_certificate_fits);
	tcase_add_test(t, the_event_is_valid_json_for_any_certificate);
	tcase_add_test(t, a_provisioning_failure_has_its_reason);
	tcase_add_test(t, a_longer_reason_is_truncated);
	tcase_add_loop_test(t, a_reason_is_truncated_between_characters, 0, 3);
	tcase_add_test(t, the_event_of_expiry_has_the_time_of_expiry);
	tcase_add_test(t, the_event_of_expiry_works_without_a_ca);
}

static void
presence_tests(TCase *t)
{
	tcase_add_test(t, the_event_of_a_connection_is_that_of_aws);
	tcase_add_test(t, unknown_members_of_a_disconnection_are_null);
	tcase_add_loop_test(t, known_members_of_a_disconnection_are_given, 0, 2);
	tcase_add_test(t, a_connection_that_failed_has_no_version);
	tcase_add_loop_test(t, presence_has_a_topic_for_each_client, 0, 3);
	tcase_add_loop_test(t, the_longest_client_id_fits, 0, 3);
	tcase_add_loop_test(t, client_ids_that_cannot_be_in_a_topic_have_no_presence_events, 0,
	    COUNT_OF(client_ids));
	tcase_add_test(t, client_ids_that_are_too_long_have_no_presence_events);
}

int
main(void)
{
	Suite *suite = suite_create("event");
	TCase *t = suite_case(suite, "certificates");

	tcase_add_checked_fixture(t, set_up, tear_down);
	certificate_tests(t);
	t = suite_case(suite, "presence");
	tcase_add_checked_fixture(t, set_up, tear_down);
	presence_tests(t);
	return suite_run(suite);
}
