/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_list.c - listings of CAs and certificates; see store.h.
 *
 * An index row without its record, or with one that belongs elsewhere, is ERR_CORRUPT.
 */
#include <string.h>

#include "store_private.h"

/* Records are created after 1970; an earlier position is before the first. */
static struct range
by_time_range(enum table table, struct view prefix, const struct listing *l,
    uint8_t after[BY_TIME_SIZE])
{
	static const struct certid lowest;
	struct range r = { .table = table,
		.prefix = prefix,
		.ascending = l->ascending,
		.least = BY_TIME_SIZE,
		.most = BY_TIME_SIZE };

	if (l->after != NULL && l->after->created < 0)
		r.after = by_time_key(0, &lowest, after);
	else if (l->after != NULL)
		r.after = by_time_key(l->after->created, &l->after->id, after);
	return r;
}

/* All keys end with the id. */
static struct certid
id_of(struct view key)
{
	struct certid id;

	memcpy(id.b, key.data + key.len - sizeof(id.b), sizeof(id.b));
	return id;
}

static enum err
read_ca(struct txn *t, const void *context, const struct row *row, void *out)
{
	struct certid id = id_of(row->key);
	uint8_t expected[BY_TIME_SIZE];
	struct ca *ca = out;
	enum err e = store_get_ca(t, &id, ca);

	(void)context;
	if (e == ERR_NOT_FOUND ||
	    (e == ERR_OK && !view_equal(row->key, by_time_key(ca->created, &id, expected))))
		return ERR_CORRUPT;
	return e;
}

enum err
store_list_cas(struct txn *t, const struct listing *l, struct ca *out, size_t max, size_t *count)
{
	uint8_t after[BY_TIME_SIZE];
	struct range r = by_time_range(TABLE_CA_BY_TIME, (struct view){ NULL, 0 }, l, after);
	struct row_reader reader = { read_ca, NULL, out, sizeof(*out) };

	return list_rows(t, &r, &reader, max, count);
}

/* The key of a certificate in the index of this listing; empty: none. */
static struct view
cert_key(const struct listing *l, const struct cert *cert, uint8_t out[CERT_BY_CA_SIZE])
{
	if (l->ca != NULL && !cert->has_ca)
		return (struct view){ NULL, 0 };
	if (l->ca != NULL)
		return cert_by_ca_key(&cert->ca_id, cert->created, &cert->id, out);
	if (l->status != NULL)
		return cert_by_status_key(cert->status, cert->created, &cert->id, out);
	return by_time_key(cert->created, &cert->id, out);
}

static enum err
read_cert(struct txn *t, const void *context, const struct row *row, void *out)
{
	struct certid id = id_of(row->key);
	uint8_t expected[CERT_BY_CA_SIZE];
	struct cert *cert = out;
	enum err e = store_get_cert(t, &id, cert);

	if (e == ERR_NOT_FOUND ||
	    (e == ERR_OK && !view_equal(row->key, cert_key(context, cert, expected))))
		return ERR_CORRUPT;
	return e;
}

enum err
store_list_certs(struct txn *t, const struct listing *l, struct cert *out, size_t max,
    size_t *count)
{
	uint8_t after[BY_TIME_SIZE], status = l->status != NULL ? (uint8_t)*l->status : 0;
	struct row_reader reader = { read_cert, l, out, sizeof(*out) };
	struct range r;

	if (l->ca != NULL)
		r = by_time_range(TABLE_CERT_BY_CA, id_key(l->ca), l, after);
	else if (l->status != NULL)
		r = by_time_range(TABLE_CERT_BY_STATUS, (struct view){ &status, 1 }, l, after);
	else
		r = by_time_range(TABLE_CERT_BY_TIME, (struct view){ NULL, 0 }, l, after);
	return list_rows(t, &r, &reader, max, count);
}

enum err
store_has_cert_of(struct txn *t, const struct certid *ca_id, bool *out)
{
	struct listing all = { .ascending = true };
	uint8_t after[BY_TIME_SIZE];
	struct range r = by_time_range(TABLE_CERT_BY_CA, id_key(ca_id), &all, after);
	struct walk w;
	struct row row;
	enum err e = walk_begin(&w, t, &r);

	if (e == ERR_OK)
		e = walk_next(&w, &row);
	*out = e == ERR_OK;
	walk_end(&w);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
