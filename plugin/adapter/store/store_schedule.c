/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_schedule.c - scheduled changes; see store.h. */
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

#define LONGEST_KEY 511 /* LMDB's limit */

/* Flipping the sign bit makes negative times sort before positive ones. */
#define SIGN ((uint64_t)1 << 63)

#define SCHEDULE_SIZE (1 + 8 + 32)

/* kind, time (signed: before 1970 sorts first), id */
static struct view
schedule_key(enum schedule_kind kind, int64_t time, const struct certid *id,
    uint8_t out[SCHEDULE_SIZE])
{
	out[0] = (uint8_t)kind;
	number_put(out + 1, 8, (uint64_t)time ^ SIGN);
	memcpy(out + 1 + 8, id->b, sizeof(id->b));
	return (struct view){ out, SCHEDULE_SIZE };
}

static enum err
read_entry(const MDB_val *key, const MDB_val *value, struct schedule_entry *out)
{
	struct view bytes = view_of_val(key);

	if (bytes.len != SCHEDULE_SIZE)
		return ERR_CORRUPT;
	out->time = (int64_t)(number_get(bytes.data + 1, 8) ^ SIGN);
	memcpy(out->id.b, bytes.data + 1 + 8, sizeof(out->id.b));
	return codec_get_successor(view_of_val(value), &out->successor);
}

/* The key of the first entry, whether or not it can be decoded. */
static enum err
first_of(struct txn *t, enum schedule_kind kind, MDB_val *key, MDB_val *value)
{
	uint8_t first = (uint8_t)kind;
	MDB_val found = { sizeof(first), &first };
	MDB_cursor *cursor;
	int rc = table_cursor(t, TABLE_SCHEDULE, &cursor);

	if (rc != 0)
		return store_error(rc);
	rc = mdb_cursor_get(cursor, &found, value, MDB_SET_RANGE);
	mdb_cursor_close(cursor);
	if (rc != 0)
		return store_error(rc);
	*key = found;
	return *(const uint8_t *)key->mv_data == first ? ERR_OK : ERR_NOT_FOUND;
}

/*
 * The expiry of certificates: a row of its index each.
 */

struct view
expiry_value(int64_t time, const struct cert_place *p, uint8_t out[EXPIRY_SIZE])
{
	number_put(out, 8, (uint64_t)time ^ SIGN);
	memcpy(out + 8, p->b, sizeof(p->b));
	return (struct view){ out, EXPIRY_SIZE };
}

static int
first_expiry(struct txn *t, MDB_val *value)
{
	MDB_val key = val_of(common_key());

	return mdb_get(t->handle, t->store->tables[TABLE_EXPIRY], &key, value);
}

/* A certificate whose record cannot be read has its id, too. */
static enum err
read_expiry(struct txn *t, struct view row, struct schedule_entry *out)
{
	struct cert_place place;
	struct cert cert;
	enum err e;

	if (row.len != EXPIRY_SIZE)
		return ERR_CORRUPT;
	out->time = (int64_t)(number_get(row.data, 8) ^ SIGN);
	e = cert_place_read(view_from(row, 8), &place);
	if (e == ERR_OK)
		e = cert_place_find(t, &place, &cert);
	if (e == ERR_STORAGE)
		return e;
	out->id = cert.id;
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : ERR_OK;
}

static enum err
next_expiry(struct txn *t, struct schedule_entry *out)
{
	MDB_val value;
	int rc = first_expiry(t, &value);

	return rc == 0 ? read_expiry(t, view_of_val(&value), out) : store_error(rc);
}

static void
drop_expiry(struct txn *t)
{
	uint8_t copy[LONGEST_KEY];
	struct view row = { copy, 0 };
	MDB_val value;

	if (first_expiry(t, &value) != 0 || value.mv_size > sizeof(copy))
		return;
	memcpy(copy, value.mv_data, value.mv_size);
	row.len = value.mv_size;
	table_delete(t, TABLE_EXPIRY, common_key(), &row);
}

/* The time of creation is not known if the record cannot be read: of the rows of this
 * time one has the beginning of the id. */
