/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pki.c - see pki.h.
 */
#include "pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

void
pki_must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "pki: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

/* Keys. */

/* A key from numbers: name[i] = value[i]. */
static EVP_PKEY *
key_of_numbers(const char *type, int selection, const char *const *name, BIGNUM *const *value)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;

	pki_must(build != NULL && ctx != NULL, "key context");
	for (size_t i = 0; name[i] != NULL; i++)
		pki_must(OSSL_PARAM_BLD_push_BN(build, name[i], value[i]), name[i]);
	params = OSSL_PARAM_BLD_to_param(build);
	pki_must(params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
		EVP_PKEY_fromdata(ctx, &key, selection, params) == 1,
	    "key of numbers");
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* A random modulus without known factors. */
static EVP_PKEY *
rsa_public(int bits, unsigned exponent)
{
	const char *const name[] = { OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, NULL };
	BIGNUM *value[] = { BN_new(), BN_new() };
	EVP_PKEY *key;

	pki_must(value[0] != NULL && value[1] != NULL &&
		BN_rand(value[0], bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) &&
		BN_set_word(value[1], exponent),
	    "RSA numbers");
	key = key_of_numbers("RSA", EVP_PKEY_PUBLIC_KEY, name, value);
	BN_free(value[0]);
	BN_free(value[1]);
	return key;
}

/* Generating parameters takes seconds.  These are of RFC 5114 2.3, which OpenSSL has as a
 * Diffie-Hellman group. */
static EVP_PKEY *
dsa_make(void)
{
	const char *const name[] = { OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q,
		OSSL_PKEY_PARAM_FFC_G, NULL };
	OSSL_PARAM group[] = { OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
				   (char[]){ "dh_2048_256" }, 0),
		OSSL_PARAM_END };
	BIGNUM *value[3] = { NULL, NULL, NULL };
	EVP_PKEY *dh = NULL, *parameters, *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DHX", NULL);

	pki_must(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
		EVP_PKEY_CTX_set_params(ctx, group) == 1 && EVP_PKEY_generate(ctx, &dh) == 1,
	    "DH group");
	EVP_PKEY_CTX_free(ctx);
	for (size_t i = 0; i < 3; i++)
		pki_must(EVP_PKEY_get_bn_param(dh, name[i], &value[i]), name[i]);
	parameters = key_of_numbers("DSA", EVP_PKEY_KEY_PARAMETERS, name, value);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, parameters, NULL);
	pki_must(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_generate(ctx, &key) == 1,
	    "DSA key");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(parameters);
	EVP_PKEY_free(dh);
	for (size_t i = 0; i < 3; i++)
		BN_free(value[i]);
	return key;
}

static EVP_PKEY *
curve_make(const char *curve, const char *encoding)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	char group[32], form[32];
	OSSL_PARAM params[3];

	snprintf(group, sizeof(group), "%s", curve);
	snprintf(form, sizeof(form), "%s", encoding);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, form, 0);
	params[2] = OSSL_PARAM_construct_end();
	pki_must(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
		EVP_PKEY_CTX_set_params(ctx, params) == 1 && EVP_PKEY_generate(ctx, &key) == 1,
	    curve);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *
rsa_make(const char *type, int bits)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	pki_must(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
		EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) == 1 &&
		EVP_PKEY_generate(ctx, &key) == 1,
	    type);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *
key_make(enum pki_key kind)
{
	switch (kind) {
	case PKI_P256:
		return curve_make("prime256v1", "named_curve");
	case PKI_P384:
		return curve_make("secp384r1", "named_curve");
	case PKI_P521:
		return curve_make("secp521r1", "named_curve");
	case PKI_P224:
		return curve_make("secp224r1", "named_curve");
	case PKI_SECP256K1:
		return curve_make("secp256k1", "named_curve");
	case PKI_P256_EXPLICIT:
		return curve_make("prime256v1", "explicit");
	case PKI_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case PKI_ED448:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	case PKI_X25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	case PKI_RSA_512:
		return rsa_make("RSA", 512);
	case PKI_RSA_1024:
		return rsa_make("RSA", 1024);
	case PKI_RSA_2048:
		return rsa_make("RSA", 2048);
	case PKI_RSA_3072:
		return rsa_make("RSA", 3072);
	case PKI_RSA_PSS_2048:
		return rsa_make("RSA-PSS", 2048);
	case PKI_RSA_16384:
		return rsa_public(16384, 65537);
	case PKI_RSA_E1:
		return rsa_public(2048, 1);
	case PKI_DSA_2048:
		return dsa_make();
	}
	return NULL;
}

