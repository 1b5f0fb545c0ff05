/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_outbox.c - stored messages are handed to the broker.
 *
 * In order, at least once over any crash, and once without a failure (contract, section 6;
 * aws-iot D.3).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/service/outbox.h"
#include "jitr/service/removal.h"
#include "no_memory.h"
#include "suite.h"
#include "world.h"

static struct outbox *outbox;
static struct removal removal;
static bool port_full;
static uint64_t port_calls, port_last;

static enum err
note_published(void *context, uint64_t up_to)
{
	port_calls++;
	if (port_full)
		return ERR_BUSY;
	port_last = up_to;
	return removal_up_to(context, up_to);
}

/* As at the start of the plugin, possibly with stored messages. */
static void
new_outbox(struct pace *pace)
{
	struct outbox_config config = { .store = world.store,
		.port = { &removal, note_published },
		.broker = &world_broker,
		.pace = pace };

	outbox_close(outbox);
	removal = (struct removal){ .writer = world.writer };
	ck_assert_int_eq(outbox_open(&config, &outbox), ERR_OK);
}

static void
set_up(void)
{
	world_open();
	world_start_writer(16, 16);
	port_full = false;
	port_calls = port_last = 0;
	new_outbox(NULL);
}

static void
tear_down(void)
{
	world_stop_writer();
	outbox_close(outbox);
	outbox = NULL;
	world_close();
}

/* A tick of the plugin. */
static size_t
pump(void)
{
	size_t published = outbox_pump(outbox);

	removal_tick(&removal);
	return published;
}

/* The next numbered messages, committed; the outbox is not notified. */
static void
commit_messages(unsigned first, unsigned count)
{
	char payload[24];
	struct txn t;

	world_change(&t);
	for (unsigned i = first; i < first + count; i++) {
		snprintf(payload, sizeof(payload), "message %u", i);
		store_post(&t, view_of("$aws/events/x"), view_of(payload));
	}
	world_commit(&t);
}

static void
post(unsigned first, unsigned count)
{
	commit_messages(first, count);
	outbox_notify(outbox);
}

/* These are the publications so far, once each and in order. */
static void
check_published(unsigned count)
{
	char payload[24];

	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), count);
	for (unsigned i = 0; i < count; i++) {
		snprintf(payload, sizeof(payload), "message %u", i);
		ck_assert_str_eq(world_note(NOTE_PUBLISHED, i)->text, payload);
	}
}

START_TEST(messages_are_published_in_order_with_qos_1_and_not_retained)
{
	const struct note *n;

	post(0, 3);
	ck_assert_uint_eq(pump(), 3);
	check_published(3);
	n = world_note(NOTE_PUBLISHED, 0);
	ck_assert_str_eq(n->topic, "$aws/events/x");
	ck_assert_int_eq(n->qos, 1);
	ck_assert(!n->retain);
}
END_TEST

START_TEST(a_message_is_published_once_by_a_process)
{
	for (unsigned i = 0; i < 5; i++) {
		post(i, 1);
		pump();
		outbox_notify(outbox); /* although nothing was committed */
		pump();
	}
	check_published(5);
}
END_TEST

/* The broker delivers a publication at the next turn of its loop; a crash before that would lose
 * it. */
START_TEST(a_message_is_removed_after_the_broker_could_deliver_it)
{
	post(0, 2);
	pump();
	world_settle();
	ck_assert_uint_eq(world_message_count(), 2);
	pump();
	world_settle();
	ck_assert_uint_eq(world_message_count(), 0);
}
END_TEST

START_TEST(without_messages_no_job_is_submitted)
{
	pump();
	ck_assert(!outbox_has_more(outbox));
	commit_messages(0, 1);
	ck_assert_uint_eq(pump(), 0);
	check_published(0);
	world_settle();
	ck_assert_uint_eq(world_message_count(), 1);
}
END_TEST

START_TEST(after_a_crash_messages_not_removed_are_published_again)
{
	post(0, 3);
	pump();
	world_stop_writer(); /* the broker ends before the next turn of its loop */
	world_reopen_store();
	world_start_writer(16, 16);
	world_forget();
	new_outbox(NULL);
	post(3, 1);
	pump();
	check_published(4);
	pump();
	world_settle();
	ck_assert_uint_eq(world_message_count(), 0);
}
END_TEST

