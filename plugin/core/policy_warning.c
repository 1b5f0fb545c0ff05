/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* policy_warning.c - see policy_warning.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "jitr/core/policy_warning.h"

#include "jitr/core/policy_form.h"
#include "jitr/core/text.h"

#define SHOWN 96 /* bytes of quoted text */
#define STEPS 50000
#define NEAR  3 /* maximum edit distance of a similar name */

/* Actions of devices that AWS knows and that are not checked here: no warning. */
static const char *const unchecked_actions[] = { "iot:GetRetainedMessage",
	"iot:ListRetainedMessages", "iot:GetThingShadow", "iot:UpdateThingShadow",
	"iot:DeleteThingShadow", "iot:ListNamedShadowsForThing", "iot:DescribeJobExecution",
	"iot:GetPendingJobExecutions", "iot:UpdateJobExecution", "iot:StartNextPendingJobExecution",
	"iot:StartCommandExecution", "iot:AssumeRoleWithCertificate", "iot:DeleteConnection",
	"iot:SendDirectMessage" };

struct warning {
	const struct policy *policy;
	const struct action_names *others;
	policy_warner *tell;
	void *context;
	size_t count;
	size_t steps;    /* left for matching names with patterns */
	size_t searches; /* left for similar names */
};

PRINTF_LIKE(2, 3)
static void
warn(struct warning *w, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (w->count == POLICY_WARNINGS_MAX)
		return;
	w->count++;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	w->tell(w->context, text);
}

/* Length of the quoted part, in whole characters. */
static int
shown(struct view v)
{
	size_t len = 0, next;

	while (len < v.len && (next = utf8_next(view_from(v, len))) > 0 && len + next <= SHOWN)
		len += next;
	return (int)len;
}

/*
 * Actions.
 */

/* The nth known action; NULL: no more. */
static const char *
action_name(const struct warning *w, size_t nth)
{
	if (nth < POLICY_CONTROL)
		return policy_action_name((enum policy_action)nth);
	nth -= POLICY_CONTROL;
	if (nth < COUNT_OF(unchecked_actions))
		return unchecked_actions[nth];
	nth -= COUNT_OF(unchecked_actions);
	return nth < w->others->count ? w->others->names[nth] : NULL;
}

static bool
matches_some_action(struct warning *w, const struct pattern *p)
{
	static const struct facts nothing;
	struct context context = { .facts = &nothing, .steps = w->steps };
	const char *name;
	bool found = false;

	for (size_t n = 0; !found && (name = action_name(w, n)) != NULL; n++)
		found = pattern_match(p, &(struct subject){ .name = view_of(name) }, &context) !=
		    TRUTH_NO;
	w->steps = context.steps;
	return found;
}

/* NULL: none is similar enough. */
static const char *
nearest_action(struct warning *w, struct view text)
{
	size_t best = NEAR + 1;
	const char *nearest = NULL, *name;

	if (w->searches == 0)
		return NULL;
	w->searches--;
	for (size_t n = 0; (name = action_name(w, n)) != NULL; n++) {
		size_t len = strlen(name), here;

		if (len + NEAR < text.len || text.len + NEAR < len)
			continue;
		here = text_distance(text, view_of(name));
		if (here < best) {
			best = here;
			nearest = name;
		}
	}
	return nearest;
}

/* AWS accepts actions of other services.  Text without "iot:" may be a mistake. */
static bool
is_of_another_service(struct view text)
{
	const struct view iot = view_of("iot:");

	if (text.len == 0 || memchr(text.data, ':', text.len) == NULL)
		return false;
	return text.len < iot.len || !view_equal_folded((struct view){ text.data, iot.len }, iot);
}

