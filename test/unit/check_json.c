/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_json.c - strict reading of JSON (json.h).
 *
 * Text that cJSON accepts and RFC 8259 or the plugin does not is refused in bounded time.
 * Violated constraints have AWS's texts (aws-iot 1.5).
 */
#include <stdio.h>
#include <string.h>

#include "jitr/adapter/json.h"
#include "suite.h"

#define DEPTH 4

#define BYTES(literal) \
	{ \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

/*
 * The text as a whole.
 */

static const struct {
	const char *what;
	struct view text;
} accepted[] = {
	{ "an object", BYTES("{}") },
	{ "every kind of value", BYTES("{\"a\":[1,-2.5e3,true,false,null,\"x\"]}") },
	{ "space around it", BYTES(" \t\r\n{} \t\r\n") },
	{ "a value that is no object", BYTES("7") },
	{ "as deep as may be", BYTES("[[[[1]]]]") },
	{ "brackets in a string", BYTES("[\"[[[[[[{{{{\"]") },
	{ "a quote in a string before brackets", BYTES("[\"\\\"[[[[[[\"]") },
	{ "many side by side", BYTES("[[[]],[[]],[[]],[[]],[[]],[[]]]") },
	{ "letters beyond ASCII", BYTES("\"\xc3\xa9\xf0\x9f\x94\x91\"") },
	{ "a surrogate pair, escaped", BYTES("\"\\ud83d\\udd11\"") },
	{ "a backslash before u0000", BYTES("\"\\\\u0000\"") },
	{ "U+0001, escaped", BYTES("\"\\u0001\"") },
	{ "a byte order mark", BYTES("\xef\xbb\xbf{}") },
	{ "names that differ in case", BYTES("{\"a\":1,\"A\":2}") },
	{ "the same name in two objects", BYTES("[{\"a\":1},{\"a\":1}]") },
};

static const struct {
	const char *what;
	struct view text;
	const char *why;
} refused[] = {
	{ "nothing", BYTES(""), "it is empty" },
	{ "blanks", BYTES("  "), "it is not JSON" },
	{ "a word", BYTES("hello"), "it is not JSON" },
	{ "half an object", BYTES("{\"a\":"), "it is not JSON" },
	{ "a string without an end", BYTES("\"abc"), "it is not JSON" },
	{ "a string that ends in an escape", BYTES("\"abc\\"), "it is not JSON" },
	{ "a comma too many", BYTES("[1,]"), "it is not JSON" },
	{ "a byte order mark before one byte, which cJSON does not skip",
	    BYTES("\xef\xbb\xbf"
		  "0"),
	    "it is not JSON" },
	{ "a name without quotes", BYTES("{a:1}"), "it is not JSON" },
	{ "a lone surrogate, escaped", BYTES("\"\\ud83d\""), "it is not JSON" },
	{ "something behind it", BYTES("{} x"), "unexpected text after the JSON value" },
	{ "a second value", BYTES("{}{}"), "unexpected text after the JSON value" },
	{ "a bracket behind it", BYTES("[]]"), "unexpected text after the JSON value" },
	{ "a NUL behind it", BYTES("{}\0"), "it contains a NUL" },
	{ "a NUL in a string", BYTES("\"a\0b\""), "it contains a NUL" },
	{ "an escaped NUL, at which cJSON's strings end", BYTES("\"\\u0000\""),
	    "a string contains \\u0000" },
	{ "an escaped NUL in a name", BYTES("{\"a\\u0000b\":1}"), "a string contains \\u0000" },
	{ "an escaped NUL behind an escaped backslash", BYTES("\"\\\\\\u0000\""),
	    "a string contains \\u0000" },
	{ "too deep", BYTES("[[[[[1]]]]]"), "it is nested too deeply" },
	{ "too deep in objects", BYTES("{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}"),
	    "it is nested too deeply" },
	{ "too deep behind a string with a quote", BYTES("[\"\\\"\",[[[[1]]]]]"),
	    "it is nested too deeply" },
	{ "too deep, behind more closed than opened", BYTES("]]]]]][[[[[1]]]]]"),
	    "it is nested too deeply" },
	{ "broken UTF-8", BYTES("\"\xff\""), "it is not UTF-8" },
	{ "an overlong character", BYTES("\"\xc0\xaf\""), "it is not UTF-8" },
	{ "a surrogate", BYTES("\"\xed\xa0\x80\""), "it is not UTF-8" },
	{ "a name twice", BYTES("{\"a\":1,\"a\":2}"), "member 'a' is given twice" },
	{ "a name twice, once escaped", BYTES("{\"a\":1,\"\\u0061\":2}"),
	    "member 'a' is given twice" },
	{ "a name twice, deep inside", BYTES("[{\"x\":[{\"b\":1,\"c\":2,\"b\":3}]}]"),
	    "member 'b' is given twice" },
	{ "an empty name twice", BYTES("{\"\":1,\"\":2}"), "member '' is given twice" },
};

static enum err
parse(struct view text, cJSON **out, struct diag *diag)
{
	return json_parse(text, DEPTH, out, diag);
}

START_TEST(valid_json_is_read)
{
	struct diag diag = { "" };
	cJSON *json = NULL;

	ck_assert_msg(parse(accepted[_i].text, &json, &diag) == ERR_OK, "%s: %s", accepted[_i].what,
	    diag.text);
	ck_assert_ptr_nonnull(json);
	cJSON_Delete(json);
}
END_TEST

START_TEST(invalid_json_is_refused_with_the_reason)
{
	struct diag diag = { "" };
	cJSON *json = NULL;

	ck_assert_msg(parse(refused[_i].text, &json, &diag) == ERR_REQUEST, "%s", refused[_i].what);
	ck_assert_msg(strstr(diag.text, refused[_i].why) != NULL, "%s: %s", refused[_i].what,
	    diag.text);
	ck_assert_ptr_null(json);
}
END_TEST

/* As editors count: lines and columns from 1, columns in characters. */
static const struct {
	struct view text;
	const char *says;
} places[] = {
	{ BYTES("hello"), "it is not JSON (line 1, column 1)" },
	{ BYTES("{a:1}"), "it is not JSON (line 1, column 2)" },
	{ BYTES("{\"a\":1, b:1}"), "it is not JSON (line 1, column 9)" },
	{ BYTES("{\"a\":1,}"), "it is not JSON (line 1, column 8)" },
	{ BYTES("{\n}}"), "unexpected text after the JSON value (line 2, column 2)" },
	{ BYTES("[1,2x]"), "it is not JSON (line 1, column 5)" },
	{ BYTES("[1, x]"), "it is not JSON (line 1, column 5)" },
	{ BYTES("{\"a\":,1}"), "it is not JSON (line 1, column 6)" },
	{ BYTES("{\"a\" 1}"), "it is not JSON (line 1, column 6)" },
	{ BYTES("[1,2,]"), "it is not JSON (line 1, column 6)" },
	{ BYTES("{\"a\":1 \"b\":2}"), "it is not JSON (line 1, column 8)" },
	{ BYTES("{\n  \"Effect\" \"Allow\"\n}"), "it is not JSON (line 2, column 12)" },
	{ BYTES("{\r\n\"a\":1,\r\n\"b\":tru\r\n}"), "it is not JSON (line 3, column 5)" },
	{ BYTES("{\"\xc3\xa9\xe2\x82\xac\":x}"), "it is not JSON (line 1, column 7)" },
	{ BYTES("{\n\"a\":[1,\n2"), "it is not JSON (line 3, column 1)" },
	{ BYTES("{\"a\":\"b\\q\"}"), "it is not JSON (line 1, column 8)" },
	{ BYTES("[\n\"\xff\"]"), "it is not UTF-8 (line 2, column 2)" },
	{ BYTES("[\"a\0b\"]"), "it contains a NUL (line 1, column 4)" },
	{ BYTES("[\"a\\u0000\"]"), "a string contains \\u0000 (line 1, column 4)" },
	{ BYTES("[\n[\n[[[1]]]]]"), "it is nested too deeply (line 3, column 3)" },
	{ BYTES("{}\n x"), "unexpected text after the JSON value (line 2, column 2)" },
};

START_TEST(an_error_is_reported_with_its_position)
{
	struct diag diag = { "" };
	cJSON *json = NULL;

	ck_assert_int_eq(parse(places[_i].text, &json, &diag), ERR_REQUEST);
	ck_assert_msg(strstr(diag.text, places[_i].says) != NULL, "%s", diag.text);
}
END_TEST

/* Bytes behind the view must not be read. */
START_TEST(a_truncated_request_is_read_within_its_bounds)
{
	static const char text[] = "{\"commands\":[{\"command\":\"a\\u00e9\\\\\",\"n\":-1.5e3}]}";

	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len > 0 ? len : 1);
		cJSON *json = NULL;

		memcpy(copy, text, len);
		if (parse((struct view){ (uint8_t *)copy, len }, &json, NULL) == ERR_OK) {
			ck_assert_uint_ge(len, sizeof(text) - 1);
			cJSON_Delete(json);
		}
		free(copy);
	}
}
END_TEST

