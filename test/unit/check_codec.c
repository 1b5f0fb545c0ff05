/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_codec.c - the bytes of the registry (codec.h).
 *
 * A record is decoded as it was encoded, has one encoding only, and no bytes do harm.  The
 * examples are those of doc/storage.md.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"
#include "document.h"
#include "jitr/core/codec.h"

#define NOW 1502379443476 /* 2017-08-10 15:37:23.476 UTC */

/* A record of any kind, so that one table drives all tests. */
struct record {
	union {
		struct ca ca;
		struct cert cert;
		struct ca_document ca_document;
		struct cert_document cert_document;
		struct view message[2];
		struct policy_record policy;
		struct policy_version policy_version;
		struct thing thing;
		struct ca_settings ca_settings;
		struct crl crl;
		struct revoked revoked;
		struct cert_note cert_note;
		struct refusal refusal;
		struct certid successor;
		struct provisioning_template made;
	} as;
};

struct kind {
	const char *name;
	size_t (*put)(const struct record *r, uint8_t *out); /* out NULL: only the length */
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

static size_t
put_policy(const struct record *r, uint8_t *out)
{
	uint8_t bytes[CODEC_POLICY_MAX];
	size_t len = codec_put_policy(&r->as.policy, bytes);

	if (out != NULL)
		memcpy(out, bytes, len);
	return len;
}

static enum err
get_policy(struct view in, struct record *r)
{
	return codec_get_policy(in, &r->as.policy);
}

static size_t
put_policy_version(const struct record *r, uint8_t *out)
{
	if (out != NULL)
		codec_put_policy_version(&r->as.policy_version, out);
	return codec_policy_version_size(&r->as.policy_version);
}

static enum err
get_policy_version(struct view in, struct record *r)
{
	return codec_get_policy_version(in, &r->as.policy_version);
}

static size_t
put_thing(const struct record *r, uint8_t *out)
{
	if (out != NULL)
		codec_put_thing(&r->as.thing, out);
	return codec_thing_size(&r->as.thing);
}

static enum err
get_thing(struct view in, struct record *r)
{
	return codec_get_thing(in, &r->as.thing);
}

static size_t
put_ca_settings(const struct record *r, uint8_t *out)
{
	if (out != NULL)
		codec_put_ca_settings(&r->as.ca_settings, out);
	return codec_ca_settings_size(&r->as.ca_settings);
}

static enum err
get_ca_settings(struct view in, struct record *r)
{
	return codec_get_ca_settings(in, &r->as.ca_settings);
}

static size_t
put_template(const struct record *r, uint8_t *out)
{
	if (out != NULL)
		codec_put_template(&r->as.made, out);
	return codec_template_size(&r->as.made);
}

static enum err
get_template(struct view in, struct record *r)
{
	return codec_get_template(in, &r->as.made);
}

static size_t
put_crl(const struct record *r, uint8_t *out)
{
	uint8_t bytes[CODEC_CRL_MAX];
	size_t len = codec_put_crl(&r->as.crl, bytes);

	if (out != NULL)
		memcpy(out, bytes, len);
	return len;
}

static enum err
get_crl(struct view in, struct record *r)
{
	return codec_get_crl(in, &r->as.crl);
}

static size_t
put_revoked(const struct record *r, uint8_t *out)
{
	uint8_t bytes[CODEC_REVOKED_MAX];
	size_t len = codec_put_revoked(&r->as.revoked, bytes);

	if (out != NULL)
		memcpy(out, bytes, len);
	return len;
}

static enum err
get_revoked(struct view in, struct record *r)
{
	return codec_get_revoked(in, &r->as.revoked);
}

static size_t
put_cert_note(const struct record *r, uint8_t *out)
{
	uint8_t bytes[CODEC_CERT_NOTE_MAX];
	size_t len = codec_put_cert_note(&r->as.cert_note, bytes);

	if (out != NULL)
		memcpy(out, bytes, len);
	return len;
}

static enum err
get_cert_note(struct view in, struct record *r)
{
	return codec_get_cert_note(in, &r->as.cert_note);
}

static size_t
put_refusal(const struct record *r, uint8_t *out)
{
	uint8_t bytes[CODEC_REFUSAL_MAX];
	size_t len = codec_put_refusal(&r->as.refusal, bytes);

	if (out != NULL)
		memcpy(out, bytes, len);
	return len;
}

static enum err
get_refusal(struct view in, struct record *r)
{
	return codec_get_refusal(in, &r->as.refusal);
}

static size_t
put_successor(const struct record *r, uint8_t *out)
{
	uint8_t bytes[CODEC_SUCCESSOR_MAX];
	size_t len = codec_put_successor(&r->as.successor, bytes);

	if (out != NULL)
		memcpy(out, bytes, len);
	return len;
}

static enum err
get_successor(struct view in, struct record *r)
{
	return codec_get_successor(in, &r->as.successor);
}

static const struct kind kinds[] = {
	{ "ca", put_ca, get_ca },
	{ "cert", put_cert, get_cert },
	{ "ca_document", put_ca_document, get_ca_document },
	{ "cert_document", put_cert_document, get_cert_document },
	{ "message", put_message, get_message },
	{ "policy", put_policy, get_policy },
	{ "policy_version", put_policy_version, get_policy_version },
	{ "thing", put_thing, get_thing },
	{ "ca_settings", put_ca_settings, get_ca_settings },
	{ "template", put_template, get_template },
	{ "crl", put_crl, get_crl },
	{ "revoked", put_revoked, get_revoked },
	{ "cert_note", put_cert_note, get_cert_note },
	{ "refusal", put_refusal, get_refusal },
	{ "successor", put_successor, get_successor },
};

enum {
	KIND_CA,
	KIND_CERT,
	KIND_CA_DOCUMENT,
	KIND_CERT_DOCUMENT,
	KIND_MESSAGE,
	KIND_POLICY,
	KIND_POLICY_VERSION,
	KIND_THING,
	KIND_CA_SETTINGS,
	KIND_TEMPLATE,
	KIND_CRL,
	KIND_REVOKED,
	KIND_CERT_NOTE,
	KIND_REFUSAL,
	KIND_SUCCESSOR,
};

static const uint8_t key_id[64] = { 0xfb, 0x19, 0x68, 0xed };

static struct record
ca_record(size_t key_id_len)
{
	struct record r = { .as.ca = { .status = CA_ACTIVE,
				.mode = MODE_DEFAULT,
				.auto_registration = true,
				.not_before = -1,
				.not_after = INT64_MAX,
				.created = NOW,
				.modified = NOW + 1,
				.version = UINT32_MAX,
				.generation = { { 1, 2, 3 } },
				.subject_hash = 0x1a2b3c4d,
				.key_id = { key_id, key_id_len } } };

	return r;
}

static struct record
cert_record(bool has_ca)
{
	struct record r = { .as.cert = { .has_ca = has_ca,
				.status = CERT_PENDING_ACTIVATION,
				.mode = MODE_DEFAULT,
				.not_before = INT64_MIN,
				.not_after = NOW + 5,
				.created = 0,
				.modified = NOW,
				.announced = NOW + 3,
				.version = 7,
				.generation = { { 4, 5, 6 } } } };

	if (has_ca)
		memset(r.as.cert.ca_id.b, 0xca, sizeof(r.as.cert.ca_id.b));
	return r;
}

/* Modified when it was created, and shared. */
static struct record
announced_record(int64_t announced)
{
	struct record r = cert_record(true);

	r.as.cert.created = r.as.cert.modified = NOW;
	r.as.cert.announced = announced;
	r.as.cert.shared = true;
	return r;
}

static struct record
cert_document_record(const char *pem)
{
	return (struct record){ .as.cert_document = { .der = view_of("0\x82\1\2"),
				    .pem = view_of(pem) } };
}

static struct record
ca_document_record(void)
{
	struct record r = { .as.ca_document = { .der = view_of("0\x82"),
				.pem = view_of("-----BEGIN"),
				.template_body = view_of("{\"Parameters\":{}}"),
				.tags = view_of("[]") } };

	return r;
}

static struct record
policy_record(void)
{
	struct record r = { .as.policy = { .default_version = 3,
				.last_version = UINT32_MAX,
				.created = NOW,
				.modified = NOW + 1,
				.generation = { { 7, 8, 9 } } } };

	return r;
}

static struct record
policy_version_record(void)
{
	struct record r = { .as.policy_version = { .created = NOW,
				.document = view_of("{\"Version\":\"2012-10-17\"}") } };

	return r;
}

static struct record
thing_record(void)
{
	static const char packed[] = "\1a\0\1x"
				     "\2ab\0\0"
				     "\1b\0\2yz";
	struct record r = { .as.thing = { .type_name = view_of("pump"),
				.billing_group = view_of("north"),
				.attributes = { (const uint8_t *)packed, sizeof(packed) - 1 },
				.version = 2,
				.created = NOW,
				.modified = NOW + 1,
				.id = { { 10, 11 } } } };

	return r;
}

static struct record
ca_settings_record(void)
{
	struct record r = { .as.ca_settings = { .crl_check = CRL_GRACE,
				.crl_grace_days = 3650,
				.crl_file = view_of("/etc/crl/plant.crl"),
				.activation = view_of("{\"thing\":\"x\"}"),
				.supersedes = true,
				.supersede_after = 86400000,
				.template_name = view_of("plant") } };

	return r;
}

static struct record
template_record(void)
{
	struct record r = { .as.made = { .enabled = true,
				.created = NOW,
				.modified = NOW + 1,
				.generation = { { 12, 13 } },
				.description = view_of("for the plant"),
				.role_arn = view_of("arn:aws:iam::1:role/r"),
				.body = view_of("{\"Resources\":{}}") } };

	return r;
}

static struct record
crl_record(void)
{
	struct record r = { .as.crl = { .list = 7,
				.this_update = -1,
				.next_update = NOW + 9,
				.imported = NOW,
				.count = UINT32_MAX,
				.applied = true,
				.digest = { { 0xd1, 0x6e } },
				.number_len = CRL_NUMBER_MAX,
				.number = { 0x80, 1 } } };

	return r;
}

static struct record
crl_of_a_place(uint16_t len)
{
	struct record r = crl_record();

	r.as.crl.scope = CRL_SCOPE_POINT;
	r.as.crl.only_users = true;
	r.as.crl.point_len = len;
	memset(r.as.crl.point, 0xa0, len);
	return r;
}

static struct record
cert_note_record(bool superseded)
{
	struct record r = { .as.cert_note = { .time = NOW,
				.superseded = superseded,
				.text = view_of("another certificate took its place") } };

	if (superseded)
		memset(r.as.cert_note.successor.b, 0x5c, sizeof(r.as.cert_note.successor.b));
	return r;
}

static struct record
refusal_record(void)
{
	struct record r = { .as.refusal = { .time = NOW,
				.code = view_of("revoked"),
				.details = view_of("on the list of its CA"),
				.client_id = view_of("pump-1"),
				.address = view_of("192.0.2.7") } };

	return r;
}

/* One row for each shape that a record can have. */
static struct row {
	const char *what;
	unsigned kind;
	struct record record;
} rows[36];

static void
fill_rows(void)
{
	static const uint8_t zeros[70000];
	struct record empty, long_text, message, document = ca_document_record();
	struct record version = policy_version_record(), settings = ca_settings_record();
	struct record made = template_record();
	size_t n = 0;

	document.as.ca_document.template_form = version.as.policy_version.form = view_of("form");
	settings.as.ca_settings.activation_form = made.as.made.form = view_of("\x01");

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
	ROW("a certificate announced at creation", KIND_CERT, announced_record(NOW));
	ROW("a certificate never announced", KIND_CERT, announced_record(0));
	ROW("a document with some texts", KIND_CA_DOCUMENT, ca_document_record());
	ROW("a CA document without texts", KIND_CA_DOCUMENT, empty);
	ROW("a long text", KIND_CERT_DOCUMENT, long_text);
	ROW("a document without texts", KIND_CERT_DOCUMENT, empty);
	ROW("a document without PEM", KIND_CERT_DOCUMENT, cert_document_record(""));
	ROW("a document with PEM", KIND_CERT_DOCUMENT, cert_document_record("-----BEGIN"));
	ROW("an event", KIND_MESSAGE, message);
	ROW("a policy", KIND_POLICY, policy_record());
	ROW("a version of a policy", KIND_POLICY_VERSION, policy_version_record());
	ROW("a thing with everything", KIND_THING, thing_record());
	ROW("a thing without anything", KIND_THING, empty);
	ROW("settings with everything", KIND_CA_SETTINGS, ca_settings_record());
	ROW("settings that refuse", KIND_CA_SETTINGS, empty);
	ROW("a template", KIND_TEMPLATE, template_record());
	ROW("a list with a number", KIND_CRL, crl_record());
	ROW("a list without a number", KIND_CRL, { .as.crl = { .list = UINT64_MAX } });
	ROW("an entry of a list", KIND_REVOKED, { .as.revoked = { NOW, REVOKED_REASON_MAX } });
	ROW("a note with a successor", KIND_CERT_NOTE, cert_note_record(true));
	ROW("a note without one", KIND_CERT_NOTE, cert_note_record(false));
	ROW("a refusal", KIND_REFUSAL, refusal_record());
	ROW("a refusal of an unknown client", KIND_REFUSAL, empty);
	ROW("a successor", KIND_SUCCESSOR, { .as.successor = { { 1, 2, 3 } } });
	ROW("a list of a place", KIND_CRL, crl_of_a_place(1));
	ROW("a list of a long place", KIND_CRL, crl_of_a_place(CRL_POINT_MAX));
	ROW("a document with a form", KIND_CA_DOCUMENT, document);
	ROW("a version with a form", KIND_POLICY_VERSION, version);
	ROW("settings with a form", KIND_CA_SETTINGS, settings);
	ROW("a template with a form", KIND_TEMPLATE, made);
	if (n != COUNT_OF(rows))
		abort();
#undef ROW
}

/* A copy in a block of exactly its size: an address sanitizer sees a read behind it. */
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
	ck_assert_int_eq(a->shared, b->shared);
}

