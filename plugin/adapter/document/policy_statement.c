/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_statement.c - one statement: whether, what, and on what (aws-iot
 * F.1).  See policy_compiler.h.
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

/* Literal text behind "iot:" (policy.h). */
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

/* So much of the name of a device's action, "iot:Sub", begins no other action. */
#define DEVICE_ACTION_LEAST 7

/* What begins like a device's action reaches nothing else. */
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

/*
 * Resources.
 */

/* It begins with "arn:", or with wildcards that could be. */
static bool
could_be_arn(const struct pattern *p)
{
	const char *arn = "arn:";
	size_t len;

	if (p->count == 0 || p->pieces[0].kind == PIECE_VARIABLE)
		return false;
	if (p->pieces[0].kind != PIECE_TEXT)
		return true;
	len = p->pieces[0].text.len < strlen(arn) ? p->pieces[0].text.len : strlen(arn);
	if (memcmp(p->pieces[0].text.data, arn, len) != 0)
		return false;
	return len == strlen(arn) || (p->count > 1 && p->pieces[1].kind != PIECE_VARIABLE);
}

/* Of the sixth part of an ARN: the first level behind the first '/', if it is all
 * literal text. */
static struct view
literal_level(const struct pattern *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct view text = p->pieces[i].text;
		const uint8_t *slash;

		if (p->pieces[i].kind != PIECE_TEXT)
			continue;
		slash = memchr(text.data, '/', text.len);
		if (slash == NULL)
			continue;
		text.len -= (size_t)(slash + 1 - text.data);
		text.data = slash + 1;
		if (i + 1 < p->count && (text.len == 0 || memchr(text.data, '/', text.len) == NULL))
			break; /* the level goes on with something else */
		return reserved_level(text);
	}
	return (struct view){ NULL, 0 };
}

/* The pattern without its first bytes, which are text. */
static struct pattern
cut_pattern(struct compiler *c, const struct pattern *whole, size_t cut)
{
	size_t gone = whole->pieces[0].text.len == cut ? 1 : 0;
	struct piece *pieces = allocate(c, whole->count + 1, sizeof(*pieces));

	if (pieces == NULL)
		return *whole;
	memcpy(pieces, whole->pieces + gone, (whole->count - gone) * sizeof(*pieces));
	if (gone == 0) {
		pieces[0].text = view_from(pieces[0].text, cut);
	}
	return pattern_of(pieces, whole->count - gone, whole->folded);
}

/* A '*' of its own at the end, not one that was escaped. */
static bool
ends_open(const struct pattern *p)
{
	return p->count > 0 && p->pieces[p->count - 1].kind == PIECE_ANY;
}

/* Do the parts match those of the registry?  Without variables that is known
 * now. */
static enum scope_match
scope_of(const struct policy *p, const struct resource *r)
{
	static const struct facts nothing;
	struct context context = { .facts = &nothing, .steps = STEPS_MAX };
	struct view parts[ARN_PARTS];
	enum scope_match scope = SCOPE_OWN;

	if (!arn_split(view_of(p->scope.prefix), false, parts))
		return SCOPE_FOREIGN;
	for (size_t i = 0; i < r->part_count; i++) {
		for (size_t n = 0; n < r->part[i].count; n++)
			if (r->part[i].pieces[n].kind == PIECE_VARIABLE)
				scope = SCOPE_VARIABLE;
		if (scope == SCOPE_OWN &&
		    pattern_match(&r->part[i], &(struct subject){ .name = parts[i] }, &context) !=
			TRUTH_YES)
			return SCOPE_FOREIGN;
	}
	return scope;
}

/* The sixth part: what begins as the resources of devices do is compared by
 * name alone. */
static void
compile_rest(struct compiler *c, struct resource *r, struct view text, unsigned flags)
{
	size_t cut;

	r->rest = compile_pattern(c, text, flags, false);
	if (c->failed != ERR_OK || r->rest.count == 0)
		return;
	r->level = literal_level(&r->rest);
	if (r->rest.pieces[0].kind != PIECE_TEXT)
		return;
	cut = resource_type_length(r->rest.pieces[0].text, &r->type);
	if (r->type != TYPE_OTHER)
		r->name = cut_pattern(c, &r->rest, cut);
}

static void
compile_parts(struct compiler *c, struct resource *r, const struct view *parts, size_t count,
    unsigned flags)
{
	r->part_count = count < ARN_SCOPE_PARTS ? count : ARN_SCOPE_PARTS;
	for (size_t i = 0; i < r->part_count; i++)
		r->part[i] = compile_pattern(c, parts[i], flags, false);
}