/*
 * Bounded time: each of these takes minutes with quadratic reading.
 */

#define LARGE (512 * 1024)

static void
parse_times(const char *head, const char *piece, size_t times, const char *tail, enum err expected)
{
	char *text = malloc(LARGE + 64);
	size_t len = strlen(head), piece_len = strlen(piece);
	cJSON *json = NULL;

	memcpy(text, head, len);
	for (size_t n = 0; n < times && len + piece_len < LARGE; n++, len += piece_len)
		memcpy(text + len, piece, piece_len);
	memcpy(text + len, tail, strlen(tail));
	len += strlen(tail);
	ck_assert_int_eq(parse((struct view){ (uint8_t *)text, len }, &json, NULL), expected);
	if (expected == ERR_OK)
		cJSON_Delete(json);
	free(text);
}

/* Repeats a text up to the size of the buffer. */
static void
parse_repeated(const char *head, const char *piece, const char *tail, enum err expected)
{
	parse_times(head, piece, LARGE, tail, expected);
}

/* Each value takes time and memory, however short it is. */
START_TEST(values_are_counted)
{
	static const struct {
		const char *head, *piece, *tail;
		size_t of_each, besides;
	} texts[] = {
		{ "[", "0,", "0]", 1, 1 },
		{ "[", "{},", "0]", 2, 1 },
		{ "[", "[[]],", "0]", 3, 1 },
		{ "[", "{\"a\":1,\"b\":2},", "0]", 3, 1 },
		{ "\"", "\\u00e9", "\"", 1, 0 },
	};

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		size_t most = (JSON_VALUES_MAX - texts[i].besides) / texts[i].of_each;

		parse_times(texts[i].head, texts[i].piece, most, texts[i].tail, ERR_OK);
		parse_times(texts[i].head, texts[i].piece, most + 1, texts[i].tail, ERR_REQUEST);
	}
	parse_repeated("\"", "[{,", "\"", ERR_OK); /* commas in a string are not counted */
}
END_TEST

