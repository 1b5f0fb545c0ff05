/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_expression.c - regular expressions (expression.h): their matches, their refusals and
 * their time.
 */
#include <locale.h>
#include <string.h>
#include <time.h>

#include "jitr/adapter/expression.h"
#include "suite.h"

static enum truth
match(const char *text, struct view value)
{
	struct context context = { .steps = STEPS_MAX };
	struct expression e;
	struct diag diag = { "" };
	enum truth t;

	ck_assert_msg(expression_compile(view_of(text), &e, &diag) == ERR_OK, "%s: %s", text,
	    diag.text);
	t = expression_match(&e, value, &context);
	ck_assert(t == TRUTH_HIDDEN || context.steps < STEPS_MAX);
	return t;
}

static const struct {
	const char *what, *expression, *value;
	bool matches;
} matches[] = {
	{ "text", "plant", "plant", true },
	{ "not a beginning", "plant", "plant-1", false },
	{ "not an end", "plant", "my-plant", false },
	{ "all of it, whatever the alternatives", "plant|field", "plant-field", false },
	{ "as if between ^( and )$", "a|b", "b", true },
	{ "a ^ and a $ that say so", "^a|b$", "b", true },
	{ "which do not bind closer than |", "^a|b$", "ab", false },
	{ "case counts", "Plant", "plant", false },
	{ "the example of the document", "(plant|field)-[0-9]{2}", "field-07", true },
	{ "and one digit too many", "(plant|field)-[0-9]{2}", "field-007", false },
	{ "no value", "a*", "", true },
	{ "but something must be there", "a+", "", false },
	{ "any character", "a.c", "a/c", true },
	{ "a line feed, too", "a.c", "a\nc", true },
	{ "a value of two lines is no value of one", "a$", "a\nb", false },
	{ "a repetition", "(ab)*c?d+", "ababdd", true },
	{ "an interval", "a{2,3}", "aaa", true },
	{ "beyond an interval", "a{2,3}", "aaaa", false },
	{ "without an end", "a{2,}", "aaaaaaa", true },
	{ "from nothing", "a{0,2}b", "b", true },
	{ "an escaped sign", "a\\.b\\{\\}\\^\\$\\-\\/", "a.b{}^$-/", true },
	{ "which is no other", "a\\.b", "axb", false },
	{ "a brace and a bracket alone", "a}]", "a}]", true },
	{ "a range", "[a-c]", "b", true },
	{ "a bracket that begins with one", "[]a]+", "]a]", true },
	{ "or not with one", "[^]a]", "]", false },
	{ "a hyphen at the end", "[a-]+", "-a-", true },
	{ "a hyphen at the beginning", "[-a]+", "-a-", true },
	{ "a backslash in a bracket", "[\\]+", "\\\\", true },
	{ "signs in a bracket", "[.*+?{}()|^$]+", ".*+?{}()|^$", true },
	{ "a class", "[[:alpha:]_]+[[:digit:]]", "ab_9", true },
	{ "an escaped value of a certificate", "Maker\\\\, Inc\\.", "Maker\\, Inc.", true },
	{ "a letter of two bytes", "Ger\xc3\xa4t", "Ger\xc3\xa4t", true },
	{ "is one character", "Ger.t", "Ger\xc3\xa4t", true },
	{ "and not two", "Ger..t", "Ger\xc3\xa4t", false },
	{ "so is one of four", ".", "\xf0\x9f\x94\x91", true },
	{ "it is repeated as a whole", "\xc3\xa4{2}", "\xc3\xa4\xc3\xa4", true },
	{ "optional as a whole", "a\xc3\xa4?", "a", true },
	{ "and stands in brackets", "[\xc3\xa4\xc3\xb6]+", "\xc3\xb6\xc3\xa4", true },
	{ "which another does not match", "[\xc3\xa4\xc3\xb6]", "\xc3\xbc", false },
	{ "another is not it", "\xc3\xa4", "\xc3\xb6", false },
	{ "two others are not each other", "[^\xc3\xa4]", "\xc3\xb6", true },
	{ "not to be it", "[^\xc3\xa4]", "\xc3\xa4", false },
	{ "nor are they in a range", "[a-z]", "\xc3\xa4", false },
	{ "classes are ASCII's", "[[:alpha:]]", "\xc3\xa4", false },
	{ "a character that ends like another", "\xc3\xa4", "\xc4\xa4", false },
	{ "the lowest of two bytes", "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf", true },
};