static bool
key_is_expensive(enum pki_key kind)
{
	return kind >= PKI_RSA_512;
}

static EVP_PKEY *
key_get(const struct pki_options *o)
{
	static EVP_PKEY *made[PKI_DSA_2048 + 1][2];
	EVP_PKEY **slot = &made[o->key][o->issuer != NULL];
	EVP_PKEY *key = o->key_of != NULL ? o->key_of->key : *slot;

	if (key == NULL || (o->key_of == NULL && !key_is_expensive(o->key))) {
		key = key_make(o->key);
		pki_must(key != NULL, "key");
		if (!key_is_expensive(o->key))
			return key;
		*slot = key;
	}
	pki_must(EVP_PKEY_up_ref(key), "key reference");
	return key;
}

/* The parts of a certificate. */

static void
name_add(X509_NAME *name, int nid, const char *text, size_t len, int type)
{
	if (text == NULL)
		return;
	pki_must(X509_NAME_add_entry_by_NID(name, nid, type == 0 ? V_ASN1_UTF8STRING : type,
		     (const unsigned char *)text, (int)(len == 0 ? strlen(text) : len), -1, 0),
	    "name");
}

static void
set_names(X509 *x, const struct pki_options *o)
{
	X509_NAME *subject = X509_NAME_new();
	X509_NAME *by_text = X509_NAME_new();
	const struct pki_cert *by = o->named_issuer != NULL ? o->named_issuer : o->issuer;
	const X509_NAME *issuer = by == NULL ? subject : X509_get_subject_name(by->x);

	pki_must(subject != NULL && by_text != NULL, "name");
	name_add(subject, NID_organizationName, o->organization, 0, 0);
	name_add(subject, NID_commonName, o->common_name, o->common_name_len, o->common_name_type);
	name_add(subject, NID_commonName, o->second_common_name, 0, 0);
	for (const struct pki_extension *a = o->attributes; a->name != NULL; a++)
		name_add(subject, OBJ_txt2nid(a->name), a->value, 0, 0);
	name_add(by_text, NID_commonName, o->issuer_name, 0, 0);
	if (o->issuer_name != NULL)
		issuer = by_text;
	pki_must(X509_set_subject_name(x, subject) && X509_set_issuer_name(x, issuer), "names");
	X509_NAME_free(subject);
	X509_NAME_free(by_text);
}

/* text is used unchanged, well-formed or not. */
static ASN1_TIME *
make_time(const char *text, time_t now, int days)
{
	ASN1_TIME *t;

	if (text == NULL)
		return X509_time_adj_ex(NULL, days, 0, &now);
	t = ASN1_STRING_type_new(strlen(text) <= 13 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME);
	pki_must(t != NULL && ASN1_STRING_set(t, text, (int)strlen(text)), "time");
	return t;
}

static void
set_times(X509 *x, const struct pki_options *o)
{
	ASN1_TIME *not_before, *not_after;
	time_t now = o->now == 0 ? time(NULL) : (time_t)(o->now / 1000);
	int to = o->not_after_days == 0 ? 365 : o->not_after_days;
	int from = o->not_before_days;

	if (from == 0)
		from = to <= 0 ? to - 1 : -1;
	not_before = make_time(o->not_before, now, from);
	not_after = make_time(o->not_after, now, to);
	pki_must(X509_set1_notBefore(x, not_before) && X509_set1_notAfter(x, not_after),
	    "validity");
	ASN1_TIME_free(not_before);
	ASN1_TIME_free(not_after);
}

static void
set_serial(X509 *x, const char *decimal)
{
	BIGNUM *n = NULL;

	if (decimal == NULL) {
		n = BN_new();
		pki_must(n != NULL && BN_rand(n, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY),
		    "serial");
	} else {
		pki_must(BN_dec2bn(&n, decimal) > 0, "serial");
	}
	pki_must(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL, "serial");
	BN_free(n);
}

static void
add_extension(X509 *x, const struct pki_cert *issuer, const char *name, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer == NULL ? x : issuer->x, x, NULL, NULL, 0);
	extension = X509V3_EXT_nconf(NULL, &ctx, name, value);
	pki_must(extension != NULL && X509_add_ext(x, extension, -1), name);
	X509_EXTENSION_free(extension);
}

