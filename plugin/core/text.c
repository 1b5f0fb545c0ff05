/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* text.c - see text.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "jitr/core/text.h"

struct text
text_in(char *buffer, size_t size)
{
	buffer[0] = '\0';
	return (struct text){ .at = buffer, .size = size };
}

static void
add_bytes(struct text *t, const void *bytes, size_t len)
{
	size_t room = t->size - 1 - t->len;

	if (t->cut || len > room) { /* all or nothing: an escape sequence is never split */
		t->cut = true;
		return;
	}
	memcpy(t->at + t->len, bytes, len);
	t->len += len;
	t->at[t->len] = '\0';
}

void
text_add(struct text *t, const char *s)
{
	add_bytes(t, s, strlen(s));
}

void
text_add_view(struct text *t, struct view bytes)
{
	if (bytes.len > 0)
		add_bytes(t, bytes.data, bytes.len);
}

void
text_addf(struct text *t, const char *fmt, ...)
{
	char piece[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(piece, sizeof(piece), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(piece))
		t->cut = true;
	else
		add_bytes(t, piece, (size_t)n);
}

void
text_add_hex(struct text *t, struct view bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		char pair[3];

		hex_encode((struct view){ bytes.data + i, 1 }, pair);
		add_bytes(t, pair, 2);
	}
}

void
text_add_uuid(struct text *t, const uint8_t random[16])
{
	for (size_t i = 0; i < 16; i++) {
		uint8_t b = random[i];

		if (i == 4 || i == 6 || i == 8 || i == 10)
			text_add(t, "-");
		if (i == 6)
			b = (uint8_t)((b & 0x0f) | 0x40); /* version 4 */
		if (i == 8)
			b = (uint8_t)((b & 0x3f) | 0x80); /* variant of RFC 9562 */
		text_add_hex(t, (struct view){ &b, 1 });
	}
}

