/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509_facts.c - facts of a certificate for policies and rules (aws-iot F.5).
 *
 * Any thread, one object in one thread at a time.  If one value cannot be read, all
 * fail: otherwise a Deny that depends on it would not apply.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "x509_private.h"

/* What most certificates have at most.  Those with more are read twice. */
#define USUAL_VALUES 48
#define USUAL_BYTES  1024

/* What does not fit is counted, but not stored. */
struct sink {
	struct cert_value *values;
	uint8_t *texts;
	size_t values_max, bytes_max;
	size_t count, bytes;
	unsigned of_field; /* values of the current field so far */
	enum err failed;
};

static bool
fits(const struct sink *s)
{
	return s->count <= s->values_max && s->bytes <= s->bytes_max;
}

static bool
needs_escape(uint8_t c)
{
	return c != '\0' && strchr(",\"\\+=<>;", c) != NULL;
}

static void
put_byte(struct sink *s, uint8_t c)
{
	if (s->bytes < s->bytes_max)
		s->texts[s->bytes] = c;
	s->bytes++;
}

/* At most CERT_FIELD_VALUES_MAX values per field, as on AWS. */
static void
put_value(struct sink *s, enum cert_field field, struct view text)
{
	size_t before = s->bytes;

	if (s->of_field >= CERT_FIELD_VALUES_MAX || s->failed != ERR_OK)
		return;
	for (size_t i = 0; i < text.len; i++) {
		if (needs_escape(text.data[i]))
			put_byte(s, '\\');
		put_byte(s, text.data[i]);
	}
	s->count++;
	s->of_field++;
	if (fits(s))
		s->values[s->count - 1] = (struct cert_value){ field,
			{ s->texts + before, s->bytes - before } };
}

static void
put_string(struct sink *s, enum cert_field field, const ASN1_STRING *string)
{
	unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, string);

	if (len < 0) {
		s->failed = ERR_CERTIFICATE;
		return;
	}
	put_value(s, field, (struct view){ utf8, (size_t)len });
	OPENSSL_free(utf8);
}

/*
 * Names.
 */

/* In the order of a name's fields (facts.h). */
static const int attributes[] = { NID_dnQualifier, NID_countryName, NID_organizationName,
	NID_organizationalUnitName, NID_stateOrProvinceName, NID_commonName, NID_serialNumber,
	NID_title, NID_surname, NID_givenName, NID_initials, NID_pseudonym,
	NID_generationQualifier };

static void
put_name(struct sink *s, enum cert_field first, const X509_NAME *name)
{
	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		s->of_field = 0;
		for (int at = -1; (at = X509_NAME_get_index_by_NID(name, attributes[i], at)) >= 0;)
			put_string(s, (enum cert_field)(first + i),
			    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	}
}

static void
put_directory_name(struct sink *s, enum cert_field field, const X509_NAME *name)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *data;
	long len;

	if (text == NULL ||
	    X509_NAME_print_ex(text, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
		s->failed = ERR_CERTIFICATE;
	} else {
		len = BIO_get_mem_data(text, &data);
		put_value(s, field, (struct view){ (const uint8_t *)data, (size_t)len });
	}
	BIO_free(text);
}

static void
put_ip_address(struct sink *s, enum cert_field field, const ASN1_OCTET_STRING *address)
{
	int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
	char text[INET6_ADDRSTRLEN];

	if (ASN1_STRING_length(address) != (family == AF_INET ? 4 : 16) ||
	    inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof(text)) == NULL) {
		s->failed = ERR_CERTIFICATE;
		return;
	}
	put_value(s, field, view_of(text));
}

/* In the order of the alternative names' fields (facts.h). */
static const int kinds[] = { GEN_EMAIL, GEN_DNS, GEN_DIRNAME, GEN_URI, GEN_IPADD };

static void
put_alternative_name(struct sink *s, enum cert_field field, const GENERAL_NAME *name)
{
	switch (name->type) {
	case GEN_DIRNAME:
		put_directory_name(s, field, name->d.directoryName);
		break;
	case GEN_IPADD:
		put_ip_address(s, field, name->d.iPAddress);
		break;
	default:
		put_string(s, field, name->d.ia5);
		break;
	}
}

/* An absent extension has no names; a malformed or duplicate one (RFC 5280 4.2) is a
 * failure. */
static void
put_alternative_names(struct sink *s, const X509 *x, int extension, enum cert_field first)
{
	int critical;
	GENERAL_NAMES *names = X509_get_ext_d2i(x, extension, &critical, NULL);

	if (names == NULL) {
		if (critical != -1)
			s->failed = ERR_CERTIFICATE;
		return;
	}
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		s->of_field = 0;
		for (int n = 0; n < sk_GENERAL_NAME_num(names); n++)
			if (sk_GENERAL_NAME_value(names, n)->type == kinds[i])
				put_alternative_name(s, (enum cert_field)(first + i),
				    sk_GENERAL_NAME_value(names, n));
	}
	GENERAL_NAMES_free(names);
}

