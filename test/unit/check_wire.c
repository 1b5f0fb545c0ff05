/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_wire.c - the bytes of the link (wire.h).
 *
 * A payload is decoded as it was encoded, has one encoding only, and no bytes do harm.  The
 * table of types and the example are those of doc/link.md.
 */
#include <stdio.h>

#include "document.h"
#include "jitr/core/event.h"
#include "jitr/core/wire.h"
#include "jitr/core/wire_registration.h"
#include "suite.h"

#define DOCUMENT "doc/link.md"

/* A payload of any type, so that one table drives all tests. */
struct payload {
	union {
		struct wire_config config;
		struct control_request request;
		uint64_t number;
		const char *line;
		struct wire_hello hello;
		struct control_answer answer;
		struct wire_change change;
		struct wire_log log;
		struct wire_state state;
	} as;
};

struct kind {
	const char *name;
	size_t (*put)(const struct payload *p, uint8_t *out, size_t size);
	enum err (*get)(struct view in, struct payload *p);
};

#define KIND(name, member) \
	static size_t put_##name(const struct payload *p, uint8_t *out, size_t size) \
	{ \
		return wire_put_##name(&p->as.member, out, size); \
	} \
	static enum err get_##name(struct view in, struct payload *p) \
	{ \
		return wire_get_##name(in, &p->as.member); \
	}

KIND(config, config)
KIND(request, request)
KIND(hello, hello)
KIND(answer, answer)
KIND(change, change)
KIND(log, log)
KIND(state, state)

static size_t
put_number(const struct payload *p, uint8_t *out, size_t size)
{
	return wire_put_number(p->as.number, out, size);
}

static enum err
get_number(struct view in, struct payload *p)
{
	return wire_get_number(in, &p->as.number);
}

static size_t
put_line(const struct payload *p, uint8_t *out, size_t size)
{
	return wire_put_line(p->as.line, out, size);
}

static enum err
get_line(struct view in, struct payload *p)
{
	return wire_get_line(in, &p->as.line);
}

#define ROW(name) \
	{ \
#name, put_##name, get_##name \
	}

enum { CONFIG, REQUEST, NUMBER, LINE, HELLO, ANSWER, CHANGE, LOG, STATE };

static const struct kind kinds[] = { ROW(config), ROW(request), ROW(number), ROW(line), ROW(hello),
	ROW(answer), ROW(change), ROW(log), ROW(state) };

static const struct certid ids[] = { { .b = { 1, 2, 3 } }, { .b = { 0xff, 0xfe } } };

static const struct {
	unsigned kind;
	struct payload payload;
} rows[] = {
	{ CONFIG,
	    { .as.config = { .protocol = WIRE_PROTOCOL,
		  .version = "1.2.3",
		  .options = { 2, { { "db_path", "/var/lib/jitr" }, { "log_file", "" } } },
		  .facts = { 1, { { "broker_version", "2.0.11" } } } } } },
	{ CONFIG, { .as.config = { .protocol = WIRE_PROTOCOL, .version = "" } } },
	{ REQUEST,
	    { .as.request = { .caller = { .session = 5,
				  .administration = ADMINISTRATION_ALL,
				  .client_id = "admin",
				  .user_name = "root",
				  .address = "192.0.2.1" },
		  .payload = { (const uint8_t *)"{\"commands\":[]}", 15 } } } },
	{ REQUEST,
	    { .as.request = { .caller = { .session = UINT64_MAX,
				  .administration = ADMINISTRATION_BY_POLICY,
				  .has_certificate = true,
				  .certificate = { .b = { 7 } },
				  .by_plan = true,
				  .persistent_connect = ANSWER_YES,
				  .client_id = "" },
		  .response_topic = "answers/1",
		  .payload = { NULL, REQUEST_MAX + 1 } } } },
	{ REQUEST, { .as.request = { .caller.client_id = "a" } } },
	{ NUMBER, { .as.number = 0x0102030405060708 } },
	{ LINE, { .as.line = "a line" } },
	{ LINE, { .as.line = "" } },
	{ HELLO, { .as.hello = { 7, "1.2.3" } } },
	{ ANSWER,
	    { .as.answer = { .session = 1,
		  .response_topic = "a",
		  .payload = { (const uint8_t *)"{}", 2 } } } },
	{ ANSWER, { .as.answer = { .session = UINT64_MAX } } },
	{ ANSWER, { .as.answer = { .throttled = true, .response_topic = "a" } } },
	{ ANSWER, { .as.answer = { .payload = { (const uint8_t *)"{}", 2 } } } },
	{ CHANGE, { .as.change = { .kind = WIRE_CHANGED_ANYTHING } } },
	{ CHANGE, { .as.change = { .kind = WIRE_CHANGED_CERTIFICATE, .ids = ids, .count = 1 } } },
	{ CHANGE, { .as.change = { .kind = WIRE_CHANGED_POLICY, .name = "policy" } } },
	{ CHANGE, { .as.change = { .kind = WIRE_CHANGED_THING, .name = "thing" } } },
	{ CHANGE, { .as.change = { .kind = WIRE_CHANGED_CRL, .ids = ids, .count = 2 } } },
	{ CHANGE, { .as.change = { .kind = WIRE_CHANGED_CRL } } },
	{ CHANGE, { .as.change = { .kind = WIRE_CHANGED_CRL_REMOVED, .ids = ids, .count = 1 } } },
	{ CHANGE, { .as.change = { .kind = WIRE_CHANGED_EVENTS } } },
	{ LOG, { .as.log = { 4, "an error" } } },
	{ STATE,
	    { .as.state = { 1, 2, 3, 4, 5, .count = 2, .counters = { { 0, 9 }, { 127, 1 } } } } },
	{ STATE, { .as.state = { .count = 0 } } },
};

