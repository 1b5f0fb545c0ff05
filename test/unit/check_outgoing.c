/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_outgoing.c - what the registrar tells the broker while the link is full (outgoing.h).
 */
#include <sys/socket.h>
#include <unistd.h>

#include "outgoing.h"
#include "suite.h"

static int fds[2];
static struct outgoing out;
static struct link *broker;
static struct stats stats;

static struct link *
open_end(int fd, enum wire_end end)
{
	struct link_config config = { .fd = fd,
		.end = end,
		.frames_max = 1,
		.bytes_max = LINK_BYTES_MAX };
	struct link *l;

	ck_assert_int_eq(link_open(&config, &l), ERR_OK);
	return l;
}

static void
set_up(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
	    0);
	out = (struct outgoing){ .link = open_end(fds[0], WIRE_REGISTRAR) };
	broker = open_end(fds[1], WIRE_BROKER);
	stats = (struct stats){ .denied = 7, .requests = 1 };
}

static void
tear_down(void)
{
	link_close(out.link);
	link_close(broker);
}

static bool
tell_state(void)
{
	struct wire_state state = { .commits = 1 };

	return outgoing_state(&out, &state, &stats);
}

/* Of the broker, after the next STATE. */
static struct stats
receive_state(void)
{
	struct stats got = { 0 };
	struct wire_frame frame;
	struct wire_state state;

	ck_assert_int_eq(link_next(broker, &frame), ERR_OK);
	ck_assert_int_eq(frame.type, WIRE_STATE);
	ck_assert_int_eq(wire_get_state(frame.payload, &state), ERR_OK);
	for (size_t i = 0; i < state.count; i++) {
		struct stats_delta delta = { state.counters[i].index, state.counters[i].delta };

		ck_assert_int_eq(stats_add_delta(&got, &delta, 1), ERR_OK);
	}
	return got;
}

START_TEST(counters_that_find_no_room_are_told_later)
{
	struct wire_frame frame;
	struct stats got;

	outgoing_hello(&out);
	ck_assert(!tell_state());
	ck_assert_uint_eq(stats.denied, 7);
	ck_assert_uint_eq(stats.requests, 1);
	stats.denied++;
	ck_assert(outgoing_flush(&out));
	ck_assert(tell_state());
	ck_assert(!stats_any(&stats));
	ck_assert(outgoing_flush(&out));
	(void)!link_fill(broker);
	ck_assert_int_eq(link_next(broker, &frame), ERR_OK);
	got = receive_state();
	ck_assert_uint_eq(got.denied, 8);
	ck_assert_uint_eq(got.requests, 1);
}
END_TEST

START_TEST(changes_that_find_no_room_become_one_that_anything_has_changed)
{
	struct wire_change thing = { .kind = WIRE_CHANGED_THING, .name = "t" };
	struct wire_change change;
	struct wire_frame frame;

	outgoing_hello(&out);
	outgoing_change(&out, &thing);
	outgoing_change(&out, &thing);
	ck_assert(outgoing_flush(&out));
	ck_assert(outgoing_flush(&out));
	(void)!link_fill(broker);
	ck_assert_int_eq(link_next(broker, &frame), ERR_OK);
	ck_assert_int_eq(link_next(broker, &frame), ERR_OK);
	ck_assert_int_eq(frame.type, WIRE_CHANGED);
	ck_assert_int_eq(wire_get_change(frame.payload, &change), ERR_OK);
	ck_assert_int_eq(change.kind, WIRE_CHANGED_ANYTHING);
	ck_assert_int_eq(link_next(broker, &frame), ERR_NOT_FOUND);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("outgoing");
	TCase *t = suite_case(suite, "outgoing");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, counters_that_find_no_room_are_told_later);
	tcase_add_test(t, changes_that_find_no_room_become_one_that_anything_has_changed);
	return suite_run(suite);
}
