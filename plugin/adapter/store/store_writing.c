/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_writing.c - opens the store for writing; see store.h.
 *
 * The functions that change a file are in the table below, and are called by way of it
 * only.  A program that never calls store_open() links none of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_private.h"

/* Makes a new directory survive a power failure.  If the parent may not be opened, this
 * is left to the file system. */
static void
sync_parent(int directory)
{
	int parent = openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (parent < 0)
		return;
	(void)fsync(parent);
	(void)close(parent);
}

static int
open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		sync_parent(fd);
	return fd;
}

/*
 * LMDB starts a database by writing two pages.  If that is interrupted (killed, disk
 * full), LMDB rejects the file forever, although it never held anything.  Such a file
 * is recognised by its length and LMDB's magic number; any other file is left alone.
 */
static int
undo_creation(const struct store *s)
{
	static const uint32_t magic = 0xBEEFC0DE;
	const off_t magic_at = sizeof(size_t) + 8; /* behind the page header */
	const off_t txn_at = magic_at + 24 + 13 * (off_t)sizeof(size_t);
	int fd = openat(s->directory, DATA_FILE, O_RDWR | O_CLOEXEC), rc = MDB_INVALID;
	size_t txn = 0;
	uint32_t found = 0;
	struct stat st;

	if (fd < 0)
		return rc;
	if (fstat(fd, &st) == 0 && st.st_size < 2 * sysconf(_SC_PAGESIZE) &&
	    pread(fd, &found, sizeof(found), magic_at) == (ssize_t)sizeof(found) &&
	    found == magic) {
		/* A transaction number means that the database held something. */
		rc = pread(fd, &txn, sizeof(txn), txn_at) >= 0 && txn > 0 ? CUT_SHORT : 0;
		if (rc == 0 && ftruncate(fd, 0) != 0)
			rc = MDB_INVALID;
	}
	(void)close(fd);
	return rc;
}

static int
sync_directory(const struct store *s)
{
	return fsync(s->directory) == 0 ? 0 : errno;
}

static const struct store_writing writing = {
	.put = mdb_put,
	.del = mdb_del,
	.cursor_del = mdb_cursor_del,
	.open_directory = open_directory,
	.sync_directory = sync_directory,
	.reserve_lock_file = lock_file_reserve,
	.check_data_file = data_file_check,
	.undo_creation = undo_creation,
	.upgrade_begin = upgrade_begin,
	.upgrade_step = upgrade_step,
};

enum err
store_open(const struct store_config *config, struct store **out, struct diag *diag)
{
	return store_open_with(&writing, config, out, diag);
}
