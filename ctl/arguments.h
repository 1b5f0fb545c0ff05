/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * arguments.h - COMMAND [--flags] of a command line, matched with the table.
 *
 * Parses as the AWS CLI does: any unambiguous beginning of a flag's name will
 * do, --flag=value is --flag value, the last of several wins.  Reads no file
 * and checks no value.  What it finds points into argv.  Any thread.
 */
#ifndef CTL_ARGUMENTS_H
#define CTL_ARGUMENTS_H

#include "commands.h"

struct given {
	const struct flag *flag;
	bool yes;          /* FLAG_BOOLEAN: false after --no-... */
	const char *value; /* the only or first value; NULL if none is taken */
	char **more;       /* of a flag that takes several: those after the first */
	int more_count;
};

#define GIVEN_MAX 32 /* more than any command and the global flags have */

struct arguments {
	const struct command *command; /* NULL when only help was asked for */
	bool help;
	struct given given[GIVEN_MAX];
	size_t count;
};

/* argv begins with the command.  False: usage, and why in d. */
MUST_USE bool arguments_parse(struct arguments *a, int argc, char **argv, struct diag *d);

/* Everything that is required has been given? */
MUST_USE bool arguments_complete(const struct arguments *a, struct diag *d);

/* The flag of this name if it was given, else NULL. */
const struct given *arguments_given(const struct arguments *a, const char *name);

#endif
