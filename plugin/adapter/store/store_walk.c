/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_walk.c - iterates over the keys of a table in order.
 *
 * A walk starts behind a key, whether or not it still exists: a page of a listing does
 * not depend on the previous page being unchanged.
 */
#include <string.h>

#include "store_private.h"

/* Appends as much as there is room for: no key is longer. */
static void
start_add(struct walk *w, struct view bytes)
{
	size_t room = sizeof(w->start) - w->len, len = bytes.len < room ? bytes.len : room;

	if (len > 0)
		memcpy(w->start + w->len, bytes.data, len);
	w->len += len;
}

/* Without a position the walk starts before the first or behind the last possible key:
 * the rest of a key is never a single zero byte, and is shorter than the remaining
 * buffer. */
static void
set_start(struct walk *w)
{
	const struct range *r = w->range;

	start_add(w, r->prefix);
	if (r->after.len > 0) {
		start_add(w, r->after);
	} else if (r->ascending) {
		w->start[w->len++] = 0;
	} else {
		memset(w->start + w->len, 0xff, sizeof(w->start) - w->len);
		w->len = sizeof(w->start);
	}
}

enum err
walk_begin(struct walk *w, struct txn *t, const struct range *range)
{
	memset(w, 0, sizeof(*w));
	w->range = range;
	set_start(w);
	return store_error(table_cursor(t, range->table, &w->cursor));
}

/* A page of a damaged file may have its rows in another order: a listing of them would not end. */
static bool
is_behind(const struct walk *w, struct view key)
{
	int order = view_order(key, (struct view){ w->start, w->len });

	return w->range->ascending ? order > 0 : order < 0;
}

static enum err
take_row(struct walk *w, struct row *row)
{
	const struct range *r = w->range;

	if (row->rest.len < r->least || row->rest.len > r->most || !is_behind(w, row->key))
		return ERR_CORRUPT;
	w->len = 0;
	start_add(w, row->key);
	return ERR_OK;
}

static int
walk_start(const struct walk *w, MDB_val *key, MDB_val *value)
{
	struct view start = { w->start, w->len };
	int rc;

	*key = val_of(start);
	rc = mdb_cursor_get(w->cursor, key, value, MDB_SET_RANGE);
	if (w->range->ascending) {
		if (rc == 0 && view_equal(view_of_val(key), start))
			rc = mdb_cursor_get(w->cursor, key, value, MDB_NEXT);
		return rc;
	}
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	return mdb_cursor_get(w->cursor, key, value, rc == 0 ? MDB_PREV : MDB_LAST);
}

enum err
walk_next(struct walk *w, struct row *row)
{
	const struct range *r = w->range;
	size_t prefix = r->prefix.len;
	MDB_val key, value;
	int rc;

	if (w->started)
		rc = mdb_cursor_get(w->cursor, &key, &value, r->ascending ? MDB_NEXT : MDB_PREV);
	else
		rc = walk_start(w, &key, &value);
	w->started = true;
	if (rc != 0)
		return store_error(rc);
	if (key.mv_size < prefix || memcmp(key.mv_data, w->start, prefix) != 0)
		return ERR_NOT_FOUND;
	row->key = view_of_val(&key);
	row->rest = view_from(row->key, prefix);
	row->value = view_of_val(&value);
	return take_row(w, row);
}

void
walk_end(struct walk *w)
{
	if (w->cursor != NULL)
		mdb_cursor_close(w->cursor);
}

enum err
list_rows(struct txn *t, const struct range *range, const struct row_reader *reader, size_t max,
    size_t *count)
{
	struct walk w;
	struct row row;
	enum err e = walk_begin(&w, t, range);

	for (*count = 0; e == ERR_OK && *count < max; *count += e == ERR_OK) {
		e = walk_next(&w, &row);
		if (e == ERR_OK)
			e = reader->read(t, reader->context, &row,
			    (uint8_t *)reader->out + *count * reader->size);
	}
	walk_end(&w);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