/* In a buffer of exactly the size: a sanitizer sees a byte written behind it. */
static uint8_t *
encode(const struct kind *kind, const struct payload *p, size_t *len)
{
	size_t size = kind->put(p, NULL, SIZE_MAX);
	uint8_t *bytes = malloc(size);

	ck_assert_msg(size > 0 && bytes != NULL, "%s has no encoding", kind->name);
	*len = kind->put(p, bytes, size);
	ck_assert_uint_eq(*len, size);
	return bytes;
}

static enum err
decode(const struct kind *kind, const uint8_t *bytes, size_t len, struct payload *out)
{
	return kind->get((struct view){ bytes, len }, out);
}

static void
assert_refused(const struct kind *kind, const uint8_t *bytes, size_t len, const char *what)
{
	static const struct payload zero;
	uint8_t *exact = malloc(len + 1);
	struct payload p;

	memset(&p, 0, sizeof(p));
	memcpy(exact, bytes, len);
	exact = realloc(exact, len > 0 ? len : 1);
	ck_assert_msg(decode(kind, exact, len, &p) == ERR_CORRUPT, "%s: %s is accepted", kind->name,
	    what);
	ck_assert_msg(memcmp(&p, &zero, sizeof(p)) == 0, "%s: %s leaves something", kind->name,
	    what);
	free(exact);
}

static void
assert_same_bytes(const struct kind *kind, const struct payload *p, const uint8_t *bytes,
    size_t len)
{
	size_t again_len;
	uint8_t *again = encode(kind, p, &again_len);

	ck_assert_uint_eq(again_len, len);
	ck_assert_mem_eq(again, bytes, len);
	free(again);
}

START_TEST(a_payload_is_decoded_as_it_was_encoded)
{
	const struct kind *kind = &kinds[rows[_i].kind];
	struct payload p;
	size_t len;
	uint8_t *bytes = encode(kind, &rows[_i].payload, &len);

	ck_assert_int_eq(decode(kind, bytes, len, &p), ERR_OK);
	assert_same_bytes(kind, &p, bytes, len);
	free(bytes);
}
END_TEST

START_TEST(members_are_those_that_were_encoded)
{
	struct payload p;
	size_t len;
	uint8_t *bytes = encode(&kinds[REQUEST], &rows[2].payload, &len);

	ck_assert_int_eq(decode(&kinds[REQUEST], bytes, len, &p), ERR_OK);
	ck_assert_uint_eq(p.as.request.number, 0);
	ck_assert_uint_eq(p.as.request.caller.session, 5);
	ck_assert_int_eq(p.as.request.caller.administration, ADMINISTRATION_ALL);
	ck_assert_str_eq(p.as.request.caller.client_id, "admin");
	ck_assert_str_eq(p.as.request.caller.user_name, "root");
	ck_assert_str_eq(p.as.request.caller.address, "192.0.2.1");
	ck_assert_ptr_null(p.as.request.response_topic);
	ck_assert(view_equal(p.as.request.payload, rows[2].payload.as.request.payload));
	free(bytes);
	bytes = encode(&kinds[CHANGE], &rows[17].payload, &len);
	ck_assert_int_eq(decode(&kinds[CHANGE], bytes, len, &p), ERR_OK);
	ck_assert_uint_eq(p.as.change.count, 2);
	ck_assert(certid_equal(&p.as.change.ids[1], &ids[1]));
	free(bytes);
}
END_TEST

