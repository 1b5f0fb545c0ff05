/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_pace.c - how fast events are handed to the broker (pace.h), against a
 * broker with its defaults: 20 in flight and 1000 in the queue of a subscriber
 * (mosquitto.conf(5), max_inflight_messages and max_queued_messages).
 */
#include "jitr/core/pace.h"
#include "suite.h"

static size_t
take_all(struct pace *p)
{
	size_t count = 0;

	for (; pace_allows(p); count++)
		pace_spend(p);
	return count;
}

START_TEST(a_burst_goes_at_once)
{
	struct pace p = { .spent = 0 };

	pace_refill(&p, 1000);
	ck_assert_uint_eq(take_all(&p), PACE_BURST);
}
END_TEST

/* The broker's loop: turns, and ms for each; how many go in a second. */
static const struct {
	size_t turns;
	int64_t ms;
	size_t least, most;
} loops[] = {
	{ 10, 100, 10, 10 }, /* quiet: an acknowledgement is read at each turn */
	{ 33, 30, 32, 33 },  /* busy with handshakes */
	{ 500, 2, 499, 500 },
	{ 1000, 1, 499, 500 }, /* as fast as it can be: the round trip is the limit */
};

START_TEST(afterwards_one_goes_at_each_turn_and_no_more_than_so_many_a_second)
{
	struct pace p = { .spent = 0 };
	int64_t now = 1000;
	size_t count = 0;

	pace_refill(&p, now);
	take_all(&p);
	for (size_t i = 0; i < loops[_i].turns; i++) {
		pace_turn(&p);
		now += loops[_i].ms;
		pace_refill(&p, now);
		count += take_all(&p);
	}
	ck_assert_uint_ge(count, loops[_i].least);
	ck_assert_uint_le(count, loops[_i].most);
}
END_TEST

/* Of 20 000 none is lost: whatever the loop does, and the slowest subscriber that
 * is promised anything, one acknowledgement at a turn. */
START_TEST(the_queue_of_a_subscriber_never_overflows)
{
	struct pace p = { .spent = 0 };
	size_t sent = 0, queued = 0, longest = 0;
	int64_t now = 1000;

	for (unsigned turn = 0; sent < 20000; turn++) {
		size_t taken;

		queued -= queued > 0;
		pace_turn(&p);
		now += turn % 7 == 0 ? 120 : 1;
		if (turn % 3 != 0) /* not at each turn there is a tick */
			continue;
		pace_refill(&p, now);
		taken = take_all(&p);
		sent += taken;
		queued += taken;
		longest = queued > longest ? queued : longest;
	}
	ck_assert_uint_le(longest, 1000 + 20);
}
END_TEST

START_TEST(a_clock_that_stands_still_or_goes_back_gives_nothing)
{
	struct pace p = { .spent = 0 };

	pace_refill(&p, 5000);
	take_all(&p);
	for (int i = 0; i < 100; i++)
		pace_turn(&p);
	pace_refill(&p, 4000);
	ck_assert(!pace_allows(&p));
	pace_turn(&p);
	pace_refill(&p, 4000);
	ck_assert(!pace_allows(&p));
}
END_TEST

START_TEST(without_a_pace_everything_goes)
{
	pace_spend(NULL);
	ck_assert(pace_allows(NULL));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pace");
	TCase *t = suite_case(suite, "pace");

	tcase_add_test(t, a_burst_goes_at_once);
	tcase_add_loop_test(t, afterwards_one_goes_at_each_turn_and_no_more_than_so_many_a_second,
	    0, COUNT_OF(loops));
	tcase_add_test(t, the_queue_of_a_subscriber_never_overflows);
	tcase_add_test(t, a_clock_that_stands_still_or_goes_back_gives_nothing);
	tcase_add_test(t, without_a_pace_everything_goes);
	return suite_run(suite);
}
