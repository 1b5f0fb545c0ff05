/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_list.c - listings in pages (aws-iot 1.6).
 */
#include <stdlib.h>
#include <string.h>

#include "census.h"
#include "records.h"
#include "stores.h"

START_TEST(pages_of_any_size_give_the_same_listing)
{
	struct store *s = open_store(new_dir());
	struct certid ca_id = ca_id_number(2);
	struct txn t;

	put_certs(s, 0, 60);
	t = reading(s);
	ck_assert_uint_eq(count_listed(&t, NULL, (size_t)_i, NULL), 60);
	ck_assert_uint_eq(count_listed(&t, &ca_id, (size_t)_i, NULL), 10);
	store_end(&t);
	store_close(s);
}
END_TEST

/* Between two pages the entry at the position is deleted, and entries on both sides of it
 * are added and deleted. */
START_TEST(a_listing_continues_while_entries_are_added_and_deleted)
{
	struct store *s = open_store(new_dir());
	struct listing l = { .ascending = _i == 0 };
	struct position after;
	struct cert page[10];
	struct txn t;
	size_t count;

	put_certs(s, 100, 100);
	t = reading(s);
	ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
	store_end(&t);
	ck_assert_uint_eq(count, 10);
	after = (struct position){ page[9].created, page[9].id };
	l.after = &after;

	t = writing(s);
	store_delete_cert(&t, &page[9].id);
	store_delete_cert(&t, &page[3].id);
	put_cert_number(&t, _i == 0 ? 10 : 900); /* in the part already listed: not seen */
	put_cert_number(&t, _i == 0 ? 901 : 11); /* in the part still to be listed: seen */
	commit(&t);

	t = reading(s);
	for (size_t seen = 10; seen < 101; seen += count) {
		ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
		ck_assert_uint_eq(count, seen < 100 ? 10 : 1);
		for (size_t i = 0; i < count; i++) {
			struct position at = { page[i].created, page[i].id };

			ck_assert(_i == 0 ? compare(&after, &at) < 0 : compare(&after, &at) > 0);
			after = at;
		}
	}
	ck_assert_uint_eq(number_of(&page[0].id), _i == 0 ? 901 : 11);
	ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	store_end(&t);
	store_close(s);
}
END_TEST

/* A position comes back from a client, which may have changed it. */
static const struct {
	const char *what;
	int64_t created;
	size_t ascending, descending; /* how many of six follow it */
} positions[] = {
	{ "before 1970", INT64_MIN, 6, 0 },
	{ "just before 1970", -1, 6, 0 },
	{ "before all", 0, 6, 0 },
	{ "in the gap", CREATED + 100, 3, 3 },
	{ "after all", CREATED + 1000, 0, 6 },
	{ "at the end of time", INT64_MAX, 0, 6 },
};

START_TEST(a_position_need_not_name_an_entry)
{
	struct store *s = open_store(new_dir());
	struct position after = { positions[_i].created, id_number(77) };
	struct listing l = { .after = &after, .ascending = true };
	struct cert page[10];
	struct txn t;
	size_t count;

	put_certs(s, 0, 3);
	put_certs(s, 600, 3);
	t = reading(s);
	ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
	ck_assert_uint_eq(count, positions[_i].ascending);
	l.ascending = false;
	ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
	ck_assert_uint_eq(count, positions[_i].descending);
	ck_assert_int_eq(store_list_certs(&t, &l, page, 0, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	store_end(&t);
	store_close(s);
}
END_TEST

START_TEST(a_listing_by_ca_contains_only_that_ca)
{
	struct store *s = open_store(new_dir());
	struct listing l = { 0 };
	struct cert cert, page[10];
	struct txn t = writing(s);
	size_t count;

	/* The next ids up and down, which are neighbours in the index. */
	for (uint8_t last = 1; last <= 3; last++) {
		cert = cert_number(last);
		memset(cert.ca_id.b, 0x77, sizeof(cert.ca_id.b));
		cert.ca_id.b[31] = last;
		store_put_cert(&t, &cert, NULL);
	}
	commit(&t);
	cert.ca_id.b[31] = 2;
	l.ca = &cert.ca_id;
	t = reading(s);
	for (int ascending = 0; ascending < 2; ascending++) {
		l.ascending = ascending == 1;
		ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
		ck_assert_uint_eq(count, 1);
		ck_assert_uint_eq(number_of(&page[0].id), 2);
	}
	cert.ca_id.b[31] = 4;
	ck_assert_int_eq(store_list_certs(&t, &l, page, 10, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	store_end(&t);
	store_close(s);
}
END_TEST

#define MANY 100000

START_TEST(a_hundred_thousand_certificates_are_listed_in_order)
{
	struct store *s = open_store(new_dir());
	struct cert cert, expected;
	struct census c;
	struct txn t;

	for (uint32_t n = 0; n < MANY;) {
		t = writing(s);
		for (uint32_t batch_end = n + 5000; n < batch_end; n++) {
			cert = cert_number(n);
			store_put_cert(&t, &cert, NULL);
		}
		commit(&t);
	}
	t = reading(s);
	c = list_certs(&t, (struct filter){ NULL, NULL }, true, 1000);
	ck_assert_uint_eq(c.count, MANY);
	for (size_t i = 0; i < c.count; i++) {
		expected = cert_number(number_of(&c.at[i].id));
		ck_assert(i == 0 || compare(&c.at[i - 1], &c.at[i]) < 0);
		ck_assert(store_get_cert(&t, &c.at[i].id, &cert) == ERR_OK);
		ck_assert(cert.created == expected.created && cert.version == expected.version);
	}
	store_end(&t);
	free(c.at);
	store_close(s);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("store_list");
	TCase *t = stores_case(suite, "list");

	tcase_add_loop_test(t, pages_of_any_size_give_the_same_listing, 1, 12);
	tcase_add_loop_test(t, a_listing_continues_while_entries_are_added_and_deleted, 0, 2);
	tcase_add_loop_test(t, a_position_need_not_name_an_entry, 0, COUNT_OF(positions));
	tcase_add_test(t, a_listing_by_ca_contains_only_that_ca);
	tcase_add_test(t, a_hundred_thousand_certificates_are_listed_in_order);
	return stores_main(suite, argc, argv);
}
