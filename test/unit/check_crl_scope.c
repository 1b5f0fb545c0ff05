/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_crl_scope.c - which certificates a list covers, on hostile input.
 *
 * integration/test_distribution_points.py compares valid input with OpenSSL. Here: a scope
 * that cannot be read covers no certificate.
 */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/crl_scope.h"
#include "pki.h"
#include "pki_crl.h"
#include "suite.h"

#define PLACE     "URI:http://example.com/1.crl"
#define EXTENSION "30( a0( a0( 86('http://example.com/1.crl') ) ) )"

static struct crl
list_of(const char *notation)
{
	static uint8_t bytes[4096];
	struct crl list;

	memset(&list, 0, sizeof(list));
	ck_assert(crl_scope_read(pki_der(notation, bytes, sizeof(bytes)), &list));
	return list;
}

static struct pki_cert *
device_with(const char *points)
{
	struct pki_cert *ca = pki_ca("CA"),
			*device = pki_make(&(struct pki_options){ .common_name = "d1",
			    .issuer = ca,
			    .extensions = { { "crlDistributionPoints", points } } });

	pki_free(ca);
	return device;
}

START_TEST(a_list_covers_certificates_that_name_its_distribution_point)
{
	struct crl list = list_of(EXTENSION);
	struct pki_cert *ours = device_with(PLACE), *other = device_with(PLACE "x");

	ck_assert(crl_scope_is_limited(&list));
	ck_assert(crl_scope_covers(&list, ours->der));
	ck_assert(!crl_scope_covers(&list, other->der));
	pki_free(ours);
	pki_free(other);
}
END_TEST

/* Truncated at every length and with every byte changed, a certificate is covered only if the
 * original is. */
START_TEST(a_truncated_certificate_is_not_covered)
{
	struct crl list = list_of(EXTENSION);
	struct pki_cert *ours = device_with(PLACE);

	for (size_t len = 0; len < ours->der.len; len++) {
		uint8_t *copy = malloc(len + 1); /* an address sanitizer sees a read behind it */

		memcpy(copy, ours->der.data, len);
		ck_assert(!crl_scope_covers(&list, (struct view){ copy, len }));
		free(copy);
	}
	pki_free(ours);
}
END_TEST

START_TEST(a_changed_certificate_is_read_within_its_bounds)
{
	struct crl list = list_of(EXTENSION);
	struct pki_cert *ours = device_with(PLACE);
	uint8_t *copy = malloc(ours->der.len);

	for (size_t at = 0; at < ours->der.len; at++)
		for (unsigned change = 1; change < 256; change <<= 1) {
			memcpy(copy, ours->der.data, ours->der.len);
			copy[at] ^= (uint8_t)change;
			(void)!crl_scope_covers(&list, (struct view){ copy, ours->der.len });
		}
	free(copy);
	pki_free(ours);
}
END_TEST

/* There are more points than are read, so the matching one is not found. */
START_TEST(the_number_of_distribution_points_read_is_limited)
{
	struct crl list = list_of(EXTENSION);
	char points[1024] = "";
	struct pki_cert *device;

	for (int i = 0; i < CRL_POINT_NAMES_MAX; i++)
		strcat(points, "URI:http://example.com/2.crl,");
	strcat(points, PLACE);
	device = device_with(points);
	ck_assert(!crl_scope_covers(&list, device->der));
	pki_free(device);
}
END_TEST

static const char *const unreadable[] = {
	"30( a0( ) )",               /* an empty distribution point */
	"30( a0( a0( ) ) )",         /* of no names */
	"30( a0( a1( ) ) )",         /* of an empty name */
	"30( a0( a2( 86('x') ) ) )", /* of an unknown kind */
	"30( a0( a0( 86('x') ) a0( 86('y') ) ) )",
	"30( a0( a0( 86('x') ) ) 1f )", /* a tag of several bytes */
	"04( a0( a0( 86('x') ) ) )",
	"30( a0( a0( 86('x') ) ) ) 00",
};

START_TEST(an_unreadable_scope_is_refused)
{
	uint8_t bytes[256];
	struct crl list;

	memset(&list, 0, sizeof(list));
	ck_assert_msg(!crl_scope_read(pki_der(unreadable[_i], bytes, sizeof(bytes)), &list), "%s",
	    unreadable[_i]);
}
END_TEST

/* A damaged record can have such a scope. */
START_TEST(a_malformed_distribution_point_covers_no_certificate)
{
	struct pki_cert *ours = device_with(PLACE);
	struct crl list = { .scope = CRL_SCOPE_POINT, .point_len = 3, .point = { 0xa0, 5, 0x86 } };

	ck_assert(!crl_scope_covers(&list, ours->der));
	ck_assert(!crl_scope_same_point(&list, &list));
	list.point_len = 0;
	ck_assert(!crl_scope_covers(&list, ours->der));
	pki_free(ours);
}
END_TEST

START_TEST(a_list_without_a_distribution_point_covers_every_certificate)
{
	struct crl list = list_of("30( )"), unknown = { .list = 1 };

	ck_assert_int_eq(list.scope, CRL_SCOPE_ALL);
	ck_assert(!crl_scope_is_limited(&list));
	ck_assert(crl_scope_covers(&list, (struct view){ NULL, 0 }));
	ck_assert(crl_scope_covers(&unknown, (struct view){ NULL, 0 }));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crl_scope");
	TCase *t = suite_case(suite, "scope");

	tcase_add_test(t, a_list_covers_certificates_that_name_its_distribution_point);
	tcase_add_test(t, a_truncated_certificate_is_not_covered);
	tcase_add_test(t, a_changed_certificate_is_read_within_its_bounds);
	tcase_add_test(t, the_number_of_distribution_points_read_is_limited);
	tcase_add_loop_test(t, an_unreadable_scope_is_refused, 0, COUNT_OF(unreadable));
	tcase_add_test(t, a_malformed_distribution_point_covers_no_certificate);
	tcase_add_test(t, a_list_without_a_distribution_point_covers_every_certificate);
	return suite_run(suite);
}
