/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_ca.c - the registration code and CA certificates (aws-iot A.1, A.2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#include "jitr/core/rule.h"
#include "jitr/adapter/trust_chain.h"
#include "jitr/adapter/x509.h"

static const char *const ca_statuses[] = { "ACTIVE", "INACTIVE" };
static const char *const auto_statuses[] = { "ENABLE", "DISABLE" };
static const char *const modes[] = { "DEFAULT", "SNI_ONLY" };

enum err
change_get_code(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_registration_code(t, c->code);
}

enum err
change_delete_code(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_delete_registration_code(t, &c->diag);
}

enum err
render_code(struct txn *t, struct command *c, cJSON *data)
{
	(void)t;
	cJSON_AddStringToObject(data, "registrationCode", c->code);
	return ERR_OK;
}

/*
 * registrationConfig: a provisioning template, by value or by name.
 */

static void
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
	parse_take(m, config.failed);
	c->ca.update.settings.template_name = &c->ca.template_name;
}

/*
 * Settings that are ours: the rule, and what is asked of revocation lists.
 */

/* The words: whatever passes the revocation check becomes ACTIVE; and no rule. */
#define RULE_PLAIN "{}"

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
	rule_free(rule);
	return ERR_OK;
}

/* Of what is to be stored: can it be carried out? */
enum err
prepare_ca(struct command *c)
{
	enum err e = ERR_OK;

	if (c->ca.crl_file.len > 0)
		e = crls_check_file(c->crls, c->ca.crl_file, &c->diag);
	if (e == ERR_OK && c->ca.document.template_body.data != NULL)
		e = check_template_body(c, c->ca.document.template_body);
	return e == ERR_OK ? prepare_activation(c) : e;
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

static void
parse_settings(struct members *m, struct command *c)
{
	parse_activation(m, c);
	parse_crl_check(m, c);
	parse_crl_file(m, c);
}

/* Kept as they came, to be shown. */
static void
parse_ca_tags(struct members *m, struct command *c)
{
	parse_tags(m);
	if (m->failed != ERR_OK || !json_has(m, "tags"))
		return;
	c->kept = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(m->object, "tags"));
	if (c->kept == NULL)
		parse_take(m, ERR_NOMEM);
	c->ca.document.tags = view_of(c->kept);
}

/* Proof of possession is what DEFAULT means, and SNI_ONLY goes without (aws-iot
 * A.2.1, C). */
static void
parse_proof(struct members *m, struct command *c)
{
	bool given = json_has(m, "verificationCertificate");
	struct x509_st *verification = NULL;

	if (c->ca.record.mode == MODE_SNI_ONLY) {
		if (given)
			parse_fail(m, ERR_REQUEST,
			    "verificationCertificate must not be given in certificateMode SNI_ONLY");
		return;
	}
	if (!given)
		parse_fail(m, ERR_REQUEST,
		    "verificationCertificate must be given in certificateMode DEFAULT");
	if (parse_pem(m, "verificationCertificate", false, &verification))
		parse_take(m,
		    x509_check_verification(verification, c->x, c->asked, c->ca.proof, m->diag));
	x509_free(verification);
}

static void
parse_ca_pem(struct members *m, struct command *c)
{
	if (!parse_pem(m, "caCertificate", true, &c->x))
		return;
	parse_take(m, x509_check_ca(c->x, c->asked, m->diag));
	parse_take(m, x509_read_ca(c->x, &c->ca.record));
	c->id = c->ca.record.id;
	c->ca.document.pem = view_of(json_string(m, "caCertificate", 0, X509_PEM_MAX, false));
}

void
parse_register_ca(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "caCertificate",
		"verificationCertificate", "setAsActive", "allowAutoRegistration",
		"registrationConfig", "tags", "certificateMode", "activation", "crlCheck",
		"crlFile" };
	bool active = json_bool(m, "setAsActive", false);
	bool automatic = json_bool(m, "allowAutoRegistration", false);
	int mode = json_word(m, "certificateMode", modes, COUNT_OF(modes), false);

	json_only(m, names, COUNT_OF(names));
	parse_ca_tags(m, c);
	parse_registration_config(m, c);
	parse_settings(m, c);
	parse_ca_pem(m, c);
	if (m->failed != ERR_OK)
		return;
	c->ca.record.status = active ? CA_ACTIVE : CA_INACTIVE;
	c->ca.record.auto_registration = automatic;
	c->ca.record.mode = mode == 1 ? MODE_SNI_ONLY : MODE_DEFAULT;
	parse_proof(m, c);
}

