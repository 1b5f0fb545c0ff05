/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * expression.c - see expression.h.
 *
 * The grammar is POSIX's (XBD 9.4) less what is undefined there, what other
 * libraries read otherwise, and what glibc is slow at: a repetition of what may
 * be empty takes it exponential time to compile, anchors within do the same,
 * and each interval is a copy of what it repeats.  What is left is measured in
 * characters, with all repetitions written out.
 *
 * glibc makes states as it goes, sets of places in the expression, and keeps
 * them, a few kilobytes each: whoever may choose the values could make a
 * compiled expression grow without end.  So it is compiled for each match, and
 * forgotten.  What a new state costs depends on how many places there can be
 * in it and in how many ways it can lead on, which is found out when the
 * expression is read.
 *
 * libc sees one byte for each character, in the C locale: those beyond ASCII
 * that the expression has are numbered, all others are one.  In a UTF-8 locale
 * glibc does the same itself at several times the cost.
 */
#include <locale.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/expression.h"

#include "jitr/text.h"

#define FIRST_LETTER 0x80
#define OTHER_LETTER 0xff
#define LETTERS_MAX  (OTHER_LETTER - FIRST_LETTER)

/* So many characters of a value it must be possible to match, at the least: a
 * common name has no more (RFC 5280 appendix A.1, ub-common-name). */
#define VALUE_USUAL 64

struct expression {
	size_t  compiling, each; /* steps: once, and for each character of a value */
	size_t  letter_count;
	uint8_t letters[LETTERS_MAX][4]; /* UTF-8, zeros behind */
	char    text[2 + EXPRESSION_MAX + 2 + 1]; /* as libc sees it */
};

/*
 * Letters beyond ASCII.
 */

static void
letter_bytes(struct view letter, uint8_t out[4])
{
	memset(out, 0, 4);
	memcpy(out, letter.data, letter.len);
}

/* Its byte; OTHER_LETTER: the expression has none such. */
static uint8_t
find_letter(const struct expression *e, struct view letter)
{
	uint8_t bytes[4];

	letter_bytes(letter, bytes);
	for (size_t i = 0; i < e->letter_count; i++)
		if (memcmp(e->letters[i], bytes, sizeof(bytes)) == 0)
			return (uint8_t)(FIRST_LETTER + i);
	return OTHER_LETTER;
}

/*
 * Reading.
 */

#define KINDS_MAX 64

/* What is read, from the beginning; the first failure stays. */
struct reader {
	struct view        all;
	size_t             at, depth;
	struct expression *e;
	size_t             len; /* of e->text, in which are: */
	struct view        kinds[KINDS_MAX]; /* the different atoms */
	size_t             kind_count;       /* KINDS_MAX: there may be more */
	struct diag       *diag;
	bool               failed;
};

/* A part of an expression.  Whoever enters it once and only once is at so many
 * places of it at once at most; whoever may enter it again and again can be
 * everywhere. */
struct part {
	size_t size; /* places, repetitions written out */
	size_t width;
	size_t length; /* of all that matches; ANY_LENGTH: it differs */
	bool   may_be_empty;
};

#define ANY_LENGTH SIZE_MAX

static const struct part no_part = { .size = 0 };

static void
refuse(struct reader *r, const char *why)
{
	if (!r->failed)
		diag_set(r->diag, "%s", why);
	r->failed = true;
}

