/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* form.c - see form.h. */
#include <stdlib.h>

#include "jitr/adapter/form.h"

/* NULL: out of memory. */
static uint8_t *
allocate(size_t size, struct view *out)
{
	uint8_t *bytes = malloc(size > 0 ? size : 1);

	*out = (struct view){ bytes, bytes != NULL ? size : 0 };
	return bytes;
}

static enum err
unusable(const char *reason, struct view *out)
{
	uint8_t *bytes = allocate(unusable_form_size(reason), out);

	if (bytes == NULL)
		return ERR_NOMEM;
	unusable_form_encode(reason, bytes);
	return ERR_OK;
}

/* size: of the form; 0: it has none. */
static enum err
begin(size_t size, struct view *out, uint8_t **bytes)
{
	*bytes = NULL;
	if (size == 0)
		return unusable("its compiled form is too large", out);
	*bytes = allocate(size, out);
	return *bytes != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
form_of_policy(const struct policy *p, struct view *out)
{
	uint8_t *bytes;
	enum err e = begin(policy_encode(p, NULL, 0), out, &bytes);

	if (bytes != NULL)
		(void)policy_encode(p, bytes, out->len);
	return e;
}

enum err
form_of_rule(const struct rule *r, struct view *out)
{
	uint8_t *bytes;
	enum err e = begin(rule_encode(r, NULL, 0), out, &bytes);

	if (bytes != NULL)
		(void)rule_encode(r, bytes, out->len);
	return e;
}

enum err
form_of_template(const struct template *t, struct view *out)
{
	uint8_t *bytes;
	enum err e = begin(template_encode(t, NULL, 0), out, &bytes);

	if (bytes != NULL)
		(void)template_encode(t, bytes, out->len);
	return e;
}

/* A form does not depend on the account and the region. */
static enum err
compile(enum form_kind kind, struct view document, struct view *out, struct diag *why)
{
	struct arn_scope scope = arn_scope_of("", "");
	struct template *t = NULL;
	struct policy *p = NULL;
	struct rule *r = NULL;
	enum err e = ERR_CORRUPT;

	if (kind == FORM_POLICY && (e = policy_compile(document, &scope, &p, why)) == ERR_OK)
		e = form_of_policy(p, out);
	if (kind == FORM_RULE && (e = rule_compile(document, &r, why)) == ERR_OK)
		e = form_of_rule(r, out);
	if (kind == FORM_TEMPLATE && (e = template_compile(document, &scope, &t, why)) == ERR_OK)
		e = form_of_template(t, out);
	policy_free(p);
	rule_free(r);
	template_free(t);
	return e;
}

enum err
form_make(enum form_kind kind, struct view document, struct view *out)
{
	struct diag why = { "" };
	enum err e;

	*out = (struct view){ NULL, 0 };
	e = compile(kind, document, out, &why);
	if (e == ERR_OK || e == ERR_NOMEM)
		return e;
	return unusable(why.text[0] != '\0' ? why.text : err_text(e), out);
}

void
form_free(struct view form)
{
	free((void *)(uintptr_t)form.data);
}
