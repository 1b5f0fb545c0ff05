/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * pattern.h - patterns of policies: *, ? and ${variables}.
 *
 * A pattern is parsed into pieces.  A variable is a piece of its own and its value is
 * compared literally: a value is never interpreted as a wildcard.  Parsing and matching
 * are pure and allocate nothing.  Any thread.
 *
 * Matching a pattern can take its length times the subject's.  Each evaluation
 * therefore has a budget of steps: one per attempt to match a piece and one per 16
 * bytes compared.  When it is used up, all further results are TRUTH_HIDDEN, which does
 * not allow and does deny.  The budget is a few milliseconds; practical policies use a
 * small part of it.
 */
#ifndef JITR_PATTERN_H
#define JITR_PATTERN_H

#include "jitr/core/variable.h"

#define STEPS_MAX 400000

enum piece_kind {
	PIECE_TEXT,     /* exactly these bytes; two of them are never adjacent */
	PIECE_VARIABLE, /* the value of a variable; text is its name */
	PIECE_ONE,      /* ?: one character, or one byte of invalid UTF-8 */
	PIECE_ANY,      /* *: any characters including '/', or none */
};

struct piece {
	enum piece_kind kind;
	struct view text;
	const struct variable *variable;
};

struct pattern {
	const struct piece *pieces;
	size_t count;
	size_t least; /* minimum length of a match, in bytes */
	bool folded;  /* ASCII letters match case-insensitively */
};

enum {
	PATTERN_WILDCARDS = 1u << 0, /* * and ? are wildcards */
	PATTERN_VARIABLES = 1u << 1, /* ${name} is a variable; ${*} ${?} ${$} are the
				      * characters */
};

/* Parses text into pieces and copies the bytes of PIECE_TEXT to bytes, which has room
 * for as many bytes as text.  With pieces NULL it only counts.  False: a "${" is not
 * closed.  Names of variables point into text. */
MUST_USE bool pattern_parse(struct view text, unsigned flags, uint8_t *bytes, struct piece *pieces,
    size_t *count);

/* A pattern of parsed pieces; their variables must be set. */
struct pattern pattern_of(const struct piece *pieces, size_t count, bool folded);

/* The text to match: prefix followed by name. */
struct subject {
	struct view prefix, name;
};

struct expression; /* a regular expression: expression.h */

/* State of one evaluation. */
struct context {
	const struct facts *facts;
	bool connecting; /* the action is iot:Connect */
	size_t steps;

	/* Matches regular expressions.  They allocate, so the matcher is not in the
	 * core.  NULL: there are no expressions; if there is one, it is TRUTH_HIDDEN. */
	enum truth (
	    *expression_match)(const struct expression *e, struct view value, struct context *c);
	bool no_memory; /* out of memory: a result was TRUTH_HIDDEN for that reason */
};

/* Regular expressions, for a decoder (codec_form.h). */
struct expressions {
	size_t size; /* of a struct expression, in bytes */
	enum err (*compile)(struct view text, struct expression *out, struct diag *diag);
	enum truth (*match)(const struct expression *e, struct view value, struct context *c);
};

enum truth pattern_match(const struct pattern *p, const struct subject *s, struct context *c);

/* Spends steps; false if none are left. */
bool context_spend(struct context *c, size_t steps);

#endif
