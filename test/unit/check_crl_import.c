/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_crl_import.c - revocation lists are imported into the registry.
 *
 * A list is imported in parts, each in a transaction of its own, and in force from the last
 * part on.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crl_tidy.h"

#include "jitr/registrar/crl_import.h"
#include "jitr/service/registry.h"
#include "jitr/adapter/x509.h"
#include "pki_crl.h"
#include "suite.h"
#include "world.h"

static struct pki_cert *ca, *device, *other;
static struct certid ca_id;
static struct txn t;
static struct diag diag;

static void
set_up(void)
{
	world_open();
	ca = pki_ca("Test CA");
	device = pki_device(ca, "device-1");
	other = pki_device(ca, "device-2");
	ca_id = world_id(ca);
	diag.text[0] = '\0';
	world_put_ca(ca, CA_ACTIVE, true);
	world_put_cert(device, ca, CERT_ACTIVE);
	world_put_cert(other, ca, CERT_ACTIVE);
}

static void
tear_down(void)
{
	pki_free(other);
	pki_free(device);
	pki_free(ca);
	world_close();
}

static struct crl_import *
import_of(struct view bytes)
{
	struct crl_import *i;
	uint8_t *copy = malloc(bytes.len);

	memcpy(copy, bytes.data, bytes.len);
	ck_assert_int_eq(crl_import_new(&ca_id, copy, bytes.len, &i), ERR_OK);
	return i;
}

static bool more;

/* Imports the next part and commits it on success. */
static enum err
part(struct crl_import *i)
{
	enum err e;

	world_change(&t);
	e = crl_import_run(i, &t, world_now(), &diag);
	if (e != ERR_OK) {
		store_end(&t);
		return e;
	}
	world_commit(&t);
	more = crl_import_committed(i);
	return ERR_OK;
}

static enum err
run_all(struct crl_import *i)
{
	enum err e;

	do
		e = part(i);
	while (e == ERR_OK && more);
	return e;
}

static enum err
import(const struct pki_crl *list, struct crl_result *result)
{
	struct crl_import *i = import_of(list->der);
	enum err e = run_all(i);

	*result = crl_import_result(i);
	crl_import_free(i);
	return e;
}

static enum cert_status
status_of(const struct pki_cert *c)
{
	struct cert cert;

	ck_assert(world_get_cert(c, &cert));
	return cert.status;
}

/* The list in force; count is -1 if there is none. */
static struct crl
in_force(bool *found)
{
	struct crl crl = { .list = 0 };
	enum err e;

	world_change(&t);
	e = store_get_crl(&t, &ca_id, &crl);
	store_end(&t);
	ck_assert(e == ERR_OK || e == ERR_NOT_FOUND);
	*found = e == ERR_OK;
	return crl;
}

static bool
is_listed(struct view serial)
{
	struct revoked entry;
	struct crl crl;
	enum err e;

	world_change(&t);
	e = store_get_crl(&t, &ca_id, &crl);
	if (e == ERR_OK)
		e = store_get_revoked(&t, crl.list, serial, &entry);
	store_end(&t);
	return e == ERR_OK;
}

/* The number of lists with entries in the store, in force or not. */
static size_t
stored_lists(void)
{
	uint64_t list = 0;
	size_t count = 0;

	world_change(&t);
	for (; store_next_list(&t, list, &list) == ERR_OK; list++)
		count++;
	store_end(&t);
	return count;
}

static struct crl_tidy *
new_tidy(void)
{
	struct crl_tidy *tidy;

	ck_assert_int_eq(crl_tidy_new(&tidy), ERR_OK);
	return tidy;
}

static size_t
tidy_up(void)
{
	struct crl_tidy *tidy = new_tidy();
	size_t parts = 0, revoked;

	do {
		world_change(&t);
		ck_assert_int_eq(crl_tidy_run(tidy, &t, world_now()), ERR_OK);
		world_commit(&t);
		ck_assert_uint_lt(++parts, 100);
	} while (crl_tidy_committed(tidy));
	revoked = crl_tidy_result(tidy).revoked;
	crl_tidy_free(tidy);
	return revoked;
}

START_TEST(an_imported_list_revokes_the_certificates_that_it_names)
{
	struct pki_crl *list = pki_crl(ca, device);
	struct crl_result r;
	bool found;
	struct crl crl;

	ck_assert_int_eq(import(list, &r), ERR_OK);
	crl = in_force(&found);
	ck_assert(found && crl.applied);
	ck_assert_uint_eq(crl.count, 1);
	ck_assert_int_eq(crl.imported, world_now());
	ck_assert_uint_eq(r.revoked, 1);
	ck_assert(!r.unchanged && r.crl.list == crl.list);
	ck_assert_int_eq(status_of(device), CERT_REVOKED);
	ck_assert_int_eq(status_of(other), CERT_ACTIVE);
	pki_crl_free(list);
}
END_TEST