static void
compile_arn_resource(struct compiler *c, struct resource *r)
{
	unsigned flags = PATTERN_WILDCARDS | c->pattern_flags;
	struct view parts[ARN_PARTS];
	size_t count = arn_parts(r->text, c->pattern_flags != 0, parts);

	compile_parts(c, r, parts, count, flags);
	if (c->failed != ERR_OK)
		return;
	if (count == ARN_PARTS) {
		r->form = RESOURCE_ARN;
		compile_rest(c, r, parts[ARN_PARTS - 1], flags);
	} else if (ends_open(&r->part[count - 1])) {
		r->form = RESOURCE_SHORT;
	} else {
		r->form = RESOURCE_PARTIAL;
		r->rest = compile_pattern(c, r->text, flags, false);
	}
}

static void
compile_resource(struct compiler *c, const cJSON *item, void *at)
{
	struct resource *r = at;
	struct pattern whole;

	r->text = copy(c, view_of(item->valuestring));
	whole = compile_pattern(c, r->text, PATTERN_WILDCARDS | c->pattern_flags, false);
	if (c->failed != ERR_OK)
		return;
	if (!could_be_arn(&whole)) {
		fail(c, "'%.*s' is not an ARN", SHOWN, item->valuestring);
		return;
	}
	if (whole.count == 1 && whole.pieces[0].kind == PIECE_ANY)
		r->form = RESOURCE_ANY;
	else
		compile_arn_resource(c, r);
}

/* A member that is a string or a list of strings, not of none. */
static void *
compile_list(struct compiler *c, const cJSON *list,
    void (*compile)(struct compiler *c, const cJSON *item, void *at), size_t size, size_t *count)
{
	const cJSON *item = list_first(list);
	char *items;
	size_t i;

	*count = list_count(list);
	if (*count == 0)
		fail(c, "the list is empty");
	items = allocate(c, *count, size);
	for (i = 0; c->failed == ERR_OK && i < *count; i++, item = item->next) {
		size_t before = go_to_item(c, list, i);

		if (!cJSON_IsString(item))
			fail(c, "must be a string%s",
			    cJSON_IsArray(list) ? "" : " or a list of strings");
		else
			compile(c, item, items + i * size);
		go_back(c, before);
	}
	return c->failed == ERR_OK ? items : NULL;
}

/*
 * The statement.
 */

static void
compile_effect(struct compiler *c, const cJSON *object, struct statement *s)
{
	const char *effect = optional_string(c, object, "Effect");
	size_t before;

	if (effect != NULL && (strcmp(effect, "Allow") == 0 || strcmp(effect, "Deny") == 0)) {
		s->deny = strcmp(effect, "Deny") == 0;
	} else if (effect == NULL) {
		fail(c, "Effect is missing");
	} else {
		before = go_to(c, ".Effect");
		fail(c, "'%.*s' is neither Allow nor Deny", SHOWN, effect);
		go_back(c, before);
	}
}

/* Which of two members there is; exactly one must be. */
static const cJSON *
one_of(struct compiler *c, const cJSON *object, const char *name, const char *not_name,
    bool *is_not)
{
	const cJSON *value = get(object, name), *not_value = get(object, not_name);

	if (value != NULL && not_value != NULL)
		fail(c, "%s and %s exclude each other", name, not_name);
	else if (value == NULL && not_value == NULL)
		fail(c, "%s is missing", name);
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

/* Resources that only devices' actions have are no reason to say so. */
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
	const cJSON *list = one_of(c, object, "Action", "NotAction", &s->not_action);
	size_t before;

	if (c->failed != ERR_OK)
		return;
	before = go_to(c, ".%s", list->string);
	s->actions = compile_list(c, list, compile_action, sizeof(struct action), &s->action_count);
	go_back(c, before);
	if (c->failed == ERR_OK)
		s->devices = device_actions(s);
}

static void
compile_resources(struct compiler *c, const struct policy *p, const cJSON *object,
    struct statement *s)
{
	const cJSON *list = one_of(c, object, "Resource", "NotResource", &s->not_resource);
	struct resource *resources;
	size_t before;

	if (c->failed != ERR_OK)
		return;
	before = go_to(c, ".%s", list->string);
	resources = compile_list(c, list, compile_resource, sizeof(struct resource),
	    &s->resource_count);
	for (size_t i = 0; c->failed == ERR_OK && i < s->resource_count; i++)
		resources[i].scope = scope_of(p, &resources[i]);
	s->resources = resources;
	go_back(c, before);
}

void
compile_statement(struct compiler *c, struct policy *p, const cJSON *object, struct statement *s)
{
	static const char *const names[] = { "Sid", "Effect", "Action", "NotAction", "Resource",
		"NotResource", "Condition" };
	const cJSON *condition = get(object, "Condition");
	size_t before;

	if (!cJSON_IsObject(object)) {
		fail(c, "must be an object");
		return;
	}
	check_members(c, object, names, COUNT_OF(names));
	s->sid = copy(c, view_of(optional_string(c, object, "Sid")));
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
	before = go_to(c, ".Condition");
	s->conditions = compile_conditions(c, condition, &s->condition_count);
	go_back(c, before);
}
