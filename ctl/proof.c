/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * proof.c - see proof.h.
 *
 * One thread.
 */
#include "proof.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal.h"

struct ca_key {
	EVP_PKEY *key;
	X509 *certificate;
};

#define CLOCK_SLACK (10 * 60)      /* seconds that a broker's clock may be behind ours */
#define LIFETIME    (24 * 60 * 60) /* seconds; a registration takes less */

struct passphrase {
	const char *path;
	bool asked, answered;
};

static int
ask_passphrase(char *buf, int size, int writing, void *arg)
{
	struct passphrase *p = arg;
	char prompt[300];
	char secret[SECRET_SIZE];
	int len = -1;

	(void)writing;
	p->asked = true;
	(void)snprintf(prompt, sizeof(prompt), "Pass phrase for %.200s: ", p->path);
	if (terminal_ask(prompt, secret)) {
		p->answered = true;
		len = (int)strlen(secret);
		if (len > size)
			len = -1;
		else
			memcpy(buf, secret, (size_t)len);
	}
	terminal_wipe(secret);
	return len;
}

static void
explain_key(const struct passphrase *p, struct diag *d)
{
	if (p->asked && !p->answered)
		diag_set(d,
		    "the key in %s is encrypted, and there is no terminal to ask for its "
		    "pass phrase",
		    p->path);
	else if (p->asked)
		diag_set(d, "the key in %s cannot be decrypted: wrong pass phrase?", p->path);
	else
		diag_set(d, "no private key in PEM found in %s", p->path);
}

static EVP_PKEY *
read_key(const char *path, struct diag *d)
{
	struct passphrase p = { .path = path };
	BIO *file = BIO_new_file(path, "r");
	EVP_PKEY *key;

	if (file == NULL) {
		diag_set(d, "cannot read the key %s: %s", path, strerror(errno));
		return NULL;
	}
	key = PEM_read_bio_PrivateKey(file, NULL, ask_passphrase, &p);
	if (key == NULL)
		explain_key(&p, d);
	BIO_free(file);
	return key;
}

static X509 *
read_certificate(const char *pem, struct diag *d)
{
	BIO *text = BIO_new_mem_buf(pem, -1);
	X509 *certificate = NULL;

	if (text != NULL)
		certificate = PEM_read_bio_X509(text, NULL, NULL, NULL);
	if (certificate == NULL)
		diag_set(d, "the CA certificate cannot be read: no certificate in PEM");
	BIO_free(text);
	return certificate;
}

struct ca_key *
ca_key_open(const char *path, const char *ca_pem, struct diag *d)
{
	struct ca_key *k = calloc(1, sizeof(*k));

	if (k == NULL) {
		diag_set(d, "out of memory");
		return NULL;
	}
	k->certificate = read_certificate(ca_pem, d);
	if (k->certificate != NULL)
		k->key = read_key(path, d);
	if (k->key != NULL) {
		if (X509_check_private_key(k->certificate, k->key) == 1)
			return k;
		diag_set(d, "the key in %s is not the key of this CA certificate", path);
	}
	ERR_clear_error();
	ca_key_close(k);
	return NULL;
}

void
ca_key_close(struct ca_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->key); /* wipes the private part */
	X509_free(key->certificate);
	free(key);
}

MUST_USE static bool
set_serial(X509 *x)
{
	unsigned char random[16];
	BIGNUM *number = NULL;
	bool ok = false;

	if (RAND_bytes(random, sizeof(random)) == 1) {
		random[0] = (unsigned char)((random[0] & 0x7f) |
		    0x40); /* positive and never zero */
		number = BN_bin2bn(random, sizeof(random), NULL);
	}
	if (number != NULL)
		ok = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;
	BN_free(number);
	return ok;
}

MUST_USE static bool
set_names(X509 *x, const X509 *issuer, const char *code)
{
	X509_NAME *subject = X509_NAME_new();
	bool ok = subject != NULL &&
	    X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC,
		(const unsigned char *)code, -1, -1, 0) == 1 &&
	    X509_set_subject_name(x, subject) == 1 &&
	    X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1;

	X509_NAME_free(subject);
	return ok;
}

/* basicConstraints without CA and, if the CA has a key identifier,
 * authorityKeyIdentifier, which distinguishes CAs of the same name. */
MUST_USE static bool
set_extensions(X509 *x, X509 *issuer)
{
	static const char *const values[][2] = { { "basicConstraints", "critical,CA:FALSE" },
		{ "authorityKeyIdentifier", "keyid" } };
	size_t count = X509_get0_subject_key_id(issuer) != NULL ? 2 : 1;
	X509V3_CTX context;
	bool ok = true;

	X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
	for (size_t i = 0; ok && i < count; i++) {
		X509_EXTENSION *e = X509V3_EXT_conf(NULL, &context, values[i][0], values[i][1]);

		ok = e != NULL && X509_add_ext(x, e, -1) == 1;
		X509_EXTENSION_free(e);
	}
	return ok;
}

/* Ed25519 and Ed448 include their digest and accept no other (RFC 8410). */
MUST_USE static bool
sign(X509 *x, EVP_PKEY *key)
{
	bool own = EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1;

	return X509_sign(x, key, own ? NULL : EVP_sha256()) > 0;
}

MUST_USE static bool
fill(X509 *x, struct ca_key *k, EVP_PKEY *own, const char *code)
{
	return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
	    set_names(x, k->certificate, code) && X509_set_pubkey(x, own) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -CLOCK_SLACK) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(x), LIFETIME) != NULL &&
	    set_extensions(x, k->certificate) && sign(x, k->key);
}

static char *
to_pem(X509 *x)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *data;
	char *pem = NULL;

	if (out != NULL && PEM_write_bio_X509(out, x) == 1) {
		long len = BIO_get_mem_data(out, &data);

		pem = strndup(data, (size_t)len);
	}
	BIO_free(out);
	return pem;
}

char *
ca_key_prove(struct ca_key *key, const char *code, struct diag *d)
{
	EVP_PKEY *own = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	char *pem = NULL;

	if (own != NULL && x != NULL && fill(x, key, own, code))
		pem = to_pem(x);
	if (pem == NULL) {
		const char *why = ERR_reason_error_string(ERR_peek_last_error());

		diag_set(d, "the verification certificate cannot be made: %s",
		    why != NULL ? why : "OpenSSL failed");
	}
	ERR_clear_error();
	X509_free(x);
	EVP_PKEY_free(own);
	return pem;
}
