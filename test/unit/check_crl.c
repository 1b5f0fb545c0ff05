/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_crl.c - revocation lists are accepted or refused, and read.
 *
 * Each row of a table is a list with one flaw.  Requirements come from RFC 5280 5.  The entries
 * of an accepted list are compared with those that OpenSSL reads.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "jitr/adapter/crl.h"
#include "jitr/core/der.h"
#include "pki_crl.h"
#include "suite.h"

#define NOW 1800000000000 /* 2027-01-15 08:00:00 UTC */
#define DAY INT64_C(86400000)

/* OpenSSL's error queue is empty afterwards, as in check_x509.c. */
#define ck_clean(truth) \
	do { \
		pki_leave_error(); \
		ck_assert_msg((truth), "check failed: %s", #truth); \
		ck_assert_msg(pki_no_errors(), "left an error behind: %s", #truth); \
	} while (0)

static struct pki_cert *ca, *twin, *rsa_ca, *dsa_ca;

/* Large keys are generated once, before check forks. */
static void
make_cas(void)
{
	ca = pki_ca("CA");
	twin = pki_ca("CA");
	rsa_ca = pki_make(
	    &(struct pki_options){ .common_name = "RSA CA", .is_ca = true, .key = PKI_RSA_2048 });
	dsa_ca = pki_make(
	    &(struct pki_options){ .common_name = "DSA CA", .is_ca = true, .key = PKI_DSA_2048 });
	pki_free(pki_make(&(struct pki_options){ .is_ca = true, .key = PKI_RSA_PSS_2048 }));
	pki_free(pki_make(&(struct pki_options){ .is_ca = true, .key = PKI_RSA_1024 }));
}

static void
free_cas(void)
{
	pki_free(ca);
	pki_free(twin);
	pki_free(rsa_ca);
	pki_free(dsa_ca);
}

static struct pki_crl *
make(struct pki_crl_options o)
{
	if (o.issuer == NULL)
		o.issuer = ca;
	o.now = NOW;
	return pki_crl_make(&o);
}

static struct crl_list *
read_as(struct view bytes, const struct pki_cert *issuer)
{
	struct crl_list *l;
	struct diag diag = { "" };
	enum err e;

	pki_leave_error();
	e = crl_read(bytes, &(struct crl_terms){ issuer->x, 0, NOW }, &l, NULL, &diag);
	ck_assert_msg(e == ERR_OK, "%s", diag.text);
	ck_assert_str_eq(diag.text, "");
	ck_assert(pki_no_errors());
	return l;
}

/* Refused with a text that contains words. */
static void
assert_refused(struct view bytes, const struct pki_cert *issuer, const char *what,
    const char *words)
{
	struct crl_list *l = (struct crl_list *)&l; /* to be overwritten */
	struct diag diag = { "" };

	ck_clean(crl_read(bytes, &(struct crl_terms){ issuer->x, 0, NOW }, &l, NULL, &diag) ==
	    ERR_CERTIFICATE);
	ck_assert_ptr_null(l);
	ck_assert_msg(strstr(diag.text, words) != NULL, "%s: %s", what, diag.text);
	ck_assert_msg(strlen(diag.text) < sizeof(diag.text) - 1, "%s: cut: %s", what, diag.text);
	ck_clean(crl_read(bytes, &(struct crl_terms){ issuer->x, 0, NOW }, &l, NULL, NULL) ==
	    ERR_CERTIFICATE);
}

/* Checks the serial number, date and reason of an entry. */
static void
assert_entry(const struct crl_list *l, size_t nth, const char *serial, uint8_t reason)
{
	struct view v;
	struct revoked entry;
	char hex[2 * SERIAL_MAX + 1];

	ck_assert_uint_lt(nth, crl_facts(l)->count);
	crl_entry(l, nth, &v, &entry);
	hex_encode(v, hex);
	ck_assert_str_eq(hex, serial);
	ck_assert_uint_eq(entry.reason, reason);
}

/*
 * Reading.
 */

START_TEST(a_list_is_read_with_its_fields_and_entries)
{
	struct pki_crl *list = make((struct pki_crl_options){ .number = "4711",
	    .entries = { { .serial = "300", .reason = 1 },
		{ .serial = "5", .reason = REVOKED_HOLD },
		{ .serial = "127", .date = "20260601120000Z" } } });
	struct crl_list *l = read_as(list->der, ca);
	const struct crl *facts = crl_facts(l);
	uint8_t digest[32];
	struct view serial;
	struct revoked entry;

	ck_assert_int_eq(facts->this_update, NOW - DAY);
	ck_assert_int_eq(facts->next_update, NOW + 30 * DAY);
	ck_assert_uint_eq(facts->count, 3);
	ck_assert_uint_eq(facts->number_len, 2);
	ck_assert_mem_eq(facts->number, "\x12\x67", 2);
	pki_sha256(list->der, digest);
	ck_assert_mem_eq(facts->digest.b, digest, sizeof(digest));
	ck_assert(facts->list == 0 && facts->imported == 0 && !facts->applied);
	assert_entry(l, 0, "012c", 1);
	assert_entry(l, 1, "05", REVOKED_HOLD);
	assert_entry(l, 2, "7f", 0);
	crl_entry(l, 0, &serial, &entry);
	ck_assert_int_eq(entry.date, NOW - 2 * DAY);
	ck_assert(serial.data > list->der.data && serial.data < list->der.data + list->der.len);
	crl_entry(l, 2, &serial, &entry);
	ck_assert_int_eq(entry.date, 1780315200000);
	crl_entry(l, 3, &serial, &entry); /* there is none */
	ck_assert(serial.len == 0 && entry.date == 0);
	crl_free(l);
	crl_free(NULL);
	pki_crl_free(list);
}
END_TEST

START_TEST(a_list_in_pem_is_read_like_one_in_der)
{
	struct pki_crl *list = make((struct pki_crl_options){ .many = 100 });
	struct crl_list *a = read_as(list->der, ca), *b = read_as(list->pem, ca);

	ck_assert_mem_eq(crl_facts(a), crl_facts(b), sizeof(*crl_facts(a)));
	for (size_t i = 0; i < 100; i++) {
		struct view serial_a, serial_b;
		struct revoked entry_a, entry_b;

		crl_entry(a, i, &serial_a, &entry_a);
		crl_entry(b, i, &serial_b, &entry_b);
		ck_assert(view_equal(serial_a, serial_b));
		ck_assert_int_eq(entry_a.date, entry_b.date);
	}
	crl_free(a);
	crl_free(b);
	pki_crl_free(list);
}
END_TEST

START_TEST(a_list_may_be_empty)
{
	struct pki_crl *list = make((struct pki_crl_options){ .empty = _i });
	struct crl_list *l = read_as(list->der, ca);

	ck_assert_uint_eq(crl_facts(l)->count, 0);
	crl_free(l);
	pki_crl_free(list);
}
END_TEST

static const struct {
	const char *what;
	struct pki_crl_options o;
} accepted[] = {
	{ "the usual", { .many = 3 } },
	{ "version 1", { .version = 1, .many = 3 } },
	{ "version 1, empty", { .version = 1 } },
	{ "version 2 without extensions", { .number = "", .key_id = PKI_KEY_ID_NONE, .many = 3 } },
	{ "no number", { .number = "" } },
	{ "no key id", { .key_id = PKI_KEY_ID_NONE } },
	{ "a key id with name and number",
	    { .key_id = PKI_KEY_ID_NONE,
		.extensions = { { "authorityKeyIdentifier", "keyid,issuer:always" } } } },
	{ "names in other letters, RFC 5280 7.1", { .issuer_name = "  ca " } },
	{ "a critical number",
	    { .number = "", .extensions = { { "2.5.29.20", "critical,DER:020105" } } } },
	{ "an unknown extension", { .extensions = { { "1.2.3.4", "DER:0500" } } } },
	{ "where the changes are", { .extensions = { { "freshestCRL", "URI:http://ca/delta" } } } },
	{ "as many extensions as are looked at", { .extra = 62 } },
	{ "where it is published",
	    { .extensions = { { "issuingDistributionPoint",
		  "critical,DER:3012a010a00e860c687474703a2f2f63612f6f6e" } } } },
	{ "only for users",
	    { .extensions = { { "issuingDistributionPoint", "critical,DER:30038101ff" } } } },
	{ "not indirect, in words",
	    { .extensions = { { "issuingDistributionPoint", "critical,DER:3003840100" } } } },
	{ "of this very moment", { .this_update = "270115080000Z" } },
	{ "until this very moment", { .next_update = "270115080000Z" } },
	{ "for ever", { .next_update = "99991231235959Z" } },
	{ "an entry to come", { .entries = { { .serial = "1", .date = "20300101000000Z" } } } },
};

START_TEST(valid_lists_are_accepted)
{
	struct pki_crl *list = make(accepted[_i].o);
	struct X509_crl_st *oracle = pki_crl_parse(list->der);
	struct crl_list *l;
	struct diag diag = { "" };

	ck_assert_msg(crl_read(list->der, &(struct crl_terms){ ca->x, 0, NOW }, &l, NULL, &diag) ==
		ERR_OK,
	    "%s: %s", accepted[_i].what, diag.text);
	ck_assert_uint_eq(crl_facts(l)->count, pki_crl_count(oracle));
	ck_assert(pki_crl_is_of(oracle, ca));
	pki_crl_parsed_free(oracle);
	crl_free(l);
	pki_crl_free(list);
}
END_TEST

/*
 * Refusals.
 */

static const struct {
	const char *what;
	const char *words;
	struct pki_crl_options o;
} refused[] = {
	{ "version 3", "unknown version", { .version = 2 } },
	{ "a version in two bytes", "unknown version", { .version = 256 } },
	{ "version 1 and an extension", "version 1 and extensions",
	    { .version = 1, .extensions = { { "1.2.3.4", "DER:0500" } } } },
	{ "version 1 and a reason", "version 1 and extensions",
	    { .version = 1, .entries = { { .serial = "1" }, { .serial = "2", .reason = 1 } } } },
	{ "two algorithms", "another one beside the signature",
	    { .digest = "SHA256", .digest_inside = "SHA384" } },
	{ "SHA-1", "ecdsa-with-SHA1; SHA-256, SHA-384", { .digest = "SHA1" } },
	{ "SHA-224", "ecdsa-with-SHA224", { .digest = "SHA224" } },
	{ "another issuer", "issued by \"CN=Other CA\", not by this CA",
	    { .issuer_name = "Other CA" } },
	{ "an empty issuer", "issued by \"CN=\", not by this CA", { .issuer_name = "" } },
	{ "a long issuer", "issued by \"CN=01234567890123456789",
	    { .issuer_name = "0123456789012345678901234567890123456789012345678901234567890123" } },
	{ "another key id", "is not this CA's", { .key_id = PKI_KEY_ID_WRONG } },
	{ "a broken key id", "is not this CA's",
	    { .key_id = PKI_KEY_ID_NONE,
		.extensions = { { "authorityKeyIdentifier", "DER:0401aa" } } } },
	{ "signed by another CA of this name", "not signed with the key",
	    { .key_id = PKI_KEY_ID_NONE } },
	{ "two key ids", "twice: X509v3 Authority Key Identifier",
	    { .extensions = { { "authorityKeyIdentifier", "keyid" } } } },
	{ "two numbers", "twice: X509v3 CRL Number",
	    { .extensions = { { "2.5.29.20", "DER:020105" } } } },
	{ "something unknown twice", "twice: 1.2.3.4",
	    { .extensions = { { "1.2.3.4", "DER:0500" }, { "1.2.3.4", "DER:0500" } } } },
	{ "something unknown and critical", "unrecognised critical extension: 1.2.3.4",
	    { .extensions = { { "1.2.3.4", "critical,DER:0500" } } } },
	{ "too many extensions", "more than 64 are not looked at", { .extra = 63 } },
	{ "very many extensions", "more than 65536 bytes beside", { .extra = 10000 } },
	{ "a delta list", "delta list",
	    { .extensions = { { "deltaCRL", "critical,DER:020101" } } } },
	{ "a delta list that does not insist", "delta list",
	    { .extensions = { { "deltaCRL", "DER:020101" } } } },
	{ "a broken delta list", "delta list", { .extensions = { { "2.5.29.27", "DER:0500" } } } },
	{ "an indirect list", "indirect list",
	    { .extensions = { { "issuingDistributionPoint", "critical,DER:30038401ff" } } } },
	{ "an indirect list, not critical", "indirect list",
	    { .extensions = { { "issuingDistributionPoint", "DER:30038401ff" } } } },
	{ "only CAs", "onlyContainsCACerts",
	    { .extensions = { { "issuingDistributionPoint", "critical,DER:30038201ff" } } } },
	{ "only attribute certificates", "onlyContainsAttributeCerts",
	    { .extensions = { { "issuingDistributionPoint", "critical,DER:30038501ff" } } } },
	{ "only some reasons", "onlySomeReasons",
	    { .extensions = { { "issuingDistributionPoint", "critical,DER:300483020640" } } } },
	{ "a broken scope", "issuingDistributionPoint of the list cannot be read",
	    { .extensions = { { "2.5.29.28", "critical,DER:0500" } } } },
	{ "of the future", "from 2027-01-15 08:00:01.000 UTC (thisUpdate), which is in the future",
	    { .this_update = "270115080001Z" } },
	{ "of no day", "no thisUpdate that can be read", { .this_update = "260230080000Z" } },
	{ "without end", "has no nextUpdate", { .next_update = "" } },
	{ "until no day", "no nextUpdate that can be read", { .next_update = "20270230080000Z" } },
	{ "out of date", "was valid until 2027-01-15 07:59:59.000 UTC (nextUpdate); import",
	    { .next_update = "270115075959Z" } },
	{ "a negative number", "cRLNumber of the list is not a number of 0 to 20 bytes",
	    { .number = "-1" } },
	{ "a number of 21 bytes", "cRLNumber of the list is not a number of 0 to 20 bytes",
	    { .number = "1461501637330902918203684832716283019655932542976" } },
	{ "a broken number", "cRLNumber of the list is not a number of 0 to 20 bytes",
	    { .number = "", .extensions = { { "2.5.29.20", "DER:0500" } } } },
	{ "a number in more bytes than it needs", "cRLNumber of the list",
	    { .number = "", .extensions = { { "2.5.29.20", "DER:02020005" } } } },
	{ "an entry of another issuer", "entry 2 of the list is of a certificate of another issuer",
	    { .entries = { { .serial = "1" },
		  { .serial = "2",
		      .extensions = "30( 06(551d1d) 01(ff) 04( 30( 82('ca') ) ) )" } } } },
	{ "an entry taken off",
	    "entry 1 of the list takes a certificate off a list (removeFromCRL)",
	    { .entries = { { .serial = "1", .reason = 8 } } } },
	{ "an entry with something critical",
	    "entry 1 of the list has an unrecognised critical extension",
	    { .entries = { { .serial = "1",
		  .extensions = "30( 06(2a0304) 01(ff) 04(0500) )" } } } },
	{ "an entry without a date", "entry 1001 of the list is malformed",
	    { .many = 1000, .raw = { (const uint8_t *)"\x30\x03\x02\x01\x05", 5 } } },
	{ "an entry with a longer length than needed", "entry 1 of the list is malformed",
	    { .entries = { { .der = "308112 02(05) 17('261001000000Z')" } } } },
	{ "an entry of 65 bytes", "a serial number longer than 64 bytes",
	    { .entries = { { .der =
				 "30( 02( 44444444444444444444444444444444444444444444444444444444"
				 "444444444444444444444444444444444444444444444444444444444444444444444444444444444444"
				 "444444444444444444 ) 17('261001000000Z') )" } } } },
};

START_TEST(each_flaw_is_refused_with_its_own_text)
{
	struct pki_crl_options o = refused[_i].o;
	struct pki_crl *list;

	if (strcmp(refused[_i].what, "signed by another CA of this name") == 0)
		o.signer = twin;
	list = make(o);
	assert_refused(list->der, ca, refused[_i].what, refused[_i].words);
	assert_refused(list->pem, ca, refused[_i].what, refused[_i].words);
	pki_crl_free(list);
}
END_TEST

/* The other CA has another key, and so another key id. */
START_TEST(lists_of_two_cas_of_one_name_are_distinguished_by_key)
{
	struct pki_crl *list = make((struct pki_crl_options){ .issuer = twin });
	struct crl_list *l = read_as(list->der, twin);

	assert_refused(list->der, ca, "twin", "a CA of the same name");
	crl_free(l);
	pki_crl_free(list);
}
END_TEST

/* RFC 5280 4.2.1.3: without keyUsage a key may do everything. */
START_TEST(the_ca_must_be_allowed_to_sign_lists)
{
	struct pki_cert *all = pki_make(&(struct pki_options){ .common_name = "A", .is_ca = true });
	struct pki_cert *mute = pki_make(&(struct pki_options){ .common_name = "B",
	    .is_ca = true,
	    .extensions = { { "keyUsage", "critical,keyCertSign" } } });
	struct pki_cert *weak = pki_make(
	    &(struct pki_options){ .common_name = "C", .is_ca = true, .key = PKI_RSA_1024 });
	struct pki_crl *of_all = make((struct pki_crl_options){ .issuer = all });
	struct pki_crl *of_mute = make((struct pki_crl_options){ .issuer = mute });
	struct pki_crl *of_weak = make((struct pki_crl_options){ .issuer = weak });

	crl_free(read_as(of_all->der, all));
	assert_refused(of_mute->der, mute, "no cRLSign", "without cRLSign");
	assert_refused(of_weak->der, weak, "weak key", "the key of the CA certificate is too weak");
	pki_crl_free(of_weak);
	pki_crl_free(of_mute);
	pki_crl_free(of_all);
	pki_free(weak);
	pki_free(mute);
	pki_free(all);
}
END_TEST

START_TEST(a_list_is_valid_after_next_update_for_the_time_of_grace)
{
	struct pki_crl *list = make((struct pki_crl_options){ .next_days = -3, .this_days = -9 });
	struct crl_list *l;
	struct diag diag;

	ck_clean(crl_read(list->der, &(struct crl_terms){ ca->x, 3 * DAY, NOW }, &l, NULL, NULL) ==
	    ERR_OK);
	ck_assert_int_eq(crl_facts(l)->next_update, NOW - 3 * DAY);
	crl_free(l);
	ck_clean(crl_read(list->der, &(struct crl_terms){ ca->x, 3 * DAY - 1, NOW }, &l, NULL,
		     &diag) == ERR_CERTIFICATE);
	ck_assert_str_eq(diag.text,
	    "the list was valid until 2027-01-12 08:00:00.000 UTC (nextUpdate), and its grace days are over; import the current one");
	pki_crl_free(list);
}
END_TEST

/*
 * Signatures.
 */

static const struct {
	const char *what;
	bool good;
	enum pki_key key;
	bool pss;
	const char *digest;
	const char *mask_digest;
	int salt_len;
} signatures[] = {
	{ "P-256 with SHA-256", true, PKI_P256, false, "SHA256", NULL, 0 },
	{ "P-256 with SHA-512", true, PKI_P256, false, "SHA512", NULL, 0 },
	{ "P-384 with SHA-384", true, PKI_P384, false, "SHA384", NULL, 0 },
	{ "P-521 with SHA-512", true, PKI_P521, false, "SHA512", NULL, 0 },
	{ "RSA with SHA-256", true, PKI_RSA_2048, false, "SHA256", NULL, 0 },
	{ "RSA with SHA-384", true, PKI_RSA_2048, false, "SHA384", NULL, 0 },
	{ "RSA with SHA-512", true, PKI_RSA_2048, false, "SHA512", NULL, 0 },
	{ "RSA-PSS with SHA-256", true, PKI_RSA_2048, true, "SHA256", NULL, 0 },
	{ "RSA-PSS with SHA-384", true, PKI_RSA_2048, true, "SHA384", NULL, 0 },
	{ "RSA-PSS with SHA-512", true, PKI_RSA_2048, true, "SHA512", NULL, 0 },
	{ "RSA-PSS with two digests", true, PKI_RSA_2048, true, "SHA256", "SHA512", 0 },
	{ "RSA-PSS with the default of its mask, SHA-1", true, PKI_RSA_2048, true, "SHA256", "SHA1",
	    0 },
	{ "RSA-PSS with the default of its salt, 20 bytes", true, PKI_RSA_2048, true, "SHA256",
	    NULL, 20 },
	{ "RSA-PSS with a long salt", true, PKI_RSA_2048, true, "SHA256", NULL, 222 },
	{ "a key for RSA-PSS alone", true, PKI_RSA_PSS_2048, true, "SHA256", NULL, 0 },
	{ "Ed25519", true, PKI_ED25519, false, NULL, NULL, 0 },
	{ "Ed448", true, PKI_ED448, false, NULL, NULL, 0 },
	{ "DSA with SHA-256", true, PKI_DSA_2048, false, "SHA256", NULL, 0 },
	{ "P-256 with SHA3-256", false, PKI_P256, false, "SHA3-256", NULL, 0 },
	{ "RSA with SHA-1", false, PKI_RSA_2048, false, "SHA1", NULL, 0 },
	{ "RSA with MD5", false, PKI_RSA_2048, false, "MD5", NULL, 0 },
	{ "RSA-PSS with all defaults, SHA-1", false, PKI_RSA_2048, true, "SHA1", "SHA1", 20 },
	{ "RSA-PSS with SHA-1", false, PKI_RSA_2048, true, "SHA1", NULL, 0 },
	{ "RSA-PSS with SHA-224", false, PKI_RSA_2048, true, "SHA224", NULL, 0 },
	{ "DSA with SHA-384, not in the list", false, PKI_DSA_2048, false, "SHA384", NULL, 0 },
	{ "P-224", false, PKI_P224, false, "SHA256", NULL, 0 },
	{ "secp256k1", false, PKI_SECP256K1, false, "SHA256", NULL, 0 },
};

/* The algorithms are those for certificates (aws-iot D.6). */
START_TEST(a_signature_must_be_strong_and_made_with_the_ca_key)
{
	struct pki_cert *signer = pki_make(&(struct pki_options){ .common_name = "Signer",
	    .is_ca = true,
	    .key = signatures[_i].key,
	    .pss = signatures[_i].key == PKI_RSA_PSS_2048 });
	struct pki_crl *list = make((struct pki_crl_options){ .issuer = signer,
	    .many = 3,
	    .digest = signatures[_i].digest,
	    .pss = signatures[_i].pss,
	    .mask_digest = signatures[_i].mask_digest,
	    .salt_len = signatures[_i].salt_len });
	struct X509_crl_st *oracle = pki_crl_parse(list->der);
	struct crl_list *l;
	struct diag diag = { "" };
	enum err e = signatures[_i].good ? ERR_OK : ERR_CERTIFICATE;

	ck_assert(!signatures[_i].good || pki_crl_is_of(oracle, signer));
	ck_clean(
	    (crl_read(list->der, &(struct crl_terms){ signer->x, 0, NOW }, &l, NULL, &diag) == e));
	ck_assert_msg((diag.text[0] == '\0') == signatures[_i].good, "%s: %s", signatures[_i].what,
	    diag.text);
	crl_free(l);
	pki_crl_parsed_free(oracle);
	pki_crl_free(list);
	pki_free(signer);
}
END_TEST

START_TEST(a_changed_byte_invalidates_the_signature)
{
	static const uint8_t change[] = { 0x01, 0x20, 0x80, 0xff };
	const struct pki_cert *signer = _i == 0 ? ca : _i == 1 ? rsa_ca : dsa_ca;
	struct pki_crl *list = make((struct pki_crl_options){ .issuer = signer,
	    .pss = _i == 1,
	    .entries = { { .serial = "5", .reason = 1 } } });
	uint8_t der[2048];
	struct crl_list *l;

	ck_assert_uint_le(list->der.len, sizeof(der));
	memcpy(der, list->der.data, list->der.len);
	for (size_t i = 0; i < list->der.len * COUNT_OF(change); i++) {
		size_t at = i / COUNT_OF(change);
		struct diag diag = { "" };

		der[at] ^= change[i % COUNT_OF(change)];
		must(crl_read((struct view){ der, list->der.len },
			 &(struct crl_terms){ signer->x, 0, NOW }, &l, NULL,
			 &diag) == ERR_CERTIFICATE);
		must(l == NULL && diag.text[0] != '\0' && pki_no_errors());
		der[at] = list->der.data[at];
	}
	crl_free(read_as((struct view){ der, list->der.len }, signer));
	pki_crl_free(list);
}
END_TEST

#define ECDSA_SHA256 "30( 06(2a8648ce3d040302) )"
#define RSA_SHA256   "30( 06(2a864886f70d01010b) 0500 )"
#define DSA_SHA256   "30( 06(608648016503040302) )"

static const struct {
	const char *what;
	enum pki_key key;
	const char *algorithm;
	const char *words;
} misnamed[] = {
	{ "ECDSA as RSA", PKI_P256, RSA_SHA256, "not signed with the key" },
	{ "ECDSA as DSA", PKI_P256, DSA_SHA256, "not signed with the key" },
	{ "ECDSA as Ed25519", PKI_P256, "30( 06(2b6570) )", "not signed with the key" },
	{ "RSA as ECDSA", PKI_RSA_2048, ECDSA_SHA256, "not signed with the key" },
	{ "DSA as ECDSA", PKI_DSA_2048, ECDSA_SHA256, "not signed with the key" },
	{ "Ed25519 as Ed448", PKI_ED25519, "30( 06(2b6571) )", "not signed with the key" },
	/* RFC 4055 1.2: a key for RSA-PSS alone. */
	{ "RSA-PSS as RSA", PKI_RSA_PSS_2048, RSA_SHA256, "not signed with the key" },
	{ "RSA-PSS without parameters", PKI_RSA_PSS_2048, "30( 06(2a864886f70d01010a) )",
	    "is not accepted: rsassaPss" },
	{ "RSA-PSS with parameters that are none", PKI_RSA_PSS_2048,
	    "30( 06(2a864886f70d01010a) 0500 )", "is not accepted: rsassaPss" },
	{ "RSA-PSS with all defaults", PKI_RSA_PSS_2048, "30( 06(2a864886f70d01010a) 30() )",
	    "is not accepted: rsassaPss" },
	{ "RSA-PSS with another mask", PKI_RSA_PSS_2048,
	    "30( 06(2a864886f70d01010a) 30( "
	    "a0( 30( 06(608648016503040201) 0500 ) ) a1( 30( 06(2a0304) 30( 06(608648016503040201) ) ) )"
	    "a2( 02(20) ) ) )",
	    "is not accepted: rsassaPss" },
	{ "RSA-PSS with another trailer", PKI_RSA_PSS_2048,
	    "30( 06(2a864886f70d01010a) 30( "
	    "a0( 30( 06(608648016503040201) 0500 ) ) a1( 30( 06(2a864886f70d010108) "
	    "30( 06(608648016503040201) 0500 ) ) ) a2( 02(20) ) a3( 02(02) ) ) )",
	    "is not accepted: rsassaPss" },
	/* RFC 8410 3 */
	{ "Ed25519 with parameters", PKI_ED25519, "30( 06(2b6570) 0500 )",
	    "is not accepted: ED25519" },
	{ "a digest alone", PKI_P256, "30( 06(608648016503040201) )", "is not accepted: sha256" },
	{ "something unknown", PKI_P256, "30( 06(2a0304) )", "is not accepted: undefined" },
};

/* The signature is valid, but the algorithm identifier names another algorithm. */
START_TEST(an_unsupported_algorithm_is_reported_by_name)
{
	struct pki_cert *signer = pki_make(&(struct pki_options){ .common_name = "Signer",
	    .is_ca = true,
	    .key = misnamed[_i].key,
	    .pss = misnamed[_i].key == PKI_RSA_PSS_2048 });
	struct pki_crl *list = make((struct pki_crl_options){ .issuer = signer,
	    .pss = misnamed[_i].key == PKI_RSA_PSS_2048,
	    .algorithm = misnamed[_i].algorithm });

	assert_refused(list->der, signer, misnamed[_i].what, misnamed[_i].words);
	pki_crl_free(list);
	pki_free(signer);
}
END_TEST

/*
 * Encoding.
 */

START_TEST(a_truncated_list_is_refused)
{
	struct pki_crl *list = make((struct pki_crl_options){ .many = 3 });

	for (size_t len = 0; len < list->der.len; len++) {
		/* a sanitizer sees a read behind it */
		uint8_t *part = malloc(len + 1);
		struct diag diag = { "" };
		struct crl_list *l;

		memcpy(part, list->der.data, len);
		ck_clean(crl_read((struct view){ part, len }, &(struct crl_terms){ ca->x, 0, NOW },
			     &l, NULL, &diag) == ERR_CERTIFICATE);
		ck_assert(l == NULL && diag.text[0] != '\0');
		free(part);
	}
	pki_crl_free(list);
}
END_TEST

START_TEST(bytes_after_the_list_are_refused)
{
	struct pki_crl *list = make((struct pki_crl_options){ .many = 3 });
	uint8_t der[4096];
	size_t len = list->der.len;

	memcpy(der, list->der.data, len);
	memcpy(der + len, list->der.data, len);
	assert_refused((struct view){ der, len + 1 }, ca, "a byte",
	    "there are 1 bytes after the list");
	assert_refused((struct view){ der, 2 * len }, ca, "twice", "bytes after the list");
	assert_refused((struct view){ der, len - 1 }, ca, "cut", "was cut short");
	assert_refused(ca->der, ca, "a certificate", "not a certificate revocation list");
	pki_crl_free(list);
}
END_TEST

/* The digest is of the DER, so a list must have one encoding only. */
START_TEST(a_non_minimal_length_is_refused)
{
	struct pki_crl *list = make((struct pki_crl_options){ .many = 3 });
	uint8_t ber[2048] = { 0x30, 0x83, 0x00 };
	struct view in = { ber, list->der.len + 1 };
	struct X509_crl_st *oracle;

	ck_assert_uint_eq(list->der.data[1], 0x82);
	memcpy(ber + 3, list->der.data + 2, list->der.len - 2);
	oracle = pki_crl_parse(in);
	ck_assert_ptr_nonnull(oracle);
	ck_assert(pki_crl_is_of(oracle, ca));
	assert_refused(in, ca, "longer", "not encoded in DER");
	pki_crl_parsed_free(oracle);
	pki_crl_free(list);
}
END_TEST

/* In the patterns @ stands for the PEM of a list, # for the lines between its
 * first and last, ! for a private key. */
static const struct {
	const char *what;
	const char *pattern;
	const char *words; /* NULL: accepted */
} pems[] = {
	{ "a list", "@", NULL },
	{ "text around it", "Certificate Revocation List (CRL):\n@ that was it\n", NULL },
	{ "text that begins like DER", "0\x7f\n@", NULL },
	{ "byte order mark", "\xEF\xBB\xBF@", NULL },
	{ "CRLF", "-----BEGIN X509 CRL-----\r\n#-----END X509 CRL-----\r\n", NULL },
	{ "nothing", "", "the PEM is empty" },
	{ "no PEM", "hello", "there is no line \"-----BEGIN X509 CRL-----\"" },
	{ "two lists", "@@", "more than one PEM block; send one list" },
	{ "a private key", "@!", "private key" },
	{ "a certificate", "-----BEGIN CERTIFICATE-----\n#-----END CERTIFICATE-----\n",
	    "does not begin with a line \"-----BEGIN X509 CRL-----\"" },
	{ "an unusual label, RFC 7468 6", "-----BEGIN CRL-----\n#-----END CRL-----\n",
	    "does not begin with a line" },
	{ "another last line", "-----BEGIN X509 CRL-----\n#-----END CERTIFICATE-----\n",
	    "does not end with a line \"-----END X509 CRL-----\"" },
	{ "not base64", "-----BEGIN X509 CRL-----\n*#-----END X509 CRL-----\n", "base64" },
	{ "nothing inside", "-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n", "cut short" },
	{ "no list inside", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
	    "cut short, or is not encoded in DER" },
	{ "twice inside", "-----BEGIN X509 CRL-----\n##-----END X509 CRL-----\n", "" },
};

START_TEST(a_pem_file_must_have_exactly_one_list)
{
	struct pki_crl *list = make((struct pki_crl_options){ .many = 3 });
	char *text = malloc(16384);
	struct view pem = { (uint8_t *)text, pki_fill_in(text, pems[_i].pattern, list->pem, ca) };

	if (pems[_i].words == NULL)
		crl_free(read_as(pem, ca));
	else
		assert_refused(pem, ca, pems[_i].what, pems[_i].words);
	free(text);
	pki_crl_free(list);
}
END_TEST

/* The view is longer than its memory: only the first byte may be read. */
START_TEST(an_oversized_list_is_refused_unread)
{
	uint8_t der[] = { 0x30, 0x84, 0x08, 0x00, 0x00, 0x00 };
	struct diag diag;
	struct crl_list *l;

	ck_clean(crl_read((struct view){ der, CRL_DER_MAX + 1 },
		     &(struct crl_terms){ ca->x, 0, NOW }, &l, NULL, &diag) == ERR_CERTIFICATE);
	ck_assert_str_eq(diag.text, "a list has at most 134217728 bytes, this has 134217729");
	der[0] = '-';
	ck_clean(crl_read((struct view){ der, CRL_PEM_MAX + 1 },
		     &(struct crl_terms){ ca->x, 0, NOW }, &l, NULL, &diag) == ERR_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(diag.text, "the PEM is longer than"));
}
END_TEST

/* Lines of 64 characters that end with CR and LF. */
START_TEST(the_largest_list_fits_into_the_largest_pem)
{
	size_t lines = (CRL_DER_MAX + 47) / 48;

	ck_assert_uint_ge(CRL_PEM_MAX, lines * 66 + 60);
}
END_TEST

/*
 * Numbers.
 */

static const struct {
	const char *decimal, *hex;
} numbers[] = {
	{ "", "" },
	{ "0", "00" }, /* distinct from no number */
	{ "1", "01" },
	{ "127", "7f" },
	{ "128", "80" }, /* in DER 0080 */
	{ "65536", "010000" },
	{ "1461501637330902918203684832716283019655932542975",
	    "ffffffffffffffffffffffffffffffffffffffff" },
};

START_TEST(a_crl_number_has_no_leading_zeros)
{
	struct pki_crl *list = make((struct pki_crl_options){ .number = numbers[_i].decimal });
	struct crl_list *l = read_as(list->der, ca);
	char hex[2 * CRL_NUMBER_MAX + 1];

	hex_encode((struct view){ crl_facts(l)->number, crl_facts(l)->number_len }, hex);
	ck_assert_str_eq(hex, numbers[_i].hex);
	crl_free(l);
	pki_crl_free(list);
}
END_TEST

#define NUMBERED(len, bytes, day, id) \
	{ \
		.number_len = len, .number = bytes, .this_update = NOW + (day)*DAY, \
		.digest = { { id } }, .scope = CRL_SCOPE_ALL \
	}

/* Published at "http://<character>". */
#define PLACED(number_byte, day, id, character) \
	{ \
		.number_len = 1, .number = { number_byte }, .this_update = NOW + (day)*DAY, \
		.digest = { { id } }, .scope = CRL_SCOPE_POINT, .point_len = 12, .point = { \
			0xa0, \
			10, \
			0x86, \
			8, \
			'h', \
			't', \
			't', \
			'p', \
			':', \
			'/', \
			'/', \
			character \
		} \
	}

/* Imported by a version that did not read the scope. */
#define UNLOOKED(number_byte, id) \
	{ \
		.number_len = 1, .number = { number_byte }, .this_update = NOW, .digest = { \
			{ id } \
		} \
	}

static const struct {
	const char *what;
	enum err e;
	const char *words;
	struct crl next, present;
} successions[] = {
	{ "the same", ERR_EXISTS, "", NUMBERED(1, "\5", 0, 1), NUMBERED(1, "\5", 0, 1) },
	{ "the same, without a number", ERR_EXISTS, "", NUMBERED(0, "", 0, 1),
	    NUMBERED(0, "", 0, 1) },
	{ "the next", ERR_OK, "", NUMBERED(1, "\6", 1, 2), NUMBERED(1, "\5", 0, 1) },
	{ "a number of more bytes", ERR_OK, "", NUMBERED(2, "\1\0", 1, 2),
	    NUMBERED(1, "\xff", 0, 1) },
	{ "the one after none", ERR_OK, "", NUMBERED(1, "\1", 1, 2), NUMBERED(1, "\0", 0, 1) },
	{ "a greater number of the same day", ERR_OK, "", NUMBERED(1, "\6", 0, 2),
	    NUMBERED(1, "\5", 0, 1) },
	{ "a lower number", ERR_CERTIFICATE, "its cRLNumber is 0x05, that one has 0x0100",
	    NUMBERED(1, "\5", 1, 2), NUMBERED(2, "\1\0", 0, 1) },
	{ "the same number of another list", ERR_CERTIFICATE,
	    "another list with the same number (cRLNumber 0x05) is in force",
	    NUMBERED(1, "\5", 1, 2), NUMBERED(1, "\5", 0, 1) },
	{ "no number any more", ERR_CERTIFICATE, "no cRLNumber, the one in force has 0x05",
	    NUMBERED(0, "", 1, 2), NUMBERED(1, "\5", 0, 1) },
	{ "a number at last", ERR_OK, "", NUMBERED(1, "\5", 1, 2), NUMBERED(0, "", 0, 1) },
	{ "number 0 at last", ERR_OK, "", NUMBERED(1, "\0", 1, 2), NUMBERED(0, "", 0, 1) },
	{ "a number, but older", ERR_CERTIFICATE, "its thisUpdate is 2027-01-15 08:00:00",
	    NUMBERED(1, "\5", 0, 2), NUMBERED(0, "", 1, 1) },
	{ "later", ERR_OK, "", NUMBERED(0, "", 1, 2), NUMBERED(0, "", 0, 1) },
	{ "of the same time, but another", ERR_OK, "", NUMBERED(0, "", 0, 2),
	    NUMBERED(0, "", 0, 1) },
	{ "earlier", ERR_CERTIFICATE,
	    "older than the one in force: its thisUpdate is "
	    "2027-01-15 08:00:00.000 UTC, that one has 2027-01-16 08:00:00.000 UTC",
	    NUMBERED(0, "", 0, 2), NUMBERED(0, "", 1, 1) },
	{ "the next of the same place", ERR_OK, "", PLACED(6, 1, 2, 'a'), PLACED(5, 0, 1, 'a') },
	{ "an older one of the same place", ERR_CERTIFICATE, "older", PLACED(5, 0, 2, 'a'),
	    PLACED(6, 1, 1, 'a') },
	{ "the next of another place", ERR_CERTIFICATE,
	    "for the distribution point http://a, the one in force for http://b",
	    PLACED(6, 1, 2, 'a'), PLACED(5, 0, 1, 'b') },
	{ "one of a place after one for all", ERR_CERTIFICATE, "the CA has a list for all in force",
	    PLACED(6, 1, 2, 'a'), NUMBERED(1, "\5", 0, 1) },
	{ "one for all after one of a place, numbered apart", ERR_OK, "", NUMBERED(1, "\5", 1, 2),
	    PLACED(6, 0, 1, 'a') },
	{ "an older one for all after one of a place", ERR_CERTIFICATE, "older",
	    NUMBERED(1, "\7", 0, 2), PLACED(6, 1, 1, 'a') },
	{ "the same, imported without reading its scope", ERR_OK, "", PLACED(5, 0, 1, 'a'),
	    UNLOOKED(5, 1) },
	{ "the next after one imported without reading its scope", ERR_OK, "", PLACED(6, 1, 2, 'a'),
	    UNLOOKED(5, 1) },
};

/* RFC 5280 5.2.3; an old list must not bring back what was revoked since. */
START_TEST(a_list_replaces_only_an_older_one)
{
	struct diag diag = { "" };

	ck_clean(crl_succeeds(&successions[_i].next, &successions[_i].present, &diag) ==
	    successions[_i].e);
	ck_assert_msg((diag.text[0] == '\0') == (successions[_i].e != ERR_CERTIFICATE) &&
		strstr(diag.text, successions[_i].words) != NULL,
	    "%s: %s", successions[_i].what, diag.text);
	ck_clean(crl_succeeds(&successions[_i].next, &successions[_i].present, NULL) ==
	    successions[_i].e);
}
END_TEST

/*
 * Order.
 */

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Few different bytes, so that many numbers share a beginning. Without leading zeros, as in DER. */
static size_t
random_serial(uint32_t *state, uint8_t serial[SERIAL_MAX])
{
	static const uint8_t bytes[] = { 0x00, 0x00, 0x00, 0x01, 0xff };
	size_t len = 1 + next_random(state) % SERIAL_MAX;

	if (next_random(state) % 2 == 0)
		len = 1 + len % 12;
	for (size_t i = 0; i < len; i++)
		serial[i] = bytes[next_random(state) % (i < 40 ? 3 : COUNT_OF(bytes))];
	serial[0] = (uint8_t)(1 + next_random(state) % 2);
	if (len > 1)
		serial[len - 1] = bytes[next_random(state) % COUNT_OF(bytes)];
	return len;
}

static size_t
put_entry(uint8_t *out, const uint8_t *serial, size_t len)
{
	out[0] = 0x30;
	out[1] = (uint8_t)(2 + len + 15);
	out[2] = 0x02;
	out[3] = (uint8_t)len;
	memcpy(out + 4, serial, len);
	memcpy(out + 4 + len,
	    "\x17\x0d"
	    "261001000000Z",
	    15);
	return 4 + len + 15;
}

static int
serial_order(struct view a, struct view b)
{
	size_t both = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.data, b.data, both);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static bool
is_listed(const struct crl_list *l, struct view serial)
{
	size_t from = 0, to = crl_facts(l)->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		struct view found;
		struct revoked entry;
		int order;

		crl_entry(l, middle, &found, &entry);
		order = serial_order(serial, found);
		if (order == 0)
			return true;
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return false;
}

static void
assert_sorted(const struct crl_list *l)
{
	struct view before = { NULL, 0 }, serial;
	struct revoked entry;

	for (size_t i = 0; i < crl_facts(l)->count; i++) {
		crl_entry(l, i, &serial, &entry);
		must(serial.len > 0 && (i == 0 || serial_order(before, serial) < 0));
		before = serial;
	}
}

#define ENTRIES 2000

/* Order of the registry's keys: by bytes, a prefix first. */
START_TEST(entries_are_sorted_without_duplicates)
{
	static uint8_t raw[ENTRIES * 83], serials[ENTRIES][SERIAL_MAX];
	size_t lengths[ENTRIES], len = 0;
	uint32_t state = (uint32_t)_i;
	struct pki_crl *list;
	struct crl_list *l;

	for (size_t i = 0; i < ENTRIES; i++) {
		lengths[i] = random_serial(&state, serials[i]);
		len += put_entry(raw + len, serials[i], lengths[i]);
	}
	list = make((struct pki_crl_options){ .raw = { raw, len } });
	l = read_as(list->der, ca);
	assert_sorted(l);
	ck_assert_uint_lt(crl_facts(l)->count, ENTRIES);
	for (size_t i = 0; i < ENTRIES; i++)
		must(is_listed(l, (struct view){ serials[i], lengths[i] }));
	crl_free(l);
	pki_crl_free(list);
}
END_TEST

static const struct {
	const char *what;
	int reasons[4];
	uint8_t kept;
} doubles[] = {
	{ "the same", { 1, 1 }, 1 },
	{ "two final ones: the first", { 1, 4 }, 1 },
	{ "on hold, then final", { REVOKED_HOLD, 4 }, 4 },
	{ "final, then on hold", { 4, REVOKED_HOLD }, 4 },
	{ "on hold twice", { REVOKED_HOLD, REVOKED_HOLD }, REVOKED_HOLD },
	{ "final among holds", { REVOKED_HOLD, REVOKED_HOLD, 3, REVOKED_HOLD }, 3 },
	{ "the first final one", { REVOKED_HOLD, 5, 1, REVOKED_HOLD }, 5 },
};

/* A hold may end: of two entries about one certificate the permanent one is used. */
START_TEST(of_duplicate_entries_one_is_kept)
{
	struct pki_crl_options o = { .entries = { { .serial = "3" }, { .serial = "9" } } };
	struct pki_crl *list;
	struct crl_list *l;

	for (size_t i = 0; i < 4 && doubles[_i].reasons[i] != 0; i++)
		o.entries[2 + i] = (struct pki_revoked){ .serial = "5",
			.reason = doubles[_i].reasons[i] };
	list = make(o);
	l = read_as(list->der, ca);
	ck_assert_uint_eq(crl_facts(l)->count, 3);
	assert_entry(l, 0, "03", 0);
	assert_entry(l, 1, "05", doubles[_i].kept);
	assert_entry(l, 2, "09", 0);
	crl_free(l);
	pki_crl_free(list);
}
END_TEST

/*
 * Comparison with OpenSSL.
 */

static void
assert_agrees(const struct crl_list *l, struct X509_crl_st *oracle)
{
	ck_assert_uint_eq(crl_facts(l)->count, pki_crl_count(oracle));
	for (size_t i = 0; i < crl_facts(l)->count; i++) {
		struct view serial;
		struct revoked entry;
		int64_t date;
		int reason;

		crl_entry(l, i, &serial, &entry);
		must(pki_crl_lists(oracle, serial, &date, &reason));
		must(entry.date == date && entry.reason == (reason < 0 ? 0 : reason));
	}
}

START_TEST(openssl_finds_the_same_entries)
{
	struct pki_crl *list = make((struct pki_crl_options){ .many = 100000,
	    .entries = { { .serial = "0" }, { .serial = "-5", .reason = 1 },
		{ .serial = "128", .reason = REVOKED_HOLD, .date = "20200229235959Z" },
		{ .serial = "1461501637330902918203684832716283019655932542975", .reason = 10 },
		{ .cert = rsa_ca, .reason = 9 } } });
	struct X509_crl_st *oracle = pki_crl_parse(list->der);
	struct crl_list *l = read_as(list->der, ca);
	uint8_t serial[PKI_SERIAL_SIZE];
	int64_t date;
	int reason;

	ck_assert(pki_crl_is_of(oracle, ca));
	assert_sorted(l);
	assert_agrees(l, oracle);
	pki_serial(100000, serial); /* the first serial number that is not on the list */
	ck_assert(!is_listed(l, (struct view){ serial, sizeof(serial) }));
	ck_assert(!pki_crl_lists(oracle, (struct view){ serial, sizeof(serial) }, &date, &reason));
	crl_free(l);
	pki_crl_parsed_free(oracle);
	pki_crl_free(list);
}
END_TEST

/* A certificate is found by the bytes that der_certificate_serial() reads. */
START_TEST(a_revoked_certificate_is_on_the_list)
{
	struct pki_cert *device = pki_device(ca, "device"), *other = pki_device(ca, "other");
	struct pki_crl *list = pki_crl(ca, device);
	struct crl_list *l;

	ck_assert(crl_read(list->der, &(struct crl_terms){ ca->x, 0, INT64_MAX / 2 }, &l, NULL,
		      NULL) == ERR_CERTIFICATE);
	pki_crl_free(list);
	list = make((struct pki_crl_options){ .many = 500, .entries = { { .cert = device } } });
	l = read_as(list->der, ca);
	ck_assert(is_listed(l, der_certificate_serial(device->der)));
	ck_assert(!is_listed(l, der_certificate_serial(other->der)));
	crl_free(l);
	pki_crl_free(list);
	pki_free(device);
	pki_free(other);
}
END_TEST

/* A bounded number with a fixed seed; fuzz_crl has no bound.  The changed list is signed again,
 * because nothing behind an invalid signature is read. */
START_TEST(random_changes_are_read_safely)
{
	struct pki_cert *quick = pki_make(
	    &(struct pki_options){ .common_name = "CA", .is_ca = true, .key = PKI_ED25519 });
	struct pki_crl *list = make((struct pki_crl_options){ .issuer = quick,
	    .many = 2,
	    .entries = { { .serial = "5", .reason = 1 },
		{ .serial = "6", .extensions = "30( 06(2a0304) 01(00) 04(0500) )" } },
	    .extensions = { { "issuingDistributionPoint", "critical,DER:30038101ff" } } });
	struct view tbs = { list->der.data + 4, list->der.len - 4 - 7 - 67 };
	uint8_t changed[1024];
	uint32_t state = (uint32_t)_i;
	unsigned taken = 0;

	for (int round = 0; round < 2000; round++) {
		struct X509_crl_st *oracle;
		struct pki_crl *again;
		struct crl_list *l;
		struct diag diag = { "" };

		memcpy(changed, tbs.data, tbs.len);
		for (uint32_t n = 1 + next_random(&state) % 3; n > 0; n--)
			changed[next_random(&state) % tbs.len] = (uint8_t)next_random(&state);
		again = pki_crl_sign(quick, (struct view){ changed, tbs.len });
		if (crl_read(again->der, &(struct crl_terms){ quick->x, 0, NOW }, &l, NULL,
			&diag) == ERR_OK) {
			oracle = pki_crl_parse(again->der);
			must(oracle != NULL && pki_crl_is_of(oracle, quick));
			assert_sorted(l);
			taken++;
			pki_crl_parsed_free(oracle);
		} else {
			must(l == NULL && diag.text[0] != '\0');
		}
		must(pki_no_errors());
		crl_free(l);
		pki_crl_free(again);
	}
	ck_assert_uint_gt(taken, 100);
	pki_crl_free(list);
	pki_free(quick);
}
END_TEST

/*
 * Lists of the openssl command.
 */

static void
write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static struct view
read_file(const char *folder, const char *name)
{
	char path[256];
	uint8_t *data = malloc(65536);
	FILE *f;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	ck_assert(f != NULL && data != NULL);
	len = fread(data, 1, 65536, f);
	fclose(f);
	return (struct view){ data, len };
}

#define DATABASE \
	"R\t20501231000000Z\t261001000000Z\t05\tunknown\t/CN=one\n" \
	"V\t20501231000000Z\t\t06\tunknown\t/CN=two\n" \
	"R\t20501231000000Z\t261002000000Z\t0100\tunknown\t/CN=three\n"

static const struct {
	const char *what;
	const char *config;
	const char *database; /* more of it */
	const char *number;   /* as crl.h has it */
	uint32_t count;
} command_lines[] = {
	{ "numbered", "crlnumber = number\ncrl_extensions = more\n", "", "1a", 2 },
	{ "without a number: version 1", "", "", "", 2 },
	{ "without a number but with reasons", "",
	    "R\t20501231000000Z\t261003000000Z,keyCompromise\t07\tunknown\t/CN=four\n", "", 3 },
};

START_TEST(a_list_made_by_the_openssl_command_is_read)
{
	char folder[] = "/tmp/check_crl.XXXXXX", command[512], text[1024], number[41];
	char *key = pki_key_pem(ca);
	struct view pem;
	struct crl_list *l;
	struct diag diag = { "" };

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(text, sizeof(text),
	    "[ca]\ndefault_ca = this\n[this]\ndatabase = index\n%s"
	    "default_md = sha256\n[more]\nauthorityKeyIdentifier = keyid\n",
	    command_lines[_i].config);
	write_file(folder, "config", text);
	snprintf(text, sizeof(text), "%s%s", DATABASE, command_lines[_i].database);
	write_file(folder, "index", text);
	write_file(folder, "number", "1A\n");
	write_file(folder, "ca.pem", (const char *)ca->pem.data);
	write_file(folder, "ca.key", key);
	snprintf(command, sizeof(command),
	    "cd %s && openssl ca -config config -gencrl -crldays 30 "
	    "-cert ca.pem -keyfile ca.key -out list.pem 2>log || { cat log; false; }",
	    folder);
	ck_assert_int_eq(system(command), 0);
	pem = read_file(folder, "list.pem");
	ck_assert_msg(crl_read(pem, &(struct crl_terms){ ca->x, 0, (int64_t)time(NULL) * 1000 }, &l,
			  NULL, &diag) == ERR_OK,
	    "%s: %s", command_lines[_i].what, diag.text);
	hex_encode((struct view){ crl_facts(l)->number, crl_facts(l)->number_len }, number);
	ck_assert_str_eq(number, command_lines[_i].number);
	ck_assert_uint_eq(crl_facts(l)->count, command_lines[_i].count);
	assert_entry(l, 0, "0100", 0);
	assert_entry(l, 1, "05", 0);
	if (command_lines[_i].count > 2)
		assert_entry(l, 2, "07", 1);
	crl_free(l);
	free((void *)(uintptr_t)pem.data);
	free(key);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

static void
add_reading(Suite *suite)
{
	TCase *t = suite_case(suite, "reading");

	tcase_add_unchecked_fixture(t, make_cas, free_cas);
	tcase_add_test(t, a_list_is_read_with_its_fields_and_entries);
	tcase_add_test(t, a_list_in_pem_is_read_like_one_in_der);
	tcase_add_loop_test(t, a_list_may_be_empty, 0, 2);
	tcase_add_loop_test(t, valid_lists_are_accepted, 0, COUNT_OF(accepted));
	tcase_add_loop_test(t, each_flaw_is_refused_with_its_own_text, 0, COUNT_OF(refused));
	tcase_add_test(t, lists_of_two_cas_of_one_name_are_distinguished_by_key);
	tcase_add_test(t, the_ca_must_be_allowed_to_sign_lists);
	tcase_add_test(t, a_list_is_valid_after_next_update_for_the_time_of_grace);
	tcase_add_loop_test(t, a_signature_must_be_strong_and_made_with_the_ca_key, 0,
	    COUNT_OF(signatures));
	tcase_add_loop_test(t, a_changed_byte_invalidates_the_signature, 0, 3);
	tcase_add_loop_test(t, an_unsupported_algorithm_is_reported_by_name, 0, COUNT_OF(misnamed));
}

static void
add_form(Suite *suite)
{
	TCase *t = suite_case(suite, "form");

	tcase_add_unchecked_fixture(t, make_cas, free_cas);
	tcase_add_test(t, a_truncated_list_is_refused);
	tcase_add_test(t, bytes_after_the_list_are_refused);
	tcase_add_test(t, a_non_minimal_length_is_refused);
	tcase_add_loop_test(t, a_pem_file_must_have_exactly_one_list, 0, COUNT_OF(pems));
	tcase_add_test(t, an_oversized_list_is_refused_unread);
	tcase_add_test(t, the_largest_list_fits_into_the_largest_pem);
	tcase_add_loop_test(t, random_changes_are_read_safely, 0, 4);
}

static void
add_order(Suite *suite)
{
	TCase *t = suite_case(suite, "order");

	tcase_add_unchecked_fixture(t, make_cas, free_cas);
	tcase_add_loop_test(t, a_crl_number_has_no_leading_zeros, 0, COUNT_OF(numbers));
	tcase_add_loop_test(t, a_list_replaces_only_an_older_one, 0, COUNT_OF(successions));
	tcase_add_loop_test(t, entries_are_sorted_without_duplicates, 0, 10);
	tcase_add_loop_test(t, of_duplicate_entries_one_is_kept, 0, COUNT_OF(doubles));
	tcase_add_test(t, openssl_finds_the_same_entries);
	tcase_add_test(t, a_revoked_certificate_is_on_the_list);
	tcase_add_loop_test(t, a_list_made_by_the_openssl_command_is_read, 0,
	    COUNT_OF(command_lines));
}

int
main(void)
{
	Suite *suite = suite_create("crl");

	add_reading(suite);
	add_form(suite);
	add_order(suite);
	return suite_run(suite);
}
