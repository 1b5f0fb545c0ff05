/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * codec.c - CAs, certificates and messages; see codec.h.
 *
 * doc/storage.md documents every record byte by byte.
 */
#include <assert.h>
#include <string.h>

#include "codec_private.h"

/* The first byte of each record.  A new layout gets a new number. */
#define FORMAT_CA            1
#define FORMAT_CERT_OLD      1 /* of schema 1 to 4 */
#define FORMAT_CERT          2
#define FORMAT_CA_DOCUMENT   1
#define FORMAT_CA_DOCUMENT_2 2 /* with a form */
#define FORMAT_CERT_DOCUMENT 1
#define FORMAT_CERT_DER      2 /* a certificate document without PEM */
#define FORMAT_MESSAGE       1

/* Room for any hash used as a subjectKeyIdentifier (RFC 5280 4.2.1.2, RFC 7093). */
#define KEY_ID_MAX 64

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
	return put_end(&s);
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

/* Most certificates are announced when they are created, or never. */
enum announced { ANNOUNCED_NEVER, ANNOUNCED_AT_CREATION, ANNOUNCED_LATER, ANNOUNCED_COUNT };

enum {
	CERT_MODE_DEFAULT = 1,
	CERT_HAS_CA = 2,
	CERT_MODIFIED = 4,
	CERT_SHARED = 8,
	CERT_ANNOUNCED = 16, /* times enum announced */
};

static enum announced
announced_of(const struct cert *cert)
{
	if (cert->announced == 0)
		return ANNOUNCED_NEVER;
	return cert->announced == cert->created ? ANNOUNCED_AT_CREATION : ANNOUNCED_LATER;
}

static unsigned
cert_flags(const struct cert *cert)
{
	return (cert->mode == MODE_DEFAULT ? CERT_MODE_DEFAULT : 0u) |
	    (cert->has_ca ? CERT_HAS_CA : 0u) |
	    (cert->modified != cert->created ? CERT_MODIFIED : 0u) |
	    (cert->shared ? CERT_SHARED : 0u) | (unsigned)announced_of(cert) * CERT_ANNOUNCED;
}

size_t
codec_put_cert(const struct cert *cert, uint8_t out[CODEC_CERT_MAX])
{
	struct sink s = { .at = out, .left = CODEC_CERT_MAX };

	put_number(&s, FORMAT_CERT, 1);
	put_one_of(&s, cert->status, CERT_PENDING_ACTIVATION + 1);
	put_number(&s, cert_flags(cert), 1);
	put_time(&s, cert->not_before);
	put_time(&s, cert->not_after);
	put_created(&s, cert->created);
	put_number(&s, cert->version, 4);
	put_bytes(&s, cert->generation.b, sizeof(cert->generation.b));
	if (cert->has_ca)
		put_bytes(&s, cert->ca_id.b, sizeof(cert->ca_id.b));
	if (cert->modified != cert->created)
		put_time(&s, cert->modified);
	if (announced_of(cert) == ANNOUNCED_LATER)
		put_time(&s, cert->announced);
	return cert->mode <= MODE_DEFAULT ? put_end(&s) : 0;
}

static void
get_cert(struct source *s, struct cert *out)
{
	unsigned flags;

	out->status = (enum cert_status)get_one_of(s, CERT_PENDING_ACTIVATION + 1);
	flags = get_one_of(s, ANNOUNCED_COUNT * CERT_ANNOUNCED);
	out->mode = flags & CERT_MODE_DEFAULT ? MODE_DEFAULT : MODE_SNI_ONLY;
	out->has_ca = (flags & CERT_HAS_CA) != 0;
	out->shared = (flags & CERT_SHARED) != 0;
	out->not_before = get_time(s);
	out->not_after = get_time(s);
	out->created = out->modified = get_created(s);
	out->version = (uint32_t)get_number(s, 4);
	get_array(s, out->generation.b, sizeof(out->generation.b));
	if (out->has_ca)
		get_array(s, out->ca_id.b, sizeof(out->ca_id.b));
	if (flags & CERT_MODIFIED)
		out->modified = get_time(s);
	if (flags / CERT_ANNOUNCED == ANNOUNCED_AT_CREATION)
		out->announced = out->created;
	if (flags / CERT_ANNOUNCED == ANNOUNCED_LATER)
		out->announced = get_time(s);
	if (cert_flags(out) != flags) /* another encoding of the same record */
		s->failed = true;
}

