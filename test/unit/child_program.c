/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * child_program.c - a process for check_child: its name says how it behaves, because it has
 * no arguments.
 */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jitr/service/child.h"

extern char **environ;

static struct link *l;

static void
flush(void)
{
	while (link_flush(l) == ERR_OK && link_waiting(l).frames > 0)
		(void)poll(&(struct pollfd){ .fd = CHILD_FD, .events = POLLOUT }, 1, -1);
}

static void
say(enum wire_type type, uint64_t number, const uint8_t *bytes, size_t len)
{
	if (link_send(l, type, number, &(struct view){ bytes, len }, 1) != ERR_OK)
		exit(90);
	flush();
}

static void
say_hello(uint32_t protocol, const char *version)
{
	struct wire_hello h = { protocol, version };
	uint8_t bytes[64];

	say(WIRE_HELLO, 0, bytes, wire_put_hello(&h, bytes, sizeof(bytes)));
}

static void
say_line(const char *line)
{
	struct wire_log log = { LEVEL_INFO, line };
	uint8_t bytes[1024];

	say(WIRE_LOG, 0, bytes, wire_put_log(&log, bytes, sizeof(bytes)));
}

/* false: the link has ended. */
static bool
hear(struct wire_frame *f)
{
	enum err e;

	while ((e = link_next(l, f)) == ERR_NOT_FOUND)
		if (link_fill(l) == ERR_NOT_FOUND)
			(void)poll(&(struct pollfd){ .fd = CHILD_FD, .events = POLLIN }, 1, -1);
	return e == ERR_OK;
}

/* Answers requests with their payload. */
static int
serve(size_t answers_to_stop, int status_of_request)
{
	struct wire_frame f;

	while (hear(&f)) {
		if (f.type == WIRE_REQUEST && status_of_request != 0)
			return status_of_request;
		if (f.type == WIRE_REQUEST)
			say(WIRE_ANSWER, f.number, f.payload.data, f.payload.len);
		if (f.type == WIRE_STOP) {
			for (size_t i = 0; i < answers_to_stop; i++)
				say(WIRE_ANSWER, i, NULL, 0);
			return 0;
		}
	}
	return 0;
}

static void
report_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char line[320], target[512], path[300];
	ssize_t len;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		(void)snprintf(line, sizeof(line), "descriptor %s %.9s", entry->d_name, target);
		say_line(line);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static void
report_signals(void)
{
	char line[64];
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int n = 1; n < SIGRTMAX; n++) {
		struct sigaction now;

		(void)snprintf(line, sizeof(line), "blocked %d", n);
		if (sigismember(&blocked, n) == 1)
			say_line(line);
		(void)snprintf(line, sizeof(line), "not default %d", n);
		if (sigaction(n, NULL, &now) == 0 && now.sa_handler != SIG_DFL)
			say_line(line);
	}
}

static int
report(int argc)
{
	char line[512];

	report_descriptors();
	report_signals();
	for (char **at = environ; *at != NULL; at++) {
		(void)snprintf(line, sizeof(line), "environment %.400s", *at);
		say_line(line);
	}
	(void)snprintf(line, sizeof(line), "arguments %d", argc);
	say_line(line);
	say_hello(WIRE_PROTOCOL, "1.2.3");
	return serve(0, 0);
}

static int
behave(const char *name, int argc)
{
	struct wire_frame f;
	struct wire_config config;

	if (strcmp(name, "exits") == 0)
		return 1;
	if (strcmp(name, "killed") == 0)
		(void)raise(SIGKILL);
	if (strcmp(name, "another version") == 0) {
		say_hello(WIRE_PROTOCOL, "1.2.4");
		return 0;
	}
	if (!hear(&f) || f.type != WIRE_CONFIG || wire_get_config(f.payload, &config) != ERR_OK ||
	    strcmp(config.options.list[0].value, "/var/lib/jitr") != 0)
		return 91;
	if (strcmp(name, "report") == 0)
		return report(argc);
	if (strcmp(name, "version") == 0)
		say_hello(WIRE_PROTOCOL, "1.2.4");
	if (strcmp(name, "protocol") == 0)
		say_hello(WIRE_PROTOCOL + 1, "2.0.0");
	if (strcmp(name, "malformed") == 0)
		say(WIRE_HELLO, 0, NULL, 0);
	if (strcmp(name, "early") == 0)
		say(WIRE_ANSWER, 0, NULL, 0);
	if (strcmp(name, "garbage") == 0)
		(void)!write(CHILD_FD, "HTTP/1.1 400 Bad", 16);
	if (strcmp(name, "failed") == 0) {
		uint8_t bytes[64];

		say(WIRE_FAILED, 0, bytes,
		    wire_put_line("the registry is made of cheese", bytes, sizeof(bytes)));
		return 1;
	}
	if (strcmp(name, "hangs") == 0) {
		say_line("opening");
		while (true)
			(void)pause();
	}
	while (strcmp(name, "talks on") == 0)
		say_line("upgrading");
	if (strcmp(name, "talks") == 0)
		for (int i = 0; i < 200; i++)
			say_line("upgrading\nERROR: forged");
	say_hello(WIRE_PROTOCOL, "1.2.3");
	if (strcmp(name, "closes") == 0)
		(void)close(CHILD_FD);
	while (strcmp(name, "closes") == 0 || strcmp(name, "stubborn") == 0)
		(void)pause();
	return serve(strcmp(name, "pending") == 0 ? 3 : 0, strcmp(name, "leaves") == 0 ? 3 : 0);
}

int
main(int argc, char **argv)
{
	struct link_config config = { CHILD_FD, WIRE_REGISTRAR, 100, 1 << 22 };
	const char *slash = strrchr(argv[0], '/');

	if (link_open(&config, &l) != ERR_OK)
		return 92;
	return behave(slash != NULL ? slash + 1 : argv[0], argc);
}
