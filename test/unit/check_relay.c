/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_relay.c - control requests are passed on or refused, and answers reach the connection
 * that asked or none (relay.h).  The test takes the place of the api.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gates.h"
#include "jitr/service/relay.h"
#include "suite.h"

static struct relay *relay;
static char clients[10];
static char admin_user[] = "admin";
static char *const admin_users[] = { admin_user };

/* What was passed on. */
static size_t passed, left_count;
static struct control_request last;
static struct caller_facts last_caller;
static uint64_t last_left;
static bool answers_at_once;

static struct control_answer
answer_to(const struct control_request *r)
{
	return (struct control_answer){ .number = r->number,
		.session = r->caller.session,
		.payload = view_of("{}") };
}

static enum err request_result; /* of keep_request() */

static enum err
keep_request(void *context, const struct control_request *r)
{
	struct control_answer answer = answer_to(r);

	(void)context;
	passed++;
	last = *r;
	last_caller = r->caller;
	if (answers_at_once)
		relay_answer(relay, &answer);
	return request_result;
}

static void
keep_left(void *context, uint64_t session)
{
	(void)context;
	left_count++;
	last_left = session;
}

static void
set_up(void)
{
	struct relay_config relay_config = { .broker = &world_broker,
		.stats = &stats,
		.clock_us = world_clock_us,
		.request = keep_request,
		.left = keep_left };

	gates_open(AUTHORIZATION_DEFER, "device-1");
	world_put_cert(device, ca, CERT_ACTIVE);
	world_start_writer(64, 16);
	config.admin_users = admin_users;
	config.admin_user_count = 1;
	open_gate();
	relay_config.gate = gate;
	relay_config.report = report;
	ck_assert_int_eq(relay_open(&relay_config, &relay), ERR_OK);
	request_result = ERR_OK;
	passed = left_count = 0;
	answers_at_once = false;
}

static void
tear_down(void)
{
	relay_close(relay);
	gates_close();
}

/* A connected user of admin_users; its client id is "c0", "c1", ... */
static struct client
log_in(int n)
{
	static char ids[COUNT_OF(clients)][3];
	struct client c = { .handle = &clients[n],
		.user_name = "admin",
		.address = "::1",
		.name_to_check = true };

	ids[n][0] = 'c';
	ids[n][1] = (char)('0' + n);
	c.id = ids[n];
	(void)gate_connect(gate, &c);
	return c;
}

static void
ask(const struct client *c)
{
	relay_request(relay, c, view_of("x"), NULL);
}

static void
leave(const struct client *c)
{
	relay_disconnected(relay, c);
	gate_disconnected(gate, c, &(struct presence_end){ ANSWER_NO, NULL });
}

static void
send_answers(void)
{
	relay_send_answers(relay);
	gate_release(gate);
}

START_TEST(a_request_is_passed_on_with_its_caller)
{
	struct client c = log_in(0);

	relay_request(relay, &c, view_of("bytes"), "a/b");
	ck_assert_uint_eq(passed, 1);
	ck_assert_int_eq(last_caller.administration, ADMINISTRATION_ALL);
	ck_assert_uint_eq(last_caller.session, gate_caller(gate, &c).session);
	ck_assert(!last_caller.has_certificate);
	ck_assert_str_eq(last_caller.client_id, "c0");
	ck_assert_str_eq(last_caller.user_name, "admin");
	ck_assert_str_eq(last_caller.address, "::1");
	ck_assert(view_equal(last.payload, view_of("bytes")));
	ck_assert_str_eq(last.response_topic, "a/b");
	ck_assert_uint_eq(stats.requests, 1);
}
END_TEST

START_TEST(an_administrator_is_known_by_its_certificate)
{
	struct client c = { .handle = &clients[0], .id = "d1", .address = "::1", .x = device->x };

	admin_ids[0] = world_id(device);
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_ALLOW);
	c.user_name = world_hex(device);
	ask(&c);
	ck_assert_uint_eq(passed, 1);
	ck_assert(last_caller.has_certificate);
	ck_assert(certid_equal(&last_caller.certificate, &admin_ids[0]));
	ck_assert(!last_caller.by_plan);
}
END_TEST

START_TEST(a_request_that_is_too_long_is_passed_on_without_its_bytes)
{
	struct client c = log_in(0);
	char *text = calloc(1, REQUEST_MAX + 1);

	relay_request(relay, &c, (struct view){ (uint8_t *)text, REQUEST_MAX }, NULL);
	ck_assert_ptr_nonnull(last.payload.data);
	relay_request(relay, &c, (struct view){ (uint8_t *)text, REQUEST_MAX + 1 }, NULL);
	ck_assert_ptr_null(last.payload.data);
	ck_assert_uint_eq(last.payload.len, REQUEST_MAX + 1);
	ck_assert_uint_eq(passed, 2);
	free(text);
}
END_TEST

