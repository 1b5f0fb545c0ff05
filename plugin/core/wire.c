/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* wire.c - see wire.h; doc/link.md documents the bytes in the same order. */
#include <string.h>

#include "jitr/core/wire.h"

#include "codec_private.h"

/* Length of what follows the length: the type, the number and the payload. */
#define LENGTH_MIN (WIRE_HEADER_SIZE - LENGTH_SIZE)

#define ADMINISTRATION_COUNT (ADMINISTRATION_ALL + 1)
#define ANSWER_COUNT         (ANSWER_YES + 1)

const char *
wire_type_name(enum wire_type type)
{
	switch (type) {
#define X(name, number, end) \
	case WIRE_##name: \
		return #name;
		WIRE_TYPES(X)
#undef X
	}
	return "?";
}

/*
 * Headers.
 */

static bool
is_for(uint64_t type, enum wire_end receiver)
{
	switch (type) {
#define X(name, number, end) \
	case WIRE_##name: \
		return receiver == WIRE_##end;
		WIRE_TYPES(X)
#undef X
	default:
		return false;
	}
}

void
wire_put_header(const struct wire_header *h, uint8_t out[WIRE_HEADER_SIZE])
{
	struct sink s = { .at = out, .left = WIRE_HEADER_SIZE };

	put_number(&s, LENGTH_MIN + h->payload, LENGTH_SIZE);
	put_number(&s, h->type, 1);
	put_number(&s, h->number, 8);
}

enum err
wire_get_header(const uint8_t in[WIRE_HEADER_SIZE], enum wire_end receiver, struct wire_header *out)
{
	struct source s = { .at = in, .left = WIRE_HEADER_SIZE };
	uint64_t length = get_number(&s, LENGTH_SIZE), type = get_number(&s, 1);

	memset(out, 0, sizeof(*out));
	if (length < LENGTH_MIN || length - LENGTH_MIN > WIRE_PAYLOAD_MAX ||
	    !is_for(type, receiver))
		return ERR_CORRUPT;
	out->type = (enum wire_type)type;
	out->number = get_number(&s, 8);
	out->payload = (size_t)length - LENGTH_MIN;
	return ERR_OK;
}

/*
 * Fields.
 */

static struct sink
sink_of(uint8_t *out, size_t size)
{
	return (struct sink){ .at = out, .left = size };
}

static struct source
source_of(struct view in)
{
	return (struct source){ .at = in.data, .left = in.len };
}

/* The result of a decoder: zeroed unless the whole input was accepted. */
static enum err
end_of(const struct source *s, void *out, size_t size)
{
	if (get_end(s))
		return ERR_OK;
	memset(out, 0, size);
	return ERR_CORRUPT;
}

/* The length of a text counts the terminator, so 0 means that there is none. */
static void
put_optional(struct sink *s, const char *text)
{
	put_text(s,
	    text != NULL ? (struct view){ (const uint8_t *)text, strlen(text) + 1 }
			 : (struct view){ NULL, 0 });
}

static void
put_string(struct sink *s, const char *text)
{
	if (text == NULL)
		s->failed = true;
	put_optional(s, text);
}

static const char *
get_optional(struct source *s)
{
	struct view text = get_text(s);

	if (text.len == 0)
		return NULL;
	if (memchr(text.data, '\0', text.len) != text.data + text.len - 1)
		s->failed = true;
	return (const char *)text.data;
}

static const char *
get_string(struct source *s)
{
	const char *text = get_optional(s);

	if (text == NULL)
		s->failed = true;
	return text;
}

static void
put_id(struct sink *s, const struct certid *id)
{
	put_bytes(s, id->b, sizeof(id->b));
}

/*
 * Payloads for the registrar.
 */

static void
put_pairs(struct sink *s, const struct wire_pairs *pairs)
{
	put_one_of(s, (unsigned)pairs->count, WIRE_PAIRS_MAX + 1);
	for (size_t i = 0; i < pairs->count && !s->failed; i++) {
		put_string(s, pairs->list[i].name);
		put_string(s, pairs->list[i].value);
	}
}

static void
get_pairs(struct source *s, struct wire_pairs *out)
{
	out->count = get_one_of(s, WIRE_PAIRS_MAX + 1);
	for (size_t i = 0; i < out->count && !s->failed; i++) {
		out->list[i].name = get_string(s);
		out->list[i].value = get_string(s);
	}
}

size_t
wire_put_config(const struct wire_config *c, uint8_t *out, size_t size)
{
	struct sink s = sink_of(out, size);

	put_number(&s, c->protocol, 4);
	put_string(&s, c->version);
	put_pairs(&s, &c->options);
	put_pairs(&s, &c->facts);
	return put_end(&s);
}

