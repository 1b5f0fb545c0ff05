/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509.c - facts of a certificate: identity, validity, issuer, subject.
 *
 * Any thread, one object in one thread at a time.  Checks nothing (x509_check.c) and
 * parses no text (x509_parse.c).
 *
 * OpenSSL's error queue belongs to the thread, and the broker examines it after its own
 * TLS calls: an error left there by the plugin would be taken for a failure of another
 * client's connection.  Every public function of the x509*.c files that can fail
 * therefore returns with an empty queue, whatever was in it before.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "jitr/core/der.h"

#include "x509_private.h"

void
openssl_begin(void)
{
	errno = 0;
}

static bool
openssl_ran_out(void)
{
	return errno == ENOMEM;
}

enum err
openssl_failure(enum err otherwise)
{
	enum err e = openssl_ran_out() ? ERR_NOMEM : otherwise;
	unsigned long code;

	while ((code = ERR_get_error()) != 0)
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			e = ERR_NOMEM;
	return e;
}

/* Ignores errors that OpenSSL recovered from. */
enum err
memory_or_ok(void)
{
	return openssl_failure(ERR_OK) == ERR_NOMEM ? ERR_NOMEM : ERR_OK;
}

/*
 * RFC 5280 4.1.2.5 has two forms, both with seconds and in UTC.  OpenSSL parses more,
 * but accepts no others in a handshake.  UTCTime begins in 1950; an earlier
 * GeneralizedTime is refused as well.
 */
static bool
time_read(const ASN1_TIME *t, int64_t *ms)
{
	const struct tm epoch = { .tm_year = 70, .tm_mday = 1 };
	struct tm tm;
	int len = ASN1_STRING_type(t) == V_ASN1_UTCTIME ? 13 : 15;
	int days, seconds;

	if (ASN1_STRING_length(t) != len || ASN1_STRING_get0_data(t)[len - 1] != 'Z')
		return false;
	if (!ASN1_TIME_to_tm(t, &tm) || tm.tm_year < 50)
		return false;
	if (!OPENSSL_gmtime_diff(&days, &seconds, &epoch, &tm))
		return false;
	*ms = ((int64_t)days * 86400 + seconds) * 1000;
	return true;
}

bool
validity_read(const struct x509_st *x, int64_t *not_before, int64_t *not_after)
{
	return time_read(X509_get0_notBefore(x), not_before) &&
	    time_read(X509_get0_notAfter(x), not_after);
}

/* Over the received bytes: OpenSSL keeps those of the signed part, and the rest has
 * only one encoding in DER. */
static bool
id_read(const X509 *x, struct certid *id)
{
	return X509_digest(x, EVP_sha256(), id->b, NULL) == 1;
}

static bool
is_long(const ASN1_INTEGER *serial)
{
	return i2d_ASN1_INTEGER(serial, NULL) > 2 + SERIAL_MAX;
}

/* Id, signed part and serial number are taken from the same bytes, and the serial
 * number as the registry's index has it; otherwise the wrong number could be looked up
 * in the CA's list.  If OpenSSL finds a serial number that is not there in DER, the
 * certificate violates RFC 5280 4.1. */
static bool
identity_read(X509 *x, struct presented *out)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	struct view bytes = { der, len > 0 ? (size_t)len : 0 };
	struct view serial = der_certificate_serial(bytes);
	struct view content = der_certificate_signed_part(bytes);
	bool done = content.len > 0 && (serial.len > 0 || is_long(X509_get0_serialNumber(x))) &&
	    sha256_of(content, &out->content) == ERR_OK && sha256_of(bytes, &out->id) == ERR_OK;

	if (serial.len > 0)
		memcpy(out->serial.b, serial.data, serial.len);
	out->serial.len = (uint8_t)serial.len;
	OPENSSL_free(der);
	return done;
}

enum err
x509_read(struct x509_st *x, struct presented *out)
{
	openssl_begin();
	*out = (struct presented){ 0 };
	if (!identity_read(x, out) || !validity_read(x, &out->not_before, &out->not_after))
		return openssl_failure(ERR_CERTIFICATE);
	ERR_clear_error();
	return ERR_OK;
}

bool
name_hash(const X509_NAME *name, uint32_t *out)
{
	int ok = 0;
	unsigned long hash = X509_NAME_hash_ex(name, NULL, NULL, &ok);

	*out = (uint32_t)hash;
	return ok;
}

static struct view
octets(const ASN1_OCTET_STRING *s)
{
	if (s == NULL)
		return (struct view){ 0 };
	return (struct view){ ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s) };
}

enum err
x509_issuer_hint(struct x509_st *x, struct issuer_hint *out)
{
	openssl_begin();
	if (!name_hash(X509_get_issuer_name(x), &out->subject_hash))
		return openssl_failure(ERR_CRYPTO);
	out->key_id = octets(X509_get0_authority_key_id(x));
	return memory_or_ok();
}

/* Longer ones do not fit into the record (codec.h).  The key id is only a hint, so it
 * may be missing.  RFC 5280 4.2.1.2 makes it 20 bytes, other methods up to 32. */
#define KEY_ID_MAX 64

