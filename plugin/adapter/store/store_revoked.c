/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_revoked.c - entries of revocation lists, and the certificates that they revoke;
 * see store.h.
 *
 * A key is the list number followed by the serial number.  LMDB sorts keys bytewise, a
 * prefix first, and serial_value() sorts the serial numbers of a CA in the same order,
 * so the two tables can be walked in parallel.
 */
#include <assert.h>
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

#define LIST_SIZE   8
#define REVOKED_MAX (LIST_SIZE + SERIAL_MAX)

/* With an empty serial number: sorts before all entries of the list. */
static struct view
list_key(uint64_t list, struct view serial, uint8_t out[REVOKED_MAX])
{
	number_put(out, LIST_SIZE, list);
	if (serial.len > 0)
		memcpy(out + LIST_SIZE, serial.data, serial.len);
	return (struct view){ out, LIST_SIZE + serial.len };
}

static bool
is_serial(struct view serial)
{
	return serial.len > 0 && serial.len <= SERIAL_MAX;
}

/* Appending behind all other rows is fast and fills pages completely.  If a newer list
 * has rows already, the entry is inserted instead. */
void
store_append_revoked(struct txn *t, uint64_t list, struct view serial, const struct revoked *entry)
{
	MDB_dbi table = t->store->tables[TABLE_REVOKED];
	uint8_t row[CODEC_REVOKED_MAX], bytes[REVOKED_MAX];
	size_t len = codec_put_revoked(entry, row);
	MDB_val key, value = { len, row };
	int rc;

	assert(t->writing);
	if (t->failed != ERR_OK)
		return;
	if (len == 0 || !is_serial(serial)) {
		txn_fail(t, ERR_STORAGE, "an entry of a revocation list that cannot be encoded");
		return;
	}
	t->store->changed = true;
	key = val_of(list_key(list, serial, bytes));
	rc = t->store->writing->put(t->handle, table, &key, &value, MDB_APPEND);
	if (rc == MDB_KEYEXIST)
		rc = t->store->writing->put(t->handle, table, &key, &value, MDB_NOOVERWRITE);
	if (rc == MDB_KEYEXIST)
		txn_fail(t, ERR_CORRUPT, "a revocation list that names a serial number twice");
	else
		txn_check(t, rc);
}

enum err
store_get_revoked(struct txn *t, uint64_t list, struct view serial, struct revoked *out)
{
	uint8_t bytes[REVOKED_MAX];
	struct view row;
	enum err e;

	if (!is_serial(serial))
		return ERR_NOT_FOUND;
	e = table_get(t, TABLE_REVOKED, list_key(list, serial, bytes), &row);
	return e == ERR_OK ? codec_get_revoked(row, out) : e;
}

/* The first row at or behind this key. */
static int
seek(MDB_cursor *rows, struct view place, MDB_val *key, MDB_val *value)
{
	*key = val_of(place);
	return mdb_cursor_get(rows, key, value, MDB_SET_RANGE);
}

static bool
is_of_list(const MDB_val *key, uint64_t list)
{
	return key->mv_size >= LIST_SIZE && number_get(key->mv_data, LIST_SIZE) == list;
}

enum err
store_next_list(struct txn *t, uint64_t from, uint64_t *list)
{
	static const struct view none;
	uint8_t bytes[REVOKED_MAX];
	MDB_cursor *rows;
	MDB_val key, value;
	int rc = table_cursor(t, TABLE_REVOKED, &rows);

	*list = 0;
	if (rc != 0)
		return store_error(rc);
	rc = seek(rows, list_key(from, none, bytes), &key, &value);
	mdb_cursor_close(rows);
	if (rc == 0 && key.mv_size < LIST_SIZE)
		return ERR_CORRUPT;
	if (rc == 0)
		*list = number_get(key.mv_data, LIST_SIZE);
	if (rc == 0 && *list < from)
		return ERR_CORRUPT;
	return store_error(rc);
}

