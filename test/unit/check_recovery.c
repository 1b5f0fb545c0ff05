/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_recovery.c - a broken registry is opened again, and files that are gone are logged.
 *
 * check_store_state.c tests the store; here it is scripted.
 */
#include <string.h>

#include "jitr/registrar/recovery.h"
#include "suite.h"
#include "world.h"

static struct recovery recovery;
static enum store_state state;
static enum err reopened; /* the result of the next attempts */
static unsigned attempts;

enum store_state __wrap_store_state(const struct store *s);
enum err __wrap_store_reopen(struct store *s, struct diag *diag);

enum store_state
__wrap_store_state(const struct store *s)
{
	ck_assert_ptr_eq(s, world.store);
	return state;
}

enum err
__wrap_store_reopen(struct store *s, struct diag *diag)
{
	ck_assert_ptr_eq(s, world.store);
	attempts++;
	diag_set(diag, "/registry: no space");
	if (reopened == ERR_OK)
		state = STORE_IN_ORDER;
	return reopened;
}

static void
set_up(void)
{
	world_open();
	recovery = (struct recovery){ .store = world.store, .log = world_sink.log };
	state = STORE_IN_ORDER;
	reopened = ERR_OK;
	attempts = 0;
}

static void
tear_down(void)
{
	world_close();
}

static const char *
line_number(size_t n)
{
	const struct note *note = world_note(NOTE_LINE, n);

	return note != NULL ? note->text : "";
}

START_TEST(a_registry_in_order_costs_no_line)
{
	for (int64_t now = 1; now < 1000; now += 10)
		recovery_tick(&recovery, now);
	ck_assert_uint_eq(attempts, 0);
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
}
END_TEST

START_TEST(a_broken_registry_is_opened_again_at_once)
{
	state = STORE_BROKEN;
	recovery_tick(&recovery, 1000);
	ck_assert_uint_eq(attempts, 1);
	ck_assert_uint_eq(world_count(NOTE_LINE), 2);
	ck_assert_int_eq(world_note(NOTE_LINE, 0)->level, LEVEL_ERROR);
	ck_assert_ptr_nonnull(strstr(line_number(0), "the disk failed in the middle of a commit"));
	ck_assert_int_eq(world_note(NOTE_LINE, 1)->level, LEVEL_NOTICE);
	ck_assert_ptr_nonnull(strstr(line_number(1), "the registry is open again"));
}
END_TEST

/* Each time it is opened at once, since devices are refused until then. */
START_TEST(a_disk_that_fails_at_each_commit_does_not_fill_the_log)
{
	for (int64_t now = 1000; now < 1000 + 3 * RECOVERY_LOG_MS; now += 100) {
		state = STORE_BROKEN;
		recovery_tick(&recovery, now);
	}
	ck_assert_uint_eq(attempts, 3 * RECOVERY_LOG_MS / 100);
	ck_assert_uint_eq(world_count(NOTE_LINE), 6);
}
END_TEST

START_TEST(attempts_become_rarer_up_to_one_a_minute)
{
	unsigned before = 0;

	state = STORE_BROKEN;
	reopened = ERR_STORAGE;
	for (int64_t now = 1; now <= 63 * 1000 + 1; now += 10)
		recovery_tick(&recovery, now);
	ck_assert_uint_eq(attempts, 7); /* at 0, 1, 3, 7, 15, 31, 63 s */
	ck_assert_ptr_nonnull(strstr(line_number(1),
	    "/registry: no space; no certificate is let in; next attempt "
	    "in 1 s"));
	before = attempts;
	for (int64_t now = 63 * 1000 + 11; now < 63 * 1000 + 10 * RECOVERY_RETRY_MAX_MS; now += 10)
		recovery_tick(&recovery, now);
	ck_assert_uint_eq(attempts, before + 9);

	reopened = ERR_OK;
	recovery_tick(&recovery, 1000 * 1000);
	ck_assert_uint_eq(attempts, before + 10);
	ck_assert(world_said("the registry is open again"));
	state = STORE_BROKEN;
	recovery_tick(&recovery, 1000 * 1000 + 10);
	ck_assert_uint_eq(attempts, before + 11);
}
END_TEST

/* The writer thread has a transaction open. */
START_TEST(a_registry_in_use_is_tried_at_the_next_tick)
{
	state = STORE_BROKEN;
	reopened = ERR_BUSY;
	recovery_tick(&recovery, 1000);
	reopened = ERR_OK;
	recovery_tick(&recovery, 1010);
	ck_assert_uint_eq(attempts, 2);
	ck_assert_uint_eq(world_count(NOTE_LINE), 2);
}
END_TEST

START_TEST(files_that_are_gone_are_logged_once_and_when_they_are_back)
{
	state = STORE_GONE;
	for (int64_t now = 1; now < 1000; now += 10)
		recovery_tick(&recovery, now);
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
	ck_assert_int_eq(world_note(NOTE_LINE, 0)->level, LEVEL_ERROR);
	ck_assert_ptr_nonnull(strstr(line_number(0), "removed or replaced while it is in use"));
	state = STORE_IN_ORDER;
	recovery_tick(&recovery, 2000);
	ck_assert_uint_eq(world_count(NOTE_LINE), 2);
	ck_assert_ptr_nonnull(strstr(line_number(1), "are back"));
	ck_assert_uint_eq(attempts, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recovery");
	TCase *t = suite_case(suite, "recovery");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_registry_in_order_costs_no_line);
	tcase_add_test(t, a_broken_registry_is_opened_again_at_once);
	tcase_add_test(t, a_disk_that_fails_at_each_commit_does_not_fill_the_log);
	tcase_add_test(t, attempts_become_rarer_up_to_one_a_minute);
	tcase_add_test(t, a_registry_in_use_is_tried_at_the_next_tick);
	tcase_add_test(t, files_that_are_gone_are_logged_once_and_when_they_are_back);
	return suite_run(suite);
}
