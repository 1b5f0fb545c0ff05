/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_codec.c - the bytes of the registry.
 *
 * What was written comes back, one way only leads there, and no bytes
 * whatever do harm (codec.h).  The examples are those of doc/storage.md.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/codec.h"

#define NOW 1502379443476 /* 2017-08-10 15:37:23.476 UTC */

/* A record of any kind, so that one table drives all tests. */
struct record {
	union {
		struct ca            ca;
		struct cert          cert;
		struct ca_document   ca_document;
		struct cert_document cert_document;
		struct view          message[2];
	} as;
};

struct kind {
	const char *name;
	size_t (*put)(const struct record *r, uint8_t *out); /* out may be NULL: how long? */
	enum err (*get)(struct view in, struct record *r);
};

static size_t
put_ca(const struct record *r, uint8_t *out)
{
	uint8_t bytes[CODEC_CA_MAX];
	size_t len = codec_put_ca(&r->as.ca, bytes);

	if (out != NULL)
		memcpy(out, bytes, len);
	return len;
}

static enum err
get_ca(struct view in, struct record *r)
{
	return codec_get_ca(in, &r->as.ca);
}

static size_t
put_cert(const struct record *r, uint8_t *out)
{
	uint8_t bytes[CODEC_CERT_MAX];
	size_t len = codec_put_cert(&r->as.cert, bytes);

	if (out != NULL)
		memcpy(out, bytes, len);
	return len;
}

static enum err
get_cert(struct view in, struct record *r)
{
	return codec_get_cert(in, &r->as.cert);
}

static size_t
put_ca_document(const struct record *r, uint8_t *out)
{
	if (out != NULL)
		codec_put_ca_document(&r->as.ca_document, out);
	return codec_ca_document_size(&r->as.ca_document);
}

static enum err
get_ca_document(struct view in, struct record *r)
{
	return codec_get_ca_document(in, &r->as.ca_document);
}

static size_t
put_cert_document(const struct record *r, uint8_t *out)
{
	if (out != NULL)
		codec_put_cert_document(&r->as.cert_document, out);
	return codec_cert_document_size(&r->as.cert_document);
}

static enum err
get_cert_document(struct view in, struct record *r)
{
	return codec_get_cert_document(in, &r->as.cert_document);
}

static size_t
put_message(const struct record *r, uint8_t *out)
{
	if (out != NULL)
		codec_put_message(r->as.message[0], r->as.message[1], out);
	return codec_message_size(r->as.message[0], r->as.message[1]);
}

static enum err
get_message(struct view in, struct record *r)
{
	return codec_get_message(in, &r->as.message[0], &r->as.message[1]);
}

static const struct kind kinds[] = {
	{ "ca", put_ca, get_ca },
	{ "cert", put_cert, get_cert },
	{ "ca_document", put_ca_document, get_ca_document },
	{ "cert_document", put_cert_document, get_cert_document },
	{ "message", put_message, get_message },
};

enum {
	KIND_CA,
	KIND_CERT,
	KIND_CA_DOCUMENT,
	KIND_CERT_DOCUMENT,
	KIND_MESSAGE,
};

static const uint8_t key_id[64] = { 0xfb, 0x19, 0x68, 0xed };

static struct record
ca_record(size_t key_id_len)
{
	struct record r = { .as.ca = { .status = CA_ACTIVE, .mode = MODE_DEFAULT,
		.auto_registration = true, .not_before = -1, .not_after = INT64_MAX,
		.created = NOW, .modified = NOW + 1, .version = UINT32_MAX,
		.generation = { { 1, 2, 3 } }, .subject_hash = 0x1a2b3c4d,
		.key_id = { key_id, key_id_len } } };

	return r;
}

static struct record
cert_record(bool has_ca)
{
	struct record r = { .as.cert = { .has_ca = has_ca, .status = CERT_PENDING_ACTIVATION,
		.mode = MODE_DEFAULT, .not_before = INT64_MIN, .not_after = NOW + 5,
		.created = 0, .modified = NOW, .announced = NOW + 3, .version = 7,
		.generation = { { 4, 5, 6 } } } };

	if (has_ca)
		memset(r.as.cert.ca_id.b, 0xca, sizeof(r.as.cert.ca_id.b));
	return r;
}