static void
assert_same_thing(const struct thing *a, const struct thing *b)
{
	assert_same_view(a->type_name, b->type_name);
	assert_same_view(a->billing_group, b->billing_group);
	assert_same_view(a->attributes, b->attributes);
	ck_assert_uint_eq(a->version, b->version);
	ck_assert_int_eq(a->created, b->created);
	ck_assert_int_eq(a->modified, b->modified);
	ck_assert_mem_eq(&a->id, &b->id, sizeof(a->id));
}

static void
assert_same_settings(const struct ca_settings *a, const struct ca_settings *b)
{
	ck_assert_int_eq(a->crl_check, b->crl_check);
	ck_assert_uint_eq(a->crl_grace_days, b->crl_grace_days);
	assert_same_view(a->crl_file, b->crl_file);
	assert_same_view(a->activation, b->activation);
	ck_assert_int_eq(a->supersedes, b->supersedes);
	ck_assert_int_eq(a->supersede_after, b->supersede_after);
	assert_same_view(a->template_name, b->template_name);
	assert_same_view(a->activation_form, b->activation_form);
}

static void
assert_same_template(const struct provisioning_template *a, const struct provisioning_template *b)
{
	ck_assert_int_eq(a->enabled, b->enabled);
	ck_assert_int_eq(a->created, b->created);
	ck_assert_int_eq(a->modified, b->modified);
	ck_assert_mem_eq(&a->generation, &b->generation, sizeof(a->generation));
	assert_same_view(a->description, b->description);
	assert_same_view(a->role_arn, b->role_arn);
	assert_same_view(a->body, b->body);
	assert_same_view(a->form, b->form);
}

