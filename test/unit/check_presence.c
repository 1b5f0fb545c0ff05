/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_presence.c - events of connections (presence.h, aws-iot D.9).
 *
 * Events are published in order and once each.  A client that connects without end, or a broker
 * that accepts nothing, costs a bounded amount of memory. check_event.c has the bytes of
 * events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/adapter/json.h"
#include "jitr/service/presence.h"
#include "no_memory.h"
#include "suite.h"
#include "world.h"

#define TIME 1573002230757

static struct presence presence;
static struct stats stats;
static struct presence_session session;
static struct certid id;
static cJSON *json;
static const struct presence_end unknown;

static void
set_up(void)
{
	world_open();
	world_set_clock(TIME);
	memset(&stats, 0, sizeof(stats));
	memset(&session, 0, sizeof(session));
	memset(&id, 0xab, sizeof(id));
	presence = (struct presence){ .on = true,
		.broker = &world_broker,
		.stats = &stats,
		.now = world_now };
}

static void
tear_down(void)
{
	world.on_note = NULL;
	cJSON_Delete(json);
	json = NULL;
	presence_clear(&presence);
	world_close();
}

static void
connected(const char *client_id)
{
	presence_connected(&presence, &session, client_id, &id, "203.0.113.7");
}

static void
disconnected(const char *client_id)
{
	presence_disconnected(&presence, &session, client_id, &id, &unknown);
}

static void
failed(const char *client_id)
{
	presence_connect_failed(&presence, client_id, &id, "203.0.113.7");
}

static size_t
published(void)
{
	return world_count(NOTE_PUBLISHED);
}

/* The nth publication is this event of the client. */
static const cJSON *
check_published(size_t nth, const char *topic)
{
	const struct note *n = world_note(NOTE_PUBLISHED, nth);
	struct diag diag = { "" };

	ck_assert_ptr_nonnull(n);
	ck_assert_str_eq(n->topic, topic);
	ck_assert(n->qos == 1 && !n->retain);
	cJSON_Delete(json);
	json = NULL;
	ck_assert_msg(json_parse(view_of(n->text), 2, &json, &diag) == ERR_OK, "%s", diag.text);
	ck_assert_str_eq(cJSON_GetObjectItem(json, "clientId")->valuestring,
	    strrchr(topic, '/') + 1);
	return json;
}

static const char *
text_of(const char *member)
{
	return cJSON_GetObjectItem(json, member)->valuestring;
}

static double
number_of(const char *member)
{
	return cJSON_GetObjectItem(json, member)->valuedouble;
}

/*
 * The events.
 */

START_TEST(a_session_has_a_connected_and_a_disconnected_event)
{
	char name[40];
	double version;

	connected("d1");
	presence_tick(&presence);
	check_published(0, "$aws/events/presence/connected/d1");
	ck_assert_str_eq(text_of("ipAddress"), "203.0.113.7");
	ck_assert(number_of("timestamp") == TIME);
	snprintf(name, sizeof(name), "%s", text_of("sessionIdentifier"));
	version = number_of("versionNumber");
	ck_assert(version == TIME);
	world_wait(60000);
	disconnected("d1");
	presence_tick(&presence);
	check_published(1, "$aws/events/presence/disconnected/d1");
	ck_assert(number_of("timestamp") == TIME + 60000);
	ck_assert_str_eq(text_of("sessionIdentifier"), name);
	ck_assert(number_of("versionNumber") == version);
	ck_assert_uint_eq(stats.presence_published, 2);
}
END_TEST

/* Not the time of the tick. */
START_TEST(an_event_has_the_time_at_which_it_happened)
{
	failed("d1");
	world_wait(5000);
	presence_tick(&presence);
	check_published(0, "$aws/events/presence/connect_failed/d1");
	ck_assert(number_of("timestamp") == TIME);
	ck_assert_str_eq(text_of("connectFailureReason"), "AUTHORIZATION_FAILED");
}
END_TEST

START_TEST(the_reason_of_a_disconnect_is_in_the_event_if_known)
{
	struct presence_end end = { ANSWER_YES, "CLIENT_INITIATED_DISCONNECT" };

	connected("d1");
	presence_disconnected(&presence, &session, "d1", &id, &end);
	presence_tick(&presence);
	check_published(1, "$aws/events/presence/disconnected/d1");
	ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(json, "clientInitiatedDisconnect")));
	ck_assert_str_eq(text_of("disconnectReason"), "CLIENT_INITIATED_DISCONNECT");
}
END_TEST