static struct record
ca_document_record(void)
{
	struct record r = { .as.ca_document = { .der = view_of("0\x82"),
		.pem = view_of("-----BEGIN"), .template_body = view_of("{\"Parameters\":{}}"),
		.tags = view_of("[]") } };

	return r;
}

/* One row for each shape that a record can have. */
static struct row {
	const char   *what;
	unsigned      kind;
	struct record record;
} rows[11];

static void
fill_rows(void)
{
	static const uint8_t zeros[70000];
	struct record empty, long_text, message;
	size_t n = 0;

	memset(&empty, 0, sizeof(empty));
	long_text = message = empty;
	long_text.as.cert_document.der = (struct view){ zeros, sizeof(zeros) };
	message.as.message[0] = view_of("$aws/events/certificates/registered/ca");
	message.as.message[1] = view_of("{}");
#define ROW(...) rows[n++] = (struct row){ __VA_ARGS__ }
	ROW("a CA with everything", KIND_CA, ca_record(20));
	ROW("a CA without key id", KIND_CA, ca_record(0));
	ROW("a CA with the longest key id", KIND_CA, ca_record(64));
	ROW("an empty CA", KIND_CA, empty);
	ROW("a certificate under a CA", KIND_CERT, cert_record(true));
	ROW("a certificate without CA", KIND_CERT, cert_record(false));
	ROW("a document with some texts", KIND_CA_DOCUMENT, ca_document_record());
	ROW("a CA document without texts", KIND_CA_DOCUMENT, empty);
	ROW("a long text", KIND_CERT_DOCUMENT, long_text);
	ROW("a document without texts", KIND_CERT_DOCUMENT, empty);
	ROW("an event", KIND_MESSAGE, message);
#undef ROW
}

/* Bytes in a block of exactly their size: an address sanitizer sees a decoder
 * that looks beyond. */
static uint8_t *
exactly(const uint8_t *bytes, size_t len)
{
	uint8_t *block = malloc(len > 0 ? len : 1);

	ck_assert_ptr_nonnull(block);
	if (len > 0)
		memcpy(block, bytes, len);
	return block;
}

static uint8_t *
encode(const struct kind *kind, const struct record *r, size_t *len)
{
	uint8_t *bytes;

	*len = kind->put(r, NULL);
	bytes = malloc(*len);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_eq(kind->put(r, bytes), *len);
	return bytes;
}

static void
assert_same_view(struct view a, struct view b)
{
	ck_assert_uint_eq(a.len, b.len);
	if (a.len > 0)
		ck_assert_mem_eq(a.data, b.data, a.len);
}

static void
assert_same_ca(const struct ca *a, const struct ca *b)
{
	ck_assert_int_eq(a->status, b->status);
	ck_assert_int_eq(a->mode, b->mode);
	ck_assert_int_eq(a->auto_registration, b->auto_registration);
	ck_assert_int_eq(a->not_before, b->not_before);
	ck_assert_int_eq(a->not_after, b->not_after);
	ck_assert_int_eq(a->created, b->created);
	ck_assert_int_eq(a->modified, b->modified);
	ck_assert_uint_eq(a->version, b->version);
	ck_assert_mem_eq(&a->generation, &b->generation, sizeof(a->generation));
	ck_assert_uint_eq(a->subject_hash, b->subject_hash);
	assert_same_view(a->key_id, b->key_id);
}

static void
assert_same_cert(const struct cert *a, const struct cert *b)
{
	ck_assert_int_eq(a->status, b->status);
	ck_assert_int_eq(a->mode, b->mode);
	ck_assert_int_eq(a->not_before, b->not_before);
	ck_assert_int_eq(a->not_after, b->not_after);
	ck_assert_int_eq(a->created, b->created);
	ck_assert_int_eq(a->modified, b->modified);
	ck_assert_int_eq(a->announced, b->announced);
	ck_assert_uint_eq(a->version, b->version);
	ck_assert_mem_eq(&a->generation, &b->generation, sizeof(a->generation));
	ck_assert_int_eq(a->has_ca, b->has_ca);
	ck_assert(certid_equal(&a->ca_id, &b->ca_id));
}