size_t
utf8_next(struct view v)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c;
	size_t n;

	if (v.len == 0)
		return 0;
	c = v.data[0];
	if (c < 0x80)
		return 1;
	n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || n > v.len)
		return 0;
	c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if ((v.data[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (v.data[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

/* Continuation bytes of a character begin with the bits 10; there are at most three
 * (RFC 3629 section 3). */
struct view
utf8_head(struct view v, size_t max)
{
	size_t least = max - 3;

	if (v.len <= max)
		return v;
	while (max > least && (v.data[max] & 0xc0) == 0x80)
		max--;
	return (struct view){ v.data, max };
}

struct place
place_of(struct view text, size_t offset)
{
	struct place p = { 1, 1 };

	for (size_t i = 0; i < offset && i < text.len; i++) {
		if (text.data[i] == '\n')
			p = (struct place){ p.line + 1, 1 };
		else
			p.column += (text.data[i] & 0xc0) != 0x80;
	}
	return p;
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Behind a brace or comma and not a number: [1,2x] is a different error. */
static bool
begins_no_name(struct view text, size_t at)
{
	uint8_t c = text.data[at];

	if (c == '"' || is_space(c) || (c >= '0' && c <= '9'))
		return false;
	while (at > 0 && is_space(text.data[at - 1]))
		at--;
	return at > 0 && (text.data[at - 1] == '{' || text.data[at - 1] == ',');
}

struct place
place_of_json(struct view text, size_t offset)
{
	if (offset > 0 && offset <= text.len && begins_no_name(text, offset - 1))
		offset--;
	return place_of(text, offset);
}

bool
utf8_valid(struct view v)
{
	while (v.len > 0) {
		size_t n = utf8_next(v);

		if (n == 0)
			return false;
		v = view_from(v, n);
	}
	return true;
}

size_t
utf8_length(struct view v)
{
	size_t n = 0;

	for (size_t i = 0; i < v.len; i++)
		n += (v.data[i] & 0xc0) != 0x80;
	return n;
}

uint32_t
utf8_code(struct view character)
{
	const uint8_t *c = character.data;
	uint32_t code = character.len == 1 ? c[0] : c[0] & (0x7fu >> character.len);

	for (size_t i = 1; i < character.len; i++)
		code = code << 6 | (c[i] & 0x3f);
	return code;
}

/* ECMA-48 controls (C0, DEL and C1: some terminals treat U+009B like ESC [), the line
 * separators, and the characters with Unicode's property Bidi_Control (UAX 9, section
 * 2), including deprecated ones. */
static const struct {
	uint32_t first, last;
} controls[] = {
	{ 0, 0x1f },
	{ 0x7f, 0x9f },
	{ 0x61c, 0x61c },
	{ 0x200e, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2066, 0x206f },
};

bool
utf8_is_control(struct view character)
{
	uint32_t code = utf8_code(character);

	for (size_t i = 0; i < COUNT_OF(controls); i++)
		if (code >= controls[i].first && code <= controls[i].last)
			return true;
	return false;
}

static bool
is_shown(const uint8_t *c, size_t n)
{
	return !utf8_is_control((struct view){ c, n });
}

static bool
is_quotable(const uint8_t *c, size_t n)
{
	return is_shown(c, n) && c[0] != '"' && c[0] != '\\';
}

/* The ASCII characters at the start that every escape leaves as they are, as far as they fit. */
static size_t
ascii_run(const struct text *t, struct view bytes)
{
	size_t room = t->size - 1 - t->len, len = 0;
	size_t most = bytes.len < room ? bytes.len : room;

	while (len < most && bytes.data[len] >= ' ' && bytes.data[len] < 0x7f &&
	    bytes.data[len] != '"' && bytes.data[len] != '\\')
		len++;
	return len;
}

static void
add_escaped(struct text *t, struct view bytes, bool (*plain)(const uint8_t *c, size_t n))
{
	while (bytes.len > 0) {
		size_t run = ascii_run(t, bytes);
		size_t n = run > 0 ? run : utf8_next(bytes);

		if (run > 0 || (n > 0 && plain(bytes.data, n))) {
			add_bytes(t, bytes.data, n);
		} else {
			n = 1;
			text_addf(t, "\\x%02x", bytes.data[0]);
		}
		bytes = view_from(bytes, n);
	}
}

void
text_add_escaped(struct text *t, struct view bytes, size_t max)
{
	add_escaped(t, bytes.len > max ? (struct view){ bytes.data, max } : bytes, is_quotable);
	if (bytes.len > max)
		text_add(t, "...");
}

void
text_add_shown(struct text *t, struct view bytes)
{
	add_escaped(t, bytes, is_shown);
}

static void
add_json_char(struct text *t, const uint8_t *c, size_t n)
{
	if (n == 0)
		text_add(t, "\\ufffd");
	else if (n == 1 && (c[0] == '"' || c[0] == '\\'))
		text_addf(t, "\\%c", c[0]);
	else if (utf8_is_control((struct view){ c, n }))
		text_addf(t, "\\u%04x", (unsigned)utf8_code((struct view){ c, n }));
	else
		add_bytes(t, c, n);
}

void
text_add_json(struct text *t, struct view bytes)
{
	text_add(t, "\"");
	while (bytes.len > 0) {
		size_t n = ascii_run(t, bytes);

		if (n > 0) {
			add_bytes(t, bytes.data, n);
		} else {
			n = utf8_next(bytes);
			add_json_char(t, bytes.data, n);
		}
		bytes = view_from(bytes, n > 0 ? n : 1);
	}
	text_add(t, "\"");
}

static size_t
least_of(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

size_t
text_distance(struct view a, struct view b)
{
	size_t row[TEXT_DISTANCE_MAX + 1];

	if (a.len > TEXT_DISTANCE_MAX || b.len > TEXT_DISTANCE_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 0; i < a.len; i++) {
		size_t diagonal = row[0]++;

		for (size_t j = 0; j < b.len; j++) {
			bool same = ascii_lower(a.data[i]) == ascii_lower(b.data[j]);
			size_t here = least_of(row[j] + 1, row[j + 1] + 1,
			    diagonal + (same ? 0 : 1));

			diagonal = row[j + 1];
			row[j + 1] = here;
		}
	}
	return row[b.len];
}
