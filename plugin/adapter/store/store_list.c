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
by_time_range(const struct listing *l, uint8_t after[BY_TIME_SIZE])
{
	static const struct certid lowest;
	struct range r = { .table = TABLE_CA_BY_TIME,
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
	struct range r = by_time_range(l, after);
	struct row_reader reader = { read_ca, NULL, out, sizeof(*out) };

	return list_rows(t, &r, &reader, max, count);
}

/*
 * Certificates: keys of TABLE_DOCUMENT, or values of one key of an index, are places.
 */

static bool
belongs(const struct listing *l, const struct cert *cert)
{
	if (l->ca != NULL)
		return cert->has_ca && certid_equal(&cert->ca_id, l->ca);
	return l->status == NULL || cert->status == *l->status;
}

static enum err
read_place(struct txn *t, const struct listing *l, struct view bytes, struct cert *out)
{
	struct cert_place place;
	enum err e = cert_place_read(bytes, &place);

	if (e == ERR_OK)
		e = cert_place_find(t, &place, out);
	return e == ERR_NOT_FOUND || (e == ERR_OK && !belongs(l, out)) ? ERR_CORRUPT : e;
}

static enum err
read_document_row(struct txn *t, const void *context, const struct row *row, void *out)
{
	return read_place(t, context, row->key, out);
}

/* The values of a damaged page may be in another order: a listing of them would not end. */
static bool
is_behind(const struct cert_place *p, const struct cert_place *last_or_null, bool ascending)
{
	int order;

	if (last_or_null == NULL)
		return true;
	order = memcmp(p->b, last_or_null->b, sizeof(p->b));
	return ascending ? order > 0 : order < 0;
}

/* The first value of a key behind a place, or in front of it. */
static int
start_values(MDB_cursor *rows, struct view of, const struct cert_place *after_or_null,
    bool ascending, MDB_val *value)
{
	MDB_val key = val_of(of);
	int rc = MDB_NOTFOUND;

	if (after_or_null != NULL) {
		*value = val_of(cert_place_key(after_or_null));
		rc = mdb_cursor_get(rows, &key, value, MDB_GET_BOTH_RANGE);
		if (rc == 0 && !ascending)
			return mdb_cursor_get(rows, &key, value, MDB_PREV_DUP);
		if (rc == 0 && view_equal(view_of_val(value), cert_place_key(after_or_null)))
			return mdb_cursor_get(rows, &key, value, MDB_NEXT_DUP);
		if (rc != MDB_NOTFOUND || ascending)
			return rc;
		key = val_of(of);
	}
	rc = mdb_cursor_get(rows, &key, value, MDB_SET);
	return rc == 0 && !ascending ? mdb_cursor_get(rows, &key, value, MDB_LAST_DUP) : rc;
}

static enum err
list_values(struct txn *t, const struct listing *l, MDB_cursor *rows, struct view of,
    const struct cert_place *after_or_null, struct cert *out, size_t max, size_t *count)
{
	struct cert_place last, here;
	MDB_val key, value;
	int rc = start_values(rows, of, after_or_null, l->ascending, &value);

	while (rc == 0 && *count < max) {
		enum err e = read_place(t, l, view_of_val(&value), &out[*count]);

		if (e != ERR_OK)
			return e;
		here = cert_place_of(out[*count].created, &out[*count].id);
		if (!is_behind(&here, after_or_null, l->ascending))
			return ERR_CORRUPT;
		last = here;
		after_or_null = &last;
		(*count)++;
		rc = mdb_cursor_get(rows, &key, &value, l->ascending ? MDB_NEXT_DUP : MDB_PREV_DUP);
	}
	return rc == MDB_NOTFOUND ? ERR_OK : store_error(rc);
}

static enum err
list_index(struct txn *t, const struct listing *l, enum table table, struct view of,
    const struct cert_place *after_or_null, struct cert *out, size_t max, size_t *count)
{
	MDB_cursor *rows;
	int rc = table_cursor(t, table, &rows);
	enum err e;

	*count = 0;
	if (rc != 0)
		return store_error(rc);
	e = list_values(t, l, rows, of, after_or_null, out, max, count);
	mdb_cursor_close(rows);
	return e;
}

enum err
store_list_certs(struct txn *t, const struct listing *l, struct cert *out, size_t max,
    size_t *count)
{
	static const struct certid lowest;
	uint8_t status = l->status != NULL ? (uint8_t)*l->status : 0;
	struct row_reader reader = { read_document_row, l, out, sizeof(*out) };
	struct cert_place place, *after = NULL;
	struct range all = { .table = TABLE_DOCUMENT,
		.ascending = l->ascending,
		.least = PLACE_SIZE,
		.most = PLACE_SIZE };

	if (l->after != NULL) {
		place = cert_place_of(l->after->created,
		    l->after->created < 0 ? &lowest : &l->after->id);
		after = &place;
		all.after = cert_place_key(after);
	}
	if (l->ca != NULL)
		return list_index(t, l, TABLE_CA_CERT, id_key(l->ca), after, out, max, count);
	if (l->status != NULL)
		return list_index(t, l, TABLE_STATUS_CERT, (struct view){ &status, 1 }, after, out,
		    max, count);
	return list_rows(t, &all, &reader, max, count);
}

enum err
store_has_cert_of(struct txn *t, const struct certid *ca_id, bool *out)
{
	struct view value;

	return store_optional(table_get(t, TABLE_CA_CERT, id_key(ca_id), &value), out);
}
