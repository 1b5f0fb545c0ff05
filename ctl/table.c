/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * table.c - see table.h.
 *
 * Any thread.
 */
#include "table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

#define DEPTH_MAX 32 /* nesting of boxes; deeper parts are left out */

static void add_item(struct table *t, const char *title, const cJSON *item, int indent);

int
text_width(const char *text, size_t len)
{
	int width = 0;

	for (size_t i = 0; i < len && width < INT_MAX / 4; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			width++;
	}
	return width;
}

int
cell_width(const char *text)
{
	int width = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		int w = text_width(text, len);

		width = w > width ? w : width;
		text += len;
		text += *text == '\n';
	}
	return width;
}

static struct section *
add_section(struct table *t, const char *title, int indent)
{
	struct section *bigger = realloc(t->sections, (t->count + 1) * sizeof(*bigger));
	struct section *s;

	if (bigger == NULL) {
		t->failed = true;
		return NULL;
	}
	t->sections = bigger;
	s = &t->sections[t->count++];
	*s = (struct section){ .title = print_safe(title), .indent = indent };
	if (s->title == NULL)
		t->failed = true;
	return s;
}

/* Takes ownership of text, also on failure. */
static void
add_cell(struct table *t, struct section *s, char *text)
{
	char **bigger = NULL;

	if (text != NULL && !t->failed)
		bigger = realloc(s->cells, (s->count + 1) * sizeof(*bigger));
	if (bigger == NULL) {
		t->failed = true;
		free(text);
		return;
	}
	s->cells = bigger;
	s->cells[s->count++] = text;
}

static void
end_row(struct section *s)
{
	if (s->columns == 0)
		s->columns = s->count;
}

static char *
scalar_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (item == NULL || !print_is_scalar(item))
		return strdup("");
	return print_scalar(item, print_safe_lines);
}

/* The names of all scalar members, or of all others, of several objects: sorted and
 * unique. */
struct names {
	const char *at[COLUMNS_MAX];
	size_t count;
};

static void
names_add(struct names *names, const char *name)
{
	size_t i = 0;

	while (i < names->count && strcmp(names->at[i], name) < 0)
		i++;
	if (names->count == COLUMNS_MAX || (i < names->count && strcmp(names->at[i], name) == 0))
		return;
	memmove(&names->at[i + 1], &names->at[i], (names->count - i) * sizeof(names->at[0]));
	names->at[i] = name;
	names->count++;
}

static void
names_of(struct names *names, const cJSON *object, bool scalars)
{
	const cJSON *m;

	cJSON_ArrayForEach(m, object)
	{
		if (m->string != NULL && print_is_scalar(m) == scalars)
			names_add(names, m->string);
	}
}

static void
add_names_row(struct table *t, struct section *s, const struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		add_cell(t, s, print_safe(names->at[i]));
	end_row(s);
	s->headed = true;
}

static void
add_values_row(struct table *t, struct section *s, const struct names *names, const cJSON *object)
{
	for (size_t i = 0; i < names->count; i++)
		add_cell(t, s, scalar_of(object, names->at[i]));
	end_row(s);
}

static void
add_parts(struct table *t, const struct names *parts, const cJSON *object, int indent)
{
	for (size_t i = 0; i < parts->count; i++)
		add_item(t, parts->at[i], cJSON_GetObjectItemCaseSensitive(object, parts->at[i]),
		    indent + 1);
}

static void
add_object(struct table *t, const char *title, const cJSON *object, int indent)
{
	struct section *s = add_section(t, title, indent);
	struct names scalars = { .count = 0 };
	struct names parts = { .count = 0 };

	if (s == NULL)
		return;
	names_of(&scalars, object, true);
	names_of(&parts, object, false);
	if (scalars.count == 1) { /* a single pair needs no heading */
		add_cell(t, s, print_safe(scalars.at[0]));
		add_cell(t, s, scalar_of(object, scalars.at[0]));
		end_row(s);
	} else if (scalars.count > 1) {
		add_names_row(t, s, &scalars);
		add_values_row(t, s, &scalars, object);
	}
	add_parts(t, &parts, object, indent);
}

/* One section for all records, unless they have nested parts: then one for each. */
static void
add_records(struct table *t, const char *title, const cJSON *list, int indent)
{
	struct names scalars = { .count = 0 };
	struct names parts = { .count = 0 };
	struct section *s = NULL;
	const cJSON *object;

	cJSON_ArrayForEach(object, list)
	{
		names_of(&scalars, object, true);
		names_of(&parts, object, false);
	}
	cJSON_ArrayForEach(object, list)
	{
		if (s == NULL || parts.count > 0) {
			s = add_section(t, title, indent);
			if (s == NULL || scalars.count == 0)
				return;
			add_names_row(t, s, &scalars);
		}
		add_values_row(t, s, &scalars, object);
		add_parts(t, &parts, object, indent);
	}
}

static void
add_scalars(struct table *t, const char *title, const cJSON *list, int indent)
{
	struct section *s = add_section(t, title, indent);
	const cJSON *item;

	if (s == NULL)
		return;
	cJSON_ArrayForEach(item, list)
	{
		add_cell(t, s,
		    print_is_scalar(item) ? print_scalar(item, print_safe_lines) : strdup(""));
		end_row(s);
	}
}

static void
add_item(struct table *t, const char *title, const cJSON *item, int indent)
{
	if (item == NULL || item->child == NULL || indent > DEPTH_MAX || t->failed)
		return;
	if (cJSON_IsObject(item))
		add_object(t, title, item, indent);
	else if (cJSON_IsObject(item->child))
		add_records(t, title, item, indent);
	else
		add_scalars(t, title, item, indent);
}

size_t
section_rows(const struct section *s)
{
	return s->columns == 0 ? 0 : s->count / s->columns;
}

const char *
section_cell(const struct section *s, size_t row, size_t column)
{
	return s->cells[row * s->columns + column];
}

int
section_column_width(const struct section *s, size_t column)
{
	int width = 0;

	for (size_t row = 0; row < section_rows(s); row++) {
		int w = cell_width(section_cell(s, row, column));

		width = w > width ? w : width;
	}
	return width + 4;
}

static int
section_width(const struct section *s)
{
	int titled = cell_width(s->title) + 2 + 2 * s->indent;
	int total = 2 + 2 * s->indent;

	for (size_t c = 0; c < s->columns; c++)
		total += section_column_width(s, c);
	return total > titled ? total : titled;
}

int
table_width(const struct table *t)
{
	int width = 0;

	for (size_t i = 0; i < t->count; i++) {
		int w = section_width(&t->sections[i]);

		width = w > width ? w : width;
	}
	return width;
}

/* Converts a heading and one record to pairs, one per line. */
static void
transpose_section(struct table *t, struct section *s)
{
	char **cells;

	if (!s->headed || section_rows(s) != 2)
		return;
	cells = calloc(2 * s->columns, sizeof(*cells));
	if (cells == NULL) {
		t->failed = true;
		return;
	}
	for (size_t c = 0; c < s->columns; c++) {
		cells[2 * c] = s->cells[c];
		cells[2 * c + 1] = s->cells[s->columns + c];
	}
	free(s->cells);
	s->cells = cells;
	s->columns = 2;
	s->headed = false;
}

void
table_transpose(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		transpose_section(t, &t->sections[i]);
}

void
table_add(struct table *t, const char *title, const cJSON *answer)
{
	add_item(t, title, answer, 0);
}

void
table_free(struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct section *s = &t->sections[i];

		for (size_t c = 0; c < s->count; c++)
			free(s->cells[c]);
		free(s->cells);
		free(s->title);
	}
	free(t->sections);
}