START_TEST(an_empty_list_is_imported)
{
	struct pki_crl *list = pki_crl(ca, NULL);
	struct crl_result r;
	bool found;

	ck_assert_int_eq(import(list, &r), ERR_OK);
	ck_assert_uint_eq(in_force(&found).count, 0);
	ck_assert(found);
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
	pki_crl_free(list);
}
END_TEST

START_TEST(the_same_list_again_changes_nothing)
{
	struct pki_crl *list = pki_crl(ca, device);
	struct crl_result r;
	struct crl before;
	bool found;

	ck_assert_int_eq(import(list, &r), ERR_OK);
	before = in_force(&found);
	world_wait(1000);
	ck_assert_int_eq(import(list, &r), ERR_OK);
	ck_assert(r.unchanged);
	ck_assert_uint_eq(in_force(&found).list, before.list);
	ck_assert_int_eq(in_force(&found).imported, before.imported);
	ck_assert_uint_eq(stored_lists(), 1);
	pki_crl_free(list);
}
END_TEST

START_TEST(a_certificate_on_hold_keeps_its_status)
{
	struct pki_crl *list = pki_crl_make(&(struct pki_crl_options){ .issuer = ca,
	    .entries = { { .cert = device, .reason = REVOKED_HOLD } } });
	struct crl_result r;

	ck_assert_int_eq(import(list, &r), ERR_OK);
	ck_assert_uint_eq(r.revoked, 0);
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
	pki_crl_free(list);
}
END_TEST

/* check_crl.c has all the flaws of lists. */
START_TEST(a_bad_list_does_not_replace_a_good_one)
{
	struct pki_cert *stranger = pki_ca("Test CA");
	struct pki_crl *good = pki_crl(ca, device);
	struct pki_crl *forged = pki_crl_make(
	    &(struct pki_crl_options){ .issuer = ca, .signer = stranger, .number = "2" });
	struct crl_result r;
	struct crl before, after;
	bool found;

	ck_assert_int_eq(import(good, &r), ERR_OK);
	before = in_force(&found);
	ck_assert_int_eq(import(forged, &r), ERR_CERTIFICATE);
	ck_assert_str_ne(diag.text, "");
	after = in_force(&found);
	ck_assert(certid_equal(&after.digest, &before.digest));
	ck_assert_uint_eq(stored_lists(), 1);
	pki_crl_free(forged);
	pki_crl_free(good);
	pki_free(stranger);
}
END_TEST

START_TEST(an_older_list_does_not_replace_a_newer_one)
{
	struct pki_crl *first = pki_crl_make(
	    &(struct pki_crl_options){ .issuer = ca, .number = "7" });
	struct pki_crl *older = pki_crl_make(
	    &(struct pki_crl_options){ .issuer = ca, .number = "6" });
	struct crl_result r;

	ck_assert_int_eq(import(first, &r), ERR_OK);
	ck_assert_int_eq(import(older, &r), ERR_CERTIFICATE);
	/* The older list can be imported once the newer one is removed. */
	world_change(&t);
	ck_assert_int_eq(crl_remove(&t, &ca_id, &diag), ERR_OK);
	world_commit(&t);
	ck_assert_int_eq(import(older, &r), ERR_OK);
	pki_crl_free(older);
	pki_crl_free(first);
}
END_TEST

START_TEST(a_list_of_an_unregistered_ca_is_refused)
{
	struct pki_crl *list = pki_crl(ca, NULL);
	struct crl_result r;

	ca_id.b[0] ^= 1;
	ck_assert_int_eq(import(list, &r), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(diag.text, "CA certificate not found"));
	pki_crl_free(list);
}
END_TEST

/*
 * Large lists.
 */

#define MANY (2 * CRL_ROWS_AT_ONCE + 10)

static struct pki_crl *
large_list(const char *number)
{
	return pki_crl_make(&(struct pki_crl_options){ .issuer = ca,
	    .number = number,
	    .many = MANY,
	    .entries = { { .cert = device } } });
}

static bool
lists_all_of_the_large_one(void)
{
	uint8_t serial[PKI_SERIAL_SIZE];

	for (unsigned n = 0; n < MANY; n += 9973) {
		pki_serial(n, serial);
		if (!is_listed((struct view){ serial, sizeof(serial) }))
			return false;
	}
	return true;
}

