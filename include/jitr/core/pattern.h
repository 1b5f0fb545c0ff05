/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pattern.h - text of a policy that is compared: *, ? and ${variables}.
 *
 * A pattern is parsed to pieces, so that a variable stays one piece and its
 * value is compared as text: no value is ever read as a wildcard.  Parsing
 * and matching are pure and allocate nothing.  Any thread.
 *
 * Matching one pattern can take its length times the subject's.  An
 * evaluation therefore has a number of steps, one for each attempt to match a
 * piece and each 16 bytes compared; when they are used up, whatever is asked
 * is hidden: it does not allow, and it denies.  No sensible policy
 * comes near that number; it is a few milliseconds.
 */
#ifndef JITR_PATTERN_H
#define JITR_PATTERN_H

#include "jitr/core/variable.h"

#define STEPS_MAX 400000

enum piece_kind {
	PIECE_TEXT,     /* exactly these bytes; two texts never follow each other */
	PIECE_VARIABLE, /* exactly the value of a variable; text is its name */
	PIECE_ONE,      /* ?  one character; one byte of what is not UTF-8 */
	PIECE_ANY,      /* *  any characters, none included, also '/' */
};

struct piece {
	enum piece_kind kind;
	struct view text;
	const struct variable *variable;
};

struct pattern {
	const struct piece *pieces;
	size_t count;
	size_t least; /* bytes of anything that matches */
	bool folded;  /* the case of ASCII letters does not count */
};

enum {
	PATTERN_WILDCARDS = 1u << 0, /* * and ? are */
	PATTERN_VARIABLES = 1u << 1, /* ${name}, and ${*} ${?} ${$} for the characters */
};

/* The pieces of a text, and the bytes of the pieces that are text, written to
 * bytes, which has room for as many as the text has.  With pieces NULL only
 * counts.  false: a "${" has no end.  A variable's name points into the text. */
MUST_USE bool pattern_parse(struct view text, unsigned flags, uint8_t *bytes, struct piece *pieces,
    size_t *count);

/* Of pieces whose variables are set. */
struct pattern pattern_of(const struct piece *pieces, size_t count, bool folded);

/* What is compared: the one behind the other. */
struct subject {
	struct view head, name;
};

struct expression; /* a regular expression: expression.h */

/* One evaluation: what is known, and what is left to spend. */
struct context {
	const struct facts *facts;
	bool connecting; /* the action is iot:Connect */
	size_t steps;

	/* Matching allocates, so it is not of the core; NULL where there are no
	 * expressions, and one that is met all the same is hidden. */
	enum truth (
	    *expression_match)(const struct expression *e, struct view value, struct context *c);
	bool no_memory; /* something is hidden for want of it */
};

enum truth pattern_match(const struct pattern *p, const struct subject *s, struct context *c);

/* Take so many steps; false: there are none left. */
bool context_spend(struct context *c, size_t steps);

#endif
