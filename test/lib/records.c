/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */

#include <check.h>
#include <string.h>

#include "records.h"

#include "jitr/core/der.h"
#include "jitr/adapter/x509.h"
#include "stores.h"
#include "tiny.h"

/* The ids are in no order, as hashes are. */
struct certid
id_number(uint32_t n)
{
	struct certid id;

	for (size_t i = 0; i < 28; i++)
		id.b[i] = (uint8_t)((n + 1) * 2654435761u >> (i % 4 * 8));
	for (size_t i = 0; i < 4; i++)
		id.b[28 + i] = (uint8_t)(n >> (24 - 8 * i));
	return id;
}

uint32_t
number_of(const struct certid *id)
{
	return (uint32_t)id->b[28] << 24 | (uint32_t)id->b[29] << 16 | (uint32_t)id->b[30] << 8 |
	    id->b[31];
}

struct certid
ca_id_number(uint32_t n)
{
	return id_number(1000000 + n);
}

struct ca
ca_number(uint32_t n)
{
	static const uint8_t key_id[20] = { 0xfb, 0x19, 0x68, 0xed, 0x25 };

	return (struct ca){ .id = ca_id_number(n),
		.status = CA_ACTIVE,
		.mode = MODE_DEFAULT,
		.auto_registration = true,
		.not_before = -1,
		.not_after = CREATED + 1,
		.created = CREATED + n,
		.modified = CREATED + n,
		.version = 1,
		.generation = { { 0xca, (uint8_t)n } },
		.subject_hash = 0x10000000 + n % 3,
		.key_id = { key_id, sizeof(key_id) } };
}

struct cert
cert_number(uint32_t n)
{
	struct cert cert = { .id = id_number(n),
		.status = CERT_PENDING_ACTIVATION,
		.mode = MODE_DEFAULT,
		.not_before = -5,
		.not_after = CREATED + 7,
		.created = CREATED + n / 3,
		.modified = CREATED + n / 3,
		.announced = CREATED,
		.version = n,
		.generation = { { 0xce, (uint8_t)n } } };

	cert.has_ca = n % (CA_COUNT + 1) < CA_COUNT;
	if (cert.has_ca)
		cert.ca_id = ca_id_number(n % (CA_COUNT + 1));
	return cert;
}

static struct view
serial_number(uint32_t n, uint8_t out[4])
{
	for (size_t i = 0; i < 4; i++)
		out[i] = (uint8_t)((0x01000000 + n / 2) >> (24 - 8 * i));
	return (struct view){ out, 4 };
}

struct view
der_number(uint32_t n, size_t size)
{
	static uint8_t der[TINY_MOST];
	uint8_t serial[4];

	return tiny_certificate(serial_number(n, serial), size, der);
}

void
put_cert_number(struct txn *t, uint32_t n)
{
	struct cert cert = cert_number(n);
	struct cert_document document = { .der = der_number(n, 900), .pem = view_of("pem") };

	store_put_cert(t, &cert, &document);
}

void
put_ca_number(struct txn *t, uint32_t n)
{
	struct ca ca = ca_number(n);
	struct ca_document document = { .der = view_of("der"),
		.pem = view_of("pem"),
		.tags = view_of("[]") };

	store_put_ca(t, &ca, &document);
}

void
put_certs(struct store *s, uint32_t first, uint32_t count)
{
	struct txn t = writing(s);

	for (uint32_t n = first; n < first + count; n++)
		put_cert_number(&t, n);
	commit(&t);
}

struct view
der_in_form(uint32_t n, uint8_t form)
{
	static uint8_t der[TINY_LEAST + 3];
	uint8_t serial[4], tiny[TINY_LEAST];
	size_t len = sizeof(der) - 4;

	(void)tiny_certificate(serial_number(n, serial), sizeof(tiny), tiny);
	memcpy(der, tiny, sizeof(tiny));
	der[2] = (uint8_t)(len >> 8);
	der[3] = (uint8_t)len;
	memcpy(der + sizeof(tiny), (uint8_t[]){ 0x04, 0x01, form }, 3);
	return (struct view){ der, sizeof(der) };
}

void
put_in_form(struct txn *t, uint32_t n, uint8_t form)
{
	struct cert cert = cert_number(n + 1000u * form);
	struct cert_document document = { .der = der_in_form(n, form) };

	cert.status = form == 1 ? CERT_REVOKED : CERT_ACTIVE;
	store_put_cert(t, &cert, &document);
}

struct certid
content_of(uint32_t n)
{
	struct certid content;

	ck_assert_int_eq(sha256_of(der_certificate_signed_part(der_in_form(n, 0)), &content),
	    ERR_OK);
	return content;
}

void
put_every_serial(struct txn *t, uint32_t below)
{
	struct revoked entry = { .date = CREATED, .reason = REVOKED_UNSPECIFIED };

	for (uint32_t n = 0; n < below; n += 2) {
		uint8_t serial[4];

		store_append_revoked(t, EVERY_SERIAL, serial_number(n, serial), &entry);
	}
}

void
assert_view(struct view v, const char *text)
{
	ck_assert_uint_eq(v.len, strlen(text));
	if (v.len > 0)
		ck_assert_mem_eq(v.data, text, v.len);
}

void
assert_same_cert(const struct cert *a, const struct cert *b)
{
	ck_assert(certid_equal(&a->id, &b->id));
	ck_assert_int_eq(a->has_ca, b->has_ca);
	ck_assert(certid_equal(&a->ca_id, &b->ca_id));
	ck_assert_int_eq(a->status, b->status);
	ck_assert_int_eq(a->mode, b->mode);
	ck_assert_int_eq(a->not_before, b->not_before);
	ck_assert_int_eq(a->not_after, b->not_after);
	ck_assert_int_eq(a->created, b->created);
	ck_assert_int_eq(a->modified, b->modified);
	ck_assert_int_eq(a->announced, b->announced);
	ck_assert_uint_eq(a->version, b->version);
	ck_assert_mem_eq(&a->generation, &b->generation, sizeof(a->generation));
}

void
assert_same_ca(const struct ca *a, const struct ca *b)
{
	ck_assert(certid_equal(&a->id, &b->id));
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
	ck_assert_uint_eq(a->key_id.len, b->key_id.len);
	ck_assert_mem_eq(a->key_id.data, b->key_id.data, a->key_id.len);
}
