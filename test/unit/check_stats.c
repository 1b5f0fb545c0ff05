/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_stats.c - counters and gauges for monitoring (stats.h).
 *
 * Each has its topic, and is published while it is still zero, so that an alarm sees its first
 * step.
 */
#include <stdio.h>
#include <string.h>

#include "jitr/service/stats.h"
#include "suite.h"
#include "world.h"

#define NOW 1573002230757

static struct stats stats;
static struct gauges gauges;
static struct store_counts counts;
static struct crl_entry crls[STATS_CRLS_MAX + 5];

static void
set_up(void)
{
	world_open();
	memset(&stats, 0, sizeof(stats));
	memset(&counts, 0, sizeof(counts));
	memset(&crls, 0, sizeof(crls));
	gauges = (struct gauges){ .now = NOW, .counts = &counts };
}

/* The last number on this topic below the plugin's; "(none)". */
static const char *
number(const char *topic)
{
	const char *found = "(none)";

	for (size_t i = 0; world_note(NOTE_PUBLISHED, i) != NULL; i++) {
		const struct note *n = world_note(NOTE_PUBLISHED, i);

		if (strcmp(n->topic + strlen(STATS_TOPIC), topic) == 0)
			found = n->text;
	}
	return found;
}

static void
publish(void)
{
	stats_publish(&stats, &gauges, &world_broker);
}

START_TEST(every_number_is_published_from_the_start_and_retained)
{
	static const char *const topics[] = {
#define X(field, topic) topic,
		STATS_TABLE(X) WRITER_GAUGES(X) STORE_GAUGES(X)
#undef X
		    "commits/mean_us",
#define X(field, old, topic) old,
		STATS_RENAMES(X) STORE_RENAMES(X)
#undef X
	};

	publish();
	for (size_t i = 0; i < COUNT_OF(topics); i++)
		ck_assert_msg(strcmp(number(topics[i]), "0") == 0, "%s", topics[i]);
	for (size_t i = 0; world_note(NOTE_PUBLISHED, i) != NULL; i++) {
		const struct note *n = world_note(NOTE_PUBLISHED, i);

		ck_assert_int_eq(strncmp(n->topic, STATS_TOPIC, strlen(STATS_TOPIC)), 0);
		ck_assert(n->retain && n->qos == 0);
	}
}
END_TEST

START_TEST(no_topic_has_two_numbers)
{
	gauges.crls = crls;
	gauges.crl_count = 1;
	publish();
	for (size_t i = 0; world_note(NOTE_PUBLISHED, i) != NULL; i++)
		for (size_t j = 0; j < i; j++)
			must(strcmp(world_note(NOTE_PUBLISHED, i)->topic,
				 world_note(NOTE_PUBLISHED, j)->topic) != 0);
}
END_TEST

START_TEST(a_number_is_published_unchanged)
{
	stats.accepted = UINT64_MAX;
	counts.things = 17;
	publish();
	ck_assert_str_eq(number("connections/accepted"), "18446744073709551615");
	ck_assert_str_eq(number("things"), "17");
}
END_TEST

START_TEST(a_renamed_number_has_its_old_topic_too)
{
	stats.closed = 3;
	stats.shared = 4;
	stats.busy = 5;
	counts.bytes_most = 6;
	publish();
	ck_assert_str_eq(number("connections/closed"), "3");
	ck_assert_str_eq(number("connections/cut"), "3");
	ck_assert_str_eq(number("connections/shared_certificate"), "4");
	ck_assert_str_eq(number("connections/clones"), "4");
	ck_assert_str_eq(number("certificates/throttled"), "5");
	ck_assert_str_eq(number("certificates/busy"), "5");
	ck_assert_str_eq(number("database/bytes_max"), "6");
	ck_assert_str_eq(number("database/bytes_most"), "6");
	ck_assert_str_eq(stats_renames(),
	    "connections/closed (connections/cut), "
	    "connections/shared_certificate (connections/clones), "
	    "certificates/throttled (certificates/busy), "
	    "database/bytes_max (database/bytes_most)");
}
END_TEST

/*
 * Counts of another part.
 */

static void
fill(struct stats *s)
{
	memset(s, 0, sizeof(*s));
	s->accepted = 3;
	s->presence_suppressed = UINT64_MAX;
	s->refused_for[REASON_REVOKED] = 7;
	s->refused_for[REASON_COUNT - 1] = 1;
}

