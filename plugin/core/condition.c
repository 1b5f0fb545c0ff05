/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* condition.c - evaluation of conditions; see condition.h. */
#include "jitr/core/condition.h"

/* A value of the key, parsed once for comparison with all expected values. */
struct given {
	struct view text;
	bool readable; /* parsed successfully as the type that the operator compares */
	struct view arn[ARN_PARTS];
	struct address address;
	struct decimal number;
	int64_t date;
	bool truth;
};

static struct given
read_given(const struct condition *c, struct view text, const struct facts *f)
{
	struct given g = { .text = text };

	switch (c->op.comparison) {
	case COMPARE_TEXT:
	case COMPARE_NULL:
	case COMPARE_EXPRESSION:
		g.readable = true;
		break;
	case COMPARE_ARN:
		g.readable = arn_split(text, false, g.arn);
		break;
	case COMPARE_ADDRESS:
		g.address = c->key->kind == VARIABLE_SOURCE_IP && f->source.known
		    ? f->source
		    : address_parse(text);
		g.readable = g.address.known;
		break;
	case COMPARE_BOOL:
		g.readable = bool_parse(text, &g.truth);
		break;
	case COMPARE_NUMBER:
		g.readable = decimal_parse(text, &g.number);
		break;
	case COMPARE_DATE:
		g.readable = date_parse(text, &g.date);
		break;
	}
	return g;
}

static enum truth
truth_of(bool b)
{
	return b ? TRUTH_YES : TRUTH_NO;
}

static enum truth
text_matches(const struct pattern *p, struct view text, struct context *context)
{
	return pattern_match(p, &(struct subject){ .name = text }, context);
}

static enum truth
arn_matches(const struct pattern *parts, const struct given *g, struct context *context)
{
	enum truth t = TRUTH_YES;

	for (size_t i = 0; parts != NULL && i < ARN_PARTS && t != TRUTH_NO; i++)
		t = truth_and(t, text_matches(&parts[i], g->arn[i], context));
	return t;
}

static bool
in_order(unsigned wanted, int order)
{
	return (wanted & (order < 0 ? ORDER_LESS : order > 0 ? ORDER_GREATER : ORDER_EQUAL)) != 0;
}

static enum truth
compare(const struct condition *c, const struct expected *e, const struct given *g,
    struct context *context)
{
	if (!g->readable && !(c->op.comparison == COMPARE_ARN && e->arn == NULL))
		return TRUTH_NO;
	switch (c->op.comparison) {
	case COMPARE_TEXT:
		return text_matches(&e->text, g->text, context);
	case COMPARE_ARN:
		return arn_matches(e->arn, g, context);
	case COMPARE_ADDRESS:
		return truth_of(range_holds(&e->range, &g->address));
	case COMPARE_BOOL:
		return truth_of(e->truth == g->truth);
	case COMPARE_NUMBER:
		return truth_of(in_order(c->op.order, decimal_order(&g->number, &e->number)));
	case COMPARE_DATE:
		return truth_of(in_order(c->op.order, (g->date > e->date) - (g->date < e->date)));
	case COMPARE_EXPRESSION:
		return context->expression_match != NULL
		    ? context->expression_match(e->expression, g->text, context)
		    : TRUTH_HIDDEN;
	case COMPARE_NULL:
		break;
	}
	return TRUTH_NO;
}

/* Compares one value of the key with all expected values. */
static enum truth
value_holds(const struct condition *c, struct view value, struct context *context)
{
	struct given g = read_given(c, value, context->facts);
	enum truth t = TRUTH_NO;

	for (size_t i = 0; i < c->count && t != TRUTH_YES; i++) {
		if (!context_spend(context, 1 + value.len / 16))
			return TRUTH_HIDDEN;
		t = truth_or(t, compare(c, &c->expected[i], &g, context));
	}
	return c->op.negated ? truth_not(t) : t;
}

/* Without a set prefix: if the key has several values, a positive operator holds if one
 * matches, a negated operator if none matches.  For a key without values the positive
 * operator is therefore false and the negated one true (aws-iot F.6). */
static enum truth
values_hold(const struct condition *c, struct context *context)
{
	bool each = c->op.all || (c->op.negated && !c->op.any);
	enum truth t = each ? TRUTH_YES : TRUTH_NO;
	struct view value;
	size_t cursor = 0;

	while (variable_next(c->key, context->facts, &cursor, &value)) {
		enum truth one = value_holds(c, value, context);

		t = each ? truth_and(t, one) : truth_or(t, one);
	}
	return t;
}

static bool
is_missing(const struct condition *c, const struct context *context)
{
	struct view value;
	size_t cursor = 0;

	return !variable_next(c->key, context->facts, &cursor, &value);
}

static enum truth
null_holds(const struct condition *c, const struct context *context)
{
	bool missing = is_missing(c, context), holds = false;

	for (size_t i = 0; i < c->count; i++)
		holds = holds || c->expected[i].truth == missing;
	return truth_of(holds);
}

/* Evaluates with these facts; the caller handles hidden ones. */
static enum truth
holds(const struct condition *c, struct context *context)
{
	if (c->op.comparison == COMPARE_NULL)
		return null_holds(c, context);
	if (c->op.if_exists && is_missing(c, context))
		return TRUTH_YES;
	return values_hold(c, context);
}

static enum truth
holds_with(const struct condition *c, struct context *context, enum answer persistent_connect,
    enum answer last_will)
{
	struct facts facts = *context->facts;
	struct context inner = *context;
	enum truth t;

	facts.persistent_connect = persistent_connect;
	facts.last_will = last_will;
	inner.facts = &facts;
	t = holds(c, &inner);
	context->steps = inner.steps;
	return t;
}

/* Tries all combinations of the hidden connect attributes.  If all give the same
 * result, that is the result, otherwise it is hidden. */
static enum truth
holds_for_all_attributes(const struct condition *c, struct context *context)
{
	const struct facts *f = context->facts;
	bool seen[TRUTH_YES + 1] = { false };

	for (enum answer p = ANSWER_NO; p <= ANSWER_YES; p++) {
		for (enum answer w = ANSWER_NO; w <= ANSWER_YES; w++) {
			if (f->persistent_connect != ANSWER_NOT_ASKED && f->persistent_connect != p)
				continue;
			if (f->last_will != ANSWER_NOT_ASKED && f->last_will != w)
				continue;
			seen[holds_with(c, context, p, w)] = true;
		}
	}
	if (seen[TRUTH_HIDDEN] || (seen[TRUTH_NO] && seen[TRUTH_YES]))
		return TRUTH_HIDDEN;
	return truth_of(seen[TRUTH_YES]);
}

enum truth
condition_eval(const struct condition *c, struct context *context)
{
	bool of_connect = c->key->kind == VARIABLE_CONNECT_ATTRIBUTES ||
	    c->key->kind == VARIABLE_LAST_WILL_TOPIC;

	if (of_connect && !context->connecting)
		return holds_with(c, context, ANSWER_NO, ANSWER_NO);
	if (c->key->kind == VARIABLE_CONNECT_ATTRIBUTES)
		return holds_for_all_attributes(c, context);
	if (!variable_hidden(c->key, context->facts))
		return holds(c, context);
	return TRUTH_HIDDEN;
}
