/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_request_budget.c - the cost of requests is bounded, for callers with and without
 * rights: answers, lines of the log, time of the broker's thread, memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/pattern.h"
#include "requests.h"
#include "suite.h"

#define LIMIT "LimitExceededException"

static struct client
nobody(const char *id)
{
	return (struct client){ .id = id, .user_name = "somebody", .address = "::1" };
}

static void
ask_as(const struct client *c, const char *text)
{
	post(c, view_of(expand(text)), NULL);
}

/* Ticks until all requests are answered; returns the number of ticks. */
static int
tick_until(size_t answers)
{
	int ticks = 0;

	while (world_count(NOTE_ANSWER) < answers) {
		ck_assert_int_lt(ticks++, 100000);
		world_wait(10);
		requests_tick();
		world_settle();
	}
	return ticks;
}

/* The same command, as often as a request may have commands. */
static const char *
commands(const char *command, int count)
{
	static char text[65536];
	int len = snprintf(text, sizeof(text), "{'commands':[");

	for (int i = 0; i < count; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s", i > 0 ? "," : "",
		    command);
	snprintf(text + len, sizeof(text) - (size_t)len, "]}");
	return text;
}

/*
 * Without rights.
 */

/* The broker keeps for good an answer that does not fit into a client's queue: one that
 * floods and never reads is answered a few times and then never again, and the log is
 * told how often it tried. */
START_TEST(a_flood_without_rights_gets_few_answers)
{
	struct client c = nobody("flood");

	for (int i = 0; i < 10000; i++)
		ask_as(&c, "{'commands':[{'command':'getRegistrationCode'}]}");
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 5);
	ck_assert_uint_le(world_count(NOTE_LINE), 5);
	ck_assert_uint_eq(stats.denied, 10000);
	ck_assert_uint_eq(stats.unanswered, 9995);
	world_wait(10000);
	requests_tick();
	ck_assert(world_said("requests denied: 9995 more in the last 10 s"));
	ask_as(&c, "{'commands':[{'command':'getRegistrationCode'}]}");
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 6); /* after a pause */
}
END_TEST

START_TEST(all_clients_without_rights_are_bounded_together)
{
	char id[32];

	for (int i = 0; i < 2000; i++) {
		struct client c = nobody(id);

		snprintf(id, sizeof(id), "c%d", i);
		ask_as(&c, "{'commands':[{'command':'getRegistrationCode'}]}");
	}
	ck_assert_uint_le(world_count(NOTE_ANSWER), 20);
	ck_assert_uint_le(world_count(NOTE_LINE), 5);
}
END_TEST

/* A client chooses neither the topic of its refusal nor its text. */
START_TEST(the_answer_without_rights_repeats_nothing_of_the_request)
{
	struct client c = nobody("c2");

	post(&c, view_of("{\"commands\":[{\"command\":\"echo\",\"correlationData\":\"echo\"}]}"),
	    "echo");
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 1);
	ck_assert_str_eq(world_last(NOTE_ANSWER)->topic, "$CONTROL/jitr/v1/response");
	ck_assert_ptr_null(strstr(world_last(NOTE_ANSWER)->text, "echo"));
}
END_TEST

/* Answers to a topic that cannot be published to are an error each, and a line each. */
START_TEST(answers_that_cannot_be_sent_do_not_fill_the_log)
{
	struct client c = admin();

	world.answer_result = ERR_REQUEST;
	for (int i = 0; i < 1000; i++)
		post(&c, view_of("garbage"), "a/#");
	ck_assert(world_said("a request could not be answered"));
	ck_assert_uint_le(world_count(NOTE_LINE), 5);
}
END_TEST

/*
 * Time of the broker's thread.
 */

/* Each reading of the clock takes a millisecond: a slice has room for three. */
START_TEST(a_long_request_is_carried_out_in_slices)
{
	struct client c = admin();

	ask("{'command':'createThing','thingName':'t'}");
	world_forget();
	world.look_us = 1000;
	ask_as(&c, commands("{'command':'describeThing','thingName':'t'}", 50));
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 0);
	ck_assert_int_ge(tick_until(1), 10);
	parse_answer();
	ck_assert_int_eq(response_count(), 50);
	for (int i = 0; i < 50; i++)
		ck_assert_str_eq(member(data(i), "thingName"), "t");
}
END_TEST

