/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * print.h - prints answers like the AWS CLI: json, text, table.
 *
 * json is the answer as received.  text and table show times in ISO 8601.  All formats
 * escape control characters.  Any thread.
 */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "jitr/core/base.h"

enum output {
	OUTPUT_JSON,
	OUTPUT_TEXT,
	OUTPUT_TABLE,
};

MUST_USE bool output_parse(const char *name, enum output *out);

/* Prints nothing for an answer without members.  False: out of memory. */
MUST_USE bool print_answer(FILE *out, enum output format, const char *operation, const cJSON *data,
    int width);

/* One format each. */
void print_json(FILE *out, const cJSON *item, int depth);
MUST_USE bool print_text(FILE *out, const cJSON *data);
MUST_USE bool print_table(FILE *out, const char *title, const cJSON *data, int width);

/* Escapes text from outside for a terminal: \n, \t, \x1b, \u202e (all characters of
 * utf8_is_control()).  print_safe_lines() keeps line breaks.  Release with free(). */
MUST_USE char *print_safe(const char *text);
MUST_USE char *print_safe_lines(const char *text);

/* Writes the escaped text; never fails. */
void print_shown(FILE *out, const char *text);

/* The text of a scalar; strings are escaped with one of the functions above. */
MUST_USE char *print_scalar(const cJSON *item, char *(*safe)(const char *text));

bool print_is_scalar(const cJSON *item);

/* The members of an object sorted by name.  NULL: out of memory.  Release the array
 * with free(), not the members. */
MUST_USE const cJSON **print_sorted(const cJSON *object, size_t *count);

#endif
