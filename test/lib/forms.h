/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * forms.h - what is compiled, encoded and decoded again.  The caller frees it with free().
 * Aborts unless the form is decoded, and encoded to the same bytes again.
 */
#ifndef JITR_TEST_FORMS_H
#define JITR_TEST_FORMS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/codec_form.h"
#include "jitr/adapter/expression.h"
#include "jitr/adapter/form.h"

static inline void
form_require(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "a form: %s\n", what);
	abort();
}

/* The form of a document, in memory that the next call frees. */
static inline struct view
form_text(enum form_kind kind, struct view document)
{
	static struct view form;

	form_free(form);
	form_require(form_make(kind, document, &form) == ERR_OK, "no memory");
	return form;
}

/* Its length exactly, so that a sanitizer sees what reads behind it. */
#define FORM_OF(form, encode, compiled) \
	do { \
		size_t len = encode(compiled, NULL, 0); \
		uint8_t *bytes = malloc(len); \
		form_require(len > 0 && bytes != NULL, "no encoding"); \
		form_require(encode(compiled, bytes, len) == len, "another length"); \
		form_require(encode(compiled, bytes, len - 1) == 0, "written behind its end"); \
		(void)encode(compiled, bytes, len); \
		(form) = (struct view){ bytes, len }; \
	} while (0)

static inline void
form_same(struct view a, struct view b)
{
	form_require(view_equal(a, b), "other bytes after decoding");
	form_free(a);
	form_free(b);
}

static inline struct policy *
policy_of_form(struct view form, const struct arn_scope *scope)
{
	struct policy *p = NULL;
	struct diag why;
	size_t size;
	void *memory;

	if (policy_memory(form, &size, &why) != ERR_OK)
		return NULL;
	memory = malloc(size);
	form_require(memory != NULL, "no memory");
	if (policy_decode(form, scope, memory, &p) != ERR_OK)
		free(memory);
	return p;
}

static inline struct rule *
rule_of_form(struct view form)
{
	struct rule *r = NULL;
	struct diag why;
	size_t size;
	void *memory;

	if (rule_memory(form, &posix_expressions, &size, &why) != ERR_OK)
		return NULL;
	memory = malloc(size);
	form_require(memory != NULL, "no memory");
	if (rule_decode(form, &posix_expressions, memory, &r, &why) != ERR_OK)
		free(memory);
	return r;
}

static inline struct template *
template_of_form(struct view form)
{
	struct template *t = NULL;
	struct diag why;
	size_t size;
	void *memory;

	if (template_memory(form, &size, &why) != ERR_OK)
		return NULL;
	memory = malloc(size);
	form_require(memory != NULL, "no memory");
	if (template_decode(form, memory, &t) != ERR_OK)
		free(memory);
	return t;
}

static inline struct policy *
policy_again(const struct policy *p, const struct arn_scope *scope)
{
	struct policy *again;
	struct view form, other;

	FORM_OF(form, policy_encode, p);
	again = policy_of_form(form, scope);
	form_require(again != NULL, "a policy that is not decoded");
	FORM_OF(other, policy_encode, again);
	form_same(form, other);
	return again;
}

static inline struct rule *
rule_again(const struct rule *r)
{
	struct rule *again;
	struct view form, other;

	FORM_OF(form, rule_encode, r);
	again = rule_of_form(form);
	form_require(again != NULL, "a rule that is not decoded");
	FORM_OF(other, rule_encode, again);
	form_same(form, other);
	return again;
}

static inline struct template *
template_again(const struct template *t)
{
	struct template *again;
	struct view form, other;

	FORM_OF(form, template_encode, t);
	again = template_of_form(form);
	form_require(again != NULL, "a template that is not decoded");
	FORM_OF(other, template_encode, again);
	form_same(form, other);
	return again;
}

#endif
