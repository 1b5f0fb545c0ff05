/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_ca.c - the registration code and CA certificates (aws-iot A.1, A.2). */
#include <stdlib.h>
#include <string.h>

#include "command.h"

#include "jitr/x509.h"

static const char *const ca_statuses[] = { "ACTIVE", "INACTIVE" };
static const char *const auto_statuses[] = { "ENABLE", "DISABLE" };
static const char *const modes[] = { "DEFAULT", "SNI_ONLY" };

static void
fail(struct members *m, enum err e, const char *why)
{
	if (m->failed != ERR_OK)
		return;
	m->failed = e;
	diag_set(m->diag, "%s", why);
}

/* What a check of ours refused: the sentence is in place already. */
static void
take(struct members *m, enum err e)
{
	if (m->failed == ERR_OK)
		m->failed = e;
}

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
render_code(struct txn *t, struct command *c, const struct account *a, cJSON *data)
{
	(void)t;
	(void)a;
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
		fail(m, ERR_REQUEST, "registrationConfig.templateBody is not a JSON object");
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
		fail(&config, ERR_REQUEST,
		    "registrationConfig needs either a templateBody or a templateName");
	check_template_body(&config, body);
	if (name != NULL)
		fail(&config, ERR_NOT_FOUND, "There is no provisioning template of this name");
	take(m, config.failed);
	*template_body = view_of(body);
	*role_arn = view_of(role);
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
	take(m, tag.failed);
}

static void
parse_tags(struct members *m, struct command *c)
{
	const cJSON *tags = json_array(m, "tags", 50), *tag;

	if (tags == NULL || m->failed != ERR_OK)
		return;
	cJSON_ArrayForEach(tag, tags)
		check_tag(m, tag);
	c->tags = cJSON_PrintUnformatted(tags);
	if (c->tags == NULL)
		take(m, ERR_NOMEM);
	c->document.tags = view_of(c->tags);
}

/* Proof of possession is what DEFAULT means, and SNI_ONLY goes without (aws-iot
 * A.2.1, C). */
static void
parse_proof(struct members *m, struct command *c, int64_t now)
{
	bool given = json_has(m, "verificationCertificate");
	struct x509_st *verification = NULL;

	if (c->ca.mode == MODE_SNI_ONLY) {
		if (given)
			fail(m, ERR_REQUEST,
			    "verificationCertificate must not be given in certificateMode SNI_ONLY");
		return;
	}
	if (!given)
		fail(m, ERR_REQUEST,
		    "verificationCertificate must be given in certificateMode DEFAULT");
	if (parse_pem(m, "verificationCertificate", false, &verification))
		take(m, x509_check_verification(verification, c->x, now, c->proof, m->diag));
	x509_free(verification);
}

static void
parse_ca_pem(struct members *m, struct command *c, int64_t now)
{
	if (!parse_pem(m, "caCertificate", true, &c->x))
		return;
	take(m, x509_check_ca(c->x, now, m->diag));
	take(m, x509_read_ca(c->x, &c->ca));
	c->id = c->ca.id;
	c->document.pem = view_of(json_string(m, "caCertificate", 0, X509_PEM_MAX, false));
}

void
parse_register_ca(struct members *m, struct command *c, int64_t now)
{
	static const char *const names[] = { "command", "correlationData", "caCertificate",
		"verificationCertificate", "setAsActive", "allowAutoRegistration",
		"registrationConfig", "tags", "certificateMode" };
	bool active = json_bool(m, "setAsActive", false);
	bool automatic = json_bool(m, "allowAutoRegistration", false);
	int mode = json_word(m, "certificateMode", modes, COUNT_OF(modes), false);

	json_only(m, names, COUNT_OF(names));
	parse_tags(m, c);
	parse_registration_config(m, &c->document.template_body, &c->document.role_arn);
	parse_ca_pem(m, c, now);
	if (m->failed != ERR_OK)
		return;
	c->ca.status = active ? CA_ACTIVE : CA_INACTIVE;
	c->ca.auto_registration = automatic;
	c->ca.mode = mode == 1 ? MODE_SNI_ONLY : MODE_DEFAULT;
	parse_proof(m, c, now);
}

enum err
change_register_ca(struct txn *t, struct command *c, int64_t now)
{
	uint8_t *der = NULL;
	enum err e = x509_to_der(c->x, &der, &c->document.der.len);

	if (e == ERR_OK) {
		c->document.der.data = der;
		e = registry_add_ca(t, &c->ca, &c->document,
		    c->ca.mode == MODE_DEFAULT ? c->proof : NULL, now, &c->diag);
	}
	free(der);
	return e;
}

enum err
render_ca_made(struct txn *t, struct command *c, const struct account *a, cJSON *data)
{
	(void)t;
	add_arn(data, "certificateArn", a, "cacert", &c->id);
	add_hex(data, "certificateId", c->id.b, sizeof(c->id.b));
	return ERR_OK;
}

