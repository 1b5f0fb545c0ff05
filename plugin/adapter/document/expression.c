/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * expression.c - see expression.h: what libc makes of an expression, and what
 * a match costs.  expression_read.c: which ones are accepted.
 *
 * glibc makes states as it goes, sets of places in the expression, and keeps
 * them, a few kilobytes each: a device that chooses the values could make a
 * compiled expression grow without end.  So it is compiled for each match, and
 * forgotten.  What a new state costs depends on how many places there can be
 * in it and in how many ways it can lead on, which is found out when the
 * expression is read.
 *
 * libc sees one byte for each character, in the C locale: those beyond ASCII
 * that the expression has are numbered, all others are one.  In a UTF-8 locale
 * glibc does the same itself at several times the cost.
 */
#include <errno.h>
#include <locale.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "expression_private.h"

#include "jitr/core/text.h"

/* So many characters of a value it must be possible to match, at the least: a
 * common name has no more (RFC 5280 appendix A.1, ub-common-name). */
#define VALUE_USUAL 64

/*
 * libc.
 */

/* The locale of this thread until it is given back. */
struct locale_change {
	locale_t c, before;
};

static struct locale_change
to_c_locale(void)
{
	struct locale_change l = { .c = newlocale(LC_ALL_MASK, "C", (locale_t)0) };

	l.before = uselocale(l.c);
	return l;
}

static void
to_locale_before(struct locale_change l)
{
	(void)uselocale(l.before);
	if (l.c != (locale_t)0)
		freelocale(l.c);
}

/* What libc says to it. */
static enum err
try_compile(const struct expression *e, struct diag *diag)
{
	struct locale_change l = to_c_locale();
	char why[100];
	regex_t regex;
	int code = l.c == (locale_t)0 ? REG_ESPACE
				      : regcomp(&regex, e->text, REG_EXTENDED | REG_NOSUB);

	if (code == 0)
		regfree(&regex);
	else if (code != REG_ESPACE)
		(void)regerror(code, &regex, why, sizeof(why));
	to_locale_before(l);
	if (code == 0)
		return ERR_OK;
	if (code == REG_ESPACE)
		return ERR_NOMEM;
	diag_set(diag, "%s", why);
	return ERR_REQUEST;
}

/* glibc says "no match" also where it has no memory (regexec.c, regexec()), and a condition
 * with Not would hold; malloc() says it in errno. */
static int
execute(const regex_t *regex, const char *text)
{
	int code;

	errno = 0;
	code = regexec(regex, text, 0, NULL, 0);
	return code != 0 && errno == ENOMEM ? REG_ESPACE : code;
}

static int
match_text(const char *expression, const char *text)
{
	regex_t regex;
	int code = regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB);

	if (code != 0)
		return REG_ESPACE; /* it was compiled once */
	code = execute(&regex, text);
	regfree(&regex);
	return code;
}

static enum truth
try_match(const struct expression *e, const char *text, bool *no_memory)
{
	struct locale_change l = to_c_locale();
	int code = l.c == (locale_t)0 ? REG_ESPACE : match_text(e->text, text);

	to_locale_before(l);
	*no_memory = *no_memory || code == REG_ESPACE;
	return code == 0 ? TRUTH_YES : code == REG_NOMATCH ? TRUTH_NO : TRUTH_HIDDEN;
}

/*
 * What a match costs.
 */

/* By byte, one bit for each kind of atom that matches it.  Each was compiled before, as
 * part of the expression: now only memory can be missing. */
static enum err
mark_bytes(struct view kind, uint64_t bit, uint64_t of_byte[256])
{
	char text[EXPRESSION_MAX + 1];
	regex_t regex;
	int code = 0;

	memcpy(text, kind.data, kind.len);
	text[kind.len] = '\0';
	if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
		return ERR_NOMEM;
	for (unsigned byte = 1; byte < 256 && code != REG_ESPACE; byte++) {
		code = execute(&regex, (const char[]){ (char)byte, '\0' });
		if (code == 0)
			of_byte[byte] |= bit;
	}
	regfree(&regex);
	return code == REG_ESPACE ? ERR_NOMEM : ERR_OK;
}

