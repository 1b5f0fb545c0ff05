/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * codec.c - see codec.h; doc/storage.md shows every record byte by byte.
 *
 * Both directions have sticky errors: a record is a list of fields, and
 * whether all of them fitted is asked once, at the end.  There is one way only
 * to write a record, so what is accepted would be written with the same bytes.
 */
#include <assert.h>
#include <string.h>

#include "jitr/codec.h"

/* The first byte of each record.  A new layout gets a new number. */
#define FORMAT_CA             1
#define FORMAT_CERT           1
#define FORMAT_CA_DOCUMENT    1
#define FORMAT_CERT_DOCUMENT  1
#define FORMAT_MESSAGE        1
#define FORMAT_POLICY         1
#define FORMAT_POLICY_VERSION 1
#define FORMAT_THING          1

/* Enough for every hash that serves as a subjectKeyIdentifier (RFC 5280
 * 4.2.1.2, RFC 7093). */
#define KEY_ID_MAX 64

#define LENGTH_SIZE 4 /* of the length in front of a text */

/* Where a record is written. */
struct sink {
	uint8_t *at;
	size_t   left, len;
	bool     failed;
};

/* Where a record is read from. */
struct source {
	const uint8_t *at;
	size_t         left;
	bool           failed;
};

static void
put_bytes(struct sink *s, const uint8_t *bytes, size_t len)
{
	if (s->failed || len > s->left) {
		s->failed = true;
		return;
	}
	if (len > 0)
		memcpy(s->at, bytes, len);
	s->at += len;
	s->left -= len;
	s->len += len;
}

static void
put_number(struct sink *s, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = size; i-- > 0; value >>= 8)
		bytes[i] = (uint8_t)value;
	if (value != 0)
		s->failed = true;
	put_bytes(s, bytes, size);
}

static void
put_one_of(struct sink *s, unsigned value, unsigned count)
{
	if (value >= count)
		s->failed = true;
	put_number(s, value, 1);
}

static void
put_time(struct sink *s, int64_t ms)
{
	put_number(s, (uint64_t)ms, 8);
}

/* The indexes sort by this time as an unsigned number. */
static void
put_created(struct sink *s, int64_t ms)
{
	if (ms < 0)
		s->failed = true;
	put_time(s, ms);
}

static void
put_text(struct sink *s, struct view text)
{
	put_number(s, text.len, LENGTH_SIZE);
	put_bytes(s, text.data, text.len);
}

static void
put_name(struct sink *s, struct view name)
{
	put_number(s, name.len, 1);
	put_bytes(s, name.data, name.len);
}

static const uint8_t *
get_bytes(struct source *s, size_t len)
{
	const uint8_t *bytes = s->at;

	if (s->failed || len > s->left) {
		s->failed = true;
		return NULL;
	}
	s->at += len;
	s->left -= len;
	return bytes;
}

static void
get_array(struct source *s, uint8_t *out, size_t len)
{
	const uint8_t *bytes = get_bytes(s, len);

	if (bytes != NULL)
		memcpy(out, bytes, len);
}

