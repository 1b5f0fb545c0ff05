/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_compile.c - a policy document becomes what policy_eval() asks; see
 * policy.h.  Broker thread.  The document comes from outside: whatever is not
 * understood in full is refused, since half a policy protects nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "policy_compiler.h"

#include "jitr/text.h"

#define DEPTH_MAX 16 /* a document needs six */

static void
compile_statements(struct compiler *c, const cJSON *statement)
{
	const cJSON *item;

	if (statement == NULL) {
		fail(c, "Statement is missing");
		return;
	}
	item = list_first(statement);
	c->policy->count = list_count(statement);
	c->policy->statements = allocate(c, c->policy->count + 1, sizeof(struct statement));
	for (size_t i = 0; c->failed == ERR_OK && i < c->policy->count; i++, item = item->next) {
		size_t before = go_to(c, "Statement[%zu]", i);

		compile_statement(c, item, &c->policy->statements[i]);
		go_back(c, before);
	}
}

static void
compile_version(struct compiler *c, const cJSON *object)
{
	const char *version = optional_string(c, object, "Version");

	if (version == NULL)
		fail(c, "Version is missing");
	else if (strcmp(version, "2012-10-17") == 0)
		c->pattern_flags = PATTERN_VARIABLES;
	else if (strcmp(version, "2008-10-17") != 0) {
		(void)go_to(c, "Version");
		fail(c, "'%.*s' is neither 2012-10-17 nor 2008-10-17", SHOWN, version);
	}
}

static void
compile_document(struct compiler *c, const cJSON *object)
{
	static const char *const names[] = { "Id", "Version", "Statement" };

	if (!cJSON_IsObject(object)) {
		fail(c, "must be a JSON object");
		return;
	}
	check_members(c, object, names, COUNT_OF(names));
	(void)optional_string(c, object, "Id");
	compile_version(c, object);
	if (c->failed == ERR_OK)
		compile_statements(c, get(object, "Statement"));
}

/* AWS counts characters that are not white space (aws-iot F.1). */
static void
check_size(struct compiler *c, struct view document)
{
	size_t characters = 0;

	if (document.len > POLICY_BYTES_MAX) {
		fail(c, "it has %zu bytes, %d at most are allowed", document.len, POLICY_BYTES_MAX);
		return;
	}
	for (size_t i = 0; i < document.len; i++)
		if ((document.data[i] & 0xc0) != 0x80 &&
		    memchr(" \t\r\n", document.data[i], 4) == NULL)
			characters++;
	if (characters > POLICY_CHARACTERS_MAX)
		fail(c, "it has %zu characters without white space, %d at most are allowed",
		    characters, POLICY_CHARACTERS_MAX);
}

static void
begin_policy(struct compiler *c, const struct arn_scope *scope)
{
	struct policy *p = allocate(c, 1, sizeof(*p));

	if (p == NULL)
		return;
	p->scope = *scope;
	p->prefix_len = strlen(scope->prefix);
	c->policy = p;
	c->names_end = &p->names;
}

enum err
policy_compile(struct view document, const struct arn_scope *scope, struct policy **out,
    struct diag *diag)
{
	struct compiler c = { .diag = diag };
	cJSON *json = NULL;

	*out = NULL;
	check_size(&c, document);
	if (c.failed == ERR_OK &&
	    json_parse_as(document, "policy document", DEPTH_MAX, &json, diag) != ERR_OK)
		return ERR_POLICY;
	begin_policy(&c, scope);
	if (c.failed == ERR_OK)
		compile_document(&c, json);
	cJSON_Delete(json);
	if (c.failed != ERR_OK) {
		chunks_free(c.chunks);
		return c.failed;
	}
	c.policy->memory = c.chunks;
	*out = c.policy;
	return ERR_OK;
}

void
policy_free(struct policy *p)
{
	if (p != NULL)
		chunks_free(p->memory);
}
