/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * print_text.c - --output text: one record per line, fields separated by tabs.
 *
 * The AWS CLI's rules: the scalars of an object sorted by name, preceded by the
 * object's name in capitals; nested objects and lists on lines of their own.  All
 * records of a list have the same fields.  Any thread.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

struct writer {
	FILE *out;
	bool failed; /* out of memory */
};

/* The names of the fields of every record of a list. */
struct fields {
	const char **names;
	size_t count;
};

static void write_item(struct writer *w, const cJSON *item, const char *name,
    const struct fields *fields);

static void
write_scalar(struct writer *w, const cJSON *item)
{
	char *text = item != NULL && print_is_scalar(item) ? print_scalar(item, print_safe)
							   : strdup("");

	if (text == NULL)
		w->failed = true;
	else
		(void)fputs(text, w->out);
	free(text);
}

static void
write_name(struct writer *w, const char *name)
{
	char *safe = print_safe(name);

	if (safe == NULL)
		w->failed = true;
	for (char *c = safe; c != NULL && *c != '\0'; c++)
		(void)fputc(toupper((unsigned char)*c), w->out);
	free(safe);
}

static bool
has_field(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++) {
		if (strcmp(fields->names[i], name) == 0)
			return true;
	}
	return false;
}

/* The fields of a single record: its scalars, sorted by name. */
static void
fields_of_object(struct fields *fields, const cJSON **members, size_t count)
{
	fields->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (print_is_scalar(members[i]))
			fields->names[fields->count++] = members[i]->string;
	}
}

static void
write_record(struct writer *w, const cJSON *object, const char *name, const struct fields *fields)
{
	if (fields->count == 0)
		return;
	if (name != NULL) {
		write_name(w, name);
		(void)fputc('\t', w->out);
	}
	for (size_t i = 0; i < fields->count; i++) {
		if (i > 0)
			(void)fputc('\t', w->out);
		write_scalar(w, cJSON_GetObjectItemCaseSensitive(object, fields->names[i]));
	}
	(void)fputc('\n', w->out);
}

static void
write_object(struct writer *w, const cJSON *object, const char *name, const struct fields *common)
{
	size_t count;
	const cJSON **members = print_sorted(object, &count);
	struct fields own = { calloc(count + 1, sizeof(*own.names)), 0 };
	const struct fields *fields = common != NULL ? common : &own;

	if (members == NULL || own.names == NULL) {
		w->failed = true;
		goto out;
	}
	fields_of_object(&own, members, count);
	write_record(w, object, name, fields);
	for (size_t i = 0; i < count; i++) {
		if (!has_field(fields, members[i]->string))
			write_item(w, members[i], members[i]->string, NULL);
	}
out:
	free(own.names);
	free(members);
}

static int
by_text(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

/* The scalars that occur in any record of the list. */
MUST_USE static bool
fields_of_list(struct fields *fields, const cJSON *list)
{
	size_t room = 0;
	const cJSON *item;
	const cJSON *m;

	cJSON_ArrayForEach(item, list)
	{
		size_t n = (size_t)cJSON_GetArraySize(item);

		room = n > room ? n : room;
	}
	/* Twice the size of the largest record; further names are left out. */
	room = 2 * room + 1;
	*fields = (struct fields){ calloc(room, sizeof(*fields->names)), 0 };
	if (fields->names == NULL)
		return false;
	cJSON_ArrayForEach(item, list)
	{
		cJSON_ArrayForEach(m, item)
		{
			if (m->string != NULL && print_is_scalar(m) && fields->count < room &&
			    !has_field(fields, m->string))
				fields->names[fields->count++] = m->string;
		}
	}
	qsort(fields->names, fields->count, sizeof(*fields->names), by_text);
	return true;
}

static void
write_scalars(struct writer *w, const cJSON *list, const char *name)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		if (!print_is_scalar(item))
			continue;
		write_name(w, name != NULL ? name : "");
		(void)fputc('\t', w->out);
		write_scalar(w, item);
		(void)fputc('\n', w->out);
	}
}

static void
write_list(struct writer *w, const cJSON *list, const char *name)
{
	struct fields fields;
	const cJSON *item;

	if (!fields_of_list(&fields, list)) {
		w->failed = true;
		return;
	}
	write_scalars(w, list, name);
	cJSON_ArrayForEach(item, list)
	{
		if (!print_is_scalar(item))
			write_item(w, item, name, &fields);
	}
	free(fields.names);
}

static void
write_item(struct writer *w, const cJSON *item, const char *name, const struct fields *fields)
{
	if (cJSON_IsObject(item))
		write_object(w, item, name, fields);
	else if (cJSON_IsArray(item))
		write_list(w, item, name);
}

bool
print_text(FILE *out, const cJSON *data)
{
	struct writer w = { .out = out };

	write_item(&w, data, NULL, NULL);
	return !w.failed;
}
