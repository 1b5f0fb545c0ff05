/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_ca.c - CA certificates (aws-iot A.2). */
#include <stdlib.h>

#include "ca_settings.h"
#include "command_answer.h"
#include "command_parse.h"

#include "jitr/adapter/trust_chain.h"
#include "jitr/adapter/x509.h"

static const char *const ca_statuses[] = { "ACTIVE", "INACTIVE" };
static const char *const auto_statuses[] = { "ENABLE", "DISABLE" };
static const char *const modes[] = { "DEFAULT", "SNI_ONLY" };

/*
 * Changes.
 */

/* The tags are stored as they came, to be shown. */
static void
parse_ca_tags(struct members *m, struct command *c)
{
	parse_tags(m);
	if (m->failed != ERR_OK || !json_has(m, "tags"))
		return;
	c->kept = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(m->object, "tags"));
	if (c->kept == NULL)
		parse_result(m, ERR_NOMEM);
	c->ca.document.tags = view_of(c->kept);
}

/* The mode DEFAULT needs proof of possession, SNI_ONLY does without (aws-iot A.2.1, C). */
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
		parse_result(m,
		    x509_check_verification(verification, c->x, c->asked, c->ca.proof, m->diag));
	x509_free(verification);
}

static void
parse_ca_pem(struct members *m, struct command *c)
{
	if (!parse_pem(m, "caCertificate", true, &c->x))
		return;
	parse_result(m, x509_check_ca(c->x, c->asked, m->diag));
	parse_result(m, x509_read_ca(c->x, &c->ca.record));
	c->id = c->ca.record.id;
	c->ca.document.pem = view_of(json_string(m, "caCertificate", 0, X509_PEM_MAX, false));
}

static void
parse_register_ca(struct members *m, struct command *c)
{
	bool active = json_bool(m, "setAsActive", false);
	bool automatic = json_bool(m, "allowAutoRegistration", false);
	int mode = json_word(m, "certificateMode", modes, COUNT_OF(modes), false);

	PARSE_ONLY(m, "caCertificate", "verificationCertificate", "setAsActive",
	    "allowAutoRegistration", "registrationConfig", "tags", "certificateMode", "activation",
	    "crlCheck", "crlFile");
	parse_ca_tags(m, c);
	parse_registration_config(m, c);
	parse_ca_settings(m, c);
	parse_ca_pem(m, c);
	if (m->failed != ERR_OK)
		return;
	c->ca.record.status = active ? CA_ACTIVE : CA_INACTIVE;
	c->ca.record.auto_registration = automatic;
	c->ca.record.mode = mode == 1 ? MODE_SNI_ONLY : MODE_DEFAULT;
	parse_proof(m, c);
}

static enum err
run_register_ca(struct txn *t, struct command *c)
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
		    c->now, &c->diag);
	}
	free(der);
	return e;
}

static void
add_trust_warning(void *answer, const char *text)
{
	add_warning(answer, text);
}

static enum err
answer_registered_ca(struct command *c, cJSON *data)
{
	trust_check_ca(c->x, c->asked, add_trust_warning, data);
	add_id_arn(data, "certificateArn", c, RESOURCE_CA, &c->id);
	add_hex(data, "certificateId", c->id.b, sizeof(c->id.b));
	return ERR_OK;
}

