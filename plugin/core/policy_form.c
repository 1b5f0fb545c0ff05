/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_form.c - what follows from the parsed parts of a policy; see policy_form.h.
 */
#include <string.h>

#include "jitr/core/policy_form.h"

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

void
action_derive(struct action *a)
{
	a->names_control = names_control(&a->pattern);
}

/*
 * Resources.
 */

/* The first level behind the first '/' of an ARN's sixth part, if it is literal text. */
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
			break; /* the level continues with something else */
		return reserved_level(text);
	}
	return (struct view){ NULL, 0 };
}

/* rest without its first bytes, which are literal text.  room: for as many pieces. */
static struct pattern
cut_pattern(const struct pattern *whole, size_t cut, struct piece *room)
{
	size_t gone = whole->pieces[0].text.len == cut ? 1 : 0;

	memcpy(room, whole->pieces + gone, (whole->count - gone) * sizeof(*room));
	if (gone == 0)
		room[0].text = view_from(room[0].text, cut);
	return pattern_of(room, whole->count - gone, whole->folded);
}

void
resource_derive(struct resource *r, struct piece *room)
{
	size_t cut;

	if (r->rest.count == 0)
		return;
	r->level = literal_level(&r->rest);
	if (r->rest.pieces[0].kind != PIECE_TEXT)
		return;
	cut = resource_type_length(r->rest.pieces[0].text, &r->type);
	if (r->type != TYPE_OTHER)
		r->name = cut_pattern(&r->rest, cut, room);
}

/* Compares the first five parts with the registry's.  Without variables the result is
 * final. */
static enum scope_match
scope_of(const struct resource *r, const struct arn_scope *own)
{
	static const struct facts nothing;
	struct context context = { .facts = &nothing, .steps = STEPS_MAX };
	struct view parts[ARN_PARTS];
	enum scope_match scope = SCOPE_OWN;

	if (!arn_split(view_of(own->prefix), false, parts))
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

void
resource_derive_scope(struct resource *r, const struct arn_scope *own)
{
	r->scope = scope_of(r, own);
}

/*
 * Statements.
 */

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

unsigned
statement_derive(struct statement *s)
{
	s->devices = device_actions(s);
	return (allows_control(s) ? POLICY_ALLOWS_CONTROL : 0u) |
	    (denies_control(s) ? POLICY_DENIES_CONTROL : 0u);
}

/*
 * Variables.
 */

static unsigned
uses_of(const struct variable *v)
{
	switch (v->kind) {
	case VARIABLE_THING_NAME:
	case VARIABLE_THING_TYPE:
	case VARIABLE_THING_ATTACHED:
	case VARIABLE_THING_ATTRIBUTE:
		return POLICY_USES_THING;
	case VARIABLE_CERT_FIELD:
	case VARIABLE_CERT_KEYS:
		return POLICY_USES_CERTIFICATE;
	case VARIABLE_UNKNOWN:
	case VARIABLE_CLIENT_ID:
	case VARIABLE_SOURCE_IP:
	case VARIABLE_DOMAIN_NAME:
	case VARIABLE_TIME:
	case VARIABLE_CERTIFICATE_ID:
	case VARIABLE_CONNECT_ATTRIBUTES:
	case VARIABLE_LAST_WILL_TOPIC:
		break;
	}
	return 0;
}

unsigned
variables_derive(const struct variable_list *names)
{
	unsigned uses = 0;

	for (const struct variable_list *n = names; n != NULL; n = n->next)
		uses |= uses_of(&n->variable);
	return uses;
}
