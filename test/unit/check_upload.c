/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_upload.c - lists in parts: in order, bounded, and dropped when no more parts come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/adapter/crl.h"
#include "suite.h"
#include "upload.h"

static struct uploads *uploads;
static struct diag diag;
static int64_t now;
static uint8_t *whole;
static size_t len;

static void
set_up(void)
{
	ck_assert_int_eq(uploads_open(&uploads), ERR_OK);
	diag.text[0] = '\0';
	now = 1000000;
	whole = NULL;
	len = 0;
}

static void
tear_down(void)
{
	free(whole);
	uploads_close(uploads);
}

static enum err
add_of(const char *owner, const char *id, uint8_t of, size_t part, size_t parts, struct view bytes)
{
	struct upload_part p = { .owner = owner,
		.id = view_of(id),
		.ca_id = { { of } },
		.part = part,
		.parts = parts,
		.bytes = bytes };

	free(whole);
	return uploads_add(uploads, &p, now, &whole, &len, &diag);
}

static enum err
add(const char *owner, const char *id, size_t part, size_t parts, const char *bytes)
{
	return add_of(owner, id, 1, part, parts, view_of(bytes));
}

/* All parts are there, and these are the bytes. */
static void
ck_whole(const char *bytes)
{
	ck_assert_ptr_nonnull(whole);
	ck_assert_uint_eq(len, strlen(bytes));
	ck_assert_mem_eq(whole, bytes, len);
}

START_TEST(parts_in_order_make_a_whole)
{
	ck_assert_int_eq(add("c1", "u", 1, 3, "one "), ERR_OK);
	ck_assert_ptr_null(whole);
	ck_assert_int_eq(add("c1", "u", 2, 3, "two "), ERR_OK);
	ck_assert_ptr_null(whole);
	ck_assert_uint_eq(uploads_count(uploads), 1);
	ck_assert_int_eq(add("c1", "u", 3, 3, "three"), ERR_OK);
	ck_whole("one two three");
	ck_assert_uint_eq(uploads_count(uploads), 0);
}
END_TEST

START_TEST(an_upload_may_have_one_part)
{
	ck_assert_int_eq(add("c1", "u", 1, 1, "all"), ERR_OK);
	ck_whole("all");
	ck_assert_uint_eq(uploads_count(uploads), 0);
}
END_TEST

START_TEST(an_upload_may_have_the_largest_number_of_parts)
{
	for (size_t n = 1; n <= UPLOAD_PARTS_MAX; n++) {
		must(add("c1", "u", n, UPLOAD_PARTS_MAX, "x") == ERR_OK);
		must((whole != NULL) == (n == UPLOAD_PARTS_MAX));
	}
	ck_assert_uint_eq(len, UPLOAD_PARTS_MAX);
}
END_TEST

START_TEST(uploads_are_told_apart_by_client_and_by_name)
{
	char longest[UPLOAD_ID_MAX + 1];

	memset(longest, 'u', UPLOAD_ID_MAX);
	longest[UPLOAD_ID_MAX] = '\0';
	ck_assert_int_eq(add("c1", "u", 1, 2, "a"), ERR_OK);
	ck_assert_int_eq(add("c1", longest, 1, 2, "b"), ERR_OK);
	ck_assert_int_eq(add("c2", "u", 1, 2, "c"), ERR_OK);
	ck_assert_int_eq(add("c2", longest, 1, 2, "d"), ERR_OK);
	ck_assert_int_eq(add("c1", "u", 2, 2, "1"), ERR_OK);
	ck_whole("a1");
	ck_assert_int_eq(add("c2", longest, 2, 2, "4"), ERR_OK);
	ck_whole("d4");
	ck_assert_int_eq(add("c1", longest, 2, 2, "2"), ERR_OK);
	ck_whole("b2");
	ck_assert_int_eq(add("c2", "u", 2, 2, "3"), ERR_OK);
	ck_whole("c3");
}
END_TEST

START_TEST(another_connection_cannot_continue_an_upload)
{
	struct upload_part p = { .owner = "c1",
		.session = 1,
		.id = view_of("u"),
		.ca_id = { { 1 } },
		.part = 1,
		.parts = 2,
		.bytes = view_of("a") };

	ck_assert_int_eq(uploads_add(uploads, &p, now, &whole, &len, &diag), ERR_OK);
	p.session = 2;
	p.part = 2;
	ck_assert_int_eq(uploads_add(uploads, &p, now, &whole, &len, &diag), ERR_REQUEST);
	p.session = 1;
	ck_assert_int_eq(uploads_add(uploads, &p, now, &whole, &len, &diag), ERR_OK);
	ck_whole("aa");
}
END_TEST

START_TEST(part_one_restarts_an_upload)
{
	ck_assert_int_eq(add("c1", "u", 1, 3, "wrong "), ERR_OK);
	ck_assert_int_eq(add("c1", "u", 2, 3, "way "), ERR_OK);
	ck_assert_int_eq(add_of("c1", "u", 2, 1, 2, view_of("right ")), ERR_OK);
	ck_assert_uint_eq(uploads_count(uploads), 1);
	ck_assert_int_eq(add_of("c1", "u", 2, 2, 2, view_of("way")), ERR_OK);
	ck_whole("right way");
}
END_TEST

