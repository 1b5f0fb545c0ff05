/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * table.h - an answer as nested boxes, for --output table.
 *
 * The answer is converted to a list of sections, one per object or list, each with a
 * title and rows of cells; the widest section determines the width of all.  Any thread.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <cjson/cJSON.h>

#include "jitr/core/base.h"

#define COLUMNS_MAX 64

struct section {
	char *title;
	int indent;     /* nesting of the box */
	bool headed;    /* the first row contains the column names */
	size_t columns; /* number of cells of the first row; 0: no row yet */
	char **cells;   /* row by row */
	size_t count;
};

struct table {
	struct section *sections;
	size_t count;
	bool failed; /* out of memory */
};

/* Zero is an empty table.  Sets failed if it is out of memory. */
void table_add(struct table *t, const char *title, const cJSON *answer);
void table_free(struct table *t);

/* Converts each section of a heading and one record to pairs, one per line. */
void table_transpose(struct table *t);

int table_width(const struct table *t);

size_t section_rows(const struct section *s);
const char *section_cell(const struct section *s, size_t row, size_t column);
int section_column_width(const struct section *s, size_t column);

/* Widths in characters, not bytes: of text, and of the longest line of a cell. */
int text_width(const char *text, size_t len);
int cell_width(const char *text);

#endif
