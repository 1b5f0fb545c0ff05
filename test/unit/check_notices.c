/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* check_notices.c - what waits for the next tick to be logged (notices.h). */
#include "notices.h"
#include "suite.h"

struct number {
	struct notice notice;
	int number;
};

static struct notices all;
static int logged[16], count, cleared;
static const struct notice_type first_type, second_type;

static void
log_number(struct gate *g, const struct notice *n)
{
	(void)g;
	logged[count++] = ((const struct number *)n)->number;
}

/* As a log line calls the plugin again. */
static void
log_and_add(struct gate *g, const struct notice *n)
{
	struct number *more = notice_add(&all, &first_type, sizeof(*more));

	log_number(g, n);
	ck_assert_ptr_nonnull(more);
	more->number = 100;
}

static void
clear(struct notice *n)
{
	(void)n;
	cleared++;
}

static const struct notice_type first_type = { NOTICE_DENIED, 2, log_number, clear };
static const struct notice_type second_type = { NOTICE_SHARED, 3, log_and_add, NULL };

static bool
add(const struct notice_type *type, int number)
{
	struct number *n = notice_add(&all, type, sizeof(*n));

	if (n != NULL)
		n->number = number;
	return n != NULL;
}

static void
set_up(void)
{
	all = (struct notices){ .first = NULL };
	count = cleared = 0;
}

static void
tear_down(void)
{
	notices_clear(&all);
}

START_TEST(notices_are_logged_in_order_and_freed)
{
	ck_assert(add(&first_type, 1) && add(&second_type, 2) && add(&first_type, 3));
	notices_log(NULL, &all);
	ck_assert_int_eq(count, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(logged[i], i + 1);
	ck_assert_int_eq(cleared, 2);
}
END_TEST

START_TEST(each_kind_has_a_bound_of_its_own)
{
	ck_assert(add(&first_type, 1) && add(&first_type, 2) && !add(&first_type, 3));
	ck_assert(add(&second_type, 4)); /* it is not displaced */
	notices_log(NULL, &all);
	ck_assert_int_eq(count, 3);
	ck_assert(add(&first_type, 5));
}
END_TEST

START_TEST(a_notice_that_is_added_while_others_are_logged_waits_for_the_next_tick)
{
	ck_assert(add(&second_type, 1) && add(&second_type, 2));
	notices_log(NULL, &all);
	ck_assert_int_eq(count, 2);
	notices_log(NULL, &all);
	ck_assert_int_eq(count, 4);
	ck_assert_int_eq(logged[3], 100);
	ck_assert_ptr_null(all.first);
}
END_TEST

START_TEST(a_line_about_one_certificate_is_due_after_an_interval)
{
	ck_assert(notice_is_due(0, 5, 10));
	ck_assert(!notice_is_due(5, 14, 10));
	ck_assert(notice_is_due(5, 15, 10));
	ck_assert(notice_is_due(5, 4, 10)); /* the clock was set back */
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("notices");
	TCase *t = suite_case(suite, "notices");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, notices_are_logged_in_order_and_freed);
	tcase_add_test(t, each_kind_has_a_bound_of_its_own);
	tcase_add_test(t, a_notice_that_is_added_while_others_are_logged_waits_for_the_next_tick);
	tcase_add_test(t, a_line_about_one_certificate_is_due_after_an_interval);
	return suite_run(suite);
}