enum err
wire_get_config(struct view in, struct wire_config *out)
{
	struct source s = source_of(in);

	memset(out, 0, sizeof(*out));
	out->protocol = (uint32_t)get_number(&s, 4);
	out->version = get_string(&s);
	if (!s.failed && out->protocol != WIRE_PROTOCOL)
		return ERR_VERSION;
	get_pairs(&s, &out->options);
	get_pairs(&s, &out->facts);
	return end_of(&s, out, sizeof(*out));
}

static void
put_caller(struct sink *s, const struct caller_facts *c)
{
	put_number(s, c->session, 8);
	put_one_of(s, c->administration, ADMINISTRATION_COUNT);
	put_one_of(s, c->has_certificate, 2);
	if (c->has_certificate)
		put_id(s, &c->certificate);
	put_one_of(s, c->by_plan, 2);
	put_one_of(s, c->persistent_connect, ANSWER_COUNT);
	put_string(s, c->client_id);
	put_optional(s, c->user_name);
	put_optional(s, c->address);
}

static void
get_caller(struct source *s, struct caller_facts *c)
{
	c->session = get_number(s, 8);
	c->administration = (enum administration)get_one_of(s, ADMINISTRATION_COUNT);
	c->has_certificate = get_one_of(s, 2) == 1;
	if (c->has_certificate)
		get_array(s, c->certificate.b, sizeof(c->certificate.b));
	c->by_plan = get_one_of(s, 2) == 1;
	c->persistent_connect = (enum answer)get_one_of(s, ANSWER_COUNT);
	c->client_id = get_string(s);
	c->user_name = get_optional(s);
	c->address = get_optional(s);
}

static void
put_request_payload(struct sink *s, struct view payload)
{
	put_number(s, payload.len, LENGTH_SIZE);
	if (payload.len > REQUEST_MAX)
		return;
	if (payload.len > 0 && payload.data == NULL)
		s->failed = true;
	put_bytes(s, payload.data, payload.len);
}

static struct view
get_request_payload(struct source *s)
{
	size_t len = (size_t)get_number(s, LENGTH_SIZE);

	return len <= REQUEST_MAX ? get_view(s, len) : (struct view){ NULL, len };
}

size_t
wire_put_request(const struct control_request *r, uint8_t *out, size_t size)
{
	struct sink s = sink_of(out, size);

	put_caller(&s, &r->caller);
	put_optional(&s, r->response_topic);
	put_request_payload(&s, r->payload);
	return put_end(&s);
}

enum err
wire_get_request(struct view in, struct control_request *out)
{
	struct source s = source_of(in);

	memset(out, 0, sizeof(*out));
	get_caller(&s, &out->caller);
	out->response_topic = get_optional(&s);
	out->payload = get_request_payload(&s);
	return end_of(&s, out, sizeof(*out));
}

size_t
wire_put_number(uint64_t number, uint8_t *out, size_t size)
{
	struct sink s = sink_of(out, size);

	put_number(&s, number, WIRE_NUMBER_SIZE);
	return put_end(&s);
}

enum err
wire_get_number(struct view in, uint64_t *out)
{
	struct source s = source_of(in);

	*out = get_number(&s, WIRE_NUMBER_SIZE);
	return end_of(&s, out, sizeof(*out));
}

size_t
wire_put_line(const char *line, uint8_t *out, size_t size)
{
	struct sink s = sink_of(out, size);

	put_string(&s, line);
	return put_end(&s);
}

enum err
wire_get_line(struct view in, const char **out)
{
	struct source s = source_of(in);

	*out = get_string(&s);
	return end_of(&s, out, sizeof(*out));
}

enum err
wire_get_nothing(struct view in)
{
	return in.len == 0 ? ERR_OK : ERR_CORRUPT;
}

/*
 * Payloads for the broker.
 */

size_t
wire_put_hello(const struct wire_hello *h, uint8_t *out, size_t size)
{
	struct sink s = sink_of(out, size);

	put_number(&s, h->protocol, 4);
	put_string(&s, h->version);
	return put_end(&s);
}

enum err
wire_get_hello(struct view in, struct wire_hello *out)
{
	struct source s = source_of(in);

	memset(out, 0, sizeof(*out));
	out->protocol = (uint32_t)get_number(&s, 4);
	out->version = get_string(&s);
	return end_of(&s, out, sizeof(*out));
}

static bool
answer_fits(const struct control_answer *a)
{
	return a->payload.len <= (a->throttled ? 0 : WIRE_ANSWER_MAX);
}

size_t
wire_put_answer(const struct control_answer *a, uint8_t *out, size_t size)
{
	struct sink s = sink_of(out, size);

	if (!answer_fits(a))
		s.failed = true;
	put_number(&s, a->session, 8);
	put_one_of(&s, a->throttled, 2);
	put_optional(&s, a->response_topic);
	put_text(&s, a->payload);
	return put_end(&s);
}