static void
assert_same_crl(const struct crl *a, const struct crl *b)
{
	ck_assert_uint_eq(a->list, b->list);
	ck_assert_int_eq(a->this_update, b->this_update);
	ck_assert_int_eq(a->next_update, b->next_update);
	ck_assert_int_eq(a->imported, b->imported);
	ck_assert_uint_eq(a->count, b->count);
	ck_assert_int_eq(a->applied, b->applied);
	ck_assert(certid_equal(&a->digest, &b->digest));
	ck_assert_uint_eq(a->number_len, b->number_len);
	ck_assert_mem_eq(a->number, b->number, sizeof(a->number));
	ck_assert_int_eq(a->scope, b->scope);
	ck_assert_int_eq(a->only_users, b->only_users);
	ck_assert_uint_eq(a->point_len, b->point_len);
	ck_assert_mem_eq(a->point, b->point, sizeof(a->point));
}

static void
assert_same_refusal(const struct refusal *a, const struct refusal *b)
{
	ck_assert_int_eq(a->time, b->time);
	assert_same_view(a->code, b->code);
	assert_same_view(a->details, b->details);
	assert_same_view(a->client_id, b->client_id);
	assert_same_view(a->address, b->address);
}

static void
assert_same_activation(unsigned kind, const struct record *a, const struct record *b)
{
	switch (kind) {
	case KIND_CA_SETTINGS:
		assert_same_settings(&a->as.ca_settings, &b->as.ca_settings);
		break;
	case KIND_TEMPLATE:
		assert_same_template(&a->as.made, &b->as.made);
		break;
	case KIND_CRL:
		assert_same_crl(&a->as.crl, &b->as.crl);
		break;
	case KIND_REVOKED:
		ck_assert_int_eq(a->as.revoked.date, b->as.revoked.date);
		ck_assert_uint_eq(a->as.revoked.reason, b->as.revoked.reason);
		break;
	case KIND_CERT_NOTE:
		ck_assert_int_eq(a->as.cert_note.time, b->as.cert_note.time);
		ck_assert_int_eq(a->as.cert_note.superseded, b->as.cert_note.superseded);
		ck_assert(certid_equal(&a->as.cert_note.successor, &b->as.cert_note.successor));
		assert_same_view(a->as.cert_note.text, b->as.cert_note.text);
		break;
	case KIND_REFUSAL:
		assert_same_refusal(&a->as.refusal, &b->as.refusal);
		break;
	default:
		ck_assert(certid_equal(&a->as.successor, &b->as.successor));
	}
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
		assert_same_view(a->as.ca_document.template_form, b->as.ca_document.template_form);
		break;
	case KIND_CERT_DOCUMENT:
		assert_same_view(a->as.cert_document.der, b->as.cert_document.der);
		assert_same_view(a->as.cert_document.pem, b->as.cert_document.pem);
		break;
	case KIND_POLICY:
		ck_assert_uint_eq(a->as.policy.default_version, b->as.policy.default_version);
		ck_assert_uint_eq(a->as.policy.last_version, b->as.policy.last_version);
		ck_assert_int_eq(a->as.policy.created, b->as.policy.created);
		ck_assert_int_eq(a->as.policy.modified, b->as.policy.modified);
		ck_assert_mem_eq(&a->as.policy.generation, &b->as.policy.generation, 16);
		break;
	case KIND_POLICY_VERSION:
		ck_assert_int_eq(a->as.policy_version.created, b->as.policy_version.created);
		assert_same_view(a->as.policy_version.document, b->as.policy_version.document);
		assert_same_view(a->as.policy_version.form, b->as.policy_version.form);
		break;
	case KIND_THING:
		assert_same_thing(&a->as.thing, &b->as.thing);
		break;
	case KIND_MESSAGE:
		assert_same_view(a->as.message[0], b->as.message[0]);
		assert_same_view(a->as.message[1], b->as.message[1]);
		break;
	default:
		assert_same_activation(kind, a, b);
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

/* Decoding fails and leaves no value that would admit a client. */
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

START_TEST(a_decoded_record_equals_the_encoded_one)
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

START_TEST(a_record_truncated_anywhere_is_refused)
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

START_TEST(a_trailing_byte_is_refused)
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

/* A newer version may have written it. */
START_TEST(an_unknown_format_is_refused)
{
	const struct kind *kind = &kinds[rows[_i].kind];
	size_t len;
	uint8_t *bytes = encode(kind, &rows[_i].record, &len);

	uint8_t known = bytes[0];

	ck_assert(known == 1 || known == 2);
	for (unsigned format = 0; format < 256; format++) {
		bytes[0] = (uint8_t)format;
		if (format != known)
			assert_refused(kind, bytes, len, "an unknown format");
	}
	free(bytes);
}
END_TEST

/* A record has one encoding: a time that is stored although another one says it, or a time
 * that the flags announce and that is not there, is refused. */
START_TEST(the_flags_of_a_certificate_say_which_fields_follow)
{
	struct record r = cert_record(true);
	size_t len;
	uint8_t *bytes = encode(&kinds[KIND_CERT], &r, &len);

	ck_assert_uint_eq(bytes[2], 0x01 | 0x02 | 0x04 | 0x20);
	for (unsigned flags = 0; flags < 256; flags++) {
		bytes[2] = (uint8_t)flags;
		if ((flags & ~0x09u) == 0x26) /* mode, shared */
			ck_assert_int_eq(get_cert((struct view){ bytes, len }, &r), ERR_OK);
		else
			assert_refused(&kinds[KIND_CERT], bytes, len, "other flags");
	}
	bytes[2] = 0x27;
	memset(bytes + 47 + 32, 0, 8); /* modified, as it was created */
	assert_refused(&kinds[KIND_CERT], bytes, len, "a time twice");
	free(bytes);
}
END_TEST

/* Schemas 1 to 4 wrote it. */
START_TEST(the_first_format_of_a_certificate_is_read)
{
	uint8_t bytes[96] = { 1, CERT_ACTIVE, MODE_DEFAULT };
	struct cert cert;

	bytes[26] = 5; /* created */
	bytes[34] = 6;
	bytes[42] = 7;
	bytes[46] = 8;
	bytes[47] = 9;
	bytes[63] = 1;
	bytes[64] = 10;
	ck_assert_int_eq(codec_get_cert((struct view){ bytes, 96 }, &cert), ERR_OK);
	ck_assert_int_eq(cert.status, CERT_ACTIVE);
	ck_assert_int_eq(cert.mode, MODE_DEFAULT);
	ck_assert_int_eq(cert.created, 5);
	ck_assert_int_eq(cert.modified, 6);
	ck_assert_int_eq(cert.announced, 7);
	ck_assert_uint_eq(cert.version, 8);
	ck_assert_uint_eq(cert.generation.b[0], 9);
	ck_assert(cert.has_ca && cert.ca_id.b[0] == 10);
	ck_assert(cert.shared); /* not known */
	ck_assert_int_eq(codec_get_cert((struct view){ bytes, 64 }, &cert), ERR_CORRUPT);
	bytes[63] = 0;
	ck_assert_int_eq(codec_get_cert((struct view){ bytes, 64 }, &cert), ERR_OK);
	ck_assert_int_eq(codec_get_cert((struct view){ bytes, 96 }, &cert), ERR_CORRUPT);
}
END_TEST

/* Offsets as doc/storage.md has them. */
static const struct {
	const char *what;
	unsigned row;
	size_t offset;
	unsigned allowed; /* values 0 to allowed - 1 */
} choices[] = {
	{ "status of a CA", 0, 1, 2 },
	{ "mode of a CA", 0, 2, 2 },
	{ "auto-registration", 0, 3, 2 },
	{ "creation of a CA, sign", 0, 20, 128 },
	{ "status of a certificate", 4, 1, 5 },
	{ "creation of a certificate, sign", 4, 19, 128 },
	{ "creation of a policy, sign", 15, 9, 128 },
	{ "creation of a version, sign", 16, 1, 128 },
	{ "creation of a thing, sign", 17, 5, 128 },
	{ "what is asked of a list", 20, 1, 3 },
	{ "a rule that supersedes", 20, 4, 2 },
	{ "days of grace, high byte", 19, 2, 15 }, /* 0x0e42 is 3650, 0x0f42 is beyond */
	{ "delay before a certificate is superseded, sign", 19, 5, 128 },
	{ "template in force", 21, 1, 2 },
	{ "creation of a template, sign", 21, 2, 128 },
	{ "list that was applied", 22, 37, 2 },
	{ "reason", 24, 9, 11 },
};

START_TEST(a_value_out_of_range_is_refused)
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

START_TEST(a_key_id_has_at_most_64_bytes)
{
	uint8_t bytes[CODEC_CA_MAX + 1] = { 0 };
	struct record r = ca_record(64);
	size_t len = put_ca(&r, bytes);

	ck_assert_uint_eq(bytes[60], 64);
	bytes[60] = 65;
	assert_refused(&kinds[KIND_CA], bytes, len + 1, "a key id of 65 bytes");
}
END_TEST

/* The length of a text has 32 bits, and a damaged row may have any: no sum with it may overflow. */
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

START_TEST(a_record_out_of_range_is_not_encoded)
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

	struct record policy = policy_record(), version = policy_version_record();
	struct record thing = thing_record();

	policy.as.policy.created = version.as.policy_version.created = thing.as.thing.created = -1;
	ck_assert_uint_eq(put_policy(&policy, NULL), 0);
	ck_assert_uint_eq(put_policy_version(&version, NULL), 0);
	ck_assert_uint_eq(put_thing(&thing, NULL), 0);
	thing = thing_record();
	thing.as.thing.type_name = (struct view){ out, NAME_MAX_LENGTH + 1 };
	ck_assert_uint_eq(put_thing(&thing, NULL), 0);
	thing = thing_record();
	thing.as.thing.billing_group = (struct view){ out, NAME_MAX_LENGTH + 1 };
	ck_assert_uint_eq(put_thing(&thing, NULL), 0);

	struct record made = template_record();
	struct record revoked = { .as.revoked = { NOW, REVOKED_REASON_MAX + 1 } };

	made.as.made.created = -1;
	ck_assert_uint_eq(put_template(&made, NULL), 0);
	ck_assert_uint_eq(put_revoked(&revoked, NULL), 0);
}
END_TEST