START_TEST(a_huge_array_is_read_in_bounded_time)
{
	parse_repeated("[", "0,", "0]", ERR_REQUEST);
	parse_repeated("[", "{},", "0]", ERR_REQUEST);
	parse_repeated("[", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4},", "0]", ERR_REQUEST);
}
END_TEST

START_TEST(a_huge_object_is_refused_in_bounded_time)
{
	parse_repeated("{", "\"a\":0,", "\"b\":0}", ERR_REQUEST);
	parse_repeated("", "[", "", ERR_REQUEST);
	parse_repeated("", "{\"a\":", "", ERR_REQUEST);
	parse_repeated("\"", "\\\\", "\"", ERR_OK);
}
END_TEST

static enum err
parse_object_of(int members)
{
	char text[2048] = "{";
	struct diag diag;
	cJSON *json = NULL;
	enum err e;

	for (int i = 0; i < members; i++)
		sprintf(text + strlen(text), "%s\"m%d\":%d", i > 0 ? "," : "", i, i);
	strcat(text, "}");
	e = parse(view_of(text), &json, &diag);
	cJSON_Delete(e == ERR_OK ? json : NULL);
	return e;
}

START_TEST(the_number_of_members_of_an_object_is_limited)
{
	ck_assert_int_eq(parse_object_of(JSON_MEMBERS_MAX), ERR_OK);
	ck_assert_int_eq(parse_object_of(JSON_MEMBERS_MAX + 1), ERR_REQUEST);
}
END_TEST

