/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* crl_place.c - see crl_place.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crl_place.h"

/* The next name of a path without '/' in front; false: there is none, or it is no
 * name of an entry. */
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

static size_t
length_of(const char *dir)
{
	size_t len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	return len;
}

/* What is behind the directory. */
static bool
below(const char *dir, struct view path, struct view *rest)
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
crl_place_has(const char *dir, struct view path)
{
	struct view rest, name;
	bool ends_with_name;

	if (dir == NULL || !below(dir, path, &rest))
		return false;
	ends_with_name = rest.data[rest.len - 1] != '/';
	while (rest.len > 0)
		if (!next_name(&rest, &name))
			return false;
	return ends_with_name;
}

/* The directory that an entry is in: one step further; closes at. */
static int
step(int at, struct view name)
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

/* A file below the directory: where it is, and by which name it is found there. */
struct place {
	char *real;       /* owned; path without links */
	const char *name; /* its end */
	int parent;
};

static char *
real_path(const char *dir, const char *path)
{
	struct view rest;
	size_t size;
	char *whole, *real;

	if (!below(dir, view_of(path), &rest)) {
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

/* The directory that the last name of a path without links is in.  What becomes a
 * link meanwhile is not followed. */
static int
parent_of(const char *dir, const char *real, const char **last)
{
	struct view rest, name = { NULL, 0 };
	int fd = -1;

	if (crl_place_has(dir, view_of(real)) && below(dir, view_of(real), &rest))
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	else
		errno = EACCES; /* a link leads out */
	while (fd >= 0 && next_name(&rest, &name) && rest.len > 0)
		fd = step(fd, name);
	*last = real + strlen(real) - name.len;
	return fd;
}

/* false: errno says why. */
static bool
place_find(const char *dir, const char *path, struct place *out)
{
	char *real_dir = realpath(dir, NULL);

	*out = (struct place){ .parent = -1 };
	if (real_dir == NULL)
		return false;
	out->real = real_path(dir, path);
	if (out->real != NULL)
		out->parent = parent_of(real_dir, out->real, &out->name);
	free(real_dir); /* which keeps errno: glibc 2.33, POSIX.1-2024 */
	return out->parent >= 0;
}

static void
place_leave(struct place *p)
{
	int error = errno;

	if (p->parent >= 0)
		(void)close(p->parent);
	free(p->real);
	errno = error;
}

int
crl_place_stat(const char *dir, const char *path, struct stat *st)
{
	struct place place;
	int error = 0;

	if (!crl_place_has(dir, view_of(path)))
		return stat(path, st) == 0 ? 0 : errno;
	if (!place_find(dir, path, &place) ||
	    fstatat(place.parent, place.name, st, AT_SYMLINK_NOFOLLOW) != 0)
		error = errno;
	else if (S_ISLNK(st->st_mode))
		error = ELOOP;
	place_leave(&place);
	return error;
}

#define TO_READ (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

int
crl_place_open(const char *dir, const char *path)
{
	struct place place;
	int fd = -1;

	if (!crl_place_has(dir, view_of(path)))
		return open(path, TO_READ);
	if (place_find(dir, path, &place))
		fd = openat(place.parent, place.name, TO_READ | O_NOFOLLOW);
	place_leave(&place);
	return fd;
}