/* '\0': there is none. */
static char
peek(const struct reader *r, size_t ahead)
{
	return r->all.len - r->at > ahead ? (char)r->all.data[r->at + ahead] : '\0';
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_ascii(char c)
{
	return (uint8_t)c < FIRST_LETTER;
}

static void
add_letter(struct reader *r)
{
	struct view rest = { r->all.data + r->at, r->all.len - r->at };
	struct view letter = { rest.data, utf8_next(rest) };
	uint8_t byte = find_letter(r->e, letter);

	if (byte == OTHER_LETTER) {
		if (r->e->letter_count == LETTERS_MAX) {
			refuse(r, "it has too many different letters");
			return;
		}
		letter_bytes(letter, r->e->letters[r->e->letter_count]);
		byte = (uint8_t)(FIRST_LETTER + r->e->letter_count++);
	}
	r->e->text[r->len++] = (char)byte;
	r->at += letter.len;
}

/* The next character goes to libc. */
static void
take(struct reader *r)
{
	if (r->failed || r->at == r->all.len)
		return;
	if (is_ascii(peek(r, 0)))
		r->e->text[r->len++] = (char)r->all.data[r->at++];
	else
		add_letter(r);
}

static void
note_kind(struct reader *r, struct view atom)
{
	for (size_t i = 0; i < r->kind_count; i++)
		if (view_equal(r->kinds[i], atom))
			return;
	if (r->kind_count < KINDS_MAX)
		r->kinds[r->kind_count++] = atom;
}

/* "[:alpha:]" within brackets; libc knows which there are. */
static void
read_class(struct reader *r)
{
	take(r);
	take(r);
	while (is_letter_or_digit(peek(r, 0)))
		take(r);
	if (peek(r, 0) != ':' || peek(r, 1) != ']')
		refuse(r, "'[:' has no ':]'");
	take(r);
	take(r);
}

static void
read_bracket_item(struct reader *r, bool first)
{
	char before = r->e->text[r->len - 1], c = peek(r, 0), next = peek(r, 1);

	if (c == '[' && is_one_of(next, ".=")) {
		refuse(r, "'[.' and '[=' are not accepted");
	} else if (c == '\\' && is_letter_or_digit(next)) {
		refuse(r, "a '\\' between [ and ] stands for itself: [0-9] are the digits");
	} else if (c == '-' && !first && next != ']' && !(is_ascii(before) && is_ascii(next))) {
		refuse(r, "a range between [ and ] is of ASCII characters");
	} else if (c == '[' && next == ':') {
		read_class(r);
	} else {
		take(r);
	}
}

static void
read_bracket(struct reader *r)
{
	bool first = true;

	take(r);
	if (peek(r, 0) == '^')
		take(r);
	for (; !r->failed && (first || peek(r, 0) != ']'); first = false) {
		if (r->at == r->all.len)
			refuse(r, "a '[' has no ']'");
		else
			read_bracket_item(r, first);
	}
	take(r);
}

static void
read_escape(struct reader *r)
{
	char c = peek(r, 1);

	if (c >= '1' && c <= '9')
		refuse(r, "back-references are not accepted");
	else if (is_letter_or_digit(c) || !is_ascii(c))
		refuse(r, "a '\\' stands before signs only: [0-9] are the digits");
	else if (is_one_of(c, "<>`'"))
		refuse(r, "glibc's \\< and its like are not accepted");
	else if (c == '\0')
		refuse(r, "a '\\' has nothing behind it");
	take(r);
	take(r);
}

static struct part read_alternatives(struct reader *r);

static struct part
read_group(struct reader *r)
{
	struct part p;

	if (++r->depth > EXPRESSION_NESTING_MAX) {
		refuse(r, "it is nested too deeply: 8 '(' at most");
		return no_part;
	}
	take(r);
	p = read_alternatives(r);
	if (peek(r, 0) != ')')
		refuse(r, "a '(' has no ')'");
	take(r);
	r->depth--;
	return p;
}

static struct part
read_atom(struct reader *r)
{
	size_t begin = r->len;
	char c = peek(r, 0);

	if (c == '(')
		return read_group(r);
	if (is_one_of(c, "*+?{"))
		refuse(r, "a repetition has nothing to repeat");
	else if (is_one_of(c, "^$"))
		refuse(r, "'^' may begin it and '$' may end it; elsewhere write \\^ and \\$");
	else if (c == '[')
		read_bracket(r);
	else if (c == '\\')
		read_escape(r);
	else
		take(r);
	note_kind(r, (struct view){ (const uint8_t *)r->e->text + begin, r->len - begin });
	return (struct part){ .size = 1, .width = 1, .length = 1 };
}

/* 0 to 999; false: there are no digits, or too many. */
static bool
read_number(struct reader *r, size_t *number)
{
	size_t digits = 0;

	for (*number = 0; peek(r, 0) >= '0' && peek(r, 0) <= '9' && digits < 4; digits++) {
		*number = *number * 10 + (size_t)(peek(r, 0) - '0');
		take(r);
	}
	return digits >= 1 && digits <= 3;
}

/* How often. */
struct repetition {
	size_t least, most;
	bool   without_end;
};

/* {2}, {2,} and {2,4}. */
static struct repetition
read_interval(struct reader *r)
{
	struct repetition n = { .least = 0 };
	bool ok;

	take(r);
	ok = read_number(r, &n.least);
	n.most = n.least;
	n.without_end = ok && peek(r, 0) == ',' && peek(r, 1) == '}';
	if (ok && peek(r, 0) == ',') {
		take(r);
		ok = n.without_end || read_number(r, &n.most);
	}
	if (!ok || peek(r, 0) != '}' || n.most < n.least || (n.most == 0 && !n.without_end))
		refuse(r, "an interval is {2}, {2,} or {2,4}");
	take(r);
	return n;
}

static struct repetition
read_how_often(struct reader *r)
{
	char c = peek(r, 0);

	if (c == '{')
		return read_interval(r);
	take(r);
	return (struct repetition){ .least = c == '+' ? 1 : 0, .most = 1, .without_end = c != '?' };
}

static struct part
repeated(struct part p, const struct repetition *n)
{
	struct part all = { .size = p.size * (n->without_end ? n->least + 1 : n->most),
		.length = ANY_LENGTH, .may_be_empty = n->least == 0 || p.may_be_empty };

	if (n->most == 1 && !n->without_end)
		all.width = p.width;
	else if (p.length == ANY_LENGTH)
		all.width = all.size;
	else if (n->without_end)
		all.width = p.width; /* all that are in it are equally far */
	else
		all.width = p.width * (n->most - n->least + 1);
	if (p.length != ANY_LENGTH && !n->without_end && n->least == n->most)
		all.length = p.length * n->most;
	return all;
}

static struct part
read_repetition(struct reader *r, struct part p)
{
	struct repetition n;

	if (!is_one_of(peek(r, 0), "*+?{"))
		return p;
	n = read_how_often(r);
	if (p.may_be_empty && (n.most > 1 || n.without_end))
		refuse(r, "what may be empty is repeated");
	if (is_one_of(peek(r, 0), "*+?{"))
		refuse(r, "a repetition is repeated: put it between ( and )");
	return repeated(p, &n);
}

static struct part
checked(struct reader *r, struct part p)
{
	if (p.size > EXPRESSION_SIZE_MAX)
		refuse(r, "with its repetitions written out it has more than 256 characters");
	return p;
}

static bool
ends_branch(const struct reader *r)
{
	bool last = r->at + 1 >= r->all.len;

	return r->at == r->all.len || is_one_of(peek(r, 0), "|)") || (peek(r, 0) == '$' && last);
}

static struct part
behind(struct part a, struct part b)
{
	struct part both = { .size = a.size + b.size, .width = a.width + b.size,
		.length = ANY_LENGTH, .may_be_empty = a.may_be_empty && b.may_be_empty };

	if (a.length != ANY_LENGTH)
		both.width = a.width > b.width ? a.width : b.width;
	if (a.length != ANY_LENGTH && b.length != ANY_LENGTH)
		both.length = a.length + b.length;
	return both;
}

static struct part
read_branch(struct reader *r)
{
	struct part all = { .may_be_empty = true };

	if (ends_branch(r))
		refuse(r, r->all.len > 0 ? "a part of it is empty" : "it is empty");
	while (!r->failed && !ends_branch(r))
		all = checked(r, behind(all, read_repetition(r, read_atom(r))));
	return all;
}

static struct part
beside(struct part a, struct part b)
{
	return (struct part){ .size = a.size + b.size, .width = a.width + b.width,
		.length = a.length == b.length ? a.length : ANY_LENGTH,
		.may_be_empty = a.may_be_empty || b.may_be_empty };
}

static struct part
read_alternatives(struct reader *r)
{
	struct part all = read_branch(r);

	while (!r->failed && peek(r, 0) == '|') {
		take(r);
		all = checked(r, beside(all, read_branch(r)));
	}
	return all;
}

/* A ^ at the beginning and a $ at the end say what is so anyway. */
static struct part
read_all(struct reader *r)
{
	struct part all;

	r->at = peek(r, 0) == '^' ? 1 : 0;
	r->len = 2;
	memcpy(r->e->text, "^(", 2);
	all = read_alternatives(r);
	if (!r->failed && peek(r, 0) == ')')
		refuse(r, "a ')' has no '('");
	memcpy(r->e->text + r->len, ")$", 3);
	return all;
}

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
	int code = regcomp(&regex, e->text, REG_EXTENDED | REG_NOSUB);

	if (code == 0)
		regfree(&regex);
	else
		(void)regerror(code, &regex, why, sizeof(why));
	to_locale_before(l);
	if (code == 0)
		return ERR_OK;
	if (code == REG_ESPACE)
		return ERR_NOMEM;
	diag_set(diag, "%s", why);
	return ERR_REQUEST;
}

