/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_data_file.c - checks that data.mdb is as long as LMDB expects.
 *
 * LMDB reads through a memory map, where accessing a page behind the end of the file
 * raises SIGBUS.  A truncated file must be detected before such a page is read.
 *
 * A file may be shorter than LMDB's last page and still be complete: pages that a
 * transaction allocated and freed were never written, and LMDB has each of them on its
 * list of free pages.  To read that list the file is extended first, so that missing
 * parts of it read as zeros, which LMDB reports as damage.  If the file is not
 * complete, its length is restored.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

#define FREE_PAGES 0 /* number of LMDB's internal table of free pages */

/* Missing pages, starting with first; is_free has a byte for each: 1 if it is on the
 * list. */
struct missing {
	size_t first, count;
	uint8_t *is_free;
};

/* One of LMDB's lists: a count, then page numbers. */
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

/* LMDB allows only read transactions to open the table of free pages. */
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

/* Checked again under the write lock: another process may have extended the file. */
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

int
data_file_check(MDB_env *env)
{
	MDB_txn *txn;
	int fd, rc = mdb_env_get_fd(env, &fd);

	if (rc != 0 || !data_file_is_shorter(env))
		return rc;
	rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc != 0)
		return rc;
	rc = check_shorter(env, fd);
	mdb_txn_abort(txn); /* no other process could commit before this */
	return rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND ? CUT_SHORT : rc;
}
