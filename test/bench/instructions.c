/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* instructions.c - see instructions.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instructions.h"
#include "load.h"

#define PARALLEL 4

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
run_under_callgrind(const struct server_config *config, const struct device *d, size_t count,
    int outcome, const char *part)
{
	char                 path[4096], out[4200];
	const char *const    wrapper[] = { "valgrind", "--tool=callgrind", out, NULL };
	struct server_config slow = *config;
	struct server        server;
	struct load_result   result;

	snprintf(path, sizeof(path), "%s/callgrind.%s.%s", config->directory,
	    config->plugin == NULL ? "bare" : outcome == ACCEPTED ? "active" : "new", part);
	snprintf(out, sizeof(out), "--callgrind-out-file=%s", path);
	slow.wrapper = wrapper;
	server_start(&server, &slow);
	load_run(server.tls_port, d, count, PARALLEL, LEAVE, &result);
	load_must_be(&result, (enum outcome)outcome, "under callgrind");
	server_stop(&server, SIGTERM);
	return read_summary(path);
}

double
instructions_count(const struct server_config *config, const struct device *d, size_t count,
    int outcome)
{
	size_t few = count / 5;
	double least = run_under_callgrind(config, d, few, outcome, "few");
	double all = run_under_callgrind(config, d + few, count - few, outcome, "all");

	return (all - least) / (double)(count - 2 * few);
}
