/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * run.h - a command from its words to its exit status.
 *
 * Prints the answer on standard output and everything else on standard error.
 * One thread.
 */
#ifndef CTL_RUN_H
#define CTL_RUN_H

#include "help.h"
#include "options.h"

enum status { /* those of the AWS CLI */
	STATUS_DONE = 0,
	STATUS_USAGE = 252,
	STATUS_UNREACHABLE = 253,
	STATUS_REFUSED = 254,
	STATUS_FAILED = 255, /* on this side: memory, a full disk behind standard output */
};

/* argv begins with the command. */
MUST_USE enum status run(const struct program *p, const struct options *o, int argc, char **argv);

/* The whole of a command line, options and command: what main() does. */
MUST_USE enum status run_line(const struct program *p, int argc, char **argv);

#endif
