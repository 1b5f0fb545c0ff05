/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * variable.h - policy variables and condition keys (aws-iot F.5, F.6): their
 * names, and their values among the facts.
 *
 * Pure, no allocation.  Values are borrowed from the facts.  Any thread.
 */
#ifndef JITR_VARIABLE_H
#define JITR_VARIABLE_H

#include "jitr/core/facts.h"

/* Of something that is asked.  Hidden: it depends on what cannot be seen. */
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
	VARIABLE_TIME, /* aws:CurrentTime, aws:EpochTime: there is no clock here */
	VARIABLE_THING_NAME,
	VARIABLE_THING_TYPE,
	VARIABLE_THING_ATTACHED,
	VARIABLE_THING_ATTRIBUTE,
	VARIABLE_CERTIFICATE_ID,
	VARIABLE_CERT_FIELD,
	VARIABLE_CERT_KEYS,          /* iot:Certificate.AvailableKeys */
	VARIABLE_CONNECT_ATTRIBUTES, /* this and the next: of a CONNECT alone */
	VARIABLE_LAST_WILL_TOPIC,
};

struct variable {
	enum variable_kind kind;
	enum cert_field field; /* of VARIABLE_CERT_FIELD, with: */
	unsigned nth;          /* ".1" is the second value, 1 */
	bool list;             /* ".List", every value */
	struct view attribute;
	struct view name; /* as written */
};

/* Variables, each once. */
struct variable_list {
	struct variable variable;
	struct variable_list *next;
};

/* The views point into the name.  Case does not count, but in the name of an
 * attribute of a thing. */
struct variable variable_parse(struct view name);
bool variable_same(const struct variable *a, const struct variable *b);

/* The values, one by one: *cursor is 0 at first. */
bool variable_next(const struct variable *v, const struct facts *f, size_t *cursor,
    struct view *value);

/* Its values may be others than variable_next() says. */
bool variable_hidden(const struct variable *v, const struct facts *f);

/* The one value to compare with text of a policy; data NULL: there is none, as
 * for every variable of more than one value.  Only if variable_may_stand() may
 * a value stand for the variable: a value with wildcards would mean something
 * else wherever it is read again (aws-iot F.5). */
struct view variable_value(const struct variable *v, const struct facts *f);
bool variable_may_stand(const struct variable *v, const struct facts *f, struct view value);

/* A measure of what variable_value() costs. */
size_t variable_cost(const struct variable *v, const struct facts *f);

/* The same text, but for the case of ASCII letters. */
bool text_same_folded(struct view a, struct view b);

#endif