START_TEST(of_a_long_request_the_length_alone_is_sent)
{
	struct control_request request = rows[3].payload.as.request;
	struct payload p;
	size_t len;
	uint8_t *bytes = encode(&kinds[REQUEST], &rows[3].payload, &len);

	ck_assert_int_eq(decode(&kinds[REQUEST], bytes, len, &p), ERR_OK);
	ck_assert(p.as.request.caller.has_certificate);
	ck_assert_uint_eq(p.as.request.caller.certificate.b[0], 7);
	ck_assert(p.as.request.caller.by_plan);
	ck_assert_int_eq(p.as.request.caller.persistent_connect, ANSWER_YES);
	ck_assert_str_eq(p.as.request.caller.client_id, "");
	ck_assert_ptr_null(p.as.request.caller.user_name);
	ck_assert_str_eq(p.as.request.response_topic, "answers/1");
	ck_assert_ptr_null(p.as.request.payload.data);
	ck_assert_uint_eq(p.as.request.payload.len, REQUEST_MAX + 1);
	request.payload.data = bytes; /* not read */
	ck_assert_uint_eq(wire_put_request(&request, NULL, SIZE_MAX), len);
	free(bytes);
}
END_TEST

START_TEST(a_truncated_or_longer_payload_is_refused)
{
	const struct kind *kind = &kinds[rows[_i].kind];
	size_t len;
	uint8_t *bytes = encode(kind, &rows[_i].payload, &len);

	for (size_t left = 0; left < len; left++)
		assert_refused(kind, bytes, left, "a truncated payload");
	bytes = realloc(bytes, len + 1);
	bytes[len] = 0;
	assert_refused(kind, bytes, len + 1, "a byte too many");
	free(bytes);
}
END_TEST

START_TEST(nothing_is_written_behind_a_buffer_that_is_too_small)
{
	const struct kind *kind = &kinds[rows[_i].kind];
	size_t len = kind->put(&rows[_i].payload, NULL, SIZE_MAX);

	for (size_t size = 1; size < len; size++) {
		uint8_t *bytes = malloc(size);

		must(kind->put(&rows[_i].payload, bytes, size) == 0);
		free(bytes);
	}
}
END_TEST

static uint32_t
random_number(void)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

START_TEST(a_changed_payload_is_refused_or_encodes_to_the_same_bytes)
{
	const struct kind *kind = &kinds[rows[_i].kind];
	struct payload p;
	size_t len;
	uint8_t *bytes = encode(kind, &rows[_i].payload, &len);

	for (size_t round = 0; round < 5000; round++) {
		size_t at = random_number() % len;
		uint8_t was = bytes[at];

		bytes[at] = (uint8_t)random_number();
		if (decode(kind, bytes, len, &p) == ERR_OK)
			assert_same_bytes(kind, &p, bytes, len);
		bytes[at] = was;
	}
	free(bytes);
}
END_TEST

/* Offsets as doc/link.md has them. */
static const struct {
	const char *what;
	unsigned row;
	size_t offset;
	unsigned first, count; /* the values accepted */
} choices[] = {
	{ "number of options", 1, 9, 0, 1 },
	{ "number of facts", 1, 10, 0, 1 },
	{ "rights of a caller", 2, 8, 0, 3 },
	{ "certificate of a caller", 2, 9, 0, 1 },
	{ "let in by a plan", 2, 10, 0, 2 },
	{ "persistent connection of a caller", 2, 11, 0, 3 },
	{ "throttled", 11, 8, 0, 2 },
	{ "throttled with a payload", 9, 8, 0, 1 },
	{ "level", 21, 0, 0, 5 },
	{ "number of counters", 23, 40, 0, 1 },
	{ "index of the first counter", 22, 41, 0, WIRE_COUNTERS_MAX - 1 },
	{ "index of the second counter", 22, 50, 1, WIRE_COUNTERS_MAX - 1 },
};

