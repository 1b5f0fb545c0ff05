/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* instructions.c - see instructions.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instructions.h"

#define SETTLE_US 200000

bool
instructions_can_be_counted(void)
{
	return system("valgrind --version >/dev/null 2>&1 && vgdb --help >/dev/null 2>&1") == 0;
}

void
counter_open(struct counter *c, const struct server_config *config, const char *name)
{
	char out[4200];
	const char *const wrapper[] = { "valgrind", "--tool=callgrind", out, NULL };
	struct server_config slow = *config;

	snprintf(c->path, sizeof(c->path), "%s/callgrind.%s.%s", config->directory, config->name,
	    name);
	snprintf(out, sizeof(out), "--callgrind-out-file=%s", c->path);
	slow.wrapper = wrapper;
	server_start(&c->server, &slow);
}

void
counter_close(struct counter *c)
{
	server_stop(&c->server, SIGTERM);
}

/* A command of callgrind's (its manual, "Monitor Commands"). */
static void
command(const struct counter *c, const char *word)
{
	char line[100];

	sleep_us(SETTLE_US);
	snprintf(line, sizeof(line), "vgdb --pid=%ld %s >/dev/null 2>&1", (long)c->server.pid,
	    word);
	must(system(line) == 0, line);
}

void
counter_start(struct counter *c)
{
	command(c, "zero");
}

/* The line "summary: N" of callgrind's output. */
static double
read_total(const char *path)
{
	char line[4096];
	double total = 0;
	FILE *f = fopen(path, "r");

	must(f != NULL, path);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "summary: ", 9) == 0)
			total = strtod(line + 9, NULL);
	fclose(f);
	must(total > 0, "a summary in callgrind's output");
	return total;
}

double
counter_stop(struct counter *c)
{
	char path[4200];

	command(c, "dump");
	snprintf(path, sizeof(path), "%s.1", c->path);
	return read_total(path);
}
