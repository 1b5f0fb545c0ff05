/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* json.c - see json.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/adapter/json.h"
#include "jitr/core/json_grammar.h"
#include "jitr/core/text.h"

/* Bytes of an invalid value that a message quotes. */
#define VALUE_SHOWN 48

/* The text that is parsed, and where to report errors. */
struct input {
	const char *what; /* "request" */
	struct view text;
	struct diag *diag;
};

static enum err
refuse(const struct input *in, const char *why)
{
	diag_set(in->diag, "The %s is not acceptable: %s", in->what, why);
	return ERR_REQUEST;
}

/* Adds the position of the invalid byte. */
static enum err
refuse_place(const struct input *in, struct place p, const char *why)
{
	diag_set(in->diag, "The %s is not acceptable: %s (line %zu, column %zu)", in->what, why,
	    p.line, p.column);
	return ERR_REQUEST;
}

static enum err
refuse_at(const struct input *in, size_t offset, const char *why)
{
	return refuse_place(in, place_of(in->text, offset), why);
}

static enum err
check_utf8(struct view text, const struct input *in)
{
	struct view rest = text;

	while (rest.len > 0) {
		size_t n = utf8_next(rest);

		if (n == 0)
			return refuse_at(in, text.len - rest.len, "it is not UTF-8");
		rest = view_from(rest, n);
	}
	return ERR_OK;
}

/* cJSON takes invalid hex digits for a NUL. */
static bool
is_hex(struct view text, size_t at)
{
	uint8_t bytes[2];

	return text.len >= at + 4 &&
	    hex_decode(bytes, sizeof(bytes), (struct view){ text.data + at, 4 });
}

/* Each value but the first follows one of these characters. */
static bool
starts_value(uint8_t c, uint8_t next, bool in_string)
{
	return in_string ? c == '\\' && next == 'u' : c == ',' || c == '[' || c == '{';
}

/* Finds what cJSON does not report: a NUL, as a byte or escaped, which would end its
 * strings early; nesting, on which it recurses; and the number of values. */
static enum err
scan_text(struct view text, size_t depth_max, const struct input *in)
{
	size_t depth = 0, values = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i], next = i + 1 < text.len ? text.data[i + 1] : '\0';

		if (c == '\0')
			return refuse_at(in, i, "it contains a NUL");
		if (starts_value(c, next, in_string) && ++values > JSON_VALUES_MAX)
			return refuse_at(in, i, "it has too many values");
		if (in_string && c == '\\') {
			if (text.len - i > 5 && memcmp(text.data + i + 1, "u0000", 5) == 0)
				return refuse_at(in, i, "a string contains \\u0000");
			if (text.len - i > 1 && text.data[i + 1] == 'u' && !is_hex(text, i + 2))
				return refuse_at(in, i, "it is not JSON");
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == '{' || c == '[')) {
			if (++depth > depth_max)
				return refuse_at(in, i, "it is nested too deeply");
		} else if (!in_string && (c == '}' || c == ']')) {
			depth -= depth > 0;
		}
	}
	return ERR_OK;
}

/* Member names of one object: an open hash table. */
#define SLOTS (2 * JSON_MEMBERS_MAX)

static bool
was_seen(const char *names[SLOTS], const char *name)
{
	size_t hash = 5381;

	for (const char *c = name; *c != '\0'; c++)
		hash = hash * 33 ^ (uint8_t)*c;
	for (hash %= SLOTS; names[hash] != NULL; hash = (hash + 1) % SLOTS)
		if (strcmp(names[hash], name) == 0)
			return true;
	names[hash] = name;
	return false;
}

static enum err
check_names(const cJSON *object, const struct input *in)
{
	const char *names[SLOTS] = { NULL };
	size_t count = 0;

	for (const cJSON *a = object->child; a != NULL; a = a->next) {
		if (++count > JSON_MEMBERS_MAX)
			return refuse(in, "an object has too many members");
		if (!was_seen(names, a->string))
			continue;
		diag_set(in->diag, "The %s is not acceptable: member '%.*s' is given twice",
		    in->what, VALUE_SHOWN, a->string);
		return ERR_REQUEST;
	}
	return ERR_OK;
}

/* Recursion is bounded: scan_text() checked the depth. */
static enum err
check_tree(const cJSON *value, const struct input *in)
{
	enum err e = cJSON_IsObject(value) ? check_names(value, in) : ERR_OK;

	for (const cJSON *c = value->child; e == ERR_OK && c != NULL; c = c->next)
		e = check_tree(c, in);
	return e;
}

static size_t
skip_space(struct view text, size_t at)
{
	while (at < text.len && memchr(" \t\r\n", text.data[at], 4) != NULL)
		at++;
	return at;
}

enum err
json_parse_as(struct view text, const char *what, size_t depth_max, cJSON **out, struct diag *diag)
{
	const struct input in = { what, text, diag };
	const char *begin = (const char *)text.data, *end = begin;
	cJSON *value;
	size_t behind;
	enum err e;

	if (text.len == 0)
		return refuse(&in, "it is empty");
	e = check_utf8(text, &in);
	if (e == ERR_OK)
		e = scan_text(text, depth_max, &in);
	if (e != ERR_OK)
		return e;
	value = cJSON_ParseWithLengthOpts(begin, text.len, &end, false);
	if (value == NULL)
		return json_is_value(text, depth_max)
		    ? ERR_NOMEM
		    : refuse_place(&in, place_of_json(text, (size_t)(end - begin)),
			  "it is not JSON");
	e = check_tree(value, &in);
	behind = skip_space(text, (size_t)(end - begin));
	if (e == ERR_OK && behind < text.len)
		e = refuse_at(&in, behind, "unexpected text after the JSON value");
	if (e != ERR_OK)
		cJSON_Delete(value);
	else
		*out = value;
	return e;
}

enum err
json_parse(struct view text, size_t depth_max, cJSON **out, struct diag *diag)
{
	return json_parse_as(text, "request", depth_max, out, diag);
}

bool
json_is_integer(double number)
{
	return number >= -9007199254740992.0 && number <= 9007199254740992.0 &&
	    (double)(int64_t)number == number;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

void
json_sort(const cJSON **members, size_t count)
{
	qsort(members, count, sizeof(*members), compare_names);
}
