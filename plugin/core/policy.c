/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* policy.c - evaluation of compiled policies; see policy.h. */
#include <stdio.h>
#include <string.h>

#include "jitr/core/policy.h"

#include "jitr/core/policy_form.h"

static const struct {
	const char *name, *type;
} actions[] = {
	[POLICY_CONNECT] = { "iot:Connect", "client" },
	[POLICY_PUBLISH] = { "iot:Publish", "topic" },
	[POLICY_RETAIN_PUBLISH] = { "iot:RetainPublish", "topic" },
	[POLICY_RECEIVE] = { "iot:Receive", "topic" },
	[POLICY_SUBSCRIBE] = { "iot:Subscribe", "topicfilter" },
};

static const struct {
	const char *text;
	enum resource_type type;
} types[] = {
	{ "topic/", TYPE_TOPIC },
	{ "topicfilter/", TYPE_TOPICFILTER },
	{ "client/", TYPE_CLIENT },
};

const char *
policy_action_name(enum policy_action a)
{
	return (size_t)a < COUNT_OF(actions) ? actions[a].name : "";
}

const char *
policy_resource_type(enum policy_action a)
{
	return (size_t)a < COUNT_OF(actions) ? actions[a].type : "";
}

struct arn_scope
arn_scope_of(const char *region, const char *account_id)
{
	struct arn_scope scope;

	(void)snprintf(scope.prefix, sizeof(scope.prefix), "arn:aws:iot:%s:%s:", region,
	    account_id);
	return scope;
}

static bool
has_prefix(struct view v, const char *prefix, size_t len)
{
	return v.len >= len && memcmp(v.data, prefix, len) == 0;
}

size_t
resource_type_length(struct view literal, enum resource_type *type)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		size_t len = strlen(types[i].text);

		if (!has_prefix(literal, types[i].text, len))
			continue;
		*type = types[i].type;
		return len;
	}
	*type = TYPE_OTHER;
	return 0;
}

struct view
reserved_level(struct view name)
{
	const uint8_t *end;

	if (name.len == 0 || name.data[0] != '$')
		return (struct view){ NULL, 0 };
	end = memchr(name.data, '/', name.len);
	if (end != NULL)
		name.len = (size_t)(end - name.data);
	return name;
}

/* A request with values derived from it once. */
struct evaluation {
	unsigned device; /* bit of the action; 0 for a control action */
	struct view control;
	struct subject whole, name;
	struct view level;       /* reserved_level() of the topic */
	enum resource_type type; /* resource type, from the start of the ARN's sixth part */
	size_t scope_len;        /* length of the ARN's first five parts; 0: not an ARN */
	struct subject rest;     /* the ARN's sixth part */
	bool in_scope;           /* the first five parts equal the policy's scope */
	struct context context;
	bool any_name;
};

static bool
ends_with(struct view v, const char *end)
{
	size_t len = strlen(end);

	return v.len >= len && memcmp(v.data + v.len - len, end, len) == 0;
}

/* The topic or filter of the request; data NULL if it has none. */
static struct view
topic_of(const struct policy_request *r)
{
	const uint8_t *slash;

	if (r->action == POLICY_CONNECT)
		return (struct view){ NULL, 0 };
	if (ends_with(r->prefix, ":topic/") || ends_with(r->prefix, ":topicfilter/"))
		return r->name;
	if (r->action == POLICY_CONTROL || r->name.len == 0)
		return (struct view){ NULL, 0 };
	if (r->prefix.len > 0)
		return r->name;
	slash = memchr(r->name.data, '/', r->name.len);
	return slash != NULL ? view_from(r->name, (size_t)(slash + 1 - r->name.data)) : r->name;
}

/* Length up to and including the fifth colon; 0 if there are fewer. */
static size_t
scope_length(struct view arn)
{
	struct view parts[ARN_PARTS];

	if (arn.len == 0 || !arn_split(arn, false, parts))
		return 0;
	return arn.len - parts[ARN_PARTS - 1].len;
}

/* Fast path for prefixes that the gate uses, such as "<scope>topic/". */
static void
find_type(struct evaluation *e, struct view prefix)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		size_t len = strlen(types[i].text);

		if (!ends_with(prefix, types[i].text))
			continue;
		e->type = types[i].type;
		e->scope_len = prefix.len - len;
	}
}

