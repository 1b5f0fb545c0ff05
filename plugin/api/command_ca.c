/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_ca.c - the registration code and CA certificates (aws-iot A.1, A.2). */
#include <stdlib.h>
#include <string.h>

#include "command.h"

#include "jitr/x509.h"

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
 * registrationConfig, a provisioning template: stored and told, not carried
 * out by this release.  There is no store of named templates, so every name
 * names none.
 */

static void
check_template_name(struct members *m, const char *name)
{
	if (name == NULL)
		return;
	if (strspn(name, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-") !=
	    strlen(name))
		json_fail(m, "templateName", name,
		    "satisfy regular expression pattern: ^[0-9A-Za-z_-]+$");
}

static void
check_template_body(struct members *m, const char *body)
{
	cJSON *json = NULL;

	if (body == NULL)
		return;
	if (json_parse(view_of(body), 32, &json, NULL) != ERR_OK || !cJSON_IsObject(json))
		parse_fail(m, ERR_REQUEST, "registrationConfig.templateBody is not a JSON object");
	cJSON_Delete(json);
}

static void
parse_registration_config(struct members *m, struct view *template_body, struct view *role_arn)
{
	static const char *const names[] = { "templateBody", "roleArn", "templateName" };
	struct members config = json_members(json_object(m, "registrationConfig"), m->diag);
	const char *body, *role, *name;

	if (config.object == NULL)
		return;
	body = json_string(&config, "templateBody", 0, 10240, false);
	role = json_string(&config, "roleArn", 20, 2048, false);
	name = json_string(&config, "templateName", 1, 36, false);
	json_only(&config, names, COUNT_OF(names));
	check_template_name(&config, name);
	if ((body == NULL) == (name == NULL))
		parse_fail(&config, ERR_REQUEST,
		    "registrationConfig needs either a templateBody or a templateName");
	check_template_body(&config, body);
	if (name != NULL)
		parse_fail(&config, ERR_NOT_FOUND, "There is no provisioning template of this name");
	parse_take(m, config.failed);
	*template_body = view_of(body);
	*role_arn = view_of(role);
}

/* Kept as they came, for whoever asks. */
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
		parse_take(m, x509_check_verification(verification, c->x, c->asked, c->ca.proof,
		    m->diag));
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
		"registrationConfig", "tags", "certificateMode" };
	bool active = json_bool(m, "setAsActive", false);
	bool automatic = json_bool(m, "allowAutoRegistration", false);
	int mode = json_word(m, "certificateMode", modes, COUNT_OF(modes), false);

	json_only(m, names, COUNT_OF(names));
	parse_ca_tags(m, c);
	parse_registration_config(m, &c->ca.document.template_body, &c->ca.document.role_arn);
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
		e = registry_add_ca(t, &c->ca.record, &c->ca.document,
		    c->ca.record.mode == MODE_DEFAULT ? c->ca.proof : NULL, now, &c->diag);
	}
	free(der);
	return e;
}

enum err
render_ca_made(struct txn *t, struct command *c, cJSON *data)
{
	(void)t;
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
		"removeAutoRegistration" };
	int status, automatic;

	json_certid(m, "certificateId", &c->id);
	status = json_word(m, "newStatus", ca_statuses, COUNT_OF(ca_statuses), false);
	automatic = json_word(m, "newAutoRegistrationStatus", auto_statuses,
	    COUNT_OF(auto_statuses), false);
	c->ca.update.remove_auto_registration = json_bool(m, "removeAutoRegistration", false);
	json_only(m, names, COUNT_OF(names));
	parse_registration_config(m, &c->ca.document.template_body, &c->ca.document.role_arn);
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
add_registration_config(cJSON *data, const struct ca_document *document)
{
	cJSON *config;

	if (document->template_body.len == 0)
		return;
	config = cJSON_AddObjectToObject(data, "registrationConfig");
	add_view(config, "templateBody", document->template_body);
	add_view(config, "roleArn", document->role_arn);
}

enum err
render_ca(struct txn *t, struct command *c, cJSON *data)
{
	struct ca_document document;
	struct ca ca;
	cJSON *o;
	enum err e = store_get_ca(t, &c->id, &ca);

	if (e == ERR_OK)
		e = store_get_ca_document(t, &c->id, &document);
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
	cJSON_AddStringToObject(o, "autoRegistrationStatus", ca.auto_registration ? "ENABLE" : "DISABLE");
	add_time(o, "lastModifiedDate", ca.modified);
	cJSON_AddNumberToObject(o, "customerVersion", ca.version);
	add_uuid(o, "generationId", &ca.generation);
	add_validity(o, ca.not_before, ca.not_after);
	cJSON_AddStringToObject(o, "certificateMode", cert_mode_name(ca.mode));
	add_registration_config(data, &document);
	return e;
}

void
parse_list_cas(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "pageSize", "marker",
		"ascendingOrder", "templateName" };
	const char *name;

	parse_markers(m, c, KEY_CREATED_ID);
	name = json_string(m, "templateName", 1, 36, false);
	check_template_name(m, name);
	json_only(m, names, COUNT_OF(names));
	if (name != NULL)
		c->page.size = 0; /* no CA has a named template */
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

enum err
render_cas(struct txn *t, struct command *c, cJSON *data)
{
	struct ca *page = calloc(PAGE_MAX + 1, sizeof(*page));
	cJSON *list = cJSON_AddArrayToObject(data, "certificates");
	struct position after = { c->page.after.created, c->page.after.id };
	struct listing l = { .after = c->page.has_after ? &after : NULL,
		.ascending = c->page.ascending };
	size_t count = 0;
	enum err e = ERR_NOMEM;

	if (page != NULL)
		e = c->page.size > 0 ? store_list_cas(t, &l, page, c->page.size + 1, &count) : ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < count && i < c->page.size; i++)
		add_ca_entry(list, c->account, &page[i]);
	if (e == ERR_OK && count > c->page.size)
		add_mark(data, c, &(struct mark){ .created = page[c->page.size - 1].created,
		    .id = page[c->page.size - 1].id });
	free(page);
	return e;
}