/* The requests of one caller do not delay another's. */
START_TEST(callers_take_turns)
{
	struct client c = admin(),
		      d = { .handle = &d, .id = "d1", .address = "::1", .x = device->x };

	admin_certificate = world_id(device);
	requests_stop();
	requests_start(64);
	world_put_cert(device, ca, CERT_ACTIVE);
	ck_assert_int_eq(gate_connect(gate, &d), VERDICT_ALLOW);
	d.user_name = world_hex(device);
	world.look_us = 1000;
	for (int i = 0; i < 20; i++)
		ask_as(&c, commands("{'command':'listThings'}", 20));
	ask_as(&d, "{'commands':[{'command':'listThings'}]}");
	(void)tick_until(21);
	for (size_t i = 0; strcmp(world_note(NOTE_ANSWER, i)->to, "d1") != 0; i++)
		ck_assert_uint_lt(i, 3);
}
END_TEST

/* It waits behind a long one of the same caller. */
START_TEST(a_request_is_not_carried_out_if_its_caller_left_before_its_turn)
{
	struct client c = admin();

	c.handle = &c;
	c.name_to_check = true;
	(void)gate_connect(gate, &c);
	world.look_us = 1000;
	ask_as(&c, commands("{'command':'listThings'}", 50));
	ask_as(&c, "{'commands':[{'command':'createThing','thingName':'t'}]}");
	relay_disconnected(relay, &c);
	gate_disconnected(gate, &c, &(struct presence_end){ ANSWER_NO, NULL });
	while (api_is_busy(api)) {
		world_wait(10);
		requests_tick();
		world_settle();
	}
	world.look_us = 0;
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 0);
	ck_assert_uint_eq(stats.denied, 1);
	ask("{'command':'describeThing','thingName':'t'}");
	ck_error(0, "ResourceNotFoundException", "t");
}
END_TEST

START_TEST(a_request_that_takes_too_long_is_stopped_with_an_error)
{
	struct client c = admin();

	world.look_us = 30000;
	ask_as(&c, commands("{'command':'listThings'}", 50));
	(void)tick_until(1);
	parse_answer();
	ck_assert_int_eq(response_count(), 50);
	ck_error(49, LIMIT, "takes too long");
}
END_TEST

/* A change that was not begun is answered with an error; changes that were made are logged. */
START_TEST(changes_that_are_stopped_are_not_made)
{
	struct client c = admin();
	bool done = true;

	world.look_us = 30000;
	ask_as(&c,
	    commands("{'command':'listThings'},{'command':'createPolicy','policyName':'p',"
		     "'policyDocument':'<doc>'},{'command':'deletePolicy','policyName':'p'}",
		10));
	(void)tick_until(1);
	world.look_us = 0;
	parse_answer();
	ck_assert_int_eq(response_count(), 30);
	for (int i = 0; i < 30; i++) {
		bool here = cJSON_IsObject(data(i));

		ck_assert(done || !here);
		if (!here)
			ck_error(i, LIMIT, "takes too long");
		done = here;
	}
	ck_assert(!done);
}
END_TEST

/*
 * Answers.
 */

/* Fifty attributes of 800 bytes, as AWS allows to a thing with a type: 41 KB. */
static struct view
large_attributes(void)
{
	static uint8_t packed[50 * (1 + 3 + 2 + 800)];
	uint8_t *at = packed;

	for (int i = 0; i < 50; i++) {
		char name[8];

		snprintf(name, sizeof(name), "a%02d", i);
		*at++ = 3;
		memcpy(at, name, 3);
		at[3] = 800 >> 8;
		at[4] = 800 & 0xff;
		memset(at + 5, 'v', 800);
		at += 5 + 800;
	}
	return (struct view){ packed, sizeof(packed) };
}

