/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * expression_read.c - parses expressions and refuses what is not accepted; see
 * expression.h.
 *
 * The grammar is POSIX's (XBD 9.4) without constructs that are undefined there, that
 * other libraries interpret differently, or that are slow in glibc: repeating something
 * that may be empty, or anchors inside, takes exponential time to compile, and an
 * interval copies what it repeats.  The size of the rest is measured in characters,
 * with all repetitions expanded.
 */
#include <string.h>

#include "expression_private.h"

#include "jitr/core/text.h"

/*
 * Letters beyond ASCII.
 */

static void
letter_bytes(struct view letter, uint8_t out[4])
{
	memset(out, 0, 4);
	memcpy(out, letter.data, letter.len);
}

uint8_t
expression_letter(const struct expression *e, struct view letter)
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

/* State of the parser; the first failure stays. */
struct reader {
	struct view all;
	size_t at, depth;
	struct expression *e;
	size_t len; /* of e->text */
	struct expression_shape *shape;
	struct diag *diag;
	bool failed;
};

/* Properties of a part of an expression. */
struct part {
	size_t size, width; /* as in struct expression_shape */
	size_t length;      /* length of all matches; ANY_LENGTH if it varies */
	bool may_be_empty;
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

/* '\0' at the end. */
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
	uint8_t byte = expression_letter(r->e, letter);

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

/* Copies the next character to the text for libc. */
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
	struct expression_shape *shape = r->shape;

	for (size_t i = 0; i < shape->kind_count; i++)
		if (view_equal(shape->kinds[i], atom))
			return;
	if (shape->kind_count < ATOM_KINDS_MAX)
		shape->kinds[shape->kind_count++] = atom;
}

/* "[:alpha:]" inside brackets; libc checks the name. */
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
		refuse(r, "a '\\' is literal between [ and ]: for digits write [0-9]");
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
		refuse(r, "a '\\' may only precede punctuation: for digits write [0-9]");
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

/* 0 to 999; false: no digits, or too many. */
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

/* How often an atom may occur. */
struct repetition {
	size_t least, most;
	bool without_end;
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
		.length = ANY_LENGTH,
		.may_be_empty = n->least == 0 || p.may_be_empty };

	if (n->most == 1 && !n->without_end)
		all.width = p.width;
	else if (p.length == ANY_LENGTH)
		all.width = all.size;
	else if (n->without_end)
		all.width = p.width; /* all positions in it advance in step */
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
		refuse(r, "a part that may be empty is repeated");
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
	struct part both = { .size = a.size + b.size,
		.width = a.width + b.size,
		.length = ANY_LENGTH,
		.may_be_empty = a.may_be_empty && b.may_be_empty };

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
	return (struct part){ .size = a.size + b.size,
		.width = a.width + b.width,
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

/* A leading ^ and a trailing $ are allowed and redundant. */
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

enum err
expression_read(struct view text, struct expression *e, struct expression_shape *out,
    struct diag *diag)
{
	struct reader r = { .all = text, .e = e, .shape = out, .diag = diag };
	struct part all = no_part;

	*out = (struct expression_shape){ .size = 0 };
	if (text.len > EXPRESSION_MAX)
		refuse(&r, "it is longer than 256 bytes");
	else if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
		refuse(&r, "it has a NUL");
	else if (!utf8_valid(text))
		refuse(&r, "it is not UTF-8");
	else
		all = read_all(&r);
	out->size = all.size;
	out->width = all.width;
	return r.failed ? ERR_REQUEST : ERR_OK;
}