/* Parts that do not fit after part 1 of 3. */
static const struct {
	uint8_t of;
	size_t part, parts;
	const char *owner, *id;
} strays[] = {
	{ 1, 3, 3, "c1", "u" }, /* one is missing */
	{ 1, 2, 4, "c1", "u" }, /* of another number of parts */
	{ 2, 2, 3, "c1", "u" }, /* of another CA */
	{ 1, 2, 3, "c2", "u" }, /* of another owner */
	{ 1, 2, 3, "c1", "v" }, /* of another upload */
};

START_TEST(a_part_that_does_not_fit_is_refused_and_drops_the_upload)
{
	bool other = strcmp(strays[_i].owner, "c1") != 0 || strcmp(strays[_i].id, "u") != 0;

	ck_assert_int_eq(add("c1", "u", 1, 3, "x"), ERR_OK);
	ck_assert_int_eq(add_of(strays[_i].owner, strays[_i].id, strays[_i].of, strays[_i].part,
			     strays[_i].parts, view_of("y")),
	    ERR_REQUEST);
	ck_assert_ptr_nonnull(strstr(diag.text, "begin again with part 1"));
	ck_assert_ptr_null(whole);
	ck_assert_uint_eq(uploads_count(uploads), other ? 1 : 0);
	ck_assert_int_eq(add("c1", "u", 2, 3, "y"), other ? ERR_OK : ERR_REQUEST);
}
END_TEST

START_TEST(a_repeated_part_is_refused)
{
	ck_assert_int_eq(add("c1", "u", 1, 3, "x"), ERR_OK);
	ck_assert_int_eq(add("c1", "u", 2, 3, "y"), ERR_OK);
	ck_assert_int_eq(add("c1", "u", 2, 3, "y"), ERR_REQUEST);
	ck_assert_ptr_nonnull(strstr(diag.text, "Part 2 of 3"));
	ck_assert_int_eq(add("c1", "u", 3, 3, "z"), ERR_REQUEST);
	ck_assert_uint_eq(uploads_count(uploads), 0);
}
END_TEST

START_TEST(the_uploads_of_one_owner_are_bounded)
{
	char id[8];

	for (int n = 0; n < UPLOADS_OF_ONE_MAX; n++) {
		snprintf(id, sizeof(id), "u%d", n);
		ck_assert_int_eq(add("c1", id, 1, 2, "x"), ERR_OK);
	}
	ck_assert_int_eq(add("c1", "one more", 1, 2, "x"), ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(diag.text, "try again"));
	ck_assert_int_eq(add("c1", "u0", 1, 2, "x"), ERR_OK); /* restarts, in its place */
	ck_assert_int_eq(add("c1", "u2", 2, 2, "x"), ERR_OK);
	ck_assert_int_eq(add("c1", "one more", 1, 2, "x"), ERR_OK);
	ck_assert_uint_eq(uploads_count(uploads), UPLOADS_OF_ONE_MAX);
}
END_TEST

/* Uploads of several owners, each begun a moment after the one before. */
static void
fill(size_t owners, int uploads_of_each)
{
	char owner[24], id[24];

	for (size_t o = 0; o < owners; o++)
		for (int n = 0; n < uploads_of_each; n++) {
			snprintf(owner, sizeof(owner), "o%zu", o);
			snprintf(id, sizeof(id), "u%d", n);
			ck_assert_int_eq(add(owner, id, 1, 3, "x"), ERR_OK);
			now++;
		}
}

/* A few callers cannot use up all places. */
START_TEST(an_owner_of_many_loses_one_to_an_owner_of_none)
{
	fill(UPLOADS_MAX / UPLOADS_OF_ONE_MAX, UPLOADS_OF_ONE_MAX);
	ck_assert_uint_eq(uploads_count(uploads), UPLOADS_MAX);
	ck_assert_int_eq(add("late", "u", 1, 3, "x"), ERR_OK);
	ck_assert_uint_eq(uploads_count(uploads), UPLOADS_MAX);
	ck_assert_int_eq(add("late", "u", 2, 3, "x"), ERR_OK);
	ck_assert_int_eq(add("o0", "u0", 2, 3, "x"), ERR_REQUEST); /* the oldest of all */
	ck_assert_int_eq(add("o0", "u1", 2, 3, "x"), ERR_OK);
	ck_assert_int_eq(add("o1", "u0", 2, 3, "x"), ERR_OK);
}
END_TEST

/* Among owners of one upload each only an idle one is replaced, and only by an owner that
 * has none. */
