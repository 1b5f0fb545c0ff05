/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pki_crl.c - see pki_crl.h.
 *
 * Lists are written byte by byte: OpenSSL makes no malformed lists, and is slow with large
 * ones.
 */
#include "pki_crl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "jitr/core/der.h"

/* A growing buffer. */

struct bytes {
	uint8_t *data;
	size_t len, size;
};

static void
put(struct bytes *b, const void *data, size_t len)
{
	if (len > b->size - b->len) {
		b->size = 2 * b->size + len + 64;
		b->data = realloc(b->data, b->size);
		pki_must(b->data != NULL, "memory");
	}
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

/* Wraps the bytes from here to the end into a value of this tag. */
static void
wrap(struct bytes *b, size_t from, uint8_t tag)
{
	size_t len = b->len - from;
	uint8_t front[6] = { tag, (uint8_t)len };
	size_t used = 2, digits = 0;

	if (len >= 128) {
		while (len >> 8 * digits != 0)
			digits++;
		front[1] = (uint8_t)(0x80 | digits);
		for (size_t i = digits; i > 0; i--)
			front[used++] = (uint8_t)(len >> 8 * (i - 1));
	}
	put(b, front, used);
	memmove(b->data + from + used, b->data + from, len);
	memcpy(b->data + from, front, used);
}

static void
put_value(struct bytes *b, uint8_t tag, const void *data, size_t len)
{
	size_t from = b->len;

	put(b, data, len);
	wrap(b, from, tag);
}

/* Appends and frees the result of an i2d function of OpenSSL. */
static void
put_made(struct bytes *b, unsigned char **der, int len)
{
	pki_must(len > 0, "DER");
	put(b, *der, (size_t)len);
	OPENSSL_free(*der);
}

static uint8_t
hex_digit(char c)
{
	static const char all[] = "0123456789abcdef";
	const char *at = strchr(all, tolower((unsigned char)c));

	pki_must(c != '\0' && at != NULL, "notation of DER");
	return (uint8_t)(at - all);
}

static const char *
put_text(struct bytes *b, const char *at)
{
	const char *end = strchr(at, '\'');

	pki_must(end != NULL, "notation of DER: no end of text");
	put(b, at, (size_t)(end - at));
	return end + 1;
}

/* A value that has begun; the byte before its start is the tag. */
struct opened {
	size_t from;
	uint8_t tag;
};

static struct opened
open_value(struct bytes *b)
{
	pki_must(b->len > 0, "notation of DER: no tag");
	b->len--;
	return (struct opened){ b->len, b->data[b->len] };
}

/* See pki_der(). */
static void
put_notation(struct bytes *b, const char *at)
{
	struct opened opened[16];
	size_t depth = 0;

	while (*at != '\0') {
		char c = *at++;

		if (c == '\'') {
			at = put_text(b, at);
		} else if (c == '(') {
			pki_must(depth < COUNT_OF(opened), "notation of DER: too deep");
			opened[depth++] = open_value(b);
		} else if (c == ')') {
			pki_must(depth > 0, "notation of DER: nothing to close");
			depth--;
			wrap(b, opened[depth].from, opened[depth].tag);
		} else if (c != ' ') {
			put(b, (uint8_t[]){ (uint8_t)(hex_digit(c) << 4 | hex_digit(*at++)) }, 1);
		}
	}
	pki_must(depth == 0, "notation of DER: not closed");
}

struct view
pki_der(const char *notation, uint8_t *out, size_t size)
{
	struct bytes b = { 0 };
	struct view v = { out, 0 };

	put_notation(&b, notation);
	pki_must(b.len <= size, "notation of DER: too long");
	if (b.len > 0)
		memcpy(out, b.data, b.len);
	v.len = b.len;
	free(b.data);
	return v;
}

/* The parts of a list. */

static void
put_integer(struct bytes *b, const char *decimal)
{
	BIGNUM *n = NULL;
	ASN1_INTEGER *integer;
	unsigned char *der = NULL;

	pki_must(BN_dec2bn(&n, decimal) > 0, decimal);
	integer = BN_to_ASN1_INTEGER(n, NULL);
	pki_must(integer != NULL, decimal);
	put_made(b, &der, i2d_ASN1_INTEGER(integer, &der));
	ASN1_INTEGER_free(integer);
	BN_free(n);
}

/* text is used unchanged, well-formed or not. */
static void
put_time(struct bytes *b, const char *text, int64_t now, int days)
{
	time_t t = (time_t)(now / 1000) + (time_t)days * 86400;
	struct tm tm;
	char made[16];
	uint8_t tag = DER_UTC_TIME;

	if (text == NULL) {
		pki_must(gmtime_r(&t, &tm) != NULL, "time");
		strftime(made, sizeof(made), "%Y%m%d%H%M%SZ", &tm);
		text = tm.tm_year < 150 ? made + 2 : made;
	}
	if (strlen(text) > 13)
		tag = DER_GENERALIZED_TIME;
	put_value(b, tag, text, strlen(text));
}

static void
put_name(struct bytes *b, const struct pki_crl_options *o)
{
	const struct pki_cert *by = o->named_issuer != NULL ? o->named_issuer : o->issuer;
	X509_NAME *by_text = X509_NAME_new();
	const X509_NAME *name = by_text;
	unsigned char *der = NULL;

	if (o->issuer_name == NULL)
		name = X509_get_subject_name(by->x);
	else
		pki_must(X509_NAME_add_entry_by_NID(by_text, NID_commonName, V_ASN1_UTF8STRING,
			     (const unsigned char *)o->issuer_name, -1, -1, 0),
		    "name");
	put_made(b, &der, i2d_X509_NAME(name, &der));
	X509_NAME_free(by_text);
}

static void
set_pss(EVP_PKEY_CTX *how, const struct pki_crl_options *o)
{
	pki_must(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1, "PSS");
	if (o->mask_digest != NULL)
		pki_must(EVP_PKEY_CTX_set_rsa_mgf1_md_name(how, o->mask_digest, NULL) == 1, "MGF1");
	pki_must(EVP_PKEY_CTX_set_rsa_pss_saltlen(how,
		     o->salt_len == 0 ? RSA_PSS_SALTLEN_DIGEST : o->salt_len) == 1,
	    "salt");
}

/* digest NULL is SHA-256; not used for Edwards curves. */
static EVP_MD_CTX *
signing(const struct pki_crl_options *o, const char *digest)
{
	EVP_PKEY *key = o->signer == NULL ? o->issuer->key : o->signer->key;
	bool pure = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;

	if (digest == NULL)
		digest = "SHA256";
	pki_must(ctx != NULL &&
		EVP_DigestSignInit_ex(ctx, &how, pure ? NULL : digest, NULL, NULL, key, NULL) == 1,
	    "sign");
	if (o->pss)
		set_pss(how, o);
	return ctx;
}

/* The AlgorithmIdentifier: of ctx, or this one. */
static void
put_algorithm(struct bytes *b, EVP_MD_CTX *ctx, const char *notation)
{
	unsigned char der[256];
	OSSL_PARAM params[] = { OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, der,
				    sizeof(der)),
		OSSL_PARAM_END };

	if (notation != NULL) {
		put_notation(b, notation);
		return;
	}
	pki_must(EVP_PKEY_CTX_get_params(EVP_MD_CTX_get_pkey_ctx(ctx), params) == 1,
	    "algorithm of the signature");
	put(b, der, params[0].return_size);
}