/*
 * Members.
 */

static cJSON *object;
static struct diag diag;

/* The members of an object, with diag empty. */
static struct members
members_of(const char *text)
{
	diag.text[0] = '\0';
	cJSON_Delete(object);
	object = NULL;
	ck_assert_int_eq(json_parse(view_of(text), 8, &object, &diag), ERR_OK);
	return json_members(object, &diag);
}

static void
forget_object(void)
{
	cJSON_Delete(object);
	object = NULL;
}

#define VIOLATION "1 validation error detected: Value"

static void
ck_violation(const struct members *m, const char *text)
{
	ck_assert_int_eq(m->failed, ERR_REQUEST);
	ck_assert_str_eq(diag.text, text);
}

START_TEST(a_string_has_its_value_and_length)
{
	struct members m = members_of(
	    "{\"a\":\"value\",\"e\":\"\",\"u\":\"\xc3\xa9\xf0\x9f\x94\x91\"}");

	ck_assert_str_eq(json_string(&m, "a", 5, 5, true), "value");
	ck_assert_str_eq(json_string(&m, "e", 0, 5, true), "");
	ck_assert_ptr_nonnull(json_string(&m, "u", 2, 2, true)); /* characters, not bytes */
	ck_assert_ptr_null(json_string(&m, "none", 0, 5, false));
	ck_assert_ptr_null(json_string(&m, "A", 0, 5, false)); /* case counts */
	ck_assert_int_eq(m.failed, ERR_OK);
}
END_TEST

static const struct {
	const char *text;
	size_t min, max;
	const char *words;
} bad_strings[] = {
	{ "{}", 0, 9, VIOLATION " at 'a' failed to satisfy constraint: Member must not be null" },
	{ "{\"a\":null}", 0, 9,
	    VIOLATION " at 'a' failed to satisfy constraint: Member must not be null" },
	{ "{\"a\":1}", 0, 9,
	    VIOLATION " at 'a' failed to satisfy constraint: Member must be a string" },
	{ "{\"a\":[\"x\"]}", 0, 9,
	    VIOLATION " at 'a' failed to satisfy constraint: Member must be a string" },
	{ "{\"a\":true}", 0, 9,
	    VIOLATION " at 'a' failed to satisfy constraint: Member must be a string" },
	{ "{\"a\":\"xyz\"}", 64, 64,
	    VIOLATION " 'xyz' at 'a' failed to satisfy constraint: "
		      "Member must have length greater than or equal to 64" },
	{ "{\"a\":\"xyz\"}", 1, 2,
	    VIOLATION " 'xyz' at 'a' failed to satisfy constraint: "
		      "Member must have length less than or equal to 2" },
	{ "{\"a\":\"123456789012345678901234567890123456789012345678x\"}", 1, 2,
	    VIOLATION " '123456789012345678901234567890123456789012345678...' at 'a' failed to "
		      "satisfy constraint: Member must have length less than or equal to 2" },
};

