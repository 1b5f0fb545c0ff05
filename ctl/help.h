/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * help.h - what `help` and a usage error show, out of the tables.
 *
 * program is what the user typed before the options: mosquitto_jitr, or
 * mosquitto_ctrl with jitr behind the options.  Any thread.
 */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include <stdio.h>

#include "commands.h"

/* How this is called: mosquitto_jitr, or mosquitto_ctrl and its module's name. */
struct program {
	const char *name;   /* mosquitto_jitr or mosquitto_ctrl */
	const char *module; /* "" or " jitr" */
};

void help_overview(FILE *out, const struct program *p);
void help_command(FILE *out, const struct program *p, const struct command *c);

/* To standard error: how to use it, and what was wrong. */
void help_usage(const struct program *p, const char *wrong);

#endif
