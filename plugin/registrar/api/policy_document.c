/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* policy_document.c - see policy_document.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_document.h"

#include "jitr/adapter/form.h"

#include "command_answer.h"
#include "command_parse.h"
#include "content.h"

void
parse_policy(struct members *m, struct command *c)
{
	parse_policy_name(m, c);
	PARSE_ONLY(m, "policyName");
}

void
parse_policy_document(struct members *m, struct command *c)
{
	c->policy.document = view_of(json_string(m, "policyDocument", 0, POLICY_BYTES_MAX, true));
}

void
check_policy_document(struct members *m, struct command *c)
{
	struct policy *policy = NULL;
	struct diag why = { "" };
	enum err e;

	if (m->failed != ERR_OK)
		return;
	e = policy_compile(c->policy.document, &c->context->account->scope, &policy, &why);
	if (e == ERR_OK)
		e = form_of_policy(policy, &c->form);
	policy_free(policy);
	if (e == ERR_OK)
		return;
	m->failed = e;
	diag_set(m->diag, e == ERR_POLICY ? "Policy document is Malformed: %s" : "%s",
	    why.text[0] != '\0' ? why.text : err_text(e));
}

enum err
content_of_policy(const struct command *c, struct content *out)
{
	return content_reserve_document(c, c->policy.document, out);
}

enum err
lookup_policy_version(struct txn *t, struct command *c, uint32_t number, struct policy_version *out)
{
	enum err e = store_get_policy_version(t, c->named, number, out);

	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "Policy version not found (name=%.*s)", (int)c->named.len,
		    (const char *)c->named.data);
	return e;
}

enum err
add_policy_document(cJSON *o, struct view document)
{
	char *text = strndup(document.len > 0 ? (const char *)document.data : "", document.len);

	if (text == NULL)
		return ERR_NOMEM;
	cJSON_AddStringToObject(o, "policyDocument", text);
	free(text);
	return ERR_OK;
}

void
add_version_id(cJSON *o, const char *name, uint32_t number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%lu", (unsigned long)number);
	cJSON_AddStringToObject(o, name, text);
}

static void
add_warnings_of(cJSON *answer, const struct command *c, struct view document,
    const char *name_or_null)
{
	struct policy *policy = NULL;

	if (policy_compile(document, &c->context->account->scope, &policy, NULL) == ERR_OK)
		add_policy_warnings(answer, c, policy, name_or_null);
	policy_free(policy);
}

void
add_document_warnings(cJSON *answer, const struct command *c)
{
	add_warnings_of(answer, c, c->policy.document, NULL);
}

void
add_stored_warnings(cJSON *answer, struct txn *t, const struct command *c, const char *name)
{
	struct policy_record policy;
	struct policy_version version;

	if (store_get_policy(t, view_of(name), &policy) == ERR_OK &&
	    store_get_policy_version(t, view_of(name), policy.default_version, &version) == ERR_OK)
		add_warnings_of(answer, c, version.document, name);
}
