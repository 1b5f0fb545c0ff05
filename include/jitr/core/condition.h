/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * condition.h - the conditions of a statement or a rule (aws-iot F.6).
 *
 * Pure, no allocation, no clock: the time is hidden.  Any thread.
 */
#ifndef JITR_CONDITION_H
#define JITR_CONDITION_H

#include "jitr/core/pattern.h"

enum comparison {
	COMPARE_TEXT,
	COMPARE_ARN, /* six components, each a pattern */
	COMPARE_ADDRESS,
	COMPARE_BOOL,
	COMPARE_NUMBER,
	COMPARE_DATE,
	COMPARE_NULL,
	COMPARE_EXPRESSION, /* of rules alone */
};

enum {
	ORDER_LESS = 1u << 0,
	ORDER_EQUAL = 1u << 1,
	ORDER_GREATER = 1u << 2,
};

/* What an operator's name says. */
struct condition_operator {
	enum comparison comparison;
	bool negated;
	bool folded;    /* of text */
	bool wildcards; /* of text */
	unsigned order; /* of numbers and dates: the given one may be that */
	bool all, any;  /* ForAllValues:, ForAnyValue: */
	bool if_exists; /* ...IfExists */
};

MUST_USE bool operator_parse(struct view name, struct condition_operator *out);

/* A number as it is written, -12.50: of any length, compared exactly. */
struct decimal {
	bool negative;
	struct view whole, fraction; /* without zeros before and behind */
};

MUST_USE bool decimal_parse(struct view text, struct decimal *out);

/* -1, 0, 1 */
int decimal_order(const struct decimal *a, const struct decimal *b);

/* "2026-01-31", "2026-01-31T23:59Z", "2026-01-31T23:59:59Z", with a fraction
 * of a second, or seconds since 1970; in milliseconds. */
MUST_USE bool date_parse(struct view text, int64_t *ms);

/* "true" or "false". */
MUST_USE bool bool_parse(struct view text, bool *out);

/* An address, or the first bits of one: "192.0.2.0/24".  IPv4 and IPv6 stay
 * apart: "::/0" is no IPv4 address. */
struct address_range {
	struct address address;
	unsigned bits; /* of 128 */
};

MUST_USE bool range_parse(struct view text, struct address_range *out);
bool range_holds(const struct address_range *r, const struct address *a);

/* One value of a condition; which member counts depends on the operator. */
#define ARN_PARTS 6
struct expected {
	struct pattern text;
	const struct pattern *arn; /* NULL: any; else ARN_PARTS */
	struct address_range range;
	struct decimal number;
	int64_t date;
	bool truth; /* of Bool and Null */
	const struct expression *expression;
};

struct condition {
	struct view name; /* of the operator, as written */
	struct condition_operator op;
	const struct variable *key;
	const struct expected *expected;
	size_t count;
};

/* Cut at the first five colons that do not belong to a variable; the last
 * part has the rest.  How many parts there are, 1 to ARN_PARTS. */
size_t arn_parts(struct view text, bool variables, struct view parts[ARN_PARTS]);

/* The same of an ARN; false: there are fewer. */
MUST_USE bool arn_split(struct view text, bool variables, struct view parts[ARN_PARTS]);

enum truth condition_eval(const struct condition *c, struct context *context);

#endif