/* The default version is between 1 and the last version. */
static const struct {
	uint32_t default_version, last_version;
	bool fits;
} versions[] = {
	{ 1, 1, true },
	{ 1, 5, true },
	{ 5, 5, true },
	{ UINT32_MAX, UINT32_MAX, true },
	{ 0, 0, false },
	{ 0, 1, false },
	{ 2, 1, false },
	{ UINT32_MAX, 1, false },
};

START_TEST(the_default_version_of_a_policy_exists)
{
	struct record r = policy_record();
	uint8_t out[CODEC_POLICY_MAX];
	size_t len = put_policy(&r, out);

	ck_assert_uint_eq(len, 41);
	for (size_t i = 0; i < 4; i++) {
		out[1 + i] = (uint8_t)(versions[_i].default_version >> (24 - 8 * i));
		out[5 + i] = (uint8_t)(versions[_i].last_version >> (24 - 8 * i));
	}
	r.as.policy.default_version = versions[_i].default_version;
	r.as.policy.last_version = versions[_i].last_version;
	if (versions[_i].fits) {
		ck_assert_uint_eq(put_policy(&r, NULL), len);
		ck_assert_int_eq(get_policy((struct view){ out, len }, &r), ERR_OK);
	} else {
		ck_assert_uint_eq(put_policy(&r, NULL), 0);
		assert_refused(&kinds[KIND_POLICY], out, len, "a version that was not given");
	}
}
END_TEST

