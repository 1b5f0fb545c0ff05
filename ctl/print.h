/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * print.h - answers as the AWS CLI prints them: json, text, table.
 *
 * json is the answer as it came.  text and table have times as ISO 8601, and
 * no control character of an answer reaches a terminal in any of them.
 * Any thread.
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

/* Nothing for an answer without members.  False: out of memory. */
MUST_USE bool print_answer(FILE *out, enum output format, const char *operation, const cJSON *data,
    int width);

/* One format each. */
void print_json(FILE *out, const cJSON *item, int depth);
MUST_USE bool print_text(FILE *out, const cJSON *data);
MUST_USE bool print_table(FILE *out, const char *title, const cJSON *data, int width);

/* Text from outside made fit for a terminal: \n, \t, \x1b, \u202e (all that
 * utf8_is_control() names); with lines, only line breaks stay what they are.  free() it. */
MUST_USE char *print_safe(const char *text);
MUST_USE char *print_safe_lines(const char *text);

/* The same, written at once; never fails. */
void print_shown(FILE *out, const char *text);

/* A string made safe by one of these, a number or a truth value. */
MUST_USE char *print_scalar(const cJSON *item, char *(*safe)(const char *text));

bool print_is_scalar(const cJSON *item);

/* An object's members in the order of their names: what text and table go by.
 * NULL: out of memory; free() it, not the members. */
MUST_USE const cJSON **print_sorted(const cJSON *object, size_t *count);

#endif
