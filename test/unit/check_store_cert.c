/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_cert.c - certificate records and their indexes.
 */
#include <string.h>

#include "census.h"
#include "records.h"
#include "stores.h"

START_TEST(a_changed_certificate_moves_in_every_index)
{
	struct store *s = open_store(new_dir());
	struct cert cert = cert_number(0);
	struct cert_document document;
	struct txn t;

	put_certs(s, 0, 20);
	for (int change = 0; change < 4; change++) {
		if (change == 0)
			cert.created += 100;
		else if (change == 1)
			cert.ca_id = ca_id_number(3);
		else
			cert.has_ca = change == 3;
		cert.ca_id = cert.has_ca ? ca_id_number(3) : (struct certid){ { 0 } };
		t = writing(s);
		store_put_cert(&t, &cert, NULL);
		commit(&t);
		assert_consistent(s, 30);
		t = reading(s);
		ck_assert_uint_eq(count_listed(&t, NULL, 5, NULL), 20);
		ck_assert_int_eq(store_get_cert_document(&t, &cert.id, &document), ERR_OK);
		assert_view(document.pem, "pem");
		store_end(&t);
	}
	store_close(s);
}
END_TEST

/* Neither CA nor status matters.  The row of the index is deleted with the certificate,
 * and changed with its document. */
START_TEST(certificates_are_found_by_their_signed_part)
{
	struct store *s = open_store(new_dir());
	struct certid first = id_number(5);
	struct cert_document other;
	struct txn t = writing(s);
	struct cert cert;

	for (uint8_t form = 0; form < 3; form++)
		put_in_form(&t, 5, form);
	put_in_form(&t, 6, 1);
	ck_assert_uint_eq(count_forms(&t, 5), 3);
	ck_assert_uint_eq(count_forms(&t, 6), 1);
	ck_assert_uint_eq(count_forms(&t, 8), 0);
	ck_assert_int_eq(store_get_cert(&t, &first, &cert), ERR_OK);
	cert.status = CERT_INACTIVE;
	cert.has_ca = false;
	store_put_cert(&t, &cert, NULL);
	ck_assert_uint_eq(count_forms(&t, 5), 3);
	other = (struct cert_document){ .der = der_in_form(6, 0) };
	store_put_cert(&t, &cert, &other);
	ck_assert_uint_eq(count_forms(&t, 5), 2);
	ck_assert_uint_eq(count_forms(&t, 6), 2);
	store_delete_cert(&t, &first);
	ck_assert_uint_eq(count_forms(&t, 6), 1);
	store_end(&t);
	store_close(s);
}
END_TEST

static bool
is_shared(struct txn *t, uint32_t n)
{
	struct certid id = id_number(n);
	struct cert cert;

	ck_assert_int_eq(store_get_cert(t, &id, &cert), ERR_OK);
	return cert.shared;
}

/* What a caller puts does not matter, and a change without a document keeps it. */
START_TEST(a_record_says_whether_another_one_has_its_signed_part)
{
	struct store *s = open_store(new_dir());
	struct certid second = id_number(1005);
	struct txn t = writing(s);
	struct cert cert = cert_number(5);

	put_in_form(&t, 5, 0);
	put_in_form(&t, 6, 0);
	ck_assert(!is_shared(&t, 5));
	cert.shared = true;
	store_put_cert(&t, &cert, NULL);
	ck_assert(!is_shared(&t, 5));
	put_in_form(&t, 5, 1);
	ck_assert(is_shared(&t, 5) && is_shared(&t, 1005) && !is_shared(&t, 6));
	cert.shared = false;
	store_put_cert(&t, &cert, NULL);
	ck_assert(is_shared(&t, 5));
	store_delete_cert(&t, &second); /* at worst the index is read in vain */
	ck_assert(is_shared(&t, 5));
	store_end(&t);
	store_close(s);
}
END_TEST

/* Their places would be the same.  The first one stays. */
START_TEST(an_id_that_begins_like_another_of_the_same_millisecond_is_refused)
{
	struct store *s = open_store(new_dir());
	struct cert first = cert_number(1), second = first, got;
	struct txn t;

	second.id.b[31] ^= 1;
	put_certs(s, 1, 1);
	t = writing(s);
	store_put_cert(&t, &second, NULL);
	ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	ck_assert_ptr_nonnull(strstr(store_failure(s), "similar ids"));
	second.created++;
	t = writing(s);
	store_put_cert(&t, &second, NULL);
	commit(&t);
	t = reading(s);
	ck_assert_uint_eq(count_listed(&t, NULL, 5, NULL), 2);
	ck_assert_uint_eq(count_listed(&t, &first.ca_id, 1, NULL), 2);
	ck_assert_int_eq(store_get_cert(&t, &first.id, &got), ERR_OK);
	store_end(&t);
	store_close(s);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("store_cert");
	TCase *t = stores_case(suite, "cert");

	tcase_add_test(t, a_changed_certificate_moves_in_every_index);
	tcase_add_test(t, certificates_are_found_by_their_signed_part);
	tcase_add_test(t, a_record_says_whether_another_one_has_its_signed_part);
	tcase_add_test(t, an_id_that_begins_like_another_of_the_same_millisecond_is_refused);
	return stores_main(suite, argc, argv);
}
