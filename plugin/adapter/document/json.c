/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* json.c - see json.h. */
#include <stdio.h>
#include <string.h>

#include "jitr/adapter/json.h"
#include "jitr/core/json_grammar.h"

#include "jitr/core/text.h"

/* Of a value that is wrong, as much as helps to find it. */
#define VALUE_SHOWN 48

/* What is wrong, with what, and where to say so. */
struct complaint {
	const char *what; /* "request" */
	struct view text;
	struct diag *diag;
};

static enum err
refuse(const struct complaint *to, const char *why)
{
	diag_set(to->diag, "The %s is not acceptable: %s", to->what, why);
	return ERR_REQUEST;
}

/* With the place of the byte that is wrong. */
static enum err
refuse_place(const struct complaint *to, struct place p, const char *why)
{
	diag_set(to->diag, "The %s is not acceptable: %s (line %zu, column %zu)", to->what, why,
	    p.line, p.column);
	return ERR_REQUEST;
}

static enum err
refuse_at(const struct complaint *to, size_t offset, const char *why)
{
	return refuse_place(to, place_of(to->text, offset), why);
}

static enum err
check_utf8(struct view text, const struct complaint *to)
{
	struct view rest = text;

	while (rest.len > 0) {
		size_t n = utf8_next(rest);

		if (n == 0)
			return refuse_at(to, text.len - rest.len, "it is not UTF-8");
		rest = view_from(rest, n);
	}
	return ERR_OK;
}

/* cJSON takes what is none for a NUL. */
static bool
is_hex(struct view text, size_t at)
{
	uint8_t bytes[2];

	return text.len >= at + 4 &&
	    hex_decode(bytes, sizeof(bytes), (struct view){ text.data + at, 4 });
}

/* Each value but the first stands behind one of these. */
static bool
is_costly(uint8_t c, uint8_t next, bool in_string)
{
	return in_string ? c == '\\' && next == 'u' : c == ',' || c == '[' || c == '{';
}

/* What cJSON would not tell us: a NUL, as a byte or escaped, which ends its
 * strings early, nesting, on which it recurses, and how many values it makes. */
static enum err
scan_text(struct view text, size_t depth_max, const struct complaint *to)
{
	size_t depth = 0, values = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i], next = i + 1 < text.len ? text.data[i + 1] : '\0';

		if (c == '\0')
			return refuse_at(to, i, "it contains a NUL");
		if (is_costly(c, next, in_string) && ++values > JSON_VALUES_MAX)
			return refuse_at(to, i, "it has too many values");
		if (in_string && c == '\\') {
			if (text.len - i > 5 && memcmp(text.data + i + 1, "u0000", 5) == 0)
				return refuse_at(to, i, "a string contains \\u0000");
			if (text.len - i > 1 && text.data[i + 1] == 'u' && !is_hex(text, i + 2))
				return refuse_at(to, i, "it is not JSON");
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == '{' || c == '[')) {
			if (++depth > depth_max)
				return refuse_at(to, i, "it is nested too deeply");
		} else if (!in_string && (c == '}' || c == ']')) {
			depth -= depth > 0;
		}
	}
	return ERR_OK;
}

/* Names of one object, found by a hash of theirs. */
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
check_names(const cJSON *object, const struct complaint *to)
{
	const char *names[SLOTS] = { NULL };
	size_t count = 0;

	for (const cJSON *a = object->child; a != NULL; a = a->next) {
		if (++count > JSON_MEMBERS_MAX)
			return refuse(to, "an object has too many members");
		if (!was_seen(names, a->string))
			continue;
		diag_set(to->diag, "The %s is not acceptable: member '%.*s' is given twice",
		    to->what, VALUE_SHOWN, a->string);
		return ERR_REQUEST;
	}
	return ERR_OK;
}

/* The depth was checked in the text. */
static enum err
check_tree(const cJSON *value, const struct complaint *to)
{
	enum err e = cJSON_IsObject(value) ? check_names(value, to) : ERR_OK;

	for (const cJSON *c = value->child; e == ERR_OK && c != NULL; c = c->next)
		e = check_tree(c, to);
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
	const struct complaint to = { what, text, diag };
	const char *begin = (const char *)text.data, *end = begin;
	cJSON *value;
	size_t behind;
	enum err e;

	if (text.len == 0)
		return refuse(&to, "it is empty");
	e = check_utf8(text, &to);
	if (e == ERR_OK)
		e = scan_text(text, depth_max, &to);
	if (e != ERR_OK)
		return e;
	value = cJSON_ParseWithLengthOpts(begin, text.len, &end, false);
	if (value == NULL)
		return json_is_value(text, depth_max)
		    ? ERR_NOMEM
		    : refuse_place(&to, place_of_json(text, (size_t)(end - begin)),
			  "it is not JSON");
	e = check_tree(value, &to);
	behind = skip_space(text, (size_t)(end - begin));
	if (e == ERR_OK && behind < text.len)
		e = refuse_at(&to, behind, "something stands behind the JSON value");
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

struct members
json_members(const cJSON *object, struct diag *diag)
{
	return (struct members){ .object = object, .diag = diag };
}

void
json_fail(struct members *m, const char *name, const char *value, const char *constraint)
{
	if (m->failed != ERR_OK)
		return;
	m->failed = ERR_REQUEST;
	if (value == NULL)
		diag_set(m->diag,
		    "1 validation error detected: Value at '%s' failed to satisfy "
		    "constraint: Member must %s",
		    name, constraint);
	else
		diag_set(m->diag,
		    "1 validation error detected: Value '%.*s%s' at '%s' failed to "
		    "satisfy constraint: Member must %s",
		    VALUE_SHOWN, value, strlen(value) > VALUE_SHOWN ? "..." : "", name, constraint);
}

static const cJSON *
get(const struct members *m, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(m->object, name);

	return value != NULL && !cJSON_IsNull(value) ? value : NULL;
}

bool
json_has(const struct members *m, const char *name)
{
	return get(m, name) != NULL;
}

static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((uint8_t)*s & 0xc0) != 0x80;
	return n;
}