enum err
change_register_ca(struct txn *t, struct command *c, int64_t now)
{
	uint8_t *der = NULL;
	enum err e = x509_to_der(c->x, &der, &c->ca.document.der.len);

	if (e == ERR_OK) {
		c->ca.document.der.data = der;
		e = registry_add_ca(t,
		    &(struct ca_registration){ .ca = &c->ca.record,
			.document = &c->ca.document,
			.settings = &c->ca.update.settings,
			.proof = c->ca.record.mode == MODE_DEFAULT ? c->ca.proof : NULL },
		    now, &c->diag);
	}
	free(der);
	return e;
}

static void
add_ca_warning(void *answer, const char *text)
{
	add_warning(answer, text);
}

enum err
render_ca_made(struct txn *t, struct command *c, cJSON *data)
{
	(void)t;
	trust_check_ca(c->x, c->asked, add_ca_warning, data);
	add_id_arn(data, "certificateArn", c->account, RESOURCE_CA, &c->id);
	add_hex(data, "certificateId", c->id.b, sizeof(c->id.b));
	return ERR_OK;
}

void
parse_ca_id(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "certificateId" };

	json_certid(m, "certificateId", &c->id);
	json_only(m, names, COUNT_OF(names));
}

void
parse_update_ca(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "certificateId",
		"newStatus", "newAutoRegistrationStatus", "registrationConfig",
		"removeAutoRegistration", "activation", "crlCheck", "crlFile" };
	int status, automatic;

	json_certid(m, "certificateId", &c->id);
	status = json_word(m, "newStatus", ca_statuses, COUNT_OF(ca_statuses), false);
	automatic = json_word(m, "newAutoRegistrationStatus", auto_statuses,
	    COUNT_OF(auto_statuses), false);
	c->ca.update.remove_auto_registration = json_bool(m, "removeAutoRegistration", false);
	json_only(m, names, COUNT_OF(names));
	parse_registration_config(m, c);
	parse_settings(m, c);
	c->ca.new_status = status == 0 ? CA_ACTIVE : CA_INACTIVE;
	c->ca.new_auto_registration = automatic == 0;
	if (status >= 0)
		c->ca.update.status = &c->ca.new_status;
	if (automatic >= 0)
		c->ca.update.auto_registration = &c->ca.new_auto_registration;
	if (!json_has(m, "registrationConfig"))
		return;
	c->ca.update.template_body = &c->ca.document.template_body;
	c->ca.update.role_arn = &c->ca.document.role_arn;
	if (c->ca.update.remove_auto_registration)
		parse_fail(m, ERR_REQUEST,
		    "removeAutoRegistration and registrationConfig exclude each other");
}

enum err
change_update_ca(struct txn *t, struct command *c, int64_t now)
{
	return registry_update_ca(t, &c->id, &c->ca.update, now, &c->diag);
}

enum err
change_delete_ca(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_remove_ca(t, &c->id, &c->diag);
}

static void
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

static enum err
get_settings(struct txn *t, const struct certid *id, struct ca_settings *out)
{
	enum err e = store_get_ca_settings(t, id, out);

	if (e != ERR_NOT_FOUND)
		return e;
	*out = CA_SETTINGS_DEFAULT;
	return ERR_OK;
}

static void
add_crl_check(cJSON *data, const struct ca_settings *s)
{
	char grace[32];

	(void)snprintf(grace, sizeof(grace), "grace %lu", (unsigned long)s->crl_grace_days);
	cJSON_AddStringToObject(data, "crlCheck",
	    s->crl_check == CRL_REQUIRED    ? "required"
		: s->crl_check == CRL_GRACE ? grace
					    : "if-present");
	add_view(data, "crlFile", s->crl_file);
}

