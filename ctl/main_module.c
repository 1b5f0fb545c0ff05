/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * main_module.c - mosquitto_ctrl_jitr.so: the command line as a module of
 * mosquitto_ctrl.
 *
 * Uses only the words of the command line: everything else that the host passes differs
 * between versions (mosquitto section 10).  One thread.
 */
#include <stdlib.h>

#include "host.h"
#include "run.h"

#define EXPORT __attribute__((visibility("default")))

struct mosq_ctrl;

static const struct program program = { "mosquitto_ctrl", " jitr" };

EXPORT void ctrl_help(void);
EXPORT int ctrl_main(int argc, char *argv[], struct mosq_ctrl *ctrl);

void
ctrl_help(void)
{
	help_overview(stdout, &program);
}

MUST_USE static enum status
run_as_module(int argc, char **argv)
{
	struct options o;
	struct diag why = { "" };
	enum status status = STATUS_USAGE;
	int count = 0;
	int used;
	char **words = host_options(argc, argv, host_argument_area(), &count);

	if (words == NULL) {
		(void)fputs("mosquitto_ctrl jitr: the connection options cannot be read on this "
			    "system; use the program mosquitto_jitr\n",
		    stderr);
		return STATUS_FAILED;
	}
	if (options_parse(&o, count, words, &used, &why))
		status = run(&program, &o, argc, argv);
	else
		help_usage(&program, why.text);
	options_free(&o);
	host_options_free(words);
	return status;
}

/* Calls exit() on errors: with a positive return value the host would print another
 * error message, with 0 it would send a request. */
int
ctrl_main(int argc, char *argv[], struct mosq_ctrl *ctrl)
{
	enum status status = run_as_module(argc, argv);

	(void)ctrl;
	if (status != STATUS_DONE)
		exit((int)status);
	return -1;
}
