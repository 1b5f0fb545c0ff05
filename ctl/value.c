/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * value.c - see value.h.
 *
 * Any thread.  The only file of the command line that reads files for a request, except
 * for revocation lists.
 */
#include "value.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/text.h"
#include "shorthand.h"

static const char *
file_prefix_skip(const char *given)
{
	if (strncmp(given, "file://", 7) == 0)
		return given + 7;
	if (strncmp(given, "fileb://", 8) == 0)
		return given + 8;
	return NULL;
}

static char *
copy_text(const char *text, struct diag *d)
{
	char *copy = strdup(text);

	if (copy == NULL)
		diag_set(d, "out of memory");
	return copy;
}

/* The shell does not expand the tilde in file://~/root.pem, but the AWS CLI does. */
char *
value_path(const char *given, struct diag *d)
{
	const char *path = file_prefix_skip(given);
	const char *home = getenv("HOME");
	char *whole;
	size_t size;

	if (path == NULL)
		path = given;
	if (strncmp(path, "~/", 2) != 0 || home == NULL)
		return copy_text(path, d);
	size = strlen(home) + strlen(path);
	whole = malloc(size);
	if (whole == NULL)
		diag_set(d, "out of memory");
	else
		(void)snprintf(whole, size, "%s%s", home, path + 1);
	return whole;
}

static char *
read_stream(FILE *file, const char *given, struct diag *d)
{
	char *content = malloc(VALUE_MAX + 1);
	char *smaller;
	size_t len;

	if (content == NULL) {
		diag_set(d, "out of memory");
		return NULL;
	}
	len = fread(content, 1, VALUE_MAX, file);
	content[len] = '\0';
	if (ferror(file))
		diag_set(d, "Unable to load paramfile %s: %s", given, strerror(errno));
	else if (len == VALUE_MAX)
		diag_set(d, "Unable to load paramfile %s: it is larger than 1 MiB", given);
	else if (strlen(content) != len ||
	    !utf8_valid((struct view){ (const uint8_t *)content, len }))
		diag_set(d,
		    "Unable to load paramfile %s: it is not text (a certificate in DER? "
		    "openssl x509 -inform DER makes PEM of it)",
		    given);
	else {
		smaller = realloc(content, len + 1);
		return smaller != NULL ? smaller : content;
	}
	free(content);
	return NULL;
}

static char *
read_file(const char *given, struct diag *d)
{
	char *path = value_path(given, d);
	char *content = NULL;
	FILE *file;

	if (path == NULL)
		return NULL;
	file = fopen(path, "rb");
	if (file == NULL) {
		diag_set(d, "Unable to load paramfile %s: %s", given, strerror(errno));
	} else {
		content = read_stream(file, given, d);
		(void)fclose(file);
	}
	free(path);
	return content;
}

char *
value_text(const char *given, struct diag *d)
{
	if (file_prefix_skip(given) != NULL)
		return read_file(given, d);
	if (!utf8_valid(view_of(given))) {
		diag_set(d, "the value is not UTF-8");
		return NULL;
	}
	return copy_text(given, d);
}

/* JSON begins with a brace; a path usually does not. */
char *
value_document(const char *given, struct diag *d)
{
	if (given[strspn(given, " \t\r\n")] == '{')
		return value_text(given, d);
	return read_file(given, d);
}

/* To name a file called rule or none, write file://rule. */
char *
value_rule(const char *given, struct diag *d)
{
	if (strcmp(given, "rule") == 0 || strcmp(given, "none") == 0)
		return copy_text(given, d);
	return value_document(given, d);
}

/* The broker resolves the name in its own directory: a path relative to the current
 * directory would refer to another file. */
char *
value_broker_path(const char *given, struct diag *d)
{
	if (*given != '.' && strstr(given, "://") == NULL)
		return value_text(given, d);
	diag_set(d,
	    "'%.100s' is no path for the broker. It reads the file, on its own machine: give "
	    "its name in the directory crl_dir there, or the whole path, beginning with /",
	    given);
	return NULL;
}

char *
value_phrase(const char *first, char *const *more, int count, struct diag *d)
{
	size_t size = strlen(first) + 1;
	struct text text;
	char *phrase;

	for (int i = 0; i < count; i++)
		size += strlen(more[i]) + 1;
	phrase = malloc(size);
	if (phrase == NULL) {
		diag_set(d, "out of memory");
		return NULL;
	}
	text = text_in(phrase, size);
	text_add(&text, first);
	for (int i = 0; i < count; i++) {
		text_add(&text, " ");
		text_add(&text, more[i]);
	}
	if (utf8_valid(view_of(phrase)))
		return phrase;
	diag_set(d, "the value is not UTF-8");
	free(phrase);
	return NULL;
}

char *
value_pem(const char *given, struct diag *d)
{
	bool literal = strstr(given, "-----BEGIN") != NULL;
	char *pem = literal ? value_text(given, d) : read_file(given, d);

	if (pem != NULL && strstr(pem, "PRIVATE KEY-----") != NULL) {
		diag_set(d, "%s holds a private key; nothing was sent",
		    literal ? "the value" : given);
		free(pem);
		return NULL;
	}
	return pem;
}