START_TEST(counts_of_two_parts_are_added)
{
	struct stats other, expected;
	struct stats_delta list[STATS_COUNTERS];
	size_t count;

	fill(&other);
	fill(&expected);
	stats.accepted = 10;
	expected.accepted = 13;
	stats.closed = expected.closed = 2;
	count = stats_take_delta(&other, list, STATS_COUNTERS);
	ck_assert_uint_eq(count, 4);
	ck_assert_int_eq(stats_add_delta(&stats, list, count), ERR_OK);
	ck_assert_mem_eq(&stats, &expected, sizeof(stats));
	ck_assert_uint_eq(stats_take_delta(&other, list, STATS_COUNTERS), 0);
}
END_TEST

START_TEST(every_counter_can_be_moved_alone)
{
	struct stats other = { 0 };
	struct stats_delta one;

	for (unsigned i = 0; i < STATS_COUNTERS; i++) {
		one = (struct stats_delta){ i, i + 1 };
		ck_assert_int_eq(stats_add_delta(&other, &one, 1), ERR_OK);
	}
	for (unsigned i = 0; i < STATS_COUNTERS; i++) {
		ck_assert_uint_eq(stats_take_delta(&other, &one, 1), 1);
		ck_assert_uint_eq(one.index, i);
		ck_assert_uint_eq(one.count, i + 1);
	}
	ck_assert_uint_eq(stats_take_delta(&other, &one, 1), 0);
}
END_TEST

START_TEST(an_unknown_counter_refuses_the_whole_list)
{
	static const struct stats_delta list[] = { { 0, 1 }, { STATS_COUNTERS, 1 } };
	static const struct stats_delta huge = { UINT32_MAX, 1 };
	struct stats before = stats;

	ck_assert_int_eq(stats_add_delta(&stats, list, 2), ERR_CORRUPT);
	ck_assert_int_eq(stats_add_delta(&stats, &huge, 1), ERR_CORRUPT);
	ck_assert_mem_eq(&stats, &before, sizeof(stats));
}
END_TEST

/*
 * Refusals.
 */

START_TEST(each_reason_of_refusal_has_its_code_from_the_start)
{
	char topic[100];

	publish();
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		snprintf(topic, sizeof(topic), "connections/refused/%s", reason_code(r));
		ck_assert_str_eq(number(topic), "0");
	}
	ck_assert_str_eq(number("connections/refused/"), "(none)"); /* REASON_NONE is none */
}
END_TEST

START_TEST(refusals_are_counted_by_their_code)
{
	char topic[100];
	uint64_t sum = 0;

	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
		for (int i = 0; i < (int)r; i++, sum++)
			stats_refused(&stats, r);
	publish();
	ck_assert_uint_eq(stats.refused, sum);
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		uint64_t of_code = 0;
		char expected[24];

		for (enum reason other = REASON_NONE + 1; other < REASON_COUNT; other++)
			if (strcmp(reason_code(other), reason_code(r)) == 0)
				of_code += other;
		snprintf(topic, sizeof(topic), "connections/refused/%s", reason_code(r));
		snprintf(expected, sizeof(expected), "%u", (unsigned)of_code);
		ck_assert_str_eq(number(topic), expected);
	}
}
END_TEST

/*
 * Gauges.
 */

START_TEST(certificates_are_counted_by_status)
{
	counts.certs[CERT_ACTIVE] = 4;
	counts.certs[CERT_PENDING_ACTIVATION] = 2;
	publish();
	ck_assert_str_eq(number("certificates/status/ACTIVE"), "4");
	ck_assert_str_eq(number("certificates/status/PENDING_ACTIVATION"), "2");
	ck_assert_str_eq(number("certificates/status/INACTIVE"), "0");
	ck_assert_str_eq(number("certificates/status/REVOKED"), "0");
	ck_assert_str_eq(number("certificates/status/PENDING_TRANSFER"), "0");
}
END_TEST

START_TEST(the_cost_of_commits_is_published)
{
	gauges.writer = (struct writer_state){ .waiting = 3,
		.commits = 4,
		.commit_us = 1002,
		.commit_us_max = 700,
		.commit_us_last = 90 };
	publish();
	ck_assert_str_eq(number("queue/waiting"), "3");
	ck_assert_str_eq(number("commits/count"), "4");
	ck_assert_str_eq(number("commits/max_us"), "700");
	ck_assert_str_eq(number("commits/last_us"), "90");
	ck_assert_str_eq(number("commits/mean_us"), "250");
}
END_TEST

