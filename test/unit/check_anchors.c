/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_anchors.c - the TLS handshake finds CAs in the registry (anchors.h).
 */
#include <check.h>

#include "jitr/service/anchors.h"
#include "jitr/adapter/x509.h"
#include "suite.h"
#include "world.h"

static struct anchors *anchors;
static struct pki_cert *ca, *twin, *other;

static void
set_up(void)
{
	world_open();
	ca = pki_ca("Test CA");
	twin = pki_ca("Test CA");
	other = pki_ca("Other CA");
	ck_assert_int_eq(anchors_open(world.store, &anchors), ERR_OK);
}

static void
tear_down(void)
{
	anchors_close(anchors);
	pki_free(other);
	pki_free(twin);
	pki_free(ca);
	world_close();
}

static uint32_t
hash_of(const struct pki_cert *c)
{
	struct ca facts;

	ck_assert_int_eq(x509_read_ca(c->x, &facts), ERR_OK);
	return facts.subject_hash;
}

static void delete (const struct pki_cert *c)
{
	struct certid id = world_id(c);
	struct txn t;

	world_change(&t);
	store_delete_ca(&t, &id);
	world_commit(&t);
}

/* Returns how many CAs have its subject; *found: whether it is one of them. */
static size_t
count_for(const struct pki_cert *c, bool *among)
{
	struct x509_st *found[TRUST_SAME_SUBJECT_MAX];
	size_t count = anchors_find(anchors, hash_of(c), found, COUNT_OF(found));

	*among = false;
	for (size_t i = 0; i < count; i++) {
		struct presented p;
		struct certid id = world_id(c);

		ck_assert_int_eq(x509_read(found[i], &p), ERR_OK);
		*among = *among || certid_equal(&p.id, &id);
		x509_free(found[i]);
	}
	return count;
}

static void
ck_found(const struct pki_cert *c, size_t count, bool among)
{
	bool is_among;

	ck_assert_uint_eq(count_for(c, &is_among), count);
	ck_assert(is_among == among);
}

START_TEST(a_ca_is_found_from_its_commit_until_it_is_deleted)
{
	ck_found(ca, 0, false);
	for (int i = 0; i < 3; i++) {
		world_put_ca(ca, CA_ACTIVE, true);
		ck_found(ca, 1, true);
		ck_found(other, 0, false);
		delete (ca);
		ck_found(ca, 0, false);
	}
}
END_TEST

/* As in the capath.  The gate refuses its certificates. */
START_TEST(an_inactive_ca_is_found)
{
	world_put_ca(ca, CA_INACTIVE, false);
	ck_found(ca, 1, true);
}
END_TEST

START_TEST(all_cas_of_one_subject_are_found)
{
	struct x509_st *found[1];

	world_put_ca(ca, CA_ACTIVE, true);
	world_put_ca(twin, CA_ACTIVE, true);
	ck_found(ca, 2, true);
	ck_found(twin, 2, true);
	ck_assert_uint_eq(anchors_find(anchors, hash_of(ca), found, 1),
	    1); /* no more than asked for */
	x509_free(found[0]);
	delete (ca);
	ck_found(ca, 1, false);
	ck_found(twin, 1, true);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("anchors");
	TCase *t = suite_case(s, "anchors");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_ca_is_found_from_its_commit_until_it_is_deleted);
	tcase_add_test(t, an_inactive_ca_is_found);
	tcase_add_test(t, all_cas_of_one_subject_are_found);
	return s;
}

int
main(void)
{
	return suite_run(make_suite());
}
