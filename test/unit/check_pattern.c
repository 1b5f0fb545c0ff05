/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_pattern.c - parts of patterns and their matches (pattern.h), and the values of
 * conditions (condition.h).
 */
#include <string.h>

#include "jitr/core/condition.h"
#include "suite.h"

#define PIECES_MAX 32

static struct piece pieces[PIECES_MAX];
static struct variable variables[PIECES_MAX];
static uint8_t bytes[256];

static struct pattern
pattern_from(const char *text, unsigned flags, bool folded)
{
	size_t count = 0;

	ck_assert(pattern_parse(view_of(text), flags, NULL, NULL, &count));
	ck_assert_uint_le(count, PIECES_MAX);
	ck_assert(pattern_parse(view_of(text), flags, bytes, pieces, &count));
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].kind == PIECE_VARIABLE) {
			variables[i] = variable_parse(pieces[i].text);
			pieces[i].variable = &variables[i];
		}
	}
	return pattern_of(pieces, count, folded);
}

#define WILD     PATTERN_WILDCARDS
#define VARIABLE PATTERN_VARIABLES

static const struct {
	const char *text;
	unsigned flags;
	const char *kinds; /* t, v, ?, * */
	const char *first; /* its text */
} parsed[] = {
	{ "", WILD | VARIABLE, "", NULL },
	{ "abc", WILD | VARIABLE, "t", "abc" },
	{ "a*b?c", WILD | VARIABLE, "t*t?t", "a" },
	{ "a***b", WILD | VARIABLE, "t*t", "a" },
	{ "a*b?c", VARIABLE, "t", "a*b?c" },
	{ "a${*}b${?}${$}c", WILD | VARIABLE, "t", "a*b?$c" },
	{ "${x}${x}", WILD | VARIABLE, "vv", "x" },
	{ "${x}", WILD, "t", "${x}" },
	{ "$a$", WILD | VARIABLE, "t", "$a$" },
	{ "${}", WILD | VARIABLE, "v", "" },
	{ "${a{b}}", WILD | VARIABLE, "vt", "a{b" },
	{ "${**}", WILD | VARIABLE, "v", "**" },
};

START_TEST(a_pattern_is_split_into_its_parts)
{
	struct pattern p = pattern_from(parsed[_i].text, parsed[_i].flags, false);

	ck_assert_uint_eq(p.count, strlen(parsed[_i].kinds));
	for (size_t i = 0; i < p.count; i++)
		ck_assert_msg("tv?*"[p.pieces[i].kind] == parsed[_i].kinds[i], "%s",
		    parsed[_i].text);
	if (p.count > 0)
		ck_assert(view_equal(p.pieces[0].text, view_of(parsed[_i].first)));
}
END_TEST

START_TEST(a_variable_without_its_end_is_refused)
{
	size_t count;

	ck_assert(!pattern_parse(view_of("${"), VARIABLE, NULL, NULL, &count));
	ck_assert(!pattern_parse(view_of("a${x}${iot:ClientId"), VARIABLE, NULL, NULL, &count));
	ck_assert(pattern_parse(view_of("${"), WILD, NULL, NULL, &count));
}
END_TEST

/*
 * Every short pattern against every short text, also with the text in two parts.
 */

static bool
glob(const char *p, const char *s)
{
	if (*p == '\0')
		return *s == '\0';
	if (*p == '*')
		return glob(p + 1, s) || (*s != '\0' && glob(p, s + 1));
	return *s != '\0' && (*p == '?' || *p == *s) && glob(p + 1, s + 1);
}

/* The nth text of these letters, shorter ones first. */
static void
nth_text(unsigned n, const char *letters, char out[16])
{
	unsigned base = (unsigned)strlen(letters);
	size_t len = 0;

	for (; n > 0; n = (n - 1) / base)
		out[len++] = letters[(n - 1) % base];
	out[len] = '\0';
}

static void
match_everywhere(const struct pattern *p, const char *text, bool expected)
{
	static const struct facts facts;
	size_t len = strlen(text);

	for (size_t cut = 0; cut <= len; cut++) {
		struct context c = { .facts = &facts, .steps = STEPS_MAX };
		struct subject s = { { (const uint8_t *)text, cut },
			{ (const uint8_t *)text + cut, len - cut } };

		must(pattern_match(p, &s, &c) == (expected ? TRUTH_YES : TRUTH_NO));
	}
}

START_TEST(short_patterns_match_as_a_simple_recursion_does)
{
	char pattern[16], text[16];

	for (unsigned i = 0; i < 4 + 16 + 64 + 256 + 1024; i++) {
		struct pattern p;

		nth_text(i, "a/*?", pattern);
		p = pattern_from(pattern, WILD, i % 2 == 0);
		for (unsigned j = 0; j < 2 + 4 + 8 + 16 + 32 + 64; j++) {
			nth_text(j, "a/", text);
			match_everywhere(&p, text, glob(pattern, text));
		}
	}
}
END_TEST

