/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * suite.h - the end of every test program: run the suite, return the exit status.
 */
#ifndef JITR_TEST_SUITE_H
#define JITR_TEST_SUITE_H

#include <check.h>
#include <stdlib.h>

/* ck_assert() reports each check through a pipe, passed or not, which is too slow for a hundred
 * thousand checks. */
#define must(truth) \
	do { \
		if (!(truth)) \
			ck_abort_msg("check failed: %s", #truth); \
	} while (0)

static inline TCase *
suite_case(Suite *suite, const char *name)
{
	TCase *t = tcase_create(name);

	suite_add_tcase(suite, t);
	return t;
}

static inline int
suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