static void
put_large_things(int count)
{
	struct txn txn;
	char name[32];

	world_change(&txn);
	for (int i = 0; i < count; i++) {
		struct thing thing = { .version = 1,
			.created = 1,
			.modified = 1,
			.type_name = view_of("large"),
			.attributes = large_attributes() };

		snprintf(name, sizeof(name), "t%06d", i);
		thing.name = view_of(name);
		store_put_thing(&txn, &thing);
	}
	world_commit(&txn);
}

static size_t
answer_length(void)
{
	return world_last(NOTE_ANSWER)->text_len;
}

/* A page ends where it becomes too large, with the token of the next one: nothing is
 * lost, and no answer is larger than a few of them. */
START_TEST(a_page_of_large_things_ends_early)
{
	char text[400], token[300] = "";
	int found = 0, pages = 0;

	put_large_things(20);
	do {
		snprintf(text, sizeof(text), "{'command':'listThings','maxResults':250%s%s%s}",
		    token[0] != '\0' ? ",'nextToken':'" : "", token, token[0] != '\0' ? "'" : "");
		ask(text);
		ck_assert_uint_lt(answer_length(), 256 * 1024);
		found += cJSON_GetArraySize(cJSON_GetObjectItem(data(0), "things"));
		snprintf(token, sizeof(token), "%s", member(data(0), "nextToken"));
		pages++;
	} while (strcmp(token, "(none)") != 0);
	ck_assert_int_eq(found, 20);
	ck_assert_int_ge(pages, 5);
}
END_TEST

/* Fifty lists of large things in one request: each has something, or says that it is too
 * much, and the whole is what a packet can carry. */
START_TEST(an_answer_is_bounded_over_all_commands)
{
	struct client c = admin();
	int errors = 0;

	put_large_things(50);
	ask_as(&c, commands("{'command':'listThings','maxResults':250}", 50));
	(void)tick_until(1);
	parse_answer();
	ck_assert_uint_le(answer_length(), REQUEST_ANSWER_MAX + 50 * 1024);
	ck_assert_int_eq(response_count(), 50);
	for (int i = 0; i < 50; i++) {
		if (data(i) != NULL)
			ck_assert_str_ne(member(data(i), "nextToken"), "(none)");
		else
			ck_error(i, LIMIT, "too large");
		errors += data(i) == NULL;
	}
	ck_assert_int_gt(errors, 0);
	ck_assert_int_lt(errors, 50);
}
END_TEST

/* A filter that finds nothing stops after a number of bytes and returns a token. */
START_TEST(a_filter_looks_at_a_bounded_number_of_bytes)
{
	put_large_things(60);
	ask("{'command':'listThings','thingTypeName':'none'}");
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(data(0), "things")), 0);
	ck_assert_str_ne(member(data(0), "nextToken"), "(none)");
}
END_TEST

/* White space does not count for the length of a policy, but is sent. */
static void
put_spacious_policy(void)
{
	size_t len = 390000;
	char *text = malloc(len + 400);
	struct client c = admin();
	int head = sprintf(text,
	    "{\"commands\":[{\"command\":\"createPolicy\",\"policyName\":\"p\","
	    "\"policyDocument\":\"");

	memset(text + head, ' ', len);
	strcpy(text + (size_t)head + len,
	    "{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[]}\"}]}");
	send_as(&c, view_of(text));
	ck_assert_str_eq(member(data(0), "policyName"), "p");
	free(text);
}

START_TEST(a_response_that_does_not_fit_is_an_error_of_its_command)
{
	struct client c = admin();

	put_spacious_policy();
	world_forget();
	ask_as(&c, commands("{'command':'getPolicy','policyName':'p'}", 4));
	(void)tick_until(1);
	parse_answer();
	ck_assert_str_eq(member(data(1), "policyName"), "p");
	ck_error(2, LIMIT, "ask for less at a time");
	ck_error(3, LIMIT, "ask for less at a time");
	ck_assert_str_eq(member(response(3), "command"), "getPolicy");
}
END_TEST

/* What a client does not read stays in the broker's memory.  The broker does not say
 * whether it reads: so much is sent at once, then so much a second, and requests beyond
 * what may wait are refused, five times. */
