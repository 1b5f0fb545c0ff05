/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* policy.c - see policy.h: compiled policies are asked. */
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
	enum arn_head head;
} heads[] = {
	{ "topic/", HEAD_TOPIC },
	{ "topicfilter/", HEAD_TOPICFILTER },
	{ "client/", HEAD_CLIENT },
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

static struct view
behind(struct view v, size_t n)
{
	return (struct view){ v.data + n, v.len - n };
}

static bool
has_prefix(struct view v, const char *prefix, size_t len)
{
	return v.len >= len && memcmp(v.data, prefix, len) == 0;
}

size_t
arn_head_length(struct view literal, enum arn_head *head)
{
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		size_t len = strlen(heads[i].text);

		if (!has_prefix(literal, heads[i].text, len))
			continue;
		*head = heads[i].head;
		return len;
	}
	*head = HEAD_OTHER;
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

/* A request, with what has to be found out once. */
struct asked {
	unsigned device; /* its bit; 0: an action of the control API */
	struct view control;
	struct subject whole, name;
	struct view level;   /* reserved_level() of the name of a topic */
	enum arn_head type;  /* what the sixth part of the ARN begins with */
	size_t home_len;     /* of the ARN's first five parts; 0: it is no ARN */
	struct subject rest; /* the sixth part */
	bool at_home;        /* the five are those of the policy's scope */
	struct context context;
	bool any_name;
};

static bool
ends_with(struct view v, const char *end)
{
	size_t len = strlen(end);

	return v.len >= len && memcmp(v.data + v.len - len, end, len) == 0;
}

/* The topic or filter that is asked for; data NULL: something else is. */
static struct view
topic_of(const struct policy_request *r)
{
	const uint8_t *slash;

	if (r->action == POLICY_CONNECT)
		return (struct view){ NULL, 0 };
	if (ends_with(r->head, ":topic/") || ends_with(r->head, ":topicfilter/"))
		return r->name;
	if (r->action == POLICY_CONTROL || r->name.len == 0)
		return (struct view){ NULL, 0 };
	if (r->head.len > 0)
		return r->name;
	slash = memchr(r->name.data, '/', r->name.len);
	return slash != NULL ? behind(r->name, (size_t)(slash + 1 - r->name.data)) : r->name;
}

/* Up to the fifth colon; 0: there are not so many. */
static size_t
home_length(struct view arn)
{
	struct view parts[ARN_PARTS];

	if (arn.len == 0 || !arn_split(arn, false, parts))
		return 0;
	return arn.len - parts[ARN_PARTS - 1].len;
}

/* Of the heads that the gate asks with, the length is known by their ends. */
static void
find_type(struct asked *a, struct view head)
{
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		size_t len = strlen(heads[i].text);

		if (!ends_with(head, heads[i].text))
			continue;
		a->type = heads[i].head;
		a->home_len = head.len - len;
	}
}

static void
find_rest(struct asked *a, const struct policy_request *r)
{
	find_type(a, r->head);
	if (a->type == HEAD_OTHER)
		a->home_len = home_length(r->head.len > 0 ? r->head : r->name);
	if (a->home_len == 0)
		return;
	if (r->head.len > 0)
		a->rest = (struct subject){ behind(r->head, a->home_len), r->name };
	else
		a->rest = (struct subject){ .name = behind(r->name, a->home_len) };
}

/* The text that begins with the ARN. */
static struct view
arn_begin(const struct asked *a)
{
	return a->whole.head.len > 0 ? a->whole.head : a->whole.name;
}

static bool
is_at_home(const struct policy *p, const struct asked *a)
{
	return a->home_len == p->prefix_len && a->home_len > 0 &&
	    memcmp(arn_begin(a).data, p->scope.prefix, p->prefix_len) == 0;
}

static const struct facts no_facts;

static struct asked
ask(const struct policy_request *r)
{
	struct asked a = { .control = view_of(r->control),
		.whole = { r->head, r->name },
		.name = { .name = r->name } };

	find_rest(&a, r);
	a.device = r->action < POLICY_CONTROL ? 1u << r->action : 0;
	a.level = reserved_level(topic_of(r));
	a.any_name = r->any_name;
	a.context.facts = r->facts != NULL ? r->facts : &no_facts;
	a.context.connecting = r->action == POLICY_CONNECT;
	a.context.steps = STEPS_MAX;
	return a;
}

/* A broad Allow makes no administrator: NotAction never does, and of the
 * others only those with a name in them (policy.h). */
static enum truth
control_matches(const struct statement *s, struct asked *a)
{
	struct subject control = { .name = a->control };
	enum truth t = TRUTH_NO;

	if (s->not_action && !s->deny)
		return TRUTH_NO;
	for (size_t i = 0; i < s->action_count && t != TRUTH_YES; i++)
		if (s->deny || s->actions[i].names_control)
			t = truth_or(t,
			    pattern_match(&s->actions[i].pattern, &control, &a->context));
	return s->not_action ? truth_not(t) : t;
}

/* Every name behind head: surely all of them, surely none, or it depends.  What
 * begins with the literal text of head, or less of it, and goes on with a last *
 * reaches all. */