START_TEST(an_expression_matches_the_whole_value)
{
	enum truth t = match(matches[_i].expression, view_of(matches[_i].value));

	ck_assert_msg(t == (matches[_i].matches ? TRUTH_YES : TRUTH_NO), "%s", matches[_i].what);
}
END_TEST

/* The broker may set a locale for its messages. */
START_TEST(the_locale_of_the_process_does_not_matter)
{
	ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
	ck_assert_int_eq(match(matches[_i].expression, view_of(matches[_i].value)),
	    matches[_i].matches ? TRUTH_YES : TRUTH_NO);
	ck_assert_str_eq(setlocale(LC_ALL, NULL), "C.UTF-8");
}
END_TEST

#define A64  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A256 A64 A64 A64 A64
#define E32 \
	"\xc4\x80\xc4\x81\xc4\x82\xc4\x83\xc4\x84\xc4\x85\xc4\x86\xc4\x87" \
	"\xc4\x88\xc4\x89\xc4\x8a\xc4\x8b\xc4\x8c\xc4\x8d\xc4\x8e\xc4\x8f" \
	"\xc4\x90\xc4\x91\xc4\x92\xc4\x93\xc4\x94\xc4\x95\xc4\x96\xc4\x97" \
	"\xc4\x98\xc4\x99\xc4\x9a\xc4\x9b\xc4\x9c\xc4\x9d\xc4\x9e\xc4\x9f"