START_TEST(without_the_registry_the_other_numbers_are_published)
{
	gauges.counts = NULL;
	publish();
	ck_assert_str_eq(number("cas"), "(none)");
	ck_assert_str_eq(number("certificates/status/ACTIVE"), "(none)");
	ck_assert_str_eq(number("connections/accepted"), "0");
	ck_assert_str_eq(number("queue/waiting"), "0");
}
END_TEST

static const char *
crl_number(const struct certid *ca_id, const char *gauge)
{
	char topic[120], hex[CERTID_HEX_SIZE];

	certid_to_hex(ca_id, hex);
	snprintf(topic, sizeof(topic), "crl/%s/%s", hex, gauge);
	return number(topic);
}

/* Seconds are rounded down: a list that is stale by a millisecond has a negative number. */
static const struct {
	int64_t next_update;
	const char *expires;
} due[] = {
	{ NOW + 86400000, "86400" },
	{ NOW + 999, "0" },
	{ NOW, "0" },
	{ NOW - 1, "-1" },
	{ NOW - 1000, "-1" },
	{ NOW - 1001, "-2" },
};

START_TEST(a_revocation_list_has_its_age_and_the_time_left)
{
	memset(&crls[0].ca_id, 0x31, sizeof(crls[0].ca_id));
	crls[0].crl = (struct crl){ .this_update = NOW - 3600500,
		.next_update = due[_i].next_update,
		.count = 1000000 };
	gauges.crls = crls;
	gauges.crl_count = 1;
	publish();
	ck_assert_str_eq(crl_number(&crls[0].ca_id, "age_seconds"), "3600");
	ck_assert_str_eq(crl_number(&crls[0].ca_id, "expires_in_seconds"), due[_i].expires);
	ck_assert_str_eq(crl_number(&crls[0].ca_id, "entries"), "1000000");
}
END_TEST

START_TEST(the_number_of_lists_published_at_once_is_limited)
{
	size_t without;

	publish();
	without = world_count(NOTE_PUBLISHED);
	gauges.crls = crls;
	gauges.crl_count = COUNT_OF(crls);
	world_forget();
	publish();
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), without + 3 * STATS_CRLS_MAX);
}
END_TEST

START_TEST(the_numbers_of_a_removed_list_are_removed)
{
	gauges.crls = crls;
	gauges.crl_count = 1;
	publish();
	ck_assert_str_eq(crl_number(&crls[0].ca_id, "entries"), "0");
	world_forget();
	stats_forget_crl(&crls[0].ca_id, &world_broker);
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 3);
	ck_assert_str_eq(crl_number(&crls[0].ca_id, "age_seconds"), "");
	ck_assert_str_eq(crl_number(&crls[0].ca_id, "expires_in_seconds"), "");
	ck_assert_str_eq(crl_number(&crls[0].ca_id, "entries"), "");
	ck_assert(world_note(NOTE_PUBLISHED, 0)->retain);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("stats");
	TCase *t = suite_case(suite, "stats");

	tcase_add_checked_fixture(t, set_up, world_close);
	tcase_add_test(t, every_number_is_published_from_the_start_and_retained);
	tcase_add_test(t, no_topic_has_two_numbers);
	tcase_add_test(t, a_number_is_published_unchanged);
	tcase_add_test(t, a_renamed_number_has_its_old_topic_too);
	tcase_add_test(t, counts_of_two_parts_are_added);
	tcase_add_test(t, every_counter_can_be_moved_alone);
	tcase_add_test(t, an_unknown_counter_refuses_the_whole_list);
	tcase_add_test(t, each_reason_of_refusal_has_its_code_from_the_start);
	tcase_add_test(t, refusals_are_counted_by_their_code);
	tcase_add_test(t, certificates_are_counted_by_status);
	tcase_add_test(t, the_cost_of_commits_is_published);
	tcase_add_test(t, without_the_registry_the_other_numbers_are_published);
	tcase_add_loop_test(t, a_revocation_list_has_its_age_and_the_time_left, 0, COUNT_OF(due));
	tcase_add_test(t, the_number_of_lists_published_at_once_is_limited);
	tcase_add_test(t, the_numbers_of_a_removed_list_are_removed);
	return suite_run(suite);
}
