/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * expression.h - POSIX extended regular expressions, bounded.
 *
 * The only door to libc's regular expressions, which allocate while they match
 * and have no bound of their own: so expressions and values are kept small,
 * and what makes matching dear (back-references, large or nested intervals) is
 * refused when the expression is compiled.  An expression is matched against
 * the whole value, as if it stood between ^( and )$: what is meant to let
 * devices in must not match a part of a name.
 *
 * Compiled ones are immutable; any thread.
 */
#ifndef JITR_EXPRESSION_H
#define JITR_EXPRESSION_H

#include "jitr/pattern.h"

#define EXPRESSION_MAX       256  /* bytes of an expression */
#define EXPRESSION_VALUE_MAX 1024 /* bytes of a value; of longer ones nothing is known */

/* ERR_REQUEST and *diag: what of it is not accepted, or why it is none. */
MUST_USE enum err expression_compile(struct view text, struct expression **out,
    struct diag *diag);
void expression_free(struct expression *e); /* NULL is fine */

/* TRUTH_HIDDEN: the value is too long, has a NUL, or memory is out.  For
 * context.expression_match (pattern.h). */
enum truth expression_match(const struct expression *e, struct view value);

#endif
