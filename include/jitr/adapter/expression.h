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
 * A compiled expression is immutable and contains no pointers.  Any thread.
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

/* Bytes that replace letters beyond ASCII before the text is given to libc. */
#define EXPRESSION_LETTERS_MAX 127

struct expression {
	size_t compiling, each; /* cost in steps: fixed, and per character of a value */
	size_t letter_count;
	uint8_t letters[EXPRESSION_LETTERS_MAX][4]; /* UTF-8, zero-padded */
	char text[2 + EXPRESSION_MAX + 2 + 1];      /* as given to libc */
};

/* ERR_REQUEST: *diag has the reason. */
MUST_USE enum err expression_compile(struct view text, struct expression *out, struct diag *diag);

/* The functions of this header, for a decoder of rules (codec_form.h). */
extern const struct expressions posix_expressions;

/* For context.expression_match (pattern.h).  Spends steps for the worst case in
 * advance.  TRUTH_HIDDEN: not enough steps left, more than STEPS_MAX needed, value too
 * long, with a NUL, or not UTF-8, or out of memory. */
enum truth expression_match(const struct expression *e, struct view value, struct context *c);

#endif