static void
add_key_ids(X509 *x, const struct pki_options *o)
{
	char long_id[4 + 4 + 2 * 65 + 1] = "DER:0441";

	if (o->key_id == PKI_KEY_ID_NONE)
		return;
	if (o->key_id == PKI_KEY_ID_LONG) {
		memset(long_id + 8, 'a', 2 * 65);
		add_extension(x, NULL, "subjectKeyIdentifier", long_id);
	} else if (o->is_ca) {
		add_extension(x, NULL, "subjectKeyIdentifier", "hash");
	}
	if (o->key_id == PKI_KEY_ID_WRONG)
		add_extension(x, NULL, "authorityKeyIdentifier", "DER:30068004deadbeef");
	else if (o->issuer != NULL && X509_get0_subject_key_id(o->issuer->x) != NULL)
		add_extension(x, o->issuer, "authorityKeyIdentifier", "keyid");
}

static void
add_sans(X509 *x, unsigned count)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();

	pki_must(names != NULL, "subjectAltName");
	for (unsigned i = 0; i < count; i++) {
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_IA5STRING *dns = ASN1_IA5STRING_new();

		pki_must(name != NULL && dns != NULL && ASN1_STRING_set(dns, "aa", 2), "DNS name");
		GENERAL_NAME_set0_value(name, GEN_DNS, dns);
		pki_must(sk_GENERAL_NAME_push(names, name) > 0, "DNS name");
	}
	pki_must(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND) == 1,
	    "subjectAltName");
	GENERAL_NAMES_free(names);
}

static void
add_extra(X509 *x, unsigned count)
{
	ASN1_OCTET_STRING *nothing = ASN1_OCTET_STRING_new();

	pki_must(nothing != NULL, "extension");
	for (unsigned i = 0; i < count; i++) {
		char oid[32];
		ASN1_OBJECT *object;
		X509_EXTENSION *extension;

		snprintf(oid, sizeof(oid), "1.2.3.%u", i);
		object = OBJ_txt2obj(oid, 1);
		extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, nothing);
		pki_must(extension != NULL && X509_add_ext(x, extension, -1), oid);
		X509_EXTENSION_free(extension);
		ASN1_OBJECT_free(object);
	}
	ASN1_OCTET_STRING_free(nothing);
}