/* The lowest number of the stored messages. */
static uint64_t
first_number(void)
{
	struct message m = { .seq = 0 };
	struct txn t;

	must(store_read(world.store, &t) == ERR_OK);
	must(store_next_message(&t, 0, &m) == ERR_OK);
	store_end(&t);
	return m.seq;
}

START_TEST(numbers_continue_after_a_removal_and_a_restart)
{
	post(0, 3);
	pump();
	pump();
	world_settle();
	world_stop_writer();
	world_reopen_store();
	world_start_writer(16, 16);
	new_outbox(NULL);
	post(3, 2);
	pump();
	check_published(5);
	ck_assert_uint_eq(first_number(), 4);
}
END_TEST

START_TEST(a_message_that_the_broker_refuses_is_published_again)
{
	post(0, 5);
	world.publish_most = 2;
	ck_assert_uint_eq(pump(), 2);
	ck_assert(outbox_has_more(outbox));
	ck_assert_uint_eq(pump(), 0);
	world_settle();
	ck_assert_uint_eq(world_message_count(), 3);
	world.publish_most = SIZE_MAX;
	ck_assert_uint_eq(pump(), 3);
	check_published(5);
	ck_assert(!outbox_has_more(outbox));
}
END_TEST

START_TEST(one_tick_publishes_a_bounded_number)
{
	post(0, 2 * OUTBOX_PER_TICK + 5);
	ck_assert_uint_eq(pump(), OUTBOX_PER_TICK);
	ck_assert(outbox_has_more(outbox));
	ck_assert_uint_eq(pump(), OUTBOX_PER_TICK);
	ck_assert(outbox_has_more(outbox));
	ck_assert_uint_eq(pump(), 5);
	ck_assert(!outbox_has_more(outbox));
	check_published(2 * OUTBOX_PER_TICK + 5);
	world_settle();
	pump();
	world_settle();
	ck_assert_uint_eq(world_message_count(), 0);
}
END_TEST

/* The broker drops messages that a subscriber does not acknowledge in time (pace.h). */
START_TEST(the_pace_limits_the_messages_published)
{
	struct pace pace = { .spent = 0 };

	new_outbox(&pace);
	pace_refill(&pace, 1000);
	post(0, PACE_BURST + 3);
	for (int i = 0; i < 20; i++)
		pump();
	check_published(PACE_BURST);
	ck_assert(outbox_has_more(outbox));
	pace_turn(&pace);
	pace_turn(&pace);
	pace_refill(&pace, 2000);
	ck_assert_uint_eq(pump(), 2);
	pace_turn(&pace);
	pace_refill(&pace, 3000);
	ck_assert_uint_eq(pump(), 1);
	check_published(PACE_BURST + 3);
}
END_TEST

START_TEST(a_burst_of_a_thousand_messages_is_reported_once)
{
	for (unsigned n = 0; n < 2 * OUTBOX_BURST_WARNING; n += 100)
		post(n, 100);
	for (int i = 0; i < 40; i++)
		pump();
	check_published(2 * OUTBOX_BURST_WARNING);
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
	ck_assert(world_said("loses those beyond the broker's max_queued_messages"));
	post(2 * OUTBOX_BURST_WARNING, OUTBOX_BURST_WARNING / 2);
	for (int i = 0; i < 40; i++)
		pump();
	ck_assert_uint_eq(world_count(NOTE_LINE), 1); /* fewer after the pause */
}
END_TEST

START_TEST(a_failed_removal_is_retried)
{
	post(0, 2);
	pump();
	world_hold_writer();
	pump();
	world_break_disk();
	world_release_writer();
	ck_assert_uint_eq(world_message_count(), 2);
	pump();
	world_settle();
	ck_assert_uint_eq(world_message_count(), 0);
	check_published(2);
}
END_TEST

START_TEST(a_full_queue_delays_the_removal)
{
	world_stop_writer();
	world_start_writer(1, 1);
	new_outbox(NULL);
	post(0, 2);
	pump();
	world_hold_writer();
	pump();
	world_release_writer();
	ck_assert_uint_eq(world_message_count(), 2);
	pump(); /* there is room again */
	world_stop_writer();
	ck_assert_uint_eq(world_message_count(), 0);
}
END_TEST

/*
 * The port.
 */

