/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * condition.h - conditions of policy statements and rules (aws-iot F.6).
 *
 * Pure, no allocation.  There is no clock: conditions on the time evaluate to
 * TRUTH_HIDDEN.  Any thread.
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
	COMPARE_EXPRESSION, /* rules only */
};

enum {
	ORDER_LESS = 1u << 0,
	ORDER_EQUAL = 1u << 1,
	ORDER_GREATER = 1u << 2,
};

/* A parsed operator name. */
struct condition_operator {
	enum comparison comparison;
	bool negated;
	bool folded;    /* COMPARE_TEXT: case-insensitive */
	bool wildcards; /* COMPARE_TEXT */
	unsigned order; /* COMPARE_NUMBER, COMPARE_DATE: accepted results of comparing the
			 * actual value with the expected one */
	bool all, any;  /* ForAllValues:, ForAnyValue: */
	bool if_exists; /* ...IfExists */
};

MUST_USE bool operator_parse(struct view name, struct condition_operator *out);

/* A decimal number of any length, such as -12.50; compared exactly. */
struct decimal {
	bool negative;
	struct view whole, fraction; /* digits, without leading and trailing zeros
				      * respectively */
};

MUST_USE bool decimal_parse(struct view text, struct decimal *out);

/* Returns -1, 0 or 1. */
int decimal_order(const struct decimal *a, const struct decimal *b);

/* Parses "2026-01-31", "2026-01-31T23:59Z", "2026-01-31T23:59:59Z", with an optional
 * fraction of a second, or seconds since 1970.  Result in ms since 1970. */
MUST_USE bool date_parse(struct view text, int64_t *ms);

/* Parses "true" or "false". */
MUST_USE bool bool_parse(struct view text, bool *out);

/* An address, or a network in prefix notation: "192.0.2.0/24".  IPv4 and IPv6 are
 * separate: "::/0" contains no IPv4 address. */
struct address_range {
	struct address address;
	unsigned bits; /* prefix length, of 128 */
};

MUST_USE bool range_parse(struct view text, struct address_range *out);
bool range_holds(const struct address_range *r, const struct address *a);

/* One expected value of a condition.  The operator determines which member is used. */
#define ARN_PARTS 6
struct expected {
	struct pattern text;
	const struct pattern *arn; /* ARN_PARTS patterns; NULL: any ARN */
	struct address_range range;
	struct decimal number;
	int64_t date;
	bool truth; /* Bool and Null */
	const struct expression *expression;
	struct view source; /* of the expression, as written */
};

struct condition {
	struct view name; /* operator, as written in the document */
	struct condition_operator op;
	const struct variable *key;
	const struct expected *expected;
	size_t count;
};

/* Splits at the first five colons outside of variables; the last part has the rest.
 * Returns the number of parts, 1 to ARN_PARTS. */
size_t arn_parts(struct view text, bool variables, struct view parts[ARN_PARTS]);

/* As arn_parts(); false if there are fewer than ARN_PARTS. */
MUST_USE bool arn_split(struct view text, bool variables, struct view parts[ARN_PARTS]);

enum truth condition_eval(const struct condition *c, struct context *context);

#endif
