/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * build.c - see build.h.
 *
 * Any thread.
 */
#include "build.h"

#include <stdlib.h>

#include "value.h"

static cJSON *
build_number(const char *given, struct diag *d)
{
	int number;

	return value_number(given, &number, d) ? cJSON_CreateNumber(number) : NULL;
}

static cJSON *
build_string(char *text)
{
	cJSON *string = text != NULL ? cJSON_CreateString(text) : NULL;

	free(text);
	return string;
}

static cJSON *
build_value(const struct given *g, struct diag *d)
{
	switch (g->flag->kind) {
	case FLAG_TEXT:
		return build_string(value_text(g->value, d));
	case FLAG_PEM:
		return build_string(value_pem(g->value, d));
	case FLAG_OBJECT:
		return value_object(g->value, g->flag->parts, d);
	case FLAG_TAGS:
		return value_list(g->value, g->more, g->more_count, g->flag->parts, d);
	case FLAG_WORDS:
		return value_words(g->value, g->more, g->more_count, d);
	case FLAG_DOCUMENT:
		return build_string(value_document(g->value, d));
	case FLAG_PHRASE:
		return build_string(value_phrase(g->value, g->more, g->more_count, d));
	case FLAG_RULE:
		return build_string(value_rule(g->value, d));
	case FLAG_BROKER_PATH:
		return build_string(value_broker_path(g->value, d));
	case FLAG_NUMBER:
		return build_number(g->value, d);
	case FLAG_BOOLEAN:
		return cJSON_CreateBool(g->yes);
	case FLAG_SWITCH:
	case FLAG_REFUSED:
		break;
	}
	return NULL;
}

MUST_USE static bool
add_value(cJSON *members, const struct given *g, struct diag *d)
{
	struct diag why = { "out of memory" };
	cJSON *value = build_value(g, &why);

	/* --page-size and --max-results set the same member; the last one wins. */
	cJSON_DeleteItemFromObjectCaseSensitive(members, g->flag->member);
	if (value != NULL && cJSON_AddItemToObject(members, g->flag->member, value))
		return true;
	cJSON_Delete(value);
	if (g->flag->kind == FLAG_NUMBER)
		diag_set(d, "argument --%s: %s", g->flag->name, why.text);
	else
		diag_set(d, "Error parsing parameter '--%s': %s", g->flag->name, why.text);
	return false;
}

cJSON *
build_members(const struct arguments *a, struct diag *d)
{
	cJSON *members = cJSON_CreateObject();

	if (members == NULL) {
		diag_set(d, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < a->count; i++) {
		if (a->given[i].flag->member != NULL && !add_value(members, &a->given[i], d)) {
			cJSON_Delete(members);
			return NULL;
		}
	}
	return members;
}