static const struct {
	const char *what, *expression, *why;
} refused[] = {
	{ "nothing", "", "it is empty" },
	{ "nothing between ^ and $", "^$", "a part of it is empty" },
	{ "an empty alternative", "a|", "a part of it is empty" },
	{ "one in the middle", "a||b", "a part of it is empty" },
	{ "one before a $", "a|$", "a part of it is empty" },
	{ "empty parentheses", "a()", "a part of it is empty" },
	{ "257 bytes", A256 "a", "it is longer than 256 bytes" },
	{ "broken UTF-8", "a\xc3", "it is not UTF-8" },
	{ "a ( alone", "(a", "a '(' has no ')'" },
	{ "a ) alone", "a)", "a ')' has no '('" },
	{ "what would end the whole", "a)|(b", "a ')' has no '('" },
	{ "a [ alone", "[a", "a '[' has no ']'" },
	{ "a [ and a ]", "[]", "a '[' has no ']'" },
	{ "a \\ at the end", "a\\", "a '\\' has nothing behind it" },
	{ "a back-reference", "(a)\\1", "back-references are not accepted" },
	{ "Perl's digits", "\\d+", "a '\\' may only precede punctuation: for digits write [0-9]" },
	{ "Perl's digits in a bracket", "[\\d]",
	    "a '\\' is literal between [ and ]: for digits write [0-9]" },
	{ "Perl's groups", "(?:a)", "a repetition has nothing to repeat" },
	{ "Perl's lazy repetition", "a*?", "a repetition is repeated: put it between ( and )" },
	{ "a line of pluses", "a++++++++", "a repetition is repeated: put it between ( and )" },
	{ "an interval of an interval", "a{2}{3}",
	    "a repetition is repeated: put it between ( and )" },
	{ "glibc's beginning of a word", "\\<a", "glibc's \\< and its like are not accepted" },
	{ "an escaped letter", "\\\xc3\xa4",
	    "a '\\' may only precede punctuation: for digits write [0-9]" },
	{ "a star at the beginning", "*a", "a repetition has nothing to repeat" },
	{ "a star behind a ^", "^*", "a repetition has nothing to repeat" },
	{ "a plus behind a (", "(+a)", "a repetition has nothing to repeat" },
	{ "an interval at the beginning", "{2}", "a repetition has nothing to repeat" },
	{ "an anchor within", "a^b",
	    "'^' may begin it and '$' may end it; elsewhere write \\^ and \\$" },
	{ "an anchor in parentheses", "(^a)",
	    "'^' may begin it and '$' may end it; elsewhere write "
	    "\\^ and \\$" },
	{ "an end within", "a$b",
	    "'^' may begin it and '$' may end it; elsewhere write \\^ and \\$" },
	{ "two ends", "a$$", "'^' may begin it and '$' may end it; elsewhere write \\^ and \\$" },
	{ "a collating symbol", "[[.a.]]", "'[.' and '[=' are not accepted" },
	{ "an equivalence", "[[=a=]]", "'[.' and '[=' are not accepted" },
	{ "half a class", "[[:alpha]", "'[:' has no ':]'" },
	{ "no class", "[[:letters:]]", "Invalid character class name" },
	{ "a range downwards", "[z-a]", "Invalid range end" },
	{ "a range to beyond ASCII", "[a-\xc3\xa4]",
	    "a range between [ and ] is of ASCII characters" },
	{ "a range from there", "[\xc3\xa4-z]", "a range between [ and ] is of ASCII characters" },
	{ "nine parentheses", "(((((((((a)))))))))", "it is nested too deeply: 8 '(' at most" },
	{ "an interval without a number", "a{}", "an interval is {2}, {2,} or {2,4}" },
	{ "without the first", "a{,3}", "an interval is {2}, {2,} or {2,4}" },
	{ "without an end", "a{2", "an interval is {2}, {2,} or {2,4}" },
	{ "with something else", "a{2;3}", "an interval is {2}, {2,} or {2,4}" },
	{ "downwards", "a{3,2}", "an interval is {2}, {2,} or {2,4}" },
	{ "of none", "a{0}", "an interval is {2}, {2,} or {2,4}" },
	{ "of many digits", "a{0002}", "an interval is {2}, {2,} or {2,4}" },
	{ "of thousands", "a{9999999999}", "an interval is {2}, {2,} or {2,4}" },
	{ "257 times", "a{257}",
	    "with its repetitions written out it has more than 256 characters" },
	{ "16 times 17 times", "(a{16}){17}",
	    "with its repetitions written out it has more than 256 "
	    "characters" },
	{ "256 times at least", "a{256,}",
	    "with its repetitions written out it has more than 256 "
	    "characters" },
	{ "twice by seven pluses", "(((((((abc)+)+)+)+)+)+)+",
	    "with its repetitions written out it has more than 256 characters" },
	{ "many alternatives", "(aaaaaaaaaaaaaaaa|bbbbbbbbbbbbbbbb){9}",
	    "with its repetitions written out it has more than 256 characters" },
	{ "a star of a star", "(a*)*", "a part that may be empty is repeated" },
	{ "many of what may be nothing", "(a?b?){8}", "a part that may be empty is repeated" },
	{ "one with a part that may be empty", "(a|b*)+", "a part that may be empty is repeated" },
	{ "what takes milliseconds for each character",
	    "(.{0,64}|[a-m]{0,32}|[^k]{0,16}b)[a-c]{0,64}",
	    "it would take too long: it has too many repetitions of different length" },
	{ "128 different letters",
	    E32 "\xc4\xa0\xc4\xa1\xc4\xa2\xc4\xa3\xc4\xa4\xc4\xa5\xc4\xa6\xc4\xa7"
		"\xc4\xa8\xc4\xa9\xc4\xaa\xc4\xab\xc4\xac\xc4\xad\xc4\xae\xc4\xaf"
		"\xc5\x80\xc5\x81\xc5\x82\xc5\x83\xc5\x84\xc5\x85\xc5\x86\xc5\x87"
		"\xc5\x88\xc5\x89\xc5\x8a\xc5\x8b\xc5\x8c\xc5\x8d\xc5\x8e\xc5\x8f"
		"\xc5\x90\xc5\x91\xc5\x92\xc5\x93\xc5\x94\xc5\x95\xc5\x96\xc5\x97"
		"\xc5\x98\xc5\x99\xc5\x9a\xc5\x9b\xc5\x9c\xc5\x9d\xc5\x9e\xc5\x9f"
		"\xc6\x80\xc6\x81\xc6\x82\xc6\x83\xc6\x84\xc6\x85\xc6\x86\xc6\x87"
		"\xc6\x88\xc6\x89\xc6\x8a\xc6\x8b\xc6\x8c\xc6\x8d\xc6\x8e\xc6\x8f"
		"\xc6\x90\xc6\x91\xc6\x92\xc6\x93\xc6\x94\xc6\x95\xc6\x96\xc6\x97"
		"\xc6\x98\xc6\x99\xc6\x9a\xc6\x9b\xc6\x9c\xc6\x9d\xc6\x9e\xc6\x9f"
		"\xc7\x80\xc7\x81\xc7\x82\xc7\x83\xc7\x84\xc7\x85\xc7\x86\xc7\x87"
		"\xc7\x88\xc7\x89\xc7\x8a\xc7\x8b\xc7\x8c\xc7\x8d\xc7\x8e\xc7\x8f",
	    "it has too many different letters" },
};