START_TEST(a_violated_constraint_is_reported_with_the_text_of_aws)
{
	struct members m = members_of(bad_strings[_i].text);

	ck_assert_ptr_null(json_string(&m, "a", bad_strings[_i].min, bad_strings[_i].max, true));
	ck_violation(&m, bad_strings[_i].words);
}
END_TEST

START_TEST(only_true_and_false_are_booleans)
{
	static const char *const wrong[] = { "{\"a\":1}", "{\"a\":0}", "{\"a\":\"true\"}",
		"{\"a\":[]}" };
	struct members m = members_of("{\"t\":true,\"f\":false,\"n\":null}");

	ck_assert(json_bool(&m, "t", false));
	ck_assert(!json_bool(&m, "f", true));
	ck_assert(json_bool(&m, "n", true));
	ck_assert(json_bool(&m, "none", true));
	ck_assert(!json_bool(&m, "none", false));
	ck_assert_int_eq(m.failed, ERR_OK);
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		m = members_of(wrong[i]);
		ck_assert(!json_bool(&m, "a", false));
		ck_violation(&m,
		    VIOLATION " at 'a' failed to satisfy constraint: Member must be a "
			      "boolean");
	}
}
END_TEST

START_TEST(an_integer_within_its_bounds_is_read)
{
	struct members m = members_of(
	    "{\"one\":1,\"most\":250,\"e\":1e2,\"z\":-0,\"l\":9007199254740992}");

	ck_assert_int_eq(json_integer(&m, "one", 1, 250, 25), 1);
	ck_assert_int_eq(json_integer(&m, "most", 1, 250, 25), 250);
	ck_assert_int_eq(json_integer(&m, "e", 1, 250, 25), 100);
	ck_assert_int_eq(json_integer(&m, "z", 0, 250, 25), 0);
	ck_assert_int_eq(json_integer(&m, "l", 0, INT64_MAX, 25), 9007199254740992);
	ck_assert_int_eq(json_integer(&m, "none", 1, 250, 25), 25);
	ck_assert_int_eq(m.failed, ERR_OK);
}
END_TEST

static const struct {
	const char *text, *words;
} bad_integers[] = {
	{ "{\"a\":1.5}",
	    VIOLATION " at 'a' failed to satisfy constraint: Member must be an integer" },
	{ "{\"a\":\"5\"}",
	    VIOLATION " at 'a' failed to satisfy constraint: Member must be an integer" },
	{ "{\"a\":true}",
	    VIOLATION " at 'a' failed to satisfy constraint: Member must be an integer" },
	{ "{\"a\":1e300}",
	    VIOLATION " at 'a' failed to satisfy constraint: Member must be an integer" },
	{ "{\"a\":1e999}",
	    VIOLATION " at 'a' failed to satisfy constraint: Member must be an integer" },
	{ "{\"a\":-1e999}",
	    VIOLATION " at 'a' failed to satisfy constraint: Member must be an integer" },
	{ "{\"a\":0}",
	    VIOLATION " '0' at 'a' failed to satisfy constraint: Member must have value "
		      "greater than or equal to 1" },
	{ "{\"a\":-7}",
	    VIOLATION " '-7' at 'a' failed to satisfy constraint: Member must have value "
		      "greater than or equal to 1" },
	{ "{\"a\":251}",
	    VIOLATION " '251' at 'a' failed to satisfy constraint: Member must have value "
		      "less than or equal to 250" },
};

START_TEST(other_values_are_not_integers)
{
	struct members m = members_of(bad_integers[_i].text);

	ck_assert_int_eq(json_integer(&m, "a", 1, 250, 25), 25);
	ck_violation(&m, bad_integers[_i].words);
}
END_TEST

