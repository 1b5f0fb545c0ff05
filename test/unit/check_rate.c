/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* check_rate.c - buckets that fill with time, refusals, lines of the log. */
#include "jitr/core/rate.h"
#include "suite.h"

#define SECOND ((int64_t)1000000)

static const struct rate rate = { 100, 10 };

START_TEST(a_bucket_begins_full_and_fills_at_its_rate)
{
	struct bucket b = { 0, 0 };
	int64_t now = 5 * SECOND;

	ck_assert_int_eq(bucket_level(&b, &rate, now), 100);
	bucket_take(&b, 150);
	ck_assert_int_eq(bucket_level(&b, &rate, now), -50);
	ck_assert_int_eq(bucket_level(&b, &rate, now + SECOND), -40);
	ck_assert_int_eq(bucket_level(&b, &rate, now + 7 * SECOND), 20);
	ck_assert_int_eq(bucket_level(&b, &rate, now + 1000 * SECOND), 100);
	ck_assert_int_eq(bucket_level(&b, &rate, INT64_MAX / 2), 100);
}
END_TEST

/* Less than one unit is not lost when the level is read often. */
START_TEST(a_bucket_that_is_read_often_fills_no_slower)
{
	struct bucket b = { 0, 0 };
	int64_t now = SECOND;

	(void)bucket_level(&b, &rate, now);
	bucket_take(&b, 100);
	for (int i = 0; i < 3000; i++)
		(void)bucket_level(&b, &rate, now += 1000);
	ck_assert_int_eq(bucket_level(&b, &rate, now), 30);
}
END_TEST

/* A caller that does not pause gets a few answers, then none. */
START_TEST(refusals_end_until_the_caller_pauses)
{
	static struct refusals r;
	int64_t now = SECOND;
	int told = 0;

	for (int i = 0; i < 100000; i++)
		told += refusals_may_answer(&r, 7, now += 1000);
	ck_assert_int_eq(told, REFUSALS_AT_ONCE);
	now += REFUSAL_PAUSE_US;
	ck_assert(refusals_may_answer(&r, 7, now));
}
END_TEST

START_TEST(refusals_are_bounded_over_all_callers)
{
	static struct refusals r;
	int64_t now = SECOND;
	int told = 0;

	for (uint64_t i = 0; i < 100000; i++)
		told += refusals_may_answer(&r,
		    caller_hash(1, (char[]){ (char)i, (char)(i >> 8), 'x', 0 }), now += 100);
	ck_assert_int_ge(told, 20);
	ck_assert_int_le(told, 20 + 2 * 10); /* of ten seconds */
}
END_TEST

START_TEST(lines_are_logged_at_first_and_then_counted)
{
	struct lines l = { .suppressed = 0 };
	int64_t now = SECOND, told = 0;
	uint64_t counted = 0;

	for (int i = 0; i < 60000; i++) { /* a minute */
		told += lines_may_log(&l, now += 1000);
		counted += lines_suppressed(&l, now);
	}
	ck_assert_int_ge(told, 5);
	ck_assert_int_le(told, 5 + 6);
	ck_assert_uint_eq(lines_suppressed(&l, now), 0);
	counted += lines_suppressed(&l, now + LINES_INTERVAL_US);
	ck_assert_uint_eq(counted + (uint64_t)told, 60000);
	ck_assert_uint_eq(lines_suppressed(&l, now + 2 * LINES_INTERVAL_US), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rate");
	TCase *t = suite_case(suite, "rate");

	tcase_add_test(t, a_bucket_begins_full_and_fills_at_its_rate);
	tcase_add_test(t, a_bucket_that_is_read_often_fills_no_slower);
	tcase_add_test(t, refusals_end_until_the_caller_pauses);
	tcase_add_test(t, refusals_are_bounded_over_all_callers);
	tcase_add_test(t, lines_are_logged_at_first_and_then_counted);
	return suite_run(suite);
}
