/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_damage.c - damaged rows are reported and never taken for others.
 */
#include <string.h>

#include "records.h"
#include "stores.h"

/* Of a certificate with mode DEFAULT and a CA, announced when it was created. */
#define FLAGS 0x13

/* Here the version byte (doc/storage.md) is 9, which no version writes. */
START_TEST(a_damaged_record_is_reported_and_never_replaced)
{
	const uint8_t from[] = { 2, CERT_PENDING_ACTIVATION, FLAGS };
	const uint8_t to[] = { 9, CERT_PENDING_ACTIVATION, FLAGS };
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct cert cert = cert_number(1);
	struct listing l = { .ascending = true };
	uint8_t good[11], bad[11];
	struct txn t;
	size_t count;

	put_certs(s, 1, 1);
	store_close(s);
	memset(good, 0xff, sizeof(good));
	good[10] = 0xfb; /* not_before, -5 */
	memcpy(good, from, sizeof(from));
	memcpy(bad, good, sizeof(bad));
	memcpy(bad, to, sizeof(to));
	patch_database(dir, (struct view){ good, sizeof(good) }, (struct view){ bad, sizeof(bad) });

	s = open_store(dir);
	t = reading(s);
	ck_assert_int_eq(store_get_cert(&t, &cert.id, &cert), ERR_CORRUPT);
	cert = cert_number(1);
	ck_assert_int_eq(store_list_certs(&t, &l, &cert, 1, &count), ERR_CORRUPT);
	ck_assert_uint_eq(count, 0);
	store_end(&t);

	cert = cert_number(1);
	t = writing(s);
	store_put_cert(&t, &cert, NULL);
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(store_failure(s), "cannot be read"));
	t = writing(s);
	store_delete_cert(&t, &cert.id);
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	put_certs(s, 2, 5);
	store_close(s);
}
END_TEST

/* An index row in a wrong place could make a listing repeat itself for ever. */
START_TEST(an_index_row_that_disagrees_with_its_record_is_reported)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct cert cert = cert_number(0);
	struct certid ca_id = cert.ca_id;
	struct listing l = { .ascending = true };
	uint8_t from[12] = { 0 }, to[12] = { 0 }; /* created, version 0 */
	struct txn t;
	size_t count;

	put_certs(s, 0, 1);
	store_close(s);
	for (size_t i = 0; i < 8; i++)
		from[i] = to[i] = (uint8_t)(CREATED >> (56 - 8 * i));
	to[7] = 0;
	patch_database(dir, (struct view){ from, sizeof(from) }, (struct view){ to, sizeof(to) });
	s = open_store(dir);
	t = reading(s);
	ck_assert_int_eq(store_list_certs(&t, &l, &cert, 1, &count), ERR_CORRUPT);
	l.ca = &ca_id;
	ck_assert_int_eq(store_list_certs(&t, &l, &cert, 1, &count), ERR_CORRUPT);
	store_end(&t);
	store_close(s);
}
END_TEST

START_TEST(a_sequence_that_went_back_is_reported)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t;

	post(s, "topic", "payload");
	post(s, "topic", "payload");
	store_close(s);
	patch_database(dir, (struct view){ (const uint8_t *)"sequence\0\0\0\0\0\0\0\2", 16 },
	    (struct view){ (const uint8_t *)"sequence\0\0\0\0\0\0\0\1", 16 });
	s = open_store(dir);
	t = writing(s);
	store_post(&t, view_of("topic"), view_of("payload"));
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	drop(s, UINT64_MAX);
	store_close(s);
}
END_TEST

/* Rows with a malformed key or value do not block the rows behind them. */
START_TEST(a_damaged_row_of_the_schedule_can_be_dropped)
{
	static const uint8_t early[41] = { SCHEDULE_SUPERSEDE };
	struct schedule_entry entry = { SCHEDULE_SUPERSEDE, CREATED, id_number(1), id_number(2) };
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t = writing(s);

	store_put_schedule(&t, &entry);
	commit(&t);
	store_close(s);
	raw_put(dir, "agenda", (struct view){ early, 7 }, "rubbish");
	raw_put(dir, "agenda", (struct view){ early, sizeof(early) }, "rubbish");
	s = open_store(dir);
	t = writing(s);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_CORRUPT);
		store_drop_schedule(&t, SCHEDULE_SUPERSEDE);
	}
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_OK);
	ck_assert_int_eq(entry.time, CREATED);
	store_drop_schedule(&t, SCHEDULE_EXPIRY); /* nothing of this kind */
	ck_assert_int_eq(store_next_schedule(&t, SCHEDULE_SUPERSEDE, &entry), ERR_OK);
	commit(&t);
	store_close(s);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("store_damage");
	TCase *t = stores_case(suite, "damage");

	tcase_add_test(t, a_damaged_record_is_reported_and_never_replaced);
	tcase_add_test(t, an_index_row_that_disagrees_with_its_record_is_reported);
	tcase_add_test(t, a_sequence_that_went_back_is_reported);
	tcase_add_test(t, a_damaged_row_of_the_schedule_can_be_dropped);
	return stores_main(suite, argc, argv);
}