static void
warn_of_action(struct warning *w, const char *place, size_t nth, const struct pattern *p)
{
	struct view text = p->count > 0 ? p->pieces[0].text : (struct view){ NULL, 0 };
	const char *nearest;

	if (p->count == 0 || p->pieces[0].kind != PIECE_TEXT || matches_some_action(w, p))
		return;
	nearest = p->count == 1 ? nearest_action(w, text) : NULL;
	if (is_of_another_service(text) && nearest == NULL)
		return;
	warn(w, "%s[%zu]: there is no action '%.*s%s'%s%s", place, nth, shown(text),
	    (const char *)text.data, p->count > 1 ? "..." : "",
	    nearest != NULL ? "; the nearest is " : "", nearest != NULL ? nearest : "");
}

/*
 * Resources.
 */

/* Lists which of the first five parts differ from the registry's. */
static void
name_parts(const struct warning *w, const struct resource *r, char *out, size_t size)
{
	static const char *const names[] = { "arn", "partition", "service", "region", "account" };
	static const struct facts nothing;
	struct context context = { .facts = &nothing, .steps = STEPS_MAX };
	struct view parts[ARN_PARTS];
	size_t len = 0;

	out[0] = '\0';
	if (!arn_split(view_of(w->policy->scope.prefix), false, parts))
		return;
	for (size_t i = 0; i < r->part_count && len < size; i++)
		if (pattern_match(&r->part[i], &(struct subject){ .name = parts[i] }, &context) ==
		    TRUTH_NO)
			len += (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "",
			    names[i]);
}

static void
warn_of_resource(struct warning *w, const char *place, size_t nth, const struct resource *r)
{
	char others[64];

	if (r->form == RESOURCE_PARTIAL) {
		warn(w,
		    "%s[%zu]: '%.*s' is not an ARN, which has six parts separated by colons: it "
		    "allows nothing",
		    place, nth, shown(r->text), (const char *)r->text.data);
	} else if (r->form != RESOURCE_ANY && r->scope == SCOPE_FOREIGN) {
		name_parts(w, r, others, sizeof(others));
		warn(w,
		    "%s[%zu]: this ARN is not of this registry (%s): '%.*s'; here ARNs begin "
		    "with %s",
		    place, nth, others, shown(r->text), (const char *)r->text.data,
		    w->policy->scope.prefix);
	}
}

static enum resource_type
type_of_action(enum policy_action a)
{
	static const enum resource_type types[] = { [POLICY_CONNECT] = TYPE_CLIENT,
		[POLICY_PUBLISH] = TYPE_TOPIC,
		[POLICY_RETAIN_PUBLISH] = TYPE_TOPIC,
		[POLICY_RECEIVE] = TYPE_TOPIC,
		[POLICY_SUBSCRIBE] = TYPE_TOPICFILTER };

	return types[a];
}

/* Does a resource of the statement have the type that this action is evaluated with? */
static bool
fits_resources(const struct statement *s, enum policy_action a)
{
	for (size_t i = 0; i < s->resource_count; i++) {
		const struct resource *r = &s->resources[i];

		if (r->form != RESOURCE_ARN || r->type == TYPE_OTHER ||
		    r->type == type_of_action(a))
			return true;
	}
	return false;
}

/* Actions named without wildcards, if no resource has the type that they apply to. */
static void
warn_of_types(struct warning *w, size_t nth, const struct statement *s)
{
	if (s->not_action || s->not_resource)
		return;
	for (size_t i = 0; i < s->action_count; i++)
		for (int a = 0; a < POLICY_CONTROL; a++) {
			const struct pattern *p = &s->actions[i].pattern;
			const char *name = policy_action_name((enum policy_action)a);

			if (p->count == 1 && p->pieces[0].kind == PIECE_TEXT &&
			    view_equal_folded(p->pieces[0].text, view_of(name)) &&
			    !fits_resources(s, (enum policy_action)a))
				warn(w,
				    "Statement[%zu]: %s applies to resources %s/..., but the "
				    "statement has none",
				    nth, name, policy_resource_type((enum policy_action)a));
		}
}

/*
 * Variables and conditions.
 */

static bool
is_always_hidden(enum variable_kind kind)
{
	return kind == VARIABLE_TIME || kind == VARIABLE_DOMAIN_NAME ||
	    kind == VARIABLE_LAST_WILL_TOPIC;
}

