/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_statement.c - compiles a statement (aws-iot F.1).  See policy_compiler.h.
 */
#include <string.h>

#include "policy_compiler.h"

/*
 * Actions.
 */

static void
compile_action(struct compiler *c, const cJSON *item, void *at)
{
	struct action *action = at;

	action->pattern = compile_pattern(c, view_of(item->valuestring), PATTERN_WILDCARDS, true);
	action_derive(action);
}

/* A member that is a string or a non-empty list of strings. */
static void *
compile_list(struct compiler *c, const cJSON *list,
    void (*compile)(struct compiler *c, const cJSON *item, void *at), size_t size, size_t *count)
{
	const cJSON *item = list_first(list);
	char *items;
	size_t i;

	*count = list_count(list);
	if (*count == 0)
		compiler_fail(c, "the list is empty");
	items = compiler_allocate(c, *count, size);
	for (i = 0; c->failed == ERR_OK && i < *count; i++, item = item->next) {
		size_t before = place_enter_item(c, list, i);

		if (!cJSON_IsString(item))
			compiler_fail(c, "must be a string%s",
			    cJSON_IsArray(list) ? "" : " or a list of strings");
		else
			compile(c, item, items + i * size);
		place_leave(c, before);
	}
	return c->failed == ERR_OK ? items : NULL;
}

/*
 * Statements.
 */

static void
compile_effect(struct compiler *c, const cJSON *object, struct statement *s)
{
	const char *effect = object_string(c, object, "Effect");
	size_t before;

	if (effect != NULL && (strcmp(effect, "Allow") == 0 || strcmp(effect, "Deny") == 0)) {
		s->deny = strcmp(effect, "Deny") == 0;
	} else if (effect == NULL) {
		compiler_fail(c, "Effect is missing");
	} else {
		before = place_enter(c, ".Effect");
		compiler_fail(c, "'%.*s' is neither Allow nor Deny", SHOWN, effect);
		place_leave(c, before);
	}
}

/* Returns the one of two members that exists; fails unless exactly one does. */
static const cJSON *
object_either(struct compiler *c, const cJSON *object, const char *name, const char *not_name,
    bool *is_not)
{
	const cJSON *value = object_get(object, name), *not_value = object_get(object, not_name);

	if (value != NULL && not_value != NULL)
		compiler_fail(c, "%s and %s exclude each other", name, not_name);
	else if (value == NULL && not_value == NULL)
		compiler_fail(c, "%s is missing", name);
	*is_not = value == NULL;
	return value != NULL ? value : not_value;
}

static void
compile_actions(struct compiler *c, const cJSON *object, struct statement *s)
{
	const cJSON *list = object_either(c, object, "Action", "NotAction", &s->not_action);
	size_t before;

	if (c->failed != ERR_OK)
		return;
	before = place_enter(c, ".%s", list->string);
	s->actions = compile_list(c, list, compile_action, sizeof(struct action), &s->action_count);
	place_leave(c, before);
}

static void
compile_resources(struct compiler *c, const struct policy *p, const cJSON *object,
    struct statement *s)
{
	const cJSON *list = object_either(c, object, "Resource", "NotResource", &s->not_resource);
	struct resource *resources;
	size_t before;

	if (c->failed != ERR_OK)
		return;
	before = place_enter(c, ".%s", list->string);
	resources = compile_list(c, list, compile_resource, sizeof(struct resource),
	    &s->resource_count);
	for (size_t i = 0; c->failed == ERR_OK && i < s->resource_count; i++)
		resource_derive_scope(&resources[i], &p->scope);
	s->resources = resources;
	place_leave(c, before);
}

void
compile_statement(struct compiler *c, struct policy *p, const cJSON *object, struct statement *s)
{
	static const char *const names[] = { "Sid", "Effect", "Action", "NotAction", "Resource",
		"NotResource", "Condition" };
	const cJSON *condition = object_get(object, "Condition");
	size_t before;

	if (!cJSON_IsObject(object)) {
		compiler_fail(c, "must be an object");
		return;
	}
	object_check(c, object, names, COUNT_OF(names));
	s->sid = compiler_copy(c, view_of(object_string(c, object, "Sid")));
	compile_effect(c, object, s);
	compile_actions(c, object, s);
	compile_resources(c, p, object, s);
	if (c->failed != ERR_OK)
		return;
	p->uses |= statement_derive(s);
	if (condition == NULL)
		return;
	before = place_enter(c, ".Condition");
	s->conditions = compile_conditions(c, condition, &s->condition_count);
	place_leave(c, before);
}
