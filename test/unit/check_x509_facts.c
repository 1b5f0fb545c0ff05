/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_x509_facts.c - facts of a certificate for policies and rules (aws-iot F.5).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/text.h"
#include "jitr/adapter/x509.h"
#include "pki.h"
#include "suite.h"

static struct pki_cert *ca;

static void
set_up(void)
{
	ca = pki_make(&(struct pki_options){ .common_name = "Maker, Inc.",
	    .is_ca = true,
	    .organization = "Amazon.com Inc. L=Seattle" });
}

static void
tear_down(void)
{
	pki_free(ca);
}

/* AWS's facts of a certificate, or those of this project, as lines "name=value"; NULL: it cannot
 * be read. */
static const char *
facts_of(const struct pki_options *options, bool ours)
{
	static char buffer[4096];
	struct pki_cert *c = pki_make(options);
	struct text t = text_in(buffer, sizeof(buffer));
	struct cert_facts *facts;
	enum err e;

	pki_leave_error();
	e = x509_read_facts(c->x, &facts);
	ck_assert(pki_no_errors());
	pki_free(c);
	if (e != ERR_OK) {
		ck_assert_int_eq(e, ERR_CERTIFICATE);
		ck_assert_ptr_null(facts);
		return NULL;
	}
	for (size_t i = 0; i < facts->count; i++) {
		const struct cert_value *v = &facts->values[i];

		ck_assert(i == 0 || v->field >= facts->values[i - 1].field);
		if (cert_field_is_ours(v->field) != ours)
			continue;
		text_addf(&t, "%s=%.*s\n", cert_field_name(v->field), (int)v->text.len,
		    (const char *)v->text.data);
	}
	free(facts);
	ck_assert(!t.cut);
	return buffer;
}

#define ISSUER "Issuer.Organization=Amazon.com Inc. L\\=Seattle\nIssuer.CommonName=Maker\\, Inc.\n"

static const struct {
	const char *what;
	struct pki_options options;
	const char *facts; /* NULL: it cannot be read */
} rows[] = {
	{ "a plain device", { .serial = "7", .common_name = "d1" },
	    "SerialNumber=7\nSubject.CommonName=d1\n" ISSUER },
	{ "no subject at all", { .serial = "7" }, "SerialNumber=7\n" ISSUER },
	{ "a large serial number is decimal (aws-iot F.8 row 19)",
	    { .serial = "10525622389124227206" }, "SerialNumber=10525622389124227206\n" ISSUER },
	{ "every attribute",
	    { .serial = "1",
		.common_name = "cn",
		.organization = "o",
		.attributes = { { "dnQualifier", "q" }, { "C", "US" }, { "OU", "ou" },
		    { "ST", "WA" }, { "serialNumber", "sn" }, { "title", "Dr" }, { "SN", "sur" },
		    { "GN", "given" }, { "initials", "i" }, { "pseudonym", "p" },
		    { "generationQualifier", "Jr" } } },
	    "SerialNumber=1\nSubject.DistinguishedNameQualifier=q\nSubject.Country=US\n"
	    "Subject.Organization=o\nSubject.OrganizationalUnit=ou\nSubject.State=WA\n"
	    "Subject.CommonName=cn\nSubject.SerialNumber=sn\nSubject.Title=Dr\nSubject.Surname=sur\n"
	    "Subject.GivenName=given\nSubject.Initials=i\nSubject.Pseudonym=p\n"
	    "Subject.GenerationQualifier=Jr\n" ISSUER },
	{ "several values in the order of the certificate",
	    { .serial = "1", .attributes = { { "OU", "one" }, { "O", "x" }, { "OU", "two" } } },
	    "SerialNumber=1\nSubject.Organization=x\nSubject.OrganizationalUnit=one\n"
	    "Subject.OrganizationalUnit=two\n" ISSUER },
	{ "no more than five of one",
	    { .serial = "1",
		.attributes = { { "OU", "1" }, { "OU", "2" }, { "OU", "3" }, { "OU", "4" },
		    { "OU", "5" }, { "OU", "6" } } },
	    "SerialNumber=1\nSubject.OrganizationalUnit=1\nSubject.OrganizationalUnit=2\n"
	    "Subject.OrganizationalUnit=3\nSubject.OrganizationalUnit=4\n"
	    "Subject.OrganizationalUnit=5\n" ISSUER },
	{ "what is special in names is escaped", { .serial = "1", .common_name = "a,\"\\+=<>;b" },
	    "SerialNumber=1\nSubject.CommonName=a\\,\\\"\\\\\\+\\=\\<\\>\\;b\n" ISSUER },
	{ "wildcards stay: policies take care of them", { .serial = "1", .common_name = "dev*#?$" },
	    "SerialNumber=1\nSubject.CommonName=dev*#?$\n" ISSUER },
	{ "letters of all alphabets", { .serial = "1", .common_name = "Gerät" },
	    "SerialNumber=1\nSubject.CommonName=Gerät\n" ISSUER },
	{ "an alternative name of each kind",
	    { .serial = "1",
		.extensions = { { "subjectAltName",
		    "DNS:a.example,email:b@example,URI:urn:x,IP:192.0.2.1,IP:2001:db8::1,"
		    "DNS:c.example" } } },
	    "SerialNumber=1\nSubject.AlternativeName.RFC822Name=b@example\n"
	    "Subject.AlternativeName.DNSName=a.example\nSubject.AlternativeName.DNSName=c.example\n"
	    "Subject.AlternativeName.UniformResourceIdentifier=urn:x\n"
	    "Subject.AlternativeName.IPAddress=192.0.2.1\n"
	    "Subject.AlternativeName.IPAddress=2001:db8::1\n" ISSUER },
	{ "alternative names of the issuer",
	    { .serial = "1", .extensions = { { "issuerAltName", "DNS:ca.example" } } },
	    "SerialNumber=1\n" ISSUER "Issuer.AlternativeName.DNSName=ca.example\n" },
	{ "an unreadable alternative name fails the whole",
	    { .serial = "1", .extensions = { { "subjectAltName", "DER:0500" } } }, NULL },
	{ "so does an address of five bytes",
	    { .serial = "1", .extensions = { { "subjectAltName", "DER:30078705c000020100" } } },
	    NULL },
};