START_TEST(a_disconnected_event_follows_a_connected_event_once)
{
	disconnected("d1");
	connected("d1");
	disconnected("d1");
	disconnected("d1");
	presence_tick(&presence);
	ck_assert_uint_eq(published(), 2);
}
END_TEST

/* Also within a millisecond, and when the clock is set back. */
START_TEST(each_connection_has_a_higher_version_than_all_before)
{
	uint64_t last = 0;

	for (int i = 0; i < 100; i++) {
		struct presence_session one = { .version = 0 };

		world_wait(i < 50 ? 0 : i < 70 ? -1000 : 700);
		presence_connected(&presence, &one, "d1", &id, NULL);
		ck_assert_uint_gt(one.version, last);
		last = one.version;
	}
	ck_assert_uint_ge(last, TIME);
}
END_TEST

START_TEST(sessions_and_failures_have_distinct_ids)
{
	char names[4][40];

	connected("a");
	connected("b");
	failed("c");
	failed("d");
	presence_tick(&presence);
	for (size_t i = 0; i < 4; i++) {
		static const char *const topics[] = { "$aws/events/presence/connected/a",
			"$aws/events/presence/connected/b", "$aws/events/presence/connect_failed/c",
			"$aws/events/presence/connect_failed/d" };

		check_published(i, topics[i]);
		snprintf(names[i], sizeof(names[i]), "%s", text_of("sessionIdentifier"));
		for (size_t before = 0; before < i; before++)
			ck_assert_str_ne(names[before], names[i]);
	}
}
END_TEST

START_TEST(an_unknown_address_is_null)
{
	presence_connected(&presence, &session, "d1", &id, NULL);
	presence_tick(&presence);
	check_published(0, "$aws/events/presence/connected/d1");
	ck_assert(cJSON_IsNull(cJSON_GetObjectItem(json, "ipAddress")));
}
END_TEST

/* aws-iot D.9. */
START_TEST(a_client_id_that_cannot_be_a_topic_level_has_no_events)
{
	static const char *const ids[] = { NULL, "", "a+", "#", "a\n", "\xff" };

	connected(ids[_i]);
	ck_assert_uint_eq(session.version, 0);
	disconnected(ids[_i]);
	failed(ids[_i]);
	presence_tick(&presence);
	ck_assert_uint_eq(published(), 0);
	ck_assert_uint_eq(stats.presence_dropped + stats.presence_suppressed, 0);
}
END_TEST

START_TEST(presence_off_queues_nothing)
{
	presence.on = false;
	connected("d1");
	ck_assert_uint_eq(session.version, 0);
	disconnected("d1");
	failed("d1");
	ck_assert_ptr_null(presence.first);
	presence_tick(&presence);
	presence_connected(NULL, &session, "d1", &id, NULL);
	presence_disconnected(NULL, &session, "d1", &id, &unknown);
	presence_connect_failed(NULL, "d1", &id, NULL);
	presence_tick(NULL);
	ck_assert_uint_eq(published(), 0);
}
END_TEST

/*
 * Time of publication.
 */

START_TEST(nothing_is_published_before_the_tick)
{
	connected("d1");
	failed("d2");
	disconnected("d1");
	ck_assert_uint_eq(published(), 0);
	presence_tick(&presence);
	check_published(0, "$aws/events/presence/connected/d1");
	check_published(1, "$aws/events/presence/connect_failed/d2");
	check_published(2, "$aws/events/presence/disconnected/d1");
	presence_tick(&presence);
	ck_assert_uint_eq(published(), 3);
}
END_TEST

START_TEST(one_tick_publishes_a_bounded_number)
{
	for (int i = 0; i < PRESENCE_PER_TICK + 3; i++)
		connected("d1");
	presence_tick(&presence);
	ck_assert_uint_eq(published(), PRESENCE_PER_TICK);
	presence_tick(&presence);
	ck_assert_uint_eq(published(), PRESENCE_PER_TICK + 3);
	ck_assert_uint_eq(presence.waiting, 0);
}
END_TEST