static void
assert_same(unsigned kind, const struct record *a, const struct record *b)
{
	switch (kind) {
	case KIND_CA:
		assert_same_ca(&a->as.ca, &b->as.ca);
		break;
	case KIND_CERT:
		assert_same_cert(&a->as.cert, &b->as.cert);
		break;
	case KIND_CA_DOCUMENT:
		assert_same_view(a->as.ca_document.der, b->as.ca_document.der);
		assert_same_view(a->as.ca_document.pem, b->as.ca_document.pem);
		assert_same_view(a->as.ca_document.template_body, b->as.ca_document.template_body);
		assert_same_view(a->as.ca_document.role_arn, b->as.ca_document.role_arn);
		assert_same_view(a->as.ca_document.tags, b->as.ca_document.tags);
		break;
	case KIND_CERT_DOCUMENT:
		assert_same_view(a->as.cert_document.der, b->as.cert_document.der);
		assert_same_view(a->as.cert_document.pem, b->as.cert_document.pem);
		break;
	default:
		assert_same_view(a->as.message[0], b->as.message[0]);
		assert_same_view(a->as.message[1], b->as.message[1]);
	}
}

static bool
all_zero(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	while (len > 0 && b[len - 1] == 0)
		len--;
	return len == 0;
}

/* Refused, and nothing of it left over that could admit somebody. */
static void
assert_refused(const struct kind *kind, const uint8_t *bytes, size_t len, const char *what)
{
	uint8_t *block = exactly(bytes, len);
	struct record r;

	memset(&r, 0, sizeof(r));
	ck_assert_msg(kind->get((struct view){ block, len }, &r) == ERR_CORRUPT,
	    "%s: %s of %zu bytes", kind->name, what, len);
	ck_assert_msg(all_zero(&r, sizeof(r)), "%s: %s left something", kind->name, what);
	free(block);
}

START_TEST(a_record_comes_back_as_it_was)
{
	const struct kind *kind = &kinds[rows[_i].kind];
	struct record back;
	size_t len;
	uint8_t *bytes = encode(kind, &rows[_i].record, &len);

	memset(&back, 0xff, sizeof(back));
	ck_assert_msg(kind->get((struct view){ bytes, len }, &back) == ERR_OK, "%s", rows[_i].what);
	assert_same(rows[_i].kind, &rows[_i].record, &back);
	free(bytes);
}
END_TEST

START_TEST(a_record_that_is_cut_anywhere_is_refused)
{
	const struct kind *kind = &kinds[rows[_i].kind];
	size_t len, step;
	uint8_t *bytes = encode(kind, &rows[_i].record, &len);

	step = len > 4096 ? 997 : 1;
	for (size_t cut = 0; cut < len; cut += step)
		assert_refused(kind, bytes, cut, "the beginning");
	assert_refused(kind, bytes, len - 1, "the beginning");
	free(bytes);
}
END_TEST

START_TEST(a_byte_behind_a_record_is_refused)
{
	const struct kind *kind = &kinds[rows[_i].kind];
	size_t len;
	uint8_t *bytes = encode(kind, &rows[_i].record, &len);
	uint8_t *longer = realloc(bytes, len + 1);

	ck_assert_ptr_nonnull(longer);
	for (unsigned last = 0; last < 256; last++) {
		longer[len] = (uint8_t)last;
		assert_refused(kind, longer, len + 1, "a byte too much");
	}
	free(longer);
}
END_TEST

/* A newer program may have written it: it must not be taken for something it
 * is not. */
START_TEST(an_unknown_format_is_refused)
{
	const struct kind *kind = &kinds[rows[_i].kind];
	size_t len;
	uint8_t *bytes = encode(kind, &rows[_i].record, &len);

	ck_assert_uint_eq(bytes[0], 1);
	for (unsigned format = 0; format < 256; format++) {
		bytes[0] = (uint8_t)format;
		if (format != 1)
			assert_refused(kind, bytes, len, "an unknown format");
	}
	free(bytes);
}
END_TEST