static void
warn_of_variables(struct warning *w)
{
	for (const struct variable_list *n = w->policy->names; n != NULL; n = n->next) {
		struct view name = n->variable.name;

		if (n->variable.kind == VARIABLE_UNKNOWN)
			warn(w,
			    "'%.*s' is not a variable or condition key here: it never has a value",
			    shown(name), (const char *)name.data);
		else if (is_always_hidden(n->variable.kind))
			warn(w,
			    "'%.*s' is not known to this broker: a condition on it never allows, "
			    "and always denies",
			    shown(name), (const char *)name.data);
	}
}

/* Evaluates for a CONNECT with this much known; LastWill is always hidden. */
static enum truth
holds_at_connect(const struct condition *c, enum answer persistent)
{
	struct facts facts = { .persistent_connect = persistent };
	struct context context = { .facts = &facts, .connecting = true, .steps = STEPS_MAX };

	return condition_eval(c, &context);
}

/* Is the condition never satisfied (Allow), or never excluded (Deny)? */
static bool
never_varies(bool deny, enum truth t)
{
	return deny ? t != TRUTH_NO : t != TRUTH_YES;
}

static void
warn_of_attributes(struct warning *w, size_t nth, const struct statement *s,
    const struct condition *c)
{
	const char *what = s->deny ? "this Deny applies to every client"
				   : "this Allow never applies";
	enum truth clean, kept, hidden;

	if (c->key->kind != VARIABLE_CONNECT_ATTRIBUTES || !(s->devices & 1u << POLICY_CONNECT))
		return;
	clean = holds_at_connect(c, ANSWER_NO);
	kept = holds_at_connect(c, ANSWER_YES);
	hidden = holds_at_connect(c, ANSWER_NOT_ASKED);
	if (never_varies(s->deny, clean) && never_varies(s->deny, kept) &&
	    (clean == TRUTH_HIDDEN || kept == TRUTH_HIDDEN))
		warn(w,
		    "Statement[%zu].Condition.%.*s.iot:ConnectAttributes: this broker does not "
		    "reveal whether a client has a will (LastWill): %s",
		    nth, shown(c->name), (const char *)c->name.data, what);
	else if (hidden == TRUTH_HIDDEN)
		warn(w,
		    "Statement[%zu].Condition.%.*s.iot:ConnectAttributes: this broker does not "
		    "reveal whether the session of an MQTT 5 client persists (PersistentConnect): %s of "
		    "MQTT 5",
		    nth, shown(c->name), (const char *)c->name.data,
		    s->deny ? what : "this Allow never applies to clients");
}

static void
warn_of_statement(struct warning *w, size_t nth, const struct statement *s)
{
	char actions[48], resources[48];

	(void)snprintf(actions, sizeof(actions), "Statement[%zu].%sAction", nth,
	    s->not_action ? "Not" : "");
	(void)snprintf(resources, sizeof(resources), "Statement[%zu].%sResource", nth,
	    s->not_resource ? "Not" : "");
	for (size_t i = 0; i < s->action_count; i++)
		warn_of_action(w, actions, i, &s->actions[i].pattern);
	for (size_t i = 0; i < s->resource_count; i++)
		warn_of_resource(w, resources, i, &s->resources[i]);
	warn_of_types(w, nth, s);
	for (size_t i = 0; i < s->condition_count; i++)
		warn_of_attributes(w, nth, s, &s->conditions[i]);
}

void
policy_warn(const struct policy *p, const struct action_names *others, policy_warner *tell,
    void *context)
{
	struct warning w = { .policy = p,
		.others = others,
		.tell = tell,
		.context = context,
		.steps = STEPS,
		.searches = POLICY_WARNINGS_MAX };

	for (size_t i = 0; i < p->count && w.count < POLICY_WARNINGS_MAX; i++)
		warn_of_statement(&w, i, &p->statements[i]);
	warn_of_variables(&w);
}
