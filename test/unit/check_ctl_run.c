/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl_run.c - output and exit status of whole commands (contract, section 4).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "scripted_broker.h"
#include "suite.h"

START_TEST(a_usage_error_exits_with_252_and_the_text_of_the_aws_cli)
{
	static const char *const words[] = { "describe-certificate", NULL };

	ck_assert_int_eq(run_words(words), 252);
	expect_file("file://out", "");
	expect_file("file://err",
	    "usage: mosquitto_jitr [options] COMMAND [--flags]\nTo see help text, you can run:\n\n"
	    "  mosquitto_jitr help\n  mosquitto_jitr help COMMAND\n\n"
	    "mosquitto_jitr: error: the following arguments are required: --certificate-id\n");
}
END_TEST

/* Exactly one proof in mode DEFAULT, none in SNI_ONLY (aws-iot A.2.1).  Reported without a
 * connection. */
START_TEST(a_ca_without_proof_or_with_two_is_a_usage_error)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *message;
	} rows[] = {
		{ { "register-ca-certificate", "--ca-certificate", "ca.pem" },
		    "give --ca-key FILE" },
		{ { "register-ca-certificate", "--ca-certificate", "ca.pem", "--certificate-mode",
		      "DEFAULT" },
		    "give --ca-key FILE" },
		{ { "register-ca-certificate", "--ca-certificate", "ca.pem", "--ca-key", "k",
		      "--verification-certificate", "ca.pem" },
		    "give one of them" },
		{ { "register-ca-certificate", "--ca-certificate", "ca.pem", "--ca-key", "k",
		      "--certificate-mode", "SNI_ONLY" },
		    "no proof in --certificate-mode SNI_ONLY" },
		{ { "list-certificates", "--output", "yaml" },
		    "argument --output: Invalid choice: 'yaml'" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text;

		ck_assert_int_eq(run_words(rows[i].words), 252);
		text = read_all("file://err");
		ck_assert_msg(strstr(text, rows[i].message) != NULL, "%s", text);
		free(text);
	}
}
END_TEST

START_TEST(an_unreachable_broker_exits_with_253)
{
	char port[8];
	int number;
	const char *const words[] = { "-h", "127.0.0.1", "-p", port, "get-registration-code",
		NULL };
	char *text;

	(void)close(listening(&number));
	(void)snprintf(port, sizeof(port), "%d", number);
	ck_assert_int_eq(run_words(words), 253);
	text = read_all("file://err");
	ck_assert_ptr_nonnull(strstr(text, "Unable to connect to 127.0.0.1"));
	free(text);
}
END_TEST

START_TEST(an_answer_is_printed_and_exits_with_0)
{
	static const char *const answers[] = { "\"data\":{\"registrationCode\":\"ab\"}", NULL };
	static const char *const words[] = { "get-registration-code", NULL };

	ck_assert_int_eq(run_with_broker(answers, words), 0);
	expect_file("file://out", "{\n    \"registrationCode\": \"ab\"\n}\n");
	expect_file("file://err", "");
}
END_TEST

START_TEST(a_command_without_output_prints_nothing)
{
	static const char *const answers[] = { "\"data\":{}", NULL };
	static const char *const words[] = { "delete-registration-code", NULL };

	ck_assert_int_eq(run_with_broker(answers, words), 0);
	expect_file("file://out", "");
	expect_file("file://err", "");
}
END_TEST

START_TEST(a_refused_request_exits_with_254_and_the_text_of_the_aws_cli)
{
	static const char *const answers[] = {
		"\"error\":\"ResourceNotFoundException\",\"message\":\"no such\\u001b CA\"", NULL
	};
	static const char *const words[] = { "describe-ca-certificate", "--certificate-id", "1",
		NULL };

	ck_assert_int_eq(run_with_broker(answers, words), 254);
	expect_file("file://out", "");
	expect_file("file://err",
	    "\nAn error occurred (ResourceNotFoundException) when calling the "
	    "DescribeCACertificate operation: no such\\x1b CA\n");
}
END_TEST

/* MQTT 5 has a reason code in PUBACK, 3.1.1 has none. */
START_TEST(a_publish_that_the_broker_refuses_is_access_denied)
{
	static const char *const answers[] = { NULL };
	static const char *const words[] = { "-V", "5", "get-registration-code", NULL };

	ck_assert_int_eq(run_with_broker(answers, words), 254);
	expect_file("file://err",
	    "\nAn error occurred (AccessDeniedException) when calling the GetRegistrationCode "
	    "operation: the broker does not let this user publish to $CONTROL/jitr/v1\n");
}
END_TEST

START_TEST(a_connection_closed_by_the_broker_exits_with_253)
{
	static const char *const answers[] = { NULL };
	static const char *const words[] = { "get-registration-code", NULL };
	char *text;

	ck_assert_int_eq(run_with_broker(answers, words), 253);
	text = read_all("file://err");
	ck_assert_ptr_nonnull(strstr(text, "the broker closed the connection before it answered"));
	free(text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_run");
	TCase *t = command_line_case(suite, "run");

	tcase_add_test(t, a_usage_error_exits_with_252_and_the_text_of_the_aws_cli);
	tcase_add_test(t, a_ca_without_proof_or_with_two_is_a_usage_error);
	tcase_add_test(t, an_unreachable_broker_exits_with_253);
	tcase_add_test(t, an_answer_is_printed_and_exits_with_0);
	tcase_add_test(t, a_command_without_output_prints_nothing);
	tcase_add_test(t, a_refused_request_exits_with_254_and_the_text_of_the_aws_cli);
	tcase_add_test(t, a_publish_that_the_broker_refuses_is_access_denied);
	tcase_add_test(t, a_connection_closed_by_the_broker_exits_with_253);
	return suite_run(suite);
}
