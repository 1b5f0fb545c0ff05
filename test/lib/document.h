/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * document.h - texts and tables of the documents, for tests that compare them with the
 * program.
 *
 * Names are relative to SOURCE_DIR, which CMake defines.  The caller frees the result.
 */
#ifndef JITR_TEST_DOCUMENT_H
#define JITR_TEST_DOCUMENT_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline char *
read_document(const char *name)
{
	char path[1024];
	char *text = calloc(1, 1 << 18);
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", SOURCE_DIR, name);
	in = fopen(path, "r");
	ck_assert_msg(in != NULL, "%s is missing", path);
	ck_assert_uint_gt(fread(text, 1, (1 << 18) - 1, in), 0);
	ck_assert_msg(feof(in), "%s is too long for this test", path);
	fclose(in);
	return text;
}

/* The rows of the first table below a heading, without the head. */
static inline char *
read_table(const char *document, const char *heading)
{
	char line[128], *text = read_document(document), *at, *end;

	snprintf(line, sizeof(line), "\n%s\n", heading);
	at = strstr(text, line);
	ck_assert_msg(at != NULL, "%s has no '%s'", document, heading);
	at = strstr(at, "\n|---|");
	ck_assert_msg(at != NULL, "%s has no table below '%s'", document, heading);
	at = strchr(at + 1, '\n') + 1;
	for (end = at; *end == '|'; end = strchr(end, '\n') + 1)
		;
	*end = '\0';
	memmove(text, at, strlen(at) + 1);
	return text;
}

#define CELLS_MAX 5

struct cells {
	char *at[CELLS_MAX];
	size_t count;
};

static inline char *
without_blanks(char *text)
{
	char *end = text + strlen(text);

	while (end > text && end[-1] == ' ')
		*--end = '\0';
	return text + strspn(text, " ");
}

/* The next row of a table from read_table(); *rows moves on. */
static inline bool
next_row(char **rows, struct cells *cells)
{
	char *line = strsep(rows, "\n"), *cell;

	if (line == NULL || *line == '\0')
		return false;
	line++;
	for (cells->count = 0; (cell = strsep(&line, "|")) != NULL && line != NULL;
	     cells->count++) {
		ck_assert_uint_lt(cells->count, CELLS_MAX);
		cells->at[cells->count] = without_blanks(cell);
	}
	return true;
}

/* Removes the code marks. */
static inline char *
plain(char *text)
{
	char *out = text;

	for (const char *in = text; *in != '\0'; in++)
		if (*in != '`')
			*out++ = *in;
	*out = '\0';
	return text;
}

#endif
