/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * shorthand.c - see shorthand.h.
 *
 * Any thread.
 */
#include "shorthand.h"

#include <stdlib.h>
#include <string.h>

#include "value.h"

#define NESTING_MAX 8

struct reader {
	const char *at;
	char *word; /* as large as the whole text, so it cannot overflow */
	int depth;  /* of brackets and braces */
	const struct part *parts;
	struct diag *why;
};

static cJSON *read_value(struct reader *r);
MUST_USE static bool read_members(struct reader *r, cJSON *object, char end);

static void
skip_blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t\r\n");
}

static cJSON *
expected(struct reader *r, const char *what)
{
	diag_set(r->why, "Expected: %s, received: '%.60s'", what, r->at);
	return NULL;
}

MUST_USE static bool
read_quoted(struct reader *r)
{
	char quote = *r->at++;
	char *out = r->word;

	while (*r->at != quote && *r->at != '\0') {
		/* Only these two: JSON in a value keeps its backslashes. */
		if (r->at[0] == '\\' && (r->at[1] == quote || r->at[1] == '\\'))
			r->at++;
		*out++ = *r->at++;
	}
	*out = '\0';
	if (*r->at != quote) {
		diag_set(r->why, "the quote %c is not closed", quote);
		return false;
	}
	r->at++;
	return true;
}

/* Up to a comma, inside brackets also up to a closing one. */
static void
read_plain(struct reader *r)
{
	const char *ends = r->depth > 0 ? ",]}" : ",";
	char *out = r->word;

	while (*r->at != '\0' && strchr(ends, *r->at) == NULL) {
		if (r->at[0] == '\\' && r->at[1] == ',')
			r->at++;
		*out++ = *r->at++;
	}
	*out = '\0';
}

static cJSON *
read_word(struct reader *r)
{
	if (*r->at != '"' && *r->at != '\'')
		read_plain(r);
	else if (!read_quoted(r))
		return NULL;
	return cJSON_CreateString(r->word);
}

/* Appends an item and takes ownership of it. */
MUST_USE static bool
append(cJSON *list, cJSON *item)
{
	if (item != NULL && cJSON_AddItemToArray(list, item))
		return true;
	cJSON_Delete(item);
	return false;
}

/* The rest of [one,two] behind the bracket. */
MUST_USE static bool
read_items(struct reader *r, cJSON *list)
{
	skip_blanks(r);
	if (*r->at == ']')
		return true;
	while (append(list, read_value(r))) {
		skip_blanks(r);
		if (*r->at == ']')
			return true;
		if (*r->at != ',')
			return expected(r, "',' or ']'") != NULL;
		r->at++;
		skip_blanks(r);
	}
	return false;
}

static cJSON *
read_nested(struct reader *r)
{
	bool list = *r->at++ == '[';
	cJSON *value = list ? cJSON_CreateArray() : cJSON_CreateObject();
	bool ok = value != NULL && ++r->depth <= NESTING_MAX;

	if (!ok)
		diag_set(r->why, "it is nested too deeply");
	ok = ok && (list ? read_items(r, value) : read_members(r, value, '}'));
	r->depth--;
	if (ok) {
		r->at++;
		return value;
	}
	cJSON_Delete(value);
	return NULL;
}

static cJSON *
read_value(struct reader *r)
{
	return *r->at == '[' || *r->at == '{' ? read_nested(r) : read_word(r);
}

/* Does key=one,two continue with another value rather than with a new key? */
static bool
list_goes_on(const struct reader *r)
{
	const char *next = r->at + 1;

	if (r->depth > 0 || *r->at != ',')
		return false;
	next += strspn(next, " \t\r\n");
	return *next != '\0' && *next != '[' && *next != '{' &&
	    (*next == '"' || *next == '\'' || next[strcspn(next, "=,")] != '=');
}

/* Reads further values; first becomes the first item of a list. */
static cJSON *
read_rest_of_list(struct reader *r, cJSON *first)
{
	cJSON *list = cJSON_CreateArray();

	if (!append(list, first)) {
		cJSON_Delete(list);
		return NULL;
	}
	while (list_goes_on(r)) {
		r->at++;
		skip_blanks(r);
		if (!append(list, read_word(r))) {
			cJSON_Delete(list);
			return NULL;
		}
		skip_blanks(r);
	}
	return list;
}

static cJSON *
read_from_file(struct reader *r)
{
	cJSON *word = read_word(r);
	char *content = word != NULL ? value_text(word->valuestring, r->why) : NULL;
	cJSON *text = content != NULL ? cJSON_CreateString(content) : NULL;

	cJSON_Delete(word);
	free(content);
	return text;
}

/* Braces in a text member are part of the text: templateBody={}. */
static bool
is_text(const struct reader *r, const char *key)
{
	const struct part *part = r->depth == 0 ? r->parts : NULL;

	while (part != NULL && part->name != NULL && strcmp(part->name, key) != 0)
		part++;
	return part != NULL && part->name != NULL && part->kind == PART_TEXT;
}

static cJSON *
read_whole_value(struct reader *r, const char *key, bool from_file)
{
	cJSON *value = from_file ? read_from_file(r)
	    : is_text(r, key)    ? read_word(r)
				 : read_value(r);

	skip_blanks(r);
	if (cJSON_IsString(value) && list_goes_on(r))
		return read_rest_of_list(r, value);
	return value;
}

MUST_USE static bool
add_member(struct reader *r, cJSON *object, const char *key, bool from_file)
{
	cJSON *value;

	if (cJSON_GetObjectItemCaseSensitive(object, key) != NULL) {
		diag_set(r->why, "Second instance of key \"%.60s\" encountered", key);
		return false;
	}
	value = read_whole_value(r, key, from_file);
	if (value != NULL && cJSON_AddItemToObject(object, key, value))
		return true;
	cJSON_Delete(value);
	return false;
}

MUST_USE static bool
read_member(struct reader *r, cJSON *object)
{
	char key[136]; /* names of attributes have up to 128 characters */
	size_t len;
	bool from_file;

	skip_blanks(r);
	len = strcspn(r->at, "=@,");
	while (r->at[len] == '@' && r->at[len + 1] != '=') /* names of attributes may contain it */
		len += 1 + strcspn(r->at + len + 1, "=@,");
	from_file = r->at[len] == '@';
	if (len == 0 || len >= sizeof(key) || (r->at[len] != '=' && !from_file))
		return expected(r, "key=value,... (or JSON)") != NULL;
	memcpy(key, r->at, len);
	key[len] = '\0';
	r->at += len + (from_file ? 2 : 1);
	return add_member(r, object, key, from_file);
}

/* Reads members up to end: a brace, or the end of the text. */
MUST_USE static bool
read_members(struct reader *r, cJSON *object, char end)
{
	skip_blanks(r);
	if (end == '}' && *r->at == end)
		return true;
	while (read_member(r, object)) {
		skip_blanks(r);
		if (*r->at == end)
			return true;
		if (*r->at != ',')
			return expected(r, "','") != NULL;
		r->at++;
	}
	return false;
}

cJSON *
shorthand_parse(const char *text, const struct part *parts, struct diag *d)
{
	struct reader r = { .at = text,
		.word = malloc(strlen(text) + 1),
		.parts = parts,
		.why = d };
	cJSON *object = cJSON_CreateObject();
	bool ok = false;

	diag_set(d, "out of memory"); /* default, unless these functions set a reason */
	if (r.word != NULL && object != NULL)
		ok = read_members(&r, object, '\0');
	free(r.word);
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}
