/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_dir.c - see crl_dir.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crl_dir.h"

/* The next name of a path that does not begin with '/'; false: it is empty, "." or "..". */
static bool
next_name(struct view *rest, struct view *name)
{
	const uint8_t *slash = rest->len > 0 ? memchr(rest->data, '/', rest->len) : NULL;

	*name = *rest;
	if (slash != NULL)
		name->len = (size_t)(slash - rest->data);
	rest->data += name->len + (slash != NULL);
	rest->len -= name->len + (slash != NULL);
	return name->len > 0 && !view_equal(*name, view_of(".")) &&
	    !view_equal(*name, view_of(".."));
}

/* Without final slashes. */
static size_t
length_of(const char *dir)
{
	size_t len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	return len;
}

/* rest: the path without the directory; false: the path is outside. */
static bool
path_below(const char *dir, struct view path, struct view *rest)
{
	size_t len = length_of(dir);

	*rest = path;
	if (path.len == 0 || path.data[0] != '/')
		return path.len > 0;
	if (path.len <= len + 1 || memcmp(path.data, dir, len) != 0 || path.data[len] != '/')
		return false;
	rest->data += len + 1;
	rest->len -= len + 1;
	return true;
}

bool
crl_dir_contains(const char *dir, struct view path)
{
	struct view rest, name;
	bool ends_with_name;

	if (dir == NULL || !path_below(dir, path, &rest))
		return false;
	ends_with_name = rest.data[rest.len - 1] != '/';
	while (rest.len > 0)
		if (!next_name(&rest, &name))
			return false;
	return ends_with_name;
}

/* Opens the directory of this name in the directory at, and closes at. */
static int
enter_directory(int at, struct view name)
{
	char text[256]; /* NAME_MAX and its end */
	int fd = -1, error = ENAMETOOLONG;

	if (name.len < sizeof(text)) {
		memcpy(text, name.data, name.len);
		text[name.len] = '\0';
		fd = openat(at, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = errno;
	}
	(void)close(at);
	errno = error;
	return fd;
}

/* A file below the directory: its parent directory, opened, and its name in there. */
struct location {
	char *real;       /* owned: the path without symbolic links */
	const char *name; /* the last name of real */
	int parent;       /* -1: none */
};

static char *
real_path(const char *dir, const char *path)
{
	struct view rest;
	size_t size;
	char *whole, *real;

	if (!path_below(dir, view_of(path), &rest)) {
		errno = EACCES;
		return NULL;
	}
	size = strlen(dir) + 1 + rest.len + 1;
	whole = malloc(size);
	if (whole == NULL)
		return NULL;
	(void)snprintf(whole, size, "%s/%s", dir, (const char *)rest.data);
	real = realpath(whole, NULL);
	free(whole);
	return real;
}

/* Opens the parent directory of a path without symbolic links.  A name that has become a
 * link in the meantime is not followed. */
static int
parent_of(const char *dir, const char *real, const char **last)
{
	struct view rest, name = { NULL, 0 };
	int fd = -1;

	if (crl_dir_contains(dir, view_of(real)) && path_below(dir, view_of(real), &rest))
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	else
		errno = EACCES; /* a link leads out of the directory */
	while (fd >= 0 && next_name(&rest, &name) && rest.len > 0)
		fd = enter_directory(fd, name);
	*last = real + strlen(real) - name.len;
	return fd;
}

/* false: errno. */
static bool
location_find(const char *dir, const char *path, struct location *out)
{
	char *real_dir = realpath(dir, NULL);

	*out = (struct location){ .parent = -1 };
	if (real_dir == NULL)
		return false;
	out->real = real_path(dir, path);
	if (out->real != NULL)
		out->parent = parent_of(real_dir, out->real, &out->name);
	free(real_dir); /* free() keeps errno: glibc 2.33, POSIX.1-2024 */
	return out->parent >= 0;
}

/* Keeps errno. */
static void
location_clear(struct location *p)
{
	int error = errno;

	if (p->parent >= 0)
		(void)close(p->parent);
	free(p->real);
	errno = error;
}

int
crl_dir_stat(const char *dir, const char *path, struct stat *st)
{
	struct location location;
	int error = 0;

	if (!crl_dir_contains(dir, view_of(path)))
		return stat(path, st) == 0 ? 0 : errno;
	if (!location_find(dir, path, &location) ||
	    fstatat(location.parent, location.name, st, AT_SYMLINK_NOFOLLOW) != 0)
		error = errno;
	else if (S_ISLNK(st->st_mode))
		error = ELOOP;
	location_clear(&location);
	return error;
}

#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

int
crl_dir_open(const char *dir, const char *path)
{
	struct location location;
	int fd = -1;

	if (!crl_dir_contains(dir, view_of(path)))
		return open(path, READ_FLAGS);
	if (location_find(dir, path, &location))
		fd = openat(location.parent, location.name, READ_FLAGS | O_NOFOLLOW);
	location_clear(&location);
	return fd;
}
