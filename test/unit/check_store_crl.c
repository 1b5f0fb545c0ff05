/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_crl.c - revocation lists on disk: lists in force, their entries, and damage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "damage.h"
#include "revoked.h"

/* The commit must fail with these words.  A new change is begun. */
static void
commit_fails(enum err expected, const char *words)
{
	ck_assert_int_eq(store_commit(&t), expected);
	ck_assert_ptr_nonnull(strstr(store_failure(world.store), words));
	world_change(&t);
}

static bool
is_on(uint64_t list, struct view serial)
{
	struct revoked entry;
	enum err e = store_get_revoked(&t, list, serial, &entry);

	ck_assert(e == ERR_OK || e == ERR_NOT_FOUND);
	if (e == ERR_OK)
		ck_assert_int_eq(entry.date, CREATED + (int64_t)list);
	return e == ERR_OK;
}

START_TEST(missing_records_are_not_found)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = ca_number(1), id;
	struct crl_entry entries[2];
	struct revoked entry;
	size_t count = 9, steps = 100;
	bool left = true;
	struct crl crl;
	uint64_t list;

	ck_assert_int_eq(store_get_crl(&t, &ca, &crl), ERR_NOT_FOUND);
	ck_assert_int_eq(store_list_crls(&t, NULL, entries, 2, &count), ERR_OK);
	ck_assert_uint_eq(count, 0);
	ck_assert_int_eq(store_get_revoked(&t, 1, text("a"), &entry), ERR_NOT_FOUND);
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_NOT_FOUND);
	ck_assert_int_eq(store_drop_revoked(&t, 1, 10, &left), ERR_OK);
	ck_assert(!left);
	ck_assert_int_eq(store_next_revoked_cert(&t, &ca, 1, &walk, &steps, &id, &entry),
	    ERR_NOT_FOUND);
	ck_assert_uint_gt(steps, 0);
	store_delete_crl(&t, &ca);
	commit();
}
END_TEST

static struct crl
crl_number(uint64_t list)
{
	return (struct crl){ .list = list,
		.this_update = CREATED,
		.next_update = CREATED + 1,
		.imported = CREATED + 2,
		.count = 3,
		.applied = true,
		.digest = { { 4, 5 } },
		.number_len = 2,
		.number = { 6, 7 } };
}

START_TEST(a_list_in_force_is_stored_and_replaced)
{
	struct certid ca = ca_number(1);
	struct crl crl = crl_number(1), got;

	store_put_crl(&t, &ca, &crl);
	commit();
	ck_assert_int_eq(store_get_crl(&t, &ca, &got), ERR_OK);
	ck_assert_uint_eq(got.list, 1);
	ck_assert_int_eq(got.this_update, CREATED);
	ck_assert_int_eq(got.next_update, CREATED + 1);
	ck_assert_int_eq(got.imported, CREATED + 2);
	ck_assert_uint_eq(got.count, 3);
	ck_assert(got.applied);
	ck_assert(certid_equal(&got.digest, &crl.digest));
	ck_assert_uint_eq(got.number_len, 2);
	ck_assert_mem_eq(got.number, crl.number, sizeof(got.number));
	crl = crl_number(2);
	store_put_crl(&t, &ca, &crl);
	commit();
	ck_assert_int_eq(store_get_crl(&t, &ca, &got), ERR_OK);
	ck_assert_uint_eq(got.list, 2);
	store_delete_crl(&t, &ca);
	commit();
	ck_assert_int_eq(store_get_crl(&t, &ca, &got), ERR_NOT_FOUND);
}
END_TEST

START_TEST(lists_in_force_are_listed_by_their_cas)
{
	struct crl_entry out[8];
	struct certid at, *after = NULL;
	size_t count, seen = 0;

	for (unsigned n = 5; n >= 1; n--) {
		struct crl crl = crl_number(n);
		struct certid ca = ca_number(n);

		store_put_crl(&t, &ca, &crl);
	}
	commit();
	do {
		ck_assert_int_eq(store_list_crls(&t, after, out, (size_t)_i, &count), ERR_OK);
		for (size_t i = 0; i < count; i++) {
			at = ca_number((unsigned)++seen);
			ck_assert(certid_equal(&out[i].ca_id, &at));
			ck_assert_uint_eq(out[i].crl.list, seen);
		}
		after = &at;
	} while (count == (size_t)_i);
	ck_assert_uint_eq(seen, 5);
}
END_TEST

/* The list is deleted with the CA; its entries stay until tidying up finds them by the list's
 * number. */
