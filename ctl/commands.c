/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * commands.c - finding a command in the table (command_table.c).
 *
 * Any thread.  Never allocates.
 */
#include "commands.h"

#include <string.h>

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

static size_t
smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Letters to change, add or drop to make one word of the other (Levenshtein). */
static size_t
distance(const char *a, const char *b)
{
	enum { LONGEST = 64 };
	size_t row[LONGEST + 1];
	size_t b_len = strlen(b);

	if (strlen(a) > LONGEST || b_len > LONGEST)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t same = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);

			diagonal = row[j];
			row[j] = smallest(same, row[j] + 1, row[j - 1] + 1);
		}
	}
	return row[b_len];
}

const struct command *
command_guess(const char *name)
{
	const struct command *best = NULL;
	size_t nearest = 5;

	for (size_t i = 0; i < command_count; i++) {
		size_t d = distance(name, command_table[i].name);

		/* "describe-ca-cert" lacks eight letters, but is no misspelling. */
		if (strlen(name) > 4 && strncmp(name, command_table[i].name, strlen(name)) == 0)
			d = 1;
		if (d < nearest) {
			nearest = d;
			best = &command_table[i];
		}
	}
	return best;
}