START_TEST(the_bytes_that_a_caller_is_sent_are_bounded)
{
	struct client c = admin();
	size_t sent = 0, answers = 0, refused = 0;
	const struct note *n;

	put_spacious_policy();
	world_forget();
	for (int i = 0; i < 2000; i++)
		ask_as(&c, "{'commands':[{'command':'getPolicy','policyName':'p'}]}");
	for (size_t i = 0; (n = world_note(NOTE_ANSWER, i)) != NULL; i++) {
		sent += n->text_len;
		refused += strstr(n->text, "ThrottlingException") != NULL;
		answers++;
	}
	ck_assert_uint_lt(sent, ANSWERS_OF_ONE_MAX + 500000);
	ck_assert_uint_gt(sent, ANSWERS_OF_ONE_MAX / 2);
	ck_assert_uint_eq(refused, 5);
	ck_assert_uint_gt(stats.throttled, 900);
	ck_assert_uint_eq(stats.unanswered, stats.throttled - 5);
	world_wait(1000);
	for (int i = 0; i < 100; i++) /* 64 KiB each */
		requests_tick();
	for (sent = 0; (n = world_note(NOTE_ANSWER, answers)) != NULL; answers++)
		sent += n->text_len;
	ck_assert_uint_gt(sent, 1000000);
	ck_assert_uint_lt(sent, ANSWERS_OF_ONE_A_SECOND + 500000);
}
END_TEST

/*
 * Steps of policies.
 */

/* One evaluation takes all steps. */
static void
put_costly_policies(int count)
{
	char text[4000], name[32];
	struct client c = admin();

	for (int i = 0; i < count; i++) {
		int len = snprintf(text, sizeof(text),
		    "{'commands':[{'command':'createPolicy',"
		    "'policyName':'costly%d','policyDocument':'{\\'Version\\':\\'2012-10-17\\',"
		    "\\'Statement\\':{\\'Effect\\':\\'Allow\\',\\'Action\\':\\'iot:*\\',"
		    "\\'Resource\\':\\'<arn>topic/*",
		    i);

		for (int n = 0; n < 900; n++)
			text[len + n] = n % 2 == 0 ? '?' : 'a';
		strcpy(text + len + 900, "?b*\\'}}'}]}");
		send_as(&c, view_of(expand(text)));
		snprintf(name, sizeof(name), "costly%d", i);
		ck_assert_str_eq(member(data(0), "policyName"), name);
	}
}

static const char *
trial_of(int policies, int resources)
{
	static char text[65536];
	int len = snprintf(text, sizeof(text),
	    "{'commands':[{'command':'testAuthorization',"
	    "'policyNamesToAdd':[");

	for (int i = 0; i < policies; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s'costly%d'",
		    i > 0 ? "," : "", i);
	len += snprintf(text + len, sizeof(text) - (size_t)len,
	    "],'authInfos':[{'actionType':"
	    "'PUBLISH','resources':[");
	for (int i = 0; i < resources; i++) {
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s'<arn>topic/",
		    i > 0 ? "," : "");
		memset(text + len, 'a', 1900);
		len += 1900;
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%d'", i);
	}
	snprintf(text + len, sizeof(text) - (size_t)len, "]}]}]}");
	return text;
}

START_TEST(costly_policies_use_up_the_steps_of_a_request)
{
	struct client c = admin();

	put_costly_policies(10);
	world_forget();
	ask_as(&c, trial_of(10, 10));
	(void)tick_until(1);
	parse_answer();
	ck_error(0, LIMIT, "too many steps");
}
END_TEST

/* Fewer questions are answered in several slices, with the same result as in one. */
START_TEST(a_trial_goes_on_in_the_next_slice)
{
	struct client c = admin();
	char *at_once;

	put_costly_policies(2);
	ask_as(&c, trial_of(2, 2));
	at_once = strdup(world_last(NOTE_ANSWER)->text);
	ck_assert_ptr_nonnull(strstr(at_once, "\"authDecision\":\"IMPLICIT_DENY\""));
	world_forget();
	world.look_us = 1500;
	ask_as(&c, trial_of(2, 2));
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 0);
	ck_assert_int_ge(tick_until(1), 2);
	ck_assert_str_eq(world_last(NOTE_ANSWER)->text, at_once);
	free(at_once);
}
END_TEST

