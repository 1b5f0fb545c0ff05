/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* process.c - see process.h. */
#define _GNU_SOURCE /* posix_spawn_file_actions_addclosefrom_np() */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jitr/service/child.h"

#include "process.h"

/* What the C library, OpenSSL and sanitizers read: the process must verify certificates as
 * the broker does. */
static const char *const inherited[] = { "ASAN_OPTIONS", "GLIBC_TUNABLES", "LD_LIBRARY_PATH",
	"LD_PRELOAD", "LLVM_PROFILE_FILE", "LSAN_OPTIONS", "OPENSSL_CONF", "OPENSSL_MODULES",
	"TSAN_OPTIONS", "UBSAN_OPTIONS" };

#define ENVIRONMENT_SIZE (COUNT_OF(inherited) + 1)

static bool
is_inherited(const char *variable)
{
	size_t len = strcspn(variable, "=");

	for (size_t i = 0; i < COUNT_OF(inherited); i++)
		if (strlen(inherited[i]) == len && memcmp(variable, inherited[i], len) == 0)
			return true;
	return false;
}

static void
select_environment(char *out[ENVIRONMENT_SIZE])
{
	size_t count = 0;

	for (char **at = environ; at != NULL && *at != NULL && count < ENVIRONMENT_SIZE - 1; at++)
		if (is_inherited(*at))
			out[count++] = *at;
	out[count] = NULL;
}

/* The socket first: its descriptor may be one of the others. */
static int
add_descriptors(posix_spawn_file_actions_t *actions, int fd)
{
	int e = posix_spawn_file_actions_adddup2(actions, fd, CHILD_FD);

	if (e == 0)
		e = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY,
		    0);
	if (e == 0)
		e = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY,
		    0);
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(actions, CHILD_FD + 1);
	return e;
}

/* The signals that the broker handles.  A terminal, a service manager or pkill sends them to both
 * processes. */
static const int signals_of_broker[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2 };

/* All other signals have their default action: the broker ignores SIGPIPE. */
static int
set_signals(posix_spawnattr_t *attributes)
{
	sigset_t blocked, defaults;
	int e;

	sigemptyset(&blocked);
	for (size_t i = 0; i < COUNT_OF(signals_of_broker); i++)
		sigaddset(&blocked, signals_of_broker[i]);
	sigfillset(&defaults);
	e = posix_spawnattr_setsigmask(attributes, &blocked);
	if (e == 0)
		e = posix_spawnattr_setsigdefault(attributes, &defaults);
	if (e == 0)
		e = posix_spawnattr_setflags(attributes,
		    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return e;
}

static int
spawn_with(const char *path, int fd, pid_t *pid, posix_spawn_file_actions_t *actions,
    posix_spawnattr_t *attributes)
{
	char *arguments[] = { (char *)(uintptr_t)path, NULL };
	char *environment[ENVIRONMENT_SIZE];
	int e = add_descriptors(actions, fd);

	if (e == 0)
		e = set_signals(attributes);
	if (e != 0)
		return e;
	select_environment(environment);
	return posix_spawn(pid, path, actions, attributes, arguments, environment);
}

/* 0 or an errno. */
static int
spawn(const char *path, int fd, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int e = posix_spawn_file_actions_init(&actions);

	if (e != 0)
		return e;
	e = posix_spawnattr_init(&attributes);
	if (e == 0) {
		e = spawn_with(path, fd, pid, &actions, &attributes);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return e;
}

static enum err
cannot_start(struct diag *diag, const char *path, int error)
{
	diag_set(diag, "cannot be started: %s: %s", strerror(error), path);
	return ERR_STORAGE;
}

enum err
process_start(const char *path, struct process *out, struct diag *diag)
{
	int pair[2], e;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return cannot_start(diag, path, errno);
	e = spawn(path, pair[1], &out->pid);
	(void)close(pair[1]);
	if (e != 0) {
		(void)close(pair[0]);
		return cannot_start(diag, path, e);
	}
	out->fd = pair[0];
	return ERR_OK;
}

void
process_describe(int status, struct diag *diag)
{
	if (WIFSIGNALED(status))
		diag_set(diag, "killed by signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		diag_set(diag, "exit status %d", WEXITSTATUS(status));
}

bool
process_ended(pid_t pid, struct diag *diag)
{
	pid_t found;
	int status;

	do
		found = waitpid(pid, &status, WNOHANG);
	while (found < 0 && errno == EINTR);
	if (found == 0)
		return false;
	if (found == pid)
		process_describe(status, diag);
	else
		diag_set(diag, "exit status not known");
	return true;
}