static uint64_t
get_number(struct source *s, size_t size)
{
	const uint8_t *bytes = get_bytes(s, size);
	uint64_t value = 0;

	if (bytes == NULL)
		return 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

static unsigned
get_one_of(struct source *s, unsigned count)
{
	unsigned value = (unsigned)get_number(s, 1);

	if (value < count)
		return value;
	s->failed = true;
	return 0;
}

static int64_t
get_time(struct source *s)
{
	return (int64_t)get_number(s, 8);
}

static int64_t
get_created(struct source *s)
{
	int64_t ms = get_time(s);

	if (ms < 0)
		s->failed = true;
	return ms;
}

static struct view
get_view(struct source *s, size_t len)
{
	const uint8_t *bytes = get_bytes(s, len);

	return bytes != NULL ? (struct view){ bytes, len } : (struct view){ NULL, 0 };
}

static struct view
get_text(struct source *s)
{
	return get_view(s, (size_t)get_number(s, LENGTH_SIZE));
}

static void
get_format(struct source *s, uint8_t known)
{
	if (get_number(s, 1) != known)
		s->failed = true;
}

/* Was everything there, and nothing more? */
static bool
get_end(const struct source *s)
{
	return !s->failed && s->left == 0;
}

size_t
codec_put_ca(const struct ca *ca, uint8_t out[CODEC_CA_MAX])
{
	struct sink s = { .at = out, .left = CODEC_CA_MAX };

	put_number(&s, FORMAT_CA, 1);
	put_one_of(&s, ca->status, CA_ACTIVE + 1);
	put_one_of(&s, ca->mode, MODE_DEFAULT + 1);
	put_one_of(&s, ca->auto_registration, 2);
	put_time(&s, ca->not_before);
	put_time(&s, ca->not_after);
	put_created(&s, ca->created);
	put_time(&s, ca->modified);
	put_number(&s, ca->version, 4);
	put_bytes(&s, ca->generation.b, sizeof(ca->generation.b));
	put_number(&s, ca->subject_hash, 4);
	if (ca->key_id.len > KEY_ID_MAX)
		s.failed = true;
	put_number(&s, ca->key_id.len & UINT8_MAX, 1);
	put_bytes(&s, ca->key_id.data, ca->key_id.len);
	return s.failed ? 0 : s.len;
}

enum err
codec_get_ca(struct view in, struct ca *out)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_CA);
	out->status = (enum ca_status)get_one_of(&s, CA_ACTIVE + 1);
	out->mode = (enum cert_mode)get_one_of(&s, MODE_DEFAULT + 1);
	out->auto_registration = get_one_of(&s, 2) == 1;
	out->not_before = get_time(&s);
	out->not_after = get_time(&s);
	out->created = get_created(&s);
	out->modified = get_time(&s);
	out->version = (uint32_t)get_number(&s, 4);
	get_array(&s, out->generation.b, sizeof(out->generation.b));
	out->subject_hash = (uint32_t)get_number(&s, 4);
	out->key_id = get_view(&s, get_one_of(&s, KEY_ID_MAX + 1));
	if (get_end(&s))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

size_t
codec_put_cert(const struct cert *cert, uint8_t out[CODEC_CERT_MAX])
{
	struct sink s = { .at = out, .left = CODEC_CERT_MAX };

	put_number(&s, FORMAT_CERT, 1);
	put_one_of(&s, cert->status, CERT_PENDING_ACTIVATION + 1);
	put_one_of(&s, cert->mode, MODE_DEFAULT + 1);
	put_time(&s, cert->not_before);
	put_time(&s, cert->not_after);
	put_created(&s, cert->created);
	put_time(&s, cert->modified);
	put_time(&s, cert->announced);
	put_number(&s, cert->version, 4);
	put_bytes(&s, cert->generation.b, sizeof(cert->generation.b));
	put_one_of(&s, cert->has_ca, 2);
	if (cert->has_ca)
		put_bytes(&s, cert->ca_id.b, sizeof(cert->ca_id.b));
	return s.failed ? 0 : s.len;
}

enum err
codec_get_cert(struct view in, struct cert *out)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_CERT);
	out->status = (enum cert_status)get_one_of(&s, CERT_PENDING_ACTIVATION + 1);
	out->mode = (enum cert_mode)get_one_of(&s, MODE_DEFAULT + 1);
	out->not_before = get_time(&s);
	out->not_after = get_time(&s);
	out->created = get_created(&s);
	out->modified = get_time(&s);
	out->announced = get_time(&s);
	out->version = (uint32_t)get_number(&s, 4);
	get_array(&s, out->generation.b, sizeof(out->generation.b));
	out->has_ca = get_one_of(&s, 2) == 1;
	if (out->has_ca)
		get_array(&s, out->ca_id.b, sizeof(out->ca_id.b));
	if (get_end(&s))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

/* A record of texts: each with its length in front. */
static size_t
texts_size(const struct view *texts, size_t count)
{
	size_t size = 1;

	for (size_t i = 0; i < count; i++) {
		assert(texts[i].len <= UINT32_MAX);
		size += LENGTH_SIZE + texts[i].len;
	}
	return size;
}

