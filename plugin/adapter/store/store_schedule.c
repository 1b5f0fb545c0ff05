/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store_schedule.c - scheduled changes; see store.h. */
#include <string.h>

#include "jitr/core/codec.h"

#include "store_private.h"

#define LONGEST_KEY 511 /* LMDB's limit */

/* Flipping the sign bit makes negative times sort before positive ones. */
#define SIGN ((uint64_t)1 << 63)

struct view
schedule_key(enum schedule_kind kind, int64_t time, const struct certid *id,
    uint8_t out[SCHEDULE_SIZE])
{
	out[0] = (uint8_t)kind;
	number_put(out + 1, 8, (uint64_t)time ^ SIGN);
	memcpy(out + 1 + 8, id->b, sizeof(id->b));
	return (struct view){ out, SCHEDULE_SIZE };
}

static enum err
read_value(struct view value, struct schedule_entry *out)
{
	if (out->kind == SCHEDULE_SUPERSEDE)
		return codec_get_successor(value, &out->successor);
	return value.len == 0 ? ERR_OK : ERR_CORRUPT;
}

static enum err
read_entry(const MDB_val *key, const MDB_val *value, struct schedule_entry *out)
{
	struct view bytes = view_of_val(key);

	if (bytes.len != SCHEDULE_SIZE)
		return ERR_CORRUPT;
	out->time = (int64_t)(number_get(bytes.data + 1, 8) ^ SIGN);
	memcpy(out->id.b, bytes.data + 1 + 8, sizeof(out->id.b));
	return read_value(view_of_val(value), out);
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

enum err
store_next_schedule(struct txn *t, enum schedule_kind kind, struct schedule_entry *out)
{
	MDB_val key = { 0, NULL }, value = { 0, NULL };
	enum err e = first_of(t, kind, &key, &value);

	*out = (struct schedule_entry){ .kind = kind };
	return e == ERR_OK ? read_entry(&key, &value, out) : e;
}

/* The key is copied because it is in the page that the deletion changes. */
void
store_drop_schedule(struct txn *t, enum schedule_kind kind)
{
	uint8_t copy[LONGEST_KEY];
	MDB_val key = { 0, NULL }, value = { 0, NULL };

	if (first_of(t, kind, &key, &value) != ERR_OK || key.mv_size > sizeof(copy))
		return;
	memcpy(copy, key.mv_data, key.mv_size);
	table_delete(t, TABLE_SCHEDULE, (struct view){ copy, key.mv_size }, NULL);
}

void
store_put_schedule(struct txn *t, const struct schedule_entry *entry)
{
	uint8_t key[SCHEDULE_SIZE], row[CODEC_SUCCESSOR_MAX];
	struct view value = { row, 0 };

	if (entry->kind == SCHEDULE_SUPERSEDE)
		value.len = codec_put_successor(&entry->successor, row);
	table_put(t, TABLE_SCHEDULE, schedule_key(entry->kind, entry->time, &entry->id, key),
	    value);
}

void
store_delete_schedule(struct txn *t, const struct schedule_entry *entry)
{
	uint8_t key[SCHEDULE_SIZE];

	table_delete(t, TABLE_SCHEDULE, schedule_key(entry->kind, entry->time, &entry->id, key),
	    NULL);
}