enum err
add_crl_settings(struct txn *t, const struct command *c, cJSON *data)
{
	struct ca_settings settings;
	enum err e = get_settings(t, &c->id, &settings);

	if (e == ERR_OK)
		add_crl_check(data, &settings);
	return e;
}

enum err
render_ca(struct txn *t, struct command *c, cJSON *data)
{
	struct ca_document document;
	struct ca_settings settings;
	struct ca ca;
	cJSON *o;
	enum err e = store_get_ca(t, &c->id, &ca);

	if (e == ERR_OK)
		e = store_get_ca_document(t, &c->id, &document);
	if (e == ERR_OK)
		e = get_settings(t, &c->id, &settings);
	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "CA certificate not found");
	if (e != ERR_OK)
		return e;
	o = cJSON_AddObjectToObject(data, "certificateDescription");
	add_id_arn(o, "certificateArn", c->account, RESOURCE_CA, &ca.id);
	add_hex(o, "certificateId", ca.id.b, sizeof(ca.id.b));
	cJSON_AddStringToObject(o, "status", ca_status_name(ca.status));
	e = add_pem(o, document.pem, document.der);
	cJSON_AddStringToObject(o, "ownedBy", c->account->id);
	add_time(o, "creationDate", ca.created);
	cJSON_AddStringToObject(o, "autoRegistrationStatus",
	    ca.auto_registration ? "ENABLE" : "DISABLE");
	add_time(o, "lastModifiedDate", ca.modified);
	cJSON_AddNumberToObject(o, "customerVersion", ca.version);
	add_uuid(o, "generationId", &ca.generation);
	add_validity(o, ca.not_before, ca.not_after);
	cJSON_AddStringToObject(o, "certificateMode", cert_mode_name(ca.mode));
	add_registration_config(data, &document, &settings);
	add_view(data, "activation", settings.activation);
	add_crl_check(data, &settings);
	return e;
}

void
parse_list_cas(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "pageSize", "marker",
		"ascendingOrder", "templateName" };

	parse_markers(m, c, KEY_CREATED_ID);
	parse_template_name(m, "templateName", false, &c->named);
	json_only(m, names, COUNT_OF(names));
}

static void
add_ca_entry(cJSON *list, const struct account *a, const struct ca *ca)
{
	cJSON *o = cJSON_CreateObject();

	add_id_arn(o, "certificateArn", a, RESOURCE_CA, &ca->id);
	add_hex(o, "certificateId", ca->id.b, sizeof(ca->id.b));
	cJSON_AddStringToObject(o, "status", ca_status_name(ca->status));
	add_time(o, "creationDate", ca->created);
	cJSON_AddItemToArray(list, o);
}

/* Only those with this template, if one is asked for: a page may be short. */
static enum err
is_asked_for(struct txn *t, const struct command *c, const struct ca *ca, bool *out)
{
	struct ca_settings settings;
	enum err e;

	*out = c->named.len == 0;
	if (*out)
		return ERR_OK;
	e = get_settings(t, &ca->id, &settings);
	*out = e == ERR_OK && view_equal(settings.template_name, c->named);
	return e;
}

enum err
render_cas(struct txn *t, struct command *c, cJSON *data)
{
	struct ca *page = calloc(PAGE_MAX + 1, sizeof(*page));
	cJSON *list = cJSON_AddArrayToObject(data, "certificates");
	struct position after = { c->page.after.created, c->page.after.id };
	struct listing l = { .after = c->page.has_after ? &after : NULL,
		.ascending = c->page.ascending };
	size_t count = 0;
	bool asked_for = true;
	enum err e = ERR_NOMEM;

	if (page != NULL)
		e = store_list_cas(t, &l, page, c->page.size + 1, &count);
	for (size_t i = 0; e == ERR_OK && i < count && i < c->page.size; i++) {
		e = is_asked_for(t, c, &page[i], &asked_for);
		if (e == ERR_OK && asked_for)
			add_ca_entry(list, c->account, &page[i]);
	}
	if (e == ERR_OK && count > c->page.size)
		add_mark(data, c,
		    &(struct mark){ .created = page[c->page.size - 1].created,
			.id = page[c->page.size - 1].id });
	free(page);
	return e;
}