static void
put_texts(uint8_t format, const struct view *texts, size_t count, uint8_t *out)
{
	struct sink s = { .at = out, .left = texts_size(texts, count) };

	put_number(&s, format, 1);
	for (size_t i = 0; i < count; i++)
		put_text(&s, texts[i]);
	assert(!s.failed && s.left == 0);
}

static enum err
get_texts(struct view in, uint8_t format, struct view *texts, size_t count)
{
	struct source s = { .at = in.data, .left = in.len };

	get_format(&s, format);
	for (size_t i = 0; i < count; i++)
		texts[i] = get_text(&s);
	if (get_end(&s))
		return ERR_OK;
	memset(texts, 0, count * sizeof(*texts));
	return ERR_CORRUPT;
}

#define CA_TEXTS(d) { (d)->der, (d)->pem, (d)->template_body, (d)->role_arn, (d)->tags }

size_t
codec_ca_document_size(const struct ca_document *d)
{
	struct view texts[] = CA_TEXTS(d);

	return texts_size(texts, COUNT_OF(texts));
}

void
codec_put_ca_document(const struct ca_document *d, uint8_t *out)
{
	struct view texts[] = CA_TEXTS(d);

	put_texts(FORMAT_CA_DOCUMENT, texts, COUNT_OF(texts), out);
}

enum err
codec_get_ca_document(struct view in, struct ca_document *out)
{
	struct view texts[5];
	enum err e = get_texts(in, FORMAT_CA_DOCUMENT, texts, COUNT_OF(texts));

	*out = (struct ca_document){ .der = texts[0], .pem = texts[1], .template_body = texts[2],
		.role_arn = texts[3], .tags = texts[4] };
	return e;
}

size_t
codec_cert_document_size(const struct cert_document *d)
{
	struct view texts[] = { d->der, d->pem };

	return texts_size(texts, COUNT_OF(texts));
}

void
codec_put_cert_document(const struct cert_document *d, uint8_t *out)
{
	struct view texts[] = { d->der, d->pem };

	put_texts(FORMAT_CERT_DOCUMENT, texts, COUNT_OF(texts), out);
}

enum err
codec_get_cert_document(struct view in, struct cert_document *out)
{
	struct view texts[2];
	enum err e = get_texts(in, FORMAT_CERT_DOCUMENT, texts, COUNT_OF(texts));

	*out = (struct cert_document){ .der = texts[0], .pem = texts[1] };
	return e;
}

size_t
codec_message_size(struct view topic, struct view payload)
{
	struct view texts[] = { topic, payload };

	return texts_size(texts, COUNT_OF(texts));
}

void
codec_put_message(struct view topic, struct view payload, uint8_t *out)
{
	struct view texts[] = { topic, payload };

	put_texts(FORMAT_MESSAGE, texts, COUNT_OF(texts), out);
}

enum err
codec_get_message(struct view in, struct view *topic, struct view *payload)
{
	struct view texts[2];
	enum err e = get_texts(in, FORMAT_MESSAGE, texts, COUNT_OF(texts));

	*topic = texts[0];
	*payload = texts[1];
	return e;
}

/* A version is a number from 1 on; the one that is asked is one that was given. */
static bool
versions_fit(const struct policy_record *p)
{
	return p->default_version >= 1 && p->default_version <= p->last_version;
}

size_t
codec_put_policy(const struct policy_record *p, uint8_t out[CODEC_POLICY_MAX])
{
	struct sink s = { .at = out, .left = CODEC_POLICY_MAX };

	put_number(&s, FORMAT_POLICY, 1);
	put_number(&s, p->default_version, 4);
	put_number(&s, p->last_version, 4);
	put_created(&s, p->created);
	put_time(&s, p->modified);
	put_bytes(&s, p->generation.b, sizeof(p->generation.b));
	return s.failed || !versions_fit(p) ? 0 : s.len;
}

enum err
codec_get_policy(struct view in, struct policy_record *out)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_POLICY);
	out->default_version = (uint32_t)get_number(&s, 4);
	out->last_version = (uint32_t)get_number(&s, 4);
	out->created = get_created(&s);
	out->modified = get_time(&s);
	get_array(&s, out->generation.b, sizeof(out->generation.b));
	if (get_end(&s) && versions_fit(out))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

