/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_session_state.c - every state of a session with every event (session_state.h).
 *
 * session_state.golden has one line for each pair, so a new state or event fails here until
 * its lines are written.  After an intended change:
 *
 *	UPDATE_GOLDEN=1 ctest -R session_state
 */
#include <stdio.h>
#include <string.h>

#include "jitr/service/session_state.h"
#include "suite.h"

#define GOLDEN    "session_state.golden"
#define LINE_SIZE 128

/*
 * The table.
 */

static void
say(char line[LINE_SIZE], enum session_state state, enum session_event event)
{
	enum session_state next = session_next_state(state, event);

	(void)snprintf(line, LINE_SIZE, "%-22s %-14s %s\n", session_state_name(state),
	    session_event_name(event), next == state ? "=" : session_state_name(next));
}

static void
write_golden(void)
{
	FILE *out = fopen(GOLDEN, "w");
	char line[LINE_SIZE];

	ck_assert_ptr_nonnull(out);
	for (int s = 0; s < SESSION_STATE_COUNT; s++)
		for (int e = 0; e < SESSION_EVENT_COUNT; e++) {
			say(line, (enum session_state)s, (enum session_event)e);
			ck_assert(fputs(line, out) >= 0);
		}
	ck_assert_int_eq(fclose(out), 0);
}

START_TEST(every_state_with_every_event_is_in_the_golden_file)
{
	char line[LINE_SIZE], expected[LINE_SIZE];
	FILE *golden;

	if (getenv("UPDATE_GOLDEN") != NULL)
		write_golden();
	golden = fopen(GOLDEN, "r");
	ck_assert_msg(golden != NULL, "%s is missing", GOLDEN);
	for (int s = 0; s < SESSION_STATE_COUNT; s++)
		for (int e = 0; e < SESSION_EVENT_COUNT; e++) {
			say(line, (enum session_state)s, (enum session_event)e);
			ck_assert_msg(fgets(expected, sizeof(expected), golden) != NULL,
			    "no line for: %s", line);
			ck_assert_str_eq(line, expected);
		}
	ck_assert_msg(fgets(expected, sizeof(expected), golden) == NULL, "one too many: %s",
	    expected);
	ck_assert_int_eq(fclose(golden), 0);
}
END_TEST

/*
 * What holds for all of them.
 */

#define REACH(set, state) ((set) | 1u << (state))

/* All states that can follow this one, itself included. */
static unsigned
reach(enum session_state from)
{
	unsigned set = REACH(0u, from), before;

	do {
		before = set;
		for (int s = 0; s < SESSION_STATE_COUNT; s++)
			for (int e = 0; before & 1u << s && e < SESSION_EVENT_COUNT; e++)
				set = REACH(set,
				    session_next_state((enum session_state)s,
					(enum session_event)e));
	} while (set != before);
	return set;
}

static bool
has_left(enum session_state s)
{
	return s >= SESSION_LEFT_UNKNOWN;
}

START_TEST(every_state_is_reached_and_none_is_left_for_new)
{
	ck_assert_uint_eq(reach(SESSION_NEW), (1u << SESSION_STATE_COUNT) - 1);
	for (int s = 1; s < SESSION_STATE_COUNT; s++)
		ck_assert_uint_eq(reach((enum session_state)s) & 1u << SESSION_NEW, 0);
}
END_TEST

/* A session ends in a state that left, and stays there. */
START_TEST(a_client_that_left_does_not_come_back)
{
	for (int s = 0; s < SESSION_STATE_COUNT; s++) {
		enum session_state state = (enum session_state)s;

		ck_assert(has_left(session_next_state(state, SESSION_ON_LEAVE)));
		for (int other = 0; has_left(state) && other < SESSION_STATE_COUNT; other++)
			if (reach(state) & 1u << other)
				ck_assert(has_left((enum session_state)other));
	}
}
END_TEST

static bool
may_have_rights(enum session_state s)
{
	return session_state_is_admitted(s) || session_state_is_other(s) ||
	    session_state_has_will(s) || session_state_is_leaving(s) || s == SESSION_OFFLINE ||
	    s == SESSION_LEFT_OTHER || s == SESSION_OFFLINE_ADMINISTRATOR;
}

START_TEST(a_client_that_is_shut_out_or_closing_gets_no_rights_any_more)
{
	static const enum session_state out[] = { SESSION_SHUT_OUT, SESSION_CLOSING,
		SESSION_LEFT_REFUSED, SESSION_LEFT_UNKNOWN };

	for (size_t i = 0; i < COUNT_OF(out); i++)
		for (int s = 0; s < SESSION_STATE_COUNT; s++)
			if (reach(out[i]) & 1u << s)
				ck_assert(!may_have_rights((enum session_state)s));
}
END_TEST

START_TEST(a_client_has_one_will_and_subscriptions_until_the_tick)
{
	for (int s = 0; s < SESSION_STATE_COUNT; s++) {
		enum session_state state = (enum session_state)s;
		enum session_state sent = session_next_state(state, SESSION_ON_WILL);

		if (session_state_has_will(state))
			for (int other = 0; other < SESSION_STATE_COUNT; other++)
				if (reach(sent) & 1u << other)
					ck_assert(
					    !session_state_has_will((enum session_state)other));
		ck_assert(!session_state_is_leaving(session_next_state(state, SESSION_ON_TICK)));
		if (session_state_is_leaving(state))
			ck_assert(!session_state_has_will(
			    session_next_state(state, SESSION_ON_TICK_NO_WILL)));
	}
}
END_TEST

/* Zero refuses. */
START_TEST(a_new_session_has_no_rights)
{
	ck_assert_int_eq(SESSION_NEW, 0);
	ck_assert(!may_have_rights(SESSION_NEW));
	ck_assert(!may_have_rights(session_next_state(SESSION_NEW, SESSION_ON_LEAVE)));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("session_state");
	TCase *t = suite_case(suite, "states");

	tcase_add_test(t, every_state_with_every_event_is_in_the_golden_file);
	tcase_add_test(t, every_state_is_reached_and_none_is_left_for_new);
	tcase_add_test(t, a_client_that_left_does_not_come_back);
	tcase_add_test(t, a_client_that_is_shut_out_or_closing_gets_no_rights_any_more);
	tcase_add_test(t, a_client_has_one_will_and_subscriptions_until_the_tick);
	tcase_add_test(t, a_new_session_has_no_rights);
	return suite_run(suite);
}
