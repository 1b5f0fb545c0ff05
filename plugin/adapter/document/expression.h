/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * expression.h - POSIX extended regular expressions, bounded.
 *
 * The only door to libc's regular expressions, which have no bound of their
 * own: they allocate while they match, and a line of text can make them take
 * all memory and years.  So expressions and values are small, and what makes
 * them expensive or means something else in every library is refused when the
 * expression is compiled.
 *
 * An expression is matched against the whole value, as if it stood between ^(
 * and )$: what is meant to let devices in must not match a part of a name.
 * A character is one, however many bytes it has; [[:alpha:]] and its like are
 * ASCII's, and the locale of the process does not matter.
 *
 * Compiled ones are immutable; any thread.
 */
#ifndef JITR_EXPRESSION_H
#define JITR_EXPRESSION_H

#include "jitr/core/pattern.h"

#define EXPRESSION_MAX         256  /* bytes of an expression */
#define EXPRESSION_SIZE_MAX    256  /* characters and brackets, repetitions written out */
#define EXPRESSION_NESTING_MAX 8    /* of parentheses */
#define EXPRESSION_VALUE_MAX   1024 /* bytes of a value; of longer ones nothing is known */

/* ERR_REQUEST and *diag: what of it is not accepted, or why it is none. */
MUST_USE enum err expression_compile(struct view text, struct expression **out, struct diag *diag);
void expression_free(struct expression *e); /* NULL is fine */

/* For context.expression_match (pattern.h).  Takes steps beforehand, in
 * proportion to what it can cost at most.  TRUTH_HIDDEN: there are too few of
 * them, or it would take more than STEPS_MAX by itself; the value is too long,
 * has a NUL, or is not UTF-8; memory is out. */
enum truth expression_match(const struct expression *e, struct view value, struct context *c);

#endif
