/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * print.c - JSON output, and functions shared by text and table; see print.h.
 *
 * Any thread.
 */
#include "print.h"

#include <stdlib.h>
#include <string.h>

#include "jitr/core/calendar.h"
#include "jitr/core/text.h"

bool
output_parse(const char *name, enum output *out)
{
	static const char *const names[] = { "json", "text", "table" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = (enum output)i;
			return true;
		}
	}
	return false;
}

static void
json_control(FILE *out, unsigned code)
{
	static const struct {
		char code, letter;
	} letters[] = { { '\n', 'n' }, { '\r', 'r' }, { '\t', 't' }, { '\b', 'b' }, { '\f', 'f' } };

	for (size_t i = 0; i < COUNT_OF(letters); i++) {
		if ((unsigned)letters[i].code == code) {
			(void)fprintf(out, "\\%c", letters[i].letter);
			return;
		}
	}
	(void)fprintf(out, "\\u%04x", code);
}

/* RFC 8259 section 7, and in addition escapes all other control characters, also in
 * files and pipes, where the escapes mean the same characters. */
static void
json_string(FILE *out, const char *text)
{
	struct view rest = view_of(text);

	(void)fputc('"', out);
	while (rest.len > 0) {
		size_t len = utf8_next(rest);
		uint8_t c = rest.data[0];

		if (len == 0)
			(void)fputs("\\ufffd", out);
		else if (utf8_is_control((struct view){ rest.data, len }))
			json_control(out, utf8_code((struct view){ rest.data, len }));
		else if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else
			(void)fwrite(rest.data, 1, len, out);
		len = len == 0 ? 1 : len;
		rest = view_from(rest, len);
	}
	(void)fputc('"', out);
}

static void
json_number(FILE *out, const cJSON *item)
{
	char *text = cJSON_PrintUnformatted(item);

	(void)fputs(text != NULL ? text : "null", out);
	cJSON_free(text);
}

static void
json_indent(FILE *out, int depth)
{
	(void)fprintf(out, "\n%*s", 4 * depth, "");
}

static void
json_members(FILE *out, const cJSON *item, int depth)
{
	bool object = cJSON_IsObject(item);

	(void)fputc(object ? '{' : '[', out);
	for (const cJSON *child = item->child; child != NULL; child = child->next) {
		json_indent(out, depth + 1);
		if (object) {
			json_string(out, child->string);
			(void)fputs(": ", out);
		}
		print_json(out, child, depth + 1);
		if (child->next != NULL)
			(void)fputc(',', out);
	}
	if (item->child != NULL)
		json_indent(out, depth);
	(void)fputc(object ? '}' : ']', out);
}

void
print_json(FILE *out, const cJSON *item, int depth)
{
	if (!print_is_scalar(item))
		json_members(out, item, depth);
	else if (cJSON_IsString(item))
		json_string(out, item->valuestring);
	else
		json_number(out, item);
}

bool
print_answer(FILE *out, enum output format, const char *operation, const cJSON *data, int width)
{
	if (data == NULL || data->child == NULL)
		return true;
	switch (format) {
	case OUTPUT_TEXT:
		return print_text(out, data);
	case OUTPUT_TABLE:
		return print_table(out, operation, data, width);
	case OUTPUT_JSON:
		break;
	}
	print_json(out, data, 0);
	(void)fputc('\n', out);
	return true;
}

bool
print_is_scalar(const cJSON *item)
{
	return !cJSON_IsObject(item) && !cJSON_IsArray(item);
}

/* A character of len bytes; len 0: one byte of invalid UTF-8. */
static void
add_safe(struct text *out, const uint8_t *at, size_t len, bool lines)
{
	struct view character = { at, len };

	if (len == 0)
		text_addf(out, "\\x%02x", at[0]);
	else if (at[0] == '\n')
		text_add(out, lines ? "\n" : "\\n");
	else if (at[0] == '\t')
		text_add(out, "\\t");
	else if (utf8_is_control(character))
		text_addf(out, utf8_code(character) > 0xff ? "\\u%04x" : "\\x%02x",
		    (unsigned)utf8_code(character));
	else
		text_add_view(out, character);
}

static char *
safe_text(const char *text, bool lines)
{
	struct view rest = view_of(text);
	size_t size = 4 * rest.len + 1;
	char *safe = malloc(size);
	struct text out;

	if (safe == NULL)
		return NULL;
	out = text_in(safe, size);
	while (rest.len > 0) {
		size_t len = utf8_next(rest);

		add_safe(&out, rest.data, len, lines);
		len = len == 0 ? 1 : len;
		rest = view_from(rest, len);
	}
	return safe;
}

void
print_shown(FILE *out, const char *text)
{
	struct view rest = view_of(text);

	while (rest.len > 0) {
		size_t len = utf8_next(rest);
		char buffer[8];
		struct text piece = text_in(buffer, sizeof(buffer));

		add_safe(&piece, rest.data, len, false);
		(void)fputs(buffer, out);
		len = len == 0 ? 1 : len;
		rest = view_from(rest, len);
	}
}

char *
print_safe(const char *text)
{
	return safe_text(text, false);
}

char *
print_safe_lines(const char *text)
{
	return safe_text(text, true);
}

/* AWS's times: creationDate, lastModifiedDate and so on, notBefore, notAfter.  Ours:
 * times of refusals and revocation lists. */
static bool
is_name_of_time(const char *name)
{
	static const char *const names[] = { "notBefore", "notAfter", "date", "thisUpdate",
		"nextUpdate" };
	size_t len = strlen(name);

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return len > 4 && strcmp(name + len - 4, "Date") == 0;
}

/* Seconds since 1970 (aws-iot 1.3) in the years 0 to 9999, the range of a certificate.
 * 99991231235959Z means that a certificate does not expire (RFC 5280 4.1.2.5). */
static bool
is_time(const cJSON *item)
{
	return cJSON_IsNumber(item) && item->string != NULL && is_name_of_time(item->string) &&
	    item->valuedouble >= -62167219200.0 && item->valuedouble < 253402300800.0;
}

static char *
time_text(double seconds)
{
	char text[64];
	struct civil c = civil_of((int64_t)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5)));
	int len = snprintf(text, sizeof(text), "%04d-%02u-%02uT%02u:%02u:%02u", (int)c.year,
	    c.month, c.day, c.hour, c.minute, c.second);

	if (c.ms != 0)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ".%03u000", c.ms);
	(void)snprintf(text + len, sizeof(text) - (size_t)len, "+00:00");
	return strdup(text);
}

char *
print_scalar(const cJSON *item, char *(*safe)(const char *text))
{
	if (cJSON_IsString(item))
		return safe(item->valuestring);
	if (cJSON_IsBool(item))
		return strdup(cJSON_IsTrue(item) ? "True" : "False");
	if (is_time(item))
		return time_text(item->valuedouble);
	if (cJSON_IsNumber(item))
		return cJSON_PrintUnformatted(item);
	return strdup("None");
}

static int
by_name(const void *a, const void *b)
{
	const cJSON *const *left = a;
	const cJSON *const *right = b;

	return strcmp((*left)->string, (*right)->string);
}

const cJSON **
print_sorted(const cJSON *object, size_t *count)
{
	size_t n = (size_t)cJSON_GetArraySize(object);
	const cJSON **members = calloc(n + 1, sizeof(*members));
	size_t i = 0;

	*count = n;
	if (members == NULL)
		return NULL;
	for (const cJSON *m = object->child; m != NULL; m = m->next)
		members[i++] = m;
	qsort(members, n, sizeof(*members), by_name);
	return members;
}
