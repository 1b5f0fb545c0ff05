/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* pattern.c - see pattern.h. */
#include <string.h>

#include "jitr/core/pattern.h"

#include "jitr/core/text.h"

#define BYTES_PER_STEP 16

bool
context_spend(struct context *c, size_t steps)
{
	if (c->steps < steps) {
		c->steps = 0;
		return false;
	}
	c->steps -= steps;
	return true;
}

/*
 * Parsing.
 */

struct parser {
	struct view rest;
	unsigned flags;
	uint8_t *bytes; /* the next literal byte is stored here */
	struct piece *pieces;
	size_t count;
	enum piece_kind last; /* kind of the last piece, if count > 0 */
};

static void
skip(struct parser *p, size_t n)
{
	p->rest = view_from(p->rest, n);
}

static void
add_piece(struct parser *p, struct piece piece)
{
	if (p->pieces != NULL)
		p->pieces[p->count] = piece;
	p->last = piece.kind;
	p->count++;
}

static void
add_byte(struct parser *p, uint8_t c)
{
	if (p->count == 0 || p->last != PIECE_TEXT)
		add_piece(p, (struct piece){ .kind = PIECE_TEXT, .text = { p->bytes, 0 } });
	if (p->pieces == NULL)
		return;
	*p->bytes++ = c;
	p->pieces[p->count - 1].text.len++;
}

static bool
add_variable(struct parser *p)
{
	const uint8_t *name = p->rest.data + 2;
	const uint8_t *end = memchr(name, '}', p->rest.len - 2);
	size_t len;

	if (end == NULL)
		return false;
	len = (size_t)(end - name);
	if (len == 1 && (*name == '*' || *name == '?' || *name == '$'))
		add_byte(p, *name);
	else
		add_piece(p, (struct piece){ .kind = PIECE_VARIABLE, .text = { name, len } });
	skip(p, len + 3);
	return true;
}

static bool
begins_variable(const struct parser *p)
{
	return (p->flags & PATTERN_VARIABLES) != 0 && p->rest.len >= 2 && p->rest.data[0] == '$' &&
	    p->rest.data[1] == '{';
}

static void
add_character(struct parser *p, uint8_t c)
{
	bool wildcards = (p->flags & PATTERN_WILDCARDS) != 0;

	if (!wildcards || (c != '*' && c != '?'))
		add_byte(p, c);
	else if (c == '?')
		add_piece(p, (struct piece){ .kind = PIECE_ONE });
	else if (p->count == 0 || p->last != PIECE_ANY)
		add_piece(p, (struct piece){ .kind = PIECE_ANY });
	skip(p, 1);
}

bool
pattern_parse(struct view text, unsigned flags, uint8_t *bytes, struct piece *pieces, size_t *count)
{
	struct parser p = { .rest = text, .flags = flags, .bytes = bytes, .pieces = pieces };

	while (p.rest.len > 0) {
		if (!begins_variable(&p))
			add_character(&p, p.rest.data[0]);
		else if (!add_variable(&p))
			return false;
	}
	*count = p.count;
	return true;
}

struct pattern
pattern_of(const struct piece *pieces, size_t count, bool folded)
{
	struct pattern p = { .pieces = pieces, .count = count, .folded = folded };

	for (size_t i = 0; i < count; i++) {
		if (pieces[i].kind == PIECE_TEXT)
			p.least += pieces[i].text.len;
		else if (pieces[i].kind == PIECE_ONE)
			p.least++;
	}
	return p;
}

/*
 * Matching.
 */

/* State of a match.  Glob matching with one backtracking point: after a '*' the rest is
 * tried at every later position.  When the next '*' is reached, the previous one is
 * forgotten, since the later one can match everything that the earlier one could. */
struct walk {
	const struct pattern *pattern;
	const struct subject *subject;
	struct context *context;
	size_t len;
	size_t piece, at;
	bool star;
	size_t star_piece, star_at;
	enum truth found; /* the result of a match: YES, or HIDDEN if a hidden value took part */
};

/* The contiguous bytes at this position, which is before the end. */
static struct view
run_at(const struct subject *s, size_t at)
{
	return at < s->prefix.len ? view_from(s->prefix, at)
				  : view_from(s->name, at - s->prefix.len);
}

static bool
bytes_same(const uint8_t *a, const uint8_t *b, size_t len, bool folded)
{
	if (folded)
		return view_equal_folded((struct view){ a, len }, (struct view){ b, len });
	return memcmp(a, b, len) == 0;
}

/* Compares text at this position; the caller has checked the length. */
static bool
text_at(const struct subject *s, size_t at, struct view text, bool folded)
{
	struct view run;

	if (text.len == 0)
		return true;
	run = run_at(s, at);
	if (text.len <= run.len)
		return bytes_same(run.data, text.data, text.len, folded);
	return bytes_same(run.data, text.data, run.len, folded) &&
	    bytes_same(s->name.data, text.data + run.len, text.len - run.len, folded);
}

static size_t
character_at(const struct subject *s, size_t at)
{
	size_t n = utf8_next(run_at(s, at));

	return n > 0 ? n : 1;
}

/* Matches literal text.  Hidden: no steps left. */
static enum truth
take_text(struct walk *w, struct view text)
{
	if (text.len > w->len - w->at)
		return TRUTH_NO;
	if (!context_spend(w->context, text.len / BYTES_PER_STEP))
		return TRUTH_HIDDEN;
	if (!text_at(w->subject, w->at, text, w->pattern->folded))
		return TRUTH_NO;
	w->at += text.len;
	return TRUTH_YES;
}

