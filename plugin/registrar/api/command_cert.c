/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_cert.c - client certificates (aws-iot A.3); their lists: command_cert_list.c. */
#include "command_answer.h"
#include "command_parse.h"
#include "content.h"

#include "jitr/adapter/x509.h"

static void
parse_certificate(struct members *m, struct command *c)
{
	if (!parse_pem(m, "certificatePem", true, &c->x))
		return;
	c->cert.pem = view_of(json_string(m, "certificatePem", 0, X509_PEM_MAX, false));
	if (m->failed == ERR_OK)
		m->failed = x509_check_client(c->x, c->asked, m->diag);
}

static void
parse_register_cert(struct members *m, struct command *c)
{
	bool active = json_bool(m, "setAsActive", false);

	c->cert.with_ca = true;
	/* status outweighs setAsActive (aws-iot J row 11) */
	if (!parse_cert_status(m, "status", false, &c->cert.status))
		c->cert.status = active ? CERT_ACTIVE : CERT_INACTIVE;
	PARSE_ONLY(m, "certificatePem", "caCertificatePem", "setAsActive", "status");
	parse_certificate(m, c);
	(void)parse_pem(m, "caCertificatePem", false, &c->issuer);
}

static void
parse_register_cert_without_ca(struct members *m, struct command *c)
{
	if (!parse_cert_status(m, "status", false, &c->cert.status))
		c->cert.status = CERT_INACTIVE;
	PARSE_ONLY(m, "certificatePem", "status");
	parse_certificate(m, c);
}

/* A certificate that administrates becomes ACTIVE. */
static enum err
content_of_registration(const struct command *c, struct content *out)
{
	struct presented p;

	if (c->cert.status == CERT_ACTIVE && c->x != NULL && x509_read(c->x, &p) == ERR_OK)
		content_reserve_administrator(c, &p.id, out);
	return ERR_OK;
}

static enum err
run_register_cert(struct txn *t, struct command *c)
{
	const struct cert_registration r = { .x = c->x,
		.pem = c->cert.pem,
		.with_ca = c->cert.with_ca,
		.issuer = c->issuer,
		.status = c->cert.status };

	return registry_add_cert(t, &r, c->now, &c->id, &c->diag);
}

static enum err
answer_registered_cert(struct command *c, cJSON *data)
{
	add_id_arn(data, "certificateArn", c, RESOURCE_CERTIFICATE, &c->id);
	add_hex(data, "certificateId", c->id.b, sizeof(c->id.b));
	return ERR_OK;
}

static void
parse_update_cert(struct members *m, struct command *c)
{
	json_certid(m, "certificateId", &c->id);
	(void)parse_cert_status(m, "newStatus", true, &c->cert.status);
	PARSE_ONLY(m, "certificateId", "newStatus");
}

static enum err
list_policies(struct txn *t, const struct command *c, struct view names[POLICIES_MAX],
    size_t *count)
{
	return store_list_attached(t, &c->id, NULL, true, names, POLICIES_MAX, count);
}

