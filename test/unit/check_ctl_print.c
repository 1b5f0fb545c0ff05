/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl_print.c - answers are printed as the AWS CLI prints them, without control characters.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "print.h"
#include "suite.h"

static char *
printed(enum output format, const char *operation, const char *json, int width)
{
	cJSON *data = cJSON_Parse(json);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(data);
	ck_assert(print_answer(out, format, operation, data, width));
	ck_assert_int_eq(fclose(out), 0);
	cJSON_Delete(data);
	return text;
}

#define TWO \
	"{\"certificates\":[{\"certificateId\":\"a1\",\"status\":\"ACTIVE\"," \
	"\"creationDate\":1541022751.983},{\"certificateId\":\"b2\"," \
	"\"status\":\"PENDING_ACTIVATION\",\"certificateMode\":\"DEFAULT\"," \
	"\"creationDate\":1541022752}],\"NextToken\":\"abc\"}"

/* Checked against awscli 1.45.11's own formatters. */
static const struct {
	const char *what, *operation, *json;
	enum output format;
	int width;
	const char *text;
} outputs[] = {
	{ "json: four spaces, numbers as they came", "ListCertificates", TWO, OUTPUT_JSON, 80,
	    "{\n    \"certificates\": [\n        {\n            \"certificateId\": \"a1\",\n"
	    "            \"status\": \"ACTIVE\",\n            \"creationDate\": 1541022751.983\n"
	    "        },\n        {\n            \"certificateId\": \"b2\",\n"
	    "            \"status\": \"PENDING_ACTIVATION\",\n"
	    "            \"certificateMode\": \"DEFAULT\",\n"
	    "            \"creationDate\": 1541022752\n        }\n    ],\n"
	    "    \"NextToken\": \"abc\"\n}\n" },
	{ "json: empty things", "X", "{\"a\":{},\"b\":[],\"c\":true}", OUTPUT_JSON, 80,
	    "{\n    \"a\": {},\n    \"b\": [],\n    \"c\": true\n}\n" },
	{ "text: scalars by name, the same for every record", "ListCertificates", TWO, OUTPUT_TEXT,
	    80,
	    "abc\n"
	    "CERTIFICATES\ta1\t\t2018-10-31T21:52:31.983000+00:00\tACTIVE\n"
	    "CERTIFICATES\tb2\tDEFAULT\t2018-10-31T21:52:32+00:00\tPENDING_ACTIVATION\n" },
	{ "text: objects in objects", "DescribeCertificate",
	    "{\"d\":{\"z\":1,\"a\":\"x\",\"validity\":{\"notAfter\":2524607999},\"t\":{}},\"b\":false}",
	    OUTPUT_TEXT, 80, "False\nD\tx\t1\nVALIDITY\t2049-12-31T23:59:59+00:00\n" },
	{ "text: why a certificate has its status, and when it was refused", "DescribeCertificate",
	    "{\"certificateDescription\":{\"certificateId\":\"a1\",\"statusReason\":{\"details\":"
	    "\"on the list\",\"date\":1541022752},\"lastRefusal\":{\"reason\":\"REVOKED\","
	    "\"date\":1541022751.983,\"sourceIp\":\"::1\"}}}",
	    OUTPUT_TEXT, 80,
	    "CERTIFICATEDESCRIPTION\ta1\n"
	    "LASTREFUSAL\t2018-10-31T21:52:31.983000+00:00\tREVOKED\t::1\n"
	    "STATUSREASON\t2018-10-31T21:52:32+00:00\ton the list\n" },
	{ "text: a rule of several lines is one field", "DescribeCACertificate",
	    "{\"certificateDescription\":{\"certificateId\":\"a1\"},\"activation\":\"{\\n\\t1}\","
	    "\"crlCheck\":\"grace 7\",\"crlFile\":\"/etc/ca.crl\"}",
	    OUTPUT_TEXT, 80, "{\\n\\t1}\tgrace 7\t/etc/ca.crl\nCERTIFICATEDESCRIPTION\ta1\n" },
	{ "text: a list's dates", "DescribeCrl",
	    "{\"crl\":{\"thisUpdate\":1541022752,\"nextUpdate\":1541022753,\"number\":\"0x11\"}}",
	    OUTPUT_TEXT, 80, "CRL\t2018-10-31T21:52:33+00:00\t0x11\t2018-10-31T21:52:32+00:00\n" },
	{ "table: a list's dates, and a rule in its box", "DescribeCACertificate",
	    "{\"activation\":\"{\\n \\\"a\\\": 1\\n}\",\"crl\":{\"nextUpdate\":1541022753,\"count\":2}}",
	    OUTPUT_TABLE, 80,
	    "------------------------------------------\n"
	    "|          DescribeCACertificate         |\n"
	    "+----------------------+-----------------+\n"
	    "|  activation          |  {              |\n"
	    "|                      |   \"a\": 1        |\n"
	    "|                      |  }              |\n"
	    "+----------------------+-----------------+\n"
	    "||                  crl                 ||\n"
	    "|+-------+------------------------------+|\n"
	    "|| count |         nextUpdate           ||\n"
	    "|+-------+------------------------------+|\n"
	    "||  2    |  2018-10-31T21:52:33+00:00   ||\n"
	    "|+-------+------------------------------+|\n" },
	{ "text: plain lists", "X", "{\"n\":[1,2]}", OUTPUT_TEXT, 80, "N\t1\nN\t2\n" },
	{ "table: records side by side, even when too wide", "ListCertificates", TWO, OUTPUT_TABLE,
	    80,
	    "--------------------------------------------------------------------------------------------------\n"
	    "|                                        ListCertificates                                        |\n"
	    "+--------------------------------------------------------------+---------------------------------+\n"
	    "|  NextToken                                                   |  abc                            |\n"
	    "+--------------------------------------------------------------+---------------------------------+\n"
	    "||                                         certificates                                         ||\n"
	    "|+---------------+------------------+------------------------------------+----------------------+|\n"
	    "|| certificateId | certificateMode  |           creationDate             |       status         ||\n"
	    "|+---------------+------------------+------------------------------------+----------------------+|\n"
	    "||  a1           |                  |  2018-10-31T21:52:31.983000+00:00  |  ACTIVE              ||\n"
	    "||  b2           |  DEFAULT         |  2018-10-31T21:52:32+00:00         |  PENDING_ACTIVATION  ||\n"
	    "|+---------------+------------------+------------------------------------+----------------------+|\n" },
	{ "table: one record too wide is turned on its side", "DescribeCertificate",
	    "{\"certificateDescription\":{\"certificateId\":\"" ID64 "\",\"status\":\"ACTIVE\","
	    "\"customerVersion\":1}}",
	    OUTPUT_TABLE, 80,
	    "-------------------------------------------------------------------------------------------\n"
	    "|                                   DescribeCertificate                                   |\n"
	    "+-----------------------------------------------------------------------------------------+\n"
	    "||                                certificateDescription                                 ||\n"
	    "|+-----------------+---------------------------------------------------------------------+|\n"
	    "||  certificateId  |  " ID64 "   ||\n"
	    "||  customerVersion|  1                                                                  ||\n"
	    "||  status         |  ACTIVE                                                             ||\n"
	    "|+-----------------+---------------------------------------------------------------------+|\n" },
	{ "table: a value of several lines stays within its box", "X",
	    "{\"status\":\"ACTIVE\",\"pem\":\"--B--\\nMIIB\\n--E--\\n\"}", OUTPUT_TABLE, 20,
	    "----------------------\n"
	    "|          X         |\n"
	    "+---------+----------+\n"
	    "|  pem    |  --B--   |\n"
	    "|         |  MIIB    |\n"
	    "|         |  --E--   |\n"
	    "|  status |  ACTIVE  |\n"
	    "+---------+----------+\n" },
	{ "table: an empty list is a title", "ListCACertificates", "{\"certificates\":[]}",
	    OUTPUT_TABLE, 80,
	    "--------------------\n|ListCACertificates|\n+------------------+\n" },
	{ "nothing for an answer without members", "DeleteCertificate", "{}", OUTPUT_JSON, 80, "" },
	{ "nothing in a table either", "DeleteCertificate", "{}", OUTPUT_TABLE, 80, "" },
};

