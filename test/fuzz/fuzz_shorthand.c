/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_shorthand.c - values of flags as key=value,...: a file that a value names has fixed
 * content.
 *
 * A refusal has a text.  What is accepted is an object of strings, lists and objects, the same
 * one twice, and can be written as JSON and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "memory_file.h"

#include "shorthand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct part parts[] = { { "text", PART_TEXT }, { "flag", PART_BOOLEAN },
	{ "list", PART_LIST }, { "object", PART_OBJECT }, { NULL, PART_TEXT } };

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static struct view
find(const char *path)
{
	return strcmp(path, "word") == 0 ? view_of("content") : (struct view){ NULL, 0 };
}

/* Brackets and braces are nested 8 deep, in an object, with a list around several values. */
static void
check_items(const cJSON *item, int depth)
{
	const cJSON *one;

	require(cJSON_IsString(item) || cJSON_IsArray(item) || cJSON_IsObject(item));
	require(depth <= 10);
	cJSON_ArrayForEach(one, item) check_items(one, depth + 1);
}

static void
check_object(const cJSON *object, const char *text)
{
	struct diag diag = { "" };
	cJSON *again = shorthand_parse(text, parts, &diag), *read;
	char *json = cJSON_PrintUnformatted(object);

	require(cJSON_IsObject(object) && object->child != NULL);
	check_items(object, 0);
	require(json != NULL && again != NULL && cJSON_Compare(object, again, true));
	read = cJSON_Parse(json);
	require(read != NULL && cJSON_Compare(object, read, true));
	cJSON_Delete(read);
	cJSON_Delete(again);
	free(json);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)(size > 0 ? data : (const uint8_t *)""), size);
	struct diag diag = { "" };
	cJSON *object;

	require(text != NULL);
	memory_files_begin(find);
	object = shorthand_parse(text, parts, &diag);
	if (object != NULL)
		check_object(object, text);
	else
		require(diag.text[0] != '\0' && strcmp(diag.text, "out of memory") != 0);
	memory_files_end();
	cJSON_Delete(object);
	free(text);
	return 0;
}