START_TEST(an_answer_goes_to_the_connection_that_asked)
{
	struct client c = log_in(0);
	struct control_answer answer;

	ask(&c);
	answer = answer_to(&last);
	answer.response_topic = "a/b";
	relay_answer(relay, &answer);
	ck_assert(relay_has_answers(relay));
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 0);
	send_answers();
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 2);
	ck_assert_str_eq(world_note(NOTE_ANSWER, 0)->to, "c0");
	ck_assert_str_eq(world_note(NOTE_ANSWER, 0)->text, "{}");
	ck_assert_str_eq(world_note(NOTE_ANSWER, 1)->topic, "a/b");
	relay_answer(relay, &answer); /* it was answered already */
	ck_assert(!relay_has_answers(relay));
}
END_TEST

/* The broker copies and encrypts an answer before it reads the packet of another client. */
START_TEST(large_answers_are_sent_some_at_each_tick)
{
	static char text[40000];
	struct client c = log_in(0);

	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 5; i++) {
		struct control_answer answer;

		ask(&c);
		answer = answer_to(&last);
		answer.payload = view_of(text);
		relay_answer(relay, &answer);
	}
	for (size_t sent = 0; sent < 5; sent = world_count(NOTE_ANSWER)) {
		ck_assert(relay_has_answers(relay));
		send_answers();
		ck_assert_uint_gt(world_count(NOTE_ANSWER), sent);
		ck_assert_uint_le(world_count(NOTE_ANSWER), sent + 2);
	}
	ck_assert(!relay_has_answers(relay));
}
END_TEST

START_TEST(an_answer_to_no_request_is_dropped)
{
	struct client c = log_in(0);
	struct control_answer answer;

	ask(&c);
	answer = answer_to(&last);
	answer.number++;
	relay_answer(relay, &answer);
	answer = answer_to(&last);
	answer.session++;
	relay_answer(relay, &answer);
	ck_assert(!relay_has_answers(relay));
}
END_TEST

START_TEST(the_end_of_a_connection_with_requests_is_told_once)
{
	struct client c = log_in(0), other = log_in(1);
	uint64_t session = gate_caller(gate, &c).session;
	struct control_answer answer;

	ask(&c);
	ask(&c);
	answer = answer_to(&last);
	leave(&other);
	relay_tick(relay);
	ck_assert_uint_eq(left_count, 0);
	leave(&c);
	relay_tick(relay);
	ck_assert_uint_eq(left_count, 1);
	ck_assert_uint_eq(last_left, session);
	c = log_in(0); /* the same address, user and client id: another connection */
	relay_answer(relay, &answer);
	send_answers();
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 0);
}
END_TEST

/* The broker did not say that it ended. */
START_TEST(a_connection_in_the_place_of_another_is_found_by_the_tick)
{
	struct client c = log_in(0);
	uint64_t session = gate_caller(gate, &c).session;

	ask(&c);
	relay_tick(relay);
	ck_assert_uint_eq(left_count, 0);
	(void)log_in(0);
	relay_tick(relay);
	ck_assert_uint_eq(left_count, 1);
	ck_assert_uint_eq(last_left, session);
}
END_TEST

START_TEST(the_requests_of_one_caller_are_bounded)
{
	struct client c = log_in(0);
	struct control_answer answer;

	for (int i = 0; i < 2 * RELAY_REQUESTS_OF_ONE; i++)
		ask(&c);
	ck_assert_uint_eq(passed, RELAY_REQUESTS_OF_ONE);
	ck_assert_uint_eq(stats.throttled, RELAY_REQUESTS_OF_ONE);
	send_answers();
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 5);
	ck_assert_ptr_nonnull(strstr(world_last(NOTE_ANSWER)->text, "ThrottlingException"));
	answer = answer_to(&last);
	relay_answer(relay, &answer);
	ask(&c);
	ck_assert_uint_eq(passed, RELAY_REQUESTS_OF_ONE + 1);
}
END_TEST

START_TEST(the_bytes_of_one_caller_are_bounded)
{
	struct client c = log_in(0);
	char *text = calloc(1, REQUEST_MAX);
	struct view payload = { (uint8_t *)text, REQUEST_MAX };

	for (int i = 0; i < 100; i++)
		relay_request(relay, &c, payload, NULL);
	ck_assert_uint_eq(passed, RELAY_BYTES_OF_ONE / REQUEST_MAX);
	free(text);
}
END_TEST

START_TEST(requests_that_are_answered_are_not_bounded)
{
	struct client c = log_in(0);

	answers_at_once = true;
	for (int i = 0; i < 5000; i++)
		ask(&c);
	ck_assert_uint_eq(passed, 5000);
	ck_assert_uint_eq(stats.throttled, 0);
}
END_TEST

