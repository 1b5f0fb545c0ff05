/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_whole.c - is data.mdb as long as LMDB believes it is?
 *
 * LMDB reads through a memory map, and a page behind the end of the file is no error
 * there but a SIGBUS.  A file that was cut short is found out before any is read.
 *
 * A file may be shorter than LMDB's last page and whole: pages that a transaction took and
 * gave back were never written.  LMDB has each of those on its list of free pages.  That
 * list is read after the file was made longer, so that what is missing of it reads as
 * zeros, which LMDB takes for damage; a file that is not whole is made as short as it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

#define FREE_PAGES 0 /* the number of LMDB's own table of them */

/* Pages from first on that are missing, a byte each: 1, it is free. */
struct missing {
	size_t first, count;
	uint8_t *is_free;
};

/* A list of LMDB's: how many, and their numbers. */
static int
note_free(struct missing *m, const MDB_val *list)
{
	size_t count, page;

	if (list->mv_size < sizeof(count))
		return MDB_CORRUPTED;
	memcpy(&count, list->mv_data, sizeof(count));
	if (count > list->mv_size / sizeof(page) - 1)
		return MDB_CORRUPTED;
	for (size_t i = 1; i <= count; i++) {
		memcpy(&page, (const char *)list->mv_data + i * sizeof(page), sizeof(page));
		if (page >= m->first && page - m->first < m->count)
			m->is_free[page - m->first] = 1;
	}
	return 0;
}

/* LMDB shows that table to readers only. */
static int
read_free(MDB_env *env, struct missing *m)
{
	MDB_cursor *cursor;
	MDB_val key, list;
	MDB_txn *txn;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_open(txn, FREE_PAGES, &cursor);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	while ((rc = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0)
		if ((rc = note_free(m, &list)) != 0)
			break;
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
check_free(MDB_env *env, struct missing *m)
{
	int rc;

	m->is_free = calloc(m->count, 1);
	if (m->is_free == NULL)
		return ENOMEM;
	rc = read_free(env, m);
	if (rc == 0 && memchr(m->is_free, 0, m->count) != NULL)
		rc = MDB_CORRUPTED;
	free(m->is_free);
	return rc;
}

/* Asked again, as another process may have made it longer by now. */
static int
check_shorter(MDB_env *env, int fd)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;
	struct missing m;
	int rc = mdb_env_info(env, &info);

	if (rc == 0)
		rc = mdb_env_stat(env, &stat);
	if (rc == 0 && fstat(fd, &st) != 0)
		rc = errno;
	if (rc != 0)
		return rc;
	m.first = (size_t)st.st_size / stat.ms_psize;
	if (info.me_last_pgno < m.first)
		return 0;
	m.count = info.me_last_pgno - m.first + 1;
	if (info.me_last_pgno >= info.me_mapsize / stat.ms_psize)
		return MDB_CORRUPTED;
	if (ftruncate(fd, (off_t)((info.me_last_pgno + 1) * stat.ms_psize)) != 0)
		return errno;
	rc = check_free(env, &m);
	if (rc != 0 && ftruncate(fd, st.st_size) != 0)
		return errno;
	return rc;
}

static bool
is_shorter(MDB_env *env, int fd)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;

	return mdb_env_info(env, &info) == 0 && mdb_env_stat(env, &stat) == 0 &&
	    fstat(fd, &st) == 0 && (size_t)st.st_size / stat.ms_psize <= info.me_last_pgno;
}

int
check_whole(MDB_env *env)
{
	MDB_txn *txn;
	int fd, rc = mdb_env_get_fd(env, &fd);

	if (rc != 0 || !is_shorter(env, fd))
		return rc;
	rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc != 0)
		return rc;
	rc = check_shorter(env, fd);
	mdb_txn_abort(txn); /* until here no other process commits */
	return rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND ? CUT_SHORT : rc;
}