START_TEST(a_deleted_ca_leaves_the_entries_of_its_list)
{
	struct ca ca = { .id = ca_number(1), .created = CREATED };
	struct ca_settings settings = CA_SETTINGS_DEFAULT;
	struct certid other = ca_number(2);
	struct crl crl = crl_number(1);
	uint64_t list;

	store_put_ca(&t, &ca, NULL);
	store_put_ca_settings(&t, &ca.id, &settings);
	store_put_crl(&t, &ca.id, &crl);
	store_put_crl(&t, &other, &crl);
	append(1, text("a"));
	commit();
	store_delete_ca(&t, &ca.id);
	commit();
	ck_assert_int_eq(store_get_crl(&t, &ca.id, &crl), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_ca_settings(&t, &ca.id, &settings), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_crl(&t, &other, &crl), ERR_OK);
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_OK);
	ck_assert_uint_eq(list, 1);
}
END_TEST

START_TEST(a_record_that_cannot_be_encoded_fails_with_a_text)
{
	static const uint8_t bytes[SERIAL_MAX + 1] = { 1 };
	struct certid ca = ca_number(1);
	struct crl crl = crl_number(0);
	struct revoked entry = { .reason = REVOKED_REASON_MAX + 1 };

	store_put_crl(&t, &ca, &crl);
	commit_fails(ERR_STORAGE, "a revocation list that cannot be encoded");
	store_append_revoked(&t, 1, text("a"), &entry);
	commit_fails(ERR_STORAGE, "an entry of a revocation list that cannot be encoded");
	append(1, (struct view){ bytes, 0 });
	commit_fails(ERR_STORAGE, "an entry of a revocation list that cannot be encoded");
	append(1, (struct view){ bytes, SERIAL_MAX + 1 });
	commit_fails(ERR_STORAGE, "an entry of a revocation list that cannot be encoded");
	append(1, (struct view){ bytes, SERIAL_MAX });
	commit();
	ck_assert(is_on(1, (struct view){ bytes, SERIAL_MAX }));
	ck_assert(!is_on(1, (struct view){ bytes, SERIAL_MAX + 1 }));
	ck_assert(!is_on(1, (struct view){ bytes, 0 }));
}
END_TEST

/* A job that remembers a list's number must not meet another list there, also after a restart,
 * and after all lists were dropped. */
START_TEST(a_list_number_is_never_used_twice)
{
	bool left;
	uint64_t list;

	for (uint64_t round = 1; round <= 5; round++) {
		ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
		ck_assert_uint_eq(list, round);
		append(list, text("a"));
		world_commit(&t);
		world_reopen_store();
		world_change(&t);
		ck_assert_int_eq(store_drop_revoked(&t, list, 10, &left), ERR_OK);
		commit();
	}
	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	store_end(&t);
	world_change(&t);
	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	ck_assert_uint_eq(list, 6);
	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	ck_assert_uint_eq(list, 7);
}
END_TEST

START_TEST(an_entry_belongs_to_one_list)
{
	struct revoked entry;

	append(1, text("a"));
	append(1, text("b"));
	append(2, text("a"));
	append(256, text("c"));
	commit();
	ck_assert_int_eq(store_get_revoked(&t, 1, text("b"), &entry), ERR_OK);
	ck_assert_int_eq(entry.date, CREATED + 1);
	ck_assert_uint_eq(entry.reason, 1);
	ck_assert(is_on(1, text("a")) && is_on(2, text("a")) && is_on(256, text("c")));
	ck_assert(!is_on(2, text("b")) && !is_on(1, text("c")) && !is_on(0, text("a")));
	ck_assert(!is_on(1, text("aa")) && !is_on(1, text("A")));
}
END_TEST

/* Two lists made at the same time in turns, and one out of order. */
START_TEST(entries_can_be_appended_out_of_order)
{
	uint8_t serial[5];
	struct certid ca = ca_number(1);

	for (unsigned n = 0; n < 3000; n++) {
		append(n % 3 + 1, counted(n, serial));
		append(4, counted(n * 1237 % 3001, serial));
		if (n % 500 == 0)
			commit();
	}
	commit();
	for (unsigned n = 0; n < 3000; n++) {
		struct certid id = id_number(n);

		for (uint64_t list = 1; list <= 3; list++)
			ck_assert_int_eq(is_on(list, counted(n, serial)), n % 3 + 1 == list);
		ck_assert(is_on(4, counted(n * 1237 % 3001, serial)));
		put_cert(&id, &ca, counted(n, serial));
	}
	ck_assert_uint_eq(count_named(&ca, 2), 1000);
}
END_TEST