START_TEST(an_active_upload_is_not_replaced_by_an_equal_owner)
{
	fill(UPLOADS_MAX, 1);
	ck_assert_int_eq(add("late", "u", 1, 3, "x"), ERR_LIMIT);
	now += UPLOAD_IDLE_MS;
	ck_assert_int_eq(add("o3", "u0", 2, 3, "x"), ERR_OK);
	ck_assert_int_eq(add("o3", "u1", 1, 3, "x"), ERR_LIMIT);
	ck_assert_int_eq(add("late", "u", 1, 3, "x"), ERR_OK);
	ck_assert_int_eq(add("o0", "u0", 2, 3, "x"), ERR_REQUEST);
	ck_assert_int_eq(add("o3", "u0", 3, 3, "x"), ERR_OK);
	ck_whole("xxx");
}
END_TEST

START_TEST(an_upload_without_a_part_for_a_minute_is_dropped)
{
	ck_assert_int_eq(add("c1", "u", 1, 3, "x"), ERR_OK);
	now += UPLOAD_TIMEOUT_MS;
	uploads_tick(uploads, now);
	ck_assert_int_eq(add("c1", "u", 2, 3, "y"), ERR_OK);
	now += UPLOAD_TIMEOUT_MS; /* since the last part */
	uploads_tick(uploads, now);
	ck_assert_uint_eq(uploads_count(uploads), 1);
	uploads_tick(uploads, now + 1);
	ck_assert_uint_eq(uploads_count(uploads), 0);
	ck_assert_int_eq(add("c1", "u", 3, 3, "z"), ERR_REQUEST);
}
END_TEST

/* The time since the last part is not known then. */
START_TEST(a_clock_that_is_set_back_ends_uploads)
{
	ck_assert_int_eq(add("c1", "u", 1, 2, "x"), ERR_OK);
	uploads_tick(uploads, now - 1);
	ck_assert_uint_eq(uploads_count(uploads), 0);
}
END_TEST

#define CHUNK ((size_t)8 << 20)

/* One owner: the bytes of the largest list; all owners: twice that. */
START_TEST(bytes_are_bounded_of_each_owner_and_of_all)
{
	uint8_t *chunk = calloc(1, CHUNK);
	struct view bytes = { chunk, CHUNK };
	size_t count = CRL_DER_MAX / CHUNK;

	ck_assert_ptr_nonnull(chunk);
	for (size_t n = 1; n < count; n++)
		ck_assert_int_eq(add_of("c1", "u", 1, n, count + 1, bytes), ERR_OK);
	ck_assert_int_eq(add_of("c1", "v", 1, 1, 2, bytes), ERR_OK);
	ck_assert_int_eq(add("c1", "w", 1, 2, "x"), ERR_LIMIT); /* one byte too many */
	ck_assert_ptr_nonnull(strstr(diag.text, "134217728 bytes"));
	for (size_t n = 1; n <= count; n++)
		ck_assert_int_eq(add_of("c2", "u", 1, n, count + 1, bytes), ERR_OK);
	ck_assert_int_eq(add("c3", "u", 1, 2, "x"), ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(diag.text, "268435456 bytes"));
	now += UPLOAD_IDLE_MS; /* now the larger one is replaced */
	ck_assert_int_eq(add("c3", "u", 1, 2, "x"), ERR_OK);
	ck_assert_uint_eq(uploads_count(uploads), 3);
	free(chunk);
}
END_TEST

START_TEST(the_largest_list_fits)
{
	uint8_t *chunk = calloc(1, CHUNK);
	size_t count = CRL_DER_MAX / CHUNK;

	ck_assert_ptr_nonnull(chunk);
	for (size_t n = 1; n <= count; n++)
		ck_assert_int_eq(add_of("c1", "u", 1, n, count, (struct view){ chunk, CHUNK }),
		    ERR_OK);
	ck_assert_ptr_nonnull(whole);
	ck_assert_uint_eq(len, CRL_DER_MAX);
	free(chunk);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("upload");
	TCase *t = suite_case(suite, "parts"), *l = suite_case(suite, "limits");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, parts_in_order_make_a_whole);
	tcase_add_test(t, an_upload_may_have_one_part);
	tcase_add_test(t, an_upload_may_have_the_largest_number_of_parts);
	tcase_add_test(t, uploads_are_told_apart_by_client_and_by_name);
	tcase_add_test(t, another_connection_cannot_continue_an_upload);
	tcase_add_test(t, part_one_restarts_an_upload);
	tcase_add_loop_test(t, a_part_that_does_not_fit_is_refused_and_drops_the_upload, 0,
	    COUNT_OF(strays));
	tcase_add_test(t, a_repeated_part_is_refused);
	tcase_add_checked_fixture(l, set_up, tear_down);
	tcase_add_test(l, the_uploads_of_one_owner_are_bounded);
	tcase_add_test(l, an_upload_without_a_part_for_a_minute_is_dropped);
	tcase_add_test(l, a_clock_that_is_set_back_ends_uploads);
	tcase_add_test(l, an_owner_of_many_loses_one_to_an_owner_of_none);
	tcase_add_test(l, an_active_upload_is_not_replaced_by_an_equal_owner);
	tcase_add_test(l, bytes_are_bounded_of_each_owner_and_of_all);
	tcase_add_test(l, the_largest_list_fits);
	return suite_run(suite);
}
