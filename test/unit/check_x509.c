/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_x509.c - certificates are read, checked and verified.
 *
 * Each row of a table is a certificate with one flaw.  Requirements come from aws-iot B.1, C,
 * D.6 and appendix 2, and RFC 5280.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/adapter/x509.h"
#include "pki.h"

#define NOW 1800000000000 /* 2027-01-15 08:00:00 UTC */
#define DAY 86400000

/* Every call of x509.h leaves OpenSSL's error queue empty, also when it was not before: the
 * broker reads the queue after its own calls. */
#define ck_clean(truth) \
	do { \
		pki_leave_error(); \
		ck_assert_msg((truth), "check failed: %s", #truth); \
		ck_assert_msg(pki_no_errors(), "left an error behind: %s", #truth); \
	} while (0)

static const char vector_ca_id[] =
    "3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173";
static const char vector_ca[] = "-----BEGIN CERTIFICATE-----\n"
				"MIIBxzCCAW2gAwIBAgIUTXdzknQVPKTFYINSPjR+et0N0rswCgYIKoZIzj0EAwIw\n"
				"ODELMAkGA1UEBhMCVVMxFTATBgNVBAoMDEV4YW1wbGUgQ29ycDESMBAGA1UEAwwJ\n"
				"VmVjdG9yIENBMCAXDTI2MTEyMzA4MjQxNloYDzIxMjYxMDMwMDgyNDE2WjA4MQsw\n"
				"CQYDVQQGEwJVUzEVMBMGA1UECgwMRXhhbXBsZSBDb3JwMRIwEAYDVQQDDAlWZWN0\n"
				"b3IgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASN8EEuVtfs8ogF+ch6gcqt\n"
				"3RQX6i7sxl3zJnyI65W4F+WeFgpeTog5M95LOkuyoHQlhPWD5tEA1OlDgV88ZTNK\n"
				"o1MwUTAdBgNVHQ4EFgQU+xlo7SXUh6H15wSWZdmgYfV6CaUwHwYDVR0jBBgwFoAU\n"
				"+xlo7SXUh6H15wSWZdmgYfV6CaUwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD\n"
				"AgNIADBFAiEAsmL/dFDF43KQYYeaI67kJENHtpxuPgJgUIXGU1ek7YQCIBCSFpPN\n"
				"ailu3gE4ctiU+PqFDG8hTXzISU0QMaU3NKpc\n"
				"-----END CERTIFICATE-----\n";

static const char vector_device_id[] =
    "2511e09354e2637da199073792924a89fc52de90e9165afa49f075cf8791a45a";
static const char vector_device[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBaDCCAQ4CCQCSEoXLt6XghjAKBggqhkjOPQQDAjA4MQswCQYDVQQGEwJVUzEV\n"
    "MBMGA1UECgwMRXhhbXBsZSBDb3JwMRIwEAYDVQQDDAlWZWN0b3IgQ0EwIBcNMjYx\n"
    "MTIzMDgyNDE2WhgPMjEyNjEwMzAwODI0MTZaMD4xCzAJBgNVBAYTAlVTMRUwEwYD\n"
    "VQQKDAxFeGFtcGxlIENvcnAxGDAWBgNVBAMMD3ZlY3Rvci1kZXZpY2UtMTBZMBMG\n"
    "ByqGSM49AgEGCCqGSM49AwEHA0IABMqxnKM4rvxooWLMLQic9INPk1EjvyeDmSmM\n"
    "GlCWaYzY1CCmax9PpSgdglGc1cviKiKbuXct/Ra+Fjur9BWtfxowCgYIKoZIzj0E\n"
    "AwIDSAAwRQIhAIZeLQYkLRXYKd4gER9sKA8baAUxiS0QEgI0nACAKvxLAiBQ1vY6\n"
    "UAM0EN1LZ5u5esEaSNbu5j1DOq2caSHo9yyq3A==\n"
    "-----END CERTIFICATE-----\n";

static struct x509_st *
from_pem(const char *pem)
{
	struct x509_st *x = NULL;
	struct diag diag = { "" };

	pki_leave_error();
	ck_assert_msg(x509_from_pem(view_of(pem), &x, &diag) == ERR_OK, "%s", diag.text);
	ck_assert(pki_no_errors());
	return x;
}

static void
assert_id(struct x509_st *x, const char *expected)
{
	struct presented p;
	char hex[CERTID_HEX_SIZE];

	ck_clean(x509_read(x, &p) == ERR_OK);
	certid_to_hex(&p.id, hex);
	ck_assert_str_eq(hex, expected);
}

/*
 * Identity.
 */

/* certificateId is SHA-256 over the DER (aws-iot B.1, appendix 2). */
START_TEST(the_test_vectors_have_the_published_ids)
{
	struct x509_st *ca = from_pem(vector_ca);
	struct x509_st *device = from_pem(vector_device);

	assert_id(ca, vector_ca_id);
	assert_id(device, vector_device_id);
	ck_clean(x509_issued_by(device, ca) == ANSWER_YES);
	ck_clean(x509_issued_by(ca, device) == ANSWER_NO);
	ck_clean((x509_free(ca), true));
	ck_clean((x509_free(device), true));
	ck_clean((x509_free(NULL), true));
}
END_TEST

/* The device of the vectors has version 1, as the AWS recipe makes it, and can be registered
 * just in time (aws-iot D.6). */
START_TEST(the_test_vectors_are_accepted)
{
	struct x509_st *ca = from_pem(vector_ca);
	struct x509_st *device = from_pem(vector_device);
	struct presented p;

	ck_clean(x509_check_ca(ca, NOW, NULL) == ERR_OK);
	ck_clean(x509_check_client(device, NOW, NULL) == ERR_OK);
	ck_clean(x509_read(device, &p) == ERR_OK);
	ck_clean((x509_read_strength(device, &p), true));
	ck_assert(p.is_leaf && p.strong_signature && p.strong_key && p.known_extensions);
	ck_assert_int_eq(p.not_before, 1795422256000);
	ck_assert_int_eq(p.not_after, 4949022256000);
	ck_assert_int_eq(p.issued_by_ca, ANSWER_NOT_ASKED);
	x509_free(ca);
	x509_free(device);
}
END_TEST

/* Facts that x509_read() does not read stay zero, and zero refuses (decide.h). */
START_TEST(reading_alone_sets_no_fact_that_would_admit)
{
	struct x509_st *x = from_pem(vector_device);
	struct presented p;

	memset(&p, 0xff, sizeof(p));
	ck_clean(x509_read(x, &p) == ERR_OK);
	ck_assert(!p.is_leaf && !p.strong_signature && !p.strong_key && !p.known_extensions);
	ck_assert_int_eq(p.issued_by_ca, ANSWER_NOT_ASKED);
	x509_free(x);
}
END_TEST

/* Ten to the 153rd fits into the 64 bytes that are read in lists, ten to the 154th does not.  RFC
 * 5280 4.1.2.2 allows 20 bytes and asks to accept more. */
START_TEST(a_serial_number_too_long_for_a_list_is_left_out)
{
	char decimal[156] = "1";

	memset(decimal + 1, '0', sizeof(decimal) - 2);
	for (size_t zeros = 153; zeros <= 154; zeros++) {
		struct pki_options options = { .serial = decimal };
		struct presented p;
		struct pki_cert *c;

		decimal[zeros + 1] = '\0';
		c = pki_make(&options);
		ck_clean(x509_read(c->x, &p) == ERR_OK);
		ck_assert_uint_eq(p.serial.len, zeros == 153 ? SERIAL_MAX : 0);
		pki_free(c);
		decimal[zeros + 1] = '0';
	}
}
END_TEST

/* The signed part has an indefinite length, in as many bytes: OpenSSL reads it, but it is not
 * DER (RFC 5280 4.1). */
START_TEST(a_certificate_with_malformed_der_inside_is_refused)
{
	struct pki_cert *c = pki_make(&(struct pki_options){ .key = PKI_RSA_2048 });
	uint8_t *der = malloc(c->der.len);
	struct presented p;
	struct x509_st *x;
	size_t len;

	ck_assert_ptr_nonnull(der);
	memcpy(der, c->der.data, c->der.len);
	ck_assert(der[4] == 0x30 && der[5] == 0x82);
	len = (size_t)der[6] << 8 | der[7];
	der[5] = 0x80;
	memmove(der + 6, der + 8, len);
	memset(der + 6 + len, 0, 2);
	x = pki_parse((struct view){ der, c->der.len });
	ck_assert_ptr_nonnull(x);
	ck_clean(x509_read(x, &p) == ERR_CERTIFICATE);
	ck_assert_uint_eq(p.serial.len, 0);
	x509_free(x);
	free(der);
	pki_free(c);
}
END_TEST

START_TEST(a_referenced_certificate_outlives_its_first_owner)
{
	struct x509_st *x = from_pem(vector_device);

	ck_clean((x509_hold(x), true));
	x509_free(x);
	assert_id(x, vector_device_id);
	x509_free(x);
}
END_TEST

/*
 * Times (RFC 5280 4.1.2.5).
 */

static const struct {
	const char *descr;
	const char *text;
	enum err e;
	int64_t ms;
} times[] = {
	{ "the first UTCTime", "500101000000Z", ERR_OK, -631152000000 },
	{ "the last UTCTime", "491231235959Z", ERR_OK, 2524607999000 },
	{ "1970", "19700101000000Z", ERR_OK, 0 },
	{ "the end of 32 bits", "380119031408Z", ERR_OK, 2147483648000 },
	{ "a leap day", "20240229120000Z", ERR_OK, 1709208000000 },
	{ "1900 was no leap year, 2000 was", "20000229000000Z", ERR_OK, 951782400000 },
	{ "no end, RFC 5280 4.1.2.5", "99991231235959Z", ERR_OK, 253402300799000 },
	{ "GeneralizedTime where UTCTime is due", "20300101000000Z", ERR_OK, 1893456000000 },
	{ "before 1950", "19491231235959Z", ERR_CERTIFICATE, 0 },
	{ "year 0", "00000101000000Z", ERR_CERTIFICATE, 0 },
	{ "no leap day", "20230229120000Z", ERR_CERTIFICATE, 0 },
	{ "month 13", "20231301000000Z", ERR_CERTIFICATE, 0 },
	{ "day 0", "20230100000000Z", ERR_CERTIFICATE, 0 },
	{ "hour 24", "20230101240000Z", ERR_CERTIFICATE, 0 },
	{ "second 60", "20230101000060Z", ERR_CERTIFICATE, 0 },
	{ "no seconds", "2301010000Z", ERR_CERTIFICATE, 0 },
	{ "fractions of a second", "20230101000000.5Z", ERR_CERTIFICATE, 0 },
	{ "fractions of a minute", "202301010000.5Z", ERR_CERTIFICATE, 0 },
	{ "another time zone", "20230101000000+0100", ERR_CERTIFICATE, 0 },
	{ "another time zone, as long as UTC", "2023010100+0100", ERR_CERTIFICATE, 0 },
	{ "local time", "20230101000000", ERR_CERTIFICATE, 0 },
	{ "not a digit", "2023010100000xZ", ERR_CERTIFICATE, 0 },
	{ "a sign", "-0230101000000Z", ERR_CERTIFICATE, 0 },
	{ "small z", "20230101000000z", ERR_CERTIFICATE, 0 },
	{ "one character", "Z", ERR_CERTIFICATE, 0 },
	{ "nothing", "", ERR_CERTIFICATE, 0 },
};

/* OpenSSL 3.5 does not parse some of these; they are refused too. */
static bool
is_parsed(const struct pki_cert *c, enum err expected)
{
	ck_assert(c->x != NULL || expected == ERR_CERTIFICATE);
	return c->x != NULL;
}

START_TEST(not_before_is_read_strictly)
{
	struct pki_cert *c = pki_make(
	    &(struct pki_options){ .not_before = times[_i].text, .not_after = "99991231235959Z" });
	struct presented p;

	if (is_parsed(c, times[_i].e)) {
		ck_clean(x509_read(c->x, &p) == times[_i].e);
		if (times[_i].e == ERR_OK)
			ck_assert_msg(p.not_before == times[_i].ms, "%s: %lld", times[_i].descr,
			    (long long)p.not_before);
	}
	pki_free(c);
}
END_TEST

START_TEST(not_after_is_read_strictly)
{
	struct pki_cert *c = pki_make(
	    &(struct pki_options){ .not_before = "500101000000Z", .not_after = times[_i].text });
	struct presented p;
	struct ca ca;

	if (is_parsed(c, times[_i].e)) {
		ck_clean(x509_read(c->x, &p) == times[_i].e);
		if (times[_i].e == ERR_OK)
			ck_assert_msg(p.not_after == times[_i].ms, "%s: %lld", times[_i].descr,
			    (long long)p.not_after);
		ck_clean(x509_read_ca(c->x, &ca) == times[_i].e);
		if (times[_i].e != ERR_OK)
			ck_clean(x509_check_client(c->x, NOW, NULL) == ERR_CERTIFICATE);
	}
	pki_free(c);
}
END_TEST

/*
 * Strength (aws-iot D.6).  Four letters: leaf, signature, key, extensions; a
 * capital one is yes.
 */

static struct pki_cert *p256_ca, *rsa_ca;

/* Large keys are generated once, before check forks. */
static void
make_cas(void)
{
	p256_ca = pki_ca("P-256 CA");
	rsa_ca = pki_make(
	    &(struct pki_options){ .common_name = "RSA CA", .is_ca = true, .key = PKI_RSA_2048 });
	pki_free(pki_make(&(struct pki_options){ .issuer = p256_ca, .key = PKI_RSA_2048 }));
	pki_free(pki_make(&(struct pki_options){ .issuer = p256_ca, .key = PKI_RSA_3072 }));
}

static void
free_cas(void)
{
	pki_free(p256_ca);
	pki_free(rsa_ca);
}

enum signer {
	SELF,
	BY_P256,
	BY_RSA,
};

static const struct pki_cert *
signer_of(enum signer s)
{
	switch (s) {
	case SELF:
		return NULL;
	case BY_P256:
		return p256_ca;
	case BY_RSA:
		return rsa_ca;
	}
	return NULL;
}

static const struct {
	const char *descr;
	const char *facts;
	enum signer signer;
	struct pki_options o;
} strengths[] = {
	{ "ECDSA with SHA-256", "LSKE", BY_P256, { .digest = "SHA256" } },
	{ "ECDSA with SHA-384", "LSKE", BY_P256, { .digest = "SHA384" } },
	{ "ECDSA with SHA-512", "LSKE", BY_P256, { .digest = "SHA512" } },
	{ "ECDSA with SHA-224", "LsKE", BY_P256, { .digest = "SHA224" } },
	{ "ECDSA with SHA-1", "LsKE", BY_P256, { .digest = "SHA1" } },
	{ "ECDSA with SHA3-256", "LsKE", BY_P256, { .digest = "SHA3-256" } },
	{ "RSA with SHA-256", "LSKE", BY_RSA, { .digest = "SHA256" } },
	{ "RSA with SHA-384", "LSKE", BY_RSA, { .digest = "SHA384" } },
	{ "RSA with SHA-512", "LSKE", BY_RSA, { .digest = "SHA512" } },
	{ "RSA with SHA-224", "LsKE", BY_RSA, { .digest = "SHA224" } },
	{ "RSA with SHA-1", "LsKE", BY_RSA, { .digest = "SHA1" } },
	{ "RSA with MD5", "LsKE", BY_RSA, { .digest = "MD5" } },
	{ "RSA-PSS with SHA-256", "LSKE", BY_RSA, { .pss = true } },
	{ "RSA-PSS with SHA-1", "LsKE", BY_RSA, { .pss = true, .digest = "SHA1" } },
	{ "P-384", "LSKE", SELF, { .key = PKI_P384 } },
	{ "P-521", "LSKE", SELF, { .key = PKI_P521 } },
	{ "P-224, too short", "LSkE", SELF, { .key = PKI_P224 } },
	{ "secp256k1, no NIST curve", "LSkE", SELF, { .key = PKI_SECP256K1 } },
	{ "P-256 without its name", "LSkE", SELF, { .key = PKI_P256_EXPLICIT } },
	{ "Ed25519", "LSKE", SELF, { .key = PKI_ED25519 } },
	{ "Ed448", "LSKE", SELF, { .key = PKI_ED448 } },
	{ "X25519, signs nothing", "LSkE", BY_P256, { .key = PKI_X25519 } },
	{ "RSA of 512 bits", "LSkE", BY_P256, { .key = PKI_RSA_512 } },
	{ "RSA of 1024 bits", "LSkE", BY_P256, { .key = PKI_RSA_1024 } },
	{ "RSA of 2048 bits", "LSKE", BY_P256, { .key = PKI_RSA_2048 } },
	{ "RSA of 3072 bits", "LSKE", BY_P256, { .key = PKI_RSA_3072 } },
	{ "RSA of 16384 bits, too expensive", "LSkE", BY_P256, { .key = PKI_RSA_16384 } },
	{ "RSA with exponent 1", "LSkE", BY_P256, { .key = PKI_RSA_E1 } },
	{ "RSA-PSS key", "LSKE", SELF, { .key = PKI_RSA_PSS_2048, .pss = true } },
	{ "DSA of 2048 bits with SHA-256", "LSKE", SELF, { .key = PKI_DSA_2048 } },
	{ "DSA with SHA-384, not in the list", "LsKE", SELF,
	    { .key = PKI_DSA_2048, .digest = "SHA384" } },
	{ "version 1", "LSKE", BY_P256, { .version = 1 } },
	{ "version 1, self-signed", "LSKE", SELF, { .version = 1 } },
	{ "version 3 without extensions", "LSKE", BY_P256,
	    { .no_basic_constraints = true, .key_id = PKI_KEY_ID_NONE } },
	{ "a CA", "lSKE", SELF, { .is_ca = true } },
	{ "a sub-CA", "lSKE", BY_P256, { .is_ca = true } },
	{ "serial 0", "LSKE", BY_P256, { .serial = "0" } },
	{ "negative serial", "LSKE", BY_P256, { .serial = "-5" } },
	{ "unknown extension", "LSKE", BY_P256, { .extensions = { { "1.2.3.4", "DER:0500" } } } },
	{ "unknown critical extension", "LSKe", BY_P256,
	    { .extensions = { { "1.2.3.4", "critical,DER:0500" } } } },
	{ "unknown extension twice", "LSKe", BY_P256,
	    { .extensions = { { "1.2.3.4", "DER:0500" }, { "1.2.3.4", "DER:0500" } } } },
	{ "keyUsage twice", "LSKe", BY_P256,
	    { .extensions = { { "keyUsage", "digitalSignature" },
		  { "keyUsage", "digitalSignature" } } } },
	{ "client authentication", "LSKE", BY_P256,
	    { .extensions = { { "keyUsage", "critical,digitalSignature" },
		  { "extendedKeyUsage", "critical,clientAuth" } } } },
	{ "broken basicConstraints", "LSKe", BY_P256,
	    { .no_basic_constraints = true,
		.extensions = { { "basicConstraints", "critical,DER:0500" } } } },
	{ "broken keyUsage", "LSKe", BY_P256,
	    { .extensions = { { "keyUsage", "DER:30030101FF" } } } },
	{ "broken subjectAltName", "LSKe", BY_P256,
	    { .extensions = { { "subjectAltName", "DER:3003820561" } } } },
	{ "broken authorityKeyIdentifier", "LSKe", BY_P256,
	    { .key_id = PKI_KEY_ID_NONE,
		.extensions = { { "authorityKeyIdentifier", "DER:0401aa" } } } },
	{ "proxy certificate with a path", "LSKe", BY_P256,
	    { .extensions = { { "proxyCertInfo", "critical,DER:0500" } } } },
	{ "version 1 with extensions", "LSKe", BY_P256,
	    { .version = 1, .extensions = { { "keyUsage", "digitalSignature" } } } },
	{ "60 extensions", "LSKE", BY_P256, { .extra = 60 } },
	{ "very many extensions", "LSKe", BY_P256, { .extra = 65 } },
	{ "10000 extensions", "LSKe", BY_P256, { .extra = 10000 } },
	{ "10000 alternative names", "LSKE", BY_P256, { .sans = 10000 } },
};

static struct pki_cert *
make_strength(size_t row)
{
	struct pki_options o = strengths[row].o;

	o.common_name = "device";
	o.issuer = signer_of(strengths[row].signer);
	o.now = NOW;
	return pki_make(&o);
}

/* OpenSSL 3.5 makes version 3 where version 1 is asked for with extensions. */
static bool
could_make(const struct pki_cert *c, size_t row)
{
	return strengths[row].o.version != 1 || pki_is_version_1(c);
}

START_TEST(strength_is_read_from_the_certificate)
{
	struct pki_cert *c = make_strength((size_t)_i);
	struct presented p;
	char facts[5];

	if (!could_make(c, (size_t)_i)) {
		pki_free(c);
		return;
	}
	ck_clean(x509_read(c->x, &p) == ERR_OK);
	ck_clean((x509_read_strength(c->x, &p), true));
	snprintf(facts, sizeof(facts), "%c%c%c%c", p.is_leaf ? 'L' : 'l',
	    p.strong_signature ? 'S' : 's', p.strong_key ? 'K' : 'k',
	    p.known_extensions ? 'E' : 'e');
	ck_assert_msg(strcmp(facts, strengths[_i].facts) == 0, "%s: %s instead of %s",
	    strengths[_i].descr, facts, strengths[_i].facts);
	pki_free(c);
}
END_TEST

/* Strength and validity are required.  CA:TRUE is allowed in registration by a command. */
START_TEST(a_client_certificate_must_be_strong)
{
	struct pki_cert *c = make_strength((size_t)_i);
	bool fit = strcmp(strengths[_i].facts + 1, "SKE") == 0;
	struct diag diag = { "" };

	if (!could_make(c, (size_t)_i)) {
		pki_free(c);
		return;
	}
	ck_clean(x509_check_client(c->x, NOW, &diag) == (fit ? ERR_OK : ERR_CERTIFICATE));
	ck_assert_msg((diag.text[0] == '\0') == fit, "%s: %s", strengths[_i].descr, diag.text);
	ck_clean(x509_check_client(c->x, NOW, NULL) == (fit ? ERR_OK : ERR_CERTIFICATE));
	pki_free(c);
}
END_TEST

/* The algorithm is in the signed part and again beside the signature.  The second is not signed,
 * so it must equal the first (RFC 5280 4.1.1.2). */
START_TEST(both_signature_algorithms_must_be_the_same)
{
	static const uint8_t ecdsa_sha256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 };
	struct pki_cert *c = pki_device(p256_ca, "device");
	uint8_t der[2048];
	size_t outer = c->der.len - sizeof(ecdsa_sha256);
	struct x509_st *x;
	struct presented p;

	memcpy(der, c->der.data, c->der.len);
	while (memcmp(der + outer, ecdsa_sha256, sizeof(ecdsa_sha256)) != 0)
		outer--;
	der[outer + 7] = 3; /* with SHA-384 */
	ck_clean(x509_from_der((struct view){ der, c->der.len }, &x, NULL) == ERR_OK);
	x509_read_strength(x, &p);
	ck_assert(!p.strong_signature);
	ck_clean(x509_issued_by(x, p256_ca->x) == ANSWER_NO);
	x509_free(x);
	pki_free(c);
}
END_TEST

/*
 * Issuer.
 */

START_TEST(the_subject_hash_leads_to_the_ca)
{
	struct pki_cert *device = pki_device(p256_ca, "device");
	struct issuer_hint hint;
	struct ca ca;

	memset(&ca, 0x55, sizeof(ca));
	ck_clean(x509_issuer_hint(device->x, &hint) == ERR_OK);
	ck_clean(x509_read_ca(p256_ca->x, &ca) == ERR_OK);
	ck_assert_uint_eq(hint.subject_hash, ca.subject_hash);
	ck_assert_uint_eq(hint.key_id.len, 20);
	ck_assert_uint_eq(ca.key_id.len, 20);
	ck_assert_mem_eq(hint.key_id.data, ca.key_id.data, 20);
	ck_assert_int_eq(ca.created, 0x5555555555555555); /* not checked here */
	pki_free(device);
}
END_TEST

START_TEST(the_facts_of_a_ca_are_those_of_its_certificate)
{
	struct x509_st *x = from_pem(vector_ca);
	struct presented p;
	struct ca ca;

	ck_clean(x509_read(x, &p) == ERR_OK);
	ck_clean(x509_read_ca(x, &ca) == ERR_OK);
	ck_assert(certid_equal(&ca.id, &p.id));
	ck_assert_int_eq(ca.not_before, p.not_before);
	ck_assert_int_eq(ca.not_after, p.not_after);
	ck_assert_uint_eq(ca.key_id.len, 20);
	ck_assert_uint_eq(ca.key_id.data[0], 0xfb);
	x509_free(x);
}
END_TEST

/* Key ids are optional (RFC 5280 4.2.1.1), and a record has room for 64 bytes. */
START_TEST(a_missing_or_long_key_id_is_empty)
{
	struct pki_cert *none = pki_make(&(
	    struct pki_options){ .common_name = "none", .is_ca = true, .key_id = PKI_KEY_ID_NONE });
	struct pki_cert *longer = pki_make(&(
	    struct pki_options){ .common_name = "long", .is_ca = true, .key_id = PKI_KEY_ID_LONG });
	struct pki_cert *device = pki_device(none, "device");
	struct issuer_hint hint;
	struct ca ca;

	ck_clean(x509_read_ca(none->x, &ca) == ERR_OK);
	ck_assert_uint_eq(ca.key_id.len, 0);
	ck_clean(x509_read_ca(longer->x, &ca) == ERR_OK);
	ck_assert_uint_eq(ca.key_id.len, 0);
	ck_clean(x509_issuer_hint(device->x, &hint) == ERR_OK);
	ck_assert_uint_eq(hint.key_id.len, 0);
	pki_free(none);
	pki_free(longer);
	pki_free(device);
}
END_TEST

/* The issuer's name is not in the extensions. */
START_TEST(a_certificate_with_broken_extensions_still_names_its_issuer)
{
	struct pki_cert *c = pki_make(&(struct pki_options){ .issuer = p256_ca,
	    .extensions = { { "keyUsage", "DER:30030101FF" } } });
	struct issuer_hint hint;
	struct ca ca;

	ck_clean(x509_issuer_hint(c->x, &hint) == ERR_OK);
	ck_clean(x509_read_ca(p256_ca->x, &ca) == ERR_OK);
	ck_assert_uint_eq(hint.subject_hash, ca.subject_hash);
	pki_free(c);
}
END_TEST

/* Two CAs of one subject (AWS allows ten): the signature distinguishes them, with and without
 * key ids. */
START_TEST(two_cas_of_one_name_are_distinguished_by_key)
{
	enum pki_key_id with[] = { PKI_KEY_ID_RIGHT, PKI_KEY_ID_NONE };
	struct pki_options o = { .common_name = "Twin", .is_ca = true, .key_id = with[_i] };
	struct pki_cert *a = pki_make(&o);
	struct pki_cert *b = pki_make(&o);
	struct pki_cert *of_a = pki_device(a, "device");
	struct ca ca_a, ca_b;

	ck_clean(x509_issued_by(of_a->x, a->x) == ANSWER_YES);
	ck_clean(x509_issued_by(of_a->x, b->x) == ANSWER_NO);
	ck_clean(x509_read_ca(a->x, &ca_a) == ERR_OK);
	ck_clean(x509_read_ca(b->x, &ca_b) == ERR_OK);
	ck_assert_uint_eq(ca_a.subject_hash, ca_b.subject_hash);
	ck_assert(!certid_equal(&ca_a.id, &ca_b.id));
	pki_free(of_a);
	pki_free(b);
	pki_free(a);
}
END_TEST

/* A renewed CA has the same subject and key: both of its certificates verify. */
START_TEST(a_renewed_ca_verifies_certificates_of_the_old_one)
{
	struct pki_cert *old = pki_ca("Renewed");
	struct pki_cert *renewed = pki_make(
	    &(struct pki_options){ .common_name = "Renewed", .is_ca = true, .key_of = old });
	struct pki_cert *device = pki_device(old, "device");

	ck_clean(x509_issued_by(device->x, old->x) == ANSWER_YES);
	ck_clean(x509_issued_by(device->x, renewed->x) == ANSWER_YES);
	pki_free(device);
	pki_free(renewed);
	pki_free(old);
}
END_TEST

/* The CA is the signer, not one above it (aws-iot A.2.1). */
START_TEST(a_sub_ca_verifies_only_its_own_certificates)
{
	struct pki_cert *sub = pki_make(
	    &(struct pki_options){ .common_name = "Sub", .is_ca = true, .issuer = p256_ca });
	struct pki_cert *device = pki_device(sub, "device");

	ck_clean(x509_issued_by(sub->x, p256_ca->x) == ANSWER_YES);
	ck_clean(x509_issued_by(device->x, sub->x) == ANSWER_YES);
	ck_clean(x509_issued_by(device->x, p256_ca->x) == ANSWER_NO);
	ck_clean(x509_issued_by(p256_ca->x, p256_ca->x) == ANSWER_YES);
	pki_free(device);
	pki_free(sub);
}
END_TEST

static const struct {
	const char *descr;
	enum answer answer;
	struct pki_options o;
} issued[] = {
	{ "as it should be", ANSWER_YES, { .version = 3 } },
	{ "version 1", ANSWER_YES, { .version = 1 } },
	/* RFC 5280 7.1: names are compared without case and extra spaces. */
	{ "name in other letters", ANSWER_YES, { .issuer_name = "p-256  ca" } },
	{ "another name", ANSWER_NO, { .issuer_name = "P-256 CB" } },
	{ "empty name", ANSWER_NO, { .issuer_name = "" } },
	{ "another key id", ANSWER_NO, { .key_id = PKI_KEY_ID_WRONG } },
	{ "no key id", ANSWER_YES, { .key_id = PKI_KEY_ID_NONE } },
	{ "broken extension", ANSWER_NO, { .extensions = { { "keyUsage", "DER:30030101FF" } } } },
	/* Strength is checked elsewhere. */
	{ "SHA-1", ANSWER_YES, { .digest = "SHA1" } },
};

START_TEST(issued_by_checks_name_key_id_and_signature)
{
	struct pki_options o = issued[_i].o;
	struct pki_cert *c;

	o.issuer = p256_ca;
	c = pki_make(&o);
	ck_clean(x509_issued_by(c->x, p256_ca->x) == issued[_i].answer);
	pki_free(c);
}
END_TEST

/* The key bounds the cost of a check, so weak and giant keys are not tried. */
START_TEST(a_ca_with_a_weak_key_verifies_no_certificate)
{
	struct pki_cert *weak = pki_make(
	    &(struct pki_options){ .common_name = "Weak", .is_ca = true, .key = PKI_RSA_1024 });
	struct pki_cert *device = pki_device(weak, "device");
	struct pki_cert *mute = pki_make(&(struct pki_options){ .common_name = "Mute",
	    .is_ca = true,
	    .extensions = { { "keyUsage", "critical,cRLSign" } } });
	struct pki_cert *of_mute = pki_device(mute, "device");

	ck_clean(x509_issued_by(device->x, weak->x) == ANSWER_NO);
	ck_clean(x509_issued_by(of_mute->x, mute->x) == ANSWER_NO);
	pki_free(device);
	pki_free(weak);
	pki_free(of_mute);
	pki_free(mute);
}
END_TEST

START_TEST(a_changed_byte_invalidates_the_signature)
{
	static const uint8_t change[] = { 0x01, 0x20, 0x80, 0xff };
	struct pki_cert *c = pki_device(_i == 0 ? p256_ca : rsa_ca, "device");
	uint8_t der[2048];

	memcpy(der, c->der.data, c->der.len);
	for (size_t i = 0; i < c->der.len * COUNT_OF(change); i++) {
		size_t at = i / COUNT_OF(change);
		struct x509_st *x;

		der[at] ^= change[i % COUNT_OF(change)];
		x = pki_parse((struct view){ der, c->der.len });
		if (x != NULL)
			ck_assert_msg(x509_issued_by(x, _i == 0 ? p256_ca->x : rsa_ca->x) ==
				ANSWER_NO,
			    "byte %zu", at);
		x509_free(x);
		der[at] = c->der.data[at];
	}
	pki_free(c);
}
END_TEST

/*
 * DER.
 */

START_TEST(der_is_returned_unchanged)
{
	struct pki_cert *c = make_strength((size_t)_i);
	struct x509_st *x;
	uint8_t *der;
	size_t len;
	char *pem;

	if (c->der.len > 48000) {
		ck_clean(x509_from_der(c->der, &x, NULL) == ERR_CERTIFICATE);
		ck_clean(x509_to_der(c->x, &der, &len) == ERR_CERTIFICATE);
	} else {
		ck_clean(x509_from_der(c->der, &x, NULL) == ERR_OK);
		ck_clean(x509_to_der(x, &der, &len) == ERR_OK);
		ck_assert_uint_eq(len, c->der.len);
		ck_assert_mem_eq(der, c->der.data, len);
		free(der);
		x509_free(x);
		ck_clean(x509_pem_from_der(c->der, &pem) == ERR_OK);
		ck_assert_str_eq(pem, (const char *)c->pem.data);
		free(pem);
	}
	pki_free(c);
}
END_TEST

START_TEST(truncated_der_is_refused)
{
	struct pki_cert *c = pki_device(p256_ca, "device");
	struct x509_st *x;

	for (size_t len = 0; len < c->der.len; len++) {
		/* a sanitizer sees a read behind it */
		uint8_t *part = malloc(len + 1);

		ck_assert_ptr_nonnull(part);
		memcpy(part, c->der.data, len);
		ck_clean(x509_from_der((struct view){ part, len }, &x, NULL) == ERR_CERTIFICATE);
		ck_assert_ptr_null(x);
		free(part);
	}
	pki_free(c);
}
END_TEST

START_TEST(trailing_bytes_are_refused)
{
	struct pki_cert *c = pki_device(p256_ca, "device");
	uint8_t der[4096];
	struct x509_st *x;
	struct diag diag;

	memcpy(der, c->der.data, c->der.len);
	memcpy(der + c->der.len, c->der.data, c->der.len);
	ck_clean(x509_from_der((struct view){ der, c->der.len + 1 }, &x, &diag) == ERR_CERTIFICATE);
	ck_assert_str_eq(diag.text, "there are 1 bytes after the certificate");
	ck_clean(x509_from_der((struct view){ der, 2 * c->der.len }, &x, NULL) == ERR_CERTIFICATE);
	pki_free(c);
}
END_TEST

/* In a handshake OpenSSL accepts longer encodings.  The id is that of the DER, and as a document
 * only the DER is accepted, so there is one id. */
START_TEST(a_longer_encoding_is_refused)
{
	struct pki_cert *c = pki_device(p256_ca, "device");
	uint8_t ber[2048] = { 0x30, 0x83, 0x00 };
	struct view in = { ber, c->der.len + 1 };
	struct x509_st *x;
	struct presented a, b;
	struct diag diag;

	ck_assert_uint_eq(c->der.data[1], 0x82);
	memcpy(ber + 3, c->der.data + 2, c->der.len - 2);
	ck_clean(x509_from_der(in, &x, &diag) == ERR_CERTIFICATE);
	ck_assert_str_eq(diag.text, "the certificate is not encoded in DER");
	x = pki_parse(in);
	ck_assert_ptr_nonnull(x);
	ck_clean(x509_read(x, &a) == ERR_OK);
	ck_clean(x509_read(c->x, &b) == ERR_OK);
	ck_assert(certid_equal(&a.id, &b.id));
	x509_free(x);
	pki_free(c);
}
END_TEST

/* Unused bits of the signature are arbitrary in BER and zero in DER: the same length with other
 * bytes. */
START_TEST(another_encoding_of_the_same_length_is_refused)
{
	struct pki_cert *c = pki_device(p256_ca, "device");
	uint8_t der[2048];
	size_t at = c->der.len - 64;
	struct x509_st *x;
	struct diag diag;

	memcpy(der, c->der.data, c->der.len);
	while (der[at] != 0x03 || at + 2 + der[at + 1] != c->der.len)
		at--;
	der[at + 2] = 1; /* the last bit is unused */
	der[c->der.len - 1] |= 1;
	ck_clean(x509_from_der((struct view){ der, c->der.len }, &x, &diag) == ERR_CERTIFICATE);
	ck_assert_str_eq(diag.text, "the certificate is not encoded in DER");
	pki_free(c);
}
END_TEST

/* Calls every function that takes a certificate. */
static void
ask_everything(struct x509_st *x)
{
	struct presented p;
	struct issuer_hint hint;
	struct ca ca;
	struct diag diag;
	uint8_t *der;
	size_t len;
	char code[65], subject[40];

	if (x509_read(x, &p) == ERR_OK)
		ck_assert_int_ge(p.not_after, -631152000000);
	x509_read_strength(x, &p);
	if (x509_issuer_hint(x, &hint) == ERR_OK)
		ck_assert(hint.key_id.len == 0 || hint.key_id.data != NULL);
	if (x509_read_ca(x, &ca) == ERR_OK)
		ck_assert_uint_le(ca.key_id.len, 64);
	ck_assert(x509_check_ca(x, NOW, &diag) == ERR_OK || strlen(diag.text) > 0);
	ck_assert(x509_check_client(x, NOW, &diag) == ERR_OK || strlen(diag.text) > 0);
	ck_assert(x509_check_verification(x, p256_ca->x, NOW, code, &diag) == ERR_OK ||
	    (strlen(diag.text) > 0 && strlen(code) == 0));
	x509_subject_text(x, subject, sizeof(subject));
	ck_assert_uint_lt(strlen(subject), sizeof(subject));
	if (x509_to_der(x, &der, &len) == ERR_OK)
		free(der);
	ck_assert(pki_no_errors());
}

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* A bounded number with a fixed seed; fuzz_x509 has no bound. */
START_TEST(random_changes_are_read_safely)
{
	struct pki_cert *c = pki_make(&(struct pki_options){ .common_name = "device",
	    .organization = "Example Corp",
	    .issuer = _i % 2 ? rsa_ca : p256_ca,
	    .sans = 3,
	    .extensions = { { "keyUsage", "critical,digitalSignature" },
		{ "extendedKeyUsage", "clientAuth" } } });
	uint8_t der[2048];
	uint32_t state = (uint32_t)_i;

	for (int round = 0; round < 2000; round++) {
		struct x509_st *x;

		memcpy(der, c->der.data, c->der.len);
		for (uint32_t n = 1 + next_random(&state) % 4; n > 0; n--)
			der[next_random(&state) % c->der.len] = (uint8_t)next_random(&state);
		x = pki_parse((struct view){ der, c->der.len });
		if (x != NULL)
			ask_everything(x);
		x509_free(x);
	}
	pki_free(c);
}
END_TEST

/*
 * PEM (RFC 7468).  In the patterns @ stands for the PEM of a certificate, # for
 * the lines between its first and last, ! for its private key, 0 for NUL.
 */

static const struct {
	const char *descr;
	const char *pattern;
	const char *fault; /* NULL: accepted */
} pems[] = {
	{ "a certificate", "@", NULL },
	{ "text before it", "Certificate:\n  Data:\n@", NULL },
	{ "text behind it", "@ that was it\n", NULL },
	{ "byte order mark", "\xEF\xBB\xBF@", NULL },
	{ "CRLF", "-----BEGIN CERTIFICATE-----\r\n#-----END CERTIFICATE-----\r\n", NULL },
	{ "old Macintosh", "-----BEGIN CERTIFICATE-----\r#-----END CERTIFICATE-----\r", NULL },
	{ "spaces at the ends of lines",
	    "-----BEGIN CERTIFICATE-----  \n#-----END CERTIFICATE----- \t\n", NULL },
	{ "empty lines inside", "-----BEGIN CERTIFICATE-----\n\n#\n-----END CERTIFICATE-----\n",
	    NULL },
	{ "last line without its end", "-----BEGIN CERTIFICATE-----\n#-----END CERTIFICATE-----",
	    NULL },
	{ "nothing", "", "the PEM is empty" },
	{ "no PEM", "hello", "no line" },
	{ "two certificates", "@@", "more than one PEM block" },
	{ "a private key behind", "@!", "private key" },
	{ "a private key before", "!@", "private key" },
	{ "only a private key", "!", "private key" },
	{ "a private key hidden in text", "@> -----BEGIN EC PRIVATE KEY-----\n> abcd\n",
	    "private key" },
	{ "half a private key", "@-----END RSA PRIVATE KEY-----\n", "private key" },
	{ "another block behind", "@-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
	    "more than one PEM block" },
	{ "another block before",
	    "-----BEGIN EC PARAMETERS-----\nAAAA\n"
	    "-----END EC PARAMETERS-----\n@",
	    "does not begin" },
	{ "another block, indented", "@  -----BEGIN CERTIFICATE-----\n",
	    "more than one PEM block" },
	{ "OpenSSL's own kind",
	    "-----BEGIN TRUSTED CERTIFICATE-----\n#-----END TRUSTED CERTIFICATE-----\n",
	    "does not begin" },
	{ "an old label", "-----BEGIN X509 CERTIFICATE-----\n#-----END X509 CERTIFICATE-----\n",
	    "does not begin" },
	{ "a request", "-----BEGIN CERTIFICATE REQUEST-----\n#-----END CERTIFICATE REQUEST-----\n",
	    "does not begin" },
	{ "small letters", "-----begin certificate-----\n#-----end certificate-----\n", "no line" },
	{ "not at the start of a line", "x@", "does not begin" },
	{ "indented", " @", "does not begin" },
	{ "more on the first line", "-----BEGIN CERTIFICATE-----#-----END CERTIFICATE-----\n",
	    "does not begin" },
	{ "more on the last line", "-----BEGIN CERTIFICATE-----\n#-----END CERTIFICATE-----x\n",
	    "does not end" },
	{ "no last line", "-----BEGIN CERTIFICATE-----\n#", "does not end" },
	{ "another last line", "-----BEGIN CERTIFICATE-----\n#-----END X509 CRL-----\n",
	    "does not end" },
	{ "last line cut", "-----BEGIN CERTIFICATE-----\n#-----END CERTIFICATE----",
	    "does not end" },
	{ "a dash inside", "-----BEGIN CERTIFICATE-----\n-#-----END CERTIFICATE-----\n",
	    "does not end" },
	{ "a dash behind", "-----BEGIN CERTIFICATE-----\n#-\n-----END CERTIFICATE-----\n",
	    "does not end" },
	{ "empty inside", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "has 1 to" },
	{ "the same inside twice", "-----BEGIN CERTIFICATE-----\n##-----END CERTIFICATE-----\n",
	    "" },
	{ "not base64", "-----BEGIN CERTIFICATE-----\n*#-----END CERTIFICATE-----\n", "base64" },
	{ "URL base64", "-----BEGIN CERTIFICATE-----\n_#-----END CERTIFICATE-----\n", "base64" },
	{ "one digit too many", "-----BEGIN CERTIFICATE-----\nA#-----END CERTIFICATE-----\n",
	    "base64" },
	{ "padding first", "-----BEGIN CERTIFICATE-----\n=#-----END CERTIFICATE-----\n", "base64" },
	{ "a header, as encrypted ones have",
	    "-----BEGIN CERTIFICATE-----\n"
	    "Proc-Type: 4,ENCRYPTED\n\n#-----END CERTIFICATE-----\n",
	    "does not end" },
	{ "another header", "-----BEGIN CERTIFICATE-----\nA: b\n\n#-----END CERTIFICATE-----\n",
	    "base64" },
	{ "no certificate inside",
	    "-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n",
	    "not an X.509 certificate" },
	{ "NUL before", "~@", "NUL" },
	{ "NUL inside", "-----BEGIN CERTIFICATE-----\n~#-----END CERTIFICATE-----\n", "NUL" },
	{ "NUL behind", "@~", "NUL" },
};

START_TEST(a_pem_file_must_have_exactly_one_certificate)
{
	struct pki_cert *c = pki_device(p256_ca, "device");
	char *text = malloc(16384);
	struct view pem = { (uint8_t *)text, pki_fill_in(text, pems[_i].pattern, c->pem, c) };
	enum err expected = pems[_i].fault == NULL ? ERR_OK : ERR_CERTIFICATE;
	struct diag diag = { "" };
	struct x509_st *x;

	ck_clean(x509_from_pem(pem, &x, &diag) == expected);
	if (expected == ERR_OK)
		ck_assert(x != NULL && diag.text[0] == '\0');
	else
		ck_assert_msg(x == NULL && strstr(diag.text, pems[_i].fault) != NULL, "%s: %s",
		    pems[_i].descr, diag.text);
	x509_free(x);
	free(text);
	pki_free(c);
}
END_TEST

/* The id does not depend on the line lengths (aws-iot B.1). */
START_TEST(pem_lines_may_have_any_length)
{
	char text[4096] = "-----BEGIN CERTIFICATE-----\n";
	size_t len = strlen(text), digits = 0;
	const char *p = strchr(vector_device, '\n');
	struct x509_st *x;

	for (; *p != '-'; p++) {
		if (*p == '\n')
			continue;
		text[len++] = *p;
		if (_i > 0 && ++digits % (size_t)_i == 0)
			text[len++] = '\n';
	}
	snprintf(text + len, sizeof(text) - len, "\n-----END CERTIFICATE-----\n");
	x = from_pem(text);
	assert_id(x, vector_device_id);
	x509_free(x);
}
END_TEST

/* AWS accepts 65536 characters (aws-iot 1.7); longer text is not read. */
START_TEST(the_length_of_pem_is_limited)
{
	size_t len = strlen(vector_device);
	char *text = malloc(X509_PEM_MAX + 1);
	struct x509_st *x;
	struct diag diag;

	ck_assert_ptr_nonnull(text);
	memset(text, ' ', X509_PEM_MAX + 1);
	memcpy(text, vector_device, len);
	ck_clean(x509_from_pem((struct view){ (uint8_t *)text, X509_PEM_MAX }, &x, NULL) == ERR_OK);
	x509_free(x);
	ck_clean(x509_from_pem((struct view){ (uint8_t *)text, X509_PEM_MAX + 1 }, &x, &diag) ==
	    ERR_CERTIFICATE);
	ck_assert_str_eq(diag.text, "the PEM is longer than 65536 characters");
	free(text);
}
END_TEST

/* The largest accepted DER has an accepted PEM. */
START_TEST(the_largest_certificate_fits_into_pem)
{
	struct pki_cert *c = pki_make(&(struct pki_options){ .issuer = p256_ca, .sans = 11910 });
	struct x509_st *x;
	struct diag diag;

	ck_assert_uint_gt(c->der.len, 47900);
	ck_assert_uint_le(c->der.len, 48000);
	ck_assert_uint_le(c->pem.len, X509_PEM_MAX);
	ck_clean(x509_from_pem(c->pem, &x, NULL) == ERR_OK);
	ask_everything(x);
	x509_free(x);
	pki_free(c);
	c = pki_make(&(struct pki_options){ .issuer = p256_ca, .sans = 12000 });
	ck_clean(x509_from_der(c->der, &x, &diag) == ERR_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(diag.text, "1 to 48000 bytes")); /* and is not parsed */
	ck_clean(x509_from_pem(c->pem, &x, NULL) == ERR_CERTIFICATE);
	pki_free(c);
}
END_TEST

/*
 * CAs (aws-iot C, A.2.1).
 */

static const struct {
	const char *descr;
	const char *fault; /* NULL: accepted */
	enum signer signer;
	struct pki_options o;
} cas[] = {
	{ "self-signed", NULL, SELF, { .is_ca = true } },
	{ "sub-CA, its issuer is not looked at", NULL, BY_RSA, { .is_ca = true } },
	{ "RSA of 2048 bits", NULL, SELF, { .is_ca = true, .key = PKI_RSA_2048 } },
	{ "Ed25519", NULL, SELF, { .is_ca = true, .key = PKI_ED25519 } },
	{ "with keyCertSign", NULL, SELF,
	    { .is_ca = true, .extensions = { { "keyUsage", "keyCertSign" } } } },
	{ "with a path length of 0", NULL, SELF,
	    { .no_basic_constraints = true,
		.extensions = { { "basicConstraints", "critical,CA:TRUE,pathlen:0" } } } },
	{ "basicConstraints not critical", NULL, SELF,
	    { .no_basic_constraints = true, .extensions = { { "basicConstraints", "CA:TRUE" } } } },
	{ "signed with SHA-1, which is not checked", NULL, SELF,
	    { .is_ca = true, .digest = "SHA1" } },
	/* RFC 5280 4.1.2.2: such serial numbers exist and must be accepted. */
	{ "serial 0", NULL, SELF, { .is_ca = true, .serial = "0" } },
	{ "negative serial", NULL, SELF, { .is_ca = true, .serial = "-1" } },
	{ "valid from now on", NULL, SELF, { .is_ca = true, .not_before = "20270115080000Z" } },
	{ "valid until now", NULL, SELF, { .is_ca = true, .not_after = "20270115080000Z" } },
	{ "a client's certificate",
	    "CA certificate is not valid. The CA certificate does not have the "
	    "basicConstraints extension as true",
	    BY_P256, { .version = 3 } },
	{ "without basicConstraints", "does not have the basicConstraints extension as true", SELF,
	    { .no_basic_constraints = true, .extensions = { { "keyUsage", "keyCertSign" } } } },
	{ "version 1", "does not have the basicConstraints extension as true", SELF,
	    { .version = 1 } },
	{ "broken basicConstraints", "does not have the basicConstraints extension as true", SELF,
	    { .no_basic_constraints = true,
		.extensions = { { "basicConstraints", "DER:0500" } } } },
	{ "keyUsage without keyCertSign", "without keyCertSign", SELF,
	    { .is_ca = true, .extensions = { { "keyUsage", "cRLSign" } } } },
	{ "unknown critical extension", "extension that is malformed", SELF,
	    { .is_ca = true, .extensions = { { "1.2.3.4", "critical,DER:0500" } } } },
	{ "double extension", "extension that is malformed", SELF,
	    { .is_ca = true,
		.extensions = { { "1.2.3.4", "DER:0500" }, { "1.2.3.4", "DER:0500" } } } },
	{ "RSA of 1024 bits", "RSA, 1024 bits", SELF, { .is_ca = true, .key = PKI_RSA_1024 } },
	{ "RSA of 16384 bits", "RSA, 16384 bits", BY_P256,
	    { .is_ca = true, .key = PKI_RSA_16384 } },
	{ "RSA with exponent 1", "RSA, 2048 bits", BY_P256, { .is_ca = true, .key = PKI_RSA_E1 } },
	{ "curve without its name", "EC, 256 bits", SELF,
	    { .is_ca = true, .key = PKI_P256_EXPLICIT } },
	{ "expired", "valid only until 2027-01-15 07:59:59", SELF,
	    { .is_ca = true, .not_after = "20270115075959Z" } },
	{ "not valid yet", "valid only from 2027-01-15 08:00:01", SELF,
	    { .is_ca = true, .not_before = "20270115080001Z" } },
	{ "unreadable validity", "validity of the CA certificate cannot be read", SELF,
	    { .is_ca = true, .not_after = "20270230080000Z" } },
};

START_TEST(a_ca_must_have_the_properties_of_a_ca)
{
	struct pki_options o = cas[_i].o;
	enum err expected = cas[_i].fault == NULL ? ERR_OK : ERR_CERTIFICATE;
	struct diag diag = { "" };
	struct pki_cert *c;

	o.common_name = "CA";
	o.issuer = signer_of(cas[_i].signer);
	o.now = NOW;
	c = pki_make(&o);
	ck_clean(x509_check_ca(c->x, NOW, &diag) == expected);
	ck_assert_msg(strstr(diag.text, expected == ERR_OK ? "" : cas[_i].fault) != NULL, "%s: %s",
	    cas[_i].descr, diag.text);
	ck_assert_msg(expected != ERR_OK || diag.text[0] == '\0', "%s: %s", cas[_i].descr,
	    diag.text);
	ck_clean(x509_check_ca(c->x, NOW, NULL) == expected);
	pki_free(c);
}
END_TEST

/* At registration the time must be within the validity, ends included (aws-iot D.6). */
START_TEST(a_client_certificate_must_be_valid_now)
{
	struct pki_cert *c = pki_make(&(struct pki_options){ .issuer = p256_ca,
	    .not_before = "20270115080000Z",
	    .not_after = "20270116080000Z" });
	struct diag diag;

	ck_clean(x509_check_client(c->x, NOW - 1, &diag) == ERR_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(diag.text, "valid only from 2027-01-15 08:00:00"));
	ck_clean(x509_check_client(c->x, NOW, NULL) == ERR_OK);
	ck_clean(x509_check_client(c->x, NOW + DAY, NULL) == ERR_OK);
	ck_clean(x509_check_client(c->x, NOW + DAY + 1, &diag) == ERR_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(diag.text, "valid only until 2027-01-16 08:00:00"));
	pki_free(c);
}
END_TEST

/*
 * Proof of possession (aws-iot C).
 */

#define CODE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *descr;
	enum err e;
	const char *code;
	struct pki_options o;
} proofs[] = {
	{ "as the AWS recipe makes it", ERR_OK, CODE, { .common_name = CODE, .version = 1 } },
	{ "version 3", ERR_OK, CODE, { .common_name = CODE } },
	{ "with more in its subject", ERR_OK, CODE,
	    { .common_name = CODE, .organization = "Example Corp" } },
	{ "any key", ERR_OK, CODE, { .common_name = CODE, .key = PKI_RSA_1024 } },
	{ "another code, which is not for us to know", ERR_OK, "x", { .common_name = "x" } },
	{ "in 16 bits", ERR_OK, "ab",
	    { .common_name = "\0a\0b", .common_name_len = 4, .common_name_type = 30 } },
	{ "no common name", ERR_PROOF, "", { .organization = "Example Corp" } },
	{ "empty common name", ERR_PROOF, "", { .common_name = "" } },
	{ "two common names", ERR_PROOF, "",
	    { .common_name = CODE, .second_common_name = "other" } },
	{ "the same name twice", ERR_PROOF, "",
	    { .common_name = CODE, .second_common_name = CODE } },
	{ "65 characters", ERR_PROOF, "", { .common_name = CODE "0" } },
	{ "NUL behind the code", ERR_PROOF, "",
	    { .common_name = CODE "\0evil", .common_name_len = 69 } },
	{ "NUL within", ERR_PROOF, "", { .common_name = "a\0b", .common_name_len = 3 } },
	{ "NUL in 16 bits", ERR_PROOF, "",
	    { .common_name = "\0a\0\0", .common_name_len = 4, .common_name_type = 30 } },
	{ "expired", ERR_CERTIFICATE, "", { .common_name = CODE, .not_after_days = -1 } },
	{ "not valid yet", ERR_CERTIFICATE, "", { .common_name = CODE, .not_before_days = 1 } },
	{ "names another issuer", ERR_CERTIFICATE, "",
	    { .common_name = CODE, .issuer_name = "Other CA" } },
	{ "another key id", ERR_CERTIFICATE, "",
	    { .common_name = CODE, .key_id = PKI_KEY_ID_WRONG } },
	{ "SHA-1, could be made of something else", ERR_CERTIFICATE, "",
	    { .common_name = CODE, .digest = "SHA1" } },
};

START_TEST(a_verification_certificate_proves_possession)
{
	struct pki_options o = proofs[_i].o;
	struct diag diag = { "" };
	char code[65] = "before";
	struct pki_cert *c;

	o.issuer = p256_ca;
	o.now = NOW;
	c = pki_make(&o);
	ck_clean(x509_check_verification(c->x, p256_ca->x, NOW, code, &diag) == proofs[_i].e);
	ck_assert_str_eq(code, proofs[_i].code);
	ck_assert_msg((diag.text[0] == '\0') == (proofs[_i].e == ERR_OK), "%s: %s",
	    proofs[_i].descr, diag.text);
	pki_free(c);
}
END_TEST

/* Signed with another key in the CA's name, as an attacker can do. */
START_TEST(a_proof_signed_with_another_key_is_refused)
{
	struct pki_cert *impostor = pki_ca("P-256 CA");
	struct pki_cert *c = pki_make(&(struct pki_options){ .common_name = CODE,
	    .version = 1,
	    .issuer = impostor,
	    .named_issuer = p256_ca,
	    .now = NOW });
	char code[65];

	ck_clean(x509_check_verification(c->x, p256_ca->x, NOW, code, NULL) == ERR_CERTIFICATE);
	ck_assert_str_eq(code, "");
	pki_free(c);
	c = pki_make(&(struct pki_options){ .common_name = CODE, .now = NOW }); /* self-signed */
	ck_clean(x509_check_verification(c->x, p256_ca->x, NOW, code, NULL) == ERR_CERTIFICATE);
	pki_free(c);
	pki_free(impostor);
}
END_TEST

/*
 * Subjects, trust anchors and random bytes.
 */

static const struct {
	const char *descr;
	const char *text;
	struct pki_options o;
} subjects[] = {
	{ "two parts, the last first", "CN=device,O=Example Corp",
	    { .common_name = "device", .organization = "Example Corp" } },
	{ "nothing", "", { .common_name = NULL } },
	{ "what RFC 2253 escapes", "CN=a\\,b\\+c\\\"d", { .common_name = "a,b+c\"d" } },
	{ "control characters", "CN=a\\0Ab", { .common_name = "a\nb" } },
	{ "NUL", "CN=a\\00b", { .common_name = "a\0b", .common_name_len = 3 } },
	{ "UTF-8 is readable", "CN=Ger\xC3\xA4t", { .common_name = "Ger\xC3\xA4t" } },
};

START_TEST(the_subject_is_one_line)
{
	struct pki_options o = subjects[_i].o;
	struct pki_cert *c;
	char whole[128];

	c = pki_make(&o);
	ck_clean((x509_subject_text(c->x, whole, sizeof(whole)), true));
	ck_assert_msg(strcmp(whole, subjects[_i].text) == 0, "%s: %s", subjects[_i].descr, whole);
	for (size_t size = 1; size < sizeof(whole); size++) {
		/* a sanitizer sees a write behind it */
		char *cut = malloc(size);

		ck_assert_ptr_nonnull(cut);
		x509_subject_text(c->x, cut, size);
		ck_assert_uint_eq(strlen(cut), strlen(whole) < size ? strlen(whole) : size - 1);
		ck_assert(strncmp(cut, whole, size - 1) == 0);
		free(cut);
	}
	ck_clean((x509_subject_text(c->x, NULL, 0), true));
	pki_free(c);
}
END_TEST

/* A registered sub-CA is an anchor by itself, without the root above it.  Nothing else becomes
 * acceptable, and the setting of the process is restored. */
START_TEST(a_sub_ca_can_be_a_trust_anchor)
{
	struct pki_cert *sub = pki_make(&(struct pki_options){ .common_name = "Sub",
	    .is_ca = true,
	    .issuer = p256_ca,
	    .now = NOW });
	struct pki_cert *device = pki_make(
	    &(struct pki_options){ .common_name = "device", .issuer = sub, .now = NOW });
	struct pki_cert *stranger = pki_make(
	    &(struct pki_options){ .common_name = "device", .issuer = rsa_ca, .now = NOW });

	for (int round = 0; round < 3; round++) {
		ck_assert(!pki_server_accepts(sub, device, NOW));
		ck_clean(x509_trust_partial_chains() == ERR_OK);
		ck_clean(x509_trust_partial_chains() == ERR_OK); /* twice is the same as once */
		ck_assert(pki_server_accepts(sub, device, NOW));
		ck_assert(!pki_server_accepts(sub, stranger, NOW));
		ck_assert(!pki_server_accepts(p256_ca, device, NOW));
		ck_assert(!pki_server_accepts(sub, device, NOW + (int64_t)366 * DAY));
		ck_clean((x509_trust_partial_chains_undo(), true));
		ck_clean((x509_trust_partial_chains_undo(), true));
	}
	ck_assert(!pki_server_accepts(sub, device, NOW));
	pki_free(stranger);
	pki_free(device);
	pki_free(sub);
}
END_TEST

START_TEST(random_bytes_are_not_repeated)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	ck_clean(random_fill(a, sizeof(a)) == ERR_OK);
	ck_clean(random_fill(b, sizeof(b)) == ERR_OK);
	ck_assert_mem_ne(a, b, sizeof(a));
	ck_clean(random_fill(a, 0) == ERR_OK);
}
END_TEST

