/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * codec_form_template.c - forms of templates; see codec_form.h.
 *
 * The constraint on a value follows from its place and is not stored.
 */
#include <string.h>

#include "codec_form_private.h"

#include "jitr/core/name.h"
#include "jitr/core/template_form.h"

#define HEAD_SIZE (1 + 1 + 1) /* version, kind, number of attributes */

/*
 * Writing.
 */

static void
put_value(struct sink *s, const struct template_value *v)
{
	put_one_of(s, v->source, VALUE_CERTIFICATE_ID + 1);
	if (v->source == VALUE_NONE)
		return;
	if (v->source == VALUE_SUBJECT)
		put_text(s, view_of(cert_field_name(v->field)));
	if (v->source != VALUE_TEXT)
		put_text(s, v->parameter);
	put_one_of(s, v->text.data != NULL, 2);
	if (v->text.data != NULL)
		put_text(s, v->text);
}

static void
put_thing(struct sink *s, const struct template *t)
{
	put_value(s, &t->thing_name);
	put_value(s, &t->thing_type);
	put_value(s, &t->billing_group);
	for (size_t i = 0; i < t->attribute_count; i++) {
		put_text(s, t->attributes[i].name);
		put_value(s, &t->attributes[i].value);
	}
	put_one_of(s, t->on_attributes, OVERRIDE_MERGE + 1);
	put_one_of(s, t->on_type, OVERRIDE_MERGE + 1);
}

static void
put_policies(struct sink *s, const struct template *t)
{
	put_one_of(s, (unsigned)t->policy_count, POLICIES_MAX + 1);
	for (size_t i = 0; i < t->policy_count; i++) {
		put_value(s, &t->policies[i].name);
		put_value(s, &t->policies[i].document);
		put_text(s, t->policies[i].form);
	}
}

size_t
template_encode(const struct template *t, uint8_t *out, size_t room)
{
	struct sink s = { .at = out, .left = out != NULL ? room : SIZE_MAX };

	put_number(&s, FORM_VERSION, 1);
	put_number(&s, FORM_TEMPLATE, 1);
	put_one_of(&s, (unsigned)t->attribute_count, THING_ATTRIBUTES_MAX + 1);
	put_thing(&s, t);
	put_value(&s, &t->status);
	put_one_of(&s, t->on_status, OVERRIDE_MERGE + 1);
	put_policies(&s, t);
	return put_end(&s);
}

/*
 * Reading.
 */

static enum cert_field
get_field(struct source *s)
{
	struct view name = get_text(s);

	for (int f = 0; f < CERT_FIELD_COUNT; f++)
		if (view_equal(name, view_of(cert_field_name((enum cert_field)f))))
			return (enum cert_field)f;
	s->failed = true;
	return FIELD_CERT_SERIAL_NUMBER;
}

/* Literal text is valid; the other sources are checked in each evaluation. */
static struct template_value
get_value(struct source *s, const struct text_kind *kind)
{
	struct template_value v = { .kind = kind };

	v.source = (enum value_source)get_one_of(s, VALUE_CERTIFICATE_ID + 1);
	if (v.source == VALUE_NONE)
		return v;
	if (v.source == VALUE_SUBJECT)
		v.field = get_field(s);
	if (v.source != VALUE_TEXT)
		v.parameter = get_text(s);
	if (get_one_of(s, 2) == 1)
		v.text = get_text(s);
	if (v.source == VALUE_TEXT && (v.text.data == NULL || !kind->valid(v.text)))
		s->failed = true;
	return v;
}

static bool
is_before(struct view a, struct view b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.data, b.data, shorter);

	return order < 0 || (order == 0 && a.len < b.len);
}

/* Plans have room for this many attributes, of valid names and values, sorted. */
static void
get_attributes(struct source *s, struct template *t)
{
	for (size_t i = 0; i < t->attribute_count && !s->failed; i++) {
		struct template_attribute *a = &t->attributes[i];

		a->name = get_text(s);
		a->value = get_value(s, &kind_attribute);
		if (s->failed || !attribute_name_valid(a->name) || a->value.source == VALUE_NONE ||
		    (i > 0 && !is_before(t->attributes[i - 1].name, a->name)))
			s->failed = true;
	}
}

static void
get_thing(struct source *s, struct template *t)
{
	t->thing_name = get_value(s, &kind_thing_name);
	t->thing_type = get_value(s, &kind_thing_name);
	t->billing_group = get_value(s, &kind_thing_name);
	get_attributes(s, t);
	t->on_attributes = (enum override)get_one_of(s, OVERRIDE_MERGE + 1);
	t->on_type = (enum override)get_one_of(s, OVERRIDE_MERGE);
}

/* A policy has a name or a document; a document with text has a form. */
static void
get_policy(struct source *s, struct template_policy *p)
{
	p->name = get_value(s, &kind_policy_name);
	p->document = get_value(s, &kind_text);
	p->form = get_text(s);
	if ((p->name.source == VALUE_NONE) == (p->document.source == VALUE_NONE) ||
	    p->document.source > VALUE_DEFAULT ||
	    (p->document.text.data != NULL) != (p->form.len > 0))
		s->failed = true;
}

static void
get_policies(struct source *s, struct template *t)
{
	t->policy_count = get_one_of(s, POLICIES_MAX + 1);
	for (size_t i = 0; i < t->policy_count && !s->failed; i++)
		get_policy(s, &t->policies[i]);
}

enum err
template_memory(struct view form, size_t *size, struct diag *why)
{
	enum err e = form_check(form, FORM_TEMPLATE, why);

	*size = 0;
	if (e != ERR_OK)
		return e;
	if (form.len < HEAD_SIZE || form.data[2] > THING_ATTRIBUTES_MAX)
		return ERR_CORRUPT;
	*size = form_align(sizeof(struct template)) +
	    form_align(form.data[2] * sizeof(struct template_attribute)) + form.len;
	return ERR_OK;
}

enum err
template_decode(struct view form, void *memory, struct template **out)
{
	struct template *t = memory;
	char *at = (char *)memory + form_align(sizeof(*t));
	struct source s = { .left = form.len - HEAD_SIZE };

	*out = NULL;
	memset(t, 0, sizeof(*t));
	t->attribute_count = form.data[2];
	t->attributes = (struct template_attribute *)(void *)at;
	at += form_align(t->attribute_count * sizeof(*t->attributes));
	memcpy(at, form.data, form.len);
	s.at = (const uint8_t *)at + HEAD_SIZE;
	get_thing(&s, t);
	t->has_certificate = true;
	t->status = get_value(&s, &kind_status);
	t->on_status = (enum override)get_one_of(&s, OVERRIDE_MERGE);
	get_policies(&s, t);
	if (!get_end(&s) || t->status.source == VALUE_NONE)
		return ERR_CORRUPT;
	*out = t;
	return ERR_OK;
}
