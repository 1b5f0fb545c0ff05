/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* fuzz_codec.c - records from a damaged disk: each is refused, or decoded and encoded to the
 * same bytes; those of older schemas to the format of today. */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OLD_CERT     1 /* format of schemas 1 to 4 */
#define OLD_DOCUMENT 1 /* their format of a document without PEM */

static void
expect_same(struct view in, const uint8_t *again, size_t len)
{
	if (len != in.len || memcmp(again, in.data, len) != 0)
		abort();
}

/* A record of schemas 1 to 4 is encoded in the format of schema 5, which has the same facts. */
static void
try_cert(struct view in)
{
	uint8_t bytes[CODEC_CERT_MAX], again[CODEC_CERT_MAX];
	struct view now = { bytes, 0 };
	struct cert cert;

	if (codec_get_cert(in, &cert) != ERR_OK)
		return;
	now.len = codec_put_cert(&cert, bytes);
	if (in.data[0] != OLD_CERT)
		expect_same(in, now.data, now.len);
	if (codec_get_cert(now, &cert) != ERR_OK)
		abort();
	expect_same(now, again, codec_put_cert(&cert, again));
}

static void
try_records(struct view in)
{
	uint8_t ca_bytes[CODEC_CA_MAX];
	uint8_t policy_bytes[CODEC_POLICY_MAX];
	struct policy_record policy;
	struct ca ca;

	if (codec_get_policy(in, &policy) == ERR_OK)
		expect_same(in, policy_bytes, codec_put_policy(&policy, policy_bytes));
	if (codec_get_ca(in, &ca) == ERR_OK)
		expect_same(in, ca_bytes, codec_put_ca(&ca, ca_bytes));
	try_cert(in);
}

static void
try_documents(struct view in, uint8_t *again)
{
	struct cert_document cert;
	struct ca_document ca;

	if (codec_get_ca_document(in, &ca) == ERR_OK) {
		if (codec_ca_document_size(&ca) != in.len)
			abort();
		codec_put_ca_document(&ca, again);
		expect_same(in, again, in.len);
	}
	if (codec_get_cert_document(in, &cert) == ERR_OK) {
		size_t size = codec_cert_document_size(&cert);

		if (size > in.len ||
		    (size < in.len && (in.data[0] != OLD_DOCUMENT || cert.pem.len > 0)))
			abort();
		codec_put_cert_document(&cert, again);
		if (size == in.len)
			expect_same(in, again, size);
	}
}

static void
try_named(struct view in, uint8_t *again)
{
	struct policy_version version;
	struct thing thing;

	if (codec_get_policy_version(in, &version) == ERR_OK) {
		if (codec_policy_version_size(&version) != in.len)
			abort();
		codec_put_policy_version(&version, again);
		expect_same(in, again, in.len);
	}
	if (codec_get_thing(in, &thing) == ERR_OK) {
		if (codec_thing_size(&thing) != in.len)
			abort();
		codec_put_thing(&thing, again);
		expect_same(in, again, in.len);
	}
}

static void
try_lists(struct view in)
{
	uint8_t crl_bytes[CODEC_CRL_MAX], revoked_bytes[CODEC_REVOKED_MAX];
	struct revoked entry;
	struct crl crl;

	if (codec_get_crl(in, &crl) == ERR_OK)
		expect_same(in, crl_bytes, codec_put_crl(&crl, crl_bytes));
	if (codec_get_revoked(in, &entry) == ERR_OK)
		expect_same(in, revoked_bytes, codec_put_revoked(&entry, revoked_bytes));
}

static void
try_history(struct view in)
{
	uint8_t note_bytes[CODEC_CERT_NOTE_MAX], refusal_bytes[CODEC_REFUSAL_MAX];
	uint8_t successor_bytes[CODEC_SUCCESSOR_MAX];
	struct certid successor;
	struct cert_note note;
	struct refusal refusal;

	if (codec_get_cert_note(in, &note) == ERR_OK)
		expect_same(in, note_bytes, codec_put_cert_note(&note, note_bytes));
	if (codec_get_refusal(in, &refusal) == ERR_OK)
		expect_same(in, refusal_bytes, codec_put_refusal(&refusal, refusal_bytes));
	if (codec_get_successor(in, &successor) == ERR_OK)
		expect_same(in, successor_bytes, codec_put_successor(&successor, successor_bytes));
}

static void
try_settings(struct view in, uint8_t *again)
{
	struct provisioning_template made;
	struct ca_settings settings;

	if (codec_get_ca_settings(in, &settings) == ERR_OK) {
		if (codec_ca_settings_size(&settings) != in.len)
			abort();
		codec_put_ca_settings(&settings, again);
		expect_same(in, again, in.len);
	}
	if (codec_get_template(in, &made) == ERR_OK) {
		if (codec_template_size(&made) != in.len)
			abort();
		codec_put_template(&made, again);
		expect_same(in, again, in.len);
	}
}

/* A merge with itself only removes attributes with an empty value. */
static void
try_merge(struct view in)
{
	uint8_t *merged, *twice;
	size_t count, left, len;

	if (!codec_check_attributes(in, &count))
		return;
	merged = malloc(2 * in.len + 1);
	twice = malloc(3 * in.len + 1);
	if (merged != NULL && twice != NULL) {
		len = codec_merge_attributes(in, in, merged);
		if (len > in.len || !codec_check_attributes((struct view){ merged, len }, &left) ||
		    left > count)
			abort();
		expect_same((struct view){ merged, len }, twice,
		    codec_merge_attributes(in, (struct view){ merged, len }, twice));
	}
	free(merged);
	free(twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = { data, size };
	uint8_t *again = malloc(size + 1);

	if (again == NULL)
		return 0;
	try_records(in);
	try_documents(in, again);
	try_named(in, again);
	try_lists(in);
	try_history(in);
	try_settings(in, again);
	try_merge(in);
	free(again);
	return 0;
}