/* Packed attributes: model.h. */
static const struct packed {
	const char *what, *bytes;
	size_t len;
	int count; /* -1: refused */
} attributes[] = {
#define PACKED(what, bytes, count) \
	{ \
		what, bytes, sizeof(bytes) - 1, count \
	}
	PACKED("none", "", 0),
	PACKED("one", "\1a\0\1x", 1),
	PACKED("an empty value", "\1a\0\0", 1),
	PACKED("two",
	    "\1a\0\1x"
	    "\1b\0\1x",
	    2),
	PACKED("a name that goes on as another one",
	    "\1a\0\1x"
	    "\2aa\0\1x",
	    2),
	PACKED("bytes above 127 sort last",
	    "\1z\0\0"
	    "\1\xff\0\0",
	    2),
	PACKED("twice",
	    "\1a\0\1x"
	    "\1a\0\1y",
	    -1),
	PACKED("not sorted",
	    "\1b\0\1x"
	    "\1a\0\1x",
	    -1),
	PACKED("the longer one first",
	    "\2aa\0\1x"
	    "\1a\0\1x",
	    -1),
	PACKED("an empty name", "\0\0\1x", -1),
	PACKED("a length alone", "\1", -1),
	PACKED("no value", "\1a", -1),
	PACKED("half a length", "\1a\0", -1),
	PACKED("a value that is cut", "\1a\0\2x", -1),
	PACKED("a byte behind", "\1a\0\1xy", -1),
#undef PACKED
};