START_TEST(a_match_that_runs_out_of_steps_is_hidden)
{
	static const struct facts facts;
	struct pattern p = pattern_from("a*b", WILD, false);
	struct subject s = { .name = view_of("axxb") };
	struct context c = { .facts = &facts };

	ck_assert_int_eq(pattern_match(&p, &s, &c), TRUTH_HIDDEN);
	c.steps = STEPS_MAX;
	ck_assert_int_eq(pattern_match(&p, &s, &c), TRUTH_YES);
	ck_assert_uint_lt(c.steps, STEPS_MAX);
	s.name = view_of("axxc");
	c.steps = 0;
	ck_assert_int_eq(pattern_match(&p, &s, &c), TRUTH_NO);
}
END_TEST

/* Wherever the steps run out, at a variable, too. */
START_TEST(a_match_needs_all_of_its_steps)
{
	static const struct facts facts = { .client_id = { (const uint8_t *)"dev", 3 } };
	struct pattern p = pattern_from("a${iot:ClientId}?b", WILD | VARIABLE, false);
	struct subject s = { .name = view_of("adevxb") };
	struct context c = { .facts = &facts, .steps = STEPS_MAX };
	size_t needed;

	ck_assert_int_eq(pattern_match(&p, &s, &c), TRUTH_YES);
	needed = STEPS_MAX - c.steps;
	for (size_t steps = 0; steps < needed; steps++) {
		c.steps = steps;
		ck_assert_int_eq(pattern_match(&p, &s, &c), TRUTH_HIDDEN);
	}
	c.steps = needed;
	ck_assert_int_eq(pattern_match(&p, &s, &c), TRUTH_YES);
}
END_TEST

/*
 * Words of conditions.
 */

/* In ascending order; = marks a number that equals the previous one. */
static const char *const ordered[] = { "-10000000000000000000001", "-10.5", "=-10.50", "-10", "-2",
	"-0.25", "0", "=-0", "=000.000", "0.05", "0.1", "=0.10", "0.19", "0.2", "1", "9", "10",
	"99.9", "100", "18446744073709551616", "18446744073709551617" };

START_TEST(numbers_of_any_length_are_compared)
{
	size_t rank[COUNT_OF(ordered)] = { 0 };

	for (size_t i = 1; i < COUNT_OF(ordered); i++)
		rank[i] = rank[i - 1] + (ordered[i][0] != '=');
	for (size_t i = 0; i < COUNT_OF(ordered); i++) {
		for (size_t j = 0; j < COUNT_OF(ordered); j++) {
			struct decimal a, b;
			int expected = (rank[i] > rank[j]) - (rank[i] < rank[j]);

			ck_assert(decimal_parse(view_of(ordered[i] + (*ordered[i] == '=')), &a));
			ck_assert(decimal_parse(view_of(ordered[j] + (*ordered[j] == '=')), &b));
			ck_assert_msg(decimal_order(&a, &b) == expected, "%s %s", ordered[i],
			    ordered[j]);
		}
	}
}
END_TEST

static const struct {
	const char *text;
	int64_t ms;
} dates[] = {
	{ "1970-01-01", 0 },
	{ "1970-01-01T00:00Z", 0 },
	{ "1970-01-01T00:00:01Z", 1000 },
	{ "1969-12-31T23:59:59.5Z", -500 },
	{ "2000-02-29", INT64_C(951782400000) },
	{ "2000-03-01T00:00:00Z", INT64_C(951868800000) },
	{ "1900-03-01", INT64_C(-2203891200000) },
	{ "2026-11-24T12:34:56.789123Z", INT64_C(1795523696789) },
	{ "0", 0 },
	{ "-7", -7000 },
	{ "1795523696", INT64_C(1795523696000) },
	{ "0001-01-01", INT64_C(-62135596800000) },
	{ "9999-12-31", INT64_C(253402214400000) },
};

START_TEST(dates_are_milliseconds_since_1970)
{
	int64_t ms = -1;

	ck_assert(date_parse(view_of(dates[_i].text), &ms));
	ck_assert_msg(ms == dates[_i].ms, "%s: %lld", dates[_i].text, (long long)ms);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pattern");
	TCase *t = suite_case(suite, "pattern");

	tcase_add_loop_test(t, a_pattern_is_split_into_its_parts, 0, COUNT_OF(parsed));
	tcase_add_test(t, a_variable_without_its_end_is_refused);
	tcase_add_test(t, short_patterns_match_as_a_simple_recursion_does);
	tcase_add_test(t, a_match_that_runs_out_of_steps_is_hidden);
	tcase_add_test(t, a_match_needs_all_of_its_steps);
	tcase_add_test(t, numbers_of_any_length_are_compared);
	tcase_add_loop_test(t, dates_are_milliseconds_since_1970, 0, COUNT_OF(dates));
	return suite_run(suite);
}