START_TEST(a_value_out_of_range_is_refused)
{
	const struct kind *kind = &kinds[rows[choices[_i].row].kind];
	struct payload p;
	size_t len;
	uint8_t *bytes = encode(kind, &rows[choices[_i].row].payload, &len);

	for (unsigned value = 0; value < 256; value++) {
		bytes[choices[_i].offset] = (uint8_t)value;
		if (value - choices[_i].first < choices[_i].count)
			ck_assert_int_eq(decode(kind, bytes, len, &p), ERR_OK);
		else
			assert_refused(kind, bytes, len, choices[_i].what);
	}
	free(bytes);
}
END_TEST

/* A kind with a name needs one, a kind with ids its number of them, and nothing else. */
START_TEST(a_change_has_what_its_kind_says)
{
	static const struct {
		bool name;
		size_t least, most;
	} has[] = { { false, 0, 0 }, { false, 1, 1 }, { true, 0, 0 }, { true, 0, 0 },
		{ false, 0, 2 }, { false, 1, 1 }, { false, 0, 0 } };
	uint8_t bytes[128];

	ck_assert_uint_eq(COUNT_OF(has), WIRE_CHANGE_KINDS);
	for (unsigned kind = 0; kind < 256; kind++)
		for (unsigned name = 0; name < 2; name++)
			for (size_t count = 0; count <= 2; count++) {
				struct payload p = { .as.change = { .kind = WIRE_CHANGED_CRL,
							 .ids = ids,
							 .count = count } };
				size_t len = put_change(&p, bytes, sizeof(bytes));
				bool fits = kind < COUNT_OF(has) && has[kind].name == name &&
				    count >= has[kind].least && count <= has[kind].most;

				if (name == 1) { /* "" */
					memmove(bytes + 6, bytes + 5, len - 5);
					bytes[4] = 1;
					bytes[5] = 0;
					len++;
				}
				bytes[0] = (uint8_t)kind;
				if (fits)
					ck_assert_int_eq(decode(&kinds[CHANGE], bytes, len, &p),
					    ERR_OK);
				else
					assert_refused(&kinds[CHANGE], bytes, len, "a change");
			}
}
END_TEST

/* The only text of a line; the length counts the terminator. */
static const struct {
	const char *bytes;
	size_t len;
} texts[] = {
	{ "\0\0\0\0", 4 },      /* absent */
	{ "\0\0\0\1a", 5 },     /* without a terminator */
	{ "\0\0\0\3ab\0", 6 },  /* too short */
	{ "\0\0\0\3\0b\0", 7 }, /* two terminators */
	{ "\0\0\0\3a\0\0", 7 }, /* two terminators */
	{ "\xff\xff\xff\xff"    /* a length beyond the end */
	  "a",
	    6 },
	{ "\x7f\xff\xff\xff"
	  "a",
	    6 },
};

START_TEST(a_text_that_is_no_string_is_refused)
{
	assert_refused(&kinds[LINE], (const uint8_t *)texts[_i].bytes, texts[_i].len, "a text");
}
END_TEST

START_TEST(what_exceeds_a_limit_has_no_encoding)
{
	static struct certid many[WIRE_IDS_MAX + 1];
	static uint8_t large[WIRE_ANSWER_MAX + 1];
	struct wire_change change = { .kind = WIRE_CHANGED_CRL,
		.ids = many,
		.count = COUNT_OF(many) };
	struct control_answer answer = { .payload = { large, sizeof(large) } };
	struct wire_state state = { .count = 2, .counters = { { 1, 0 }, { 1, 0 } } };
	struct wire_log log = { WIRE_LEVELS, "a" };
	struct wire_config config = { .version = "1", .options = { .count = WIRE_PAIRS_MAX + 1 } };

	ck_assert_uint_eq(wire_put_change(&change, NULL, SIZE_MAX), 0);
	change.count--;
	ck_assert_uint_eq(wire_put_change(&change, NULL, SIZE_MAX), 9 + 32 * WIRE_IDS_MAX);
	ck_assert_uint_eq(wire_put_answer(&answer, NULL, SIZE_MAX), 0);
	answer.payload.len--;
	ck_assert_uint_gt(wire_put_answer(&answer, NULL, SIZE_MAX), WIRE_ANSWER_MAX);
	answer = (struct control_answer){ .throttled = true, .payload = { large, 1 } };
	ck_assert_uint_eq(wire_put_answer(&answer, NULL, SIZE_MAX), 0);
	ck_assert_uint_eq(wire_put_state(&state, NULL, SIZE_MAX), 0);
	state.count = WIRE_COUNTERS_MAX + 1;
	ck_assert_uint_eq(wire_put_state(&state, NULL, SIZE_MAX), 0);
	ck_assert_uint_eq(wire_put_log(&log, NULL, SIZE_MAX), 0);
	ck_assert_uint_eq(wire_put_config(&config, NULL, SIZE_MAX), 0);
	ck_assert_uint_eq(wire_put_line(NULL, NULL, SIZE_MAX), 0);
}
END_TEST

