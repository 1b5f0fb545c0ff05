/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * expression_private.h - what the expression*.c files share.  Private.
 */
#ifndef JITR_EXPRESSION_PRIVATE_H
#define JITR_EXPRESSION_PRIVATE_H

#include "expression.h"

/* Bytes of text that stand for letters beyond ASCII. */
#define FIRST_LETTER 0x80
#define OTHER_LETTER 0xff
#define LETTERS_MAX  (OTHER_LETTER - FIRST_LETTER)

struct expression {
	size_t compiling, each; /* steps: once, and for each character of a value */
	size_t letter_count;
	uint8_t letters[LETTERS_MAX][4];       /* UTF-8, zeros behind */
	char text[2 + EXPRESSION_MAX + 2 + 1]; /* as libc sees it */
};

/* The byte of a letter; OTHER_LETTER: the expression has none such. */
uint8_t expression_letter(const struct expression *e, struct view letter);

#define ATOM_KINDS_MAX 64

/* What is known of an expression that was read.  A match that enters a part of it once and
 * only once is at so many places of it at once at most; one that may enter it again and
 * again can be everywhere. */
struct expression_shape {
	size_t size;                       /* places, repetitions written out */
	size_t width;                      /* places that one can be at, at once */
	struct view kinds[ATOM_KINDS_MAX]; /* the different atoms, in e->text */
	size_t kind_count;                 /* ATOM_KINDS_MAX: there may be more */
};

/* Is it one of those that are accepted?  Fills e->text and e->letters.  ERR_REQUEST and
 * *diag: why not. */
MUST_USE enum err expression_read(struct view text, struct expression *e,
    struct expression_shape *out, struct diag *diag);

#endif