/* An activation puts the certificate's policies in force. */
static enum err
content_of_status(const struct command *c, struct content *out)
{
	struct view names[POLICIES_MAX];
	size_t count = 0;
	enum err e;

	if (c->cert.status != CERT_ACTIVE)
		return ERR_OK;
	content_reserve_administrator(c, &c->id, out);
	e = list_policies(out->txn, c, names, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = content_reserve_allowing(c, names[i], 0, out);
	return e;
}

static enum err
run_update_cert(struct txn *t, struct command *c)
{
	enum cert_status was;

	return registry_set_cert_status(t, &c->id, c->cert.status, c->now, &was, &c->diag);
}

static void
parse_delete_cert(struct members *m, struct command *c)
{
	json_certid(m, "certificateId", &c->id);
	c->cert.force = json_bool(m, "forceDelete", false);
	PARSE_ONLY(m, "certificateId", "forceDelete");
}

/* With forceDelete its policies are detached. */
static enum err
content_of_deletion(const struct command *c, struct content *out)
{
	struct view names[POLICIES_MAX];
	size_t count = 0;
	enum err e = c->cert.force ? list_policies(out->txn, c, names, &count) : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		content_need_pair(out, "iot:DetachPolicy", &c->id, RESOURCE_POLICY, names[i]);
	return e;
}

static enum err
run_delete_cert(struct txn *t, struct command *c)
{
	return registry_remove_cert(t, &c->id, c->cert.force, c->context->account->scope.prefix,
	    &c->diag);
}

/* The reason of its status. */
static enum err
add_note(struct txn *t, const struct certid *id, cJSON *o)
{
	struct cert_note note;
	cJSON *reason;
	enum err e = store_get_cert_note(t, id, &note);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	reason = cJSON_AddObjectToObject(o, "statusReason");
	add_bytes(reason, "details", note.text);
	add_time(reason, "date", note.time);
	if (note.superseded)
		add_hex(reason, "successorCertificateId", note.successor.b,
		    sizeof(note.successor.b));
	return ERR_OK;
}

static enum err
add_refusal(struct txn *t, const struct certid *id, cJSON *o)
{
	struct refusal refusal;
	cJSON *last;
	enum err e = store_get_refusal(t, id, &refusal);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	last = cJSON_AddObjectToObject(o, "lastRefusal");
	add_bytes(last, "reason", refusal.code);
	add_bytes(last, "details", refusal.details);
	add_time(last, "date", refusal.time);
	add_bytes(last, "clientId", refusal.client_id);
	add_bytes(last, "sourceIp", refusal.address);
	return ERR_OK;
}

static enum err
describe(struct txn *t, const struct command *c, const struct cert *cert, cJSON *o)
{
	struct cert_document document;
	enum err e = store_get_cert_document(t, &cert->id, &document);

	if (e != ERR_OK)
		return e;
	add_id_arn(o, "certificateArn", c, RESOURCE_CERTIFICATE, &cert->id);
	add_hex(o, "certificateId", cert->id.b, sizeof(cert->id.b));
	if (cert->has_ca)
		add_hex(o, "caCertificateId", cert->ca_id.b, sizeof(cert->ca_id.b));
	cJSON_AddStringToObject(o, "status", cert_status_name(cert->status));
	e = add_pem(o, document.pem, document.der);
	cJSON_AddStringToObject(o, "ownedBy", c->context->account->id);
	add_time(o, "creationDate", cert->created);
	add_time(o, "lastModifiedDate", cert->modified);
	cJSON_AddNumberToObject(o, "customerVersion", cert->version);
	cJSON_AddObjectToObject(o, "transferData");
	add_uuid(o, "generationId", &cert->generation);
	add_validity(o, cert->not_before, cert->not_after);
	cJSON_AddStringToObject(o, "certificateMode", cert_mode_name(cert->mode));
	if (e == ERR_OK)
		e = add_note(t, &cert->id, o);
	return e == ERR_OK ? add_refusal(t, &cert->id, o) : e;
}

static enum err
read_cert(struct txn *t, struct command *c, cJSON *data)
{
	struct cert cert;
	enum err e = lookup_certificate(t, c, &cert);

	if (e != ERR_OK)
		return e;
	return describe(t, c, &cert, cJSON_AddObjectToObject(data, "certificateDescription"));
}

static const struct command_type rows[] = {
	{
	    .name = "deleteCertificate",
	    .resource = RESOURCE_CERTIFICATE,
	    .changed = RESOURCE_CERTIFICATE,
	    .parse = parse_delete_cert,
	    .content = content_of_deletion,
	    .run = run_delete_cert,
	},
	{
	    .name = "describeCertificate",
	    .resource = RESOURCE_CERTIFICATE,
	    .parse = parse_certificate_id,
	    .read = read_cert,
	},
	{
	    .name = "registerCertificate",
	    .changed = RESOURCE_CERTIFICATE,
	    .parse = parse_register_cert,
	    .content = content_of_registration,
	    .run = run_register_cert,
	    .answer = answer_registered_cert,
	},
	{
	    .name = "registerCertificateWithoutCA",
	    .changed = RESOURCE_CERTIFICATE,
	    .parse = parse_register_cert_without_ca,
	    .content = content_of_registration,
	    .run = run_register_cert,
	    .answer = answer_registered_cert,
	},
	{
	    .name = "updateCertificate",
	    .resource = RESOURCE_CERTIFICATE,
	    .changed = RESOURCE_CERTIFICATE,
	    .parse = parse_update_cert,
	    .content = content_of_status,
	    .run = run_update_cert,
	},
};

const struct command_group certificate_commands = { rows, COUNT_OF(rows) };
