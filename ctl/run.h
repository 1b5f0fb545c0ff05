/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * run.h - executes a command.
 *
 * Prints the answer to standard output and everything else to standard error.  One
 * thread.
 */
#ifndef CTL_RUN_H
#define CTL_RUN_H

#include "help.h"
#include "options.h"

enum status { /* exit statuses of the AWS CLI */
	STATUS_DONE = 0,
	STATUS_USAGE = 252,
	STATUS_UNREACHABLE = 253,
	STATUS_REFUSED = 254,
	STATUS_FAILED = 255, /* local failure: out of memory, standard output cannot be
			      * written */
};

/* argv begins with the command. */
MUST_USE enum status run(const struct program *p, const struct options *o, int argc, char **argv);

/* A complete command line, options and command: the body of main(). */
MUST_USE enum status run_line(const struct program *p, int argc, char **argv);

#endif
