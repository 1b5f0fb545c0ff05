/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl_envelope.c - requests and answers of the control topic.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "command_line.h"
#include "envelope.h"
#include "suite.h"

START_TEST(a_request_names_its_command_in_lower_camel_case)
{
	cJSON *members = cJSON_Parse("{\"certificateId\":\"1\"}");
	char *text = envelope_seal("DescribeCACertificate", "c1", members);

	ck_assert_str_eq(text,
	    "{\"commands\":[{\"command\":\"describeCACertificate\","
	    "\"correlationData\":\"c1\",\"certificateId\":\"1\"}]}");
	free(text);
	cJSON_Delete(members);
}
END_TEST

START_TEST(only_the_answer_with_the_correlation_data_of_the_request_is_opened)
{
	static const char text[] =
	    "{\"responses\":[{\"correlationData\":\"other\",\"error\":\"E\"},7,null,"
	    "{\"correlationData\":\"c1\",\"data\":{\"a\":null,\"b\":[{\"c\":null,\"d\":1}]}}]}";
	cJSON *answer = envelope_open(view_of(text), "c1");
	char *data = cJSON_PrintUnformatted(answer_data(answer));

	ck_assert_ptr_null(answer_error(answer));
	ck_assert_str_eq(data, "{\"b\":[{\"d\":1}]}");
	free(data);
	cJSON_Delete(answer);

	answer = envelope_open(view_of(text), "other");
	ck_assert_str_eq(answer_error(answer), "E");
	ck_assert_str_eq(answer_message(answer), "");
	cJSON_Delete(answer);
	ck_assert_ptr_null(envelope_open(view_of(text), "c2"));
}
END_TEST

START_TEST(payloads_that_are_not_answers_are_ignored)
{
	static const char *const payloads[] = { "", "x", "{", "[]", "null", "{\"responses\":7}",
		"{\"responses\":{}}", "{\"responses\":[[]]}",
		"{\"responses\":[{\"correlationData\":7}]}" };

	for (size_t i = 0; i < COUNT_OF(payloads); i++)
		ck_assert_ptr_null(envelope_open(view_of(payloads[i]), "7"));
}
END_TEST

/* The error for a caller that lacks rights or is throttled names neither command nor
 * correlation data. */
START_TEST(an_error_of_the_whole_request_answers_its_command)
{
	static const char text[] = "{\"responses\":[{\"error\":\"E\",\"message\":\"m\"}]}";
	static const char *const others[] = {
		"{\"responses\":[{\"error\":\"E\",\"command\":\"c\"}]}",
		"{\"responses\":[{\"error\":\"E\",\"correlationData\":\"x\"}]}",
		"{\"responses\":[{\"error\":\"E\"},{\"error\":\"E\"}]}"
	};
	cJSON *answer = envelope_open(view_of(text), "c1");

	ck_assert_str_eq(answer_error(answer), "E");
	ck_assert_str_eq(answer_message(answer), "m");
	cJSON_Delete(answer);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		ck_assert_ptr_null(envelope_open(view_of(others[i]), "c1"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_envelope");
	TCase *t = command_line_case(suite, "envelope");

	tcase_add_test(t, a_request_names_its_command_in_lower_camel_case);
	tcase_add_test(t, only_the_answer_with_the_correlation_data_of_the_request_is_opened);
	tcase_add_test(t, payloads_that_are_not_answers_are_ignored);
	tcase_add_test(t, an_error_of_the_whole_request_answers_its_command);
	return suite_run(suite);
}
