/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_room.c - keeps a reserve of free pages for changes that remove something; see
 * store.h.
 *
 * LMDB changes no page in place: deleting writes new copies of the pages on the path in
 * each table, and the old ones can be reused two transactions later.  A completely full
 * map could therefore not be emptied any more.  Changes that add something are refused
 * while pages for some removals are left.  The registrar's thread.
 */
#include <string.h>

#include "store_private.h"

/* In pages.  Half of the reserve is for changes that need no more space afterwards,
 * such as deletions, the other half for changes that do, such as a revocation with its
 * note.  So revocations cannot prevent deletions. */
#define RESERVE_PART  16
#define RESERVE_LEAST 256 /* or a third of the map, if that is less */
#define RESERVE_MOST  16384

void
store_use_reserve(struct txn *t)
{
	if (!t->step_uses_reserve)
		t->ordinary_steps--;
	t->step_uses_reserve = true;
}

void
store_next_step(struct txn *t)
{
	t->ordinary_steps++;
	t->step_uses_reserve = false;
}

static uint64_t
reserve_of(uint64_t pages)
{
	uint64_t part = pages / RESERVE_PART;
	uint64_t least = pages / 3 < RESERVE_LEAST ? pages / 3 : RESERVE_LEAST;

	return part < least ? least : part > RESERVE_MOST ? RESERVE_MOST : part;
}

/* Pages of a table.  LMDB's statistics do not include the pages of values beyond the
 * first few of a key: these are estimated from the number of values, as half-filled
 * pages. */
static int
count_table(MDB_txn *txn, MDB_dbi table, uint64_t psize, int64_t *pages)
{
	enum { VALUE_SIZE = 40 };
	unsigned flags;
	MDB_stat stat;
	int rc = mdb_stat(txn, table, &stat);

	if (rc == 0)
		rc = mdb_dbi_flags(txn, table, &flags);
	if (rc != 0)
		return rc;
	*pages += (int64_t)(stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages);
	if ((flags & MDB_DUPSORT) != 0)
		*pages += (int64_t)(stat.ms_entries * VALUE_SIZE * 2 / psize);
	return 0;
}

static int
count_tables(const struct store *s, MDB_txn *txn, uint64_t psize, int64_t *pages)
{
	int rc = 0;

	*pages = 0;
	for (size_t i = 0; rc == 0 && i < TABLE_COUNT; i++)
		rc = count_table(txn, s->tables[i], psize, pages);
	return rc;
}

/* LMDB's list of free pages: each record begins with its number of pages (mdb.c,
 * mdb_freelist_save). */
static int
count_free(MDB_txn *snapshot, uint64_t *pages)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int rc = mdb_cursor_open(snapshot, 0, &cursor);

	if (rc != 0)
		return rc;
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		size_t count;

		memcpy(&count, value.mv_data, sizeof(count));
		*pages += count;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Compares with a snapshot of the last commit. */
static int
check_growth(const struct txn *t, MDB_txn *snapshot, uint64_t psize, uint64_t free, uint64_t least)
{
	int64_t before = 0, after = 0;
	int rc = count_tables(t->store, snapshot, psize, &before);

	if (rc == 0)
		rc = count_tables(t->store, t->handle, psize, &after);
	if (rc == 0)
		rc = count_free(snapshot, &free);
	if (rc != 0 || after <= before)
		return rc;
	return free < least + (uint64_t)(after - before) ? MDB_MAP_FULL : 0;
}

/* With more free pages than this nothing is counted.  More than any transaction adds: a
 * batch of requests, 128 MiB. */
#define FAR_FROM_THE_END 65536

int
store_check_room(const struct txn *t)
{
	MDB_env *env = t->store->env;
	MDB_txn *snapshot;
	MDB_envinfo info;
	MDB_stat stat;
	uint64_t pages, free, reserve;
	int rc;

	(void)mdb_env_info(env, &info);
	(void)mdb_env_stat(env, &stat);
	pages = info.me_mapsize / stat.ms_psize;
	free = pages > info.me_last_pgno ? pages - info.me_last_pgno - 1 : 0;
	reserve = reserve_of(pages);
	if (free >= reserve + FAR_FROM_THE_END)
		return 0;
	rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &snapshot);
	if (rc != 0)
		return rc;
	rc = check_growth(t, snapshot, stat.ms_psize, free,
	    t->ordinary_steps > 0 ? reserve : reserve / 2);
	mdb_txn_abort(snapshot);
	return rc;
}
