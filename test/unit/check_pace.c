/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_pace.c - how fast events are handed to the broker (pace.h).
 *
 * The model is a broker with default settings: 20 messages in flight and 1000 in the queue of
 * a subscriber (mosquitto.conf(5), max_inflight_messages and max_queued_messages).
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

START_TEST(a_burst_is_sent_at_once)
{
	struct pace p = { .spent = 0 };

	pace_refill(&p, 1000);
	ck_assert_uint_eq(take_all(&p), PACE_BURST);
}
END_TEST

/* Turns of the broker's loop, ms for each, and the messages sent in a second. */
static const struct {
	size_t turns;
	int64_t ms;
	size_t least, most;
} loops[] = {
	{ 10, 100, 10, 10 }, /* quiet: an acknowledgement is read at each turn */
	{ 33, 30, 32, 33 },  /* busy with handshakes */
	{ 500, 2, 499, 500 }, { 1000, 1, 499, 500 }, /* limited by the round trip */
};

START_TEST(after_the_burst_the_rate_is_limited)
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

/* None of 20 000 messages is lost at any speed of the loop, with the slowest supported
 * subscriber: one acknowledgement per turn. */
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
		if (turn % 3 != 0) /* a turn without a tick */
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

START_TEST(a_clock_that_stops_or_goes_back_allows_nothing)
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

START_TEST(without_a_pace_nothing_is_limited)
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

	tcase_add_test(t, a_burst_is_sent_at_once);
	tcase_add_loop_test(t, after_the_burst_the_rate_is_limited, 0, COUNT_OF(loops));
	tcase_add_test(t, the_queue_of_a_subscriber_never_overflows);
	tcase_add_test(t, a_clock_that_stops_or_goes_back_allows_nothing);
	tcase_add_test(t, without_a_pace_nothing_is_limited);
	return suite_run(suite);
}
