/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* json_grammar.c - see json_grammar.h. */
#include <string.h>

#include "jitr/core/json_grammar.h"

#define NUMBER_MAX 63 /* characters of a number that cJSON reads */

static bool
take(struct view *rest, const char *word)
{
	size_t len = strlen(word);

	if (rest->len < len || memcmp(rest->data, word, len) != 0)
		return false;
	*rest = view_from(*rest, len);
	return true;
}

static void
skip_space(struct view *rest)
{
	while (rest->len > 0 && rest->data[0] <= ' ') {
		*rest = view_from(*rest, 1);
	}
}

static bool
take_hex(struct view *rest, unsigned *value)
{
	*value = 0;
	for (size_t i = 0; i < 4; i++, rest->data++, rest->len--) {
		const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *at = rest->len > 0 && rest->data[0] != '\0'
		    ? strchr(digits, rest->data[0])
		    : NULL;

		if (at == NULL)
			return false;
		*value = *value << 4 | ((unsigned)(at - digits) & 0xf);
	}
	return true;
}

/* Behind \u: a character, or a surrogate pair for a character above U+FFFF. */
static bool
take_escaped(struct view *rest)
{
	unsigned first, second;

	if (!take_hex(rest, &first) || (first >= 0xdc00 && first <= 0xdfff))
		return false;
	if (first < 0xd800 || first > 0xdbff)
		return true;
	return take(rest, "\\u") && take_hex(rest, &second) && second >= 0xdc00 && second <= 0xdfff;
}

static bool
take_string(struct view *rest)
{
	if (!take(rest, "\""))
		return false;
	while (rest->len > 0 && rest->data[0] != '"') {
		bool escaped = take(rest, "\\");
		uint8_t c = rest->len > 0 ? rest->data[0] : 0;

		if (rest->len == 0 || (escaped && (c == 0 || strchr("bfnrt\"\\/u", c) == NULL)))
			return false;
		*rest = view_from(*rest, 1);
		if (escaped && c == 'u' && !take_escaped(rest))
			return false;
	}
	return take(rest, "\"");
}

static size_t
digits_at(struct view rest, size_t at)
{
	size_t n = 0;

	while (at + n < rest.len && rest.data[at + n] >= '0' && rest.data[at + n] <= '9')
		n++;
	return n;
}

/* Takes as many characters as strtod() would. */
static bool
take_number(struct view *rest)
{
	struct view seen = { rest->data, rest->len < NUMBER_MAX ? rest->len : NUMBER_MAX };
	size_t at = seen.len > 0 && seen.data[0] == '-', whole = digits_at(seen, at), more = 0, e;

	at += whole;
	if (at < seen.len && seen.data[at] == '.') {
		more = digits_at(seen, at + 1);
		at += whole + more > 0 ? 1 + more : 0;
	}
	if (whole + more == 0)
		return false;
	if (at < seen.len && (seen.data[at] == 'e' || seen.data[at] == 'E')) {
		e = at + 1;
		e += e < seen.len && (seen.data[e] == '+' || seen.data[e] == '-');
		at = digits_at(seen, e) > 0 ? e + digits_at(seen, e) : at;
	}
	*rest = view_from(*rest, at);
	return true;
}

static bool take_value(struct view *rest, size_t depth);

/* Takes the members of an object or the items of an array up to the end character. */
static bool
take_all(struct view *rest, size_t depth, const char *end, bool named)
{
	skip_space(rest);
	if (take(rest, end))
		return true;
	do {
		skip_space(rest);
		if (named && !take_string(rest))
			return false;
		skip_space(rest);
		if (named && !take(rest, ":"))
			return false;
		skip_space(rest);
		if (!take_value(rest, depth))
			return false;
		skip_space(rest);
	} while (take(rest, ","));
	return take(rest, end);
}

static bool
take_value(struct view *rest, size_t depth)
{
	if (take(rest, "null") || take(rest, "false") || take(rest, "true"))
		return true;
	if (rest->len > 0 && rest->data[0] == '"')
		return take_string(rest);
	if (rest->len > 0 && (rest->data[0] == '-' || digits_at(*rest, 0) > 0))
		return take_number(rest);
	if (depth == 0)
		return false;
	if (take(rest, "{"))
		return take_all(rest, depth - 1, "}", true);
	return take(rest, "[") && take_all(rest, depth - 1, "]", false);
}

/* A byte order mark; cJSON skips it only before two bytes or more. */
static void
skip_mark(struct view *rest)
{
	if (rest->len > 4)
		(void)!take(rest, "\xef\xbb\xbf");
}

bool
json_is_value(struct view text, size_t depth_max)
{
	skip_mark(&text);
	skip_space(&text);
	return take_value(&text, depth_max);
}
