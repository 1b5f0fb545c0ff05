/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * template_form.h - the compiled form of a template.  For its compiler and its
 * evaluation only.
 */
#ifndef JITR_TEMPLATE_FORM_H
#define JITR_TEMPLATE_FORM_H

#include "jitr/core/template.h"

/* A constraint on a value. */
struct text_kind {
	bool (*valid)(struct view text);
	const char *words; /* the message if it is violated: "is no name of a thing: ..." */
};

extern const struct text_kind kind_thing_name, kind_policy_name, kind_attribute, kind_status,
    kind_text;

enum value_source {
	VALUE_NONE,           /* not given */
	VALUE_TEXT,           /* literal text */
	VALUE_DEFAULT,        /* the Default of a parameter that has no value */
	VALUE_SUBJECT,        /* a field of the certificate's subject, or else the Default */
	VALUE_CERTIFICATE_ID, /* the certificate id, or else the Default */
};

struct template_value {
	enum value_source source;
	const struct text_kind *kind;
	enum cert_field field;
	struct view text;      /* the literal text, or the Default; data NULL: none */
	struct view parameter; /* name of the parameter, if it refers to one */
};

struct template_attribute {
	struct view name;
	struct template_value value;
};

struct template_policy {
	struct template_value name, document; /* exactly one of them is given */
	struct view form;                     /* of the document's text (codec_form.h) */
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
	void *memory; /* the compiler's; NULL: decoded (codec_form.h) */
};

#endif