START_TEST(the_facts_are_read_from_the_certificate)
{
	struct pki_options options = rows[_i].options;
	const char *facts;

	options.issuer = ca;
	facts = facts_of(&options, false);
	if (rows[_i].facts == NULL)
		ck_assert_msg(facts == NULL, "%s: %s", rows[_i].what, facts);
	else
		ck_assert_msg(facts != NULL && strcmp(facts, rows[_i].facts) == 0, "%s: %s",
		    rows[_i].what, facts != NULL ? facts : "cannot be read");
}
END_TEST

#define COPIES 4

/* More text than most certificates have. */
START_TEST(long_facts_are_read_as_well)
{
	char names[4096], text[1024] = "", expected[4096] = "SerialNumber=1\n";
	int at = 0, end = (int)strlen(expected);
	struct pki_options options = { .serial = "1",
		.extensions = { { "subjectAltName", names } } };
	const char *facts;

	options.issuer = ca;
	memset(text, 'x', (size_t)_i / COPIES);
	for (size_t i = 0; i < COPIES; i++) {
		at += snprintf(names + at, sizeof(names) - (size_t)at, "%sURI:urn:%s",
		    i > 0 ? "," : "", text);
		end += snprintf(expected + end, sizeof(expected) - (size_t)end,
		    "Subject.AlternativeName.UniformResourceIdentifier=urn:%s\n", text);
	}
	snprintf(expected + end, sizeof(expected) - (size_t)end, ISSUER);
	facts = facts_of(&options, false);
	ck_assert_ptr_nonnull(facts);
	ck_assert_str_eq(facts, expected);
}
END_TEST

/* 2026 has no leap day. */
#define YEAR      .not_before = "260101000000Z", .not_after = "270101000000Z"
#define ECDSA(md) "SignatureAlgorithm=ecdsa-with-" md "\n"
#define RSA(md)   "SignatureAlgorithm=" md "WithRSAEncryption\n"
#define DAYS(n)   "ValidityDays=" n "\n"

