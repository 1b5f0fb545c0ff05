/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * template_form.h - a compiled template, between its compiler and its
 * evaluation.  Nothing else looks inside.
 */
#ifndef JITR_TEMPLATE_FORM_H
#define JITR_TEMPLATE_FORM_H

#include "jitr/core/template.h"

/* What a value has to be. */
struct text_kind {
	bool (*valid)(struct view text);
	const char *words; /* of one that is not: "is no name of a thing: ..." */
};

extern const struct text_kind kind_thing_name, kind_policy_name, kind_attribute, kind_status,
    kind_text;

enum value_source {
	VALUE_NONE,           /* it is not given */
	VALUE_TEXT,           /* it stands there */
	VALUE_DEFAULT,        /* a parameter's Default, since it has no value */
	VALUE_SUBJECT,        /* a field of the certificate's subject, or the Default */
	VALUE_CERTIFICATE_ID, /* or the Default */
};

struct template_value {
	enum value_source source;
	const struct text_kind *kind;
	enum cert_field field;
	struct view text;      /* what stands there, or the Default; data NULL: none */
	struct view parameter; /* its name, where it is one */
};

struct template_attribute {
	struct view name;
	struct template_value value;
};

struct template_policy {
	struct template_value name, document; /* one of them */
};

struct template
{
	struct template_value thing_name, thing_type, billing_group;
	struct template_attribute *attributes; /* sorted by name */
	size_t attribute_count;
	enum override on_attributes, on_type;
	bool has_certificate;
	struct template_value status;
	enum override on_status;
	struct template_policy policies[POLICIES_MAX];
	size_t policy_count;
	void *memory; /* all of it, this included */
};

#endif
