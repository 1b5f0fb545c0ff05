/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* check_health.c - the health file: a recent time shows that the plugin works. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jitr/service/health.h"
#include "suite.h"
#include "world.h"

static struct report *report;
static struct health *health;
static struct diag diag;
static char path[300];

static void
set_up(void)
{
	struct report_config config = { .account_id = "123456789012",
		.sink = world_sink,
		.now = world_now };

	world_open();
	world_start_writer(2, 2);
	ck_assert_int_eq(report_open(&config, &report), ERR_OK);
	snprintf(path, sizeof(path), "%s/health", world.db_path);
}

static void
tear_down(void)
{
	world_stop_writer();
	health_close(health);
	health = NULL;
	report_close(report);
	world_close();
}

static enum err
open_health(const char *file)
{
	struct health_config config = { .path = file, .writer = world.writer, .report = report };

	return health_open(&config, &health, &diag);
}

/* Sets the file's time to an hour ago. */
static void
make_old(void)
{
	struct timespec times[2] = { { .tv_sec = 3600 }, { .tv_sec = 3600 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool
is_old(void)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mtime == 3600;
}

START_TEST(the_time_of_the_file_is_set_at_start_and_every_ten_seconds)
{
	ck_assert_int_eq(open_health(path), ERR_OK);
	make_old();
	health_tick(health, 1000);
	world_settle();
	ck_assert(!is_old());
	make_old();
	health_tick(health, 10999);
	world_settle();
	ck_assert(is_old());
	health_tick(health, 11000);
	world_settle();
	ck_assert(!is_old());
}
END_TEST

/* Only one job waits, however long the writer hangs. */
START_TEST(the_file_grows_old_when_the_writer_hangs)
{
	struct writer_state state;

	ck_assert_int_eq(open_health(path), ERR_OK);
	make_old();
	world_hold_writer();
	for (int64_t at = 0; at < 1000000; at += 1000)
		health_tick(health, at);
	writer_read_state(world.writer, &state);
	ck_assert_uint_le(state.waiting,
	    2); /* the job that holds the writer, and that of the file */
	ck_assert(is_old());
	world_release_writer();
	ck_assert(!is_old());
}
END_TEST

START_TEST(an_unwritable_file_is_reported_once_for_each_failure)
{
	char away[320];

	ck_assert_int_eq(open_health(path), ERR_OK);
	ck_assert_int_eq(unlink(path), 0);
	snprintf(away, sizeof(away), "%s/elsewhere", world.db_path);
	ck_assert_int_eq(symlink(away, path), 0); /* not followed */
	for (int64_t at = 0; at <= 50000; at += 10000) {
		health_tick(health, at);
		world_settle();
	}
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
	ck_assert(world_said("health_file"));
	ck_assert_int_ne(access(away, F_OK), 0);
	ck_assert_int_eq(unlink(path), 0);
	health_tick(health, 60000);
	world_settle();
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
}
END_TEST

START_TEST(an_unusable_path_stops_the_start)
{
	ck_assert_int_eq(open_health("/nowhere/at/all"), ERR_STORAGE);
	ck_assert_str_eq(diag.text, "health_file /nowhere/at/all: No such file or directory");
}
END_TEST

START_TEST(without_a_path_nothing_is_done)
{
	ck_assert_int_eq(open_health(NULL), ERR_OK);
	ck_assert_ptr_null(health);
	health_tick(health, 1000);
	world_settle();
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("health");
	TCase *t = tcase_create("file");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, the_time_of_the_file_is_set_at_start_and_every_ten_seconds);
	tcase_add_test(t, the_file_grows_old_when_the_writer_hangs);
	tcase_add_test(t, an_unwritable_file_is_reported_once_for_each_failure);
	tcase_add_test(t, an_unusable_path_stops_the_start);
	tcase_add_test(t, without_a_path_nothing_is_done);
	suite_add_tcase(s, t);
	return suite_run(s);
}
