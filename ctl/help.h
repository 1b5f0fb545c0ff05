/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * help.h - texts of `help` and of usage errors, generated from the tables.
 *
 * Any thread.
 */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

#include "commands.h"

/* How the program was called: mosquitto_jitr, or mosquitto_ctrl with the module's name. */
struct program {
	const char *name;   /* mosquitto_jitr or mosquitto_ctrl */
	const char *module; /* "" or " jitr" */
};

void help_overview(FILE *out, const struct program *p);
void help_command(FILE *out, const struct program *p, const struct command *c);

/* Writes usage and the error to standard error. */
void help_usage(const struct program *p, const char *wrong);

#endif