START_TEST(attributes_are_packed_sorted_without_duplicates)
{
	const struct packed *row = &attributes[_i];
	uint8_t *block = exactly((const uint8_t *)row->bytes, row->len);
	struct record r = thing_record();
	bool fits;
	size_t count;

	r.as.thing.attributes = (struct view){ block, row->len };
	fits = codec_check_attributes(r.as.thing.attributes, &count);
	ck_assert_msg(fits == (row->count >= 0), "%s", row->what);
	ck_assert(!fits || count == (size_t)row->count);
	ck_assert_msg((put_thing(&r, NULL) > 0) == fits, "%s", row->what);
	free(block);
}
END_TEST

/* aws-iot 1.7 and model.h: 128 bytes of name, 800 of value, 50 of them. */
START_TEST(the_size_of_attributes_is_limited)
{
	static uint8_t bytes[(size_t)51 * 6 + 2000];
	size_t count, len = 0;

	for (unsigned i = 0; i < 51; i++) {
		uint8_t pair[] = { 2, (uint8_t)('a' + i / 26), (uint8_t)('a' + i % 26), 0, 1, 'x' };

		memcpy(bytes + len, pair, sizeof(pair));
		len += sizeof(pair);
		ck_assert_int_eq(codec_check_attributes((struct view){ bytes, len }, &count),
		    i < 50);
	}
	for (unsigned name = 127; name <= 130; name++)
		for (unsigned value = 799; value <= 801; value++) {
			len = 1 + name + 2 + value;
			memset(bytes, 'n', len);
			bytes[0] = (uint8_t)name;
			bytes[1 + name] = (uint8_t)(value >> 8);
			bytes[2 + name] = (uint8_t)value;
			ck_assert_int_eq(codec_check_attributes((struct view){ bytes, len },
					     &count),
			    name <= 128 && value <= 800);
		}
}
END_TEST

/* Attributes that codec_check_attributes() refuses are not decoded: the row's full record with
 * one malformed attribute. */
START_TEST(a_thing_with_malformed_attributes_is_refused)
{
	struct record r = thing_record();
	size_t len, at;
	uint8_t *bytes = encode(&kinds[KIND_THING], &r, &len);

	at = len - r.as.thing.attributes.len;
	bytes[at + 1] = 'z'; /* "a" */
	assert_refused(&kinds[KIND_THING], bytes, len, "attributes that are not sorted");
	bytes[at + 1] = 'a';
	bytes[at] = 2;
	assert_refused(&kinds[KIND_THING], bytes, len, "an attribute that is cut");
	free(bytes);
}
END_TEST

static const struct merge {
	const char *what, *old, *changes, *merged; /* a=x;b= */
} merges[] = {
	{ "nothing", "", "", "" },
	{ "nothing changes", "a=1;b=2;", "", "a=1;b=2;" },
	{ "the first ones", "", "a=1;b=2;", "a=1;b=2;" },
	{ "one before, one between, one behind", "b=1;d=2;", "a=3;c=4;e=5;",
	    "a=3;b=1;c=4;d=2;e=5;" },
	{ "another value", "a=1;b=2;c=3;", "b=9;", "a=1;b=9;c=3;" },
	{ "a longer value", "a=1;", "a=123;", "a=123;" },
	{ "an empty value removes", "a=1;b=2;c=3;", "b=;", "a=1;c=3;" },
	{ "all are removed", "a=1;b=2;", "a=;b=;", "" },
	{ "what is not there is removed", "b=1;", "a=;c=;", "b=1;" },
	{ "a name that goes on as another one", "aa=1;", "a=2;aaa=3;", "a=2;aa=1;aaa=3;" },
};

START_TEST(attributes_are_merged)
{
	uint8_t old[64], changes[64], expected[64];
	size_t old_len = pack_attributes(merges[_i].old, old),
	       len = pack_attributes(merges[_i].changes, changes);
	size_t expected_len = pack_attributes(merges[_i].merged, expected);
	uint8_t *out = malloc(old_len + len + 1);

	ck_assert_ptr_nonnull(out);
	len = codec_merge_attributes((struct view){ old, old_len }, (struct view){ changes, len },
	    out);
	ck_assert_msg(len == expected_len && memcmp(out, expected, len) == 0, "%s",
	    merges[_i].what);
	free(out);
}
END_TEST

/* Settings that need each other (model.h), in both directions. */
static const struct {
	const char *what;
	unsigned check, days;
	bool supersedes;
	int64_t after;
	bool fits;
} settings[] = {
	{ "the strictest", CRL_REQUIRED, 0, false, 0, true },
	{ "no days of grace", CRL_GRACE, 0, false, 0, true },
	{ "the most days of grace", CRL_GRACE, 3650, false, 0, true },
	{ "a day more", CRL_GRACE, 3651, false, 0, false },
	{ "days of grace that no 16 bits hold", CRL_GRACE, 65536 + 1, false, 0, false },
	{ "days where a current list is asked for", CRL_REQUIRED, 1, false, 0, false },
	{ "days where none is asked for", CRL_IF_PRESENT, 1, false, 0, false },
	{ "a question that there is not", 3, 0, false, 0, false },
	{ "superseded at once", CRL_IF_PRESENT, 0, true, 0, true },
	{ "superseded in the end", CRL_IF_PRESENT, 0, true, INT64_MAX, true },
	{ "superseded before", CRL_IF_PRESENT, 0, true, -1, false },
	{ "a delay of nothing", CRL_IF_PRESENT, 0, false, 1, false },
};