static void
add_extensions(X509 *x, const struct pki_options *o)
{
	if (o->version != 1) {
		if (!o->no_basic_constraints)
			add_extension(x, NULL, "basicConstraints",
			    o->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
		add_key_ids(x, o);
	}
	for (size_t i = 0; i < COUNT_OF(o->extensions) && o->extensions[i].name != NULL; i++)
		add_extension(x, NULL, o->extensions[i].name, o->extensions[i].value);
	if (o->sans > 0)
		add_sans(x, o->sans);
	add_extra(x, o->extra);
}

static void
sign(X509 *x, EVP_PKEY *key, const struct pki_options *o)
{
	bool pure = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
	const char *digest = o->digest == NULL ? "SHA256" : o->digest;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;

	pki_must(ctx != NULL &&
		EVP_DigestSignInit_ex(ctx, &how, pure ? NULL : digest, NULL, NULL, key, NULL) == 1,
	    "sign");
	if (o->pss)
		pki_must(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1, "PSS");
	pki_must(X509_sign_ctx(x, ctx) > 0, "sign");
	EVP_MD_CTX_free(ctx);
}

/* The content of bio, terminated; frees bio. */
static char *
text_of(BIO *bio)
{
	char *text, *copy;
	long len = BIO_get_mem_data(bio, &text);

	copy = malloc((size_t)len + 1);
	pki_must(copy != NULL, "text");
	memcpy(copy, text, (size_t)len);
	copy[len] = '\0';
	BIO_free(bio);
	return copy;
}

static char *
pem_of(const X509 *x)
{
	BIO *bio = BIO_new(BIO_s_mem());

	pki_must(bio != NULL && PEM_write_bio_X509(bio, x), "PEM");
	return text_of(bio);
}

/* The memory that pki_free() frees. */
struct minted {
	struct pki_cert cert;
	unsigned char *der;
	char *pem;
};

bool
pki_is_version_1(const struct pki_cert *c)
{
	return X509_get_version(c->x) == X509_VERSION_1;
}

/* Signs it, encodes it and parses it again, like a received one. */
static struct pki_cert *
finish(const X509 *x, EVP_PKEY *key)
{
	struct minted *m = calloc(1, sizeof(*m));
	int len;

	pki_must(m != NULL, "certificate");
	len = i2d_X509(x, &m->der);
	pki_must(len > 0, "DER");
	m->pem = pem_of(x);
	m->cert.key = key;
	m->cert.der = (struct view){ m->der, (size_t)len };
	m->cert.pem = view_of(m->pem);
	m->cert.x = pki_parse(m->cert.der);
	ERR_clear_error();
	return &m->cert;
}

struct pki_cert *
pki_make(const struct pki_options *o)
{
	X509 *x = X509_new();
	EVP_PKEY *key = key_get(o);
	struct pki_cert *c;

	pki_must(x != NULL &&
		X509_set_version(x, o->version == 1 ? X509_VERSION_1 : X509_VERSION_3),
	    "version");
	set_serial(x, o->serial);
	set_names(x, o);
	set_times(x, o);
	pki_must(X509_set_pubkey(x, key), "public key");
	add_extensions(x, o);
	sign(x, o->issuer == NULL ? key : o->issuer->key, o);
	c = finish(x, key);
	X509_free(x);
	return c;
}

struct pki_cert *
pki_twin(const struct pki_cert *c, const struct pki_cert *issuer)
{
	X509 *x = X509_dup(c->x);
	struct pki_cert *twin;

	pki_must(x != NULL && X509_sign(x, issuer->key, EVP_sha256()) > 0, "twin");
	pki_must(EVP_PKEY_up_ref(c->key), "key");
	twin = finish(x, c->key);
	X509_free(x);
	return twin;
}

void
pki_free(struct pki_cert *c)
{
	struct minted *m = (struct minted *)c; /* its first member */

	if (m == NULL)
		return;
	X509_free(m->cert.x);
	EVP_PKEY_free(m->cert.key);
	OPENSSL_free(m->der);
	free(m->pem);
	free(m);
}

struct pki_cert *
pki_ca(const char *common_name)
{
	return pki_make(&(struct pki_options){
	    .common_name = common_name,
	    .is_ca = true,
	    .extensions = { { "keyUsage", "critical,keyCertSign,cRLSign" } },
	});
}

struct pki_cert *
pki_device(const struct pki_cert *ca, const char *common_name)
{
	return pki_make(&(struct pki_options){ .common_name = common_name, .issuer = ca });
}

struct pki_cert *
pki_verification(const struct pki_cert *ca, const char *code)
{
	return pki_make(&(struct pki_options){ .common_name = code, .issuer = ca, .version = 1 });
}

char *
pki_key_pem(const struct pki_cert *c)
{
	BIO *bio = BIO_new(BIO_s_mem());

	pki_must(bio != NULL && PEM_write_bio_PrivateKey(bio, c->key, NULL, NULL, 0, NULL, NULL),
	    "private key");
	return text_of(bio);
}

static size_t
append(char *out, size_t at, const char *text, size_t len)
{
	memcpy(out + at, text, len);
	return at + len;
}

size_t
pki_fill_in(char *out, const char *pattern, struct view pem, const struct pki_cert *key)
{
	char *secret = pki_key_pem(key);
	const char *block = (const char *)pem.data;
	const char *body = strchr(block, '\n') + 1;
	size_t len = 0;

	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '@')
			len = append(out, len, block, strlen(block));
		else if (*pattern == '#')
			len = append(out, len, body, (size_t)(strstr(body, "-----") - body));
		else if (*pattern == '!')
			len = append(out, len, secret, strlen(secret));
		else
			out[len++] = *pattern == '~' ? '\0' : *pattern;
	}
	free(secret);
	return len;
}

struct x509_st *
pki_parse(struct view der)
{
	const unsigned char *at = der.data;
	X509 *x = d2i_X509(NULL, &at, (long)der.len);

	ERR_clear_error();
	return x;
}

bool
pki_server_accepts(const struct pki_cert *anchor, const struct pki_cert *client, int64_t now)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok;

	pki_must(store != NULL && ctx != NULL && X509_STORE_add_cert(store, anchor->x) &&
		X509_STORE_CTX_init(ctx, store, client->x, NULL) &&
		X509_STORE_CTX_set_default(ctx, "ssl_client"),
	    "verify context");
	X509_STORE_CTX_set_time(ctx, 0, (time_t)(now / 1000));
	ok = X509_verify_cert(ctx) == 1;
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	ERR_clear_error();
	return ok;
}

void
pki_leave_error(void)
{
	ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
}

bool
pki_no_errors(void)
{
	return ERR_peek_error() == 0;
}
