/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * compiler.h - compiles JSON documents into policies, rules and templates: memory, the
 * current place in the document, the first failure, and what policies and rules share,
 * variables and conditions.
 *
 * For policy_*.c, rule_compile.c and template_*.c only.  The registrar's thread.
 * compiler_condition.c compiles the conditions (aws-iot F.6).
 */
#ifndef JITR_COMPILER_H
#define JITR_COMPILER_H

#include "jitr/core/condition.h"
#include "jitr/adapter/json.h"

#define SHOWN 48 /* bytes of quoted text */

/* The kind of document. */
struct language {
	const char *document; /* name if there is no place: "Policy document" */
	const char *before;   /* prefix of every place: "activation: " */
	enum err failure;     /* error code of rejected documents */
	bool expressions;     /* accepts the operators StringMatches and StringNotMatches */

	/* Returns why a variable is not allowed, or NULL.  NULL for policies, which
	 * accept every name, as AWS does. */
	const char *(*fault)(const struct variable *v);
};

struct chunk;

/* State of a compilation.  After the first failure all further calls do nothing. */
struct compiler {
	const struct language *language;
	struct chunk *chunks;
	enum err failed;
	struct diag *diag;
	unsigned pattern_flags;                   /* PATTERN_VARIABLES if variables are
						   * enabled */
	struct variable_list *names, **names_end; /* in document order */
	size_t place_len;
	char place[160]; /* "Statement[1].Condition.StringEqual" */
};

struct compiler compiler_of(const struct language *language, struct diag *diag);

/* Zeroed memory that lives as long as the compiled document.  NULL: failed. */
void *compiler_allocate(struct compiler *c, size_t count, size_t size);
struct view compiler_copy(struct compiler *c, struct view v);
void chunks_free(struct chunk *c);

/* Records the first failure, with the current place. */
void compiler_fail(struct compiler *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Moves the current place to a part of it; returns the value for place_leave(). */
size_t place_enter(struct compiler *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void place_leave(struct compiler *c, size_t before);

/* The variable of this name; equal names give the same pointer.  NULL: failed. */
const struct variable *variable_of(struct compiler *c, struct view name);

struct pattern compile_pattern(struct compiler *c, struct view text, unsigned flags, bool folded);
const struct expression *compile_expression(struct compiler *c, struct view text);

/* Lists: a single string is a list of one. */
size_t list_count(const cJSON *value);
const cJSON *list_first(const cJSON *value);
size_t place_enter_item(struct compiler *c, const cJSON *list, size_t i);

/* Members of an object.  object_string() requires a string if the member exists.
 * object_check() fails on members other than these, since an unknown member may be a
 * restriction. */
const cJSON *object_get(const cJSON *object, const char *name);
const char *object_string(struct compiler *c, const cJSON *object, const char *name);
void object_check(struct compiler *c, const cJSON *object, const char *const *names, size_t count);

/* {operator: {key: value or list}}; each key becomes a condition. */
const struct condition *compile_conditions(struct compiler *c, const cJSON *object, size_t *count);

#endif