START_TEST(objects_and_lists_are_distinguished)
{
	struct members m = members_of("{\"o\":{\"x\":1},\"l\":[1,2,3]}");

	ck_assert_ptr_nonnull(json_object(&m, "o"));
	ck_assert_ptr_nonnull(json_array(&m, "l", 3));
	ck_assert_ptr_null(json_object(&m, "none"));
	ck_assert_ptr_null(json_array(&m, "none", 3));
	ck_assert_int_eq(m.failed, ERR_OK);
	ck_assert_ptr_null(json_object(&m, "l"));
	ck_violation(&m,
	    VIOLATION " at 'l' failed to satisfy constraint: Member must be an object");
	m = members_of("{\"o\":{},\"l\":[1,2,3]}");
	ck_assert_ptr_null(json_array(&m, "o", 3));
	ck_violation(&m, VIOLATION " at 'o' failed to satisfy constraint: Member must be a list");
	m = members_of("{\"l\":[1,2,3]}");
	(void)json_array(&m, "l", 2);
	ck_violation(&m,
	    VIOLATION " at 'l' failed to satisfy constraint: Member must have length "
		      "less than or equal to 2");
}
END_TEST

static const char id_text[] = "00FF10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165afa";

START_TEST(an_id_is_read_in_either_case)
{
	char text[128], hex[CERTID_HEX_SIZE];
	struct certid id;
	struct members m;

	snprintf(text, sizeof(text), "{\"a\":\"%s\"}", id_text);
	m = members_of(text);
	json_certid(&m, "a", &id);
	ck_assert_int_eq(m.failed, ERR_OK);
	certid_to_hex(&id, hex);
	ck_assert_str_eq(hex, "00ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165afa");
}
END_TEST

/* aws-iot 1.5 and 1.7; 0x with 62 digits fits AWS's pattern and names nothing. */
static const struct {
	const char *text, *words;
} bad_ids[] = {
	{ "{}", VIOLATION " at 'a' failed to satisfy constraint: Member must not be null" },
	{ "{\"a\":\"abc\"}",
	    VIOLATION " 'abc' at 'a' failed to satisfy constraint: Member must have "
		      "length greater than or equal to 64" },
	{ "{\"a\":\"00ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165afa0\"}",
	    VIOLATION " '00ff10a5deadbeef2511e09354e2637da199073792924a89...' at 'a' failed to "
		      "satisfy constraint: Member must have length less than or equal to 64" },
	{ "{\"a\":\"00ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165afx\"}",
	    VIOLATION " '00ff10a5deadbeef2511e09354e2637da199073792924a89...' at 'a' failed to "
		      "satisfy constraint: Member must satisfy regular expression pattern: "
		      "(0x)?[a-fA-F0-9]+" },
	{ "{\"a\":\"0x00ff10a5deadbeef2511e09354e2637da199073792924a89fc52de90e9165a\"}",
	    VIOLATION " '0x00ff10a5deadbeef2511e09354e2637da199073792924a...' at 'a' failed to "
		      "satisfy constraint: Member must satisfy regular expression pattern: "
		      "(0x)?[a-fA-F0-9]+" },
};

START_TEST(other_values_are_not_ids)
{
	struct members m = members_of(bad_ids[_i].text);
	struct certid id;

	json_certid(&m, "a", &id);
	ck_violation(&m, bad_ids[_i].words);
}
END_TEST

START_TEST(a_word_is_one_of_a_set)
{
	static const char *const words[] = { "ACTIVE", "INACTIVE" };
	struct members m = members_of("{\"a\":\"INACTIVE\"}");

	ck_assert_int_eq(json_word(&m, "a", words, 2, true), 1);
	ck_assert_int_eq(json_word(&m, "none", words, 2, false), -1);
	ck_assert_int_eq(m.failed, ERR_OK);
	m = members_of("{\"a\":\"DISABLE\"}");
	ck_assert_int_eq(json_word(&m, "a", words, 2, false), -1);
	ck_violation(&m,
	    VIOLATION " 'DISABLE' at 'a' failed to satisfy constraint: Member must "
		      "satisfy enum value set: [ACTIVE, INACTIVE]");
	m = members_of("{\"a\":\"active\"}");
	ck_assert_int_eq(json_word(&m, "a", words, 2, false), -1);
	m = members_of("{}");
	ck_assert_int_eq(json_word(&m, "a", words, 2, true), -1);
	ck_violation(&m, VIOLATION " at 'a' failed to satisfy constraint: Member must not be null");
}
END_TEST

