/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_statement.c - compiles a statement (aws-iot F.1).  See policy_compiler.h.
 */
#include <string.h>

#include "policy_compiler.h"

/*
 * Actions.
 */

static bool
has_text(const struct pattern *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->pieces[i].kind == PIECE_TEXT)
			return true;
	return false;
}

/* Does the pattern have literal text behind "iot:" (policy.h)? */
static bool
names_control(const struct pattern *p)
{
	const struct view iot = view_of("iot:");
	struct view first;

	if (p->count == 0 || p->pieces[0].kind != PIECE_TEXT || p->pieces[0].text.len < iot.len)
		return false;
	first = p->pieces[0].text;
	if (!view_equal_folded((struct view){ first.data, iot.len }, iot))
		return false;
	return first.len > iot.len ||
	    has_text(&(struct pattern){ .pieces = p->pieces + 1, .count = p->count - 1 });
}

static bool
action_matches_name(const struct pattern *p, const char *name)
{
	static const struct facts nothing;
	struct context context = { .facts = &nothing, .steps = STEPS_MAX };
	struct subject subject = { .name = view_of(name) };

	return pattern_match(p, &subject, &context) == TRUTH_YES;
}

/* Length of the shortest unique prefix of the actions of devices: "iot:Sub". */
#define DEVICE_ACTION_LEAST 7

/* A pattern that begins like an action of a device matches no control action. */
static bool
is_device_action(const struct pattern *p)
{
	struct view text, name;

	if (p->count == 0 || p->pieces[0].kind != PIECE_TEXT)
		return false;
	text = p->pieces[0].text;
	for (int a = 0; text.len >= DEVICE_ACTION_LEAST && a < POLICY_CONTROL; a++) {
		name = view_of(policy_action_name((enum policy_action)a));
		if (text.len <= name.len &&
		    view_equal_folded(text, (struct view){ name.data, text.len }))
			return true;
	}
	return false;
}

static unsigned
device_actions(const struct statement *s)
{
	unsigned bits = 0;

	for (int a = 0; a < POLICY_CONTROL; a++) {
		const char *name = policy_action_name((enum policy_action)a);
		bool named = false;

		for (size_t i = 0; i < s->action_count; i++)
			named = named || action_matches_name(&s->actions[i].pattern, name);
		if (named != s->not_action)
			bits |= 1u << a;
	}
	return bits;
}

static void
compile_action(struct compiler *c, const cJSON *item, void *at)
{
	struct action *action = at;

	action->pattern = compile_pattern(c, view_of(item->valuestring), PATTERN_WILDCARDS, true);
	action->names_control = names_control(&action->pattern);
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

static bool
allows_control(const struct statement *s)
{
	for (size_t i = 0; !s->deny && !s->not_action && i < s->action_count; i++)
		if (s->actions[i].names_control && !is_device_action(&s->actions[i].pattern))
			return true;
	return false;
}

/* A Deny for resources of devices only does not concern the control API. */
static bool
could_be_registry(const struct statement *s)
{
	for (size_t i = 0; i < s->resource_count; i++)
		if (s->resources[i].type == TYPE_OTHER)
			return true;
	return s->not_resource;
}

static bool
denies_control(const struct statement *s)
{
	if (!s->deny || !could_be_registry(s))
		return false;
	for (size_t i = 0; i < s->action_count; i++)
		if (!is_device_action(&s->actions[i].pattern))
			return true;
	return s->not_action;
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
	if (c->failed == ERR_OK)
		s->devices = device_actions(s);
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
		resources[i].scope = resource_scope(p, &resources[i]);
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
	if (allows_control(s))
		p->uses |= POLICY_ALLOWS_CONTROL;
	if (denies_control(s))
		p->uses |= POLICY_DENIES_CONTROL;
	if (condition == NULL)
		return;
	before = place_enter(c, ".Condition");
	s->conditions = compile_conditions(c, condition, &s->condition_count);
	place_leave(c, before);
}
