/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* store.c - transactions, and rows of tables; see store.h. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store_private.h"

enum err
store_error(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return ERR_OK;
	case MDB_NOTFOUND:
		return ERR_NOT_FOUND;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_KEYEXIST:
		return ERR_CORRUPT;
	default:
		return ERR_STORAGE;
	}
}

/*
 * Transactions.
 */

static int
begin_read(struct store *s, MDB_txn **out)
{
	int dead, rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, out);

	if (rc != MDB_READERS_FULL)
		return rc;
	rc = mdb_reader_check(s->env, &dead); /* frees the slots of killed processes */
	return rc == 0 ? mdb_txn_begin(s->env, NULL, MDB_RDONLY, out) : rc;
}

static int
renew_reader(struct store *s)
{
	int rc = mdb_txn_renew(s->reader);

	if (rc != MDB_MAP_RESIZED)
		return rc;
	rc = environment_resize(s);
	return rc == 0 ? mdb_txn_renew(s->reader) : rc;
}

/* If the broker calls the plugin again while the reusable transaction is open, the
 * inner call gets a transaction of its own. */
enum err
store_read(struct store *s, struct txn *t)
{
	MDB_txn *handle = s->reader;
	int rc;

	*t = (struct txn){ .store = s };
	if (s->reading) {
		rc = begin_read(s, &handle);
	} else {
		rc = s->env == NULL ? MDB_PANIC : renew_reader(s);
		handle = s->reader;
		s->reading = rc == 0;
	}
	if (rc == 0)
		t->handle = handle;
	else if (rc == MDB_PANIC)
		s->state = STORE_BROKEN;
	t->failed = store_error(rc);
	return t->failed;
}

enum err
store_write(struct store *s, struct txn *t)
{
	MDB_txn *handle = NULL;
	int rc = MDB_PANIC;

	*t = (struct txn){ .store = s, .writing = true, .ordinary_steps = 1 };
	s->changed = false;
	if (s->writing == NULL) {
		rc = EACCES;
	} else if (environment_claim(s, USE_WRITING)) {
		if (s->env != NULL)
			rc = mdb_txn_begin(s->env, NULL, 0, &handle);
		if (rc != 0)
			environment_release(s);
	}
	if (rc == 0)
		t->handle = handle;
	txn_check(t, rc);
	return t->failed;
}

void
store_end(struct txn *t)
{
	struct store *s = t->store;

	if (t->handle == NULL)
		return;
	if (t->handle == s->reader) {
		mdb_txn_reset(s->reader);
		s->reading = false;
	} else {
		mdb_txn_abort(t->handle);
	}
	t->handle = NULL;
	if (t->writing)
		environment_release(s);
}

/*
 * LMDB numbers commits without gaps, and only the process that holds the write
 * transaction can commit its number: a gap before ours is a foreign commit.
 */
static int
commit_changes(struct store *s, MDB_txn *handle)
{
	size_t id = mdb_txn_id(handle), before = id - 1;
	int rc;

	if (before > s->own && before > s->reported)
		s->foreign = true;
	s->own = id;
	rc = mdb_txn_commit(handle);
	if (rc != 0) {
		s->own = before;
		environment_check(s);
	}
	environment_release(s);
	return rc;
}

/* Without a change there is nothing to sync.  LMDB would not consume the transaction's
 * number either, and another process could get the same one. */
enum err
store_commit(struct txn *t)
{
	MDB_txn *handle = t->handle;

	if (t->writing && t->failed == ERR_OK && handle != NULL && t->store->changed)
		txn_check(t, store_check_room(t));
	if (t->writing && t->failed == ERR_OK && handle != NULL && t->store->changed &&
	    !files_are_there(t->store))
		txn_fail(t, ERR_STORAGE, FILES_GONE);
	if (t->writing && t->failed == ERR_OK && handle != NULL && t->store->changed) {
		t->handle = NULL;
		txn_check(t, commit_changes(t->store, handle));
	}
	store_end(t);
	return t->failed;
}

/* A foreign commit that precedes one of ours is not the last one any more. */
/* The last transaction that a reader sees.  The meta page of a commit is visible before: LMDB
 * lets readers have it when it is on the disk.  committed: where none can be begun. */
static size_t
last_readable(struct store *s, size_t committed)
{
	MDB_txn *txn = NULL;
	size_t id = committed;

	if (mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn) == 0) {
		id = mdb_txn_id(txn);
		mdb_txn_abort(txn);
	}
	return id;
}