static TCase *
facts_case(void)
{
	TCase *t = tcase_create("facts");

	tcase_add_unchecked_fixture(t, make_cas, free_cas);
	tcase_add_test(t, the_test_vectors_have_the_published_ids);
	tcase_add_test(t, the_test_vectors_are_accepted);
	tcase_add_test(t, reading_alone_sets_no_fact_that_would_admit);
	tcase_add_test(t, a_serial_number_too_long_for_a_list_is_left_out);
	tcase_add_test(t, a_certificate_with_malformed_der_inside_is_refused);
	tcase_add_test(t, a_referenced_certificate_outlives_its_first_owner);
	tcase_add_loop_test(t, not_before_is_read_strictly, 0, COUNT_OF(times));
	tcase_add_loop_test(t, not_after_is_read_strictly, 0, COUNT_OF(times));
	tcase_add_loop_test(t, strength_is_read_from_the_certificate, 0, COUNT_OF(strengths));
	tcase_add_loop_test(t, a_client_certificate_must_be_strong, 0, COUNT_OF(strengths));
	tcase_add_test(t, both_signature_algorithms_must_be_the_same);
	tcase_add_loop_test(t, the_subject_is_one_line, 0, COUNT_OF(subjects));
	tcase_add_test(t, a_sub_ca_can_be_a_trust_anchor);
	tcase_add_test(t, random_bytes_are_not_repeated);
	return t;
}