size_t
codec_policy_version_size(const struct policy_version *v)
{
	assert(v->document.len <= UINT32_MAX);
	return v->created < 0 ? 0 : 1 + 8 + LENGTH_SIZE + v->document.len;
}

void
codec_put_policy_version(const struct policy_version *v, uint8_t *out)
{
	struct sink s = { .at = out, .left = codec_policy_version_size(v) };

	put_number(&s, FORMAT_POLICY_VERSION, 1);
	put_created(&s, v->created);
	put_text(&s, v->document);
	assert(!s.failed && s.left == 0);
}

enum err
codec_get_policy_version(struct view in, struct policy_version *out)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_POLICY_VERSION);
	out->created = get_created(&s);
	out->document = get_text(&s);
	if (get_end(&s))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

static int
compare(struct view a, struct view b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool
codec_check_attributes(struct view packed, size_t *count)
{
	struct view name, value, last = { NULL, 0 };

	for (*count = 0; packed.len > 0; ++*count) {
		if (*count == THING_ATTRIBUTES_MAX || !thing_attribute_next(&packed, &name, &value))
			return false;
		if (name.len > THING_ATTRIBUTE_NAME_MAX || value.len > THING_ATTRIBUTE_VALUE_MAX ||
		    compare(name, last) <= 0)
			return false;
		last = name;
	}
	return true;
}

static void
put_attribute(struct sink *s, struct view name, struct view value)
{
	if (value.len == 0)
		return;
	put_name(s, name);
	put_number(s, value.len, 2);
	put_bytes(s, value.data, value.len);
}

size_t
codec_merge_attributes(struct view old, struct view changes, uint8_t *out)
{
	struct sink s = { .at = out, .left = old.len + changes.len };
	struct view name, value, old_name, old_value;
	bool is_old = thing_attribute_next(&old, &old_name, &old_value);
	bool is_new = thing_attribute_next(&changes, &name, &value);

	while (is_old || is_new) {
		int order = !is_old ? 1 : !is_new ? -1 : compare(old_name, name);

		if (order < 0)
			put_attribute(&s, old_name, old_value);
		else
			put_attribute(&s, name, value);
		if (order <= 0)
			is_old = thing_attribute_next(&old, &old_name, &old_value);
		if (order >= 0)
			is_new = thing_attribute_next(&changes, &name, &value);
	}
	assert(!s.failed);
	return s.len;
}

size_t
codec_thing_size(const struct thing *thing)
{
	size_t count;

	if (thing->created < 0 || thing->type_name.len > NAME_MAX_LENGTH ||
	    thing->billing_group.len > NAME_MAX_LENGTH ||
	    !codec_check_attributes(thing->attributes, &count))
		return 0;
	return 1 + 4 + 8 + 8 + sizeof(thing->id.b) + 1 + thing->type_name.len + 1 +
	    thing->billing_group.len + LENGTH_SIZE + thing->attributes.len;
}

void
codec_put_thing(const struct thing *thing, uint8_t *out)
{
	struct sink s = { .at = out, .left = codec_thing_size(thing) };

	put_number(&s, FORMAT_THING, 1);
	put_number(&s, thing->version, 4);
	put_created(&s, thing->created);
	put_time(&s, thing->modified);
	put_bytes(&s, thing->id.b, sizeof(thing->id.b));
	put_name(&s, thing->type_name);
	put_name(&s, thing->billing_group);
	put_text(&s, thing->attributes);
	assert(!s.failed && s.left == 0);
}

enum err
codec_get_thing(struct view in, struct thing *out)
{
	struct source s = { .at = in.data, .left = in.len };
	size_t count;

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_THING);
	out->version = (uint32_t)get_number(&s, 4);
	out->created = get_created(&s);
	out->modified = get_time(&s);
	get_array(&s, out->id.b, sizeof(out->id.b));
	out->type_name = get_view(&s, get_one_of(&s, NAME_MAX_LENGTH + 1));
	out->billing_group = get_view(&s, get_one_of(&s, NAME_MAX_LENGTH + 1));
	out->attributes = get_text(&s);
	if (get_end(&s) && codec_check_attributes(out->attributes, &count))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}