/* Also drops rows that cannot be decoded. */
static int
drop_rows(struct txn *t, MDB_cursor *rows, uint64_t list, size_t max, bool *left)
{
	static const struct view none;
	uint8_t bytes[REVOKED_MAX];
	struct view first = list_key(list, none, bytes);
	MDB_val key, value;
	int rc;

	while ((rc = seek(rows, first, &key, &value)) == 0 && is_of_list(&key, list)) {
		if (max-- == 0) {
			*left = true;
			return 0;
		}
		t->store->changed = true;
		rc = t->store->writing->cursor_del(rows, 0);
		if (rc != 0)
			return rc;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

enum err
store_drop_revoked(struct txn *t, uint64_t list, size_t max, bool *left)
{
	MDB_cursor *rows;
	int rc;

	assert(t->writing);
	*left = false;
	if (t->failed != ERR_OK)
		return t->failed;
	rc = table_cursor(t, TABLE_REVOKED, &rows);
	if (rc == 0) {
		rc = drop_rows(t, rows, list, max, left);
		mdb_cursor_close(rows);
	}
	txn_check(t, rc);
	return t->failed;
}

/*
 * Which certificates does a list revoke?  A merge join of two sorted tables: each in
 * turn seeks the position of the other.  The cost is at most four seeks per row of the
 * smaller table.
 */
struct join {
	struct txn *txn;
	MDB_cursor *certs, *entries;
	const struct certid *ca_id;
	uint64_t list;
};

/* One row on each side, and one left, so that *steps 0 never means that the end was
 * reached. */
#define STEPS_AT_LEAST 3

static enum err
join_begin(struct join *j, struct txn *t, const struct certid *ca_id, uint64_t list)
{
	int rc;

	*j = (struct join){ .txn = t, .ca_id = ca_id, .list = list };
	rc = table_cursor(t, TABLE_SERIAL_CERT, &j->certs);
	if (rc != 0)
		return store_error(rc);
	rc = table_cursor(t, TABLE_REVOKED, &j->entries);
	if (rc != 0)
		mdb_cursor_close(j->certs);
	return store_error(rc);
}

static void
join_end(struct join *j)
{
	mdb_cursor_close(j->certs);
	mdb_cursor_close(j->entries);
}

static struct view
walk_serial(const struct revoked_walk *walk)
{
	return (struct view){ walk->serial, walk->serial_len };
}

/* All certificates with smaller serial numbers are done, and none with this one. */
static void
walk_to(struct revoked_walk *walk, struct view serial)
{
	if (view_equal(serial, walk_serial(walk)))
		return;
	memcpy(walk->serial, serial.data, serial.len);
	walk->serial_len = serial.len;
	walk->answered = false;
}

/* The first certificate that was not returned yet.  LMDB finds the first value that is
 * not less, unless a damaged page has its values in another order: then the walk would not
 * end. */
static int
seek_cert(const struct join *j, const struct revoked_walk *walk, MDB_val *value)
{
	uint8_t bytes[SERIAL_VALUE_MAX];
	struct cert_place last = cert_place_of(walk->position.created, &walk->position.id);
	struct view from = serial_value(walk_serial(walk), walk->answered ? &last : NULL, bytes);
	MDB_val key = val_of(id_key(j->ca_id));
	int rc;

	*value = val_of(from);
	rc = mdb_cursor_get(j->certs, &key, value, MDB_GET_BOTH_RANGE);
	if (rc == 0 && view_equal(view_of_val(value), from))
		rc = mdb_cursor_get(j->certs, &key, value, MDB_NEXT_DUP);
	return rc == 0 && view_order(view_of_val(value), from) <= 0 ? MDB_CORRUPTED : rc;
}

/* A certificate whose record cannot be read has its id and no time; without a record it
 * has another id. */
static enum err
next_cert(const struct join *j, struct revoked_walk *walk, struct cert *cert)
{
	uint8_t serial[SERIAL_MAX];
	struct cert_place place;
	size_t len;
	MDB_val value;
	int rc = seek_cert(j, walk, &value);
	enum err e = rc == 0 ? serial_value_read(view_of_val(&value), serial, &len, &place)
			     : store_error(rc);

	if (e != ERR_OK)
		return e;
	walk_to(walk, (struct view){ serial, len });
	e = cert_place_find(j->txn, &place, cert);
	cert->created = (int64_t)number_get(place.b, PLACE_TIME);
	return e == ERR_STORAGE ? e : ERR_OK;
}

/* Is the serial number of the walk on the list?  If not, advances the walk to the next
 * one that is. */
static enum err
next_entry(struct join *j, struct revoked_walk *walk, bool *found, struct revoked *out)
{
	uint8_t bytes[REVOKED_MAX];
	struct view place = list_key(j->list, walk_serial(walk), bytes), serial;
	MDB_val key, value;
	int rc = seek(j->entries, place, &key, &value);

	if (rc != 0)
		return store_error(rc);
	if (!is_of_list(&key, j->list))
		return ERR_NOT_FOUND;
	serial = view_of_val(&key);
	serial = view_from(serial, LIST_SIZE);
	if (!is_serial(serial) || view_order(view_of_val(&key), place) < 0)
		return ERR_CORRUPT;
	*found = view_equal(serial, walk_serial(walk));
	if (*found)
		return codec_get_revoked(view_of_val(&value), out);
	walk_to(walk, serial);
	return ERR_OK;
}

/* Returns the next match and advances the walk past it. */
static enum err
join_next(struct join *j, struct revoked_walk *walk, size_t *steps, struct certid *id,
    struct revoked *out)
{
	bool found = false;
	struct cert cert;
	enum err e = ERR_OK;

	while (e == ERR_OK && !found) {
		if (*steps < STEPS_AT_LEAST) {
			*steps = 0;
			return ERR_NOT_FOUND;
		}
		--*steps;
		e = next_cert(j, walk, &cert);
		if (e != ERR_OK)
			return e;
		--*steps;
		e = next_entry(j, walk, &found, out);
	}
	if (e == ERR_OK) {
		*id = cert.id;
		walk->answered = true;
		walk->position = (struct position){ cert.created, cert.id };
	}
	return e;
}

enum err
store_next_revoked_cert(struct txn *t, const struct certid *ca_id, uint64_t list,
    struct revoked_walk *walk, size_t *steps, struct certid *id, struct revoked *out)
{
	struct join j;
	enum err e = join_begin(&j, t, ca_id, list);

	if (e != ERR_OK)
		return e;
	e = join_next(&j, walk, steps, id, out);
	join_end(&j);
	return e;
}
