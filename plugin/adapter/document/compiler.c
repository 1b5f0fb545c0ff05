/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* compiler.c - see compiler.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"

#include "jitr/adapter/expression.h"

#define CHUNK_BYTES 4096

struct compiler
compiler_of(const struct language *language, struct diag *diag)
{
	return (struct compiler){ .language = language, .diag = diag };
}

/*
 * Memory of the compiled document: chunks that are freed together.
 */

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t bytes[];
};

void
chunks_free(struct chunk *c)
{
	while (c != NULL) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
}

static struct chunk *
chunk_new(size_t size)
{
	struct chunk *c = calloc(1, sizeof(*c) + size);

	if (c != NULL)
		c->size = size;
	return c;
}

void *
compiler_allocate(struct compiler *c, size_t count, size_t size)
{
	size_t bytes = (count * size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	struct chunk *chunk = c->chunks;
	char *at;

	if (c->failed != ERR_OK)
		return NULL;
	if (chunk == NULL || chunk->size - chunk->used < bytes) {
		chunk = chunk_new(bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES);
		if (chunk == NULL) {
			c->failed = ERR_NOMEM;
			return NULL;
		}
		chunk->next = c->chunks;
		c->chunks = chunk;
	}
	at = (char *)chunk->bytes + chunk->used;
	chunk->used += bytes;
	return at;
}

struct view
compiler_copy(struct compiler *c, struct view v)
{
	uint8_t *bytes = compiler_allocate(c, v.len + 1, 1);

	if (bytes == NULL)
		return (struct view){ NULL, 0 };
	if (v.len > 0)
		memcpy(bytes, v.data, v.len);
	return (struct view){ bytes, v.len };
}

/*
 * Failures and places.
 */

void
compiler_fail(struct compiler *c, const char *fmt, ...)
{
	char why[sizeof(c->diag->text)];
	va_list args;

	if (c->failed != ERR_OK)
		return;
	va_start(args, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	c->failed = c->language->failure;
	if (c->place_len > 0)
		diag_set(c->diag, "%s%s: %s", c->language->before, c->place, why);
	else
		diag_set(c->diag, "%s: %s", c->language->document, why);
}

size_t
place_enter(struct compiler *c, const char *fmt, ...)
{
	size_t before = c->place_len, room = sizeof(c->place) - before;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(c->place + before, room, fmt, args);
	va_end(args);
	if (n > 0)
		c->place_len += (size_t)n < room ? (size_t)n : room - 1;
	return before;
}

void
place_leave(struct compiler *c, size_t before)
{
	c->place_len = before;
	c->place[before] = '\0';
}

/*
 * Variables, patterns, expressions.
 */

static void
check_variable(struct compiler *c, const struct variable *v)
{
	const char *why = c->language->fault != NULL ? c->language->fault(v) : NULL;

	if (why != NULL)
		compiler_fail(c, "'%.*s' %s", v->name.len < SHOWN ? (int)v->name.len : SHOWN,
		    (const char *)v->name.data, why);
}

const struct variable *
variable_of(struct compiler *c, struct view name)
{
	struct variable wanted = variable_parse(name);
	struct variable_list *n;

	for (n = c->names; n != NULL; n = n->next)
		if (variable_same(&n->variable, &wanted))
			return &n->variable;
	check_variable(c, &wanted);
	n = compiler_allocate(c, 1, sizeof(*n));
	if (n == NULL)
		return NULL;
	n->variable = variable_parse(compiler_copy(c, name));
	if (c->names == NULL)
		c->names = n;
	else
		*c->names_end = n;
	c->names_end = &n->next;
	return &n->variable;
}

struct pattern
compile_pattern(struct compiler *c, struct view text, unsigned flags, bool folded)
{
	const struct pattern none = { .pieces = NULL };
	struct piece *pieces;
	uint8_t *bytes;
	size_t count;

	if (!pattern_parse(text, flags, NULL, NULL, &count)) {
		compiler_fail(c, "'%.*s' has a '${' without an end", SHOWN,
		    (const char *)text.data);
		return none;
	}
	bytes = compiler_allocate(c, text.len + 1, 1);
	pieces = compiler_allocate(c, count + 1, sizeof(*pieces));
	if (bytes == NULL || pieces == NULL || !pattern_parse(text, flags, bytes, pieces, &count))
		return none;
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].kind != PIECE_VARIABLE)
			continue;
		pieces[i].variable = variable_of(c, pieces[i].text);
		if (pieces[i].variable == NULL)
			return none;
		pieces[i].text = pieces[i].variable->name;
	}
	return pattern_of(pieces, count, folded);
}

const struct expression *
compile_expression(struct compiler *c, struct view text)
{
	struct expression *x = compiler_allocate(c, 1, sizeof(*x));
	struct diag why = { "" };
	enum err e;

	if (x == NULL)
		return NULL;
	e = expression_compile(text, x, &why);
	if (e == ERR_REQUEST)
		compiler_fail(c, "'%.*s' is not accepted: %s", SHOWN, (const char *)text.data,
		    why.text);
	else
		c->failed = e;
	return x;
}

/*
 * Lists: a single string is a list of one.
 */

size_t
list_count(const cJSON *value)
{
	return cJSON_IsArray(value) ? (size_t)cJSON_GetArraySize(value) : 1;
}

const cJSON *
list_first(const cJSON *value)
{
	return cJSON_IsArray(value) ? value->child : value;
}

size_t
place_enter_item(struct compiler *c, const cJSON *list, size_t i)
{
	return cJSON_IsArray(list) ? place_enter(c, "[%zu]", i) : c->place_len;
}

/*
 * Members of objects.
 */

const cJSON *
object_get(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

void
object_check(struct compiler *c, const cJSON *object, const char *const *names, size_t count)
{
	for (const cJSON *m = object->child; m != NULL; m = m->next) {
		size_t i = 0;

		while (i < count && strcmp(names[i], m->string) != 0)
			i++;
		if (i == count)
			compiler_fail(c, "unknown member '%.*s'", SHOWN, m->string);
	}
}

const char *
object_string(struct compiler *c, const cJSON *object, const char *name)
{
	const cJSON *value = object_get(object, name);
	size_t before;

	if (value == NULL || cJSON_IsString(value))
		return value != NULL ? value->valuestring : NULL;
	before = place_enter(c, "%s%s", c->place_len > 0 ? "." : "", name);
	compiler_fail(c, "must be a string");
	place_leave(c, before);
	return NULL;
}