/* Signed by a CA with P-256. */
static const struct {
	const char *what;
	struct pki_options options;
	bool self_signed;
	const char *facts;
} own[] = {
	{ "P-256", { YEAR }, false, "KeyType=P-256\nKeyBits=256\n" ECDSA("SHA256") DAYS("365") },
	{ "P-384", { YEAR, .key = PKI_P384, .digest = "SHA384" }, true,
	    "KeyType=P-384\nKeyBits=384\n" ECDSA("SHA384") DAYS("365") },
	{ "P-521", { YEAR, .key = PKI_P521, .digest = "SHA512" }, false,
	    "KeyType=P-521\nKeyBits=521\n" ECDSA("SHA512") DAYS("365") },
	{ "Ed25519", { YEAR, .key = PKI_ED25519 }, true,
	    "KeyType=Ed25519\nKeyBits=256\nSignatureAlgorithm=ED25519\n" DAYS("365") },
	{ "Ed448", { YEAR, .key = PKI_ED448 }, true,
	    "KeyType=Ed448\nKeyBits=456\nSignatureAlgorithm=ED448\n" DAYS("365") },
	{ "RSA", { YEAR, .key = PKI_RSA_3072 }, true,
	    "KeyType=RSA\nKeyBits=3072\n" RSA("sha256") DAYS("365") },
	{ "RSA with SHA-1", { YEAR, .key = PKI_RSA_2048, .digest = "SHA1" }, true,
	    "KeyType=RSA\nKeyBits=2048\n" RSA("sha1") DAYS("365") },
	{ "RSA that pads otherwise", { YEAR, .key = PKI_RSA_2048, .pss = true }, true,
	    "KeyType=RSA\nKeyBits=2048\nSignatureAlgorithm=rsassaPss\n" DAYS("365") },
	{ "a key for that alone", { YEAR, .key = PKI_RSA_PSS_2048 }, true,
	    "KeyType=RSA\nKeyBits=2048\nSignatureAlgorithm=rsassaPss\n" DAYS("365") },
	{ "DSA", { YEAR, .key = PKI_DSA_2048 }, true,
	    "KeyType=DSA\nKeyBits=2048\nSignatureAlgorithm=dsa_with_SHA256\n" DAYS("365") },
	{ "another curve", { YEAR, .key = PKI_SECP256K1 }, false,
	    "KeyType=other\nKeyBits=256\n" ECDSA("SHA256") DAYS("365") },
	{ "a curve that imitates P-256", { YEAR, .key = PKI_P256_EXPLICIT }, false,
	    "KeyType=other\nKeyBits=256\n" ECDSA("SHA256") DAYS("365") },
	{ "a key that signs nothing", { YEAR, .key = PKI_X25519 }, false,
	    "KeyType=other\nKeyBits=253\n" ECDSA("SHA256") DAYS("365") },
	{ "a second less than a year",
	    { .not_before = "260101000000Z", .not_after = "261231235959Z" }, false,
	    "KeyType=P-256\nKeyBits=256\n" ECDSA("SHA256") DAYS("364") },
	{ "less than a day", { .not_before = "260101000000Z", .not_after = "260101235959Z" }, false,
	    "KeyType=P-256\nKeyBits=256\n" ECDSA("SHA256") DAYS("0") },
	{ "for ever", { .not_before = "260101000000Z", .not_after = "99991231235959Z" }, false,
	    "KeyType=P-256\nKeyBits=256\n" ECDSA("SHA256") DAYS("2912442") },
	{ "never: the end is a second before the beginning",
	    { .not_before = "260101000000Z", .not_after = "251231235959Z" }, false,
	    "KeyType=P-256\nKeyBits=256\n" ECDSA("SHA256") DAYS("-1") },
};

START_TEST(key_signature_and_validity_are_reported_beyond_the_facts_of_aws)
{
	struct pki_options options = own[_i].options;
	const char *facts;

	options.serial = "1";
	options.issuer = own[_i].self_signed ? NULL : ca;
	facts = facts_of(&options, true);
	ck_assert_msg(facts != NULL && strcmp(facts, own[_i].facts) == 0, "%s: %s", own[_i].what,
	    facts != NULL ? facts : "cannot be read");
}
END_TEST

START_TEST(an_unreadable_time_fails_all_facts)
{
	struct pki_options options = { .serial = "1", .issuer = ca, .not_after = "261301000000Z" };

	ck_assert_ptr_null(facts_of(&options, true));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("x509_facts");
	TCase *t = suite_case(suite, "facts");

	tcase_add_checked_fixture(t, set_up, tear_down);
	for (int length = 900; length < 1100; length += 20)
		tcase_add_loop_test(t, long_facts_are_read_as_well, length, length + 1);
	tcase_add_loop_test(t, the_facts_are_read_from_the_certificate, 0, COUNT_OF(rows));
	tcase_add_loop_test(t, key_signature_and_validity_are_reported_beyond_the_facts_of_aws, 0,
	    COUNT_OF(own));
	tcase_add_test(t, an_unreadable_time_fails_all_facts);
	return suite_run(suite);
}
