/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * print_table.c - --output table: draws nested boxes as the AWS CLI does.
 *
 * If the table is wider than the terminal, sections with one record are transposed.
 * Any thread.
 */
#include "print.h"

#include <stdio.h>
#include <string.h>

#include "table.h"

/* Scales the columns to the width of the table, rounding half to even; the remaining
 * difference is applied to the first or last columns. */
static void
stretch(const struct section *s, int width, int *widths)
{
	long long sum = 0;
	long long off = -(long long)width;

	for (size_t c = 0; c < s->columns; c++) {
		widths[c] = section_column_width(s, c);
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
	int len = text_width(text, bytes);
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
		draw_centred(out, section_cell(s, 0, c), widths[c], c == 0);
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
		at[c] = section_cell(s, row, c);
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
	if (section_rows(s) > 0)
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
	if (section_rows(s) == 0)
		return;
	stretch(s, width, widths);
	draw_rule(out, s, widths);
	if (s->headed) {
		draw_heading(out, s, widths);
		draw_rule(out, s, widths);
	}
	for (size_t row = s->headed; row < section_rows(s); row++)
		draw_row(out, s, row, widths);
	if (!s->headed || section_rows(s) > 1)
		draw_rule(out, s, widths);
}

static void
draw(FILE *out, struct table *t, int screen)
{
	int width = table_width(t);

	if (width > screen) {
		table_transpose(t);
		width = table_width(t);
	}
	repeat(out, '-', width);
	(void)fputc('\n', out);
	for (size_t i = 0; i < t->count; i++)
		draw_section(out, &t->sections[i], width);
}

bool
print_table(FILE *out, const char *title, const cJSON *data, int width)
{
	struct table t = { .count = 0 };

	table_add(&t, title, data);
	if (!t.failed)
		draw(out, &t, width);
	table_free(&t);
	return !t.failed;
}