bool
store_changed_elsewhere(struct store *s)
{
	MDB_envinfo info = { .me_last_txnid = 0 };
	bool last_is_foreign;

	(void)mdb_env_info(s->env, &info);
	last_is_foreign = info.me_last_txnid > s->own && info.me_last_txnid > s->reported;
	if (last_is_foreign) {
		size_t id = last_readable(s, info.me_last_txnid);

		last_is_foreign = id > s->own && id > s->reported;
		s->reported = last_is_foreign ? id : s->reported;
	}
	last_is_foreign |= s->foreign;
	s->foreign = false;
	return last_is_foreign;
}

bool
store_changed(const struct store *s)
{
	return s->changed;
}

const char *
store_failure(const struct store *s)
{
	return s->failure;
}

void
txn_fail(struct txn *t, enum err e, const char *words)
{
	if (t->failed != ERR_OK)
		return;
	t->failed = e;
	t->store->failure = words;
}

static const char *
words_of(const struct store *s, int rc)
{
	if (rc == EIO)
		return DISK_FAILED;
	if (rc == EACCES && s->writing == NULL)
		return "the registry is open for reading only";
	return rc == MDB_PANIC ? BEING_REOPENED : mdb_strerror(rc);
}

void
txn_check(struct txn *t, int rc)
{
	if (rc == 0)
		return;
	if (t->failed == ERR_OK)
		t->store->cause = rc;
	txn_fail(t, store_error(rc), words_of(t->store, rc));
}

enum err
store_fail(struct txn *t, enum err e)
{
	if (t->failed == ERR_OK)
		t->failed = e; /* e may be ERR_OK */
	return t->failed;
}