static TCase *
issuer_case(void)
{
	TCase *t = tcase_create("issuer");

	tcase_add_unchecked_fixture(t, make_cas, free_cas);
	tcase_add_test(t, the_subject_hash_leads_to_the_ca);
	tcase_add_test(t, the_facts_of_a_ca_are_those_of_its_certificate);
	tcase_add_test(t, a_missing_or_long_key_id_is_empty);
	tcase_add_test(t, a_certificate_with_broken_extensions_still_names_its_issuer);
	tcase_add_loop_test(t, two_cas_of_one_name_are_distinguished_by_key, 0, 2);
	tcase_add_test(t, a_renewed_ca_verifies_certificates_of_the_old_one);
	tcase_add_test(t, a_sub_ca_verifies_only_its_own_certificates);
	tcase_add_loop_test(t, issued_by_checks_name_key_id_and_signature, 0, COUNT_OF(issued));
	tcase_add_test(t, a_ca_with_a_weak_key_verifies_no_certificate);
	tcase_add_loop_test(t, a_changed_byte_invalidates_the_signature, 0, 2);
	return t;
}

static TCase *
parse_case(void)
{
	TCase *t = tcase_create("parse");

	tcase_add_unchecked_fixture(t, make_cas, free_cas);
	tcase_add_loop_test(t, der_is_returned_unchanged, 0, COUNT_OF(strengths));
	tcase_add_test(t, truncated_der_is_refused);
	tcase_add_test(t, trailing_bytes_are_refused);
	tcase_add_test(t, a_longer_encoding_is_refused);
	tcase_add_test(t, another_encoding_of_the_same_length_is_refused);
	tcase_add_loop_test(t, random_changes_are_read_safely, 0, 10);
	tcase_add_loop_test(t, a_pem_file_must_have_exactly_one_certificate, 0, COUNT_OF(pems));
	tcase_add_loop_test(t, pem_lines_may_have_any_length, 0, 70);
	tcase_add_test(t, the_length_of_pem_is_limited);
	tcase_add_test(t, the_largest_certificate_fits_into_pem);
	return t;
}

static TCase *
fitness_case(void)
{
	TCase *t = tcase_create("fitness");

	tcase_add_unchecked_fixture(t, make_cas, free_cas);
	tcase_add_loop_test(t, a_ca_must_have_the_properties_of_a_ca, 0, COUNT_OF(cas));
	tcase_add_test(t, a_client_certificate_must_be_valid_now);
	tcase_add_loop_test(t, a_verification_certificate_proves_possession, 0, COUNT_OF(proofs));
	tcase_add_test(t, a_proof_signed_with_another_key_is_refused);
	return t;
}

int
main(void)
{
	Suite *suite = suite_create("x509");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, facts_case());
	suite_add_tcase(suite, issuer_case());
	suite_add_tcase(suite, parse_case());
	suite_add_tcase(suite, fitness_case());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
