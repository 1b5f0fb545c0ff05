/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_parse.c - see command_parse.h. */
#include <stdio.h>
#include <string.h>

#include "command_parse.h"

#include "jitr/adapter/form.h"
#include "jitr/adapter/x509.h"
#include "jitr/core/name.h"
#include "jitr/core/template.h"

#define TEMPLATE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* In AWS's order, which its error messages show. */
static const char *const statuses[] = { "ACTIVE", "INACTIVE", "REVOKED", "PENDING_TRANSFER",
	"REGISTER_INACTIVE", "PENDING_ACTIVATION" };

void
parse_only(struct members *m, const char *const *names)
{
	size_t count = 0;

	while (names[count] != NULL)
		count++;
	json_only(m, names, count);
}

void
parse_fail(struct members *m, enum err e, const char *why)
{
	if (m->failed != ERR_OK)
		return;
	m->failed = e;
	diag_set(m->diag, "%s", why);
}

void
parse_result(struct members *m, enum err e)
{
	if (m->failed == ERR_OK)
		m->failed = e;
}

bool
parse_pem(struct members *m, const char *name, bool required, struct x509_st **out)
{
	const char *pem = json_string(m, name, 1, X509_PEM_MAX, required);
	struct diag why = { "" };
	enum err e;

	if (pem == NULL)
		return false;
	e = x509_from_pem(view_of(pem), out, &why);
	if (e == ERR_OK)
		return true;
	m->failed = e;
	diag_set(m->diag, "%s: %s", name, why.text);
	return false;
}

static void
check_tag(struct members *m, const cJSON *json)
{
	static const char *const names[] = { "Key", "Value" };
	struct members tag = json_members(json, m->diag);

	if (!cJSON_IsObject(json)) {
		json_fail(m, "tags", NULL, "be a list of objects");
		return;
	}
	(void)json_string(&tag, "Key", 1, 128, true);
	(void)json_string(&tag, "Value", 0, 256, false);
	json_only(&tag, names, COUNT_OF(names));
	parse_result(m, tag.failed);
}

void
parse_tags(struct members *m)
{
	const cJSON *tags = json_array(m, "tags", 50), *tag;

	if (tags == NULL)
		return;
	cJSON_ArrayForEach(tag, tags) if (m->failed == ERR_OK) check_tag(m, tag);
}

void
parse_certificate_id(struct members *m, struct command *c)
{
	json_certid(m, "certificateId", &c->id);
	PARSE_ONLY(m, "certificateId");
}

bool
parse_cert_status(struct members *m, const char *name, bool required, enum cert_status *out)
{
	int word = json_word(m, name, statuses, COUNT_OF(statuses), required);

	if (word < 0)
		return false;
	if (!cert_status_parse(statuses[word], out)) {
		*out = CERT_INACTIVE;
		if (required && m->failed == ERR_OK) {
			m->failed = ERR_WRONG_STATE;
			diag_set(m->diag, "REGISTER_INACTIVE is deprecated: use INACTIVE");
		}
	}
	return true;
}

/* A name in AWS's pattern for it (aws-iot 1.7). */
static void
parse_name(struct members *m, const char *name, bool required, bool (*valid)(struct view text),
    const char *pattern, struct view *out)
{
	const char *text = json_string(m, name, 1, NAME_MAX_LENGTH, required);
	char constraint[80];

	if (text == NULL)
		return;
	if (valid(view_of(text))) {
		*out = view_of(text);
		return;
	}
	(void)snprintf(constraint, sizeof(constraint), "satisfy regular expression pattern: %s",
	    pattern);
	json_fail(m, name, text, constraint);
}

void
parse_policy_name(struct members *m, struct command *c)
{
	parse_name(m, "policyName", true, policy_name_valid, "[\\w+=,.@-]+", &c->named);
}

void
parse_thing_name(struct members *m, const char *name, bool required, struct view *out)
{
	parse_name(m, name, required, thing_name_valid, "[a-zA-Z0-9:_-]+", out);
}

void
parse_template_name(struct members *m, const char *name, bool required, struct view *out)
{
	const char *text = json_string(m, name, 1, TEMPLATE_NAME_MAX, required);

	if (text == NULL)
		return;
	*out = view_of(text);
	if (text[strspn(text, TEMPLATE_CHARACTERS)] != '\0')
		json_fail(m, name, text, "satisfy regular expression pattern: ^[0-9A-Za-z_-]+$");
}

enum err
check_template_body(struct command *c, struct view body)
{
	struct template *template;
	enum err e = template_compile(body, &c->context->account->scope, &template, &c->diag);

	if (e != ERR_OK)
		return e;
	e = form_of_template(template, &c->form);
	template_free(template);
	return e;
}

void
parse_principal(struct members *m, const char *name, struct command *c)
{
	const char *text = json_string(m, name, 1, 2048, true), *hex = text;
	const char *prefix = c->context->account->scope.prefix;
	size_t len = strlen(prefix);

	if (text == NULL)
		return;
	if (strncmp(text, prefix, len) == 0 && strncmp(text + len, "cert/", 5) == 0)
		hex = text + len + 5;
	if (certid_from_hex(&c->id, view_of(hex)))
		return;
	m->failed = ERR_REQUEST;
	diag_set(m->diag,
	    "Invalid principal '%.48s%s' at '%s': it must be the ARN of a certificate, "
	    "%scert/<certificateId>, or its certificateId",
	    text, strlen(text) > 48 ? "..." : "", name, prefix);
}
