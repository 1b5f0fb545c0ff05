/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* check_trust_chain.c - the verdict of a TLS listener, for explain (trust_chain.h). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "jitr/adapter/trust_chain.h"
#include "jitr/adapter/x509.h"
#include "pki.h"
#include "suite.h"

#define DAY (86400 * 1000ll)

static struct pki_cert *cas[3];

/* A trust_finder that finds all CAs, whatever the name. */
static size_t
find(void *context, uint32_t hash, struct x509_st **found, size_t max)
{
	size_t count = 0;

	(void)context;
	(void)hash;
	for (size_t i = 0; i < COUNT_OF(cas) && count < max; i++) {
		if (cas[i] == NULL)
			continue;
		x509_hold(cas[i]->x);
		found[count++] = cas[i]->x;
	}
	return count;
}

static void
set_up(void)
{
	ck_assert_int_eq(x509_trust_partial_chains(), ERR_OK);
}

static void
tear_down(void)
{
	for (size_t i = 0; i < COUNT_OF(cas); i++) {
		pki_free(cas[i]);
		cas[i] = NULL;
	}
	x509_trust_partial_chains_undo();
}

static int64_t
now(void)
{
	return (int64_t)time(NULL) * 1000;
}

static enum err
verify(const struct pki_cert *c, bool files_too, int64_t at, struct diag *diag)
{
	struct trust_config config = { .find = find, .files_too = files_too };

	diag->text[0] = '\0';
	return trust_verify(c->x, &config, at, diag);
}

static struct pki_cert *
ca_with(const char *extension, const char *value)
{
	return pki_make(&(struct pki_options){ .common_name = "Constrained CA",
	    .is_ca = true,
	    .extensions = { { extension, value } } });
}

START_TEST(a_certificate_of_a_registered_ca_is_accepted)
{
	struct pki_cert *device, *other = pki_ca("Another CA"), *stranger = pki_device(other, "d2");
	struct diag diag;

	cas[0] = pki_ca("Test CA");
	device = pki_device(cas[0], "d1");
	for (int files = 0; files < 2; files++) {
		ck_assert_int_eq(verify(device, files, now(), &diag), ERR_OK);
		ck_assert_int_eq(verify(stranger, files, now(), &diag), ERR_NOT_FOUND);
	}
	pki_free(device);
	pki_free(stranger);
	pki_free(other);
}
END_TEST

/* Two CAs without key identifiers: the signature distinguishes them. */
START_TEST(of_two_cas_of_one_subject_the_signer_is_used)
{
	const struct pki_options ca = { .common_name = "Twin",
		.is_ca = true,
		.key_id = PKI_KEY_ID_NONE };
	struct pki_cert *device;
	struct diag diag;

	cas[0] = pki_make(&ca);
	cas[1] = pki_make(&ca);
	device = pki_make(&(struct pki_options){ .common_name = "d1",
	    .issuer = cas[1],
	    .key_id = PKI_KEY_ID_NONE });
	ck_assert_int_eq(verify(device, false, now(), &diag), ERR_OK);
	pki_free(device);
}
END_TEST

static const struct {
	const char *extension, *value, *words, *warning;
} faults[] = {
	{ "nameConstraints", "critical,permitted;DNS:plant.example", "permitted subtree violation",
	    "nameConstraints" },
	{ "nameConstraints", "critical,excluded;DNS:elsewhere.example",
	    "excluded subtree violation", "nameConstraints" },
	{ "extendedKeyUsage", "serverAuth", "purpose", "extendedKeyUsage" },
	{ "extendedKeyUsage", "serverAuth,clientAuth", NULL, NULL },
};

static char warned[512];

static void
note(void *context, const char *text)
{
	ck_assert_ptr_null(context);
	ck_assert_str_eq(warned, "");
	snprintf(warned, sizeof(warned), "%s", text);
}

START_TEST(the_constraints_of_the_ca_are_checked)
{
	struct pki_cert *device;
	struct diag diag;

	cas[0] = ca_with(faults[_i].extension, faults[_i].value);
	device = pki_make(&(struct pki_options){ .common_name = "d1",
	    .issuer = cas[0],
	    .extensions = { { "subjectAltName", "DNS:d1.elsewhere.example" } } });
	ck_assert_int_eq(verify(device, false, now(), &diag),
	    faults[_i].words != NULL ? ERR_CERTIFICATE : ERR_OK);
	ck_assert_msg(strstr(diag.text, faults[_i].words != NULL ? faults[_i].words : "") != NULL,
	    "%s", diag.text);
	warned[0] = '\0';
	trust_check_ca(cas[0]->x, now(), note, NULL);
	ck_assert_msg(faults[_i].warning != NULL ? strstr(warned, faults[_i].warning) != NULL
						 : warned[0] == '\0',
	    "%s", warned);
	pki_free(device);
}
END_TEST

START_TEST(the_refused_certificate_is_reported)
{
	struct pki_cert *device, *server;
	struct diag diag;

	cas[0] = pki_make(
	    &(struct pki_options){ .common_name = "Old CA", .is_ca = true, .not_after_days = 10 });
	device = pki_device(cas[0], "d1");
	server = pki_make(&(struct pki_options){ .common_name = "d2",
	    .issuer = cas[0],
	    .extensions = { { "extendedKeyUsage", "serverAuth" } } });
	ck_assert_int_eq(verify(device, true, now() + 20 * DAY, &diag), ERR_CERTIFICATE);
	ck_assert_str_eq(diag.text,
	    "TLS refuses its chain at the certificate 'CN=Old CA', 1 above "
	    "the device's: certificate has expired");
	ck_assert_int_eq(verify(server, true, now(), &diag), ERR_CERTIFICATE);
	ck_assert_msg(strstr(diag.text, "TLS refuses the device's certificate 'CN=d2': un") != NULL,
	    "%s", diag.text);
	warned[0] = '\0';
	trust_check_ca(cas[0]->x, now() + 20 * DAY, note, NULL);
	ck_assert_str_eq(warned,
	    "TLS will refuse certificates of this CA: certificate has expired");
	pki_free(server);
	pki_free(device);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trust_chain");
	TCase *t = suite_case(suite, "chains");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_certificate_of_a_registered_ca_is_accepted);
	tcase_add_test(t, of_two_cas_of_one_subject_the_signer_is_used);
	tcase_add_loop_test(t, the_constraints_of_the_ca_are_checked, 0, COUNT_OF(faults));
	tcase_add_test(t, the_refused_certificate_is_reported);
	return suite_run(suite);
}
