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

#define ROW_MAX 64

/* Wherever one of them is, the other one is afterwards: rows that begin so change places. */
static void
exchange(const char *dir, struct view a, struct view b)
{
	uint8_t other[ROW_MAX];
	struct view between = { other, a.len };

	ck_assert(a.len == b.len && a.len <= sizeof(other));
	memset(other, 0xee, sizeof(other));
	patch_database(dir, a, between);
	patch_database(dir, b, a);
	patch_database(dir, between, b);
}

/* Where a certificate is in each index (doc/storage.md). */
static struct view
place_of(uint32_t n, uint8_t out[12])
{
	struct cert cert = cert_number(n);

	for (size_t i = 0; i < 6; i++)
		out[i] = (uint8_t)(cert.created >> (40 - 8 * i));
	memcpy(out + 6, cert.id.b, 6);
	return (struct view){ out, 12 };
}

/* Pages of this size are listed until the end or an error. */
static enum err
list_all_certs(struct txn *t, struct listing l, size_t size)
{
	struct cert page[4];
	struct position last;
	size_t count = 1, all = 0;
	enum err e = ERR_OK;

	for (; e == ERR_OK && count > 0; l.after = &last) {
		e = store_list_certs(t, &l, page, size, &count);
		if (count > 0)
			last = (struct position){ page[count - 1].created, page[count - 1].id };
		all += count;
		ck_assert_uint_le(all, 100);
	}
	return e;
}

/* Certificates 0, 6 and 12 have one CA and one status; the first and the last change places in
 * every table. */
START_TEST(certificates_in_another_order_are_reported)
{
	enum cert_status status = CERT_PENDING_ACTIVATION;
	struct certid ca_id = ca_id_number(0);
	struct listing listings[] = { { 0 }, { .ca = &ca_id }, { .status = &status } };
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	uint8_t first[12], last[12];
	struct txn t;

	for (uint32_t n = 0; n <= 12; n += 6)
		put_certs(s, n, 1);
	store_close(s);
	exchange(dir, place_of(0, first), place_of(12, last));
	s = open_store(dir);
	t = reading(s);
	for (size_t i = 0; i < COUNT_OF(listings); i++) {
		listings[i].ascending = _i % 2 == 0;
		ck_assert_int_eq(list_all_certs(&t, listings[i], 2 + (size_t)_i / 2), ERR_CORRUPT);
	}
	store_end(&t);
	store_close(s);
}
END_TEST

static struct view
by_time_of(uint32_t n, uint8_t out[40])
{
	struct ca ca = ca_number(n);

	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(ca.created >> (56 - 8 * i));
	memcpy(out + 8, ca.id.b, sizeof(ca.id.b));
	return (struct view){ out, 40 };
}

START_TEST(cas_in_another_order_are_reported)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct listing l = { .ascending = _i == 0 };
	struct txn t = writing(s);
	uint8_t first[40], last[40];
	struct ca page[4];
	size_t count;

	for (uint32_t n = 0; n < 3; n++)
		put_ca_number(&t, n);
	commit(&t);
	store_close(s);
	exchange(dir, by_time_of(0, first), by_time_of(2, last));
	s = open_store(dir);
	t = reading(s);
	ck_assert_int_eq(store_list_cas(&t, &l, page, 4, &count), ERR_CORRUPT);
	store_end(&t);
	store_close(s);
}
END_TEST

/* The number of a message, and the beginning of its record. */
static struct view
message_row(uint8_t number, uint8_t out[18])
{
	memcpy(out, "\0\0\0\0\0\0\0\0\1\0\0\0\5topic", 18);
	out[7] = number;
	return (struct view){ out, 18 };
}

/* A reader that continues behind each message comes to an end, and so does their deletion. */
START_TEST(messages_in_another_order_are_reported)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	uint8_t first[18], last[18];
	struct message m = { .seq = 0 };
	enum err e = ERR_OK;
	struct txn t;

	for (int i = 0; i < 3; i++)
		post(s, "topic", "payload");
	store_close(s);
	exchange(dir, message_row(1, first), message_row(3, last));
	s = open_store(dir);
	t = reading(s);
	for (uint64_t at = 0; e == ERR_OK; at = m.seq) {
		e = store_next_message(&t, at, &m);
		ck_assert(e != ERR_OK || m.seq > at);
	}
	store_end(&t);
	t = writing(s);
	store_drop_messages(&t, 3);
	(void)!store_commit(&t);
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
	tcase_add_loop_test(t, certificates_in_another_order_are_reported, 0, 6);
	tcase_add_loop_test(t, cas_in_another_order_are_reported, 0, 2);
	tcase_add_test(t, messages_in_another_order_are_reported);
	return stores_main(suite, argc, argv);
}
