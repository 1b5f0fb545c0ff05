/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * compiler.h - what is shared while a JSON document becomes a policy, a rule or
 * a template: its memory, the place that is looked at, the first failure, and
 * what policies and rules have in common, variables and conditions.
 *
 * For policy_*.c, rule_compile.c and template_*.c alone.  Broker thread.
 * compiler_condition.c reads the conditions (aws-iot F.6).
 */
#ifndef JITR_COMPILER_H
#define JITR_COMPILER_H

#include "jitr/core/condition.h"
#include "jitr/adapter/json.h"

#define SHOWN 48 /* bytes of a text that is quoted */

/* What a document is, and what is understood in it. */
struct language {
	const char *document; /* named where there is no other place: "Policy document" */
	const char *before;   /* of every other place: "activation: " */
	enum err failure;     /* of what is not accepted */
	bool expressions;     /* StringMatches and StringNotMatches are operators */

	/* What is wrong with a variable; NULL: nothing.  Policies accept every
	 * name, as AWS does, and have no such function. */
	const char *(*fault)(const struct variable *v);
};

struct chunk;

/* The first failure stays; what comes later does nothing. */
struct compiler {
	const struct language *language;
	struct chunk *chunks;
	enum err failed;
	struct diag *diag;
	unsigned pattern_flags;                   /* PATTERN_VARIABLES where there are any */
	struct variable_list *names, **names_end; /* in the order of the document */
	size_t place_len;
	char place[160]; /* "Statement[1].Condition.StringEqual" */
};

struct compiler compiler_of(const struct language *language, struct diag *diag);

/* Memory that lives as long as what is made, zeroed.  NULL: c->failed says why. */
void *allocate(struct compiler *c, size_t count, size_t size);
struct view copy(struct compiler *c, struct view v);
void chunks_free(struct chunk *c);

/* The first failure stays, with the place that was looked at. */
void fail(struct compiler *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Go to a place within this one; answers what go_back() needs. */
size_t go_to(struct compiler *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void go_back(struct compiler *c, size_t before);

/* The variable of this name, each once.  NULL: failed. */
const struct variable *variable_of(struct compiler *c, struct view name);

struct pattern compile_pattern(struct compiler *c, struct view text, unsigned flags, bool folded);
const struct expression *compile_expression(struct compiler *c, struct view text);

/* Lists: a string alone is a list of one. */
size_t list_count(const cJSON *value);
const cJSON *list_first(const cJSON *value);
size_t go_to_item(struct compiler *c, const cJSON *list, size_t i);

/* Members of an object: one of them, which must be a string if it is there;
 * and nothing but these, since what we do not know may be what protects. */
const cJSON *get(const cJSON *object, const char *name);
const char *optional_string(struct compiler *c, const cJSON *object, const char *name);
void check_members(struct compiler *c, const cJSON *object, const char *const *names, size_t count);

/* {operator: {key: value or list}}, each key a condition of its own. */
const struct condition *compile_conditions(struct compiler *c, const cJSON *object, size_t *count);

#endif