static int
match_text(const char *expression, const char *text)
{
	regex_t regex;
	int code = regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB);

	if (code != 0)
		return REG_ESPACE; /* it was compiled once */
	code = regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return code;
}

static enum truth
try_match(const struct expression *e, const char *text)
{
	struct locale_change l = to_c_locale();
	int code = match_text(e->text, text);

	to_locale_before(l);
	return code == 0 ? TRUTH_YES : code == REG_NOMATCH ? TRUTH_NO : TRUTH_HIDDEN;
}

/*
 * What a match costs.
 */

/* By byte, one bit for each kind of atom that matches it. */
static void
mark_bytes(struct view kind, uint64_t bit, uint64_t of_byte[256])
{
	char text[EXPRESSION_MAX + 1];
	regex_t regex;

	memcpy(text, kind.data, kind.len);
	text[kind.len] = '\0';
	if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
		return;
	for (unsigned byte = 1; byte < 256; byte++)
		if (regexec(&regex, (const char[]){ (char)byte, '\0' }, 0, NULL, 0) == 0)
			of_byte[byte] |= bit;
	regfree(&regex);
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
static size_t
count_ways(const struct reader *r)
{
	uint64_t of_byte[256] = { 0 };
	struct locale_change l = to_c_locale();
	size_t ways = 0;

	for (size_t i = 0; i < r->kind_count; i++)
		mark_bytes(r->kinds[i], UINT64_C(1) << i, of_byte);
	to_locale_before(l);
	for (unsigned byte = 1; byte < 256; byte++)
		ways += is_first_of_its_kind(of_byte, byte);
	return r->kind_count < KINDS_MAX ? ways : 256;
}

/* In steps of 10 ns, at most: for each character of a value there is a new
 * state, and for each way that leads on from it another one, which takes time
 * for all its places, two by two.  To compile it takes as much for all the
 * places there are. */
static void
reckon(struct reader *r, const struct part *all)
{
	size_t ways = count_ways(r), places = all->width;

	if (places < 8 && ways >= (size_t)1 << places)
		ways = ((size_t)1 << places) - 1; /* one place is one way, two are three */
	r->e->compiling = 1000 + all->size * (40 + all->size);
	r->e->each = 200 + ways * (100 + places * places / 16);
	if (r->e->compiling + VALUE_USUAL * r->e->each > STEPS_MAX)
		refuse(r, "it would take too long: it has too many repetitions of different length");
}

/*
 * Expressions.
 */

static enum err
compile(struct view text, struct expression *e, struct diag *diag)
{
	struct reader r = { .all = text, .e = e, .diag = diag };
	struct part all = no_part;
	enum err failed;

	if (text.len > EXPRESSION_MAX)
		refuse(&r, "it is longer than 256 bytes");
	else if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
		refuse(&r, "it has a NUL");
	else if (!utf8_valid(text))
		refuse(&r, "it is not UTF-8");
	else
		all = read_all(&r);
	failed = r.failed ? ERR_REQUEST : try_compile(e, diag);
	if (failed == ERR_OK)
		reckon(&r, &all);
	return r.failed ? ERR_REQUEST : failed;
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
		                : (char)find_letter(e, (struct view){ value.data, n });
		value = (struct view){ value.data + n, value.len - n };
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
	return try_match(e, text);
}
