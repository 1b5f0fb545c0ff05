/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * print.c - see print.h: json, and what text and table share.
 *
 * Any thread.
 */
#include "print.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "jitr/text.h"

bool
output_parse(const char *name, enum output *out)
{
	static const char *const names[] = {"json", "text", "table"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = (enum output)i;
			return true;
		}
	}
	return false;
}

/* U+0080 to U+009F: some terminals obey them as they obey ESC. */
static bool
is_c1(const uint8_t *c, size_t len)
{
	return len == 2 && c[0] == 0xc2 && c[1] < 0xa0;
}

static void
json_control(FILE *out, unsigned code)
{
	static const struct {
		char code, letter;
	} letters[] = {{'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'\b', 'b'}, {'\f', 'f'}};

	for (size_t i = 0; i < COUNT_OF(letters); i++) {
		if ((unsigned)letters[i].code == code) {
			(void)fprintf(out, "\\%c", letters[i].letter);
			return;
		}
	}
	(void)fprintf(out, "\\u%04x", code);
}

/* RFC 8259 section 7, and every other control character escaped, too. */
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
		else if (is_c1(rest.data, len))
			json_control(out, rest.data[1]);
		else if (c < 0x20 || c == 0x7f)
			json_control(out, c);
		else if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else
			(void)fwrite(rest.data, 1, len, out);
		len = len == 0 ? 1 : len;
		rest.data += len;
		rest.len -= len;
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

/* One character, or one byte that is none, of len bytes. */
static void
add_safe(struct text *out, const uint8_t *at, size_t len, bool lines)
{
	uint8_t c = at[0];

	if (c == '\n')
		text_add(out, lines ? "\n" : "\\n");
	else if (c == '\t')
		text_add(out, "\\t");
	else if (len == 0 || c < 0x20 || c == 0x7f)
		text_addf(out, "\\x%02x", c);
	else if (is_c1(at, len))
		text_addf(out, "\\x%02x", at[1]);
	else
		text_addf(out, "%.*s", (int)len, (const char *)at);
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
		rest.data += len;
		rest.len -= len;
	}
	return safe;
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

/* Of AWS creationDate, lastModifiedDate ..., notBefore, notAfter; of ours those
 * of refusals and of revocation lists. */
static bool
is_name_of_time(const char *name)
{
	static const char *const names[] = {"notBefore", "notAfter", "date", "thisUpdate",
	    "nextUpdate"};
	size_t len = strlen(name);

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return len > 4 && strcmp(name + len - 4, "Date") == 0;
}

/* Seconds since 1970 (aws-iot 1.3), in the years 69 to 9892. */
static bool
is_time(const cJSON *item)
{
	return cJSON_IsNumber(item) && item->string != NULL && is_name_of_time(item->string) &&
	    item->valuedouble > -6e10 && item->valuedouble < 2.5e11;
}

static char *
time_text(double seconds)
{
	char text[64];
	double rounded = seconds * 1000 + (seconds < 0 ? -0.5 : 0.5);
	int64_t ms = (int64_t)rounded;
	int64_t rest = ((ms % 1000) + 1000) % 1000;
	time_t whole = (time_t)((ms - rest) / 1000);
	struct tm tm;
	size_t len;

	if (gmtime_r(&whole, &tm) == NULL)
		return strdup("?");
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest != 0)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ".%03d000", (int)rest);
	(void)snprintf(text + len, sizeof(text) - len, "+00:00");
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
