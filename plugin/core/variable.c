/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* variable.c - see variable.h. */
#include <string.h>

#include "jitr/core/variable.h"

/* bytes of a value that may replace a variable in a policy's text (aws-iot F.5) */
#define VALUE_LENGTH_MAX 1024

#define CERTIFICATE     "iot:Certificate."
#define OUR_CERTIFICATE "jitr:Certificate."
#define ATTRIBUTES      "iot:Connection.Thing.Attributes["

static const struct {
	const char *name;
	enum variable_kind kind;
} plain[] = {
	{ "iot:ClientId", VARIABLE_CLIENT_ID },
	{ "aws:SourceIp", VARIABLE_SOURCE_IP },
	{ "iot:DomainName", VARIABLE_DOMAIN_NAME },
	{ "aws:CurrentTime", VARIABLE_TIME },
	{ "aws:EpochTime", VARIABLE_TIME },
	{ "iot:Connection.Thing.ThingName", VARIABLE_THING_NAME },
	{ "iot:Connection.Thing.ThingTypeName", VARIABLE_THING_TYPE },
	{ "iot:Connection.Thing.IsAttached", VARIABLE_THING_ATTACHED },
	{ "iot:CertificateId", VARIABLE_CERTIFICATE_ID },
	{ CERTIFICATE "AvailableKeys", VARIABLE_CERT_KEYS },
	{ "iot:ConnectAttributes", VARIABLE_CONNECT_ATTRIBUTES },
	{ "iot:LastWillTopic", VARIABLE_LAST_WILL_TOPIC },
};

/* Values of iot:Certificate.AvailableKeys: AWS's keys only. */
static const char *const keys[] = {
#define X(name, text) [name] = CERTIFICATE text,
	CERT_FIELD_TABLE(X)
#undef X
};

static const struct view nothing = { NULL, 0 };

/* Takes the text off the start, or off the end; case-insensitive. */
static bool
cut_prefix(struct view *v, const char *text)
{
	struct view p = view_of(text);

	if (v->len < p.len || !view_equal_folded((struct view){ v->data, p.len }, p))
		return false;
	*v = view_from(*v, p.len);
	return true;
}

static bool
cut_suffix(struct view *v, const char *text)
{
	struct view s = view_of(text);

	if (v->len < s.len ||
	    !view_equal_folded((struct view){ v->data + v->len - s.len, s.len }, s))
		return false;
	v->len -= s.len;
	return true;
}

/* "Subject.OrganizationalUnit.1": ".1" is the second value. */
static void
parse_field(struct variable *v, struct view rest, bool ours)
{
	static const char *const index[] = { NULL, ".1", ".2", ".3", ".4" };

	v->list = cut_suffix(&rest, ".List");
	for (unsigned i = 1; i < COUNT_OF(index) && !v->list && v->nth == 0; i++)
		if (cut_suffix(&rest, index[i]))
			v->nth = i;
	for (size_t f = 0; f < CERT_FIELD_COUNT; f++) {
		if (cert_field_is_ours((enum cert_field)f) != ours ||
		    !view_equal_folded(rest, view_of(cert_field_name((enum cert_field)f))))
			continue;
		v->kind = VARIABLE_CERT_FIELD;
		v->field = (enum cert_field)f;
		return;
	}
}

struct variable
variable_parse(struct view name)
{
	struct variable v = { .kind = VARIABLE_UNKNOWN, .name = name };
	struct view rest = name;

	for (size_t i = 0; i < COUNT_OF(plain); i++)
		if (view_equal_folded(name, view_of(plain[i].name)))
			v.kind = plain[i].kind;
	if (v.kind != VARIABLE_UNKNOWN)
		return v;
	if (cut_prefix(&rest, CERTIFICATE)) {
		parse_field(&v, rest, false);
	} else if (cut_prefix(&rest, OUR_CERTIFICATE)) {
		parse_field(&v, rest, true);
	} else if (cut_prefix(&rest, ATTRIBUTES) && cut_suffix(&rest, "]")) {
		v.kind = VARIABLE_THING_ATTRIBUTE;
		v.attribute = rest;
	}
	return v;
}

bool
variable_same(const struct variable *a, const struct variable *b)
{
	return a->kind == b->kind && view_equal_folded(a->name, b->name) &&
	    view_equal(a->attribute, b->attribute);
}

/* The next value of the field, from *cursor. */
static bool
next_of_field(const struct cert_facts *cert, enum cert_field field, size_t *cursor,
    struct view *value)
{
	while (cert != NULL && *cursor < cert->count) {
		const struct cert_value *v = &cert->values[(*cursor)++];

		if (v->field != field)
			continue;
		*value = v->text;
		return true;
	}
	return false;
}

static struct view
nth_of_field(const struct cert_facts *cert, enum cert_field field, unsigned nth)
{
	struct view value;
	size_t cursor = 0;

	while (next_of_field(cert, field, &cursor, &value))
		if (nth-- == 0)
			return value;
	return nothing;
}