START_TEST(a_large_list_is_imported_in_parts_and_in_force_after_the_last)
{
	struct pki_crl *small = pki_crl(ca, other), *large = large_list("2");
	struct crl_import *i = import_of(large->pem);
	struct crl_result r;
	struct crl before;
	bool found;

	ck_assert_int_eq(import(small, &r), ERR_OK);
	before = in_force(&found);
	for (int n = 0; n < 2; n++) {
		ck_assert_int_eq(part(i), ERR_OK);
		ck_assert(more);
		ck_assert_uint_eq(in_force(&found).list, before.list);
		ck_assert_int_eq(status_of(device), CERT_ACTIVE);
	}
	ck_assert_int_eq(part(i), ERR_OK);
	ck_assert(!more);
	ck_assert_uint_eq(in_force(&found).count, MANY + 1);
	ck_assert(lists_all_of_the_large_one());
	ck_assert_int_eq(status_of(device), CERT_REVOKED);
	/* Tidying up removes the entries of the old list. */
	ck_assert_uint_eq(stored_lists(), 2);
	ck_assert_uint_eq(tidy_up(), 0);
	ck_assert_uint_eq(stored_lists(), 1);
	ck_assert(lists_all_of_the_large_one());
	crl_import_free(i);
	pki_crl_free(large);
	pki_crl_free(small);
}
END_TEST

/* After a failed commit of a batch each of its jobs is run again alone. */
START_TEST(an_uncommitted_part_is_repeated)
{
	struct pki_crl *large = large_list("1");
	struct crl_import *i = import_of(large->der);
	bool found;

	for (int n = 0; n < 3; n++) {
		world_change(&t);
		ck_assert_int_eq(crl_import_run(i, &t, world_now(), &diag), ERR_OK);
		store_end(&t); /* as if the commit had failed */
		ck_assert_int_eq(part(i), ERR_OK);
		ck_assert_int_eq(more, n < 2);
	}
	ck_assert_uint_eq(in_force(&found).count, MANY + 1);
	ck_assert(lists_all_of_the_large_one());
	crl_import_free(i);
	pki_crl_free(large);
}
END_TEST

START_TEST(entries_of_an_abandoned_import_are_removed)
{
	struct pki_crl *large = large_list("1");
	struct crl_import *i = import_of(large->der);
	bool found;

	ck_assert_int_eq(part(i), ERR_OK);
	crl_import_free(i);
	ck_assert_uint_eq(stored_lists(), 1);
	(void)tidy_up();
	ck_assert_uint_eq(stored_lists(), 0);
	(void)in_force(&found);
	ck_assert(!found);
	pki_crl_free(large);
}
END_TEST

/* An import may begin between two parts of tidying up. */
START_TEST(tidying_up_does_not_touch_a_running_import)
{
	struct pki_crl *large = large_list("1"), *next = large_list("2");
	struct crl_import *given_up = import_of(large->der), *i = import_of(next->der);
	struct crl_tidy *tidy = new_tidy();

	ck_assert_int_eq(part(given_up), ERR_OK);
	ck_assert_int_eq(part(given_up), ERR_OK);
	world_change(&t);
	ck_assert_int_eq(crl_tidy_run(tidy, &t, world_now()), ERR_OK);
	world_commit(&t);
	ck_assert(crl_tidy_committed(tidy));
	ck_assert_int_eq(part(i), ERR_OK);
	do {
		world_change(&t);
		ck_assert_int_eq(crl_tidy_run(tidy, &t, world_now()), ERR_OK);
		world_commit(&t);
	} while (crl_tidy_committed(tidy));
	ck_assert_int_eq(run_all(i), ERR_OK);
	ck_assert(lists_all_of_the_large_one());
	crl_tidy_free(tidy);
	crl_import_free(i);
	crl_import_free(given_up);
	pki_crl_free(next);
	pki_crl_free(large);
}
END_TEST

START_TEST(of_two_simultaneous_imports_the_newer_list_remains)
{
	struct pki_crl *large = large_list("5"),
		       *newer = pki_crl_make(
			   &(struct pki_crl_options){ .issuer = ca, .number = "6" });
	struct crl_import *i = import_of(large->der);
	struct crl_result r;
	bool found;

	ck_assert_int_eq(part(i), ERR_OK);
	ck_assert_int_eq(import(newer, &r), ERR_OK);
	ck_assert_int_eq(run_all(i), ERR_CERTIFICATE);
	ck_assert_uint_eq(in_force(&found).count, 0);
	ck_assert_int_eq(status_of(device), CERT_ACTIVE);
	crl_import_free(i);
	pki_crl_free(newer);
	pki_crl_free(large);
}
END_TEST