/* Compares the value first, because variable_may_replace() is needed only after a
 * match. */
static enum truth
take_variable(struct walk *w, const struct variable *v)
{
	const struct facts *facts = w->context->facts;
	struct view value;
	enum truth t;

	if (!context_spend(w->context, variable_cost(v, facts)))
		return TRUTH_HIDDEN;
	value = variable_value(v, facts);
	if (value.data == NULL)
		return TRUTH_NO;
	t = take_text(w, value);
	if (t == TRUTH_YES && !variable_may_replace(v, facts, value))
		return TRUTH_NO;
	return t;
}

static enum truth
take_piece(struct walk *w, const struct piece *piece)
{
	enum truth t = TRUTH_NO;

	if (!context_spend(w->context, 1))
		return TRUTH_HIDDEN;
	if (piece->kind == PIECE_TEXT) {
		t = take_text(w, piece->text);
	} else if (piece->kind == PIECE_VARIABLE) {
		t = take_variable(w, piece->variable);
	} else if (w->at < w->len) {
		w->at += character_at(w->subject, w->at);
		t = TRUTH_YES;
	}
	if (t == TRUTH_YES)
		w->piece++;
	return t;
}

/* Index of the byte to search for: '/' is frequent in topics, and similar texts differ
 * at their ends (numbers). */
static size_t
telling_byte(struct view text)
{
	return text.len > 1 && text.data[text.len - 1] == '/' ? text.len - 2 : text.len - 1;
}

/* Position of the first occurrence of text in run; run.len if there is none.  Spends a
 * step for each candidate compared. */
static size_t
find_text(struct view run, struct view text, struct context *c)
{
	size_t telling = telling_byte(text), at = 0;

	while (run.len - at >= text.len) {
		const uint8_t *from = run.data + at + telling;
		const uint8_t *found = memchr(from, text.data[telling],
		    run.len - at - text.len + 1);

		if (found == NULL || !context_spend(c, 1 + text.len / BYTES_PER_STEP))
			break;
		at = (size_t)(found - run.data) - telling;
		if (memcmp(run.data + at, text.data, text.len) == 0)
			return at;
		at++;
	}
	return run.len;
}

/* The first position from here at which the piece behind '*' can match.  Literal text
 * starts with the first byte of a character, so a match never starts inside one. */
static size_t
seek(const struct walk *w, size_t at)
{
	const struct piece *next = &w->pattern->pieces[w->star_piece];

	if (next->kind != PIECE_TEXT || w->pattern->folded || at < w->subject->prefix.len ||
	    at == w->len)
		return at;
	return at + find_text(run_at(w->subject, at), next->text, w->context);
}

/* Resumes behind the '*' at this position or later.  Hidden: no steps left. */
static enum truth
go_on_at(struct walk *w, size_t from)
{
	w->star_at = seek(w, from);
	if (!context_spend(w->context, 1 + (w->star_at - from) / BYTES_PER_STEP))
		return TRUTH_HIDDEN;
	w->at = w->star_at;
	w->piece = w->star_piece;
	return TRUTH_YES;
}

/* A hidden value could be any text, so it is matched like '*'. */
static bool
takes_any(struct walk *w, const struct piece *piece)
{
	if (piece->kind == PIECE_VARIABLE && variable_hidden(piece->variable, w->context->facts)) {
		w->found = TRUTH_HIDDEN;
		return true;
	}
	return piece->kind == PIECE_ANY;
}

static enum truth
walk_on(struct walk *w)
{
	for (;;) {
		const struct piece *piece = &w->pattern->pieces[w->piece];
		bool more = w->piece < w->pattern->count;
		enum truth t = TRUTH_NO;

		if (!more && w->at == w->len)
			return w->found;
		if (more && takes_any(w, piece)) {
			if (++w->piece == w->pattern->count)
				return w->found;
			w->star = true;
			w->star_piece = w->piece;
			t = go_on_at(w, w->at);
		} else if (more) {
			t = take_piece(w, piece);
		}
		if (t == TRUTH_NO) {
			if (!w->star || w->star_at >= w->len)
				return TRUTH_NO;
			t = go_on_at(w, w->star_at + character_at(w->subject, w->star_at));
		}
		if (t == TRUTH_HIDDEN)
			return TRUTH_HIDDEN;
	}
}

/* Fast path: most patterns fail at their first or last piece. */
static bool
ends_fit(const struct pattern *p, const struct subject *s, size_t len)
{
	const struct piece *first = p->pieces, *last = p->pieces + p->count - 1;

	if (first->kind == PIECE_TEXT && !text_at(s, 0, first->text, p->folded))
		return false;
	return last->kind != PIECE_TEXT || text_at(s, len - last->text.len, last->text, p->folded);
}

enum truth
pattern_match(const struct pattern *p, const struct subject *s, struct context *c)
{
	struct walk w = { .pattern = p,
		.subject = s,
		.context = c,
		.len = s->prefix.len + s->name.len,
		.found = TRUTH_YES };

	if (w.len < p->least)
		return TRUTH_NO;
	if (p->count == 0)
		return w.len == 0 ? TRUTH_YES : TRUTH_NO;
	if (!ends_fit(p, s, w.len))
		return TRUTH_NO;
	return walk_on(&w);
}
