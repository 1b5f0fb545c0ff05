/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */

#include <check.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "own_ca.h"

X509 *
new_ca(EVP_PKEY *key, const EVP_MD *digest, bool with_id)
{
	X509 *x = X509_new();
	X509_EXTENSION *id;
	X509V3_CTX context;

	ck_assert_int_eq(X509_set_version(x, X509_VERSION_3), 1);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
			     (const unsigned char *)"Test CA", -1, -1, 0),
	    1);
	ck_assert_int_eq(X509_set_issuer_name(x, X509_get_subject_name(x)), 1);
	ck_assert_int_eq(X509_set_pubkey(x, key), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	if (with_id) {
		X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
		id = X509V3_EXT_conf(NULL, &context, "subjectKeyIdentifier", "hash");
		ck_assert_int_eq(X509_add_ext(x, id, -1), 1);
		X509_EXTENSION_free(id);
	}
	ck_assert_int_gt(X509_sign(x, key, digest), 0);
	return x;
}

char *
pem_of(X509 *x)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	char *pem;
	long len;

	ck_assert_int_eq(PEM_write_bio_X509(out, x), 1);
	len = BIO_get_mem_data(out, &data);
	pem = strndup(data, (size_t)len);
	BIO_free(out);
	return pem;
}

void
write_key(const char *name, EVP_PKEY *key, const char *passphrase)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, key,
			     passphrase != NULL ? EVP_aes_256_cbc() : NULL, passphrase,
			     passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL),
	    1);
	ck_assert_int_eq(fclose(file), 0);
}
