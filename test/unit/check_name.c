/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* check_name.c - names of policies, things and so on (name.h). */
#include <string.h>

#include "jitr/core/name.h"
#include "suite.h"

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* The patterns of aws-iot 1.7; \w is letters, digits and _. */
static const struct {
	const char *what, *characters;
	bool (*valid)(struct view text);
	size_t least, most;
} names[] = {
	{ "a thing", LETTERS_AND_DIGITS ":_-", thing_name_valid, 1, 128 },
	{ "a policy", LETTERS_AND_DIGITS "_+=,.@-", policy_name_valid, 1, 128 },
	{ "an attribute", LETTERS_AND_DIGITS "_.,@/:#-", attribute_name_valid, 1, 128 },
	{ "its value", LETTERS_AND_DIGITS "_.,@/:#=[]-", attribute_value_valid, 0, 800 },
};

START_TEST(only_the_documented_characters_are_allowed)
{
	for (unsigned c = 0; c < 256; c++) {
		uint8_t text[3] = { 'a', (uint8_t)c, 'z' };
		bool allowed = c != 0 && strchr(names[_i].characters, (int)c) != NULL;

		for (size_t at = 0; at < 3; at++)
			ck_assert_msg(names[_i].valid((struct view){ text + at % 2, 2 }) == allowed,
			    "%s: character %u", names[_i].what, c);
		ck_assert(names[_i].valid((struct view){ text, 3 }) == allowed);
		ck_assert(names[_i].valid((struct view){ text + 1, 1 }) == allowed);
	}
}
END_TEST

START_TEST(the_length_of_a_name_is_limited)
{
	uint8_t text[801];

	memset(text, 'a', sizeof(text));
	for (size_t len = 0; len <= sizeof(text); len++)
		must(names[_i].valid((struct view){ text, len }) ==
		    (len >= names[_i].least && len <= names[_i].most));
	ck_assert(names[_i].valid((struct view){ NULL, 0 }) == (names[_i].least == 0));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("name");
	TCase *t = suite_case(suite, "names");

	tcase_add_loop_test(t, only_the_documented_characters_are_allowed, 0, COUNT_OF(names));
	tcase_add_loop_test(t, the_length_of_a_name_is_limited, 0, COUNT_OF(names));
	return suite_run(suite);
}
