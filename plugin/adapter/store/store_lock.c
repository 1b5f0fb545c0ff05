/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_lock.c - reserves disk space for lock.mdb before LMDB maps it.
 *
 * LMDB writes its lock file through a memory map, where a full disk raises SIGBUS.  Its
 * blocks are therefore allocated in advance.  A copy-on-write file system (btrfs)
 * allocates other blocks at each write nevertheless, unless the file has the flag
 * FS_NOCOW_FL, which can be set while it is empty.  An overlay passes the flag to the
 * file system below, but does not reveal its type.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store_private.h"

#define LOCK_FILE_SIZE 8192 /* size used by LMDB for its default of 126 readers */
#define BTRFS_MAGIC    0x9123683E
#define OVERLAY_MAGIC  0x794C7630

/* Magic number of the file system, or 0. */
static unsigned long
kind_of(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 ? (unsigned long)fs.f_type : 0;
}

static bool
is_written_in_place(int fd)
{
	int flags;

	return ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_NOCOW_FL) != 0;
}

/* btrfs accepts the flag for a file that is not empty, but ignores it.  ext4, XFS and
 * tmpfs, which never copy, reject it. */
static bool
takes_flag(int fd)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
		return false;
	flags |= FS_NOCOW_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

/* On an overlay, an empty file that accepted the flag but does not have it is not on
 * btrfs. */
static bool
copies_on_write(int fd)
{
	unsigned long kind = kind_of(fd);
	struct stat st;

	if ((kind != BTRFS_MAGIC && kind != OVERLAY_MAGIC) || is_written_in_place(fd))
		return false;
	return kind == BTRFS_MAGIC || (fstat(fd, &st) == 0 && st.st_size > 0 && takes_flag(fd));
}

/* Does no process have the file open?  Uses LMDB's own lock. */
static bool
is_unused(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };

	return fcntl(fd, F_SETLK, &lock) == 0;
}

/* The content is not needed while no process has the file open, so it may be truncated.
 * If the flag cannot be set, the file stays as it is and the warning says so. */
static void
write_in_place(int fd)
{
	unsigned long kind = kind_of(fd);

	if ((kind != BTRFS_MAGIC && kind != OVERLAY_MAGIC) || !takes_flag(fd) ||
	    is_written_in_place(fd) || !is_unused(fd) || ftruncate(fd, 0) != 0)
		return;
	(void)takes_flag(fd);
}

int
lock_file_reserve(struct store *s)
{
	int fd = openat(s->directory, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return errno;
	write_in_place(fd);
	if (copies_on_write(fd))
		s->warning =
		    "lock.mdb is on a file system that copies on write: if that fills up, the "
		    "process is killed by SIGBUS; put the registry on another one, or chattr +C "
		    "its directory and remove lock.mdb while nothing runs";
	if (fstat(fd, &st) != 0)
		rc = errno;
	else if (st.st_size <= LOCK_FILE_SIZE)
		rc = posix_fallocate(fd, 0, LOCK_FILE_SIZE);
	(void)close(fd);
	return rc == EOPNOTSUPP || rc == EINVAL ? 0 : rc;
}