static void
parse_update_ca(struct members *m, struct command *c)
{
	int status, automatic;

	json_certid(m, "certificateId", &c->id);
	status = json_word(m, "newStatus", ca_statuses, COUNT_OF(ca_statuses), false);
	automatic = json_word(m, "newAutoRegistrationStatus", auto_statuses,
	    COUNT_OF(auto_statuses), false);
	c->ca.update.remove_auto_registration = json_bool(m, "removeAutoRegistration", false);
	PARSE_ONLY(m, "certificateId", "newStatus", "newAutoRegistrationStatus",
	    "registrationConfig", "removeAutoRegistration", "activation", "crlCheck", "crlFile");
	parse_registration_config(m, c);
	parse_ca_settings(m, c);
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

static enum err
run_update_ca(struct txn *t, struct command *c)
{
	return registry_update_ca(t, &c->id, &c->ca.update, c->now, &c->diag);
}

static enum err
run_delete_ca(struct txn *t, struct command *c)
{
	return registry_remove_ca(t, &c->id, &c->diag);
}

/* Its revocation list is deleted with it. */
static void
conclude_delete_ca(const struct command *c)
{
	if (c->result == ERR_OK)
		crls_ca_deleted(c->context->crls, &c->id);
}

/*
 * Answers.
 */

static enum err
add_description(cJSON *o, const struct command *c, const struct ca *ca,
    const struct ca_document *document)
{
	enum err e;

	add_id_arn(o, "certificateArn", c, RESOURCE_CA, &ca->id);
	add_hex(o, "certificateId", ca->id.b, sizeof(ca->id.b));
	cJSON_AddStringToObject(o, "status", ca_status_name(ca->status));
	e = add_pem(o, document->pem, document->der);
	cJSON_AddStringToObject(o, "ownedBy", c->context->account->id);
	add_time(o, "creationDate", ca->created);
	cJSON_AddStringToObject(o, "autoRegistrationStatus",
	    ca->auto_registration ? "ENABLE" : "DISABLE");
	add_time(o, "lastModifiedDate", ca->modified);
	cJSON_AddNumberToObject(o, "customerVersion", ca->version);
	add_uuid(o, "generationId", &ca->generation);
	add_validity(o, ca->not_before, ca->not_after);
	cJSON_AddStringToObject(o, "certificateMode", cert_mode_name(ca->mode));
	return e;
}

static enum err
read_ca(struct txn *t, struct command *c, cJSON *data)
{
	struct ca_document document;
	struct ca_settings settings;
	struct ca ca;
	enum err e = lookup_ca(t, c, &ca);

	if (e == ERR_OK)
		e = store_get_ca_document(t, &c->id, &document);
	if (e == ERR_OK)
		e = get_ca_settings(t, &c->id, &settings);
	if (e != ERR_OK)
		return e;
	e = add_description(cJSON_AddObjectToObject(data, "certificateDescription"), c, &ca,
	    &document);
	add_registration_config(data, &document, &settings);
	add_view(data, "activation", settings.activation);
	add_crl_settings(data, &settings);
	return e;
}

static void
parse_list_cas(struct members *m, struct command *c)
{
	page_parse_markers(m, &c->page, KEY_CREATED_ID);
	parse_template_name(m, "templateName", false, &c->named);
	PARSE_ONLY(m, "pageSize", "marker", "ascendingOrder", "templateName");
}

static void
add_ca_entry(cJSON *list, const struct command *c, const struct ca *ca)
{
	cJSON *o = cJSON_CreateObject();

	add_id_arn(o, "certificateArn", c, RESOURCE_CA, &ca->id);
	add_hex(o, "certificateId", ca->id.b, sizeof(ca->id.b));
	cJSON_AddStringToObject(o, "status", ca_status_name(ca->status));
	add_time(o, "creationDate", ca->created);
	cJSON_AddItemToArray(list, o);
}

/* A list of the CAs with one template has fewer entries than its page size. */
static enum err
is_in_list(struct txn *t, const struct command *c, const struct ca *ca, bool *out)
{
	struct ca_settings settings;
	enum err e;

	*out = c->named.len == 0;
	if (*out)
		return ERR_OK;
	e = get_ca_settings(t, &ca->id, &settings);
	*out = e == ERR_OK && view_equal(settings.template_name, c->named);
	return e;
}

static enum err
read_cas(struct txn *t, struct command *c, cJSON *data)
{
	struct ca *page = calloc(PAGE_MAX + 1, sizeof(*page));
	cJSON *list = cJSON_AddArrayToObject(data, "certificates");
	struct position after = { c->page.after.created, c->page.after.id };
	struct listing l = { .after = c->page.has_after ? &after : NULL,
		.ascending = c->page.ascending };
	size_t count = 0, size = c->page.size;
	bool in_list = true;
	enum err e = ERR_NOMEM;

	if (page != NULL)
		e = store_list_cas(t, &l, page, size + 1, &count);
	for (size_t i = 0; e == ERR_OK && i < count && i < size; i++) {
		e = is_in_list(t, c, &page[i], &in_list);
		if (e == ERR_OK && in_list)
			add_ca_entry(list, c, &page[i]);
	}
	if (e == ERR_OK && count > size)
		page_add_mark(data, &c->page,
		    &(struct mark){ .created = page[size - 1].created, .id = page[size - 1].id });
	free(page);
	return e;
}

static const struct command_type rows[] = {
	{
	    .name = "deleteCACertificate",
	    .resource = RESOURCE_CA,
	    .changed = RESOURCE_CA,
	    .parse = parse_certificate_id,
	    .plain = true,
	    .run = run_delete_ca,
	    .conclude = conclude_delete_ca,
	},
	{
	    .name = "describeCACertificate",
	    .resource = RESOURCE_CA,
	    .parse = parse_certificate_id,
	    .read = read_ca,
	},
	{
	    .name = "listCACertificates",
	    .parse = parse_list_cas,
	    .read = read_cas,
	},
	{
	    .name = "registerCACertificate",
	    .changed = RESOURCE_CA,
	    .parse = parse_register_ca,
	    .content = content_of_ca,
	    .prepare = prepare_ca,
	    .run = run_register_ca,
	    .answer = answer_registered_ca,
	},
	{
	    .name = "updateCACertificate",
	    .resource = RESOURCE_CA,
	    .changed = RESOURCE_CA,
	    .parse = parse_update_ca,
	    .content = content_of_ca,
	    .prepare = prepare_ca,
	    .run = run_update_ca,
	},
};

const struct command_group ca_commands = { rows, COUNT_OF(rows) };