static bool
is_first_of_its_kind(const uint64_t *of_byte, unsigned byte)
{
	for (unsigned i = 1; i < byte; i++)
		if (of_byte[i] == of_byte[byte])
			return false;
	return of_byte[byte] != 0;
}

/* In how many ways a character can lead on: what the same atoms match is one. */
static enum err
count_ways(const struct expression_shape *shape, size_t *ways)
{
	uint64_t of_byte[256] = { 0 };
	struct locale_change l = to_c_locale();
	enum err e = l.c == (locale_t)0 ? ERR_NOMEM : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < shape->kind_count; i++)
		e = mark_bytes(shape->kinds[i], UINT64_C(1) << i, of_byte);
	to_locale_before(l);
	*ways = shape->kind_count < ATOM_KINDS_MAX ? 0 : 256;
	for (unsigned byte = 1; byte < 256 && shape->kind_count < ATOM_KINDS_MAX; byte++)
		*ways += is_first_of_its_kind(of_byte, byte);
	return e;
}

/* In steps of 10 ns, at most: for each character of a value there is a new
 * state, and for each way that leads on from it another one, which takes time
 * for all its places, two by two.  To compile it takes as much for all the
 * places there are. */
static enum err
estimate_cost(struct expression *e, const struct expression_shape *shape, struct diag *diag)
{
	size_t ways, places = shape->width;
	enum err failed = count_ways(shape, &ways);

	if (failed != ERR_OK)
		return failed;
	if (places < 8 && ways >= (size_t)1 << places)
		ways = ((size_t)1 << places) - 1; /* one place is one way, two are three */
	e->compiling = 1000 + shape->size * (40 + shape->size);
	e->each = 200 + ways * (100 + places * places / 16);
	if (e->compiling + VALUE_USUAL * e->each <= STEPS_MAX)
		return ERR_OK;
	diag_set(diag, "it would take too long: it has too many repetitions of different length");
	return ERR_REQUEST;
}

/*
 * Expressions.
 */

static enum err
compile(struct view text, struct expression *e, struct diag *diag)
{
	struct expression_shape shape;
	enum err failed = expression_read(text, e, &shape, diag);

	if (failed == ERR_OK)
		failed = try_compile(e, diag);
	return failed == ERR_OK ? estimate_cost(e, &shape, diag) : failed;
}

enum err
expression_compile(struct view text, struct expression **out, struct diag *diag)
{
	struct expression *e = calloc(1, sizeof(*e));
	enum err failed = e != NULL ? compile(text, e, diag) : ERR_NOMEM;

	*out = NULL;
	if (failed == ERR_OK)
		*out = e;
	else
		free(e);
	return failed;
}

void
expression_free(struct expression *e)
{
	free(e);
}

/* As libc sees it.  false: it is not UTF-8, or has a NUL. */
static bool
translate(const struct expression *e, struct view value, char *out)
{
	while (value.len > 0) {
		size_t n = utf8_next(value);

		if (n == 0 || value.data[0] == '\0')
			return false;
		*out++ = n == 1 ? (char)value.data[0]
				: (char)expression_letter(e, (struct view){ value.data, n });
		value = view_from(value, n);
	}
	*out = '\0';
	return true;
}

enum truth
expression_match(const struct expression *e, struct view value, struct context *c)
{
	char text[EXPRESSION_VALUE_MAX + 1];
	size_t steps;

	if (value.len > EXPRESSION_VALUE_MAX || !translate(e, value, text))
		return TRUTH_HIDDEN;
	steps = e->compiling + strlen(text) * e->each;
	if (steps > STEPS_MAX || !context_spend(c, steps))
		return TRUTH_HIDDEN;
	return try_match(e, text, &c->no_memory);
}