/* Its policies are deleted meanwhile. */
START_TEST(a_trial_finishes_with_the_policies_that_it_began_with)
{
	struct client c = admin();

	put_costly_policies(2);
	world_forget();
	world.look_us = 1500;
	ask_as(&c, trial_of(2, 2));
	world_wait(100);
	requests_tick();
	ask_as(&c, "{'commands':[{'command':'deletePolicy','policyName':'costly0'}]}");
	(void)tick_until(2);
	requests_stop(); /* nothing is left over */
	requests_start(64);
}
END_TEST

/* The number of policies that alone allow it: here an option overrules all together. */
static int
allowed_by(int nth)
{
	const cJSON *result = cJSON_GetArrayItem(cJSON_GetObjectItem(data(0), "authResults"), nth);

	return cJSON_GetArraySize(
	    cJSON_GetObjectItem(cJSON_GetObjectItem(result, "allowed"), "policies"));
}

START_TEST(white_space_does_not_change_a_policy)
{
	ask("{'command':'createPolicy','policyName':'wide','policyDocument':'  {\\n\\'Version\\' : "
	    "\\'2012-10-17\\' ,\\r\\n\\t \\'Statement\\':[ {\\'Effect\\':\\'Allow\\',\\'Sid\\':\\'s\\',"
	    "\\'Action\\':  \\'iot:*\\',\\'Resource\\': \\'<arn>topic/a  b\\\\\\'  c\\'  }  ]  }  '}");
	ck_assert_str_eq(member(data(0), "policyName"), "wide");
	ask("{'command':'testAuthorization','policyNamesToAdd':['wide'],'authInfos':[{'actionType':"
	    "'PUBLISH','resources':['<arn>topic/a  b\\'  c']},{'actionType':'PUBLISH','resources':["
	    "'<arn>topic/a b\\' c']}]}");
	ck_assert_int_eq(allowed_by(0), 1);
	ck_assert_int_eq(allowed_by(1), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("request_budget");
	TCase *s = suite_case(suite, "without rights"), *t = suite_case(suite, "time"),
	      *a = suite_case(suite, "answers"), *p = suite_case(suite, "steps");

	tcase_add_checked_fixture(s, requests_open, requests_close);
	tcase_add_test(s, a_flood_without_rights_gets_few_answers);
	tcase_add_test(s, all_clients_without_rights_are_bounded_together);
	tcase_add_test(s, the_answer_without_rights_repeats_nothing_of_the_request);
	tcase_add_test(s, answers_that_cannot_be_sent_do_not_fill_the_log);
	tcase_add_checked_fixture(t, requests_open, requests_close);
	tcase_add_test(t, a_long_request_is_carried_out_in_slices);
	tcase_add_test(t, callers_take_turns);
	tcase_add_test(t, a_request_is_not_carried_out_if_its_caller_left_before_its_turn);
	tcase_add_test(t, a_request_that_takes_too_long_is_stopped_with_an_error);
	tcase_add_test(t, changes_that_are_stopped_are_not_made);
	tcase_add_checked_fixture(a, requests_open, requests_close);
	tcase_add_test(a, a_page_of_large_things_ends_early);
	tcase_add_test(a, an_answer_is_bounded_over_all_commands);
	tcase_add_test(a, a_filter_looks_at_a_bounded_number_of_bytes);
	tcase_add_test(a, a_response_that_does_not_fit_is_an_error_of_its_command);
	tcase_add_test(a, the_bytes_that_a_caller_is_sent_are_bounded);
	tcase_add_checked_fixture(p, requests_open, requests_close);
	tcase_add_test(p, costly_policies_use_up_the_steps_of_a_request);
	tcase_add_test(p, a_trial_goes_on_in_the_next_slice);
	tcase_add_test(p, a_trial_finishes_with_the_policies_that_it_began_with);
	tcase_add_test(p, white_space_does_not_change_a_policy);
	return suite_run(suite);
}
