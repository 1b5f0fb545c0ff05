/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_signature.c - verifies the signature of a list with the key of its CA.
 *
 * Any thread.  Works on the received bytes without copying them: X509_CRL_verify()
 * needs an X509_CRL, which is too large for long lists.  The additional checks of that
 * function are done here: the algorithm must be one for this kind of key, and the
 * parameters of RSA-PSS must be valid (RFC 4055 3.1).
 */
#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crl_private.h"
#include "x509_private.h"

#define SALT_DEFAULT 20 /* with SHA-1 for both digests (RFC 4055 3.1) */

static int
digest_of(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *oid;

	if (algorithm == NULL)
		return NID_sha1;
	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	return OBJ_obj2nid(oid);
}

/* The parameters of an algorithm as a structure; NULL if they are something else. */
static void *
parameters(const X509_ALGOR *algorithm, const ASN1_ITEM *structure)
{
	const void *value;
	int type;

	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	return type == V_ASN1_SEQUENCE ? ASN1_item_unpack(value, structure) : NULL;
}

/* MGF1, the only mask generation function, has its digest in nested parameters. */
static int
mask_digest_of(const X509_ALGOR *mask)
{
	const ASN1_OBJECT *oid;
	X509_ALGOR *inner;
	int digest = NID_undef;

	if (mask == NULL)
		return NID_sha1;
	X509_ALGOR_get0(&oid, NULL, NULL, mask);
	if (OBJ_obj2nid(oid) != NID_mgf1)
		return NID_undef;
	inner = parameters(mask, ASN1_ITEM_rptr(X509_ALGOR));
	if (inner != NULL)
		digest = digest_of(inner);
	X509_ALGOR_free(inner);
	return digest;
}

static bool
pss_read(const X509_ALGOR *algorithm, struct crl_scheme *out)
{
	RSA_PSS_PARAMS *p = parameters(algorithm, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	bool ok;

	if (p == NULL)
		return false;
	out->digest = digest_of(p->hashAlgorithm);
	out->mask_digest = mask_digest_of(p->maskGenAlgorithm);
	out->salt_len = p->saltLength == NULL ? SALT_DEFAULT : ASN1_INTEGER_get(p->saltLength);
	ok = p->trailerField == NULL || ASN1_INTEGER_get(p->trailerField) == 1;
	RSA_PSS_PARAMS_free(p);
	return ok && out->mask_digest != NID_undef && out->salt_len >= 0 && out->salt_len <= 1024;
}

/* RFC 8410 3: EdDSA has no parameters. */
static bool
has_parameters(const X509_ALGOR *algorithm)
{
	int type;

	X509_ALGOR_get0(NULL, &type, NULL, algorithm);
	return type != V_ASN1_UNDEF;
}

bool
crl_scheme_read(const struct X509_algor_st *algorithm, struct crl_scheme *out)
{
	const ASN1_OBJECT *oid;

	*out = (struct crl_scheme){ 0 };
	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	if (!OBJ_find_sigid_algs(OBJ_obj2nid(oid), &out->digest, &out->key))
		return false;
	if (out->key == NID_rsassaPss)
		return pss_read(algorithm, out);
	return out->digest != NID_undef || !has_parameters(algorithm);
}

/* An RSA key may sign with PSS, too (RFC 4055 1.2). */
static bool
key_fits(const EVP_PKEY *key, int kind)
{
	return EVP_PKEY_is_a(key, OBJ_nid2sn(kind)) ||
	    (kind == NID_rsassaPss && EVP_PKEY_is_a(key, "RSA"));
}

static bool
set_padding(EVP_PKEY_CTX *ctx, const struct crl_scheme *s)
{
	if (s->key != NID_rsassaPss)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, OBJ_nid2sn(s->mask_digest), NULL) > 0 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)s->salt_len) > 0;
}

/* The bits of the signature: behind the algorithm, and behind the count of unused bits,
 * which is 0 (crl_split). */
static bool
take_signature(struct view signature, struct view *bits)
{
	struct der algorithm, value;

	if (!der_take(&signature, DER_SEQUENCE, &algorithm) ||
	    !der_take(&signature, DER_BIT_STRING, &value))
		return false;
	*bits = view_from(value.content, 1);
	return true;
}

bool
crl_signature_is_good(const struct crl_parts *parts, const struct crl_scheme *s, struct x509_st *ca)
{
	EVP_PKEY *key = X509_get0_pubkey(ca);
	EVP_MD_CTX *ctx;
	EVP_PKEY_CTX *how;
	const char *digest = s->digest == NID_undef ? NULL : OBJ_nid2sn(s->digest);
	struct view bits;
	bool good;

	if (key == NULL || !key_fits(key, s->key) || !take_signature(parts->signature, &bits))
		return false;
	ctx = EVP_MD_CTX_new();
	good = ctx != NULL &&
	    EVP_DigestVerifyInit_ex(ctx, &how, digest, NULL, NULL, key, NULL) == 1 &&
	    set_padding(how, s) &&
	    EVP_DigestVerify(ctx, bits.data, bits.len, parts->tbs.data, parts->tbs.len) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}