/*
 * Key, signature and validity: fields that AWS does not have.
 */

static const char *
key_type(const X509 *x)
{
	static const struct {
		const char *of_openssl, *name;
	} types[] = { { "RSA", "RSA" }, { "RSA-PSS", "RSA" }, { "DSA", "DSA" },
		{ "ED25519", "Ed25519" }, { "ED448", "Ed448" } };
	static const struct {
		int nid;
		const char *name;
	} curves[] = { { NID_X9_62_prime256v1, "P-256" }, { NID_secp384r1, "P-384" },
		{ NID_secp521r1, "P-521" } };
	const EVP_PKEY *key = X509_get0_pubkey(x);
	int curve = named_curve(x);

	for (size_t i = 0; key != NULL && i < COUNT_OF(curves); i++)
		if (curve == curves[i].nid)
			return curves[i].name;
	for (size_t i = 0; key != NULL && i < COUNT_OF(types); i++)
		if (EVP_PKEY_is_a(key, types[i].of_openssl))
			return types[i].name;
	return "other";
}

static void
put_text(struct sink *s, enum cert_field field, const char *text)
{
	s->of_field = 0;
	put_value(s, field, view_of(text));
}

static void
put_number(struct sink *s, enum cert_field field, int64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)number);
	put_text(s, field, text);
}

#define DAY (INT64_C(86400) * 1000)

static void
put_validity_days(struct sink *s, const X509 *x)
{
	int64_t not_before, not_after, span;

	if (!validity_read(x, &not_before, &not_after)) {
		s->failed = ERR_CERTIFICATE;
		return;
	}
	span = not_after - not_before;
	put_number(s, FIELD_VALIDITY_DAYS, span / DAY - (span % DAY < 0));
}

static void
put_ours(struct sink *s, const X509 *x)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);

	put_text(s, FIELD_KEY_TYPE, key_type(x));
	put_number(s, FIELD_KEY_BITS, key != NULL ? EVP_PKEY_get_bits(key) : 0);
	put_text(s, FIELD_SIGNATURE_ALGORITHM, OBJ_nid2ln(X509_get_signature_nid(x)));
	put_validity_days(s, x);
}

/*
 * The certificate.
 */

static void
put_serial_number(struct sink *s, const X509 *x)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *text = number != NULL ? BN_bn2dec(number) : NULL;

	s->of_field = 0;
	if (text == NULL)
		s->failed = ERR_CERTIFICATE;
	else
		put_value(s, FIELD_CERT_SERIAL_NUMBER, view_of(text));
	OPENSSL_free(text);
	BN_free(number);
}

static void
put_all(struct sink *s, const X509 *x)
{
	put_serial_number(s, x);
	put_name(s, FIELD_SUBJECT_DN_QUALIFIER, X509_get_subject_name(x));
	put_alternative_names(s, x, NID_subject_alt_name, FIELD_SUBJECT_RFC822_NAME);
	put_name(s, FIELD_ISSUER_DN_QUALIFIER, X509_get_issuer_name(x));
	put_alternative_names(s, x, NID_issuer_alt_name, FIELD_ISSUER_RFC822_NAME);
	put_ours(s, x);
}

/* One allocation. */
static struct cert_facts *
new_facts(const struct sink *read, struct sink *out)
{
	size_t table = sizeof(struct cert_facts) + read->count * sizeof(struct cert_value);
	struct cert_facts *facts = malloc(table + read->bytes);

	if (facts == NULL)
		return NULL;
	facts->count = read->count;
	*out = (struct sink){ .values = facts->values,
		.texts = (uint8_t *)facts + table,
		.values_max = read->count,
		.bytes_max = read->bytes };
	return facts;
}

static void
copy_values(const struct sink *from, struct sink *to)
{
	memcpy(to->texts, from->texts, from->bytes);
	for (size_t i = 0; i < from->count; i++) {
		struct view text = from->values[i].text;

		to->values[i] = (struct cert_value){ from->values[i].field,
			{ to->texts + (text.data - from->texts), text.len } };
	}
}

enum err
x509_read_facts(struct x509_st *x, struct cert_facts **out)
{
	struct cert_value values[USUAL_VALUES];
	uint8_t texts[USUAL_BYTES];
	struct sink usual = { .values = values,
		.texts = texts,
		.values_max = USUAL_VALUES,
		.bytes_max = USUAL_BYTES };
	struct sink exact = { 0 };
	struct cert_facts *facts;

	*out = NULL;
	openssl_begin();
	put_all(&usual, x);
	if (usual.failed != ERR_OK)
		return openssl_failure(usual.failed);
	facts = new_facts(&usual, &exact);
	if (facts == NULL)
		return ERR_NOMEM;
	if (fits(&usual))
		copy_values(&usual, &exact);
	else
		put_all(&exact, x);
	if (exact.failed != ERR_OK) {
		free(facts);
		return openssl_failure(exact.failed);
	}
	*out = facts;
	ERR_clear_error();
	return ERR_OK;
}
