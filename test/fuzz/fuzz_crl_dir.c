/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_crl_dir.c - paths of revocation lists, as commands name them.
 *
 * Below the directory are files, a folder, and symbolic links to these and out of it.  What is
 * opened by a path that a command may set is below the directory, and no link.  (Other paths
 * are from older versions: crl_dir.h.)
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

#include "crl_dir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char base[PATH_MAX], dir[PATH_MAX + 8];

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
remove_base(void)
{
	(void)!remove_tree(base);
}

static const char *
path_of(const char *name)
{
	static char path[2 * PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
write_file(const char *name)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	require(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

static void
make_files(void)
{
	char text[] = "/tmp/jitr-fuzz-XXXXXX";

	require(mkdtemp(text) != NULL && realpath(text, base) != NULL);
	require(atexit(remove_base) == 0);
	(void)snprintf(dir, sizeof(dir), "%s/crl", base);
	require(mkdir(dir, 0755) == 0 && mkdir(path_of("a"), 0755) == 0);
	write_file("../secret");
	write_file("list");
	write_file("a/list");
	require(symlink("a/list", path_of("in")) == 0 && symlink("a", path_of("folder")) == 0);
	require(symlink("../secret", path_of("out")) == 0 && symlink("..", path_of("up")) == 0);
	require(symlink("../../secret", path_of("a/out")) == 0);
	require(symlink("loop", path_of("loop")) == 0);
}

/* The file's own path is below the directory. */
static void
check_file(int fd)
{
	char link[64], path[PATH_MAX];
	size_t below = strlen(dir);
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	require(len > 0);
	path[len] = '\0';
	require(strncmp(path, dir, below) == 0 && path[below] == '/');
	require(close(fd) == 0);
}

static void
run(const char *path)
{
	struct stat st;
	int fd, error;

	require(!crl_dir_contains(NULL, view_of(path)));
	if (!crl_dir_contains(dir, view_of(path)))
		return;
	require(strstr(path, "/../") == NULL);
	fd = crl_dir_open(dir, path);
	error = crl_dir_stat(dir, path, &st);
	require((fd >= 0) == (error == 0));
	require(error != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
	if (fd >= 0)
		check_file(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = malloc(sizeof(dir) + size + 2);

	require(path != NULL);
	if (base[0] == '\0')
		make_files();
	(void)snprintf(path, size + 1, "%.*s", (int)size, (const char *)data);
	run(path);
	(void)snprintf(path, sizeof(dir) + size + 2, "%s/%.*s", dir, (int)size, (const char *)data);
	run(path);
	free(path);
	return 0;
}
