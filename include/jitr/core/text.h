/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * text.h - build a line of text in a buffer of fixed size.
 *
 * Never allocates, never overruns: what does not fit is cut at the end, the
 * text stays terminated, and `cut` says so.  Bytes from outside go through
 * one of the escaping functions.  Any thread.
 */
#ifndef JITR_TEXT_H
#define JITR_TEXT_H

#include "jitr/core/base.h"

struct text {
	char *at;
	size_t size; /* of the buffer, terminator included; at least 1 */
	size_t len;
	bool cut;
};

struct text text_in(char *buffer, size_t size);

void text_add(struct text *t, const char *s);
void text_add_view(struct text *t, struct view bytes); /* as they are */
void text_addf(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_add_hex(struct text *t, struct view bytes);

/* Bytes between quotes in a log line: printable ASCII and valid UTF-8 as they are;
 * quotes, backslashes, control characters (utf8_is_control) and broken UTF-8 as
 * \xNN for each byte.  A client cannot begin a line of its own, nor show its text
 * in another order.  At most max bytes of the input are used. */
void text_add_escaped(struct text *t, struct view bytes, size_t max);

/* The same with quotes and backslashes as they are: for a whole line. */
void text_add_shown(struct text *t, struct view bytes);

/* A JSON string with its quotes (RFC 8259 section 7), all control characters
 * (utf8_is_control) as \uNNNN; broken UTF-8 becomes U+FFFD, so that the line stays
 * JSON whatever a client sends. */
void text_add_json(struct text *t, struct view bytes);

/* A random UUID (RFC 9562 section 5.4) from 16 random bytes. */
void text_add_uuid(struct text *t, const uint8_t random[16]);

/* Length of the UTF-8 character at the start of v (1 to 4), 0 when there is
 * none: empty, overlong, surrogate, beyond U+10FFFF (RFC 3629 section 4). */
size_t utf8_next(struct view v);
MUST_USE bool utf8_valid(struct view v);

/* The code point of one character, of the length that utf8_next() said. */
uint32_t utf8_code(struct view character);

/* One that a terminal or a reader of a log obeys instead of showing it: U+0000 to
 * U+001F, U+007F to U+009F (ECMA-48), U+2028 and U+2029, which end a line, and those
 * that change the direction of text (Unicode's property Bidi_Control): U+061C, U+200E,
 * U+200F, U+202A to U+202E, U+2066 to U+206F.  None is beyond U+FFFF. */
bool utf8_is_control(struct view character);

/* Where in a text a byte is, to be found with an editor: both from 1, a
 * column is a character (a byte where it is no UTF-8). */
struct place {
	size_t line, column;
};

struct place place_of(struct view text, size_t offset);

/* The same for what cJSON says of a text that it does not take: one further than
 * where a name should begin, and does not. */
struct place place_of_json(struct view text, size_t offset);

/* The first bytes of a text, at most so many, without half a character at their end; max
 * is 3 at least. */
struct view utf8_head(struct view v, size_t max);

/* UTC in the Gregorian calendar, for any time: also before 1970, and in years of
 * more or fewer than four digits. */
struct civil {
	int64_t year;
	unsigned month, day, hour, minute, second, ms; /* month and day from 1 */
};

struct civil civil_of(int64_t ms); /* since 1970 */

/* UTC, "2017-08-10 15:37:23.476" (aws-iot B.5); ms since 1970. */
#define TIMESTAMP_SIZE 48
void timestamp_text(int64_t ms, char out[TIMESTAMP_SIZE]);

#endif
