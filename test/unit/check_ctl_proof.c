/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl_proof.c - proof of possession of a CA's key.
 */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "own_ca.h"
#include "proof.h"
#include "scripted_broker.h"
#include "suite.h"

static EVP_PKEY *
new_key(const char *type)
{
	if (strcmp(type, "RSA") == 0)
		return EVP_RSA_gen(2048);
	if (strcmp(type, "EC") == 0)
		return EVP_EC_gen("P-384");
	return EVP_PKEY_Q_keygen(NULL, NULL, type);
}

static const struct {
	const char *type;
	bool with_id;
} ca_types[] = { { "RSA", true }, { "EC", true }, { "EC", false }, { "ED25519", true },
	{ "ED448", false } };

/* aws-iot C: the proof is signed by the CA's key, its only common name is the registration
 * code, it is valid now, and its own key is not the CA's. */
START_TEST(a_proof_is_signed_by_the_ca_and_names_the_registration_code)
{
	const char *type = ca_types[_i].type;
	EVP_PKEY *key = new_key(type);
	X509 *ca = new_ca(key, type[1] == 'D' ? NULL : EVP_sha256(), ca_types[_i].with_id);
	char *ca_pem = pem_of(ca);
	struct diag d = { "" };
	struct ca_key *k;
	char *pem;
	BIO *in;
	X509 *proof;
	char code[100];

	write_key("ca.key", key, NULL);
	k = ca_key_open("ca.key", ca_pem, &d);
	ck_assert_msg(k != NULL, "%s", d.text);
	pem = ca_key_prove(k, ID64, &d);
	ck_assert_msg(pem != NULL, "%s", d.text);
	in = BIO_new_mem_buf(pem, -1);
	proof = PEM_read_bio_X509(in, NULL, NULL, NULL);
	ck_assert_int_eq(X509_verify(proof, key), 1);
	ck_assert_int_eq(X509_check_issued(ca, proof), X509_V_OK);
	ck_assert_int_eq(X509_get_version(proof), X509_VERSION_3);
	ck_assert_int_eq(X509_NAME_get_text_by_NID(X509_get_subject_name(proof), NID_commonName,
			     code, sizeof(code)),
	    64);
	ck_assert_str_eq(code, ID64);
	ck_assert_int_eq(X509_NAME_entry_count(X509_get_subject_name(proof)), 1);
	ck_assert_int_lt(X509_cmp_current_time(X509_get0_notBefore(proof)), 0);
	ck_assert_int_gt(X509_cmp_current_time(X509_get0_notAfter(proof)), 0);
	ck_assert_int_eq(X509_check_private_key(proof, key), 0);
	ck_assert_int_eq(X509_check_ca(proof), 0);
	ck_assert_ptr_null(strstr(pem, "PRIVATE"));
	X509_free(proof);
	BIO_free(in);
	free(pem);
	ca_key_close(k);
	free(ca_pem);
	X509_free(ca);
	EVP_PKEY_free(key);
}
END_TEST

static void
expect_no_key(const char *path, const char *ca_pem, const char *message)
{
	struct diag d = { "" };

	ck_assert_ptr_null(ca_key_open(path, ca_pem, &d));
	ck_assert_msg(strstr(d.text, message) != NULL, "%s, expected %s", d.text, message);
}

START_TEST(an_unusable_key_is_refused_with_the_reason)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY *other = EVP_EC_gen("P-256");
	X509 *ca = new_ca(key, EVP_sha256(), true);
	char *ca_pem = pem_of(ca);

	write_key("other.key", other, NULL);
	write_key("locked.key", key, "secret");
	ck_assert_ptr_nonnull(freopen("/dev/null", "r", stdin)); /* no terminal */
	expect_no_key("other.key", ca_pem, "the key in other.key is not the key of this CA");
	expect_no_key("locked.key", ca_pem, "encrypted, and there is no terminal to ask");
	expect_no_key("ca.pem", ca_pem, "no private key in PEM found in ca.pem");
	expect_no_key("none.key", ca_pem, "cannot read the key none.key: No such file");
	expect_no_key("other.key", "nonsense", "the CA certificate cannot be read");
	free(ca_pem);
	X509_free(ca);
	EVP_PKEY_free(other);
	EVP_PKEY_free(key);
}
END_TEST

/* One command does what takes four with AWS (contract, section 4). */
START_TEST(ca_key_proves_possession_and_is_not_sent)
{
	static const char *const answers[] = { "\"data\":{\"registrationCode\":\"" ID64 "\"}",
		"\"data\":{\"certificateId\":\"1\"}", NULL };
	static const char *const words[] = { "register-ca-certificate", "--ca-certificate",
		"own.pem", "--ca-key", "file://own.key", "--set-as-active", NULL };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *ca = new_ca(key, EVP_sha256(), true);
	char *pem = pem_of(ca);
	char *requested;

	write_key("own.key", key, NULL);
	write_file("own.pem", pem, strlen(pem));
	ck_assert_int_eq(run_with_broker(answers, words), 0);
	expect_file("file://out", "{\n    \"certificateId\": \"1\"\n}\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"verificationCertificate\":\"-----BEGIN CERT"));
	ck_assert_ptr_null(strstr(requested, "PRIVATE KEY"));
	free(requested);
	free(pem);
	X509_free(ca);
	EVP_PKEY_free(key);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_proof");
	TCase *t = command_line_case(suite, "proof");

	tcase_add_loop_test(t, a_proof_is_signed_by_the_ca_and_names_the_registration_code, 0,
	    COUNT_OF(ca_types));
	tcase_add_test(t, an_unusable_key_is_refused_with_the_reason);
	tcase_add_test(t, ca_key_proves_possession_and_is_not_sent);
	return suite_run(suite);
}