START_TEST(only_consistent_settings_are_encoded_and_decoded)
{
	struct record r = { .as.ca_settings = { .crl_check = (enum crl_check)settings[_i].check,
				.crl_grace_days = settings[_i].days,
				.supersedes = settings[_i].supersedes,
				.supersede_after = settings[_i].after } };
	uint8_t out[32] = { 1, (uint8_t)settings[_i].check, (uint8_t)(settings[_i].days >> 8),
		(uint8_t)settings[_i].days, settings[_i].supersedes };
	size_t len = 22;

	for (size_t i = 0; i < 8; i++)
		out[5 + i] = (uint8_t)((uint64_t)settings[_i].after >> (56 - 8 * i));
	ck_assert_msg(put_ca_settings(&r, NULL) == (settings[_i].fits ? len : 0), "%s",
	    settings[_i].what);
	if (settings[_i].fits)
		ck_assert_int_eq(get_ca_settings((struct view){ out, len }, &r), ERR_OK);
	else if (settings[_i].days <= UINT16_MAX)
		assert_refused(&kinds[KIND_CA_SETTINGS], out, len, settings[_i].what);
}
END_TEST

/* RFC 5280 5.2.3: up to 20 bytes in the shortest form. */
static const struct {
	const char *what;
	uint64_t list;
	unsigned len;
	uint8_t first, second;
	bool fits;
} numbers[] = {
	{ "no number", 1, 0, 0, 0, true },
	{ "the number 0", 1, 1, 0, 0, true },
	{ "the number 1", 1, 1, 1, 0, true },
	{ "a number of two bytes", 1, 2, 1, 0, true },
	{ "a zero in front", 1, 2, 0, 1, false },
	{ "zeros only", 1, 2, 0, 0, false },
	{ "the longest", 1, CRL_NUMBER_MAX, 1, 0, true },
	{ "a byte more", 1, CRL_NUMBER_MAX + 1, 1, 0, false },
	{ "as long as a byte can say", 1, 255, 1, 0, false },
	{ "a list without a number of its own", 0, 0, 0, 0, false },
};

START_TEST(a_list_is_numbered_from_one_and_its_crl_number_has_no_leading_zeros)
{
	struct record r = { .as.crl = { .list = numbers[_i].list,
				.number_len = (uint8_t)numbers[_i].len,
				.number = { numbers[_i].first, numbers[_i].second } } };
	uint8_t out[1 + 8 + 24 + 4 + 1 + 32 + 1 + 255] = { 1, 0, 0, 0, 0, 0, 0, 0,
		(uint8_t)numbers[_i].list };
	size_t len = 71 + numbers[_i].len;

	out[70] = (uint8_t)numbers[_i].len;
	out[71] = numbers[_i].first;
	out[72] = numbers[_i].second;
	ck_assert_msg(put_crl(&r, NULL) == (numbers[_i].fits ? len : 0), "%s", numbers[_i].what);
	if (numbers[_i].fits)
		ck_assert_int_eq(get_crl((struct view){ out, len }, &r), ERR_OK);
	else
		assert_refused(&kinds[KIND_CRL], out, len, numbers[_i].what);
}
END_TEST

/* A text at its limit (model.h) and one byte longer. */
static const struct {
	const char *what;
	unsigned kind;
	size_t text;          /* where it is in the record */
	size_t length, width; /* of its length in the bytes of an empty record */
	size_t most;
} texts[] = {
#define TEXT(member) offsetof(struct record, as.member)
	{ "name of a template", KIND_CA_SETTINGS, TEXT(ca_settings.template_name), 21, 1, 36 },
	{ "body of a template", KIND_TEMPLATE, TEXT(made.body), 42, 4, 40960 },
	{ "text of a note", KIND_CERT_NOTE, TEXT(cert_note.text), 10, 4, 512 },
	{ "code of a refusal", KIND_REFUSAL, TEXT(refusal.code), 9, 4, 512 },
	{ "details of a refusal", KIND_REFUSAL, TEXT(refusal.details), 13, 4, 512 },
	{ "client of a refusal", KIND_REFUSAL, TEXT(refusal.client_id), 17, 4, 512 },
	{ "address of a refusal", KIND_REFUSAL, TEXT(refusal.address), 21, 4, 512 },
#undef TEXT
};