START_TEST(a_duplicate_serial_number_fails_the_transaction)
{
	append(1, text("a"));
	append(1, text("b"));
	commit();
	append(1, text("c"));
	append(1, text(_i == 0 ? "a" : _i == 1 ? "b" : "c"));
	append(1, text("d"));
	commit_fails(ERR_CORRUPT, "a revocation list that names a serial number twice");
	ck_assert(!is_on(1, text("c")));
	ck_assert(!is_on(1, text("d")));
}
END_TEST

START_TEST(every_list_with_entries_is_found)
{
	static const uint64_t lists[] = { 0, 1, 255, 256, UINT64_MAX - 1, UINT64_MAX };
	uint64_t from = 0, list;
	struct revoked entry = { .date = 0 };

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		for (unsigned n = 0; n < 200; n++) {
			uint8_t serial[5];

			store_append_revoked(&t, lists[i], counted(n, serial), &entry);
		}
	commit();
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		ck_assert_int_eq(store_next_list(&t, from, &list), ERR_OK);
		ck_assert_uint_eq(list, lists[i]);
		ck_assert_int_eq(store_next_list(&t, lists[i], &list), ERR_OK);
		ck_assert_uint_eq(list, lists[i]);
		from = list + 1;
	}
}
END_TEST

static size_t
count_entries(uint64_t list, unsigned below)
{
	uint8_t serial[5];
	size_t count = 0;

	for (unsigned n = 0; n < below; n++)
		count += is_on(list, counted(n, serial));
	return count;
}

START_TEST(a_list_is_removed_in_slices_without_its_neighbours)
{
	size_t max = (size_t)_i, slices = 0;
	uint8_t serial[5];
	bool left = true;
	uint64_t list;

	for (uint64_t l = 1; l <= 3; l++)
		for (unsigned n = 0; n < 100; n++)
			append(l, counted(n, serial));
	commit();
	while (left) {
		ck_assert_int_eq(store_drop_revoked(&t, 2, max, &left), ERR_OK);
		commit();
		slices++;
		ck_assert_int_eq(left, slices * max < 100);
		ck_assert_uint_eq(count_entries(2, 100), left ? 100 - slices * max : 0);
	}
	ck_assert_uint_eq(slices, (100 + max - 1) / max);
	ck_assert_uint_eq(count_entries(1, 100), 100);
	ck_assert_uint_eq(count_entries(3, 100), 100);
	ck_assert_int_eq(store_next_list(&t, 2, &list), ERR_OK);
	ck_assert_uint_eq(list, 3);
	ck_assert_int_eq(store_drop_revoked(&t, 3, 0, &left), ERR_OK);
	ck_assert(left);
}
END_TEST

/* After a failure in a transaction nothing more is removed. */
START_TEST(an_uncommitted_slice_is_dropped)
{
	struct certid ca = ca_number(1);
	struct crl impossible = crl_number(0);
	uint8_t serial[5];
	bool left;
	uint64_t list;

	for (unsigned n = 0; n < 100; n++)
		append(1, counted(n, serial));
	commit();
	ck_assert_int_eq(store_drop_revoked(&t, 1, 60, &left), ERR_OK);
	store_end(&t);
	world_change(&t);
	ck_assert_uint_eq(count_entries(1, 100), 100);
	store_put_crl(&t, &ca, &impossible);
	ck_assert_int_eq(store_drop_revoked(&t, 1, 60, &left), ERR_STORAGE);
	ck_assert_int_eq(store_new_list(&t, &list), ERR_STORAGE);
	ck_assert_uint_eq(list, 0);
	append(1, text("zz"));
	commit_fails(ERR_STORAGE, "a revocation list that cannot be encoded");
	ck_assert_uint_eq(count_entries(1, 100), 100);
}
END_TEST

/* A list of the largest size that is practical here, in slices of one transaction each. */
START_TEST(a_long_list_is_stored_and_removed_in_slices)
{
	static const unsigned count = 200000, slice = 50000;
	struct revoked entry = { .date = CREATED, .reason = REVOKED_HOLD };
	struct certid ca = ca_number(1), id = id_number(1);
	uint8_t serial[5];
	unsigned slices = 0;
	bool left = true;
	uint64_t list;

	put_cert(&id, &ca, counted(count - 1, serial));
	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	for (unsigned n = 0; n < count; n++) {
		store_append_revoked(&t, list, counted(n, serial), &entry);
		if (n % slice == slice - 1)
			commit();
	}
	ck_assert_uint_eq(count_named(&ca, list), 1);
	ck_assert_int_eq(store_get_revoked(&t, list, counted(count - 1, serial), &entry), ERR_OK);
	ck_assert_int_eq(store_get_revoked(&t, list, counted(count, serial), &entry),
	    ERR_NOT_FOUND);
	for (; left; slices++) {
		ck_assert_int_eq(store_drop_revoked(&t, list, slice, &left), ERR_OK);
		commit();
	}
	ck_assert_uint_eq(slices, count / slice);
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_NOT_FOUND);
}
END_TEST

