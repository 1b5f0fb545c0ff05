/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_compiler.h - what the policy_*.c files share while a document becomes
 * a policy: its memory, the place that is looked at, the first failure.
 * Not for anybody else.  Broker thread.
 *
 * policy_compile.c reads the document, policy_statement.c a statement with its
 * actions and resources, policy_condition.c its conditions.
 */
#ifndef JITR_POLICY_COMPILER_H
#define JITR_POLICY_COMPILER_H

#include "jitr/json.h"
#include "jitr/policy_form.h"

#define SHOWN 48 /* bytes of a text that is quoted */

struct chunk;

/* The first failure stays; what comes later does nothing. */
struct compiler {
	struct policy *policy;
	struct chunk  *chunks;
	enum err       failed;
	struct diag   *diag;
	unsigned       pattern_flags; /* PATTERN_VARIABLES in the newer version */
	struct policy_name **names_end;
	size_t         place_len;
	char           place[160]; /* "Statement[1].Condition.StringEqual" */
};

/* Memory that lives as long as the policy, zeroed.  NULL: c->failed says why. */
void       *allocate(struct compiler *c, size_t count, size_t size);
struct view copy(struct compiler *c, struct view v);
void        chunks_free(struct chunk *c);

/* The first failure stays, with the place that was looked at. */
void fail(struct compiler *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Go to a place within this one; answers what go_back() needs. */
size_t go_to(struct compiler *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void   go_back(struct compiler *c, size_t before);

/* The policy's variable of this name, from now on.  NULL: failed. */
const struct variable *variable_of(struct compiler *c, struct view name);

struct pattern compile_pattern(struct compiler *c, struct view text, unsigned flags, bool folded);

/* Lists: a string alone is a list of one. */
size_t       list_count(const cJSON *value);
const cJSON *list_first(const cJSON *value);
size_t       go_to_item(struct compiler *c, const cJSON *list, size_t i);

/* Members of an object: one of them, which must be a string if it is there;
 * and nothing but these, since what we do not know may be what protects. */
const cJSON *get(const cJSON *object, const char *name);
const char  *optional_string(struct compiler *c, const cJSON *object, const char *name);
void         check_members(struct compiler *c, const cJSON *object, const char *const *names,
             size_t count);

void compile_statement(struct compiler *c, const cJSON *object, struct statement *s);
void compile_conditions(struct compiler *c, const cJSON *object, struct statement *s);

#endif