static void
find_rest(struct evaluation *e, const struct policy_request *r)
{
	find_type(e, r->prefix);
	if (e->type == TYPE_OTHER)
		e->scope_len = scope_length(r->prefix.len > 0 ? r->prefix : r->name);
	if (e->scope_len == 0)
		return;
	if (r->prefix.len > 0)
		e->rest = (struct subject){ view_from(r->prefix, e->scope_len), r->name };
	else
		e->rest = (struct subject){ .name = view_from(r->name, e->scope_len) };
}

/* The text that begins with the ARN. */
static struct view
arn_begin(const struct evaluation *e)
{
	return e->whole.prefix.len > 0 ? e->whole.prefix : e->whole.name;
}

static bool
is_in_scope(const struct policy *p, const struct evaluation *e)
{
	return e->scope_len == p->prefix_len && e->scope_len > 0 &&
	    memcmp(arn_begin(e).data, p->scope.prefix, p->prefix_len) == 0;
}

static const struct facts no_facts;

static struct evaluation
evaluation_of(const struct policy_request *r)
{
	struct evaluation e = { .control = view_of(r->control),
		.whole = { r->prefix, r->name },
		.name = { .name = r->name } };

	find_rest(&e, r);
	e.device = r->action < POLICY_CONTROL ? 1u << r->action : 0;
	e.level = reserved_level(topic_of(r));
	e.any_name = r->any_name;
	e.context.facts = r->facts != NULL ? r->facts : &no_facts;
	e.context.connecting = r->action == POLICY_CONNECT;
	e.context.steps = STEPS_MAX;
	return e;
}

/* A broad Allow does not permit control actions: NotAction never does, and a pattern
 * must contain a name (policy.h). */
static enum truth
control_matches(const struct statement *s, struct evaluation *e)
{
	struct subject control = { .name = e->control };
	enum truth t = TRUTH_NO;

	if (s->not_action && !s->deny)
		return TRUTH_NO;
	for (size_t i = 0; i < s->action_count && t != TRUTH_YES; i++)
		if (s->deny || s->actions[i].names_control)
			t = truth_or(t,
			    pattern_match(&s->actions[i].pattern, &control, &e->context));
	return s->not_action ? truth_not(t) : t;
}

/* Does the pattern match every name behind prefix: all of them, none, or undecided?  A
 * pattern matches all if it is literal text that prefix begins with, followed by a
 * final '*'. */
static enum truth
pattern_reaches(const struct pattern *p, struct view prefix)
{
	const struct piece *first = p->count > 0 ? &p->pieces[0] : NULL;
	size_t common;

	if (first == NULL || first->kind == PIECE_ANY)
		return first == NULL ? TRUTH_NO : p->count == 1 ? TRUTH_YES : TRUTH_HIDDEN;
	if (first->kind != PIECE_TEXT || p->folded)
		return TRUTH_HIDDEN;
	common = first->text.len < prefix.len ? first->text.len : prefix.len;
	if (memcmp(first->text.data, prefix.data, common) != 0)
		return TRUTH_NO;
	if (p->count == 1)
		return first->text.len > prefix.len ? TRUTH_HIDDEN : TRUTH_NO;
	return first->text.len <= prefix.len && p->count == 2 && p->pieces[1].kind == PIECE_ANY
	    ? TRUTH_YES
	    : TRUTH_HIDDEN;
}

/* Compares the first five parts one by one: a wildcard does not match across a colon. */
static enum truth
scope_matches(const struct resource *r, struct evaluation *e)
{
	struct view begin = { arn_begin(e).data, e->scope_len }, parts[ARN_PARTS];
	enum truth t = TRUTH_YES;

	if (e->in_scope && r->scope != SCOPE_VARIABLE)
		return r->scope == SCOPE_OWN ? TRUTH_YES : TRUTH_NO;
	if (!arn_split(begin, false, parts))
		return TRUTH_NO;
	for (size_t i = 0; i < r->part_count && t != TRUTH_NO; i++)
		t = truth_and(t,
		    pattern_match(&r->part[i], &(struct subject){ .name = parts[i] }, &e->context));
	return t;
}