START_TEST(a_refused_expression_is_reported_with_the_reason)
{
	struct diag diag = { "" };
	struct expression e;

	ck_assert_msg(expression_compile(view_of(refused[_i].expression), &e, &diag) == ERR_REQUEST,
	    "%s", refused[_i].what);
	ck_assert_msg(strcmp(diag.text, refused[_i].why) == 0, "%s: %s", refused[_i].what,
	    diag.text);
	ck_assert_int_eq(expression_compile(view_of(refused[_i].expression), &e, NULL),
	    ERR_REQUEST);
}
END_TEST

START_TEST(a_nul_in_an_expression_is_refused_and_in_a_value_is_hidden)
{
	struct view nul = { (const uint8_t *)"a\0b", 3 };
	struct diag diag = { "" };
	struct expression e;

	ck_assert_int_eq(expression_compile(nul, &e, &diag), ERR_REQUEST);
	ck_assert_str_eq(diag.text, "it has a NUL");
	ck_assert_int_eq(match("a.*", nul), TRUTH_HIDDEN);
}
END_TEST

#define MANY_WORDS \
	"sensor|gateway|meter|pump|valve|camera|display|controller|thermostat|light|switch|" \
	"plug|lock|door|window|garage|sprinkler|heater|cooler|fan"

static const char *const largest[] = { A256, "a{256}", "(a{16}){16}", "a{255,}",
	"((((((((a))))))))", "(a)(a)(a)(a)(a)(a)(a)(a)(a)", "(((((((a)+)+)+)+)+)+)+",
	"[a-z]{1,200}", "(a|b|c|d|e|f|g|h){32}", E32 E32 E32 E32, "(" MANY_WORDS ")-[0-9]{4}" };

START_TEST(the_largest_expression_is_accepted)
{
	ck_assert_int_ne(match(largest[_i], view_of("a")), TRUTH_HIDDEN);
	ck_assert_int_ne(match(largest[_i], view_of(A64)), TRUTH_HIDDEN);
}
END_TEST

START_TEST(the_length_of_a_value_is_limited)
{
	char value[EXPRESSION_VALUE_MAX + 2];

	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	ck_assert_int_eq(match("a*", view_of(value)), TRUTH_HIDDEN);
	value[EXPRESSION_VALUE_MAX] = '\0';
	ck_assert_int_eq(match("a*", view_of(value)), TRUTH_YES);
	ck_assert_int_eq(match("[ab]{1,200}", view_of(value)), TRUTH_HIDDEN);
}
END_TEST

START_TEST(one_match_never_takes_more_than_its_limit_of_steps)
{
	struct context context = { .steps = 100 * STEPS_MAX };
	struct expression e;
	char value[EXPRESSION_VALUE_MAX + 1];

	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	ck_assert_int_eq(expression_compile(view_of("[ab]{1,200}"), &e, NULL), ERR_OK);
	ck_assert_int_eq(expression_match(&e, view_of(value), &context), TRUTH_HIDDEN);
	ck_assert_uint_eq(context.steps, 100 * STEPS_MAX);
}
END_TEST

START_TEST(a_value_that_is_not_utf8_is_hidden)
{
	static const char *const values[] = { "\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80" };

	for (size_t i = 0; i < COUNT_OF(values); i++)
		ck_assert_int_eq(match(".*", view_of(values[i])), TRUTH_HIDDEN);
}
END_TEST