#define LIST_1 "\0\0\0\0\0\0\0\1"

START_TEST(a_damaged_list_is_reported)
{
	struct certid ca = ca_number(1);
	struct crl crl = crl_number(1);
	struct crl_entry entry;
	size_t count;

	store_put_crl(&t, &ca, &crl);
	damage(&t, "crl", ca.b, sizeof(ca.b), "rubbish", 7);
	ck_assert_int_eq(store_get_crl(&t, &ca, &crl), ERR_CORRUPT);
	ck_assert_uint_eq(crl.list, 0);
	ck_assert_int_eq(store_list_crls(&t, NULL, &entry, 1, &count), ERR_CORRUPT);
	ck_assert_uint_eq(count, 0);
	store_delete_crl(&t, &ca);
	damage(&t, "crl", "short", 5, "", 0);
	ck_assert_int_eq(store_list_crls(&t, NULL, &entry, 1, &count), ERR_CORRUPT);
}
END_TEST

START_TEST(a_damaged_sequence_is_reported_and_gives_no_number)
{
	uint64_t list;

	damage(&t, "meta", "list_sequence", 13, _i == 0 ? "1" : "\xff\xff\xff\xff\xff\xff\xff\xff",
	    _i == 0 ? 1 : 8);
	ck_assert_int_eq(store_new_list(&t, &list), ERR_CORRUPT);
	ck_assert_uint_eq(list, 0);
	commit_fails(ERR_CORRUPT, "the stored number of the last revocation list cannot be read");
}
END_TEST

/* Entries of an old list are not mixed with those of a new one. */
START_TEST(a_sequence_that_went_back_is_reported)
{
	uint64_t list;

	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	append(list, text("a"));
	damage(&t, "meta", "list_sequence", 13, NULL, 0);
	ck_assert_int_eq(store_new_list(&t, &list), ERR_OK);
	append(list, text("a"));
	commit_fails(ERR_CORRUPT, "names a serial number twice");
}
END_TEST

static const struct {
	const char *what, *table, *key;
	size_t key_len;
	const char *value;
	size_t len;
	enum err get; /* the entry "b" of list 1 */
} rows[] = {
	{ "an entry that is rubbish", "revoked", LIST_1 "b", 9, "rubbish", 7, ERR_CORRUPT },
	{ "an empty entry", "revoked", LIST_1 "b", 9, "", 0, ERR_CORRUPT },
	{ "an entry without a serial number", "revoked", LIST_1, 8, "", 0, ERR_NOT_FOUND },
	{ "a serial number that is too long", "revoked",
	    LIST_1 "a2345678901234567890123456789012345678901234567890123456789012345", 8 + 65, "",
	    0, ERR_NOT_FOUND },
};

START_TEST(a_damaged_entry_is_reported_and_can_be_dropped)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = ca_number(1), id = id_number(1);
	size_t steps = 100;
	struct revoked entry;
	bool left = true;
	uint64_t list;

	put_cert(&id, &ca, text(_i < 2 ? "b" : "a"));
	damage(&t, rows[_i].table, rows[_i].key, rows[_i].key_len, rows[_i].value, rows[_i].len);
	ck_assert_int_eq(store_get_revoked(&t, 1, text("b"), &entry), rows[_i].get);
	if (rows[_i].key_len > 8)
		ck_assert_msg(store_next_revoked_cert(&t, &ca, 1, &walk, &steps, &id, &entry) ==
			ERR_CORRUPT,
		    "%s", rows[_i].what);
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_OK);
	ck_assert_uint_eq(list, 1);
	ck_assert_int_eq(store_drop_revoked(&t, 1, 10, &left), ERR_OK);
	ck_assert(!left);
	commit();
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_NOT_FOUND);
}
END_TEST

START_TEST(an_entry_without_a_list_is_reported)
{
	uint64_t list = 7;

	damage(&t, "revoked", "short", 5, "", 0);
	ck_assert_int_eq(store_next_list(&t, 0, &list), ERR_CORRUPT);
	ck_assert_uint_eq(list, 0);
}
END_TEST

