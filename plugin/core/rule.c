/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* rule.c - evaluation of compiled rules; see rule.h. */
#include <string.h>

#include "jitr/core/name.h"
#include "jitr/core/rule_form.h"
#include "jitr/core/text.h"

#define SHOWN      64 /* bytes of quoted text */
#define NAME_SHOWN 96 /* bytes of a quoted name; no valid name is longer */

/* A rule is evaluated once per certificate, a policy for every packet. */
#define RULE_STEPS_MAX (4 * STEPS_MAX)

bool
rule_supersedes(const struct rule *r)
{
	return r->supersedes;
}

int64_t
rule_supersede_after(const struct rule *r)
{
	return r->supersede_after;
}

static int
shown(struct view text)
{
	return (int)utf8_head(text, SHOWN).len;
}

static int
shown_name(struct view name)
{
	return name.len < NAME_SHOWN ? (int)name.len : NAME_SHOWN;
}

static void
explain_condition(struct plan *out, const struct condition *c, const char *what)
{
	diag_set(&out->reason, "%.*s %.*s %s", shown_name(c->name), (const char *)c->name.data,
	    shown_name(c->key->name), (const char *)c->key->name.data, what);
}

/* The first condition that does not hold decides.  A hidden condition counts only if
 * there is none: an unknown value must not revoke. */
static bool
conditions_hold(const struct rule *r, struct context *context, struct plan *out)
{
	size_t hidden = r->condition_count;

	for (size_t i = 0; i < r->condition_count; i++) {
		const struct condition *c = &r->conditions[i];
		enum truth t = condition_eval(c, context);

		if (t == TRUTH_NO) {
			out->status = r->otherwise;
			explain_condition(out, c, "does not hold");
			return false;
		}
		if (t == TRUTH_HIDDEN && hidden == r->condition_count)
			hidden = i;
	}
	if (hidden == r->condition_count)
		return true;
	out->failed = true;
	explain_condition(out, &r->conditions[hidden],
	    context->steps == 0 ? "takes too long to decide"
		: variable_hidden(r->conditions[hidden].key, context->facts)
		? "cannot be decided: the broker does not know the value"
		: "cannot be decided: the value is too long, or the broker does not know it");
	return false;
}

static bool
fail_thing(struct plan *out, struct view name)
{
	bool escaped = memchr(name.data, '\\', name.len) != NULL;

	out->failed = true;
	diag_set(&out->reason, "'%.*s' is not a valid thing name: " THING_NAME_WORDS "%s",
	    shown(name), (const char *)name.data, escaped ? "; " ESCAPED_WORDS : "");
	return false;
}

/* Copies what fits, plus one byte, so that a name that is too long stays invalid. */
static size_t
add(uint8_t *room, size_t len, struct view text)
{
	size_t left = NAME_MAX_LENGTH + 1 - len;
	size_t more = text.len < left ? text.len : left;

	if (more > 0)
		memcpy(room + len, text.data, more);
	return len + more;
}

static bool
name_thing(const struct rule *r, const struct facts *facts, uint8_t *room, struct plan *out)
{
	struct view name = { room, 0 };

	for (size_t i = 0; i < r->thing.count; i++) {
		const struct piece *piece = &r->thing.pieces[i];
		bool literal = piece->kind == PIECE_TEXT;
		struct view text = literal ? piece->text : variable_value(piece->variable, facts);

		if (text.data == NULL) {
			out->failed = true;
			diag_set(&out->reason,
			    "%.*s, of which the thing's name is made, has no value",
			    shown_name(piece->text), (const char *)piece->text.data);
			return false;
		}
		name.len = add(room, name.len, text);
	}
	if (r->thing.count > 0 && !thing_name_valid(name))
		return fail_thing(out, name);
	out->thing.name = name;
	return true;
}

static void
grant(const struct rule *r, struct plan *out)
{
	out->status = CERT_ACTIVE;
	out->supersedes = r->supersedes;
	out->supersede_after = r->supersede_after;
	for (size_t i = 0; i < r->policy_count; i++)
		out->policies[i].name = r->policies[i];
	out->policy_count = r->policy_count;
	diag_set(&out->reason, "the rule of its CA accepts it");
}

struct plan_reach
rule_reach(const struct rule *r)
{
	struct plan_reach reach = { .policy_count = r->policy_count,
		.has_thing = r->thing.count > 0 };

	for (size_t i = 0; i < r->policy_count; i++)
		reach.policies[i] = r->policies[i];
	if (r->thing.count == 1 && r->thing.pieces[0].kind == PIECE_TEXT)
		reach.thing = r->thing.pieces[0].text;
	return reach;
}

void
rule_eval(const struct rule *r, const struct facts *facts, uint8_t room[PLAN_ROOM],
    struct plan *out)
{
	struct context context = { .facts = facts,
		.steps = RULE_STEPS_MAX,
		.expression_match = r->expression_match };

	*out = (struct plan){ .origin = PLAN_RULE, .status = CERT_PENDING_ACTIVATION };
	if (conditions_hold(r, &context, out) && name_thing(r, facts, room, out))
		grant(r, out);
	out->no_memory = out->failed && context.no_memory;
}
