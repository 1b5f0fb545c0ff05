/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_text.c - lines of text, JSON strings and UTF-8, with foreign bytes in them.
 *
 * No client starts a line of its own or controls a terminal (mosquitto section 0, 19).  JSON
 * stays valid (RFC 8259); UTF-8 is that of RFC 3629.
 */
#include <stdio.h>
#include <string.h>

#include "jitr/core/calendar.h"
#include "jitr/core/text.h"
#include "suite.h"

/* A string literal as bytes, with the NULs inside. */
#define BYTES(literal) \
	{ \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

static const struct {
	const char *what;
	struct view in;
	const char *out;
} escapes[] = {
	{ "printable ASCII", BYTES("AZaz09 ~!#$%&'()*+,-./:;<=>?@[]^_`{|}"),
	    "AZaz09 ~!#$%&'()*+,-./:;<=>?@[]^_`{|}" },
	{ "a line feed", BYTES("a\nb"), "a\\x0ab" },
	{ "a carriage return", BYTES("a\rb"), "a\\x0db" },
	{ "a NUL", BYTES("a\0b"), "a\\x00b" },
	{ "a terminal's escape", BYTES("\033[2J"), "\\x1b[2J" },
	{ "delete", BYTES("\177"), "\\x7f" },
	{ "a quote, which ends a value", BYTES("a\" b=\"c"), "a\\x22 b=\\x22c" },
	{ "a backslash, which begins an escape", BYTES("\\x41"), "\\x5cx41" },
	{ "letters beyond ASCII", BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91"),
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91" },
	{ "the first of the C1 controls", BYTES("\xc2\x80"), "\\xc2\\x80" },
	{ "CSI, a C1 control that terminals obey",
	    BYTES("\xc2\x9b"
		  "2J"),
	    "\\xc2\\x9b2J" },
	{ "the last of the C1 controls", BYTES("\xc2\x9f"), "\\xc2\\x9f" },
	{ "the first character behind them", BYTES("\xc2\xa0"), "\xc2\xa0" },
	{ "U+2028, a line separator", BYTES("\xe2\x80\xa8"), "\\xe2\\x80\\xa8" },
	{ "U+2029, a paragraph separator", BYTES("\xe2\x80\xa9"), "\\xe2\\x80\\xa9" },
	{ "their neighbours", BYTES("\xe2\x80\xa7\xe2\x80\xaf"), "\xe2\x80\xa7\xe2\x80\xaf" },
	{ "U+202E, which turns what follows",
	    BYTES("\xe2\x80\xae"
		  "4pm"),
	    "\\xe2\\x80\\xae4pm" },
	{ "U+2066, which isolates it", BYTES("\xe2\x81\xa6"), "\\xe2\\x81\\xa6" },
	{ "U+061C, the mark of Arabic", BYTES("\xd8\x9c"), "\\xd8\\x9c" },
	{ "letters that run from right to left", BYTES("\xd7\xa9\xd8\xb4"), "\xd7\xa9\xd8\xb4" },
	{ "a byte that begins nothing",
	    BYTES("a\xff"
		  "b"),
	    "a\\xffb" },
	{ "a character cut short", BYTES("a\xe2\x82"), "a\\xe2\\x82" },
	{ "a newline written too long", BYTES("\xc0\x8a"), "\\xc0\\x8a" },
	{ "a surrogate", BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80" },
	{ "nothing", BYTES(""), "" },
};

START_TEST(foreign_bytes_cannot_end_their_field_in_a_line)
{
	char buffer[128];
	struct text t = text_in(buffer, sizeof(buffer));

	text_add_escaped(&t, escapes[_i].in, 1000);
	ck_assert_msg(strcmp(buffer, escapes[_i].out) == 0, "%s: %s", escapes[_i].what, buffer);
	ck_assert_uint_eq(t.len, strlen(buffer));
	ck_assert(!t.cut);
}
END_TEST

/* Characters that control a terminal or an editor: C0, DEL and C1 (ECMA-48), U+2028 and U+2029,
 * Unicode's property Bidi_Control (PropList.txt), and U+206A to U+206F. */
static bool
is_obeyed(uint32_t c)
{
	static const uint32_t bidi[] = { 0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d,
		0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x206a, 0x206b, 0x206c, 0x206d, 0x206e,
		0x206f };

	for (size_t i = 0; i < COUNT_OF(bidi); i++)
		if (bidi[i] == c)
			return true;
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

static size_t
encode(uint32_t c, uint8_t out[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1;)
		out[i] = (uint8_t)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
	out[0] = (uint8_t)(n == 1 ? c : 0xf0u << (4 - n) | c >> 6 * (n - 1));
	return n;
}

/* Against escape sequences and "Trojan Source" (CVE-2021-42574).  These code points are escaped
 * in a field, in a complete line and in JSON, where the escape still stands for the character.
 * Others are not changed. */
START_TEST(control_characters_are_escaped)
{
	for (uint32_t c = 0; c <= 0x10ffff; c += c < 0x3000 ? 1 : 101) {
		uint8_t bytes[5] = { 0 };
		struct view in = { bytes, 0 };
		char buffer[3][32], json[16];
		struct text t[3];

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		in.len = encode(c, bytes);
		for (size_t i = 0; i < COUNT_OF(t); i++)
			t[i] = text_in(buffer[i], sizeof(buffer[i]));
		text_add_escaped(&t[0], in, 4);
		text_add_shown(&t[1], in);
		text_add_json(&t[2], in);
		ck_assert_uint_eq(utf8_code(in), c);
		if (c == '"' || c == '\\')
			continue;
		(void)snprintf(json, sizeof(json), "\"\\u%04x\"", (unsigned)c);
		if (is_obeyed(c) != utf8_is_control(in) ||
		    is_obeyed(c) != (strncmp(buffer[0], "\\x", 2) == 0) ||
		    strcmp(buffer[0], buffer[1]) != 0 ||
		    is_obeyed(c) != (strcmp(buffer[2], json) == 0))
			ck_abort_msg("U+%04x: %s %s %s", (unsigned)c, buffer[0], buffer[1],
			    buffer[2]);
	}
}
END_TEST

START_TEST(a_complete_line_keeps_its_quotes)
{
	char buffer[64];
	struct text t = text_in(buffer, sizeof(buffer));

	text_add_shown(&t, view_of("a=\"b\" \\x1b \033[2J \xe2\x80\xae."));
	ck_assert_str_eq(buffer, "a=\"b\" \\x1b \\x1b[2J \\xe2\\x80\\xae.");
}
END_TEST

START_TEST(trusted_bytes_are_appended_unchanged)
{
	char buffer[8];
	struct text t = text_in(buffer, sizeof(buffer));

	text_add_view(&t, (struct view){ NULL, 0 });
	text_add_view(&t, (struct view){ (const uint8_t *)"a\n\"b", 3 });
	ck_assert_str_eq(buffer, "a\n\"");
	text_add_view(&t, view_of("12345"));
	ck_assert(t.cut);
	ck_assert_str_eq(buffer, "a\n\"");
}
END_TEST

START_TEST(no_byte_is_written_as_a_control_character)
{
	for (unsigned c = 0; c < 256; c++) {
		uint8_t byte = (uint8_t)c;
		char buffer[16];
		struct text t = text_in(buffer, sizeof(buffer));

		text_add_escaped(&t, (struct view){ &byte, 1 }, 1);
		for (const char *p = buffer; *p != '\0'; p++)
			ck_assert_msg(*p >= 0x20 && *p < 0x7f, "byte %u", c);
	}
}
END_TEST

START_TEST(long_input_is_truncated)
{
	char buffer[128];
	struct text t = text_in(buffer, sizeof(buffer));

	text_add_escaped(&t, view_of("abcdef"), 6);
	ck_assert_str_eq(buffer, "abcdef");
	text_add_escaped(&t, view_of("abcdefg"), 6);
	ck_assert_str_eq(buffer, "abcdefabcdef...");
	t = text_in(buffer, sizeof(buffer));
	text_add_escaped(&t, view_of("a\xe2\x82\xac"), 2); /* in the middle of a character */
	ck_assert_str_eq(buffer, "a\\xe2...");
}
END_TEST

/* At each size of the buffer it has the beginning of the whole text, up to the end of a
 * character or an escape. */
START_TEST(truncation_never_splits_an_escape_or_a_character)
{
	static const char *const pieces[] = { "a", "\xc3\xa9", "\\x0a", "\\xff", "\xf0\x9f\x94\x91",
		"z" };
	struct view in = BYTES("a\xc3\xa9\n\xff\xf0\x9f\x94\x91z");

	for (size_t size = 1; size < 24; size++) {
		char buffer[24], expected[24] = "";
		struct text t = text_in(buffer, size);
		bool cut = false;

		for (size_t i = 0; i < COUNT_OF(pieces); i++) {
			cut |= strlen(expected) + strlen(pieces[i]) >= size;
			if (!cut)
				strcat(expected, pieces[i]);
		}
		text_add_escaped(&t, in, 100);
		ck_assert_str_eq(buffer, expected);
		ck_assert_int_eq(t.cut, cut);
	}
}
END_TEST

START_TEST(nothing_is_appended_after_truncation)
{
	char buffer[4];
	struct text t = text_in(buffer, sizeof(buffer));

	text_add(&t, "ab");
	text_add(&t, "cd");
	ck_assert(t.cut);
	text_add(&t, "e");
	ck_assert_str_eq(buffer, "ab");
	ck_assert_uint_eq(t.len, 2);
}
END_TEST

START_TEST(a_formatted_text_is_appended_completely_or_not_at_all)
{
	char buffer[1024], longer[600];
	struct text t = text_in(buffer, sizeof(buffer));

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	text_addf(&t, "%d-%s", 7, "seven");
	ck_assert_str_eq(buffer, "7-seven");
	text_addf(&t, "%s", longer);
	ck_assert_str_eq(buffer, "7-seven");
	ck_assert(t.cut);
}
END_TEST

START_TEST(hex_is_appended_in_lower_case)
{
	uint8_t bytes[] = { 0, 0xab, 0xff };
	char buffer[7];
	struct text t = text_in(buffer, sizeof(buffer));

	text_add_hex(&t, (struct view){ bytes, sizeof(bytes) });
	ck_assert_str_eq(buffer, "00abff");
	ck_assert(!t.cut);
}
END_TEST

/*
 * JSON strings.
 */

static const struct {
	const char *what;
	struct view in;
	const char *out;
} jsons[] = {
	{ "nothing", BYTES(""), "\"\"" },
	{ "letters", BYTES("a/b \xc3\xa9"), "\"a/b \xc3\xa9\"" },
	{ "a quote and a backslash", BYTES("\"\\"), "\"\\\"\\\\\"" },
	{ "a line feed", BYTES("\n"), "\"\\u000a\"" },
	{ "a NUL", BYTES("\0"), "\"\\u0000\"" },
	{ "the last control character", BYTES("\x1f"), "\"\\u001f\"" },
	{ "delete", BYTES("\177"), "\"\\u007f\"" },
	{ "a byte that begins nothing",
	    BYTES("a\xff"
		  "b"),
	    "\"a\\ufffdb\"" },
	{ "a character cut short", BYTES("\xf0\x9f\x94"), "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "a surrogate", BYTES("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "CSI",
	    BYTES("\xc2\x9b"
		  "2J"),
	    "\"\\u009b2J\"" },
	{ "a change of direction",
	    BYTES("a\xe2\x80\xae"
		  "b"),
	    "\"a\\u202eb\"" },
};

START_TEST(text_of_a_client_cannot_end_a_json_string)
{
	char buffer[64];
	struct text t = text_in(buffer, sizeof(buffer));

	text_add_json(&t, jsons[_i].in);
	ck_assert_msg(strcmp(buffer, jsons[_i].out) == 0, "%s: %s", jsons[_i].what, buffer);
}
END_TEST

/* RFC 8259 section 7: quote, backslash and U+0000 to U+001F must be escaped. */
START_TEST(no_byte_breaks_a_json_string)
{
	for (unsigned c = 0; c < 256; c++) {
		uint8_t byte = (uint8_t)c;
		char buffer[16];
		struct text t = text_in(buffer, sizeof(buffer));

		text_add_json(&t, (struct view){ &byte, 1 });
		ck_assert(utf8_valid((struct view){ (const uint8_t *)buffer, t.len }));
		ck_assert_uint_eq(strlen(buffer), t.len);
		for (size_t i = 1; i + 1 < t.len; i++)
			ck_assert(buffer[i] >= 0x20 && (buffer[i] != '"' || buffer[i - 1] == '\\'));
	}
}
END_TEST

/*
 * UTF-8.
 */

static const struct {
	const char *what;
	struct view in;
	size_t length; /* of the first character; 0: there is none */
} characters[] = {
	{ "nothing", BYTES(""), 0 },
	{ "U+0000", BYTES("\0"), 1 },
	{ "U+007F", BYTES("\177"), 1 },
	{ "U+0080", BYTES("\xc2\x80"), 2 },
	{ "U+07FF", BYTES("\xdf\xbf"), 2 },
	{ "U+0800", BYTES("\xe0\xa0\x80"), 3 },
	{ "U+D7FF, before the surrogates", BYTES("\xed\x9f\xbf"), 3 },
	{ "U+E000, behind the surrogates", BYTES("\xee\x80\x80"), 3 },
	{ "U+FFFF", BYTES("\xef\xbf\xbf"), 3 },
	{ "U+10000", BYTES("\xf0\x90\x80\x80"), 4 },
	{ "U+10FFFF", BYTES("\xf4\x8f\xbf\xbf"), 4 },
	{ "a continuation byte alone", BYTES("\x80"), 0 },
	{ "overlong U+0000", BYTES("\xc0\x80"), 0 },
	{ "overlong U+007F", BYTES("\xc1\xbf"), 0 },
	{ "overlong U+07FF", BYTES("\xe0\x9f\xbf"), 0 },
	{ "overlong U+FFFF", BYTES("\xf0\x8f\xbf\xbf"), 0 },
	{ "the first surrogate", BYTES("\xed\xa0\x80"), 0 },
	{ "the last surrogate", BYTES("\xed\xbf\xbf"), 0 },
	{ "U+110000", BYTES("\xf4\x90\x80\x80"), 0 },
	{ "beyond", BYTES("\xf5\x80\x80\x80"), 0 },
	{ "five bytes", BYTES("\xf8\x88\x80\x80\x80"), 0 },
	{ "six bytes", BYTES("\xfc\x84\x80\x80\x80\x80"), 0 },
	{ "FE", BYTES("\xfe"), 0 },
	{ "FF", BYTES("\xff"), 0 },
	{ "one byte of two", BYTES("\xc3"), 0 },
	{ "two bytes of three", BYTES("\xe2\x82"), 0 },
	{ "three bytes of four", BYTES("\xf0\x9f\x94"), 0 },
	{ "a letter where a continuation belongs", BYTES("\xc3("), 0 },
	{ "a second lead byte", BYTES("\xe2\xc3\x82"), 0 },
	{ "a lead byte third", BYTES("\xe2\x82\xc3"), 0 },
};

START_TEST(only_valid_utf8_has_a_character_length)
{
	struct view in = characters[_i].in;

	ck_assert_msg(utf8_next(in) == characters[_i].length, "%s: %zu", characters[_i].what,
	    utf8_next(in));
	if (in.len > 0)
		ck_assert_int_eq(utf8_valid(in), characters[_i].length == in.len);
}
END_TEST

/* Compared with the definition of RFC 3629 section 3, as an encoder. */
START_TEST(exactly_the_valid_code_points_are_decoded)
{
	for (uint32_t c = 0x80; c <= 0x10ffff + 0x100; c++) {
		uint8_t b[4];
		size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		bool fine = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);

		for (size_t i = n; i-- > 1;)
			b[i] = (uint8_t)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
		b[0] = (uint8_t)(0xf0u << (4 - n) | c >> 6 * (n - 1));
		if (utf8_next((struct view){ b, n }) != (fine ? n : 0))
			ck_abort_msg("U+%x", c);
	}
}
END_TEST

START_TEST(a_text_is_valid_only_if_all_of_it_is)
{
	struct view good = BYTES("a\xc3\xa9\xf0\x9f\x94\x91"
				 "b"),
		    bad = BYTES("abc\xc3");

	ck_assert_uint_eq(utf8_head(view_of("abcdef"), 4).len, 4);
	ck_assert_uint_eq(utf8_head(view_of("abc"), 4).len, 3);
	ck_assert_uint_eq(utf8_head(view_of("ab\xe6\xbc\xa2"), 4).len,
	    2); /* no part of a character */
	ck_assert_uint_eq(utf8_head(view_of("ab\xe6\xbc\xa2"), 5).len, 5);
	ck_assert(utf8_valid(good));
	ck_assert(utf8_valid((struct view){ NULL, 0 }));
	ck_assert(!utf8_valid(bad));
}
END_TEST

/*
 * Times and UUIDs.
 */

static const struct {
	int64_t ms;
	const char *text;
} times[] = {
	{ 0, "1970-01-01 00:00:00.000" },
	{ 1502379443476, "2017-08-10 15:37:23.476" }, /* aws-iot B.5's example */
	{ 951827696789, "2000-02-29 12:34:56.789" },
	{ 2147483648000, "2038-01-19 03:14:08.000" },
	{ 253402300799999, "9999-12-31 23:59:59.999" },
	{ 253402300800000, "10000-01-01 00:00:00.000" },
	{ -1, "1969-12-31 23:59:59.999" },
	{ -62135596800000, "0001-01-01 00:00:00.000" },
	{ -62167219200000, "0000-01-01 00:00:00.000" }, /* before the first time of DER */
	{ -62167219200001, "-001-12-31 23:59:59.999" },
};

START_TEST(a_time_is_written_as_by_aws_in_any_time_zone)
{
	char text[TIMESTAMP_SIZE];

	setenv("TZ", "Pacific/Kiritimati", 1);
	timestamp_text(times[_i].ms, text);
	ck_assert_str_eq(text, times[_i].text);
}
END_TEST

START_TEST(a_time_out_of_range_fits_into_its_buffer)
{
	static const int64_t wild[] = { INT64_MIN, INT64_MAX, -1, -62135596800001 };
	char text[TIMESTAMP_SIZE];

	for (size_t i = 0; i < COUNT_OF(wild); i++) {
		memset(text, 'x', sizeof(text));
		timestamp_text(wild[i], text);
		ck_assert_ptr_nonnull(memchr(text, '\0', sizeof(text)));
	}
}
END_TEST

/* Every day of 800 years, compared with the rules of the calendar. */
START_TEST(every_day_follows_the_previous_day)
{
	static const unsigned lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct civil c = civil_of(-11676096000000); /* 1600-01-01 */

	ck_assert(c.year == 1600 && c.month == 1 && c.day == 1);
	for (int64_t day = 1; day < INT64_C(800) * 365; day++) {
		struct civil next = civil_of(-11676096000000 + day * 86400000);
		bool leap = c.year % 4 == 0 && (c.year % 100 != 0 || c.year % 400 == 0);
		bool last = c.day == lengths[c.month - 1] + (leap && c.month == 2);

		ck_assert_uint_eq(next.day, last ? 1 : c.day + 1);
		ck_assert_uint_eq(next.month, !last ? c.month : c.month % 12 + 1);
		ck_assert_int_eq(next.year, c.year + (last && c.month == 12));
		c = next;
	}
}
END_TEST

START_TEST(a_uuid_has_the_version_for_random)
{
	uint8_t zeros[16] = { 0 }, ones[16];
	char buffer[40];
	struct text t = text_in(buffer, sizeof(buffer));

	text_add_uuid(&t, zeros);
	ck_assert_str_eq(buffer, "00000000-0000-4000-8000-000000000000");
	memset(ones, 0xff, sizeof(ones));
	t = text_in(buffer, sizeof(buffer));
	text_add_uuid(&t, ones);
	ck_assert_str_eq(buffer, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("text");
	TCase *t = suite_case(suite, "lines");

	tcase_add_loop_test(t, foreign_bytes_cannot_end_their_field_in_a_line, 0,
	    COUNT_OF(escapes));
	tcase_add_test(t, trusted_bytes_are_appended_unchanged);
	tcase_add_test(t, control_characters_are_escaped);
	tcase_add_test(t, a_complete_line_keeps_its_quotes);
	tcase_add_test(t, no_byte_is_written_as_a_control_character);
	tcase_add_test(t, long_input_is_truncated);
	tcase_add_test(t, truncation_never_splits_an_escape_or_a_character);
	tcase_add_test(t, nothing_is_appended_after_truncation);
	tcase_add_test(t, a_formatted_text_is_appended_completely_or_not_at_all);
	tcase_add_test(t, hex_is_appended_in_lower_case);
	t = suite_case(suite, "JSON");
	tcase_add_loop_test(t, text_of_a_client_cannot_end_a_json_string, 0, COUNT_OF(jsons));
	tcase_add_test(t, no_byte_breaks_a_json_string);
	t = suite_case(suite, "UTF-8");
	tcase_add_loop_test(t, only_valid_utf8_has_a_character_length, 0, COUNT_OF(characters));
	tcase_add_test(t, exactly_the_valid_code_points_are_decoded);
	tcase_add_test(t, a_text_is_valid_only_if_all_of_it_is);
	t = suite_case(suite, "times");
	tcase_add_loop_test(t, a_time_is_written_as_by_aws_in_any_time_zone, 0, COUNT_OF(times));
	tcase_add_test(t, a_time_out_of_range_fits_into_its_buffer);
	tcase_add_test(t, every_day_follows_the_previous_day);
	tcase_add_test(t, a_uuid_has_the_version_for_random);
	return suite_run(suite);
}