START_TEST(a_number_is_reported_once)
{
	post(0, 3);
	pump();
	ck_assert_uint_eq(port_calls, 0); /* the broker has not had its turn */
	for (int i = 0; i < 3; i++)
		pump();
	ck_assert_uint_eq(port_calls, 1);
	ck_assert_uint_eq(port_last, 3);
	post(3, 1);
	pump();
	pump();
	ck_assert_uint_eq(port_calls, 2);
	ck_assert_uint_eq(port_last, 4);
}
END_TEST

START_TEST(what_the_port_refuses_is_reported_again_with_what_came_since)
{
	port_full = true;
	post(0, 2);
	pump();
	pump();
	post(2, 1);
	pump();
	ck_assert_uint_eq(port_calls, 2);
	port_full = false;
	pump();
	ck_assert_uint_eq(port_calls, 3);
	ck_assert_uint_eq(port_last, 3);
	world_settle();
	ck_assert_uint_eq(world_message_count(), 0);
	check_published(3);
}
END_TEST

START_TEST(a_remover_that_starts_again_is_told_the_number)
{
	post(0, 2);
	pump();
	pump();
	world_settle();
	removal = (struct removal){ .writer = world.writer };
	outbox_report_again(outbox);
	pump();
	ck_assert_uint_eq(port_calls, 2);
	ck_assert_uint_eq(removal.wanted, 2);
	check_published(2);
}
END_TEST

/* The link carries numbers of any order. */
START_TEST(a_lower_number_changes_nothing)
{
	commit_messages(0, 3);
	ck_assert_int_eq(removal_up_to(&removal, 2), ERR_OK);
	ck_assert_int_eq(removal_up_to(&removal, 1), ERR_OK);
	world_settle();
	removal_tick(&removal);
	world_settle();
	ck_assert_uint_eq(world_message_count(), 1);
}
END_TEST

/* A removal has no commit of its own: it is committed with a change. */
START_TEST(a_removal_is_committed_with_the_next_change)
{
	post(0, 2);
	pump();
	pump();
	ck_assert_uint_eq(world_message_count(), 2);
	world_settle(); /* brings a job of its own */
	ck_assert_uint_eq(world_message_count(), 0);
}
END_TEST

/*
 * Messages of any size.
 */

static char *
long_text(size_t len, char c)
{
	char *text = malloc(len + 1);

	must(text != NULL);
	memset(text, c, len);
	text[len] = '\0';
	return text;
}

/* Posts one message whose topic and payload have these sizes. */
static void
post_long(size_t topic_len, size_t payload_len)
{
	char *topic = long_text(topic_len, 't'), *payload = long_text(payload_len, 'p');
	struct txn t;

	world_change(&t);
	store_post(&t, view_of(topic), view_of(payload));
	world_commit(&t);
	outbox_notify(outbox);
	free(topic);
	free(payload);
}

/* The nth publication has these sizes. */
static void
check_long(size_t nth, size_t topic_len, size_t payload_len)
{
	const struct note *n = world_note(NOTE_PUBLISHED, nth);

	ck_assert_ptr_nonnull(n);
	ck_assert_uint_eq(strlen(n->topic), topic_len);
	ck_assert_uint_eq(strspn(n->topic, "t"), topic_len);
	ck_assert_uint_eq(n->text_len, payload_len);
	ck_assert_uint_eq(strspn(n->text, "p"), payload_len);
}

static const struct {
	size_t topic, payload;
} sizes[] = {
	{ 1, 0 },
	{ 1, 1 },
	{ 256, 1024 },
	{ 1100, 1025 },
	{ 128, OUTBOX_PAYLOAD_MAX },
	{ OUTBOX_TOPIC_MAX, OUTBOX_PAYLOAD_MAX },
};

START_TEST(messages_of_every_supported_size_are_published_completely)
{
	post_long(sizes[_i].topic, sizes[_i].payload);
	ck_assert_uint_eq(pump(), 1);
	check_long(0, sizes[_i].topic, sizes[_i].payload);
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
}
END_TEST

START_TEST(one_tick_publishes_a_bounded_number_of_bytes)
{
	for (unsigned i = 0; i < 6; i++)
		post_long(100, 80 << 10);
	ck_assert_uint_eq(pump(), 3);
	ck_assert(outbox_has_more(outbox));
	ck_assert_uint_eq(pump(), 3);
	ck_assert(!outbox_has_more(outbox));
	for (unsigned i = 0; i < 6; i++)
		check_long(i, 100, 80 << 10);
	ck_assert_uint_eq(world_count(NOTE_LINE), 0); /* not counted as a failure */
}
END_TEST