/* Entries. */

static void
put_reason(struct bytes *b, int reason)
{
	char text[64];

	snprintf(text, sizeof(text), "30( 06(551d15) 04( 0a(%02x) ) )", (unsigned)reason);
	put_notation(b, text);
}

static void
put_revoked(struct bytes *b, const struct pki_revoked *r, int64_t now)
{
	size_t entry = b->len, extensions;
	unsigned char *der = NULL;

	if (r->der != NULL) {
		put_notation(b, r->der);
		return;
	}
	if (r->cert != NULL)
		put_made(b, &der, i2d_ASN1_INTEGER(X509_get0_serialNumber(r->cert->x), &der));
	else
		put_integer(b, r->serial);
	put_time(b, r->date, now, -2);
	extensions = b->len;
	if (r->reason != 0)
		put_reason(b, r->reason);
	if (r->extensions != NULL)
		put_notation(b, r->extensions);
	if (b->len > extensions)
		wrap(b, extensions, DER_SEQUENCE);
	wrap(b, entry, DER_SEQUENCE);
}

/* The numbers are distinct: multiplication by an odd number is reversible. */
void
pki_serial(unsigned nth, uint8_t serial[PKI_SERIAL_SIZE])
{
	uint64_t scattered = (nth + 1) * UINT64_C(0x9e3779b97f4a7c15);

	for (int i = 0; i < 8; i++)
		serial[i] = (uint8_t)(scattered >> (56 - 8 * i));
	for (int i = 8; i < PKI_SERIAL_SIZE; i++)
		serial[i] = (uint8_t)(nth >> 8 * (i % 4));
	serial[0] = (uint8_t)(0x40 | (serial[0] & 0x3f)); /* positive, without leading zeros */
	serial[15] = (uint8_t)(scattered >> 56);          /* the bits lost above */
}