static int
seek_expiry(MDB_cursor *rows, const struct schedule_entry *entry)
{
	static const struct cert_place first;
	uint8_t bytes[EXPIRY_SIZE];
	MDB_val key = val_of(common_key());
	MDB_val value = val_of(expiry_value(entry->time, &first, bytes));
	int rc = mdb_cursor_get(rows, &key, &value, MDB_GET_BOTH_RANGE);

	for (; rc == 0; rc = mdb_cursor_get(rows, &key, &value, MDB_NEXT_DUP)) {
		const uint8_t *row = value.mv_data;

		if (value.mv_size != EXPIRY_SIZE || memcmp(row, bytes, 8) != 0)
			return MDB_NOTFOUND;
		if (memcmp(row + 8 + PLACE_TIME, entry->id.b, PLACE_ID) == 0)
			return 0;
	}
	return rc;
}

static void
delete_expiry(struct txn *t, const struct schedule_entry *entry)
{
	MDB_cursor *rows;
	int rc;

	if (t->failed != ERR_OK)
		return;
	rc = table_cursor(t, TABLE_EXPIRY, &rows);
	if (rc == 0) {
		rc = seek_expiry(rows, entry);
		t->store->changed |= rc == 0;
		if (rc == 0)
			rc = t->store->writing->cursor_del(rows, 0);
		mdb_cursor_close(rows);
	}
	txn_check(t, rc == MDB_NOTFOUND ? 0 : rc);
}

/*
 * Both kinds.
 */

enum err
store_next_schedule(struct txn *t, enum schedule_kind kind, struct schedule_entry *out)
{
	MDB_val key = { 0, NULL }, value = { 0, NULL };
	enum err e;

	*out = (struct schedule_entry){ .kind = kind };
	if (kind == SCHEDULE_EXPIRY)
		return next_expiry(t, out);
	e = first_of(t, kind, &key, &value);
	return e == ERR_OK ? read_entry(&key, &value, out) : e;
}

/* The key is copied because it is in the page that the deletion changes. */
void
store_drop_schedule(struct txn *t, enum schedule_kind kind)
{
	uint8_t copy[LONGEST_KEY];
	MDB_val key = { 0, NULL }, value = { 0, NULL };

	if (kind == SCHEDULE_EXPIRY) {
		drop_expiry(t);
		return;
	}
	if (first_of(t, kind, &key, &value) != ERR_OK || key.mv_size > sizeof(copy))
		return;
	memcpy(copy, key.mv_data, key.mv_size);
	table_delete(t, TABLE_SCHEDULE, (struct view){ copy, key.mv_size }, NULL);
}

static void
put_expiry(struct txn *t, const struct schedule_entry *entry)
{
	uint8_t bytes[EXPIRY_SIZE];
	struct cert_place place;
	struct cert cert;
	enum err e = store_get_cert(t, &entry->id, &cert);

	if (e != ERR_OK) {
		txn_fail(t, e, "the schedule of a certificate that cannot be read");
		return;
	}
	place = cert_place_of(cert.created, &cert.id);
	table_add(t, TABLE_EXPIRY, common_key(), expiry_value(entry->time, &place, bytes), false);
}

void
store_put_schedule(struct txn *t, const struct schedule_entry *entry)
{
	uint8_t key[SCHEDULE_SIZE], row[CODEC_SUCCESSOR_MAX];
	struct view value = { row, codec_put_successor(&entry->successor, row) };

	if (entry->kind == SCHEDULE_EXPIRY)
		put_expiry(t, entry);
	else
		table_put(t, TABLE_SCHEDULE,
		    schedule_key(entry->kind, entry->time, &entry->id, key), value);
}

void
store_delete_schedule(struct txn *t, const struct schedule_entry *entry)
{
	uint8_t key[SCHEDULE_SIZE];

	if (entry->kind == SCHEDULE_EXPIRY)
		delete_expiry(t, entry);
	else
		table_delete(t, TABLE_SCHEDULE,
		    schedule_key(entry->kind, entry->time, &entry->id, key), NULL);
}