/* Offsets as doc/storage.md has them. */
static const struct {
	const char *what;
	unsigned    row;
	size_t      offset;
	unsigned    allowed; /* values 0 to allowed - 1 */
} choices[] = {
	{ "status of a CA", 0, 1, 2 },
	{ "mode of a CA", 0, 2, 2 },
	{ "auto-registration", 0, 3, 2 },
	{ "creation of a CA, sign", 0, 20, 128 },
	{ "status of a certificate", 4, 1, 5 },
	{ "mode of a certificate", 4, 2, 2 },
	{ "creation of a certificate, sign", 4, 19, 128 },
};

START_TEST(a_value_without_meaning_is_refused)
{
	const struct kind *kind = &kinds[rows[choices[_i].row].kind];
	struct record r;
	size_t len;
	uint8_t *bytes = encode(kind, &rows[choices[_i].row].record, &len);

	for (unsigned value = 0; value < 256; value++) {
		bytes[choices[_i].offset] = (uint8_t)value;
		if (value < choices[_i].allowed)
			ck_assert_int_eq(kind->get((struct view){ bytes, len }, &r), ERR_OK);
		else
			assert_refused(kind, bytes, len, choices[_i].what);
	}
	free(bytes);
}
END_TEST

START_TEST(a_key_id_is_not_longer_than_64_bytes)
{
	uint8_t bytes[CODEC_CA_MAX + 1] = { 0 };
	struct record r = ca_record(64);
	size_t len = put_ca(&r, bytes);

	ck_assert_uint_eq(bytes[60], 64);
	bytes[60] = 65;
	assert_refused(&kinds[KIND_CA], bytes, len + 1, "a key id of 65 bytes");
}
END_TEST

/* The length of a text is a 32-bit number that a damaged row may set to
 * anything: no sum of it may wrap. */
START_TEST(a_length_beyond_the_end_is_refused)
{
	static const uint32_t lengths[] = { 3, 4, 255, 65536, INT32_MAX, UINT32_MAX - 4,
		UINT32_MAX };
	struct record r = { .as.message = { view_of("ab"), view_of("") } };
	uint8_t bytes[11];

	ck_assert_uint_eq(put_message(&r, bytes), sizeof(bytes));
	for (size_t i = 0; i < COUNT_OF(lengths); i++)
		for (size_t at = 1; at <= 7; at += 6) {
			put_message(&r, bytes);
			bytes[at] = (uint8_t)(lengths[i] >> 24);
			bytes[at + 1] = (uint8_t)(lengths[i] >> 16);
			bytes[at + 2] = (uint8_t)(lengths[i] >> 8);
			bytes[at + 3] = (uint8_t)lengths[i];
			assert_refused(&kinds[KIND_MESSAGE], bytes, sizeof(bytes), "a length");
		}
}
END_TEST

START_TEST(what_has_no_encoding_is_not_written)
{
	static const uint8_t long_key_id[65];
	uint8_t out[CODEC_CA_MAX];
	struct record ca = ca_record(20), cert = cert_record(true);

	ca.as.ca.key_id = (struct view){ long_key_id, sizeof(long_key_id) };
	ck_assert_uint_eq(codec_put_ca(&ca.as.ca, out), 0);
	ca = ca_record(20);
	ca.as.ca.created = -1;
	ck_assert_uint_eq(codec_put_ca(&ca.as.ca, out), 0);
	ca = ca_record(20);
	ca.as.ca.status = (enum ca_status)2;
	ck_assert_uint_eq(codec_put_ca(&ca.as.ca, out), 0);

	cert.as.cert.created = -1;
	ck_assert_uint_eq(codec_put_cert(&cert.as.cert, out), 0);
	cert = cert_record(true);
	cert.as.cert.status = (enum cert_status)5;
	ck_assert_uint_eq(codec_put_cert(&cert.as.cert, out), 0);
}
END_TEST

static uint64_t random_state = 0x9e3779b97f4a7c15;

/* xorshift64: the same numbers in each run. */
static uint32_t
random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32);
}