/* As put_revoked() does it, but fast. */
static void
put_many(struct bytes *b, unsigned count)
{
	static const uint8_t before[] = { 0x30, 0x21, DER_INTEGER, PKI_SERIAL_SIZE };
	static const char behind[] = "\x17\x0d"
				     "260601120000Z";

	for (unsigned i = 0; i < count; i++) {
		uint8_t serial[PKI_SERIAL_SIZE];

		pki_serial(i, serial);
		put(b, before, sizeof(before));
		put(b, serial, sizeof(serial));
		put(b, behind, sizeof(behind) - 1);
	}
}

static void
put_entries(struct bytes *b, const struct pki_crl_options *o, int64_t now)
{
	size_t from = b->len;

	for (size_t i = 0; i < COUNT_OF(o->entries); i++)
		if (o->entries[i].serial != NULL || o->entries[i].cert != NULL ||
		    o->entries[i].der != NULL)
			put_revoked(b, &o->entries[i], now);
	put_many(b, o->many);
	put(b, o->raw.data, o->raw.len);
	if (b->len > from || o->empty)
		wrap(b, from, DER_SEQUENCE);
}

/* Extensions. */

static void
put_extension(struct bytes *b, const struct pki_cert *issuer, const char *name, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	unsigned char *der = NULL;

	X509V3_set_ctx(&ctx, issuer->x, NULL, NULL, NULL, 0);
	extension = X509V3_EXT_nconf(NULL, &ctx, name, value);
	pki_must(extension != NULL, name);
	put_made(b, &der, i2d_X509_EXTENSION(extension, &der));
	X509_EXTENSION_free(extension);
}

static void
put_number(struct bytes *b, const char *decimal)
{
	size_t extension = b->len, value;

	put_notation(b, "06(551d14)");
	value = b->len;
	put_integer(b, decimal);
	wrap(b, value, DER_OCTET_STRING);
	wrap(b, extension, DER_SEQUENCE);
}

static void
put_key_id(struct bytes *b, const struct pki_crl_options *o)
{
	if (o->key_id == PKI_KEY_ID_WRONG)
		put_extension(b, o->issuer, "authorityKeyIdentifier", "DER:30068004deadbeef");
	else if (o->key_id == PKI_KEY_ID_RIGHT && X509_get0_subject_key_id(o->issuer->x) != NULL)
		put_extension(b, o->issuer, "authorityKeyIdentifier", "keyid");
}