static enum truth
pattern_reaches(const struct pattern *p, struct view head)
{
	const struct piece *first = p->count > 0 ? &p->pieces[0] : NULL;
	size_t common;

	if (first == NULL || first->kind == PIECE_ANY)
		return first == NULL ? TRUTH_NO : p->count == 1 ? TRUTH_YES : TRUTH_HIDDEN;
	if (first->kind != PIECE_TEXT || p->folded)
		return TRUTH_HIDDEN;
	common = first->text.len < head.len ? first->text.len : head.len;
	if (memcmp(first->text.data, head.data, common) != 0)
		return TRUTH_NO;
	if (p->count == 1)
		return first->text.len > head.len ? TRUTH_HIDDEN : TRUTH_NO;
	return first->text.len <= head.len && p->count == 2 && p->pieces[1].kind == PIECE_ANY
	    ? TRUTH_YES
	    : TRUTH_HIDDEN;
}

/* Each part against its own: a wildcard does not reach beyond its colon. */
static enum truth
home_matches(const struct resource *r, struct asked *a)
{
	struct view begin = { arn_begin(a).data, a->home_len }, parts[ARN_PARTS];
	enum truth t = TRUTH_YES;

	if (a->at_home && r->home != HOME_ASKED)
		return r->home == HOME_YES ? TRUTH_YES : TRUTH_NO;
	if (!arn_split(begin, false, parts))
		return TRUTH_NO;
	for (size_t i = 0; i < r->part_count && t != TRUTH_NO; i++)
		t = truth_and(t,
		    pattern_match(&r->part[i], &(struct subject){ .name = parts[i] }, &a->context));
	return t;
}

static enum truth
rest_matches(const struct resource *r, struct asked *a)
{
	if (r->form == RESOURCE_SHORT)
		return TRUTH_YES;
	if (a->any_name)
		return pattern_reaches(&r->rest, a->rest.head);
	if (r->head == HEAD_OTHER || a->type == HEAD_OTHER)
		return pattern_match(&r->rest, &a->rest, &a->context);
	if (r->head != a->type)
		return TRUTH_NO;
	return pattern_match(&r->name, &a->name, &a->context);
}

static enum truth
resource_matches(const struct resource *r, struct asked *a)
{
	enum truth t;

	if (r->form == RESOURCE_ANY)
		return TRUTH_YES;
	if (r->form == RESOURCE_PARTIAL)
		return a->any_name
		    ? TRUTH_HIDDEN
		    : truth_and(TRUTH_HIDDEN, pattern_match(&r->rest, &a->whole, &a->context));
	if (a->home_len == 0)
		return TRUTH_NO;
	t = home_matches(r, a);
	return t == TRUTH_NO ? TRUTH_NO : truth_and(t, rest_matches(r, a));
}

static enum truth
resources_match(const struct statement *s, struct asked *a)
{
	bool must_name = a->level.len > 0 && !s->deny;
	enum truth t = TRUTH_NO;

	if (must_name && s->not_resource)
		return TRUTH_NO;
	for (size_t i = 0; i < s->resource_count && t != TRUTH_YES; i++)
		if (!must_name || view_equal(s->resources[i].level, a->level))
			t = truth_or(t, resource_matches(&s->resources[i], a));
	return s->not_resource ? truth_not(t) : t;
}

static enum truth
statement_holds(const struct statement *s, struct asked *a)
{
	enum truth t = a->device == 0 ? control_matches(s, a) : TRUTH_YES;

	if (t != TRUTH_NO)
		t = truth_and(t, resources_match(s, a));
	for (size_t i = 0; i < s->condition_count && t != TRUTH_NO; i++)
		t = truth_and(t, condition_eval(&s->conditions[i], &a->context));
	return t;
}

static enum policy_result
policy_ask(const struct policy *p, struct asked *a, enum policy_result before,
    struct policy_match *ground)
{
	enum policy_result result = before;

	for (size_t i = 0; i < p->count; i++) {
		const struct statement *s = &p->statements[i];
		enum truth t;

		if ((s->devices & a->device) != a->device || (result == POLICY_ALLOWED && !s->deny))
			continue;
		t = statement_holds(s, a);
		if (t == TRUTH_NO || (t == TRUTH_HIDDEN && !s->deny))
			continue;
		ground->statement = i;
		ground->sid = s->sid;
		result = s->deny ? POLICY_EXPLICIT_DENY : POLICY_ALLOWED;
		if (s->deny)
			break;
	}
	return result;
}

enum policy_result
policy_eval(const struct policy *const *set, size_t count, const struct policy_request *request,
    struct policy_match *ground)
{
	enum policy_result result = POLICY_IMPLICIT_DENY;
	struct asked asked = ask(request);

	for (size_t i = 0; i < count && result != POLICY_EXPLICIT_DENY; i++) {
		struct policy_match here = { .policy = i };
		enum policy_result before = result;

		asked.at_home = is_at_home(set[i], &asked);
		result = policy_ask(set[i], &asked, before, &here);
		if (result != before && ground != NULL)
			*ground = here;
	}
	if (request->steps != NULL)
		*request->steps += STEPS_MAX - asked.context.steps;
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