/* Harmless; and when they are a record, they are the only bytes of it. */
static bool
try_bytes(const struct kind *kind, const uint8_t *bytes, size_t len)
{
	uint8_t *block = exactly(bytes, len), *again;
	struct record r;
	bool accepted = kind->get((struct view){ block, len }, &r) == ERR_OK;
	size_t again_len;

	if (accepted) {
		again = encode(kind, &r, &again_len);
		ck_assert_uint_eq(again_len, len);
		ck_assert_mem_eq(again, bytes, len);
		free(again);
	}
	free(block);
	return accepted;
}

START_TEST(random_bytes_do_no_harm)
{
	uint8_t bytes[160];

	for (int round = 0; round < 20000; round++) {
		size_t len = random_number() % sizeof(bytes);

		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)random_number();
		if (len > 0 && round % 2 == 0)
			bytes[0] = 1;
		(void)try_bytes(&kinds[_i], bytes, len);
	}
}
END_TEST

START_TEST(a_changed_record_is_refused_or_says_just_what_it_says)
{
	const struct kind *kind = &kinds[rows[_i].kind];
	size_t len, accepted = 0, rounds;
	uint8_t *bytes = encode(kind, &rows[_i].record, &len);

	rounds = len > 4096 ? 50 : 2000;
	for (size_t round = 0; round < rounds; round++) {
		size_t at = random_number() % len;
		uint8_t was = bytes[at];

		bytes[at] = (uint8_t)random_number();
		accepted += try_bytes(kind, bytes, len);
		bytes[at] = was;
	}
	ck_assert_uint_gt(accepted, 0);
	free(bytes);
}
END_TEST

/* The worked example of doc/storage.md. */
static const char example_cert[] =
    "01" "04" "01"
    "0000015957536400" "0000024bce5cec18"
    "0000015dcccb0514" "0000015dcccb0514" "0000015dcccb0514"
    "00000001"
    "000102030405060708090a0b0c0d0e0f"
    "01" "3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173";

START_TEST(the_bytes_are_those_of_the_documentation)
{
	struct cert cert = { .has_ca = true, .status = CERT_PENDING_ACTIVATION,
		.mode = MODE_DEFAULT,
		.not_before = 1483228800000, /* 2017-01-01 00:00:00 */
		.not_after = 2524607999000,  /* 2049-12-31 23:59:59 */
		.created = NOW, .modified = NOW, .announced = NOW, .version = 1 };
	uint8_t out[CODEC_CERT_MAX];
	char hex[2 * CODEC_CERT_MAX + 1];
	size_t len;

	for (size_t i = 0; i < sizeof(cert.generation.b); i++)
		cert.generation.b[i] = (uint8_t)i;
	ck_assert(certid_from_hex(&cert.ca_id,
	    view_of("3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173")));
	len = codec_put_cert(&cert, out);
	hex_encode((struct view){ out, len }, hex);
	ck_assert_str_eq(hex, example_cert);
}
END_TEST

static TCase *
codec_case(void)
{
	TCase *t = tcase_create("codec");

	tcase_add_loop_test(t, a_record_comes_back_as_it_was, 0, COUNT_OF(rows));
	tcase_add_loop_test(t, a_record_that_is_cut_anywhere_is_refused, 0, COUNT_OF(rows));
	tcase_add_loop_test(t, a_byte_behind_a_record_is_refused, 0, COUNT_OF(rows));
	tcase_add_loop_test(t, an_unknown_format_is_refused, 0, COUNT_OF(rows));
	tcase_add_loop_test(t, a_value_without_meaning_is_refused, 0, COUNT_OF(choices));
	tcase_add_test(t, a_key_id_is_not_longer_than_64_bytes);
	tcase_add_test(t, a_length_beyond_the_end_is_refused);
	tcase_add_test(t, what_has_no_encoding_is_not_written);
	tcase_add_loop_test(t, random_bytes_do_no_harm, 0, COUNT_OF(kinds));
	tcase_add_loop_test(t, a_changed_record_is_refused_or_says_just_what_it_says, 0,
	    COUNT_OF(rows));
	tcase_add_test(t, the_bytes_are_those_of_the_documentation);
	return t;
}

int
main(void)
{
	Suite   *suite = suite_create("codec");
	SRunner *runner = srunner_create(suite);
	int      failed;

	fill_rows();
	suite_add_tcase(suite, codec_case());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
