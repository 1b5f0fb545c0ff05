/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * text.h - builds text in a buffer of fixed size.
 *
 * Never allocates and never overruns: text that does not fit is truncated, stays
 * terminated, and cut is set.  Bytes from outside must go through one of the escaping
 * functions.  Any thread.
 */
#ifndef JITR_TEXT_H
#define JITR_TEXT_H

#include "jitr/core/base.h"

struct text {
	char *at;
	size_t size; /* of the buffer, including the terminator; at least 1 */
	size_t len;
	bool cut;
};

struct text text_in(char *buffer, size_t size);

void text_add(struct text *t, const char *s);
void text_add_view(struct text *t, struct view bytes); /* unescaped */
void text_addf(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_add_hex(struct text *t, struct view bytes);

/* Bytes to put between quotes in a log line: printable ASCII and valid UTF-8 unchanged;
 * quotes, backslashes, control characters (utf8_is_control) and invalid UTF-8 as \xNN
 * for each byte.  A client can neither start a new line nor change the direction of
 * text.  Uses at most max bytes of the input. */
void text_add_escaped(struct text *t, struct view bytes, size_t max);

/* As text_add_escaped(), with quotes and backslashes unchanged: for a whole line. */
void text_add_shown(struct text *t, struct view bytes);

/* A JSON string with its quotes (RFC 8259 section 7), control characters
 * (utf8_is_control) as \uNNNN; invalid UTF-8 becomes U+FFFD, so the output is JSON for
 * any input. */
void text_add_json(struct text *t, struct view bytes);

/* A random UUID (RFC 9562 section 5.4) from 16 random bytes. */
void text_add_uuid(struct text *t, const uint8_t random[16]);

/* Length of the UTF-8 character at the start of v (1 to 4); 0 if there is none: empty,
 * overlong, surrogate, beyond U+10FFFF (RFC 3629 section 4). */
size_t utf8_next(struct view v);
MUST_USE bool utf8_valid(struct view v);
size_t utf8_length(struct view v); /* characters of valid UTF-8 */

/* The code point of a character of the length that utf8_next() returned. */
uint32_t utf8_code(struct view character);

/* Characters that a terminal or log viewer interprets instead of displaying: U+0000 to
 * U+001F, U+007F to U+009F (ECMA-48), the line separators U+2028 and U+2029, and the
 * characters that change the direction of text (Unicode property Bidi_Control): U+061C,
 * U+200E, U+200F, U+202A to U+202E, U+2066 to U+206F.  All are below U+10000. */
bool utf8_is_control(struct view character);

/* Position of a byte in a text as editors count: from 1, columns in characters (bytes
 * where it is invalid UTF-8). */
struct place {
	size_t line, column;
};

struct place place_of(struct view text, size_t offset);

/* As place_of(), for the error position of cJSON, which is one too far if a member name
 * is missing. */
struct place place_of_json(struct view text, size_t offset);

/* The longest prefix of at most max bytes that does not end inside a character; max is
 * at least 3. */
struct view utf8_head(struct view v, size_t max);

/* The edit distance of two texts (Levenshtein): bytes to change, insert or remove to get
 * one from the other; ASCII case-insensitive.  SIZE_MAX if one is longer than
 * TEXT_DISTANCE_MAX bytes. */
#define TEXT_DISTANCE_MAX 64
size_t text_distance(struct view a, struct view b);

#endif
