/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_backoff.c - how soon a process is started again (backoff.h).
 */
#include "jitr/core/backoff.h"
#include "suite.h"

START_TEST(delays_double_up_to_a_minute)
{
	static const int64_t delays[] = { 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	unsigned ends = 0;

	for (size_t i = 0; i < COUNT_OF(delays); i++) {
		ends = backoff_count(ends, BACKOFF_RESET_MS - 1);
		ck_assert_int_eq(backoff_delay(ends), delays[i]);
	}
	for (unsigned i = 0; i < 100000; i++)
		ends = backoff_count(ends, 0);
	ck_assert_int_eq(backoff_delay(ends), BACKOFF_MAX_MS);
	ck_assert_int_eq(backoff_delay(UINT32_MAX), BACKOFF_MAX_MS);
}
END_TEST

START_TEST(a_minute_without_an_end_begins_anew)
{
	ck_assert_int_eq(backoff_delay(backoff_count(7, BACKOFF_RESET_MS)), 0);
	ck_assert_int_eq(backoff_delay(backoff_count(7, BACKOFF_RESET_MS - 1)), BACKOFF_MAX_MS);
	ck_assert_int_eq(backoff_delay(0), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("backoff");
	TCase *t = suite_case(s, "backoff");

	tcase_add_test(t, delays_double_up_to_a_minute);
	tcase_add_test(t, a_minute_without_an_end_begins_anew);
	return suite_run(s);
}
