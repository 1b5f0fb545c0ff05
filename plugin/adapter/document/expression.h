/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * expression.h - POSIX extended regular expressions with bounded cost.
 *
 * The only code that uses libc's regular expressions.  They allocate while matching,
 * and an expression of one line can take all memory, or years.  Expressions and values
 * are therefore small, and constructs that are expensive, or whose meaning depends on
 * the library, are refused by the compiler.
 *
 * An expression must match the whole value, as if written between ^( and )$: a rule
 * that accepts devices must not match a part of a name.  A multi-byte character counts
 * as one; [[:alpha:]] and the like are ASCII only, independent of the locale.
 *
 * A compiled expression is immutable.  Any thread.
 */
#ifndef JITR_EXPRESSION_H
#define JITR_EXPRESSION_H

#include "jitr/core/pattern.h"

#define EXPRESSION_MAX 256 /* bytes of an expression */
#define EXPRESSION_SIZE_MAX \
	256                         /* characters and bracket expressions, with repetitions
				     * expanded */
#define EXPRESSION_NESTING_MAX 8    /* of parentheses */
#define EXPRESSION_VALUE_MAX   1024 /* bytes of a value; longer values give TRUTH_HIDDEN */

/* ERR_REQUEST: *diag has the reason. */
MUST_USE enum err expression_compile(struct view text, struct expression **out, struct diag *diag);
void expression_free(struct expression *e); /* NULL is fine */

/* For context.expression_match (pattern.h).  Spends steps for the worst case in
 * advance.  TRUTH_HIDDEN: not enough steps left, more than STEPS_MAX needed, value too
 * long, with a NUL, or not UTF-8, or out of memory. */
enum truth expression_match(const struct expression *e, struct view value, struct context *c);

#endif