enum err
wire_get_answer(struct view in, struct control_answer *out)
{
	struct source s = source_of(in);

	memset(out, 0, sizeof(*out));
	out->session = get_number(&s, 8);
	out->throttled = get_one_of(&s, 2) == 1;
	out->response_topic = get_optional(&s);
	out->payload = get_text(&s);
	if (!answer_fits(out))
		s.failed = true;
	return end_of(&s, out, sizeof(*out));
}

/* What a change of this kind has. */
static bool
has_name(enum wire_change_kind kind)
{
	return kind == WIRE_CHANGED_POLICY || kind == WIRE_CHANGED_THING;
}

static bool
has_ids(enum wire_change_kind kind, size_t count)
{
	if (kind == WIRE_CHANGED_CRL)
		return count <= WIRE_IDS_MAX;
	return count == (kind == WIRE_CHANGED_CERTIFICATE || kind == WIRE_CHANGED_CRL_REMOVED);
}

size_t
wire_put_change(const struct wire_change *c, uint8_t *out, size_t size)
{
	struct sink s = sink_of(out, size);

	put_one_of(&s, c->kind, WIRE_CHANGE_KINDS);
	if (has_name(c->kind) != (c->name != NULL) || !has_ids(c->kind, c->count))
		s.failed = true;
	put_optional(&s, c->name);
	put_number(&s, c->count, 4);
	for (size_t i = 0; i < c->count && !s.failed; i++)
		put_id(&s, &c->ids[i]);
	return put_end(&s);
}

enum err
wire_get_change(struct view in, struct wire_change *out)
{
	struct source s = source_of(in);

	memset(out, 0, sizeof(*out));
	out->kind = (enum wire_change_kind)get_one_of(&s, WIRE_CHANGE_KINDS);
	out->name = get_optional(&s);
	out->count = (size_t)get_number(&s, 4);
	if (has_name(out->kind) != (out->name != NULL) || !has_ids(out->kind, out->count))
		s.failed = true;
	if (!s.failed && out->count > 0)
		out->ids = (const struct certid *)get_view(&s, out->count * sizeof(*out->ids)).data;
	return end_of(&s, out, sizeof(*out));
}

size_t
wire_put_log(const struct wire_log *l, uint8_t *out, size_t size)
{
	struct sink s = sink_of(out, size);

	put_one_of(&s, l->level, WIRE_LEVELS);
	put_string(&s, l->line);
	return put_end(&s);
}

enum err
wire_get_log(struct view in, struct wire_log *out)
{
	struct source s = source_of(in);

	memset(out, 0, sizeof(*out));
	out->level = get_one_of(&s, WIRE_LEVELS);
	out->line = get_string(&s);
	return end_of(&s, out, sizeof(*out));
}

static bool
counters_ascend(const struct wire_state *state)
{
	for (size_t i = 1; i < state->count; i++)
		if (state->counters[i].index <= state->counters[i - 1].index)
			return false;
	return true;
}

size_t
wire_put_state(const struct wire_state *state, uint8_t *out, size_t size)
{
	struct sink s = sink_of(out, size);

	put_number(&s, state->waiting, 8);
	put_number(&s, state->commits, 8);
	put_number(&s, state->commit_us, 8);
	put_number(&s, state->commit_us_max, 8);
	put_number(&s, state->commit_us_last, 8);
	put_one_of(&s, (unsigned)state->count, WIRE_COUNTERS_MAX + 1);
	for (size_t i = 0; i < state->count && !s.failed; i++) {
		put_one_of(&s, state->counters[i].index, WIRE_COUNTERS_MAX);
		put_number(&s, state->counters[i].delta, 8);
	}
	if (!s.failed && !counters_ascend(state))
		s.failed = true;
	return put_end(&s);
}

enum err
wire_get_state(struct view in, struct wire_state *out)
{
	struct source s = source_of(in);

	memset(out, 0, sizeof(*out));
	out->waiting = get_number(&s, 8);
	out->commits = get_number(&s, 8);
	out->commit_us = get_number(&s, 8);
	out->commit_us_max = get_number(&s, 8);
	out->commit_us_last = get_number(&s, 8);
	out->count = get_one_of(&s, WIRE_COUNTERS_MAX + 1);
	for (size_t i = 0; i < out->count && !s.failed; i++) {
		out->counters[i].index = get_one_of(&s, WIRE_COUNTERS_MAX);
		out->counters[i].delta = get_number(&s, 8);
	}
	if (!s.failed && !counters_ascend(out))
		s.failed = true;
	return end_of(&s, out, sizeof(*out));
}