enum err
x509_read_ca(struct x509_st *x, struct ca *out)
{
	openssl_begin();
	if (!id_read(x, &out->id) || !validity_read(x, &out->not_before, &out->not_after))
		return openssl_failure(ERR_CERTIFICATE);
	if (!name_hash(X509_get_subject_name(x), &out->subject_hash))
		return openssl_failure(ERR_CRYPTO);
	out->key_id = octets(X509_get0_subject_key_id(x));
	if (out->key_id.len > KEY_ID_MAX)
		out->key_id = (struct view){ 0 };
	return memory_or_ok();
}

/*
 * X509_check_issued() compares names as in RFC 5280 7.1 (ignoring case and spaces),
 * then the authorityKeyIdentifier and the CA's keyUsage, as the handshake does.  It
 * checks no signature.  X509_verify() also requires that the inner and outer signature
 * algorithms are equal.
 *
 * The strength of the key is checked first because it bounds the cost of verifying.
 */
enum answer
x509_issued_by(struct x509_st *x, struct x509_st *ca)
{
	bool issued;

	openssl_begin();
	issued = X509_check_issued(ca, x) == X509_V_OK && key_is_strong(ca) &&
	    X509_verify(x, X509_get0_pubkey(ca)) == 1;
	if (issued) {
		ERR_clear_error();
		return ANSWER_YES;
	}
	return openssl_failure(ERR_CERTIFICATE) == ERR_NOMEM ? ANSWER_NOT_ASKED : ANSWER_NO;
}

/* Control characters are escaped as in RFC 2253, UTF-8 is not. */
#define NAME_STYLE (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

void
name_text(const X509_NAME *name, char *out, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int used = 0;

	if (size == 0)
		goto out;
	if (bio != NULL) {
		/* Out of memory: shows what was printed so far. */
		(void)X509_NAME_print_ex(bio, name, 0, NAME_STYLE);
		used = BIO_read(bio, out, size > INT_MAX ? INT_MAX : (int)size - 1);
	}
	out[used > 0 ? used : 0] = '\0';
out:
	BIO_free(bio);
	ERR_clear_error();
}

void
x509_subject_text(struct x509_st *x, char *out, size_t size)
{
	name_text(X509_get_subject_name(x), out, size);
}

void
x509_hold(struct x509_st *x)
{
	(void)X509_up_ref(x);
	ERR_clear_error();
}

void
x509_free(struct x509_st *x)
{
	X509_free(x);
	if (ERR_peek_error() != 0) /* clearing an empty queue is expensive */
		ERR_clear_error();
}

void
x509_free_all(struct x509_st **x, size_t count)
{
	for (size_t i = 0; i < count; i++)
		x509_free(x[i]);
}

/* OpenSSL's name for the parameters by which servers verify clients. */
#define CLIENTS "ssl_client"

/* Our entry in OpenSSL's table, which owns it.  Only use it while it is still the entry
 * found there. */
static X509_VERIFY_PARAM *our_rule;

static bool
our_rule_holds(void)
{
	return our_rule != NULL && X509_VERIFY_PARAM_lookup(CLIENTS) == our_rule;
}

/* Adds a copy of the entry in force, OpenSSL's or another library's. */
static bool
add_our_rule(void)
{
	X509_VERIFY_PARAM *p = X509_VERIFY_PARAM_new();

	if (p != NULL && X509_VERIFY_PARAM_set1(p, X509_VERIFY_PARAM_lookup(CLIENTS)) &&
	    X509_VERIFY_PARAM_set1_name(p, CLIENTS) && X509_VERIFY_PARAM_add0_table(p)) {
		our_rule = p;
		return true;
	}
	X509_VERIFY_PARAM_free(p);
	return false;
}

enum err
x509_trust_partial_chains(void)
{
	const X509_VERIFY_PARAM *rule = X509_VERIFY_PARAM_lookup(CLIENTS);

	openssl_begin();
	ERR_clear_error();
	if (X509_VERIFY_PARAM_get_flags(rule) & X509_V_FLAG_PARTIAL_CHAIN)
		return ERR_OK;
	if (!our_rule_holds() && !add_our_rule())
		return openssl_failure(ERR_CRYPTO);
	(void)X509_VERIFY_PARAM_set_flags(our_rule, X509_V_FLAG_PARTIAL_CHAIN);
	return ERR_OK;
}

/*
 * Our entry stays in the table, with the previous flags.
 * X509_VERIFY_PARAM_table_cleanup() would remove it, but also the entries of the broker
 * and of other plugins, because the table belongs to the process.  If another entry
 * replaced ours it is left alone for the same reason.
 */
void
x509_trust_partial_chains_undo(void)
{
	if (our_rule_holds())
		(void)X509_VERIFY_PARAM_clear_flags(our_rule, X509_V_FLAG_PARTIAL_CHAIN);
	ERR_clear_error();
}

enum err
sha256_of(struct view bytes, struct certid *out)
{
	openssl_begin();
	if (EVP_Digest(bytes.data, bytes.len, out->b, NULL, EVP_sha256(), NULL) != 1)
		return openssl_failure(ERR_CRYPTO);
	ERR_clear_error();
	return ERR_OK;
}

enum err
random_fill(void *out, size_t len)
{
	openssl_begin();
	if (len > INT_MAX || RAND_bytes(out, (int)len) != 1)
		return openssl_failure(ERR_CRYPTO);
	ERR_clear_error();
	return ERR_OK;
}