static void
fail_length(struct members *m, const char *name, const char *value, const char *than, size_t limit)
{
	char constraint[80];

	(void)snprintf(constraint, sizeof(constraint), "have length %s than or equal to %zu", than,
	    limit);
	json_fail(m, name, value, constraint);
}

const char *
json_string(struct members *m, const char *name, size_t min, size_t max, bool required)
{
	const cJSON *value = get(m, name);
	size_t len;

	if (m->failed != ERR_OK)
		return NULL;
	if (value == NULL) {
		if (required)
			json_fail(m, name, NULL, "not be null");
		return NULL;
	}
	if (!cJSON_IsString(value)) {
		json_fail(m, name, NULL, "be a string");
		return NULL;
	}
	len = characters(value->valuestring);
	if (len < min)
		fail_length(m, name, value->valuestring, "greater", min);
	else if (len > max)
		fail_length(m, name, value->valuestring, "less", max);
	return m->failed == ERR_OK ? value->valuestring : NULL;
}

bool
json_bool(struct members *m, const char *name, bool absent)
{
	const cJSON *value = get(m, name);

	if (value == NULL)
		return absent;
	if (!cJSON_IsBool(value))
		json_fail(m, name, NULL, "be a boolean");
	return cJSON_IsTrue(value);
}

/* JSON's numbers are doubles; beyond 2^53 they are no exact integers. */
static bool
is_integer(double number)
{
	return number >= -9007199254740992.0 && number <= 9007199254740992.0 &&
	    (double)(int64_t)number == number;
}

int64_t
json_integer(struct members *m, const char *name, int64_t min, int64_t max, int64_t absent)
{
	const cJSON *value = get(m, name);
	char constraint[80], text[32];
	double number;

	if (value == NULL)
		return absent;
	number = cJSON_IsNumber(value) ? value->valuedouble : 0.5;
	if (!is_integer(number)) {
		json_fail(m, name, NULL, "be an integer");
		return absent;
	}
	(void)snprintf(text, sizeof(text), "%.0f", number);
	if (number < (double)min) {
		(void)snprintf(constraint, sizeof(constraint),
		    "have value greater than or equal to %lld", (long long)min);
		json_fail(m, name, text, constraint);
	} else if (number > (double)max) {
		(void)snprintf(constraint, sizeof(constraint),
		    "have value less than or equal to %lld", (long long)max);
		json_fail(m, name, text, constraint);
	}
	return m->failed == ERR_OK ? (int64_t)number : absent;
}

const cJSON *
json_object(struct members *m, const char *name)
{
	const cJSON *value = get(m, name);

	if (value != NULL && !cJSON_IsObject(value)) {
		json_fail(m, name, NULL, "be an object");
		return NULL;
	}
	return value;
}

const cJSON *
json_array(struct members *m, const char *name, size_t max)
{
	const cJSON *value = get(m, name);

	if (value != NULL && !cJSON_IsArray(value)) {
		json_fail(m, name, NULL, "be a list");
		return NULL;
	}
	if (value != NULL && (size_t)cJSON_GetArraySize(value) > max)
		fail_length(m, name, NULL, "less", max);
	return value;
}

void
json_certid(struct members *m, const char *name, struct certid *out)
{
	const char *hex = json_string(m, name, 64, 64, true);

	if (hex != NULL && !certid_from_hex(out, view_of(hex)))
		json_fail(m, name, hex, "satisfy regular expression pattern: (0x)?[a-fA-F0-9]+");
}

int
json_word(struct members *m, const char *name, const char *const *words, size_t count,
    bool required)
{
	const char *value = json_string(m, name, 0, SIZE_MAX, required);
	char constraint[160];
	struct text t = text_in(constraint, sizeof(constraint));

	if (value == NULL)
		return -1;
	text_add(&t, "satisfy enum value set: [");
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], value) == 0)
			return (int)i;
		text_addf(&t, "%s%s", i > 0 ? ", " : "", words[i]);
	}
	text_add(&t, "]");
	json_fail(m, name, value, constraint);
	return -1;
}

void
json_only(struct members *m, const char *const *names, size_t count)
{
	for (const cJSON *c = m->object->child; c != NULL && m->failed == ERR_OK; c = c->next) {
		size_t i = 0;

		while (i < count && strcmp(names[i], c->string) != 0)
			i++;
		if (i < count)
			continue;
		m->failed = ERR_REQUEST;
		diag_set(m->diag, "Unknown member '%.*s'", VALUE_SHOWN, c->string);
	}
}