START_TEST(an_event_that_the_broker_does_not_take_is_offered_again)
{
	connected("d1");
	connected("d2");
	connected("d3");
	world.publish_most = 1;
	presence_tick(&presence);
	presence_tick(&presence);
	ck_assert_uint_eq(published(), 1);
	world.publish_most = SIZE_MAX;
	presence_tick(&presence);
	check_published(1, "$aws/events/presence/connected/d2");
	check_published(2, "$aws/events/presence/connected/d3");
	ck_assert_uint_eq(stats.presence_published, 3);
	ck_assert_uint_eq(stats.presence_dropped, 0);
}
END_TEST

/* The broker may call the plugin from within a publication. */
static void
answer_with_an_event(const struct note *n)
{
	if (strstr(n->topic, "connect_failed") == NULL)
		failed("d2");
}

START_TEST(an_event_caused_by_a_publication_is_appended)
{
	connected("d1");
	connected("d3");
	world.on_note = answer_with_an_event;
	presence_tick(&presence);
	world.on_note = NULL;
	check_published(0, "$aws/events/presence/connected/d1");
	check_published(1, "$aws/events/presence/connected/d3");
	check_published(2, "$aws/events/presence/connect_failed/d2");
	check_published(3, "$aws/events/presence/connect_failed/d2");
	ck_assert_uint_eq(published(), 4);
}
END_TEST

/*
 * Limits.
 */

START_TEST(events_beyond_the_queue_are_dropped_and_counted)
{
	for (int i = 0; i < PRESENCE_WAITING_MAX + 5; i++)
		connected("d1");
	ck_assert_uint_eq(stats.presence_dropped, 5);
	ck_assert_uint_ne(session.version, 0); /* the connection itself is not affected */
	while (presence.waiting > 0)
		presence_tick(&presence);
	ck_assert_uint_eq(published(), PRESENCE_WAITING_MAX);
	disconnected("d1");
	presence_tick(&presence);
	check_published(PRESENCE_WAITING_MAX, "$aws/events/presence/disconnected/d1");
}
END_TEST

START_TEST(without_memory_an_event_is_dropped_and_counted)
{
	out_of_memory = true;
	failed("d1");
	ck_assert(!out_of_memory);
	ck_assert_uint_eq(stats.presence_dropped, 1);
	failed("d2");
	presence_tick(&presence);
	check_published(0, "$aws/events/presence/connect_failed/d2");
}
END_TEST

START_TEST(failures_per_second_are_limited)
{
	for (int i = 0; i < PRESENCE_FAILED_PER_SECOND + 7; i++)
		failed("d1");
	connected("d2"); /* and other events are not displaced */
	ck_assert_uint_eq(stats.presence_suppressed, 7);
	world_wait(1000);
	failed("d1");
	presence_tick(&presence);
	ck_assert_uint_eq(published(), PRESENCE_FAILED_PER_SECOND + 2);
	world_wait(-500000); /* the clock is set back */
	for (int i = 0; i < PRESENCE_FAILED_PER_SECOND; i++)
		failed("d1");
	ck_assert_uint_eq(stats.presence_suppressed, 7);
	ck_assert_uint_eq(stats.presence_dropped, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("presence");
	TCase *t = suite_case(suite, "what is told");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_session_has_a_connected_and_a_disconnected_event);
	tcase_add_test(t, an_event_has_the_time_at_which_it_happened);
	tcase_add_test(t, the_reason_of_a_disconnect_is_in_the_event_if_known);
	tcase_add_test(t, a_disconnected_event_follows_a_connected_event_once);
	tcase_add_test(t, each_connection_has_a_higher_version_than_all_before);
	tcase_add_test(t, sessions_and_failures_have_distinct_ids);
	tcase_add_test(t, an_unknown_address_is_null);
	tcase_add_loop_test(t, a_client_id_that_cannot_be_a_topic_level_has_no_events, 0, 6);
	tcase_add_test(t, presence_off_queues_nothing);
	t = suite_case(suite, "when and how much");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, nothing_is_published_before_the_tick);
	tcase_add_test(t, one_tick_publishes_a_bounded_number);
	tcase_add_test(t, an_event_that_the_broker_does_not_take_is_offered_again);
	tcase_add_test(t, an_event_caused_by_a_publication_is_appended);
	tcase_add_test(t, events_beyond_the_queue_are_dropped_and_counted);
	tcase_add_test(t, without_memory_an_event_is_dropped_and_counted);
	tcase_add_test(t, failures_per_second_are_limited);
	return suite_run(suite);
}