static size_t
size_with(struct caller_facts caller, struct view payload)
{
	struct control_request r = { .caller = caller, .payload = payload };

	return wire_put_request(&r, NULL, SIZE_MAX);
}

START_TEST(a_request_out_of_range_has_no_encoding)
{
	static const uint8_t large[REQUEST_MAX];
	struct view none = { NULL, 0 };
	size_t least = size_with((struct caller_facts){ .client_id = "" }, none);
	struct caller_facts fine = { .client_id = "" };

	ck_assert_uint_gt(least, 0);
	ck_assert_uint_eq(size_with(fine, (struct view){ large, REQUEST_MAX }),
	    least + REQUEST_MAX);
	ck_assert_uint_eq(size_with(fine, (struct view){ NULL, REQUEST_MAX }), 0);
	ck_assert_uint_eq(size_with(fine, (struct view){ NULL, UINT32_MAX }), least);
	ck_assert_uint_eq(size_with(fine, (struct view){ NULL, (size_t)UINT32_MAX + 1 }), 0);
	ck_assert_uint_eq(size_with((struct caller_facts){ .client_id = NULL }, none), 0);
	fine.administration = (enum administration)(ADMINISTRATION_ALL + 1);
	ck_assert_uint_eq(size_with(fine, none), 0);
	fine.administration = ADMINISTRATION_ALL;
	fine.persistent_connect = (enum answer)(ANSWER_YES + 1);
	ck_assert_uint_eq(size_with(fine, none), 0);
}
END_TEST

START_TEST(the_largest_state_fits)
{
	struct wire_state state = { UINT64_MAX, .count = WIRE_COUNTERS_MAX };
	uint8_t bytes[WIRE_STATE_MAX];

	for (unsigned i = 0; i < WIRE_COUNTERS_MAX; i++)
		state.counters[i] = (struct wire_counter){ i, UINT64_MAX };
	ck_assert_uint_eq(wire_put_state(&state, bytes, sizeof(bytes)), sizeof(bytes));
}
END_TEST

/* The rest of a CONFIG may have another form then. */
START_TEST(another_protocol_is_named_whatever_follows)
{
	static const uint8_t bytes[] = { 0, 0, 0, 2, 0, 0, 0, 2, '9', 0, 1, 2, 3 };
	struct wire_config c;

	ck_assert_int_eq(wire_get_config((struct view){ bytes, sizeof(bytes) }, &c), ERR_VERSION);
	ck_assert_uint_eq(c.protocol, 2);
	ck_assert_str_eq(c.version, "9");
	ck_assert_int_eq(wire_get_config((struct view){ bytes, 9 }, &c), ERR_CORRUPT);
}
END_TEST

START_TEST(frames_without_a_payload_have_none)
{
	ck_assert_int_eq(wire_get_nothing((struct view){ NULL, 0 }), ERR_OK);
	ck_assert_int_eq(wire_get_nothing(view_of("a")), ERR_CORRUPT);
}
END_TEST

/*
 * Headers.
 */

static const struct {
	enum wire_type type;
	unsigned number;
	enum wire_end end;
	const char *name, *to;
} types[] = {
#define X(name, number, end) { WIRE_##name, number, WIRE_##end, #name, #end },
	WIRE_TYPES(X)
#undef X
};

