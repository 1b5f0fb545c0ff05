/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* ca_settings.c - see ca_settings.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca_settings.h"
#include "command_answer.h"
#include "command_parse.h"
#include "content.h"

#include "jitr/adapter/form.h"
#include "jitr/core/rule.h"

/* "activation": "rule" stands for the rule that activates each certificate that passes the
 * revocation check. */
#define RULE_PLAIN "{}"

/*
 * Members.
 */

/* A provisioning template, by value or by name. */
void
parse_registration_config(struct members *m, struct command *c)
{
	static const char *const names[] = { "templateBody", "roleArn", "templateName" };
	struct members config = json_members(json_object(m, "registrationConfig"), m->diag);
	const char *body;

	if (config.object == NULL)
		return;
	body = json_string(&config, "templateBody", 0, TEMPLATE_BODY_MAX, false);
	c->ca.document.template_body = view_of(body);
	c->ca.document.role_arn = view_of(json_string(&config, "roleArn", 20, 2048, false));
	parse_template_name(&config, "templateName", false, &c->ca.template_name);
	json_only(&config, names, COUNT_OF(names));
	if ((body == NULL) == (c->ca.template_name.len == 0))
		parse_fail(&config, ERR_REQUEST,
		    "registrationConfig needs either a templateBody or a templateName");
	parse_result(m, config.failed);
	c->ca.update.settings.template_name = &c->ca.template_name;
}

static void
parse_activation(struct members *m, struct command *c)
{
	struct ca_settings_update *u = &c->ca.update.settings;
	const char *text = json_string(m, "activation", 1, RULE_BYTES_MAX, false);

	if (text == NULL)
		return;
	u->activation = &c->ca.activation;
	if (strcmp(text, "none") != 0)
		c->ca.activation = view_of(strcmp(text, "rule") == 0 ? RULE_PLAIN : text);
}

static bool
grace_parse(const char *text, uint32_t *days)
{
	unsigned long n;
	char *end;

	if (strncmp(text, "grace ", 6) != 0 || text[6] < '0' || text[6] > '9')
		return false;
	n = strtoul(text + 6, &end, 10);
	*days = (uint32_t)n;
	return *end == '\0' && end - text <= 12 && n <= CRL_GRACE_DAYS_MAX;
}

static void
parse_crl_check(struct members *m, struct command *c)
{
	struct ca_settings_update *u = &c->ca.update.settings;
	const char *text = json_string(m, "crlCheck", 1, 32, false);

	if (text == NULL)
		return;
	u->crl_check = &c->ca.crl_check;
	if (strcmp(text, "required") == 0)
		c->ca.crl_check = CRL_REQUIRED;
	else if (strcmp(text, "if-present") == 0)
		c->ca.crl_check = CRL_IF_PRESENT;
	else if (grace_parse(text, &u->crl_grace_days))
		c->ca.crl_check = CRL_GRACE;
	else
		json_fail(m, "crlCheck", text,
		    "be required, if-present, or grace and a number of days, 0 to 3650");
}

static void
parse_crl_file(struct members *m, struct command *c)
{
	const char *path = json_string(m, "crlFile", 0, CRL_FILE_MAX, false);

	if (path == NULL)
		return;
	c->ca.crl_file = view_of(path);
	c->ca.update.settings.crl_file = &c->ca.crl_file;
}

void
parse_ca_settings(struct members *m, struct command *c)
{
	parse_activation(m, c);
	parse_crl_check(m, c);
	parse_crl_file(m, c);
}

/*
 * Content.
 */

/* The stored plan of a CA acts again when the CA, or its auto-registration, is enabled. */
static bool
is_enabled_by(const struct ca_update *u)
{
	return (u->status != NULL && *u->status == CA_ACTIVE) ||
	    (u->auto_registration != NULL && *u->auto_registration);
}

/* A CA that does not exist is the command's error. */
static enum err
add_stored_plan(const struct command *c, struct content *out)
{
	struct ca_settings settings = CA_SETTINGS_DEFAULT;
	struct ca_document document;
	enum err e = store_get_ca_document(out->txn, &c->id, &document);

	if (e == ERR_OK)
		e = get_ca_settings(out->txn, &c->id, &settings);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (settings.activation.len > 0)
		return content_add_rule(c, settings.activation, out);
	if (settings.template_name.len > 0)
		return content_add_template(c, settings.template_name, out);
	return document.template_body.len > 0 ? content_add_body(c, document.template_body, out)
					      : ERR_OK;
}

/* A CA has a rule or a template, not both. */
enum err
content_of_ca(const struct command *c, struct content *out)
{
	enum err e = ERR_OK;

	if (c->ca.crl_file.len > 0)
		content_need_id(out, "iot:ImportCrl", RESOURCE_CRL, &c->id);
	if (c->ca.activation.len > 0)
		e = content_add_rule(c, c->ca.activation, out);
	else if (c->ca.document.template_body.len > 0)
		e = content_add_body(c, c->ca.document.template_body, out);
	else if (c->ca.template_name.len > 0)
		e = content_add_template(c, c->ca.template_name, out);
	else if (is_enabled_by(&c->ca.update))
		e = add_stored_plan(c, out);
	return e;
}

/*
 * Checks.
 */

static enum err
prepare_activation(struct command *c)
{
	struct ca_settings_update *u = &c->ca.update.settings;
	struct rule *rule;
	enum err e;

	if (c->ca.activation.len == 0)
		return ERR_OK;
	e = rule_compile(c->ca.activation, &rule, &c->diag);
	if (e != ERR_OK)
		return e;
	u->supersedes = rule_supersedes(rule);
	u->supersede_after = rule_supersede_after(rule);
	e = form_of_rule(rule, &c->rule_form);
	u->activation_form = c->rule_form;
	rule_free(rule);
	return e;
}

static enum err
prepare_template(struct command *c)
{
	enum err e = check_template_body(c, c->ca.document.template_body);

	c->ca.document.template_form = c->ca.update.template_form = c->form;
	return e;
}

enum err
prepare_ca(struct command *c)
{
	enum err e = ERR_OK;

	if (c->ca.crl_file.len > 0)
		e = crls_check_file(c->context->crls, c->ca.crl_file, &c->diag);
	if (e == ERR_OK && c->ca.document.template_body.data != NULL)
		e = prepare_template(c);
	return e == ERR_OK ? prepare_activation(c) : e;
}

/*
 * Answers.
 */

enum err
get_ca_settings(struct txn *t, const struct certid *id, struct ca_settings *out)
{
	enum err e = store_get_ca_settings(t, id, out);

	if (e != ERR_NOT_FOUND)
		return e;
	*out = CA_SETTINGS_DEFAULT;
	return ERR_OK;
}

void
add_registration_config(cJSON *data, const struct ca_document *document,
    const struct ca_settings *settings)
{
	cJSON *config;

	if (document->template_body.len == 0 && settings->template_name.len == 0)
		return;
	config = cJSON_AddObjectToObject(data, "registrationConfig");
	add_view(config, "templateBody", document->template_body);
	add_view(config, "roleArn", document->role_arn);
	add_view(config, "templateName", settings->template_name);
}

void
add_crl_settings(cJSON *data, const struct ca_settings *s)
{
	char grace[32];

	(void)snprintf(grace, sizeof(grace), "grace %lu", (unsigned long)s->crl_grace_days);
	cJSON_AddStringToObject(data, "crlCheck",
	    s->crl_check == CRL_REQUIRED    ? "required"
		: s->crl_check == CRL_GRACE ? grace
					    : "if-present");
	add_view(data, "crlFile", s->crl_file);
}