/* Whether another certificate has its signed part is not known. */
static void
get_old_cert(struct source *s, struct cert *out)
{
	out->status = (enum cert_status)get_one_of(s, CERT_PENDING_ACTIVATION + 1);
	out->mode = (enum cert_mode)get_one_of(s, MODE_DEFAULT + 1);
	out->not_before = get_time(s);
	out->not_after = get_time(s);
	out->created = get_created(s);
	out->modified = get_time(s);
	out->announced = get_time(s);
	out->version = (uint32_t)get_number(s, 4);
	get_array(s, out->generation.b, sizeof(out->generation.b));
	out->has_ca = get_one_of(s, 2) == 1;
	if (out->has_ca)
		get_array(s, out->ca_id.b, sizeof(out->ca_id.b));
	out->shared = true;
}

enum err
codec_get_cert(struct view in, struct cert *out)
{
	struct source s = { .at = in.data, .left = in.len };
	uint64_t format = get_number(&s, 1);

	memset(out, 0, sizeof(*out));
	if (format == FORMAT_CERT)
		get_cert(&s, out);
	else if (format == FORMAT_CERT_OLD)
		get_old_cert(&s, out);
	else
		s.failed = true;
	if (get_end(&s))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

/* Records that consist of texts: each is preceded by its length. */
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

#define CA_TEXTS(d) \
	{ \
		(d)->der, (d)->pem, (d)->template_body, (d)->role_arn, (d)->tags, \
		    (d)->template_form \
	}
#define CA_TEXTS_COUNT 6

/* A record without a form is of format 1, which has no place for it. */
static size_t
ca_texts_count(const struct ca_document *d)
{
	return d->template_form.len > 0 ? CA_TEXTS_COUNT : CA_TEXTS_COUNT - 1;
}

size_t
codec_ca_document_size(const struct ca_document *d)
{
	struct view texts[CA_TEXTS_COUNT] = CA_TEXTS(d);

	return texts_size(texts, ca_texts_count(d));
}

void
codec_put_ca_document(const struct ca_document *d, uint8_t *out)
{
	struct view texts[CA_TEXTS_COUNT] = CA_TEXTS(d);

	put_texts(d->template_form.len > 0 ? FORMAT_CA_DOCUMENT_2 : FORMAT_CA_DOCUMENT, texts,
	    ca_texts_count(d), out);
}

enum err
codec_get_ca_document(struct view in, struct ca_document *out)
{
	struct view texts[CA_TEXTS_COUNT] = { { NULL, 0 } };
	bool has_form = in.len > 0 && in.data[0] == FORMAT_CA_DOCUMENT_2;
	enum err e = has_form ? get_texts(in, FORMAT_CA_DOCUMENT_2, texts, CA_TEXTS_COUNT)
			      : get_texts(in, FORMAT_CA_DOCUMENT, texts, CA_TEXTS_COUNT - 1);

	if (e == ERR_OK && has_form && texts[CA_TEXTS_COUNT - 1].len == 0) {
		memset(texts, 0, sizeof(texts));
		e = ERR_CORRUPT;
	}
	*out = (struct ca_document){ .der = texts[0],
		.pem = texts[1],
		.template_body = texts[2],
		.role_arn = texts[3],
		.tags = texts[4],
		.template_form = texts[5] };
	return e;
}

#define DER_LENGTH_SIZE 2

/* Without PEM a document takes as little room as possible. */
static bool
is_der_alone(const struct cert_document *d)
{
	return d->pem.len == 0 && d->der.len <= UINT16_MAX;
}

size_t
codec_cert_document_size(const struct cert_document *d)
{
	struct view texts[] = { d->der, d->pem };

	if (is_der_alone(d))
		return 1 + DER_LENGTH_SIZE + d->der.len;
	return texts_size(texts, COUNT_OF(texts));
}

void
codec_put_cert_document(const struct cert_document *d, uint8_t *out)
{
	struct view texts[] = { d->der, d->pem };
	struct sink s = { .at = out, .left = codec_cert_document_size(d) };

	if (!is_der_alone(d)) {
		put_texts(FORMAT_CERT_DOCUMENT, texts, COUNT_OF(texts), out);
		return;
	}
	put_number(&s, FORMAT_CERT_DER, 1);
	put_number(&s, d->der.len, DER_LENGTH_SIZE);
	put_bytes(&s, d->der.data, d->der.len);
	assert(!s.failed && s.left == 0);
}

static enum err
get_der(struct view in, struct cert_document *out)
{
	struct source s = { .at = in.data, .left = in.len };

	get_format(&s, FORMAT_CERT_DER);
	out->der = get_view(&s, (size_t)get_number(&s, DER_LENGTH_SIZE));
	if (get_end(&s))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

/* Schemas 1 to 4 have the first format also without PEM. */
enum err
codec_get_cert_document(struct view in, struct cert_document *out)
{
	struct view texts[2];
	enum err e;

	memset(out, 0, sizeof(*out));
	if (in.len > 0 && in.data[0] == FORMAT_CERT_DER)
		return get_der(in, out);
	e = get_texts(in, FORMAT_CERT_DOCUMENT, texts, COUNT_OF(texts));
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