enum err
store_optional(enum err e, bool *found)
{
	*found = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/*
 * Tables.
 */

MDB_val
val_of(struct view bytes)
{
	return (MDB_val){ bytes.len, (void *)(uintptr_t)bytes.data };
}

struct view
view_of_val(const MDB_val *val)
{
	return (struct view){ val->mv_data, val->mv_size };
}

int
table_cursor(struct txn *t, enum table table, MDB_cursor **out)
{
	return mdb_cursor_open(t->handle, t->store->tables[table], out);
}

enum err
table_get(struct txn *t, enum table table, struct view key, struct view *value)
{
	MDB_val k = val_of(key), v;
	int rc;

	if (key.len == 0)
		return ERR_NOT_FOUND;
	rc = mdb_get(t->handle, t->store->tables[table], &k, &v);
	if (rc == 0)
		*value = view_of_val(&v);
	return store_error(rc);
}

static void
put_with(struct txn *t, enum table table, struct view key, struct view value, unsigned flags)
{
	MDB_val k = val_of(key), v = val_of(value);

	assert(t->writing);
	if (key.len == 0)
		txn_fail(t, ERR_STORAGE, "a name that cannot be stored");
	if (t->failed != ERR_OK)
		return;
	t->store->changed = true;
	txn_check(t, t->store->writing->put(t->handle, t->store->tables[table], &k, &v, flags));
}

void
table_put(struct txn *t, enum table table, struct view key, struct view value)
{
	put_with(t, table, key, value, 0);
}

void
table_append(struct txn *t, enum table table, struct view key, struct view value)
{
	put_with(t, table, key, value, MDB_APPEND);
}

void
table_put_new(struct txn *t, enum table table, struct view key, struct view value,
    const char *words)
{
	MDB_val k = val_of(key), v = val_of(value);
	int rc;

	assert(t->writing);
	if (t->failed != ERR_OK)
		return;
	t->store->changed = true;
	rc = t->store->writing->put(t->handle, t->store->tables[table], &k, &v, MDB_APPEND);
	if (rc == MDB_KEYEXIST)
		rc = t->store->writing->put(t->handle, t->store->tables[table], &k, &v,
		    MDB_NOOVERWRITE);
	if (rc == MDB_KEYEXIST)
		txn_fail(t, ERR_STORAGE, words);
	else
		txn_check(t, rc);
}

void
table_add(struct txn *t, enum table table, struct view key, struct view value, bool mostly_last)
{
	MDB_val k = val_of(key), v = val_of(value);
	int rc = MDB_KEYEXIST;

	assert(t->writing);
	if (t->failed != ERR_OK)
		return;
	t->store->changed = true;
	if (mostly_last)
		rc = t->store->writing->put(t->handle, t->store->tables[table], &k, &v,
		    MDB_APPENDDUP);
	if (rc == MDB_KEYEXIST)
		rc = t->store->writing->put(t->handle, t->store->tables[table], &k, &v, 0);
	txn_check(t, rc);
}

void
table_delete(struct txn *t, enum table table, struct view key, const struct view *value)
{
	MDB_val k = val_of(key), v;
	int rc;

	assert(t->writing);
	if (t->failed != ERR_OK || key.len == 0)
		return;
	if (value != NULL)
		v = val_of(*value);
	rc = t->store->writing->del(t->handle, t->store->tables[table], &k,
	    value != NULL ? &v : NULL);
	if (rc == MDB_NOTFOUND)
		return;
	t->store->changed = true;
	txn_check(t, rc);
}

uint8_t *
row_allocate(struct txn *t, size_t size, const char *words)
{
	uint8_t *row;

	if (size == 0)
		txn_fail(t, ERR_STORAGE, words);
	if (t->failed != ERR_OK)
		return NULL;
	row = malloc(size);
	if (row == NULL)
		txn_fail(t, ERR_NOMEM, "out of memory");
	return row;
}

/*
 * Keys.
 */

void
number_put(uint8_t *out, size_t size, uint64_t value)
{
	for (size_t i = size; i-- > 0; value >>= 8)
		out[i] = (uint8_t)value;
}

uint64_t
number_get(const uint8_t *in, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | in[i];
	return value;
}

struct view
id_key(const struct certid *id)
{
	return (struct view){ id->b, sizeof(id->b) };
}

struct view
by_time_key(int64_t created, const struct certid *id, uint8_t out[BY_TIME_SIZE])
{
	number_put(out, 8, (uint64_t)created);
	memcpy(out + 8, id->b, sizeof(id->b));
	return (struct view){ out, BY_TIME_SIZE };
}

struct view
named_key(struct view before, struct view name, struct view behind, uint8_t out[KEY_MAX])
{
	struct view parts[] = { before, name, behind };
	size_t len = 0;

	if (name.len == 0 || name.len > NAME_MAX_LENGTH || memchr(name.data, 0, name.len) != NULL)
		return (struct view){ NULL, 0 };
	for (size_t i = 0; i < COUNT_OF(parts); len += parts[i++].len) {
		assert(parts[i].len <= KEY_MAX - len);
		if (parts[i].len > 0)
			memcpy(out + len, parts[i].data, parts[i].len);
	}
	return (struct view){ out, len };
}

struct view
name_key(struct view name, uint8_t out[KEY_MAX])
{
	return named_key((struct view){ NULL, 0 }, name, (struct view){ NULL, 0 }, out);
}

struct view
name_prefix(struct view name, uint8_t out[KEY_MAX])
{
	static const uint8_t end[1];

	return named_key((struct view){ NULL, 0 }, name, (struct view){ end, sizeof(end) }, out);
}

struct view
name_id_key(struct view name, const struct certid *id, uint8_t out[KEY_MAX])
{
	uint8_t behind[1 + sizeof(id->b)] = { 0 };

	memcpy(behind + 1, id->b, sizeof(id->b));
	return named_key((struct view){ NULL, 0 }, name, (struct view){ behind, sizeof(behind) },
	    out);
}

struct view
id_name_key(const struct certid *id, struct view name, uint8_t out[KEY_MAX])
{
	return named_key(id_key(id), name, (struct view){ NULL, 0 }, out);
}

/*
 * Sequence numbers.
 */

enum err
sequence_last(struct txn *t, const char *name, uint64_t *last)
{
	struct view stored;
	enum err e = table_get(t, TABLE_META, view_of(name), &stored);

	*last = 0;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	if (stored.len != SEQUENCE_SIZE)
		return ERR_CORRUPT;
	*last = number_get(stored.data, SEQUENCE_SIZE);
	return *last < UINT64_MAX ? ERR_OK : ERR_CORRUPT;
}

void
sequence_put(struct txn *t, const char *name, uint64_t last)
{
	uint8_t bytes[SEQUENCE_SIZE];

	number_put(bytes, sizeof(bytes), last);
	table_put(t, TABLE_META, view_of(name), (struct view){ bytes, sizeof(bytes) });
}