/* A walk that reaches a malformed row of the index reports it. */
START_TEST(a_damaged_index_is_reported)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = ca_number(1), id = id_number(1);
	uint8_t value[SERIAL_MAX + 1 + 1 + 12];
	size_t steps = 100, len = _i == 0 ? 13 : sizeof(value);
	struct revoked entry;

	memset(value, 'a', sizeof(value));       /* without an end of the serial number */
	value[0] = _i == 0 ? 0 : 'a';            /* or without a serial number */
	value[_i == 2 ? SERIAL_MAX + 1 : 1] = 0; /* or too long, or a place that is */
	append(1, text("b"));
	damage(&t, "serial_cert", ca.b, sizeof(ca.b), (const char *)value, len);
	ck_assert_int_eq(store_next_revoked_cert(&t, &ca, 1, &walk, &steps, &id, &entry),
	    ERR_CORRUPT);
}
END_TEST

/* doc/storage.md, "Tables" */
static const uint8_t *
place_of(const struct certid *id, uint8_t out[12])
{
	for (size_t i = 0; i < 6; i++) {
		out[i] = (uint8_t)((uint64_t)CREATED >> (40 - 8 * i));
		out[6 + i] = id->b[i];
	}
	return out;
}

/* The index row of a damaged document cannot be determined, so the certificate stays, like every
 * damaged one. */
START_TEST(a_certificate_with_a_damaged_document_is_never_replaced)
{
	struct certid id = id_number(1), ca = ca_number(1);
	struct cert cert = { .id = id, .has_ca = true, .ca_id = ca, .created = CREATED }, got;
	struct view serial;
	uint8_t place[12];

	put_cert(&id, &ca, text("b"));
	damage(&t, "document", place_of(&id, place), 12, "rubbish", 7);
	ck_assert_int_eq(store_get_cert_serial(&t, &id, &serial), ERR_CORRUPT);
	ck_assert_uint_eq(serial.len, 0);
	put_cert(&id, &ca, text("b"));
	commit_fails(ERR_CORRUPT, "that is to be replaced cannot be read");
	store_delete_cert(&t, &id);
	commit_fails(ERR_CORRUPT, "that is to be deleted cannot be read");
	cert.status = CERT_REVOKED; /* it can be revoked */
	store_put_cert(&t, &cert, NULL);
	commit();
	ck_assert_int_eq(store_get_cert(&t, &id, &got), ERR_OK);
	ck_assert_int_eq(got.status, CERT_REVOKED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_crl");
	TCase *c = suite_case(suite, "lists");

	tcase_add_checked_fixture(c, change_open, change_close);
	tcase_add_test(c, missing_records_are_not_found);
	tcase_add_test(c, a_list_in_force_is_stored_and_replaced);
	tcase_add_loop_test(c, lists_in_force_are_listed_by_their_cas, 1, 7);
	tcase_add_test(c, a_deleted_ca_leaves_the_entries_of_its_list);
	tcase_add_test(c, a_record_that_cannot_be_encoded_fails_with_a_text);
	tcase_add_test(c, a_list_number_is_never_used_twice);
	tcase_add_test(c, an_entry_belongs_to_one_list);
	tcase_add_test(c, entries_can_be_appended_out_of_order);
	tcase_add_loop_test(c, a_duplicate_serial_number_fails_the_transaction, 0, 3);
	tcase_add_test(c, every_list_with_entries_is_found);
	tcase_add_loop_test(c, a_list_is_removed_in_slices_without_its_neighbours, 1, 8);
	tcase_add_loop_test(c, a_list_is_removed_in_slices_without_its_neighbours, 99, 102);
	tcase_add_test(c, an_uncommitted_slice_is_dropped);
	tcase_add_test(c, a_long_list_is_stored_and_removed_in_slices);

	c = suite_case(suite, "damage");
	tcase_add_checked_fixture(c, change_open, change_close);
	tcase_add_test(c, a_damaged_list_is_reported);
	tcase_add_loop_test(c, a_damaged_sequence_is_reported_and_gives_no_number, 0, 2);
	tcase_add_test(c, a_sequence_that_went_back_is_reported);
	tcase_add_loop_test(c, a_damaged_entry_is_reported_and_can_be_dropped, 0, COUNT_OF(rows));
	tcase_add_test(c, an_entry_without_a_list_is_reported);
	tcase_add_loop_test(c, a_damaged_index_is_reported, 0, 3);
	tcase_add_test(c, a_certificate_with_a_damaged_document_is_never_replaced);
	return suite_run(suite);
}