START_TEST(each_end_receives_its_types_alone)
{
	for (unsigned value = 0; value < 256; value++)
		for (enum wire_end end = WIRE_REGISTRAR; end <= WIRE_BROKER; end++) {
			uint8_t in[WIRE_HEADER_SIZE] = { 0, 0, 0, 9, (uint8_t)value };
			struct wire_header h;
			bool known = false;

			for (size_t i = 0; i < COUNT_OF(types); i++)
				known = known || (types[i].number == value && types[i].end == end);
			must(wire_get_header(in, end, &h) == (known ? ERR_OK : ERR_CORRUPT));
			must(h.type == (enum wire_type)(known ? value : 0));
		}
}
END_TEST

START_TEST(a_length_out_of_range_is_refused)
{
	static const struct {
		uint32_t length;
		bool fits;
	} lengths[] = { { 0, false }, { 8, false }, { 9, true }, { 9 + WIRE_PAYLOAD_MAX, true },
		{ 10 + WIRE_PAYLOAD_MAX, false }, { INT32_MAX, false }, { UINT32_MAX, false } };

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		uint32_t n = lengths[i].length;
		uint8_t in[WIRE_HEADER_SIZE] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16),
			(uint8_t)(n >> 8), (uint8_t)n, WIRE_STOP };
		struct wire_header h;

		ck_assert_int_eq(wire_get_header(in, WIRE_REGISTRAR, &h),
		    lengths[i].fits ? ERR_OK : ERR_CORRUPT);
		if (lengths[i].fits)
			ck_assert_uint_eq(h.payload, n - 9);
	}
}
END_TEST

/*
 * The document.
 */

START_TEST(the_documented_types_are_those_of_the_program)
{
	char *text = read_document(DOCUMENT), *rows_of, *at, heading[64];
	struct cells row;
	size_t i = 0;

	at = strstr(text, "| Type | Number |");
	ck_assert_ptr_nonnull(at);
	rows_of = strchr(strchr(at, '\n') + 1, '\n') + 1;
	for (; next_row(&rows_of, &row); i++) {
		ck_assert_uint_eq(row.count, 4);
		ck_assert_uint_lt(i, COUNT_OF(types));
		ck_assert_str_eq(plain(row.at[0]), types[i].name);
		ck_assert_str_eq(row.at[0], wire_type_name(types[i].type));
		ck_assert_uint_eq(strtoul(row.at[1], NULL, 10), types[i].number);
		ck_assert_int_eq(strcasecmp(row.at[2], types[i].to), 0);
	}
	ck_assert_uint_eq(i, COUNT_OF(types));
	free(text);
	text = read_document(DOCUMENT);
	for (i = 0, at = text; i < COUNT_OF(types); i++) {
		snprintf(heading, sizeof(heading), "\n### %s\n", types[i].name);
		at = strstr(at, heading);
		ck_assert_msg(at != NULL, "%s has no section, or not in the order of the types",
		    types[i].name);
	}
	free(text);
}
END_TEST

static void
add_hex(char *hex, const uint8_t *bytes, size_t len)
{
	hex_encode((struct view){ bytes, len }, hex + strlen(hex));
}

/* The digits of the only code block. */
static void
read_example(char *out)
{
	char *text = read_document(DOCUMENT), *at = strstr(text, "```\n");

	ck_assert_ptr_nonnull(at);
	for (at += 4; *at != '`'; at++)
		if (*at != ' ' && *at != '\n')
			*out++ = *at;
	*out = '\0';
	free(text);
}

START_TEST(the_bytes_are_as_documented)
{
	struct wire_header h = { .type = WIRE_REQUEST, .number = 7 };
	uint8_t header[WIRE_HEADER_SIZE];
	char hex[512] = "", documented[512];
	uint8_t *bytes = encode(&kinds[REQUEST], &rows[2].payload, &h.payload);

	wire_put_header(&h, header);
	add_hex(hex, header, sizeof(header));
	add_hex(hex, bytes, h.payload);
	read_example(documented);
	ck_assert_str_eq(documented, hex);
	free(bytes);
}
END_TEST

static void
has_limit(const char *text, const char *before, unsigned long limit)
{
	char words[128];

	if (limit >= 1000000)
		snprintf(words, sizeof(words), "%s%lu %03lu %03lu", before, limit / 1000000,
		    limit / 1000 % 1000, limit % 1000);
	else if (limit >= 1000)
		snprintf(words, sizeof(words), "%s%lu %03lu", before, limit / 1000, limit % 1000);
	else
		snprintf(words, sizeof(words), "%s%lu", before, limit);
	ck_assert_msg(strstr(text, words) != NULL, DOCUMENT " has no '%s'", words);
}

