/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * variable.h - policy variables and condition keys (aws-iot F.5, F.6): parsing, and
 * lookup in the facts.
 *
 * Pure, no allocation.  Values point into the facts.  Any thread.
 */
#ifndef JITR_VARIABLE_H
#define JITR_VARIABLE_H

#include "jitr/core/facts.h"

/* Three-valued logic.  HIDDEN: depends on a fact that the broker does not expose. */
enum truth {
	TRUTH_NO,
	TRUTH_HIDDEN,
	TRUTH_YES,
};

static inline enum truth
truth_and(enum truth a, enum truth b)
{
	return a < b ? a : b;
}

static inline enum truth
truth_or(enum truth a, enum truth b)
{
	return a > b ? a : b;
}

static inline enum truth
truth_not(enum truth t)
{
	return t == TRUTH_YES ? TRUTH_NO : t == TRUTH_NO ? TRUTH_YES : TRUTH_HIDDEN;
}

enum variable_kind {
	VARIABLE_UNKNOWN, /* has no value */
	VARIABLE_CLIENT_ID,
	VARIABLE_SOURCE_IP,
	VARIABLE_DOMAIN_NAME,
	VARIABLE_TIME, /* aws:CurrentTime, aws:EpochTime: always hidden */
	VARIABLE_THING_NAME,
	VARIABLE_THING_TYPE,
	VARIABLE_THING_ATTACHED,
	VARIABLE_THING_ATTRIBUTE,
	VARIABLE_CERTIFICATE_ID,
	VARIABLE_CERT_FIELD,
	VARIABLE_CERT_KEYS,          /* iot:Certificate.AvailableKeys */
	VARIABLE_CONNECT_ATTRIBUTES, /* CONNECT only, like the next */
	VARIABLE_LAST_WILL_TOPIC,
};

struct variable {
	enum variable_kind kind;
	enum cert_field field; /* VARIABLE_CERT_FIELD only, with nth and list */
	unsigned nth;          /* index of a value: ".1" is 1, the second value */
	bool list;             /* ".List": all values */
	struct view attribute;
	struct view name; /* as written */
};

/* Variables, each once. */
struct variable_list {
	struct variable variable;
	struct variable_list *next;
};

/* The views point into name.  Names are case-insensitive, except the names of thing
 * attributes. */
struct variable variable_parse(struct view name);
bool variable_same(const struct variable *a, const struct variable *b);

/* Iterates over the values.  *cursor is 0 at the start. */
bool variable_next(const struct variable *v, const struct facts *f, size_t *cursor,
    struct view *value);

/* The variable may have values that variable_next() does not return. */
bool variable_hidden(const struct variable *v, const struct facts *f);

/* The value to compare with text of a policy; data NULL if there is none or more than
 * one.  A value may replace the variable only if variable_may_replace() allows it: a
 * value with wildcards could be interpreted as a pattern elsewhere (aws-iot F.5). */
struct view variable_value(const struct variable *v, const struct facts *f);
bool variable_may_replace(const struct variable *v, const struct facts *f, struct view value);

/* Cost of variable_value(), in steps (pattern.h). */
size_t variable_cost(const struct variable *v, const struct facts *f);

#endif
