/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* instructions.c - see instructions.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instructions.h"

bool
instructions_can_be_counted(void)
{
	return system("valgrind --version >/dev/null 2>&1") == 0;
}

/* The line "summary: N" of callgrind's output. */
static double
read_summary(const char *path)
{
	char   line[4096];
	double total = 0;
	FILE  *f = fopen(path, "r");

	must(f != NULL, path);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "summary: ", 9) == 0)
			total = strtod(line + 9, NULL);
	fclose(f);
	must(total > 0, "a summary in callgrind's output");
	return total;
}

static double
run_under_callgrind(const struct server_config *config, const struct work *w, size_t first,
    size_t count, const char *part)
{
	char                 path[4096], out[4200];
	const char *const    wrapper[] = { "valgrind", "--tool=callgrind", out, NULL };
	struct server_config slow = *config;
	struct server        server;

	snprintf(path, sizeof(path), "%s/callgrind.%s.%s.%s", config->directory, config->name, w->name,
	    part);
	snprintf(out, sizeof(out), "--callgrind-out-file=%s", path);
	slow.wrapper = wrapper;
	server_start(&server, &slow);
	w->run(&server, first, count, w->context);
	server_stop(&server, SIGTERM);
	return read_summary(path);
}

double
instructions_count(const struct server_config *config, const struct work *w, size_t few,
    size_t many)
{
	double least = run_under_callgrind(config, w, 0, few, "few");
	double all = run_under_callgrind(config, w, few, many, "many");

	return (all - least) / (double)(many - few);
}
