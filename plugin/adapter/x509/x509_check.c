/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509_check.c - checks whether a certificate is acceptable for its purpose.
 *
 * Any thread.  One small function for each requirement; the sources are aws-iot C and
 * D.6.  On failure *diag says what is wrong with "the `what`".  x509_strength.c knows
 * which keys and algorithms are accepted.
 */
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "jitr/core/calendar.h"
#include "x509_private.h"

/* AWS's message (aws-iot A.2.1): programs match it. */
static bool
check_is_ca(X509 *x, struct diag *diag)
{
	if (is_ca_certificate(x))
		return true;
	diag_set(diag,
	    "CA certificate is not valid. The CA certificate does not have the "
	    "basicConstraints extension as true");
	return false;
}

/* X509_get_key_usage() returns all bits if there is no keyUsage. */
static bool
check_may_sign(X509 *x, struct diag *diag)
{
	if (X509_get_key_usage(x) & KU_KEY_CERT_SIGN)
		return true;
	diag_set(diag,
	    "CA certificate is not valid. The CA certificate has a keyUsage extension "
	    "without keyCertSign");
	return false;
}

static bool
check_extensions(X509 *x, const char *what, struct diag *diag)
{
	if (extensions_are_known(x))
		return true;
	diag_set(diag,
	    "the %s has an extension that is malformed, duplicate, or critical and unrecognised",
	    what);
	return false;
}

static bool
check_key(X509 *x, const char *what, struct diag *diag)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);
	const char *type = key == NULL ? NULL : EVP_PKEY_get0_type_name(key);

	if (key_is_strong(x))
		return true;
	diag_set(diag,
	    "the key of the %s is not accepted: %s, %d bits; RSA and DSA of %d to %d "
	    "bits, the named curves P-256, P-384, P-521, and Ed25519, Ed448 are",
	    what, type == NULL ? "unknown type" : type, key == NULL ? 0 : EVP_PKEY_get_bits(key),
	    KEY_BITS_MIN, KEY_BITS_MAX);
	return false;
}

static bool
check_signature(X509 *x, const char *what, struct diag *diag)
{
	if (signature_is_strong(x))
		return true;
	diag_set(diag, "the signature algorithm of the %s is not accepted: %s; " STRONG_ALGORITHMS,
	    what, OBJ_nid2ln(X509_get_signature_nid(x)));
	return false;
}

static bool
check_validity(X509 *x, int64_t now, const char *what, struct diag *diag)
{
	struct presented facts;
	char when[TIMESTAMP_SIZE];

	if (!validity_read(x, &facts.not_before, &facts.not_after)) {
		diag_set(diag, "the validity of the %s cannot be read", what);
		return false;
	}
	if (now >= facts.not_before && now <= facts.not_after)
		return true;
	timestamp_text(now < facts.not_before ? facts.not_before : facts.not_after, when);
	diag_set(diag, "the %s is valid only %s %s UTC", what,
	    now < facts.not_before ? "from" : "until", when);
	return false;
}

/* If memory ran out the result is unknown and *diag is empty. */
static enum err
verdict(bool fit, enum err fault, struct diag *diag)
{
	enum err e = openssl_failure(fit ? ERR_OK : fault);

	if (e == ERR_NOMEM)
		diag_set(diag, "%s", "");
	return e;
}

/* The CA's own signature is not checked: the CA is trusted because an administrator
 * registers it (aws-iot C). */
enum err
x509_check_ca(struct x509_st *x, int64_t now, struct diag *diag)
{
	bool fit;

	openssl_begin();
	fit = check_is_ca(x, diag) && check_may_sign(x, diag) &&
	    check_extensions(x, "CA certificate", diag) && check_key(x, "CA certificate", diag) &&
	    check_validity(x, now, "CA certificate", diag);
	return verdict(fit, ERR_CERTIFICATE, diag);
}

/* CA:TRUE is allowed here.  The request names the certificate explicitly, and
 * self-signed certificates, registered without a CA, usually have it: `openssl req
 * -x509` writes it. */
enum err
x509_check_client(struct x509_st *x, int64_t now, struct diag *diag)
{
	bool fit;

	openssl_begin();
	fit = check_extensions(x, "certificate", diag) && check_signature(x, "certificate", diag) &&
	    check_key(x, "certificate", diag) && check_validity(x, now, "certificate", diag);
	return verdict(fit, ERR_CERTIFICATE, diag);
}

/* Any string type is accepted (aws-iot C: exactly one, compared exactly). */
static bool
copy_code(const ASN1_STRING *name, char code[65])
{
	unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, name);
	bool ok = len > 0 && len <= 64 && memchr(utf8, 0, (size_t)len) == NULL;

	if (ok) {
		memcpy(code, utf8, (size_t)len);
		code[len] = '\0';
	}
	if (len >= 0)
		OPENSSL_free(utf8);
	return ok;
}

static bool
read_code(const X509 *x, char code[65], struct diag *diag)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	int second;

	if (first < 0) {
		diag_set(diag, "the verification certificate has no common name");
		return false;
	}
	second = X509_NAME_get_index_by_NID(subject, NID_commonName, first);
	if (second >= 0) {
		diag_set(diag, "the verification certificate has more than one common name");
		return false;
	}
	if (!copy_code(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)), code)) {
		diag_set(diag,
		    "the common name of the verification certificate is no "
		    "registration code");
		return false;
	}
	return true;
}

/* Version 1 is allowed: AWS's instructions create such certificates (aws-iot C).  Its
 * own key proves nothing and may be any.  The digest must be strong, otherwise
 * something else that the CA signed could be turned into a proof. */
enum err
x509_check_verification(struct x509_st *verification, struct x509_st *ca, int64_t now,
    char code[65], struct diag *diag)
{
	const char *what = "verification certificate";

	enum answer issued = x509_issued_by(verification, ca);

	code[0] = '\0';
	if (issued == ANSWER_NOT_ASKED)
		return ERR_NOMEM;
	if (issued != ANSWER_YES) {
		diag_set(diag,
		    "the verification certificate is not signed with the private key of "
		    "the CA certificate, or does not name it as its issuer");
		return ERR_CERTIFICATE;
	}
	openssl_begin();
	if (!check_signature(verification, what, diag) ||
	    !check_validity(verification, now, what, diag))
		return verdict(false, ERR_CERTIFICATE, diag);
	if (!read_code(verification, code, diag))
		return verdict(false, ERR_PROOF, diag);
	ERR_clear_error();
	return ERR_OK;
}