static void
put_extra(struct bytes *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char text[64];

		snprintf(text, sizeof(text), "30( 06(2a0381%02x%02x) 04(0500) )",
		    0x80 | (i >> 7 & 0x7f), i & 0x7f);
		put_notation(b, text);
	}
}

static void
put_extensions(struct bytes *b, const struct pki_crl_options *o)
{
	size_t from = b->len;

	if (o->version != 1) {
		put_key_id(b, o);
		if (o->number == NULL || o->number[0] != '\0')
			put_number(b, o->number == NULL ? "1" : o->number);
	}
	for (size_t i = 0; i < COUNT_OF(o->extensions) && o->extensions[i].name != NULL; i++)
		put_extension(b, o->issuer, o->extensions[i].name, o->extensions[i].value);
	put_extra(b, o->extra);
	if (b->len == from)
		return;
	wrap(b, from, DER_SEQUENCE);
	wrap(b, from, DER_CONTEXT_0);
}

/* The whole. */

static void
put_version(struct bytes *b, int version)
{
	char decimal[16];

	if (version == 1)
		return;
	snprintf(decimal, sizeof(decimal), "%d", version == 0 ? 1 : version);
	put_integer(b, decimal);
}

static void
put_tbs(struct bytes *b, const struct pki_crl_options *o, EVP_MD_CTX *inside)
{
	int64_t now = o->now == 0 ? (int64_t)time(NULL) * 1000 : o->now;

	put_version(b, o->version);
	put_algorithm(b, inside, o->algorithm);
	put_name(b, o);
	put_time(b, o->this_update, now, o->this_days == 0 ? -1 : o->this_days);
	if (o->next_update == NULL || o->next_update[0] != '\0')
		put_time(b, o->next_update, now, o->next_days == 0 ? 30 : o->next_days);
	put_entries(b, o, now);
	put_extensions(b, o);
	wrap(b, 0, DER_SEQUENCE);
}

static void
put_signature(struct bytes *b, EVP_MD_CTX *ctx, struct view tbs)
{
	size_t len = 0;
	unsigned char *signature;

	pki_must(EVP_DigestSign(ctx, NULL, &len, tbs.data, tbs.len) == 1, "size of a signature");
	signature = malloc(len + 1);
	pki_must(signature != NULL, "memory");
	signature[0] = 0; /* no unused bits */
	pki_must(EVP_DigestSign(ctx, signature + 1, &len, tbs.data, tbs.len) == 1, "sign");
	put_value(b, DER_BIT_STRING, signature, len + 1);
	free(signature);
}

static char *
pem_of(struct view der)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long len;

	pki_must(bio != NULL && PEM_write_bio(bio, "X509 CRL", "", der.data, (long)der.len), "PEM");
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)len);
	pki_must(copy != NULL, "PEM");
	BIO_free(bio);
	return copy;
}

/* The memory that pki_crl_free() frees. */
struct minted {
	struct pki_crl list;
	uint8_t *der;
	char *pem;
};

/* Takes tbs; uses up ctx. */
static struct pki_crl *
finish(struct bytes tbs, EVP_MD_CTX *ctx, const char *algorithm)
{
	struct minted *m = calloc(1, sizeof(*m));
	struct bytes b = { 0 };

	pki_must(m != NULL, "memory");
	put(&b, tbs.data, tbs.len);
	put_algorithm(&b, ctx, algorithm);
	put_signature(&b, ctx, (struct view){ tbs.data, tbs.len });
	wrap(&b, 0, DER_SEQUENCE);
	m->der = b.data;
	m->list.der = (struct view){ b.data, b.len };
	m->pem = pem_of(m->list.der);
	m->list.pem = view_of(m->pem);
	EVP_MD_CTX_free(ctx);
	free(tbs.data);
	ERR_clear_error();
	return &m->list;
}

