/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * print_table.c - --output table: nested boxes, as the AWS CLI draws them.
 *
 * The answer is converted to a list of sections, one per object or list, each with a
 * title and rows of cells; the widest section determines the width of all.  A section
 * with one record that is too wide for the terminal is transposed.  Any thread.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

#include "jitr/core/text.h"

#define DEPTH_MAX   32 /* nesting of boxes; deeper parts are left out */
#define COLUMNS_MAX 64

struct section {
	char *title;
	int indent;
	bool headed;    /* the first row contains the column names */
	size_t columns; /* number of cells of the first row; 0: no row yet */
	char **cells;   /* row by row */
	size_t count;
};

struct table {
	FILE *out;
	struct section *sections;
	size_t count;
	bool failed; /* out of memory */
};

static void add_item(struct table *t, const char *title, const cJSON *item, int indent);

/* Width in characters, not bytes. */
static int
width_of(const char *text, size_t len)
{
	int width = 0;

	for (size_t i = 0; i < len && width < INT_MAX / 4; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			width++;
	}
	return width;
}

/* Width of the longest line. */
static int
cell_width(const char *text)
{
	int width = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		int w = width_of(text, len);

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

static size_t
rows_of(const struct section *s)
{
	return s->columns == 0 ? 0 : s->count / s->columns;
}

static const char *
cell(const struct section *s, size_t row, size_t column)
{
	return s->cells[row * s->columns + column];
}

static int
column_width(const struct section *s, size_t column)
{
	int width = 0;

	for (size_t row = 0; row < rows_of(s); row++) {
		int w = cell_width(cell(s, row, column));

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
		total += column_width(s, c);
	return total > titled ? total : titled;
}

static int
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
transpose(struct table *t, struct section *s)
{
	char **cells;

	if (!s->headed || rows_of(s) != 2)
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

/* Scales the columns to the width of the table, rounding half to even; the remaining
 * difference is applied to the first or last columns. */
static void
stretch(const struct section *s, int width, int *widths)
{
	long long sum = 0;
	long long off = -(long long)width;

	for (size_t c = 0; c < s->columns; c++) {
		widths[c] = column_width(s, c);
		sum += widths[c];
	}
	for (size_t c = 0; c < s->columns; c++) {
		long long scaled = (long long)width * widths[c];
		long long whole = scaled / sum;
		long long twice = 2 * (scaled % sum);

		if (twice > sum || (twice == sum && whole % 2 != 0))
			whole++;
		widths[c] = (int)whole;
		off += whole;
	}
	for (size_t i = 0; off != 0; i = (i + 1) % s->columns) {
		widths[off > 0 ? i : s->columns - 1 - i] += off > 0 ? -1 : 1;
		off += off > 0 ? -1 : 1;
	}
}

static void
repeat(FILE *out, char c, int count)
{
	for (int i = 0; i < count; i++)
		(void)fputc(c, out);
}

static void
draw_rule(FILE *out, const struct section *s, const int *widths)
{
	repeat(out, '|', s->indent);
	for (size_t c = 0; c < s->columns; c++) {
		if (c == 0)
			(void)fputc('+', out);
		repeat(out, '-', widths[c] - (c == 0 ? 2 : 1));
		(void)fputc('+', out);
	}
	repeat(out, '|', s->indent);
	(void)fputc('\n', out);
}

/* left: 1 if the cell draws its own left edge, otherwise 0. */
static void
draw_centred(FILE *out, const char *text, int width, int left)
{
	int len = cell_width(text);
	int before = width / 2 - len / 2 - 1;

	repeat(out, '|', left);
	repeat(out, ' ', before);
	(void)fputs(text, out);
	repeat(out, ' ', width - 1 - left - (before > 0 ? before : 0) - len);
	(void)fputc('|', out);
}

static void
draw_left(FILE *out, const char *text, size_t bytes, int width, int left)
{
	int len = width_of(text, bytes);
	int padding = width - len - 2 - left - 1 >= 0 ? 2 : 0;

	repeat(out, '|', left);
	repeat(out, ' ', padding);
	(void)fwrite(text, 1, bytes, out);
	repeat(out, ' ', width - left - padding - len - 1);
	(void)fputc('|', out);
}

static void
draw_heading(FILE *out, const struct section *s, const int *widths)
{
	repeat(out, '|', s->indent);
	for (size_t c = 0; c < s->columns; c++)
		draw_centred(out, cell(s, 0, c), widths[c], c == 0);
	repeat(out, '|', s->indent);
	(void)fputc('\n', out);
}

/* Draws one line of the cells, starting at at[], and advances at[] to the next.
 * Returns whether there is one; a line break at the end of a cell starts none. */
static bool
draw_line(FILE *out, const struct section *s, const int *widths, const char **at)
{
	bool more = false;

	repeat(out, '|', s->indent);
	for (size_t c = 0; c < s->columns; c++) {
		size_t len = strcspn(at[c], "\n");

		draw_left(out, at[c], len, widths[c], c == 0);
		at[c] += len;
		at[c] += *at[c] == '\n';
		more = more || *at[c] != '\0';
	}
	repeat(out, '|', s->indent);
	(void)fputc('\n', out);
	return more;
}

/* Draws as many lines as the tallest cell has, so PEM keeps its lines.  (In the AWS CLI
 * line breaks break the box.) */
static void
draw_row(FILE *out, const struct section *s, size_t row, const int *widths)
{
	const char *at[COLUMNS_MAX + 1];

	for (size_t c = 0; c < s->columns; c++)
		at[c] = cell(s, row, c);
	while (draw_line(out, s, widths, at))
		continue;
}

static void
draw_title(FILE *out, const struct section *s, int width)
{
	repeat(out, '|', s->indent);
	draw_centred(out, s->title, width, 1);
	repeat(out, '|', s->indent);
	(void)fputc('\n', out);
	if (rows_of(s) > 0)
		return;
	repeat(out, '|', s->indent);
	(void)fputc('+', out);
	repeat(out, '-', width - 2);
	(void)fputc('+', out);
	repeat(out, '|', s->indent);
	(void)fputc('\n', out);
}

static void
draw_section(FILE *out, const struct section *s, int width)
{
	int widths[COLUMNS_MAX + 1];

	width -= 2 * s->indent;
	draw_title(out, s, width);
	if (rows_of(s) == 0)
		return;
	stretch(s, width, widths);
	draw_rule(out, s, widths);
	if (s->headed) {
		draw_heading(out, s, widths);
		draw_rule(out, s, widths);
	}
	for (size_t row = s->headed; row < rows_of(s); row++)
		draw_row(out, s, row, widths);
	if (!s->headed || rows_of(s) > 1)
		draw_rule(out, s, widths);
}

static void
draw(struct table *t, int screen)
{
	int width = table_width(t);

	if (width > screen) {
		for (size_t i = 0; i < t->count; i++)
			transpose(t, &t->sections[i]);
		width = table_width(t);
	}
	repeat(t->out, '-', width);
	(void)fputc('\n', t->out);
	for (size_t i = 0; i < t->count; i++)
		draw_section(t->out, &t->sections[i], width);
}

static void
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

bool
print_table(FILE *out, const char *title, const cJSON *data, int width)
{
	struct table t = { .out = out };

	add_item(&t, title, data, 0);
	if (!t.failed)
		draw(&t, width);
	table_free(&t);
	return !t.failed;
}