START_TEST(a_match_without_steps_is_hidden)
{
	struct context context = { .steps = STEPS_MAX };
	struct expression e;
	size_t taken;

	ck_assert_int_eq(expression_compile(view_of("(a|b)*a(a|b){60}"), &e, NULL), ERR_OK);
	ck_assert_int_eq(expression_match(&e, view_of("ab"), &context), TRUTH_NO);
	taken = STEPS_MAX - context.steps;
	context.steps = STEPS_MAX;
	ck_assert_int_eq(expression_match(&e, view_of(A64), &context), TRUTH_YES);
	ck_assert_uint_gt(STEPS_MAX - context.steps, 3 * taken);
	context.steps = taken;
	ck_assert_int_eq(expression_match(&e, view_of("ab"), &context), TRUTH_NO);
	ck_assert_int_eq(expression_match(&e, view_of("ab"), &context), TRUTH_HIDDEN);
	ck_assert_uint_eq(context.steps, 0);
}
END_TEST

static const char *const slow[] = { "(a|b)*a(a|b){60}", ".*a.{60}", ".{0,64}.{0,64}.{0,64}",
	".{0,200}", "([ab]{1,4}){1,8}[ab]*", "((a|b)*c)*(a|b)*a(a|b|c){40}",
	"a?b?a?b?a?b?a?b?a?b?a?b?a*b*", "(((a+b)+a)+b)+", "([ab]+[bc]+[cd]+)*d" };

static double
milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The goal is 5 ms; a slow machine and a sanitizer may take longer.  Without the limit it takes
 * seconds and gigabytes. */
START_TEST(every_expression_and_value_is_matched_quickly)
{
	struct context context = { .steps = STEPS_MAX };
	uint8_t value[EXPRESSION_VALUE_MAX];
	struct expression e;
	unsigned seed = 1;
	double begin;

	for (size_t i = 0; i < sizeof(value); i++) {
		seed = seed * 1103515245 + 12345;
		value[i] = (uint8_t)('a' + (seed >> 16) % 2);
	}
	begin = milliseconds();
	ck_assert_int_eq(expression_compile(view_of(slow[_i]), &e, NULL), ERR_OK);
	for (size_t len = sizeof(value); len > 0; len -= 16)
		if (expression_match(&e, (struct view){ value, len }, &context) != TRUTH_HIDDEN)
			break;
	ck_assert_double_lt(milliseconds() - begin, 500);
}
END_TEST

/* Bytes behind the view must not be read. */
START_TEST(a_truncated_expression_is_read_within_its_bounds)
{
	static const char text[] = "^([^]a-c[:alpha:]\xc3\xa4-]{2,13}|\\.(x?y|.)+)\xc3\xa4*$";

	for (size_t len = 0; len < sizeof(text); len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		struct context context = { .steps = STEPS_MAX };
		struct expression e;
		struct diag diag = { "" };

		memcpy(copy, text, len);
		if (expression_compile((struct view){ copy, len }, &e, &diag) != ERR_OK)
			must(diag.text[0] != '\0');
		else
			must(expression_match(&e, (struct view){ copy, len }, &context) !=
			    TRUTH_HIDDEN);
		free(copy);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("expression");
	TCase *t = suite_case(suite, "expressions");

	tcase_add_loop_test(t, an_expression_matches_the_whole_value, 0, COUNT_OF(matches));
	tcase_add_loop_test(t, the_locale_of_the_process_does_not_matter, 0, COUNT_OF(matches));
	tcase_add_loop_test(t, a_refused_expression_is_reported_with_the_reason, 0,
	    COUNT_OF(refused));
	tcase_add_test(t, a_nul_in_an_expression_is_refused_and_in_a_value_is_hidden);
	tcase_add_loop_test(t, the_largest_expression_is_accepted, 0, COUNT_OF(largest));
	tcase_add_test(t, the_length_of_a_value_is_limited);
	tcase_add_test(t, one_match_never_takes_more_than_its_limit_of_steps);
	tcase_add_test(t, a_value_that_is_not_utf8_is_hidden);
	tcase_add_test(t, a_match_without_steps_is_hidden);
	tcase_add_loop_test(t, every_expression_and_value_is_matched_quickly, 0, COUNT_OF(slow));
	tcase_add_test(t, a_truncated_expression_is_read_within_its_bounds);
	return suite_run(suite);
}