START_TEST(a_request_that_was_not_carried_out_gets_few_answers)
{
	struct client c = log_in(0);

	for (int i = 0; i < 100; i++) {
		struct control_answer answer;

		ask(&c);
		answer = answer_to(&last);
		answer.throttled = true;
		relay_answer(relay, &answer);
	}
	send_answers();
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 5);
	ck_assert_uint_eq(stats.throttled, 100);
	ck_assert_uint_eq(stats.unanswered, 95);
}
END_TEST

START_TEST(a_request_without_rights_is_not_passed_on)
{
	struct client c = { .handle = &clients[0], .id = "d1", .address = "::1", .x = device->x };

	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_ALLOW);
	c.user_name = world_hex(device);
	ask(&c);
	ck_assert_uint_eq(passed, 0);
	ck_assert_uint_eq(stats.denied, 1);
	ck_assert(world_said("request denied: reason=\"not an administrator\""));
	send_answers();
	ck_assert_ptr_nonnull(strstr(world_last(NOTE_ANSWER)->text, "AccessDeniedException"));
}
END_TEST

/*
 * Answers of the broker's process go where the answers of the api go.
 */

static struct client
without_rights(void)
{
	struct client c = { .handle = &clients[0], .id = "d1", .address = "::1", .x = device->x };

	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_ALLOW);
	c.user_name = world_hex(device);
	return c;
}

static void
ask_on(const struct client *c, const char *response_topic)
{
	char topic[16];

	(void)snprintf(topic, sizeof(topic), "%s", response_topic);
	relay_request(relay, c, view_of("x"), topic);
	memset(topic, 'z', sizeof(topic) - 1); /* it was borrowed for the call */
}

static void
cause_not_running(void)
{
	struct client c = log_in(0);

	request_result = ERR_STORAGE;
	ask_on(&c, "a/b");
}

static void
cause_no_room(void)
{
	struct client c = log_in(0);

	request_result = ERR_BUSY;
	ask_on(&c, "a/b");
}

static void
cause_throttled(void)
{
	struct client c = log_in(0);
	struct control_answer answer;

	ask_on(&c, "a/b");
	answer = answer_to(&last);
	answer.throttled = true;
	relay_answer(relay, &answer);
}

static void
cause_lost(void)
{
	struct client c = log_in(0);

	ask_on(&c, "a/b");
	relay_requests_lost(relay);
}

static const struct own_answer {
	void (*cause)(void);
	const char *text;
} own_answers[] = {
	{ cause_not_running, "nothing was changed" },
	{ cause_no_room, "ThrottlingException" },
	{ cause_throttled, "ThrottlingException" },
	{ cause_lost, "whether this was carried out is not known" },
};

/* A client without rights does not choose where an answer goes. */
START_TEST(a_refusal_without_rights_goes_to_no_response_topic)
{
	struct client c = without_rights();

	ask_on(&c, "a/b");
	send_answers();
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 1);
	ck_assert_str_eq(world_note(NOTE_ANSWER, 0)->topic, CONTROL_RESPONSE_TOPIC);
}
END_TEST

START_TEST(an_answer_without_the_api_goes_to_the_response_topic_too)
{
	own_answers[_i].cause();
	send_answers();
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 2);
	ck_assert_str_eq(world_note(NOTE_ANSWER, 0)->topic, CONTROL_RESPONSE_TOPIC);
	ck_assert_str_eq(world_note(NOTE_ANSWER, 1)->topic, "a/b");
	for (size_t i = 0; i < 2; i++)
		ck_assert_ptr_nonnull(
		    strstr(world_note(NOTE_ANSWER, i)->text, own_answers[_i].text));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay");
	TCase *t = suite_case(suite, "relay");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_request_is_passed_on_with_its_caller);
	tcase_add_test(t, an_administrator_is_known_by_its_certificate);
	tcase_add_test(t, a_request_that_is_too_long_is_passed_on_without_its_bytes);
	tcase_add_test(t, an_answer_goes_to_the_connection_that_asked);
	tcase_add_test(t, large_answers_are_sent_some_at_each_tick);
	tcase_add_test(t, an_answer_to_no_request_is_dropped);
	tcase_add_test(t, the_end_of_a_connection_with_requests_is_told_once);
	tcase_add_test(t, a_connection_in_the_place_of_another_is_found_by_the_tick);
	tcase_add_test(t, the_requests_of_one_caller_are_bounded);
	tcase_add_test(t, the_bytes_of_one_caller_are_bounded);
	tcase_add_test(t, requests_that_are_answered_are_not_bounded);
	tcase_add_test(t, a_request_that_was_not_carried_out_gets_few_answers);
	tcase_add_test(t, a_request_without_rights_is_not_passed_on);
	tcase_add_loop_test(t, an_answer_without_the_api_goes_to_the_response_topic_too, 0,
	    COUNT_OF(own_answers));
	tcase_add_test(t, a_refusal_without_rights_goes_to_no_response_topic);

	return suite_run(suite);
}
