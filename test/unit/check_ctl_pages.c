/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl_pages.c - lists in pages, as the AWS CLI fetches them.
 */
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "scripted_broker.h"
#include "suite.h"

#define ENTRY(id)           "{\"certificateId\":\"" id "\"}"
#define PAGE(entries, next) "\"data\":{\"certificates\":[" entries "],\"nextMarker\":" next "}"

static const char *const three_pages[] = { PAGE(ENTRY("1") "," ENTRY("2"), "\"Mg==\""),
	PAGE(ENTRY("3"), "\"Mw==\""), PAGE(ENTRY("4"), "null"), NULL };

START_TEST(all_pages_of_a_list_are_fetched_and_shown_as_one)
{
	static const char *const words[] = { "list-certificates", "--output", "text", NULL };
	char *requested;

	ck_assert_int_eq(run_with_broker(three_pages, words), 0);
	expect_file("file://out",
	    "CERTIFICATES\t1\nCERTIFICATES\t2\nCERTIFICATES\t3\nCERTIFICATES\t4\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"pageSize\":250,\"marker\":\"Mg==\"}"));
	ck_assert_ptr_nonnull(strstr(requested, "\"pageSize\":250,\"marker\":\"Mw==\"}"));
	free(requested);
}
END_TEST

START_TEST(max_items_ends_with_the_token_for_the_next_command)
{
	static const char *const words[] = { "list-certificates", "--max-items", "3",
		"--starting-token", "MQ==", NULL };
	char *requested;

	ck_assert_int_eq(run_with_broker(three_pages, words), 0);
	expect_file("file://out",
	    "{\n    \"certificates\": [\n        {\n            \"certificateId\": \"1\"\n        },\n"
	    "        {\n            \"certificateId\": \"2\"\n        },\n"
	    "        {\n            \"certificateId\": \"3\"\n        }\n    ],\n"
	    "    \"NextToken\": \"Mw==\"\n}\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"pageSize\":3,\"marker\":\"MQ==\"}"));
	ck_assert_ptr_nonnull(strstr(requested, "\"pageSize\":1,\"marker\":\"Mg==\"}"));
	free(requested);
}
END_TEST

START_TEST(no_paginate_shows_one_page_unchanged)
{
	static const char *const words[] = { "list-certificates", "--no-paginate", NULL };

	ck_assert_int_eq(run_with_broker(three_pages, words), 0);
	expect_file("file://out",
	    "{\n    \"certificates\": [\n        {\n            \"certificateId\": \"1\"\n        },\n"
	    "        {\n            \"certificateId\": \"2\"\n        }\n    ],\n"
	    "    \"nextMarker\": \"Mg==\"\n}\n");
}
END_TEST

/* As the AWS CLI (awscli/customizations/paginate.py): a flag that is a member of the request,
 * as pageSize is, asks for one page. */
START_TEST(page_size_of_a_list_with_markers_asks_for_one_page)
{
	static const char *const words[] = { "list-certificates", "--page-size", "2", NULL };
	char *requested;

	ck_assert_int_eq(run_with_broker(three_pages, words), 0);
	expect_file("file://out",
	    "{\n    \"certificates\": [\n        {\n            \"certificateId\": \"1\"\n        },\n"
	    "        {\n            \"certificateId\": \"2\"\n        }\n    ],\n"
	    "    \"nextMarker\": \"Mg==\"\n}\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"pageSize\":2}"));
	ck_assert_ptr_eq(strchr(requested, '\n'), strrchr(requested, '\n')); /* one request */
	free(requested);
}
END_TEST

#define THING_PAGE(name, next) \
	"\"data\":{\"things\":[{\"thingName\":\"" name "\"}],\"nextToken\":" next "}"

START_TEST(page_size_of_a_list_with_tokens_is_for_all_pages)
{
	static const char *const answers[] = { THING_PAGE("a", "\"61\""), THING_PAGE("b", "null"),
		NULL };
	static const char *const words[] = { "list-things", "--page-size", "1", "--output", "text",
		NULL };
	char *requested;

	ck_assert_int_eq(run_with_broker(answers, words), 0);
	expect_file("file://out", "THINGS\ta\nTHINGS\tb\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"maxResults\":1,\"nextToken\":\"61\"}"));
	free(requested);
}
END_TEST

/* The texts are those of argparse and of the AWS CLI.  No connection is made. */
static const struct {
	const char *words[WORDS_MAX];
	const char *message;
} page_flags[] = {
	{ { "list-policies", "--max-items", "abc" },
	    "argument --max-items: invalid int value: 'abc'" },
	{ { "list-things", "--max-items", "1.5" },
	    "argument --max-items: invalid int value: '1.5'" },
	{ { "list-things", "--max-items", "" }, "argument --max-items: invalid int value: ''" },
	{ { "list-policies", "--max-items", "0" },
	    "argument --max-items: Invalid value: '0', valid min value: 1" },
	{ { "list-policies", "--max-items", "-1" },
	    "argument --max-items: Invalid value: '-1', valid min value: 1" },
	{ { "list-policies", "--page-size", "0" },
	    "argument --page-size: Invalid value: '0', valid min "
	    "value: 1" },
	{ { "list-things", "--max-results", "-3" },
	    "argument --max-results: Invalid value: '-3', valid "
	    "min value: 1" },
	{ { "list-policies", "--page-size", "abc" },
	    "argument --page-size: invalid int value: 'abc'" },
	{ { "list-things", "--max-results", "abc" },
	    "argument --max-results: invalid int value: 'abc'" },
	{ { "list-policies", "--page-size", "2", "--max-items", "3" },
	    "Cannot specify --no-paginate along "
	    "with pagination arguments: --max-items (--page-size asks for one page)" },
	{ { "list-policies", "--marker", "Mg==", "--starting-token", "Mg==" },
	    "pagination arguments: --starting-token (--marker asks for one page)" },
	{ { "list-things", "--no-paginate", "--max-items", "3" },
	    "pagination arguments: --max-items (--no-paginate asks for one page)" },
	{ { "list-things", "--max-results", "2", "--max-items", "3" },
	    "pagination arguments: --max-items (--max-results asks for one page)" },
};

START_TEST(invalid_flags_of_pages_exit_with_252)
{
	char *text;

	ck_assert_int_eq(run_words(page_flags[_i].words), 252);
	text = read_all("file://err");
	ck_assert_msg(strstr(text, page_flags[_i].message) != NULL, "%s", text);
	free(text);
	expect_file("file://out", "");
}
END_TEST

START_TEST(a_list_that_repeats_its_token_is_an_error)
{
	static const char *const answers[] = { PAGE("", "\"Mg==\""), PAGE("", "\"Mg==\""), NULL };
	static const char *const words[] = { "list-certificates", NULL };

	ck_assert_int_eq(run_with_broker(answers, words), 255);
	expect_file("file://out", "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_pages");
	TCase *t = command_line_case(suite, "pages");

	tcase_add_test(t, all_pages_of_a_list_are_fetched_and_shown_as_one);
	tcase_add_test(t, max_items_ends_with_the_token_for_the_next_command);
	tcase_add_test(t, no_paginate_shows_one_page_unchanged);
	tcase_add_test(t, page_size_of_a_list_with_markers_asks_for_one_page);
	tcase_add_test(t, page_size_of_a_list_with_tokens_is_for_all_pages);
	tcase_add_loop_test(t, invalid_flags_of_pages_exit_with_252, 0, COUNT_OF(page_flags));
	tcase_add_test(t, a_list_that_repeats_its_token_is_an_error);
	return suite_run(suite);
}
