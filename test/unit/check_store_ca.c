/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_ca.c - CA records, their indexes, deleted CAs, and the registration code.
 */
#include "census.h"
#include "records.h"
#include "stores.h"

START_TEST(a_changed_ca_moves_in_every_index)
{
	struct store *s = open_store(new_dir());
	struct ca ca = ca_number(1), found;
	struct ca_document document;
	struct txn t = writing(s);

	for (uint32_t n = 0; n < 9; n++)
		put_ca_number(&t, n);
	commit(&t);
	t = writing(s);
	ca.subject_hash = 0x10000007;
	ca.created += 100;
	ca.key_id = (struct view){ NULL, 0 };
	store_put_ca(&t, &ca, NULL);
	ck_assert_int_eq(store_find_issuer(&t, 0x10000007, 0, &found), ERR_OK);
	commit(&t);

	assert_consistent(s, 0);
	t = reading(s);
	ck_assert_int_eq(store_find_issuer(&t, 0x10000007, 0, &found), ERR_OK);
	ck_assert(certid_equal(&found.id, &ca.id));
	ck_assert_uint_eq(found.key_id.len, 0);
	ck_assert_int_eq(store_find_issuer(&t, 0x10000007, 1, &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_find_issuer(&t, 0x10000001, 1, &found), ERR_OK);
	ck_assert_int_eq(store_find_issuer(&t, 0x10000001, 2, &found), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_ca_document(&t, &ca.id, &document), ERR_OK);
	assert_view(document.pem, "pem");
	store_end(&t);
	store_close(s);
}
END_TEST

START_TEST(deleting_removes_a_record_from_every_index)
{
	struct store *s = open_store(new_dir());
	struct certid id = id_number(5), ca_id = ca_id_number(0);
	struct cert_document document;
	struct ca ca = ca_number(0), deleted;
	struct txn t = writing(s);
	bool has;

	put_ca_number(&t, 0);
	put_ca_number(&t, 3);
	put_cert_number(&t, 5); /* has no CA */
	put_cert_number(&t, 0);
	commit(&t);
	t = writing(s);
	store_delete_cert(&t, &id);
	store_delete_ca(&t, &ca_id);
	commit(&t);
	assert_consistent(s, 10);

	/* The certificates of a deleted CA stay (aws-iot A.2.5). */
	t = reading(s);
	ck_assert_int_eq(store_has_cert_of(&t, &ca_id, &has), ERR_OK);
	ck_assert(has);
	ck_assert_int_eq(store_get_cert_document(&t, &id, &document), ERR_NOT_FOUND);
	ck_assert_int_eq(store_get_deleted_ca(&t, &ca_id, &deleted), ERR_OK);
	ck_assert_int_eq(deleted.not_before, ca.not_before);
	ck_assert_int_eq(deleted.not_after, ca.not_after);
	store_end(&t);

	t = writing(s);
	id = id_number(0);
	store_delete_cert(&t, &id);
	commit(&t);
	t = reading(s);
	ck_assert_int_eq(store_has_cert_of(&t, &ca_id, &has), ERR_OK);
	ck_assert(!has);
	ck_assert_uint_eq(count_listed(&t, NULL, 5, NULL), 0);
	ck_assert_int_eq(store_get_deleted_ca(&t, &ca_id, &deleted), ERR_NOT_FOUND);
	store_end(&t);
	store_close(s);
}
END_TEST

START_TEST(registering_a_deleted_ca_again_ends_its_deletion)
{
	struct store *s = open_store(new_dir());
	struct certid ca_id = ca_id_number(0);
	struct txn t = writing(s);
	struct ca deleted;

	put_ca_number(&t, 0);
	put_cert_number(&t, 0);
	store_delete_ca(&t, &ca_id);
	ck_assert_int_eq(store_get_deleted_ca(&t, &ca_id, &deleted), ERR_OK);
	put_ca_number(&t, 0);
	ck_assert_int_eq(store_get_deleted_ca(&t, &ca_id, &deleted), ERR_NOT_FOUND);
	commit(&t);
	store_close(s);
}
END_TEST

/* Every update does this.  The texts lie on a page that the put is about to change, also
 * where the same transaction wrote that page. */
START_TEST(a_record_can_be_put_with_the_views_of_a_get)
{
	struct store *s = open_store(new_dir());
	struct txn t = writing(s);
	struct certid id = ca_id_number(1);
	struct ca expected = ca_number(1), ca;
	struct ca_document document;

	for (int round = 0; round < 50; round++) {
		put_ca_number(&t, 1);
		put_ca_number(&t, 2 + (uint32_t)round);
		ck_assert_int_eq(store_get_ca(&t, &id, &ca), ERR_OK);
		ck_assert_int_eq(store_get_ca_document(&t, &id, &document), ERR_OK);
		document.template_body = view_of("{\"a\":\"a text that makes the row grow\"}");
		document.der = document.pem;
		store_put_ca(&t, &ca, &document);
	}
	commit(&t);
	t = reading(s);
	ck_assert_int_eq(store_get_ca(&t, &id, &ca), ERR_OK);
	assert_same_ca(&ca, &expected);
	ck_assert_int_eq(store_get_ca_document(&t, &id, &document), ERR_OK);
	assert_view(document.der, "pem");
	assert_view(document.pem, "pem");
	assert_view(document.tags, "[]");
	store_end(&t);
	store_close(s);
}
END_TEST

START_TEST(the_registration_code_is_stored_replaced_and_deleted)
{
	static const char *const codes[] = {
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	struct store *s = open_store(new_dir());
	char code[REGISTRATION_CODE_SIZE];
	struct txn t;

	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		t = writing(s);
		store_put_registration_code(&t, codes[i]);
		commit(&t);
		t = reading(s);
		ck_assert_int_eq(store_get_registration_code(&t, code), ERR_OK);
		ck_assert_str_eq(code, codes[i]);
		store_end(&t);
	}
	t = writing(s);
	store_delete_registration_code(&t);
	commit(&t);
	t = reading(s);
	ck_assert_int_eq(store_get_registration_code(&t, code), ERR_NOT_FOUND);
	store_end(&t);
	store_close(s);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("store_ca");
	TCase *t = stores_case(suite, "ca");

	tcase_add_test(t, a_changed_ca_moves_in_every_index);
	tcase_add_test(t, deleting_removes_a_record_from_every_index);
	tcase_add_test(t, registering_a_deleted_ca_again_ends_its_deletion);
	tcase_add_test(t, a_record_can_be_put_with_the_views_of_a_get);
	tcase_add_test(t, the_registration_code_is_stored_replaced_and_deleted);
	return stores_main(suite, argc, argv);
}