START_TEST(answers_are_printed_as_by_the_aws_cli)
{
	char *text = printed(outputs[_i].format, outputs[_i].operation, outputs[_i].json,
	    outputs[_i].width);

	ck_assert_msg(strcmp(text, outputs[_i].text) == 0, "%s:\n%s\nexpected\n%s",
	    outputs[_i].what, text, outputs[_i].text);
	free(text);
}
END_TEST

/* Names from a device's certificate must not control an administrator's terminal: ESC, C1
 * controls (U+009B is CSI) and line breaks in fields. */
START_TEST(no_control_character_reaches_a_terminal)
{
	static const char json[] = "{\"a\":\"x\\u001b[2J\\u009b\\u007f\\ny\\t\xff"
				   "\\u202e\\u2066\\u061c\\u200f\\u2028\",\"b\":1}";

	for (int format = OUTPUT_JSON; format <= OUTPUT_TABLE; format++) {
		char *text = printed((enum output)format, "X", json, 80);

		for (const char *c = text; *c != '\0'; c++) {
			ck_assert_msg(((unsigned char)*c >= 0x20 && *c != 0x7f) || *c == '\n' ||
				(*c == '\t' && format == OUTPUT_TEXT),
			    "format %d: %02x in %s", format, *c, text);
		}
		ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
		ck_assert_ptr_null(strstr(text, "\xe2\x80"));
		ck_assert_ptr_null(strstr(text, "\xe2\x81"));
		ck_assert_ptr_null(strstr(text, "\xd8\x9c"));
		ck_assert_ptr_nonnull(strstr(text, "\\u202e"));
		ck_assert_ptr_null(strchr(text, '\xff'));
		ck_assert_ptr_nonnull(strstr(text, "[2J"));
		free(text);
	}
}
END_TEST

