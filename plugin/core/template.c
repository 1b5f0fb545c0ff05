/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* template.c - evaluation of compiled templates; see template.h. */
#include <string.h>

#include "jitr/core/name.h"
#include "jitr/core/template_form.h"
#include "jitr/core/text.h"

#define SHOWN 64 /* bytes of quoted text */

/* word: letters a to z only.  Case-insensitive. */
static bool
is_word(struct view text, const char *word)
{
	if (text.len != strlen(word))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if ((text.data[i] | 0x20) != word[i])
			return false;
	return true;
}

/* Case-insensitive: AWS's own templates contain both "Active" and "ACTIVE". */
static bool
is_inactive(struct view text)
{
	return is_word(text, "inactive");
}

static bool
is_status(struct view text)
{
	return is_inactive(text) || is_word(text, "active");
}

static bool
is_text(struct view text)
{
	return text.data != NULL;
}

const struct text_kind kind_thing_name = { thing_name_valid,
	"is not a valid thing name: " THING_NAME_WORDS };
const struct text_kind kind_policy_name = { policy_name_valid,
	"is not a valid policy name: " POLICY_NAME_WORDS };
const struct text_kind kind_attribute = { attribute_value_valid,
	"is not a valid attribute value: " ATTRIBUTE_VALUE_WORDS };
const struct text_kind kind_status = { is_status, "is neither ACTIVE nor INACTIVE" };
const struct text_kind kind_text = { is_text, "" };

/* A plan under construction. */
struct builder {
	const struct facts *facts;
	struct plan *plan;
	uint8_t *at; /* the next attribute is stored here */
};

static int
shown(struct view text)
{
	return (int)utf8_head(text, SHOWN).len;
}

static struct view
first_of_field(const struct cert_facts *cert, enum cert_field field)
{
	for (size_t i = 0; cert != NULL && i < cert->count; i++)
		if (cert->values[i].field == field)
			return cert->values[i].text;
	return (struct view){ NULL, 0 };
}

static struct view
text_of(const struct template_value *v, const struct facts *facts)
{
	struct view text = { NULL, 0 };

	if (v->source == VALUE_SUBJECT)
		text = first_of_field(facts->cert, v->field);
	else if (v->source == VALUE_CERTIFICATE_ID)
		text = facts->certificate_id;
	return text.data != NULL ? text : v->text;
}

/* AWS's message (aws-iot E.1). */
static void
fail_reference(struct plan *plan, struct view parameter)
{
	plan->failed = true;
	diag_set(&plan->reason,
	    "Invalid registration template. Cannot resolve reference value: "
	    "{Ref=%.*s}",
	    shown(parameter), (const char *)parameter.data);
}

static void
fail_value(struct plan *plan, const struct template_value *v, struct view text)
{
	bool escaped = memchr(text.data, '\\', text.len) != NULL;

	plan->failed = true;
	diag_set(&plan->reason, "{Ref=%.*s} is '%.*s', which %s%s", shown(v->parameter),
	    (const char *)v->parameter.data, shown(text), (const char *)text.data, v->kind->words,
	    escaped ? "; " ESCAPED_WORDS : "");
}

/* Returns the value; empty if none is given, and after a failure. */
static struct view
resolve(struct builder *b, const struct template_value *v)
{
	const struct view nothing = { NULL, 0 };
	struct view text;

	if (b->plan->failed || v->source == VALUE_NONE)
		return nothing;
	text = text_of(v, b->facts);
	if (text.data == NULL) {
		fail_reference(b->plan, v->parameter);
		return nothing;
	}
	if (v->kind->valid(text))
		return text;
	fail_value(b->plan, v, text);
	return nothing;
}

static void
put(struct builder *b, struct view bytes)
{
	memcpy(b->at, bytes.data, bytes.len);
	b->at += bytes.len;
}

/* Format: see model.h.  An attribute without a value is left out. */
static void
put_attribute(struct builder *b, struct view name, struct view value)
{
	if (value.len == 0)
		return;
	*b->at++ = (uint8_t)name.len;
	put(b, name);
	*b->at++ = (uint8_t)(value.len >> 8);
	*b->at++ = (uint8_t)value.len;
	put(b, value);
}

static void
plan_thing(struct builder *b, const struct template *t)
{
	struct planned_thing *thing = &b->plan->thing;
	uint8_t *begin = b->at;

	thing->name = resolve(b, &t->thing_name);
	thing->type_name = resolve(b, &t->thing_type);
	thing->billing_group = resolve(b, &t->billing_group);
	thing->on_attributes = t->on_attributes;
	thing->on_type = t->on_type;
	for (size_t i = 0; i < t->attribute_count; i++)
		put_attribute(b, t->attributes[i].name, resolve(b, &t->attributes[i].value));
	thing->attributes = (struct view){ begin, (size_t)(b->at - begin) };
}

static void
plan_policies(struct builder *b, const struct template *t)
{
	for (size_t i = 0; i < t->policy_count; i++)
		b->plan->policies[i] = (struct planned_policy){ .name = resolve(b,
								    &t->policies[i].name),
			.document = resolve(b, &t->policies[i].document),
			.form = t->policies[i].form };
	b->plan->policy_count = t->policy_count;
}

/* The certificate was registered as PENDING_ACTIVATION (aws-iot E.3).  The template did
 * not set this status, so DO_NOTHING does not preserve it: AWS's guide has DO_NOTHING
 * in its complete example and says that the certificate becomes ACTIVE. */
static void
plan_status(struct builder *b, const struct template *t)
{
	struct view status = resolve(b, &t->status);
	struct plan *plan = b->plan;

	if (plan->failed)
		return;
	if (t->on_status == OVERRIDE_FAIL) {
		plan->failed = true;
		diag_set(&plan->reason,
		    "the template says FAIL if the certificate has another Status, "
		    "and it has: PENDING_ACTIVATION");
	} else {
		plan->status = is_inactive(status) ? CERT_INACTIVE : CERT_ACTIVE;
		diag_set(&plan->reason, "the template of its CA");
	}
}

/* Empty: depends on the certificate. */
static struct view
literal_of(const struct template_value *v)
{
	return v->source == VALUE_TEXT || v->source == VALUE_DEFAULT ? v->text
								     : (struct view){ NULL, 0 };
}

struct plan_reach
template_reach(const struct template *t)
{
	struct plan_reach reach = { .has_thing = t->thing_name.source != VALUE_NONE,
		.thing = literal_of(&t->thing_name),
		.changes_thing = t->on_type == OVERRIDE_REPLACE ||
		    t->on_attributes == OVERRIDE_REPLACE || t->on_attributes == OVERRIDE_MERGE };

	for (size_t i = 0; i < t->policy_count; i++)
		if (t->policies[i].document.source != VALUE_NONE)
			reach.makes_policies = true;
		else
			reach.policies[reach.policy_count++] = literal_of(&t->policies[i].name);
	return reach;
}

void
template_eval(const struct template *t, const struct facts *facts, uint8_t room[PLAN_ROOM],
    struct plan *out)
{
	struct builder b = { .facts = facts, .plan = out, .at = room };

	*out = (struct plan){ .origin = PLAN_TEMPLATE, .status = CERT_PENDING_ACTIVATION };
	plan_thing(&b, t);
	plan_policies(&b, t);
	plan_status(&b, t);
	if (out->failed)
		*out = (struct plan){ .origin = PLAN_TEMPLATE,
			.status = CERT_PENDING_ACTIVATION,
			.failed = true,
			.reason = out->reason };
}
