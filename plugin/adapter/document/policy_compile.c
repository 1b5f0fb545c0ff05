/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_compile.c - compiles policy documents; see policy.h.  The registrar's thread.  A
 * document comes from outside: anything that is not fully understood is refused, since
 * a partial policy would not protect.
 */
#include <stdlib.h>
#include <string.h>

#include "policy_compiler.h"

#include "jitr/core/text.h"

#define DEPTH_MAX 16 /* a document needs six levels */

static const struct language policies = { .document = "Policy document",
	.before = "",
	.failure = ERR_POLICY };

static void
compile_statements(struct compiler *c, struct policy *p, const cJSON *statement)
{
	const cJSON *item;

	if (statement == NULL) {
		compiler_fail(c, "Statement is missing");
		return;
	}
	item = list_first(statement);
	p->count = list_count(statement);
	p->statements = compiler_allocate(c, p->count + 1, sizeof(struct statement));
	for (size_t i = 0; c->failed == ERR_OK && i < p->count; i++, item = item->next) {
		size_t before = place_enter(c, "Statement[%zu]", i);

		compile_statement(c, p, item, &p->statements[i]);
		place_leave(c, before);
	}
}

static void
compile_version(struct compiler *c, const cJSON *object)
{
	const char *version = object_string(c, object, "Version");

	if (version == NULL)
		compiler_fail(c, "Version is missing");
	else if (strcmp(version, "2012-10-17") == 0)
		c->pattern_flags = PATTERN_VARIABLES;
	else if (strcmp(version, "2008-10-17") != 0) {
		(void)place_enter(c, "Version");
		compiler_fail(c, "'%.*s' is neither 2012-10-17 nor 2008-10-17", SHOWN, version);
	}
}

static void
compile_document(struct compiler *c, struct policy *p, const cJSON *object)
{
	static const char *const names[] = { "Id", "Version", "Statement" };

	if (!cJSON_IsObject(object)) {
		compiler_fail(c, "must be a JSON object");
		return;
	}
	object_check(c, object, names, COUNT_OF(names));
	(void)object_string(c, object, "Id");
	compile_version(c, object);
	if (c->failed == ERR_OK)
		compile_statements(c, p, object_get(object, "Statement"));
}

/* AWS counts characters other than white space (aws-iot F.1). */
static void
check_size(struct compiler *c, struct view document)
{
	size_t characters = 0;

	if (document.len > POLICY_BYTES_MAX) {
		compiler_fail(c, "it has %zu bytes, %d at most are allowed", document.len,
		    POLICY_BYTES_MAX);
		return;
	}
	for (size_t i = 0; i < document.len; i++)
		if ((document.data[i] & 0xc0) != 0x80 &&
		    memchr(" \t\r\n", document.data[i], 4) == NULL)
			characters++;
	if (characters > POLICY_CHARACTERS_MAX)
		compiler_fail(c,
		    "it has %zu characters without white space, %d at most are allowed", characters,
		    POLICY_CHARACTERS_MAX);
}

/* NULL: failed. */
static struct policy *
begin_policy(struct compiler *c, const struct arn_scope *scope)
{
	struct policy *p = compiler_allocate(c, 1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->scope = *scope;
	p->prefix_len = strlen(scope->prefix);
	return p;
}

static void
end_policy(struct compiler *c, struct policy *p)
{
	p->names = c->names;
	p->uses |= variables_derive(c->names);
	p->memory = c->chunks;
}

enum err
policy_compile(struct view document, const struct arn_scope *scope, struct policy **out,
    struct diag *diag)
{
	struct compiler c = compiler_of(&policies, diag);
	struct policy *p;
	cJSON *json = NULL;

	*out = NULL;
	check_size(&c, document);
	if (c.failed == ERR_OK)
		c.failed = json_parse_as(document, "policy document", DEPTH_MAX, &json, diag);
	if (c.failed == ERR_REQUEST)
		c.failed = ERR_POLICY;
	p = begin_policy(&c, scope);
	if (c.failed == ERR_OK)
		compile_document(&c, p, json);
	cJSON_Delete(json);
	if (c.failed != ERR_OK) {
		chunks_free(c.chunks);
		return c.failed;
	}
	end_policy(&c, p);
	*out = p;
	return ERR_OK;
}

void
policy_free(struct policy *p)
{
	if (p != NULL)
		chunks_free(p->memory);
}
