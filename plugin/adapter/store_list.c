/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_list.c - see store.h: listings of CAs and of certificates.
 *
 * An index row without its record, or with one that belongs elsewhere, is
 * ERR_CORRUPT.
 */
#include <string.h>

#include "store_private.h"

/* Nothing was created before 1970: a position there is before the first. */
static struct range
by_time_range(enum table table, const struct certid *ca, const struct listing *l,
    uint8_t after[BY_TIME_SIZE])
{
	static const struct certid lowest;
	struct range r = { .table = table, .ascending = l->ascending, .least = BY_TIME_SIZE,
		.most = BY_TIME_SIZE };

	if (ca != NULL)
		r.prefix = id_key(ca);
	if (l->after != NULL && l->after->created < 0)
		r.after = by_time_key(0, &lowest, after);
	else if (l->after != NULL)
		r.after = by_time_key(l->after->created, &l->after->id, after);
	return r;
}

/* Both keys end with the id. */
static struct certid
id_of(struct view key)
{
	struct certid id;

	memcpy(id.b, key.data + key.len - sizeof(id.b), sizeof(id.b));
	return id;
}

static enum err
take_ca(struct txn *t, const void *of, const struct row *row, void *out)
{
	struct certid id = id_of(row->key);
	uint8_t expected[BY_TIME_SIZE];
	struct ca *ca = out;
	enum err e = store_get_ca(t, &id, ca);

	(void)of;
	if (e == ERR_NOT_FOUND ||
	    (e == ERR_OK && !view_equal(row->key, by_time_key(ca->created, &id, expected))))
		return ERR_CORRUPT;
	return e;
}

enum err
store_list_cas(struct txn *t, const struct listing *l, struct ca *out, size_t max,
    size_t *count)
{
	uint8_t after[BY_TIME_SIZE];
	struct range r = by_time_range(TABLE_CA_BY_TIME, NULL, l, after);
	struct taker taker = { take_ca, NULL, out, sizeof(*out) };

	return list_rows(t, &r, &taker, max, count);
}

static enum err
take_cert(struct txn *t, const void *of, const struct row *row, void *out)
{
	struct certid id = id_of(row->key);
	uint8_t buffer[CERT_BY_CA_SIZE];
	struct cert *cert = out;
	struct view expected;
	enum err e = store_get_cert(t, &id, cert);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	if (of != NULL && !cert->has_ca)
		return ERR_CORRUPT;
	expected = of != NULL ? cert_by_ca_key(&cert->ca_id, cert->created, &id, buffer)
	                      : by_time_key(cert->created, &id, buffer);
	return view_equal(row->key, expected) ? ERR_OK : ERR_CORRUPT;
}

enum err
store_list_certs(struct txn *t, const struct listing *l, struct cert *out, size_t max,
    size_t *count)
{
	uint8_t after[BY_TIME_SIZE];
	enum table table = l->ca != NULL ? TABLE_CERT_BY_CA : TABLE_CERT_BY_TIME;
	struct range r = by_time_range(table, l->ca, l, after);
	struct taker taker = { take_cert, l->ca, out, sizeof(*out) };

	return list_rows(t, &r, &taker, max, count);
}

enum err
store_has_cert_of(struct txn *t, const struct certid *ca_id, bool *out)
{
	struct listing all = { .ascending = true };
	uint8_t after[BY_TIME_SIZE];
	struct range r = by_time_range(TABLE_CERT_BY_CA, ca_id, &all, after);
	struct walk w;
	struct row row;
	enum err e = walk_begin(&w, t, &r);

	if (e == ERR_OK)
		e = walk_next(&w, &row);
	*out = e == ERR_OK;
	walk_end(&w);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
