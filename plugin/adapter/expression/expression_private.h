/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * expression_private.h - shared by the expression*.c files.
 */
#ifndef JITR_EXPRESSION_PRIVATE_H
#define JITR_EXPRESSION_PRIVATE_H

#include "jitr/adapter/expression.h"

/* Bytes that replace letters beyond ASCII before the text is given to libc. */
#define FIRST_LETTER 0x80
#define OTHER_LETTER 0xff
#define LETTERS_MAX  (OTHER_LETTER - FIRST_LETTER)

_Static_assert(LETTERS_MAX == EXPRESSION_LETTERS_MAX, "one byte for each letter");

/* The byte that replaces a letter; OTHER_LETTER if the expression does not contain it. */
uint8_t expression_letter(const struct expression *e, struct view letter);

#define ATOM_KINDS_MAX 64

/* Properties of a parsed expression that bound the cost of matching.  A part that is
 * entered once contributes a bounded number of simultaneous matching positions; a part
 * that may be entered repeatedly can be at all of its positions at once. */
struct expression_shape {
	size_t size;                       /* positions, with repetitions expanded */
	size_t width;                      /* maximum number of simultaneous positions */
	struct view kinds[ATOM_KINDS_MAX]; /* the distinct atoms, in e->text */
	size_t kind_count;                 /* ATOM_KINDS_MAX: possibly more */
};

/* Parses an expression; fills e->text and e->letters.  ERR_REQUEST: *diag says why it
 * is refused. */
MUST_USE enum err expression_read(struct view text, struct expression *e,
    struct expression_shape *out, struct diag *diag);

#endif
