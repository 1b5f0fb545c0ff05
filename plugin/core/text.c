/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* text.c - see text.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "jitr/text.h"

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

	if (t->cut || len > room) { /* all or nothing: an escape is never halved */
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
			b = (uint8_t)((b & 0x3f) | 0x80); /* the variant of RFC 9562 */
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

/* What follows the first byte of a character begins with the bits 10, three bytes at
 * most (RFC 3629 section 3). */
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

bool
utf8_valid(struct view v)
{
	while (v.len > 0) {
		size_t n = utf8_next(v);

		if (n == 0)
			return false;
		v = (struct view){ v.data + n, v.len - n };
	}
	return true;
}

/* U+0080 to U+009F are control characters too: some terminals obey them.
 * U+2028 and U+2029 end a line for some readers. */
static bool
is_plain(const uint8_t *c, size_t n)
{
	if (n == 1)
		return c[0] >= 0x20 && c[0] != 0x7f && c[0] != '"' && c[0] != '\\';
	if (n == 2)
		return !(c[0] == 0xc2 && c[1] < 0xa0);
	if (n == 3)
		return !(c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9));
	return true;
}

void
text_add_escaped(struct text *t, struct view bytes, size_t max)
{
	bool longer = bytes.len > max;

	if (longer)
		bytes.len = max;
	while (bytes.len > 0) {
		size_t n = utf8_next(bytes);

		if (n > 0 && is_plain(bytes.data, n)) {
			add_bytes(t, bytes.data, n);
		} else {
			n = 1;
			text_addf(t, "\\x%02x", bytes.data[0]);
		}
		bytes = (struct view){ bytes.data + n, bytes.len - n };
	}
	if (longer)
		text_add(t, "...");
}

static void
add_json_char(struct text *t, const uint8_t *c, size_t n)
{
	if (n == 0)
		text_add(t, "\\ufffd");
	else if (n == 1 && (c[0] == '"' || c[0] == '\\'))
		text_addf(t, "\\%c", c[0]);
	else if (n == 1 && (c[0] < 0x20 || c[0] == 0x7f))
		text_addf(t, "\\u%04x", c[0]);
	else
		add_bytes(t, c, n);
}

void
text_add_json(struct text *t, struct view bytes)
{
	text_add(t, "\"");
	while (bytes.len > 0) {
		size_t n = utf8_next(bytes);
		size_t step = n > 0 ? n : 1;

		add_json_char(t, bytes.data, n);
		bytes = (struct view){ bytes.data + step, bytes.len - step };
	}
	text_add(t, "\"");
}

void
timestamp_text(int64_t ms, char out[TIMESTAMP_SIZE])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	memset(&tm, 0, sizeof(tm));
	gmtime_r(&seconds, &tm);
	n = strftime(out, TIMESTAMP_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
	(void)snprintf(out + n, TIMESTAMP_SIZE - n, ".%03d", (int)(ms % 1000));
}