static enum truth
rest_matches(const struct resource *r, struct evaluation *e)
{
	if (r->form == RESOURCE_SHORT)
		return TRUTH_YES;
	if (e->any_name)
		return pattern_reaches(&r->rest, e->rest.prefix);
	if (r->type == TYPE_OTHER || e->type == TYPE_OTHER)
		return pattern_match(&r->rest, &e->rest, &e->context);
	if (r->type != e->type)
		return TRUTH_NO;
	return pattern_match(&r->name, &e->name, &e->context);
}

static enum truth
resource_matches(const struct resource *r, struct evaluation *e)
{
	enum truth t;

	if (r->form == RESOURCE_ANY)
		return TRUTH_YES;
	if (r->form == RESOURCE_PARTIAL)
		return e->any_name
		    ? TRUTH_HIDDEN
		    : truth_and(TRUTH_HIDDEN, pattern_match(&r->rest, &e->whole, &e->context));
	if (e->scope_len == 0)
		return TRUTH_NO;
	t = scope_matches(r, e);
	return t == TRUTH_NO ? TRUTH_NO : truth_and(t, rest_matches(r, e));
}

static enum truth
resources_match(const struct statement *s, struct evaluation *e)
{
	bool must_name = e->level.len > 0 && !s->deny;
	enum truth t = TRUTH_NO;

	if (must_name && s->not_resource)
		return TRUTH_NO;
	for (size_t i = 0; i < s->resource_count && t != TRUTH_YES; i++)
		if (!must_name || view_equal(s->resources[i].level, e->level))
			t = truth_or(t, resource_matches(&s->resources[i], e));
	return s->not_resource ? truth_not(t) : t;
}

static enum truth
statement_holds(const struct statement *s, struct evaluation *e)
{
	enum truth t = e->device == 0 ? control_matches(s, e) : TRUTH_YES;

	if (t != TRUTH_NO)
		t = truth_and(t, resources_match(s, e));
	for (size_t i = 0; i < s->condition_count && t != TRUTH_NO; i++)
		t = truth_and(t, condition_eval(&s->conditions[i], &e->context));
	return t;
}

static enum policy_result
policy_decide(const struct policy *p, struct evaluation *e, enum policy_result before,
    struct policy_match *match)
{
	enum policy_result result = before;

	for (size_t i = 0; i < p->count; i++) {
		const struct statement *s = &p->statements[i];
		enum truth t;

		if ((s->devices & e->device) != e->device || (result == POLICY_ALLOWED && !s->deny))
			continue;
		t = statement_holds(s, e);
		if (t == TRUTH_NO || (t == TRUTH_HIDDEN && !s->deny))
			continue;
		match->statement = i;
		match->sid = s->sid;
		result = s->deny ? POLICY_EXPLICIT_DENY : POLICY_ALLOWED;
		if (s->deny)
			break;
	}
	return result;
}

enum policy_result
policy_eval(const struct policy *const *set, size_t count, const struct policy_request *request,
    struct policy_match *match)
{
	enum policy_result result = POLICY_IMPLICIT_DENY;
	struct evaluation evaluation = evaluation_of(request);

	for (size_t i = 0; i < count && result != POLICY_EXPLICIT_DENY; i++) {
		struct policy_match here = { .policy = i };
		enum policy_result before = result;

		evaluation.in_scope = is_in_scope(set[i], &evaluation);
		result = policy_decide(set[i], &evaluation, before, &here);
		if (result != before && match != NULL)
			*match = here;
	}
	if (request->steps != NULL)
		*request->steps += STEPS_MAX - evaluation.context.steps;
	return result;
}

unsigned
policy_uses(const struct policy *p)
{
	return p->uses;
}

bool
policy_variable(const struct policy *p, size_t nth, const struct facts *facts, struct view *name,
    bool *has_value)
{
	const struct variable_list *n = p->names;
	struct view value;
	size_t cursor = 0;

	while (n != NULL && nth-- > 0)
		n = n->next;
	if (n == NULL)
		return false;
	*name = n->variable.name;
	*has_value = variable_next(&n->variable, facts, &cursor, &value);
	return true;
}
