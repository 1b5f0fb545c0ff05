/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509_check.c - is a certificate good enough for what it is to be?
 *
 * Any thread.  One small function for each requirement; their sources are
 * aws-iot C and D.6.  What a stranger can send bounds what these cost: sizes
 * are looked at before anything is computed with them.
 */
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "jitr/core/calendar.h"
#include "x509_private.h"

#define KEY_BITS_MIN      2048 /* RSA and DSA (aws-iot D.6) */
#define KEY_BITS_MAX      8192 /* a check costs some 0.3 ms; twice the size, four times that */
#define RSA_EXPONENT_MAX  64   /* bits; what OpenSSL demands of large keys */
#define SECURITY_BITS_MIN 112  /* what RSA of 2048 bits has (NIST SP 800-57) */

/* aws-iot D.6, and EdDSA, for which there is no weaker choice. */
bool
algorithm_is_strong(int key, int digest)
{
	static const struct {
		int key, digest;
	} accepted[] = {
		{ NID_rsaEncryption, NID_sha256 },
		{ NID_rsaEncryption, NID_sha384 },
		{ NID_rsaEncryption, NID_sha512 },
		{ NID_rsassaPss, NID_sha256 },
		{ NID_rsassaPss, NID_sha384 },
		{ NID_rsassaPss, NID_sha512 },
		{ NID_dsa, NID_sha256 },
		{ NID_X9_62_id_ecPublicKey, NID_sha256 },
		{ NID_X9_62_id_ecPublicKey, NID_sha384 },
		{ NID_X9_62_id_ecPublicKey, NID_sha512 },
		{ NID_ED25519, NID_undef },
		{ NID_ED448, NID_undef },
	};

	for (size_t i = 0; i < COUNT_OF(accepted); i++)
		if (accepted[i].key == key && accepted[i].digest == digest)
			return true;
	return false;
}

static bool
signature_is_strong(X509 *x)
{
	const X509_ALGOR *outside;
	int digest, key;

	/* RFC 5280 4.1.1.2: the algorithm is named twice and must be the same. */
	X509_get0_signature(NULL, &outside, x);
	if (X509_ALGOR_cmp(outside, X509_get0_tbs_sigalg(x)) != 0)
		return false;
	return X509_get_signature_info(x, &digest, &key, NULL, NULL) &&
	    algorithm_is_strong(key, digest);
}

static bool
bits_are_fine(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	return bits >= KEY_BITS_MIN && bits <= KEY_BITS_MAX;
}

/* An exponent of 1 signs nothing; a long one makes each check expensive. */
static bool
rsa_is_strong(const EVP_PKEY *key)
{
	BIGNUM *e = NULL;
	bool ok;

	if (!bits_are_fine(key) || !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e))
		return false;
	ok = BN_is_odd(e) && !BN_is_one(e) && BN_num_bits(e) <= RSA_EXPONENT_MAX;
	BN_free(e);
	return ok;
}

int
named_curve(const struct x509_st *x)
{
	X509_ALGOR *algorithm;
	const ASN1_OBJECT *oid;
	const void *parameter;
	int type;

	if (!X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, X509_get_X509_PUBKEY(x)))
		return NID_undef;
	X509_ALGOR_get0(&oid, &type, &parameter, algorithm);
	if (OBJ_obj2nid(oid) != NID_X9_62_id_ecPublicKey || type != V_ASN1_OBJECT)
		return NID_undef;
	return OBJ_obj2nid(parameter);
}

/* The curve must be named: parameters of one's own can imitate a curve that
 * they are not (CVE-2020-0601), and RFC 5480 2.1.1 forbids them. */
static bool
curve_is_strong(const X509 *x)
{
	int curve = named_curve(x);

	return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1 || curve == NID_secp521r1;
}

bool
key_is_strong(struct x509_st *x)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);

	if (key == NULL)
		return false; /* of a kind that OpenSSL does not know, or broken */
	if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
		return rsa_is_strong(key);
	if (EVP_PKEY_is_a(key, "EC"))
		return curve_is_strong(x);
	if (EVP_PKEY_is_a(key, "DSA"))
		return bits_are_fine(key) && EVP_PKEY_get_security_bits(key) >= SECURITY_BITS_MIN;
	return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
}

/* RFC 5280 4.2: only in version 3, each at most once, and a
 * critical one that is not understood is refused.  X509_check_purpose has read those
 * that OpenSSL knows, and refuses what it cannot read. */
static bool
extensions_are_known(X509 *x)
{
	int count = X509_get_ext_count(x);

	if (count > EXTENSIONS_MAX || (count > 0 && X509_get_version(x) != X509_VERSION_3))
		return false;
	if (X509_check_purpose(x, -1, 0) != 1 || (X509_get_extension_flags(x) & EXFLAG_CRITICAL))
		return false;
	for (int i = 0; i < count; i++) {
		const ASN1_OBJECT *oid = X509_EXTENSION_get_object(X509_get_ext(x, i));

		if (X509_get_ext_by_OBJ(x, oid, i) >= 0)
			return false;
	}
	return true;
}

static bool
is_ca(X509 *x)
{
	return (X509_get_extension_flags(x) & EXFLAG_CA) != 0;
}

enum err
x509_read_strength(struct x509_st *x, struct presented *out)
{
	openssl_begin();
	out->known_extensions = extensions_are_known(x);
	out->is_leaf = !is_ca(x);
	out->strong_signature = signature_is_strong(x);
	out->strong_key = key_is_strong(x);
	return memory_or_ok();
}

/*
 * The checks below answer for a person: each says in *diag what is wrong with
 * "the `what`".
 */

/* The sentence is AWS's own (aws-iot A.2.1): programs look for it. */
static bool
check_is_ca(X509 *x, struct diag *diag)
{
	if (is_ca(x))
		return true;
	diag_set(diag,
	    "CA certificate is not valid. The CA certificate does not have the "
	    "basicConstraints extension as true");
	return false;
}

/* X509_get_key_usage answers all bits when there is no keyUsage at all. */
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
	diag_set(diag, "the %s has an extension that is broken, double, or critical and unknown",
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

/* Of one that could not be looked at for want of memory nothing was found out. */
static enum err
verdict(bool fit, enum err fault, struct diag *diag)
{
	enum err e = openssl_failure(fit ? ERR_OK : fault);

	if (e == ERR_NOMEM)
		diag_set(diag, "%s", "");
	return e;
}

/* A CA's own signature is not looked at: it is trusted because an
 * administrator registers it (aws-iot C). */
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

/* CA:TRUE is no fault here.  A call to register names the certificate
 * itself, and a self-signed one, registered without CA, has it more often than
 * not: `openssl req -x509` writes it. */
enum err
x509_check_client(struct x509_st *x, int64_t now, struct diag *diag)
{
	bool fit;

	openssl_begin();
	fit = check_extensions(x, "certificate", diag) && check_signature(x, "certificate", diag) &&
	    check_key(x, "certificate", diag) && check_validity(x, now, "certificate", diag);
	return verdict(fit, ERR_CERTIFICATE, diag);
}

/* Whatever string type it has (aws-iot C: exactly one, compared exactly). */
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

/* Version 1 is fine: the AWS recipes make such ones (aws-iot C).  Its own key
 * proves nothing and may be any; the digest must be strong, otherwise something
 * else that the CA once signed could be turned into a proof. */
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