void
parse_ca_id(struct members *m, struct command *c, int64_t now)
{
	static const char *const names[] = { "command", "correlationData", "certificateId" };

	(void)now;
	json_certid(m, "certificateId", &c->id);
	json_only(m, names, COUNT_OF(names));
}

void
parse_update_ca(struct members *m, struct command *c, int64_t now)
{
	static const char *const names[] = { "command", "correlationData", "certificateId",
		"newStatus", "newAutoRegistrationStatus", "registrationConfig",
		"removeAutoRegistration" };
	int status, automatic;

	(void)now;
	json_certid(m, "certificateId", &c->id);
	status = json_word(m, "newStatus", ca_statuses, COUNT_OF(ca_statuses), false);
	automatic = json_word(m, "newAutoRegistrationStatus", auto_statuses,
	    COUNT_OF(auto_statuses), false);
	c->update.remove_auto_registration = json_bool(m, "removeAutoRegistration", false);
	json_only(m, names, COUNT_OF(names));
	parse_registration_config(m, &c->document.template_body, &c->document.role_arn);
	c->new_ca_status = status == 0 ? CA_ACTIVE : CA_INACTIVE;
	c->new_auto_registration = automatic == 0;
	if (status >= 0)
		c->update.status = &c->new_ca_status;
	if (automatic >= 0)
		c->update.auto_registration = &c->new_auto_registration;
	if (!json_has(m, "registrationConfig"))
		return;
	c->update.template_body = &c->document.template_body;
	c->update.role_arn = &c->document.role_arn;
	if (c->update.remove_auto_registration)
		fail(m, ERR_REQUEST,
		    "removeAutoRegistration and registrationConfig exclude each other");
}

enum err
change_update_ca(struct txn *t, struct command *c, int64_t now)
{
	return registry_update_ca(t, &c->id, &c->update, now, &c->diag);
}

enum err
change_delete_ca(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_remove_ca(t, &c->id, &c->diag);
}

static void
add_view(cJSON *o, const char *name, struct view v)
{
	char *text = v.len > 0 ? strndup((const char *)v.data, v.len) : NULL;

	if (text != NULL)
		cJSON_AddStringToObject(o, name, text);
	free(text);
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
render_ca(struct txn *t, struct command *c, const struct account *a, cJSON *data)
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
	add_arn(o, "certificateArn", a, "cacert", &ca.id);
	add_hex(o, "certificateId", ca.id.b, sizeof(ca.id.b));
	cJSON_AddStringToObject(o, "status", ca_status_name(ca.status));
	e = add_pem(o, document.pem, document.der);
	cJSON_AddStringToObject(o, "ownedBy", a->id);
	add_time(o, "creationDate", ca.created);
	cJSON_AddStringToObject(o, "autoRegistrationStatus", ca.auto_registration ? "ENABLE" : "DISABLE");
	add_time(o, "lastModifiedDate", ca.modified);
	cJSON_AddNumberToObject(o, "customerVersion", ca.version);
	add_generation(o, &ca.generation);
	add_validity(o, ca.not_before, ca.not_after);
	cJSON_AddStringToObject(o, "certificateMode", cert_mode_name(ca.mode));
	add_registration_config(data, &document);
	return e;
}

void
parse_list_cas(struct members *m, struct command *c, int64_t now)
{
	static const char *const names[] = { "command", "correlationData", "pageSize", "marker",
		"ascendingOrder", "templateName" };
	const char *name;

	(void)now;
	parse_listing(m, c);
	name = json_string(m, "templateName", 1, 36, false);
	check_template_name(m, name);
	json_only(m, names, COUNT_OF(names));
	if (name != NULL)
		c->page_size = 0; /* no CA has a named template */
}

static void
add_ca_entry(cJSON *list, const struct account *a, const struct ca *ca)
{
	cJSON *o = cJSON_CreateObject();

	add_arn(o, "certificateArn", a, "cacert", &ca->id);
	add_hex(o, "certificateId", ca->id.b, sizeof(ca->id.b));
	cJSON_AddStringToObject(o, "status", ca_status_name(ca->status));
	add_time(o, "creationDate", ca->created);
	cJSON_AddItemToArray(list, o);
}

enum err
render_cas(struct txn *t, struct command *c, const struct account *a, cJSON *data)
{
	struct ca *page = calloc(PAGE_MAX + 1, sizeof(*page));
	cJSON *list = cJSON_AddArrayToObject(data, "certificates");
	struct listing l = command_listing(c);
	size_t count = 0;
	enum err e = ERR_NOMEM;

	if (page != NULL)
		e = c->page_size > 0 ? store_list_cas(t, &l, page, c->page_size + 1, &count) : ERR_OK;
	for (size_t i = 0; e == ERR_OK && i < count && i < c->page_size; i++)
		add_ca_entry(list, a, &page[i]);
	if (e == ERR_OK && count > c->page_size)
		add_marker(data, page[c->page_size - 1].created, &page[c->page_size - 1].id);
	free(page);
	return e;
}