/* Values of the same field are adjacent. */
static bool
next_key(const struct cert_facts *cert, size_t *cursor, struct view *value)
{
	while (cert != NULL && *cursor < cert->count) {
		size_t i = (*cursor)++;

		if (i > 0 && cert->values[i - 1].field == cert->values[i].field)
			continue;
		if ((size_t)cert->values[i].field >= COUNT_OF(keys))
			continue;
		*value = view_of(keys[cert->values[i].field]);
		return true;
	}
	return false;
}

static bool
next_connect_attribute(const struct facts *f, size_t *cursor, struct view *value)
{
	if (*cursor == 0) {
		++*cursor;
		*value = view_of("PersistentConnect");
		if (f->persistent_connect == ANSWER_YES)
			return true;
	}
	if (*cursor == 1) {
		++*cursor;
		*value = view_of("LastWill");
		return f->last_will == ANSWER_YES;
	}
	return false;
}

static struct view
value_of_thing(const struct variable *v, const struct thing *thing)
{
	if (v->kind == VARIABLE_THING_ATTACHED)
		return view_of(thing != NULL ? "true" : "false");
	if (thing == NULL)
		return nothing;
	if (v->kind == VARIABLE_THING_NAME)
		return thing->name;
	if (v->kind == VARIABLE_THING_TYPE)
		return thing->type_name.len > 0 ? thing->type_name : nothing;
	return thing_attribute(thing->attributes, v->attribute);
}

struct view
variable_value(const struct variable *v, const struct facts *f)
{
	switch (v->kind) {
	case VARIABLE_CLIENT_ID:
		return f->client_id;
	case VARIABLE_SOURCE_IP:
		return f->source_text;
	case VARIABLE_DOMAIN_NAME:
		return f->domain_name;
	case VARIABLE_THING_NAME:
	case VARIABLE_THING_TYPE:
	case VARIABLE_THING_ATTACHED:
	case VARIABLE_THING_ATTRIBUTE:
		return value_of_thing(v, f->thing);
	case VARIABLE_CERTIFICATE_ID:
		return f->certificate_id;
	case VARIABLE_CERT_FIELD:
		return v->list ? nothing : nth_of_field(f->cert, v->field, v->nth);
	case VARIABLE_UNKNOWN:
	case VARIABLE_TIME:
	case VARIABLE_CERT_KEYS:
	case VARIABLE_CONNECT_ATTRIBUTES:
	case VARIABLE_LAST_WILL_TOPIC:
		break;
	}
	return nothing;
}

bool
variable_next(const struct variable *v, const struct facts *f, size_t *cursor, struct view *value)
{
	if (v->kind == VARIABLE_CERT_FIELD && v->list)
		return next_of_field(f->cert, v->field, cursor, value);
	if (v->kind == VARIABLE_CERT_KEYS)
		return next_key(f->cert, cursor, value);
	if (v->kind == VARIABLE_CONNECT_ATTRIBUTES)
		return next_connect_attribute(f, cursor, value);
	if (*cursor > 0)
		return false;
	++*cursor;
	if (v->kind == VARIABLE_LAST_WILL_TOPIC)
		*value = f->last_will == ANSWER_NO ? nothing : f->last_will_topic;
	else
		*value = variable_value(v, f);
	return value->data != NULL;
}

bool
variable_hidden(const struct variable *v, const struct facts *f)
{
	if (v->kind == VARIABLE_SOURCE_IP)
		return f->source_text.data == NULL;
	if (v->kind == VARIABLE_DOMAIN_NAME)
		return f->domain_name.data == NULL;
	if (v->kind == VARIABLE_TIME)
		return true;
	if (v->kind == VARIABLE_LAST_WILL_TOPIC)
		return f->last_will != ANSWER_NO && f->last_will_topic.data == NULL;
	if (v->kind == VARIABLE_CONNECT_ATTRIBUTES)
		return f->persistent_connect == ANSWER_NOT_ASKED ||
		    f->last_will == ANSWER_NOT_ASKED;
	return false;
}

bool
variable_may_replace(const struct variable *v, const struct facts *f, struct view value)
{
	bool is_client_id = v->kind == VARIABLE_CLIENT_ID;

	if (is_client_id && f->client_id_as_is)
		return true;
	if (value.len > VALUE_LENGTH_MAX)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.data[i];

		if (c == '*' || c == '$' || c == '+' || c == '?' || c == '#' ||
		    (c == '/' && is_client_id))
			return false;
	}
	return true;
}

size_t
variable_cost(const struct variable *v, const struct facts *f)
{
	if (v->kind == VARIABLE_CERT_FIELD && f->cert != NULL)
		return 2 + f->cert->count / 4;
	return v->kind == VARIABLE_THING_ATTRIBUTE ? 2 + THING_ATTRIBUTES_MAX / 2 : 2;
}
