/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_event.c - the registration event, byte for byte (aws-iot D.3).
 *
 * The examples are AWS's own: programs that read them there read ours.
 */
#include <stdio.h>
#include <string.h>

#include "jitr/event.h"
#include "suite.h"

#define DEVICE "2511e09354e2637da199073792924a89fc52de90e9165afa49f075cf8791a45a"
#define CA     "3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173"

static struct registered_event
event_of(int64_t timestamp, int64_t registered)
{
	struct registered_event e = { .status = CERT_PENDING_ACTIVATION, .timestamp = timestamp,
		.registered = registered };

	ck_assert(certid_from_hex(&e.cert_id, view_of(DEVICE)));
	ck_assert(certid_from_hex(&e.ca_id, view_of(CA)));
	return e;
}

static void
check_payload(const struct registered_event *e, const char *expected)
{
	char buffer[EVENT_PAYLOAD_SIZE];
	struct view payload = event_payload(e, "123456789012", buffer);

	ck_assert_str_eq(buffer, expected);
	ck_assert_ptr_eq(payload.data, buffer);
	ck_assert_uint_eq(payload.len, strlen(expected));
}

START_TEST(the_first_event_has_no_registration_time)
{
	struct registered_event e = event_of(1623723165331, 0);

	check_payload(&e, "{\"certificateId\":\"" DEVICE "\",\"caCertificateId\":\"" CA "\","
	    "\"timestamp\":1623723165331,\"certificateStatus\":\"PENDING_ACTIVATION\","
	    "\"awsAccountId\":\"123456789012\",\"certificateRegistrationTimestamp\":null}");
}
END_TEST

/* A number and a string, as AWS has them. */
START_TEST(a_later_event_has_it_as_a_string)
{
	struct registered_event e = event_of(1623724243659, 1623723165331);

	check_payload(&e, "{\"certificateId\":\"" DEVICE "\",\"caCertificateId\":\"" CA "\","
	    "\"timestamp\":1623724243659,\"certificateStatus\":\"PENDING_ACTIVATION\","
	    "\"awsAccountId\":\"123456789012\","
	    "\"certificateRegistrationTimestamp\":\"1623723165331\"}");
}
END_TEST

START_TEST(each_ca_has_a_topic_of_its_own)
{
	struct registered_event e = event_of(0, 0);
	char buffer[EVENT_TOPIC_SIZE];
	struct view topic = event_topic(&e.ca_id, buffer);

	ck_assert_str_eq(buffer, "$aws/events/certificates/registered/" CA);
	ck_assert_ptr_eq(topic.data, buffer);
	ck_assert_uint_eq(topic.len, strlen(buffer));
}
END_TEST

START_TEST(the_longest_event_fits)
{
	struct registered_event e = event_of(INT64_MIN, INT64_MIN);
	char buffer[EVENT_PAYLOAD_SIZE];
	struct view payload = event_payload(&e, "123456789012", buffer);

	ck_assert_int_eq(payload.data[payload.len - 1], '}');
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("event");
	TCase *t = suite_case(suite, "event");

	tcase_add_test(t, the_first_event_has_no_registration_time);
	tcase_add_test(t, a_later_event_has_it_as_a_string);
	tcase_add_test(t, each_ca_has_a_topic_of_its_own);
	tcase_add_test(t, the_longest_event_fits);
	return suite_run(suite);
}