START_TEST(the_limits_are_as_documented)
{
	char *text = read_document(DOCUMENT);

	has_limit(text, "| 9 to ", 9 + WIRE_PAYLOAD_MAX);
	has_limit(text, "how many (1), at most ", WIRE_PAIRS_MAX);
	has_limit(text, "only if its length is at most ", REQUEST_MAX);
	has_limit(text, "| answer | at most ", WIRE_ANSWER_MAX);
	has_limit(text, "| result | 0 to ", ERR_NOMEM);
	has_limit(text, "with kind 1 and 5, at most ", WIRE_IDS_MAX);
	has_limit(text, "| protocol | ", WIRE_PROTOCOL);
	has_limit(text, "index (1), below ", WIRE_COUNTERS_MAX);
	free(text);
}
END_TEST

START_TEST(the_limits_of_registrations_are_as_documented)
{
	char *text = read_document(DOCUMENT);

	has_limit(text, "| policies | how many (1), at most ", POLICIES_MAX);
	has_limit(text, "of each the name (name, at most ", NAME_MAX_LENGTH);
	has_limit(text, "and the document (bytes, at most ", POLICY_BYTES_MAX);
	has_limit(text, "| serial number | at most ", SERIAL_MAX);
	has_limit(text, "| of the certificate, at most ", WIRE_DER_MAX);
	has_limit(text, "| for events, at most ", EVENT_DETAILS_MAX);
	has_limit(text, "| client id | at most ", REFUSAL_TEXT_MAX);
	has_limit(text, "| address | at most ", REFUSAL_TEXT_MAX);
	has_limit(text, "| code | at most ", REFUSAL_TEXT_MAX);
	has_limit(text, "| details | at most ", REFUSAL_TEXT_MAX);
	has_limit(text, "| template | at most ", TEMPLATE_NAME_MAX);
	has_limit(text, "| thing | at most ", NAME_MAX_LENGTH);
	has_limit(text, "| thing type | at most ", NAME_MAX_LENGTH);
	has_limit(text, "| billing group | at most ", NAME_MAX_LENGTH);
	has_limit(text, "why it failed; at most ", sizeof((struct diag){ 0 }.text) - 1);
	has_limit(text, "the reason of the plan; at most ", sizeof((struct diag){ 0 }.text) - 1);
	has_limit(text, "why it could not be committed; at most ", WIRE_FAILURE_MAX);
	free(text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("wire");
	TCase *t = suite_case(s, "payloads");

	tcase_add_loop_test(t, a_payload_is_decoded_as_it_was_encoded, 0, COUNT_OF(rows));
	tcase_add_test(t, members_are_those_that_were_encoded);
	tcase_add_test(t, of_a_long_request_the_length_alone_is_sent);
	tcase_add_loop_test(t, a_truncated_or_longer_payload_is_refused, 0, COUNT_OF(rows));
	tcase_add_loop_test(t, nothing_is_written_behind_a_buffer_that_is_too_small, 0,
	    COUNT_OF(rows));
	tcase_add_loop_test(t, a_changed_payload_is_refused_or_encodes_to_the_same_bytes, 0,
	    COUNT_OF(rows));
	tcase_add_loop_test(t, a_value_out_of_range_is_refused, 0, COUNT_OF(choices));
	tcase_add_test(t, a_change_has_what_its_kind_says);
	tcase_add_loop_test(t, a_text_that_is_no_string_is_refused, 0, COUNT_OF(texts));
	tcase_add_test(t, what_exceeds_a_limit_has_no_encoding);
	tcase_add_test(t, a_request_out_of_range_has_no_encoding);
	tcase_add_test(t, the_largest_state_fits);
	tcase_add_test(t, another_protocol_is_named_whatever_follows);
	tcase_add_test(t, frames_without_a_payload_have_none);
	t = suite_case(s, "headers");
	tcase_add_test(t, each_end_receives_its_types_alone);
	tcase_add_test(t, a_length_out_of_range_is_refused);
	t = suite_case(s, "document");
	tcase_add_test(t, the_documented_types_are_those_of_the_program);
	tcase_add_test(t, the_bytes_are_as_documented);
	tcase_add_test(t, the_limits_are_as_documented);
	tcase_add_test(t, the_limits_of_registrations_are_as_documented);
	return suite_run(s);
}
