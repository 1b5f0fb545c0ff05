/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * expression.c - compiles and matches expressions with libc; see expression.h.
 * expression_read.c defines which expressions are accepted.
 *
 * glibc builds the states of its automaton while matching and keeps them, a few
 * kilobytes each: a device that chooses the values could make a compiled expression
 * grow without bound.  It is therefore compiled for each match and freed afterwards.
 * The cost of a new state depends on how many positions it can contain and how many
 * transitions it has; both are determined when the expression is read.
 *
 * libc gets one byte per character, in the C locale: characters beyond ASCII that occur
 * in the expression are numbered, all others share one byte.  In a UTF-8 locale glibc
 * does the same at several times the cost.
 */
#include <errno.h>
#include <locale.h>
#include <regex.h>
#include <string.h>

#include "expression_private.h"

#include "jitr/core/text.h"

/* An expression must be able to match values of at least this many characters: a common
 * name has no more (RFC 5280 appendix A.1, ub-common-name). */
#define VALUE_USUAL 64

/*
 * libc.
 */

/* The locale of this thread and the one to restore. */
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

/* Lets libc compile the expression. */
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

/* glibc returns "no match" also if it is out of memory (regexec.c, regexec()), and then
 * a negated condition would hold; malloc() sets errno. */
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
		return REG_ESPACE; /* it compiled before, so memory ran out */
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
 * Cost of a match.
 */

/* Sets the bit of an atom for every byte that it matches.  The atom compiled before as
 * part of the expression, so only memory can fail now. */
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

/* Number of transitions of a state: bytes that match the same atoms have the same one. */
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

/* Upper bound in steps of 10 ns.  Each character of a value may create a new state, and
 * each of its transitions another one; creating a state takes time quadratic in its
 * positions.  Compiling takes time quadratic in all positions. */
static enum err
estimate_cost(struct expression *e, const struct expression_shape *shape, struct diag *diag)
{
	size_t ways, places = shape->width;
	enum err failed = count_ways(shape, &ways);

	if (failed != ERR_OK)
		return failed;
	if (places < 8 && ways >= (size_t)1 << places)
		ways = ((size_t)1 << places) - 1; /* one position gives one transition, two
						   * give three */
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

enum err
expression_compile(struct view text, struct expression *out, struct diag *diag)
{
	struct expression_shape shape;
	enum err failed;

	memset(out, 0, sizeof(*out));
	failed = expression_read(text, out, &shape, diag);
	if (failed == ERR_OK)
		failed = try_compile(out, diag);
	return failed == ERR_OK ? estimate_cost(out, &shape, diag) : failed;
}

/* The text as given to libc.  False: not UTF-8, or a NUL. */
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

const struct expressions posix_expressions = { .size = sizeof(struct expression),
	.compile = expression_compile,
	.match = expression_match };