/* JSON or shorthand, otherwise a path. */
static cJSON *
parse_structure(const char *given, const struct part *parts, struct diag *d)
{
	const char *shape = given + strspn(given, " \t\r\n");
	bool from_file = file_prefix_skip(given) != NULL;
	const char *end = NULL;
	char *content;
	cJSON *json;

	if (!from_file && *shape != '{' && *shape != '[' && strchr(given, '=') != NULL)
		return shorthand_parse(given, parts, d);
	if (!from_file && (*shape == '{' || *shape == '['))
		content = value_text(given, d);
	else
		content = read_file(given, d);
	if (content == NULL)
		return NULL;
	json = cJSON_ParseWithOpts(content, &end, true);
	if (json == NULL) {
		struct place p = place_of_json(view_of(content), (size_t)(end - content));

		diag_set(d, "Invalid JSON%s%s (line %zu, column %zu)", from_file ? " in " : "",
		    from_file ? given : "", p.line, p.column);
	}
	free(content);
	return json;
}

static const struct part *
find_part(const char *name, const struct part *parts)
{
	for (; parts->name != NULL; parts++) {
		if (strcmp(name, parts->name) == 0)
			return parts;
	}
	return NULL;
}

/* Converts a single word from shorthand to the type of the part; NULL: keep the string. */
static cJSON *
part_of_word(enum part_kind kind, const char *word)
{
	cJSON *list;

	if (kind == PART_BOOLEAN && (strcmp(word, "true") == 0 || strcmp(word, "false") == 0))
		return cJSON_CreateBool(word[0] == 't');
	if (kind != PART_LIST)
		return NULL;
	list = cJSON_CreateArray();
	cJSON_AddItemToArray(list, cJSON_CreateString(word));
	return list;
}

/* Shorthand has no types, so the flag's types are applied. */
MUST_USE static bool
check_part(cJSON *object, cJSON *member, const struct part *part, struct diag *d)
{
	cJSON *other = cJSON_IsString(member) ? part_of_word(part->kind, member->valuestring)
					      : NULL;

	if (part->kind == PART_TEXT && cJSON_IsArray(member)) {
		diag_set(d, "%.60s is one text, not a list (a comma in it is written \\,)",
		    part->name);
		return false;
	}
	if (other != NULL && !cJSON_ReplaceItemInObjectCaseSensitive(object, part->name, other)) {
		cJSON_Delete(other);
		diag_set(d, "out of memory");
		return false;
	}
	return true;
}

/* Checks the members, as the AWS CLI does before sending. */
MUST_USE static bool
check_object(cJSON *object, const struct part *parts, struct diag *d)
{
	char names[160];
	struct text all = text_in(names, sizeof(names));
	cJSON *next;

	for (const struct part *p = parts; p->name != NULL; p++)
		text_addf(&all, "%s%s", p == parts ? "" : ", ", p->name);
	if (!cJSON_IsObject(object)) {
		diag_set(d, "expected an object with %s", names);
		return false;
	}
	for (cJSON *member = object->child; member != NULL; member = next) {
		const struct part *part = find_part(member->string, parts);

		next = member->next;
		if (part == NULL) {
			diag_set(d, "Unknown parameter: \"%.60s\", must be one of: %s",
			    member->string, names);
			return false;
		}
		if (!check_part(object, member, part, d))
			return false;
	}
	return true;
}

cJSON *
value_object(const char *given, const struct part *parts, struct diag *d)
{
	cJSON *object = parse_structure(given, parts, d);

	if (object != NULL && !check_object(object, parts, d)) {
		cJSON_Delete(object);
		return NULL;
	}
	return object;
}

MUST_USE static bool
list_add(cJSON *list, const char *given, const struct part *parts, struct diag *d)
{
	cJSON *item = parse_structure(given, parts, d);
	bool ok = item != NULL;

	while (ok && cJSON_IsArray(item) && item->child != NULL) {
		cJSON *element = cJSON_DetachItemFromArray(item, 0);

		ok = check_object(element, parts, d) && cJSON_AddItemToArray(list, element);
		if (!ok)
			cJSON_Delete(element);
	}
	if (ok && !cJSON_IsArray(item)) {
		ok = check_object(item, parts, d) && cJSON_AddItemToArray(list, item);
		if (ok)
			item = NULL;
	}
	cJSON_Delete(item);
	return ok;
}

cJSON *
value_list(const char *first, char *const *more, int count, const struct part *parts,
    struct diag *d)
{
	cJSON *list = cJSON_CreateArray();
	bool ok = list != NULL && list_add(list, first, parts, d);

	for (int i = 0; ok && i < count; i++)
		ok = list_add(list, more[i], parts, d);
	if (ok)
		return list;
	cJSON_Delete(list);
	return NULL;
}

/* A JSON array, or words. */
cJSON *
value_words(const char *first, char *const *more, int count, struct diag *d)
{
	cJSON *list;

	if (count == 0 &&
	    (first[strspn(first, " \t\r\n")] == '[' || file_prefix_skip(first) != NULL))
		return parse_structure(first, NULL, d);
	list = cJSON_CreateArray();
	for (int i = -1; i < count; i++) {
		char *word = value_text(i < 0 ? first : more[i], d);
		cJSON *item = word != NULL ? cJSON_CreateString(word) : NULL;

		free(word);
		if (item != NULL && cJSON_AddItemToArray(list, item))
			continue;
		cJSON_Delete(item);
		cJSON_Delete(list);
		return NULL;
	}
	return list;
}

bool
value_number(const char *given, int *out, struct diag *d)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(given, &end, 10);
	if (*given == '\0' || *end != '\0' || errno != 0 || number < INT_MIN || number > INT_MAX) {
		diag_set(d, "invalid int value: '%s'", given);
		return false;
	}
	*out = (int)number;
	return true;
}