/* The escapes of JSON keep the value: a program behind a pipe reads the characters that are
 * not shown on a terminal. */
START_TEST(escaped_json_is_read_back_unchanged)
{
	static const char value[] = "\x1b\xc2\x9b\x7f\n\xe2\x80\xae\xe2\x81\xa9\xd8\x9c\xc3\xa9";
	cJSON *data = cJSON_CreateObject(), *again;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(cJSON_AddStringToObject(data, "a", value));
	ck_assert(print_answer(out, OUTPUT_JSON, "X", data, 80));
	ck_assert_int_eq(fclose(out), 0);
	again = cJSON_Parse(text);
	ck_assert_str_eq(cJSON_GetObjectItem(again, "a")->valuestring, value);
	cJSON_Delete(again);
	cJSON_Delete(data);
	free(text);
}
END_TEST

/* Errors quote answers, files and the command line. */
START_TEST(control_characters_are_escaped_on_standard_error)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	print_shown(out, "a\n\t\x1b[2J\xc2\x9b\xe2\x80\xae\xff\xc3\xa9");
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, "a\\n\\t\\x1b[2J\\x9b\\u202e\\xff\xc3\xa9");
	free(text);
}
END_TEST

/* RFC 5280 4.1.2.5: 99991231235959Z is "no well-defined expiration date"; its seconds are too
 * large for some formatters.  DER also has years before 1970, down to 0. */
static const struct {
	const char *seconds, *text;
} ends[] = {
	{ "253402300799", "9999-12-31T23:59:59+00:00" },
	{ "253402300799.5", "9999-12-31T23:59:59.500000+00:00" },
	{ "253402300800", "253402300800" }, /* later than a certificate can say */
	{ "32503680000", "3000-01-01T00:00:00+00:00" },
	{ "-1", "1969-12-31T23:59:59+00:00" },
	{ "-0.25", "1969-12-31T23:59:59.750000+00:00" },
	{ "-62135596800", "0001-01-01T00:00:00+00:00" },
	{ "-62167219200", "0000-01-01T00:00:00+00:00" },
};

START_TEST(times_of_any_year_are_printed_as_times)
{
	static const char *const names[] = { "notAfter", "notBefore", "creationDate",
		"nextUpdate" };
	char json[100];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		for (int format = OUTPUT_JSON; format <= OUTPUT_TABLE; format++) {
			const char *expected = format == OUTPUT_JSON ? ends[_i].seconds
								     : ends[_i].text;
			char *text;

			(void)snprintf(json, sizeof(json), "{\"%s\":%s}", names[i],
			    ends[_i].seconds);
			text = printed((enum output)format, "X", json, 80);
			ck_assert_msg(strstr(text, expected) != NULL, "%s: %s", json, text);
			free(text);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_print");
	TCase *t = command_line_case(suite, "print");

	tcase_add_loop_test(t, answers_are_printed_as_by_the_aws_cli, 0, COUNT_OF(outputs));
	tcase_add_test(t, no_control_character_reaches_a_terminal);
	tcase_add_test(t, escaped_json_is_read_back_unchanged);
	tcase_add_test(t, control_characters_are_escaped_on_standard_error);
	tcase_add_loop_test(t, times_of_any_year_are_printed_as_times, 0, COUNT_OF(ends));
	return suite_run(suite);
}
