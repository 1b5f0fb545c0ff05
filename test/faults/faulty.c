/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * faulty.c - preloaded into a broker and its registrar: system calls and allocations that
 * fail, and a clock that is wrong.
 *
 * The file "faults" beside this library has a struct control, which a test changes while
 * they run (scene.py has its layout).  An environment variable could not name it: the
 * registrar inherits LD_PRELOAD and few others.
 */
#undef _FORTIFY_SOURCE /* has an inline read() */
#define _GNU_SOURCE    /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define META_PAGES 8192 /* of data.mdb */

/* The next so many calls fail with EIO; all ones: all of them. */
struct control {
	uint32_t meta_writes; /* of the meta pages of data.mdb */
	uint32_t data_writes; /* of its other pages */
	uint32_t syncs;       /* of any file */
	uint32_t list_reads;  /* of files named *.crl */
	int32_t clock;        /* added to the time of day, in seconds */
	uint32_t failed;      /* counts the failures */
	uint32_t process;     /* whose allocations count: enum role */
	uint32_t allocations; /* so many were made since a test set this to 0 */
	uint32_t fails_at;    /* the allocation with this number fails; 0: none */
	uint32_t spawns;      /* of processes; they fail with spawn_errno */
	uint32_t spawn_errno;
};

enum role { ROLE_NONE, ROLE_BROKER, ROLE_REGISTRAR };

static struct control *control;
static enum role role;

static int
name_control(char *out, size_t size)
{
	Dl_info self;
	const char *end;
	int len;

	if (dladdr(&control, &self) == 0 || (end = strrchr(self.dli_fname, '/')) == NULL)
		return 0;
	len = snprintf(out, size, "%.*s/faults", (int)(end - self.dli_fname), self.dli_fname);
	return len > 0 && (size_t)len < size;
}

static void __attribute__((constructor)) open_control(void)
{
	char path[4096];
	int fd = name_control(path, sizeof(path)) ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		control = map;
	role = ROLE_BROKER;
	if (strcmp(program_invocation_short_name, "mosquitto_jitr_registrar") == 0)
		role = ROLE_REGISTRAR;
	(void)close(fd);
}

static int
is_named(int fd, const char *suffix)
{
	char link[32], path[4096];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	return len > (ssize_t)strlen(suffix) &&
	    memcmp(path + len - strlen(suffix), suffix, strlen(suffix)) == 0;
}

static int
fails(uint32_t *left)
{
	if (*left == 0)
		return 0;
	if (*left != UINT32_MAX)
		--*left;
	control->failed++;
	errno = EIO;
	return 1;
}

static int
write_fails(int fd, off_t at)
{
	uint32_t *left;

	if (control == NULL)
		return 0;
	left = at < META_PAGES ? &control->meta_writes : &control->data_writes;
	return *left > 0 && is_named(fd, "/data.mdb") && fails(left);
}

/* The function of libc. */
#define NEXT(name) (__extension__(__typeof__(&(name))) dlsym(RTLD_NEXT, #name))

ssize_t
pwrite(int fd, const void *data, size_t size, off_t at)
{
	return write_fails(fd, at) ? -1 : NEXT(pwrite)(fd, data, size, at);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	if (control != NULL && control->data_writes > 0 && write_fails(fd, META_PAGES))
		return -1;
	return NEXT(writev)(fd, parts, count);
}

int
fdatasync(int fd)
{
	return control != NULL && fails(&control->syncs) ? -1 : NEXT(fdatasync)(fd);
}

int
fsync(int fd)
{
	return control != NULL && fails(&control->syncs) ? -1 : NEXT(fsync)(fd);
}

ssize_t
read(int fd, void *data, size_t size)
{
	if (control != NULL && control->list_reads > 0 && is_named(fd, ".crl") &&
	    fails(&control->list_reads))
		return -1;
	return NEXT(read)(fd, data, size);
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	int rc = NEXT(clock_gettime)(clock, out);

	if (rc == 0 && control != NULL &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		out->tv_sec += control->clock;
	return rc;
}

time_t
time(time_t *out)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int
posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
    const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
	if (control != NULL && fails(&control->spawns))
		return (int)control->spawn_errno;
	return NEXT(posix_spawn)(pid, path, actions, attributes, arguments, environment);
}

/*
 * Allocations.
 *
 * The registrar's all count.  The broker's count if the plugin or LMDB makes them: what
 * Mosquitto does without memory is not the plugin's.
 */

/* dlsym() would allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static int
is_counted(const void *caller)
{
	Dl_info from;

	if (role == ROLE_REGISTRAR)
		return 1;
	return dladdr(caller, &from) != 0 && from.dli_fname != NULL &&
	    (strstr(from.dli_fname, "mosquitto_jitr.so") != NULL ||
		strstr(from.dli_fname, "liblmdb") != NULL);
}

static int
allocation_fails(const void *caller)
{
	if (control == NULL || control->process != (uint32_t)role || !is_counted(caller))
		return 0;
	if (++control->allocations != control->fails_at)
		return 0;
	control->failed++;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return allocation_fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return allocation_fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *memory, size_t size)
{
	return allocation_fails(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}