/* A newer version may have written it. */
START_TEST(an_oversized_message_does_not_delay_others)
{
	struct txn t;

	post(0, 1);
	post_long(1, OUTBOX_PAYLOAD_MAX + 1);
	post_long(OUTBOX_TOPIC_MAX + 1, 1);
	world_change(&t);
	store_post(&t, view_of(""), view_of("payload"));
	store_post(&t, (struct view){ (const uint8_t *)"a\0b", 3 }, view_of("payload"));
	world_commit(&t);
	post(1, 1);
	ck_assert_uint_eq(pump(), 2);
	check_published(2);
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
	ck_assert(world_said("a stored event is damaged and is skipped"));
	pump();
	world_settle();
	ck_assert_uint_eq(world_message_count(), 0);
}
END_TEST

START_TEST(the_time_of_a_tick_is_limited_for_any_number_of_messages)
{
	struct txn t;

	world_change(&t);
	for (unsigned i = 0; i < OUTBOX_PER_TICK; i++)
		store_post(&t, view_of(""), view_of(""));
	world_commit(&t);
	post(0, 1);
	ck_assert_uint_eq(pump(), 0);
	ck_assert_uint_eq(pump(), 1);
	check_published(1);
}
END_TEST

START_TEST(without_memory_a_message_is_published_later)
{
	post(0, 3);
	world.publish_most = 1;
	ck_assert_uint_eq(pump(), 1);
	world.publish_most = SIZE_MAX;
	out_of_memory = true;
	ck_assert_uint_eq(pump(), 0);
	ck_assert(!out_of_memory);
	ck_assert(world_said("stored events cannot be published: out of memory; they stay stored"));
	ck_assert_uint_eq(pump(), 2);
	check_published(3);
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
}
END_TEST

/* The broker may call the plugin from within publish(). */
static void
read_something(const struct note *n)
{
	(void)n;
	ck_assert_uint_eq(world_message_count(), 3);
}

START_TEST(the_registry_may_be_read_while_a_message_is_published)
{
	post(0, 3);
	world.on_note = read_something;
	pump();
	world.on_note = NULL;
	check_published(3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("outbox");
	TCase *t = suite_case(suite, "outbox");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 20);
	tcase_add_test(t, messages_are_published_in_order_with_qos_1_and_not_retained);
	tcase_add_test(t, a_message_is_published_once_by_a_process);
	tcase_add_test(t, a_message_is_removed_after_the_broker_could_deliver_it);
	tcase_add_test(t, without_messages_no_job_is_submitted);
	tcase_add_test(t, after_a_crash_messages_not_removed_are_published_again);
	tcase_add_test(t, numbers_continue_after_a_removal_and_a_restart);
	tcase_add_test(t, a_message_that_the_broker_refuses_is_published_again);
	tcase_add_test(t, one_tick_publishes_a_bounded_number);
	tcase_add_test(t, the_pace_limits_the_messages_published);
	tcase_add_test(t, a_burst_of_a_thousand_messages_is_reported_once);
	tcase_add_test(t, a_failed_removal_is_retried);
	tcase_add_test(t, a_full_queue_delays_the_removal);
	tcase_add_test(t, a_number_is_reported_once);
	tcase_add_test(t, what_the_port_refuses_is_reported_again_with_what_came_since);
	tcase_add_test(t, a_remover_that_starts_again_is_told_the_number);
	tcase_add_test(t, a_lower_number_changes_nothing);
	tcase_add_test(t, a_removal_is_committed_with_the_next_change);
	tcase_add_loop_test(t, messages_of_every_supported_size_are_published_completely, 0,
	    COUNT_OF(sizes));
	tcase_add_test(t, one_tick_publishes_a_bounded_number_of_bytes);
	tcase_add_test(t, an_oversized_message_does_not_delay_others);
	tcase_add_test(t, the_time_of_a_tick_is_limited_for_any_number_of_messages);
	tcase_add_test(t, without_memory_a_message_is_published_later);
	tcase_add_test(t, the_registry_may_be_read_while_a_message_is_published);
	return suite_run(suite);
}
