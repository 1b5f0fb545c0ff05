/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* json_members.c - reads members of an object; see json.h. */
#include <stdio.h>
#include <string.h>

#include "jitr/adapter/json.h"
#include "jitr/core/text.h"

/* Bytes of an invalid value quoted in a message. */
#define VALUE_SHOWN 48

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
	len = utf8_length(view_of(value->valuestring));
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

int64_t
json_integer(struct members *m, const char *name, int64_t min, int64_t max, int64_t absent)
{
	const cJSON *value = get(m, name);
	char constraint[80], text[32];
	double number;

	if (value == NULL)
		return absent;
	number = cJSON_IsNumber(value) ? value->valuedouble : 0.5;
	if (!json_is_integer(number)) {
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