START_TEST(a_ca_deleted_during_an_import_gets_no_list)
{
	struct pki_crl *large = large_list("1");
	struct crl_import *i = import_of(large->der);

	ck_assert_int_eq(part(i), ERR_OK);
	world_change(&t);
	store_delete_ca(&t, &ca_id);
	world_commit(&t);
	ck_assert_int_eq(run_all(i), ERR_NOT_FOUND);
	(void)tidy_up();
	ck_assert_uint_eq(stored_lists(), 0);
	crl_import_free(i);
	pki_crl_free(large);
}
END_TEST

/* Active certificates, named by the first `many` entries of a list. */
static void
put_many_certs(unsigned count)
{
	uint8_t der[64], serial[PKI_SERIAL_SIZE];

	world_change(&t);
	for (unsigned n = 0; n < count; n++) {
		struct cert cert = { .id = { { 1 } },
			.has_ca = true,
			.ca_id = ca_id,
			.status = CERT_ACTIVE,
			.created = 1 };
		char notation[128], hex[2 * PKI_SERIAL_SIZE + 1];
		struct cert_document document;

		pki_serial(n, serial);
		hex_encode((struct view){ serial, sizeof(serial) }, hex);
		snprintf(notation, sizeof(notation), "30( 30( 02(%s) ) )", hex);
		document = (struct cert_document){ .der = pki_der(notation, der, sizeof(der)) };
		memcpy(cert.id.b + 1, &n, sizeof(n));
		store_put_cert(&t, &cert, &document);
	}
	world_commit(&t);
}

/* Revoking continues in later transactions, also after a crash. */
START_TEST(many_certificates_are_revoked_in_several_transactions)
{
	enum { COUNT = CRL_CERTS_AT_ONCE + 500 };
	struct pki_crl *list;
	struct crl_result r;
	struct store_counts counts;
	bool found;

	put_many_certs(COUNT);
	list = pki_crl_make(&(struct pki_crl_options){ .issuer = ca, .many = COUNT });
	ck_assert_int_eq(import(list, &r), ERR_OK);
	ck_assert_uint_eq(r.revoked, CRL_CERTS_AT_ONCE);
	ck_assert(!in_force(&found).applied);
	world_reopen_store();
	ck_assert_uint_eq(tidy_up(), COUNT - CRL_CERTS_AT_ONCE);
	ck_assert(in_force(&found).applied);
	world_change(&t);
	ck_assert_int_eq(store_count(&t, &counts), ERR_OK);
	store_end(&t);
	ck_assert_uint_eq(counts.certs[CERT_REVOKED], COUNT);
	ck_assert_uint_eq(counts.certs[CERT_ACTIVE], 2);
	pki_crl_free(list);
}
END_TEST

/* The state after an import that ended before it revoked this certificate. */
static void
take_back(const struct certid *of, const struct pki_cert *c)
{
	struct certid id = world_id(c);
	struct cert cert;
	struct crl crl;

	world_change(&t);
	ck_assert_int_eq(store_get_crl(&t, of, &crl), ERR_OK);
	crl.applied = false;
	store_put_crl(&t, of, &crl);
	ck_assert_int_eq(store_get_cert(&t, &id, &cert), ERR_OK);
	cert.status = CERT_ACTIVE;
	store_put_cert(&t, &cert, NULL);
	world_commit(&t);
}

/* Revoking by one CA's list is abandoned for a newer list, and the first slice of the next CA is
 * not committed: that slice starts at its beginning. */
