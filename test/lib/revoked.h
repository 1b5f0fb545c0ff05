/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * revoked.h - certificates and revocation lists in the world's registry, by number.
 */
#ifndef JITR_TEST_REVOKED_H
#define JITR_TEST_REVOKED_H

#include "suite.h"
#include "tiny.h"

#include "jitr/adapter/store.h"

#include "change.h" /* has a t: behind what has parameters of that name */

#define CREATED 1502379443476

static inline struct certid
id_number(unsigned n)
{
	struct certid id = { { (uint8_t)(n * 7), (uint8_t)(n >> 8), (uint8_t)n } };

	return id;
}

static inline struct certid
ca_number(unsigned n)
{
	struct certid id;

	memset(id.b, 0x77, sizeof(id.b));
	id.b[31] = (uint8_t)n;
	return id;
}

static inline void
put_cert(const struct certid *id, const struct certid *ca_or_null, struct view serial)
{
	uint8_t der[TINY_LEAST];
	struct cert cert = { .id = *id, .has_ca = ca_or_null != NULL, .created = CREATED };
	struct cert_document document = { .der = tiny_certificate(serial, sizeof(der), der) };

	if (ca_or_null != NULL)
		cert.ca_id = *ca_or_null;
	store_put_cert(&t, &cert, &document);
}

/* The date is the number of the list. */
static inline void
append(uint64_t list, struct view serial)
{
	struct revoked entry = { .date = CREATED + (int64_t)list, .reason = 1 };

	store_append_revoked(&t, list, serial, &entry);
}

static inline struct view
text(const char *serial)
{
	return view_of(serial);
}

static inline struct view
counted(uint32_t n, uint8_t out[5])
{
	out[0] = 1;
	for (size_t i = 0; i < 4; i++)
		out[1 + i] = (uint8_t)(n >> (24 - 8 * i));
	return (struct view){ out, 5 };
}

/* The number of certificates of the CA that the list names. */
static inline size_t
count_named(const struct certid *ca, uint64_t list)
{
	struct revoked_walk walk = { .serial_len = 0 };
	size_t steps = SIZE_MAX, count = 0;
	struct revoked entry;
	struct certid id;
	enum err e;

	while ((e = store_next_revoked_cert(&t, ca, list, &walk, &steps, &id, &entry)) == ERR_OK)
		count++;
	ck_assert_int_eq(e, ERR_NOT_FOUND);
	return count;
}

#endif
