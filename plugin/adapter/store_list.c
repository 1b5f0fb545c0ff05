/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_list.c - see store.h: listings.
 *
 * A listing walks over an index from where it stopped, wherever that is by
 * now: no page of it depends on the one before being unchanged.  An index row
 * without its record, or with one that belongs elsewhere, is ERR_CORRUPT.
 */
#include <string.h>

#include "store_private.h"

/* A way through an index: over the keys that begin with the same prefix. */
struct walk {
	MDB_cursor *cursor;
	bool        ascending;
	bool        started;
	size_t      prefix;                /* bytes of start that all keys share */
	size_t      size;                  /* of each key */
	uint8_t     start[CERT_BY_CA_SIZE]; /* the walk is beyond this, not at it */
};

static const struct certid *
lowest_id(void)
{
	static const struct certid zero;

	return &zero;
}

/* Without a position the walk starts before the first or behind the last key
 * there can be: an id of all zeros or a time in the far future is nobody's.
 * Nothing was created before 1970, so a position there is before the first. */
static void
set_start(struct walk *w, const struct listing *l)
{
	uint8_t *at = w->start + w->prefix;

	if (l->after == NULL && !l->ascending)
		memset(at, 0xff, BY_TIME_SIZE);
	else if (l->after == NULL || l->after->created < 0)
		(void)by_time_key(0, lowest_id(), at);
	else
		(void)by_time_key(l->after->created, &l->after->id, at);
}

static enum err
walk_begin(struct walk *w, struct txn *t, enum table table, const struct certid *ca,
    const struct listing *l)
{
	memset(w, 0, sizeof(*w));
	w->ascending = l->ascending;
	if (ca != NULL) {
		w->prefix = sizeof(ca->b);
		memcpy(w->start, ca->b, sizeof(ca->b));
	}
	w->size = w->prefix + BY_TIME_SIZE;
	set_start(w, l);
	return store_error(table_cursor(t, table, &w->cursor));
}

static bool
is_key(const MDB_val *key, struct view expected)
{
	return key->mv_size == expected.len &&
	    memcmp(key->mv_data, expected.data, expected.len) == 0;
}

static int
walk_start(const struct walk *w, MDB_val *key)
{
	struct view start = { w->start, w->size };
	MDB_val value;
	int rc;

	*key = val_of(start);
	rc = mdb_cursor_get(w->cursor, key, &value, MDB_SET_RANGE);
	if (w->ascending) {
		if (rc == 0 && is_key(key, start))
			rc = mdb_cursor_get(w->cursor, key, &value, MDB_NEXT);
		return rc;
	}
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	return mdb_cursor_get(w->cursor, key, &value, rc == 0 ? MDB_PREV : MDB_LAST);
}

/* The next key, until ERR_NOT_FOUND. */
static enum err
walk_next(struct walk *w, MDB_val *key)
{
	MDB_val value;
	int rc;

	if (w->started)
		rc = mdb_cursor_get(w->cursor, key, &value, w->ascending ? MDB_NEXT : MDB_PREV);
	else
		rc = walk_start(w, key);
	w->started = true;
	if (rc != 0)
		return store_error(rc);
	if (key->mv_size != w->size)
		return ERR_CORRUPT;
	return memcmp(key->mv_data, w->start, w->prefix) == 0 ? ERR_OK : ERR_NOT_FOUND;
}

static void
walk_end(struct walk *w)
{
	if (w->cursor != NULL)
		mdb_cursor_close(w->cursor);
}

static struct certid
id_of(const MDB_val *key)
{
	struct certid id;

	memcpy(id.b, (const uint8_t *)key->mv_data + key->mv_size - sizeof(id.b), sizeof(id.b));
	return id;
}

static enum err
get_listed_ca(struct txn *t, const MDB_val *key, struct ca *out)
{
	struct certid id = id_of(key);
	uint8_t expected[BY_TIME_SIZE];
	enum err e = store_get_ca(t, &id, out);

	if (e == ERR_NOT_FOUND ||
	    (e == ERR_OK && !is_key(key, by_time_key(out->created, &id, expected))))
		return ERR_CORRUPT;
	return e;
}

enum err
store_list_cas(struct txn *t, const struct listing *l, struct ca *out, size_t max,
    size_t *count)
{
	struct walk w;
	MDB_val key;
	enum err e = walk_begin(&w, t, TABLE_CA_BY_TIME, NULL, l);

	for (*count = 0; e == ERR_OK && *count < max; *count += e == ERR_OK) {
		e = walk_next(&w, &key);
		if (e == ERR_OK)
			e = get_listed_ca(t, &key, &out[*count]);
	}
	walk_end(&w);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
get_listed_cert(struct txn *t, const struct certid *ca, const MDB_val *key, struct cert *out)
{
	struct certid id = id_of(key);
	uint8_t buffer[CERT_BY_CA_SIZE];
	struct view expected;
	enum err e = store_get_cert(t, &id, out);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	if (ca != NULL && !out->has_ca)
		return ERR_CORRUPT;
	expected = ca != NULL ? cert_by_ca_key(&out->ca_id, out->created, &id, buffer)
	                      : by_time_key(out->created, &id, buffer);
	return is_key(key, expected) ? ERR_OK : ERR_CORRUPT;
}

enum err
store_list_certs(struct txn *t, const struct listing *l, struct cert *out, size_t max,
    size_t *count)
{
	struct walk w;
	MDB_val key;
	enum table table = l->ca != NULL ? TABLE_CERT_BY_CA : TABLE_CERT_BY_TIME;
	enum err e = walk_begin(&w, t, table, l->ca, l);

	for (*count = 0; e == ERR_OK && *count < max; *count += e == ERR_OK) {
		e = walk_next(&w, &key);
		if (e == ERR_OK)
			e = get_listed_cert(t, l->ca, &key, &out[*count]);
	}
	walk_end(&w);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
store_has_cert_of(struct txn *t, const struct certid *ca_id, bool *out)
{
	struct listing all = { .ca = ca_id, .ascending = true };
	struct walk w;
	MDB_val key;
	enum err e = walk_begin(&w, t, TABLE_CERT_BY_CA, ca_id, &all);

	if (e == ERR_OK)
		e = walk_next(&w, &key);
	*out = e == ERR_OK;
	walk_end(&w);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
