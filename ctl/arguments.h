/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * arguments.h - parses COMMAND [--flags] with the table of commands.
 *
 * Follows the AWS CLI: a flag may be abbreviated if unambiguous, --flag=value is --flag
 * value, and the last occurrence of a flag wins.  Reads no files and checks no values.
 * Results point into argv.  Any thread.
 */
#ifndef CTL_ARGUMENTS_H
#define CTL_ARGUMENTS_H

#include "commands.h"

struct given {
	const struct flag *flag;
	bool yes;          /* FLAG_BOOLEAN: false for --no-... */
	const char *value; /* the first or only value; NULL if the flag takes none */
	char **more;       /* further values of a flag that takes several */
	int more_count;
};

#define GIVEN_MAX 32 /* more than any command has, with the global flags */

struct arguments {
	const struct command *command; /* NULL: only help was requested */
	bool help;
	struct given given[GIVEN_MAX];
	size_t count;
};

/* argv begins with the command.  False: usage error, *d has the reason. */
MUST_USE bool arguments_parse(struct arguments *a, int argc, char **argv, struct diag *d);

/* Checks that all required flags were given. */
MUST_USE bool arguments_complete(const struct arguments *a, struct diag *d);

/* The flag of this name if it was given, otherwise NULL. */
const struct given *arguments_given(const struct arguments *a, const char *name);

#endif
