/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl_shorthand.c - shorthand syntax for structures, as the AWS CLI has it.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "shorthand.h"
#include "suite.h"

static const struct {
	const char *what, *text, *json; /* json NULL: refused */
} shorthands[] = {
	{ "one member", "a=b", "{\"a\":\"b\"}" },
	{ "two, with blanks between", "a=b, c=d", "{\"a\":\"b\",\"c\":\"d\"}" },
	{ "an empty value", "a=", "{\"a\":\"\"}" },
	{ "quotes keep commas", "a=\"b,c\",d='e,f'", "{\"a\":\"b,c\",\"d\":\"e,f\"}" },
	{ "a backslash keeps a quote", "a=\"b\\\"c\"", "{\"a\":\"b\\\"c\"}" },
	{ "a backslash keeps a comma", "a=b\\,c", "{\"a\":\"b,c\"}" },
	{ "JSON in quotes keeps its own backslashes", "a='{\"b\\n\"}'",
	    "{\"a\":\"{\\\"b\\\\n\\\"}\"}" },
	{ "an equals sign in a value", "a=b=c", "{\"a\":\"b=c\"}" },
	{ "a value from a file", "a@=file://word.txt", "{\"a\":\"word\"}" },
	{ "several values are a list", "a=b,c,d=e", "{\"a\":[\"b\",\"c\"],\"d\":\"e\"}" },
	{ "quoted ones, too", "a=b,'c=d'", "{\"a\":[\"b\",\"c=d\"]}" },
	{ "a list in brackets", "a=[b, \"c,d\"],e=f", "{\"a\":[\"b\",\"c,d\"],\"e\":\"f\"}" },
	{ "an object in braces", "a={b=c,d=e},f=g",
	    "{\"a\":{\"b\":\"c\",\"d\":\"e\"},\"f\":\"g\"}" },
	{ "nothing in them", "a={},b=[]", "{\"a\":{},\"b\":[]}" },
	{ "one in the other", "a={b=[{c=d}]}", "{\"a\":{\"b\":[{\"c\":\"d\"}]}}" },
	{ "an at sign in a name", "a={b@c=d}", "{\"a\":{\"b@c\":\"d\"}}" },
	{ "an empty value in braces", "a={b=,c=d}", "{\"a\":{\"b\":\"\",\"c\":\"d\"}}" },
	{ "an open brace", "a={b=c", NULL },
	{ "an open bracket", "a=[b", NULL },
	{ "the wrong one closes", "a={b=c]", NULL },
	{ "something behind a brace", "a={b=c}d", NULL },
	{ "far too deep", "a=[[[[[[[[[[b]]]]]]]]]]", NULL },
	{ "no equals sign", "a", NULL },
	{ "no key", "=b", NULL },
	{ "nothing", "", NULL },
	{ "a comma at the end", "a=b,", NULL },
	{ "an open quote", "a=\"b", NULL },
	{ "something behind a quote", "a=\"b\"c", NULL },
	{ "the same key twice", "a=b,a=c", NULL },
	{ "a file that is not there", "a@=file://none", NULL },
};

START_TEST(shorthand_is_read_as_the_aws_cli_reads_it)
{
	struct diag d = { "" };
	cJSON *json = shorthand_parse(shorthands[_i].text, NULL, &d);
	char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;

	if (shorthands[_i].json == NULL)
		ck_assert_msg(json == NULL && d.text[0] != '\0', "%s: accepted",
		    shorthands[_i].what);
	else
		ck_assert_msg(text != NULL && strcmp(text, shorthands[_i].json) == 0, "%s: %s, %s",
		    shorthands[_i].what, text != NULL ? text : "refused", d.text);
	free(text);
	cJSON_Delete(json);
}
END_TEST

/* Each example is cut at every length.  A sanitizer sees whether a byte behind it is read. */
START_TEST(truncated_shorthand_is_read_safely)
{
	for (size_t i = 0; i < COUNT_OF(shorthands); i++) {
		for (size_t len = 0; len < strlen(shorthands[i].text); len++) {
			char *part = strndup(shorthands[i].text, len);
			struct diag d;

			cJSON_Delete(shorthand_parse(part, NULL, &d));
			free(part);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_shorthand");
	TCase *t = command_line_case(suite, "shorthand");

	tcase_add_loop_test(t, shorthand_is_read_as_the_aws_cli_reads_it, 0, COUNT_OF(shorthands));
	tcase_add_test(t, truncated_shorthand_is_read_safely);
	return suite_run(suite);
}