START_TEST(an_uncommitted_slice_of_revocations_is_repeated)
{
	enum { COUNT = 2 * CRL_CERTS_AT_ONCE + 500 };
	struct pki_cert *second = pki_ca("Second CA"),
			*named = pki_make(&(struct pki_options){ .common_name = "first of all",
			    .issuer = second,
			    .serial = "1" });
	struct pki_crl *list = pki_crl_make(
	    &(struct pki_crl_options){ .issuer = ca, .many = COUNT });
	struct pki_crl *newer = pki_crl_make(
	    &(struct pki_crl_options){ .issuer = ca, .number = "2" });
	struct pki_crl *of_second = pki_crl(second, named);
	struct certid first_id = ca_id, second_id = world_id(second);
	struct crl_tidy *tidy = new_tidy();
	struct crl_result r;
	bool found;

	put_many_certs(COUNT);
	world_put_ca(second, CA_ACTIVE, true);
	world_put_cert(named, second, CERT_ACTIVE);
	ck_assert_int_eq(import(list, &r), ERR_OK);
	world_change(&t);
	ck_assert_int_eq(crl_tidy_run(tidy, &t, world_now()), ERR_OK);
	world_commit(&t);
	ck_assert(crl_tidy_committed(tidy) && !in_force(&found).applied);

	ck_assert_int_eq(import(newer, &r), ERR_OK);
	ca_id = second_id;
	ck_assert_int_eq(import(of_second, &r), ERR_OK);
	ca_id = first_id;
	take_back(&second_id, named);
	world_change(&t);
	ck_assert_int_eq(crl_tidy_run(tidy, &t, world_now()), ERR_OK);
	store_end(&t);
	do {
		world_change(&t);
		ck_assert_int_eq(crl_tidy_run(tidy, &t, world_now()), ERR_OK);
		world_commit(&t);
	} while (crl_tidy_committed(tidy));
	ck_assert_int_eq(status_of(named), CERT_REVOKED);
	crl_tidy_free(tidy);
	pki_crl_free(of_second);
	pki_crl_free(newer);
	pki_crl_free(list);
	pki_free(named);
	pki_free(second);
}
END_TEST

/*
 * Files.
 */

static enum err
import_file(const char *path)
{
	struct crl_import *i;
	enum err e;

	diag.text[0] = '\0';
	ck_assert_int_eq(crl_import_new_file(&ca_id, NULL, path, &i), ERR_OK);
	e = run_all(i);
	crl_import_free(i);
	return e;
}

static void
write_file(const char *path, struct view bytes)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.len, out), bytes.len);
	ck_assert_int_eq(fclose(out), 0);
}

START_TEST(a_list_is_read_from_a_file)
{
	struct pki_crl *list = pki_crl(ca, device);
	char path[160];

	snprintf(path, sizeof(path), "%s/ca.crl", world.dir);
	write_file(path, list->pem);
	ck_assert_int_eq(import_file(path), ERR_OK);
	ck_assert_int_eq(status_of(device), CERT_REVOKED);
	pki_crl_free(list);
}
END_TEST

START_TEST(an_unreadable_file_is_reported_with_path_and_reason)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/none.crl", world.dir);
	ck_assert_int_eq(import_file(path), ERR_STORAGE);
	ck_assert_ptr_nonnull(strstr(diag.text, "none.crl: No such file"));
	ck_assert_int_eq(import_file(world.dir), ERR_STORAGE);
	ck_assert_ptr_nonnull(strstr(diag.text, "is not a regular file"));
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(import_file(path),
	    ERR_STORAGE); /* does not wait for a writer to the pipe */
	(void)unlink(path);
	write_file(path, view_of(""));
	ck_assert_int_eq(import_file(path), ERR_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(diag.text, "has 0 bytes"));
	write_file(path, view_of("hello"));
	ck_assert_int_eq(import_file(path), ERR_CERTIFICATE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crl_import");
	TCase *c = suite_case(suite, "lists");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, an_imported_list_revokes_the_certificates_that_it_names);
	tcase_add_test(c, an_empty_list_is_imported);
	tcase_add_test(c, the_same_list_again_changes_nothing);
	tcase_add_test(c, a_certificate_on_hold_keeps_its_status);
	tcase_add_test(c, a_bad_list_does_not_replace_a_good_one);
	tcase_add_test(c, an_older_list_does_not_replace_a_newer_one);
	tcase_add_test(c, a_list_of_an_unregistered_ca_is_refused);
	c = suite_case(suite, "large ones");
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, a_large_list_is_imported_in_parts_and_in_force_after_the_last);
	tcase_add_test(c, an_uncommitted_part_is_repeated);
	tcase_add_test(c, entries_of_an_abandoned_import_are_removed);
	tcase_add_test(c, tidying_up_does_not_touch_a_running_import);
	tcase_add_test(c, of_two_simultaneous_imports_the_newer_list_remains);
	tcase_add_test(c, a_ca_deleted_during_an_import_gets_no_list);
	tcase_add_test(c, many_certificates_are_revoked_in_several_transactions);
	tcase_add_test(c, an_uncommitted_slice_of_revocations_is_repeated);
	c = suite_case(suite, "files");
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, a_list_is_read_from_a_file);
	tcase_add_test(c, an_unreadable_file_is_reported_with_path_and_reason);
	return suite_run(suite);
}