struct pki_crl *
pki_crl_make(const struct pki_crl_options *o)
{
	struct bytes tbs = { 0 };
	EVP_MD_CTX *inside;

	inside = signing(o, o->digest_inside == NULL ? o->digest : o->digest_inside);
	put_tbs(&tbs, o, inside);
	EVP_MD_CTX_free(inside);
	return finish(tbs, signing(o, o->digest), o->algorithm);
}

struct pki_crl *
pki_crl_sign(const struct pki_cert *signer, struct view tbs)
{
	struct bytes b = { 0 };

	put(&b, tbs.data, tbs.len);
	return finish(b, signing(&(struct pki_crl_options){ .signer = signer }, NULL), NULL);
}

struct pki_crl *
pki_crl(const struct pki_cert *issuer, const struct pki_cert *revoked)
{
	return pki_crl_make(
	    &(struct pki_crl_options){ .issuer = issuer, .entries = { { .cert = revoked } } });
}

void
pki_crl_free(struct pki_crl *l)
{
	struct minted *m = (struct minted *)l; /* its first member */

	if (m == NULL)
		return;
	free(m->der);
	free(m->pem);
	free(m);
}

/* OpenSSL. */

void
pki_sha256(struct view bytes, uint8_t digest[32])
{
	pki_must(EVP_Digest(bytes.data, bytes.len, digest, NULL, EVP_sha256(), NULL) == 1,
	    "SHA-256");
}

struct X509_crl_st *
pki_crl_parse(struct view der)
{
	const unsigned char *at = der.data;
	X509_CRL *l = d2i_X509_CRL(NULL, &at, (long)der.len);

	ERR_clear_error();
	return l;
}

void
pki_crl_parsed_free(struct X509_crl_st *l)
{
	X509_CRL_free(l);
}

size_t
pki_crl_count(struct X509_crl_st *l)
{
	int n = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(l));

	return n < 0 ? 0 : (size_t)n;
}

bool
pki_crl_is_of(struct X509_crl_st *l, const struct pki_cert *issuer)
{
	bool ok = X509_NAME_cmp(X509_CRL_get_issuer(l), X509_get_subject_name(issuer->x)) == 0 &&
	    X509_CRL_verify(l, X509_get0_pubkey(issuer->x)) == 1;

	ERR_clear_error();
	return ok;
}

static ASN1_INTEGER *
integer_of(struct view content)
{
	struct bytes b = { 0 };
	const unsigned char *at;
	ASN1_INTEGER *integer;

	put_value(&b, DER_INTEGER, content.data, content.len);
	at = b.data;
	integer = d2i_ASN1_INTEGER(NULL, &at, (long)b.len);
	pki_must(integer != NULL, "serial number");
	free(b.data);
	return integer;
}

bool
pki_crl_lists(struct X509_crl_st *l, struct view serial, int64_t *date, int *reason)
{
	const struct tm epoch = { .tm_year = 70, .tm_mday = 1 };
	ASN1_INTEGER *number = integer_of(serial);
	ASN1_ENUMERATED *why;
	X509_REVOKED *r = NULL;
	struct tm tm;
	int days = 0, seconds = 0;
	bool listed = X509_CRL_get0_by_serial(l, &r, number) != 0;

	if (listed) {
		pki_must(ASN1_TIME_to_tm(X509_REVOKED_get0_revocationDate(r), &tm) &&
			OPENSSL_gmtime_diff(&days, &seconds, &epoch, &tm),
		    "date");
		*date = ((int64_t)days * 86400 + seconds) * 1000;
		why = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
		*reason = why == NULL ? -1 : (int)ASN1_ENUMERATED_get(why);
		ASN1_ENUMERATED_free(why);
	}
	ASN1_INTEGER_free(number);
	ERR_clear_error();
	return listed;
}