START_TEST(a_text_is_encoded_and_decoded_up_to_its_limit)
{
	static const uint8_t zeros[50000];
	static uint8_t bytes[50000];
	const struct kind *kind = &kinds[texts[_i].kind];
	struct record r;
	size_t empty, len = texts[_i].most;

	memset(&r, 0, sizeof(r));
	empty = kind->put(&r, NULL);
	ck_assert_uint_gt(empty, 0);
	*(struct view *)(void *)((char *)&r + texts[_i].text) = (struct view){ zeros, len };
	ck_assert_uint_eq(kind->put(&r, bytes), empty + len);
	ck_assert_int_eq(kind->get((struct view){ bytes, empty + len }, &r), ERR_OK);

	len++;
	*(struct view *)(void *)((char *)&r + texts[_i].text) = (struct view){ zeros, len };
	ck_assert_msg(kind->put(&r, NULL) == 0, "%s", texts[_i].what);
	for (size_t i = 0; i < texts[_i].width; i++)
		bytes[texts[_i].length + i] = (uint8_t)(len >> (8 * (texts[_i].width - 1 - i)));
	assert_refused(kind, bytes, empty + len, texts[_i].what);
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

/* If they decode, the record encodes to the same bytes. */
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

START_TEST(random_bytes_are_decoded_safely)
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

START_TEST(a_changed_record_is_refused_or_encodes_to_the_same_bytes)
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

/* The hexadecimal digits in the code blocks of doc/storage.md: of each line the pairs at its
 * beginning, with one blank between them. */
static char *
documented_bytes(void)
{
	char *text = read_document("doc/storage.md"), *bytes = calloc(1, strlen(text) + 1);
	char *lines = text, *line, *out = bytes;
	bool inside = false;

	while ((line = strsep(&lines, "\n")) != NULL) {
		if (strncmp(line, "```", 3) == 0)
			inside = !inside;
		for (; inside && strspn(line, "0123456789abcdef") == 2;
		     line += line[2] == ' ' ? 3 : 2)
			out = stpncpy(out, line, 2);
	}
	free(text);
	return bytes;
}

static void
is_documented(const char *hex)
{
	char *bytes = documented_bytes();

	ck_assert_msg(strstr(bytes, hex) != NULL, "not in doc/storage.md: %s", hex);
	free(bytes);
}

/* The example of doc/storage.md. */
static const char example_cert[] =
    "02"
    "04"
    "13"
    "0000015957536400"
    "0000024bce5cec18"
    "0000015dcccb0514"
    "00000001"
    "000102030405060708090a0b0c0d0e0f"
    "3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173";

START_TEST(the_bytes_are_as_documented)
{
	struct cert cert = { .has_ca = true,
		.status = CERT_PENDING_ACTIVATION,
		.mode = MODE_DEFAULT,
		.not_before = 1483228800000, /* 2017-01-01 00:00:00 */
		.not_after = 2524607999000,  /* 2049-12-31 23:59:59 */
		.created = NOW,
		.modified = NOW,
		.announced = NOW,
		.version = 1 };
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
	is_documented(hex);
}
END_TEST

START_TEST(the_bytes_of_a_policy_are_as_documented)
{
	struct policy_record p = { .default_version = 1,
		.last_version = 2,
		.created = NOW,
		.modified = NOW };
	uint8_t out[CODEC_POLICY_MAX];
	char hex[2 * CODEC_POLICY_MAX + 1];

	for (size_t i = 0; i < sizeof(p.generation.b); i++)
		p.generation.b[i] = (uint8_t)i;
	hex_encode((struct view){ out, codec_put_policy(&p, out) }, hex);
	ck_assert_str_eq(hex,
	    "01"
	    "00000001"
	    "00000002"
	    "0000015dcccb0514"
	    "0000015dcccb0514"
	    "000102030405060708090a0b0c0d0e0f");
	is_documented(hex);
}
END_TEST

/* A list and an entry. */
START_TEST(the_bytes_of_a_list_are_as_documented)
{
	struct crl crl = { .list = 3,
		.this_update = 1502323200000,
		.next_update = 1502928000000,
		.imported = NOW,
		.count = 1,
		.number_len = 2,
		.number = { 0x10, 0x04 },
		.scope = CRL_SCOPE_ALL };
	struct revoked entry = { .date = 1502290800000, .reason = 1 };
	uint8_t out[CODEC_CRL_MAX];
	char hex[2 * CODEC_CRL_MAX + 1];

	for (size_t i = 0; i < sizeof(crl.digest.b); i++)
		crl.digest.b[i] = (uint8_t)(0xa0 + i);
	hex_encode((struct view){ out, codec_put_crl(&crl, out) }, hex);
	ck_assert_str_eq(hex,
	    "02"
	    "0000000000000003"
	    "0000015dc970d000"
	    "0000015ded7d5400"
	    "0000015dcccb0514"
	    "00000001"
	    "00"
	    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
	    "02"
	    "1004"
	    "00"
	    "00"
	    "0000");
	is_documented(hex);
	hex_encode((struct view){ out, codec_put_revoked(&entry, out) }, hex);
	ck_assert_str_eq(hex,
	    "01"
	    "0000015dc7826d80"
	    "01");
	is_documented(hex);
}
END_TEST

static TCase *
codec_case(void)
{
	TCase *t = tcase_create("codec");

	tcase_add_loop_test(t, a_decoded_record_equals_the_encoded_one, 0, COUNT_OF(rows));
	tcase_add_loop_test(t, a_record_truncated_anywhere_is_refused, 0, COUNT_OF(rows));
	tcase_add_loop_test(t, a_trailing_byte_is_refused, 0, COUNT_OF(rows));
	tcase_add_loop_test(t, an_unknown_format_is_refused, 0, COUNT_OF(rows));
	tcase_add_loop_test(t, a_value_out_of_range_is_refused, 0, COUNT_OF(choices));
	tcase_add_test(t, the_flags_of_a_certificate_say_which_fields_follow);
	tcase_add_test(t, the_first_format_of_a_certificate_is_read);
	tcase_add_test(t, a_key_id_has_at_most_64_bytes);
	tcase_add_test(t, a_length_beyond_the_end_is_refused);
	tcase_add_test(t, a_record_out_of_range_is_not_encoded);
	tcase_add_loop_test(t, the_default_version_of_a_policy_exists, 0, COUNT_OF(versions));
	tcase_add_loop_test(t, attributes_are_packed_sorted_without_duplicates, 0,
	    COUNT_OF(attributes));
	tcase_add_test(t, the_size_of_attributes_is_limited);
	tcase_add_test(t, a_thing_with_malformed_attributes_is_refused);
	tcase_add_loop_test(t, attributes_are_merged, 0, COUNT_OF(merges));
	tcase_add_loop_test(t, only_consistent_settings_are_encoded_and_decoded, 0,
	    COUNT_OF(settings));
	tcase_add_loop_test(t, a_list_is_numbered_from_one_and_its_crl_number_has_no_leading_zeros,
	    0, COUNT_OF(numbers));
	tcase_add_loop_test(t, a_text_is_encoded_and_decoded_up_to_its_limit, 0, COUNT_OF(texts));
	tcase_add_loop_test(t, random_bytes_are_decoded_safely, 0, COUNT_OF(kinds));
	tcase_add_loop_test(t, a_changed_record_is_refused_or_encodes_to_the_same_bytes, 0,
	    COUNT_OF(rows));
	tcase_add_test(t, the_bytes_are_as_documented);
	tcase_add_test(t, the_bytes_of_a_policy_are_as_documented);
	tcase_add_test(t, the_bytes_of_a_list_are_as_documented);
	return t;
}

int
main(void)
{
	Suite *suite = suite_create("codec");
	SRunner *runner = srunner_create(suite);
	int failed;

	fill_rows();
	suite_add_tcase(suite, codec_case());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