START_TEST(after_the_first_failure_later_reads_return_nothing)
{
	struct members m = members_of("{\"a\":1,\"b\":\"fine\",\"c\":5,\"d\":[]}");

	ck_assert_ptr_null(json_string(&m, "a", 0, 9, true));
	ck_assert_ptr_null(json_string(&m, "b", 0, 9, true));
	(void)json_integer(&m, "c", 6, 9, 0);
	(void)json_bool(&m, "d", false);
	ck_violation(&m, VIOLATION " at 'a' failed to satisfy constraint: Member must be a string");
}
END_TEST

START_TEST(an_unknown_member_is_reported)
{
	static const char *const names[] = { "a", "b" };
	struct members m = members_of("{\"a\":1,\"b\":2}");

	json_only(&m, names, 2);
	ck_assert_int_eq(m.failed, ERR_OK);
	m = members_of("{\"a\":1,\"setAsActiv\":true}");
	json_only(&m, names, 2);
	ck_violation(&m, "Unknown member 'setAsActiv'");
	m = members_of("{\"B\":2}");
	json_only(&m, names, 2);
	ck_violation(&m, "Unknown member 'B'");
}
END_TEST

START_TEST(null_is_the_same_as_absent)
{
	struct members m = members_of("{\"a\":null,\"b\":0}");

	ck_assert(!json_has(&m, "a"));
	ck_assert(json_has(&m, "b"));
	ck_assert(!json_has(&m, "c"));
	ck_assert_int_eq(json_integer(&m, "a", 1, 9, 5), 5);
	ck_assert_ptr_null(json_object(&m, "a"));
	ck_assert_ptr_null(json_array(&m, "a", 5));
	ck_assert_int_eq(m.failed, ERR_OK);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json");
	TCase *t = suite_case(suite, "text");

	tcase_set_timeout(t, 20); /* bounded reading takes a fraction of this */
	tcase_add_loop_test(t, valid_json_is_read, 0, COUNT_OF(accepted));
	tcase_add_loop_test(t, invalid_json_is_refused_with_the_reason, 0, COUNT_OF(refused));
	tcase_add_loop_test(t, an_error_is_reported_with_its_position, 0, COUNT_OF(places));
	tcase_add_test(t, a_truncated_request_is_read_within_its_bounds);
	tcase_add_test(t, values_are_counted);
	tcase_add_test(t, a_huge_array_is_read_in_bounded_time);
	tcase_add_test(t, a_huge_object_is_refused_in_bounded_time);
	tcase_add_test(t, the_number_of_members_of_an_object_is_limited);
	t = suite_case(suite, "members");
	tcase_add_checked_fixture(t, NULL, forget_object);
	tcase_add_test(t, a_string_has_its_value_and_length);
	tcase_add_loop_test(t, a_violated_constraint_is_reported_with_the_text_of_aws, 0,
	    COUNT_OF(bad_strings));
	tcase_add_test(t, only_true_and_false_are_booleans);
	tcase_add_test(t, an_integer_within_its_bounds_is_read);
	tcase_add_loop_test(t, other_values_are_not_integers, 0, COUNT_OF(bad_integers));
	tcase_add_test(t, objects_and_lists_are_distinguished);
	tcase_add_test(t, an_id_is_read_in_either_case);
	tcase_add_loop_test(t, other_values_are_not_ids, 0, COUNT_OF(bad_ids));
	tcase_add_test(t, a_word_is_one_of_a_set);
	tcase_add_test(t, after_the_first_failure_later_reads_return_nothing);
	tcase_add_test(t, an_unknown_member_is_reported);
	tcase_add_test(t, null_is_the_same_as_absent);
	return suite_run(suite);
}
