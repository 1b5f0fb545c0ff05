/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * commands.c - looks up commands in the table (command_table.c).
 *
 * Any thread.  Never allocates.
 */
#include "commands.h"

#include <string.h>

#include "jitr/core/text.h"

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++) {
		if (strcmp(command_table[i].name, name) == 0)
			return &command_table[i];
	}
	return NULL;
}

const struct command *
command_of_operation(const char *operation)
{
	for (size_t i = 0; i < command_count; i++) {
		if (strcmp(command_table[i].operation, operation) == 0)
			return &command_table[i];
	}
	return NULL;
}

const struct command *
command_guess(const char *name)
{
	const struct command *best = NULL;
	size_t nearest = 5;

	for (size_t i = 0; i < command_count; i++) {
		size_t d = text_distance(view_of(name), view_of(command_table[i].name));

		/* An abbreviation such as "describe-ca-cert" may lack any number of
		 * letters. */
		if (strlen(name) > 4 && strncmp(name, command_table[i].name, strlen(name)) == 0)
			d = 1;
		if (d < nearest) {
			nearest = d;
			best = &command_table[i];
		}
	}
	return best;
}
