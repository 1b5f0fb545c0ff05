/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509_strength.c - which algorithms, keys and extensions are accepted (aws-iot C, D.6).
 *
 * Any thread.  Unknown clients can send any certificate, so sizes are checked before
 * anything is computed with them.
 */
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "x509_private.h"

#define RSA_EXPONENT_MAX  64  /* bits; OpenSSL's limit for large keys */
#define SECURITY_BITS_MIN 112 /* strength of RSA with 2048 bits (NIST SP 800-57) */

/* aws-iot D.6; and EdDSA, which has no weak parameters. */
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

bool
signature_is_strong(struct x509_st *x)
{
	const X509_ALGOR *outside;
	int digest, key;

	/* RFC 5280 4.1.1.2: the inner and outer algorithms must be equal. */
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

/* An exponent of 1 makes signatures forgeable; a long one makes verifying expensive. */
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

/* The curve must be named: explicit parameters can imitate a curve (CVE-2020-0601), and
 * RFC 5480 2.1.1 forbids them. */
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
		return false; /* unknown to OpenSSL, or malformed */
	if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
		return rsa_is_strong(key);
	if (EVP_PKEY_is_a(key, "EC"))
		return curve_is_strong(x);
	if (EVP_PKEY_is_a(key, "DSA"))
		return bits_are_fine(key) && EVP_PKEY_get_security_bits(key) >= SECURITY_BITS_MIN;
	return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
}

/* RFC 5280 4.2: only in version 3, each at most once, and no unrecognised critical one.
 * X509_check_purpose() has parsed those that OpenSSL knows and fails if one is
 * malformed. */
bool
extensions_are_known(struct x509_st *x)
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

bool
is_ca_certificate(struct x509_st *x)
{
	return (X509_get_extension_flags(x) & EXFLAG_CA) != 0;
}

enum err
x509_read_strength(struct x509_st *x, struct presented *out)
{
	openssl_begin();
	out->known_extensions = extensions_are_known(x);
	out->is_leaf = !is_ca_certificate(x);
	out->strong_signature = signature_is_strong(x);
	out->strong_key = key_is_strong(x);
	return memory_or_ok();
}
