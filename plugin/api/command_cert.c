/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_cert.c - client certificates (aws-iot A.3). */
#include <stdlib.h>

#include "command.h"

#include "jitr/adapter/x509.h"

/* The order is AWS's, for its messages. */
static const char *const statuses[] = { "ACTIVE", "INACTIVE", "REVOKED", "PENDING_TRANSFER",
	"REGISTER_INACTIVE", "PENDING_ACTIVATION" };

/* Answers whether there was one.  REGISTER_INACTIVE is an old word for
 * INACTIVE where a certificate is registered, and no status to change to
 * (aws-iot A.3.6). */
static bool
parse_status(struct members *m, const char *name, bool required, enum cert_status *out)
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

static void
parse_certificate(struct members *m, struct command *c)
{
	if (!parse_pem(m, "certificatePem", true, &c->x))
		return;
	c->cert.pem = view_of(json_string(m, "certificatePem", 0, X509_PEM_MAX, false));
	if (m->failed == ERR_OK)
		m->failed = x509_check_client(c->x, c->asked, m->diag);
}

void
parse_register_cert(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "certificatePem",
		"caCertificatePem", "setAsActive", "status" };
	bool active = json_bool(m, "setAsActive", false);

	c->cert.with_ca = true;
	if (!parse_status(m, "status", false, &c->cert.status)) /* it wins (aws-iot J row 11) */
		c->cert.status = active ? CERT_ACTIVE : CERT_INACTIVE;
	json_only(m, names, COUNT_OF(names));
	parse_certificate(m, c);
	(void)parse_pem(m, "caCertificatePem", false, &c->issuer);
}

void
parse_register_cert_without_ca(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "certificatePem",
		"status" };

	if (!parse_status(m, "status", false, &c->cert.status))
		c->cert.status = CERT_INACTIVE;
	json_only(m, names, COUNT_OF(names));
	parse_certificate(m, c);
}

enum err
change_register_cert(struct txn *t, struct command *c, int64_t now)
{
	const struct cert_registration r = { .x = c->x,
		.pem = c->cert.pem,
		.with_ca = c->cert.with_ca,
		.issuer = c->issuer,
		.status = c->cert.status };

	return registry_add_cert(t, &r, now, &c->id, &c->diag);
}

enum err
render_cert_made(struct txn *t, struct command *c, cJSON *data)
{
	(void)t;
	add_id_arn(data, "certificateArn", c->account, RESOURCE_CERTIFICATE, &c->id);
	add_hex(data, "certificateId", c->id.b, sizeof(c->id.b));
	return ERR_OK;
}

void
parse_cert_id(struct members *m, struct command *c)
{
	parse_ca_id(m, c);
}

void
parse_update_cert(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "certificateId",
		"newStatus" };

	json_certid(m, "certificateId", &c->id);
	(void)parse_status(m, "newStatus", true, &c->cert.status);
	json_only(m, names, COUNT_OF(names));
}

enum err
change_update_cert(struct txn *t, struct command *c, int64_t now)
{
	enum cert_status was;

	return registry_set_cert_status(t, &c->id, c->cert.status, now, &was, &c->diag);
}

void
parse_delete_cert(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "certificateId",
		"forceDelete" };

	json_certid(m, "certificateId", &c->id);
	c->cert.force = json_bool(m, "forceDelete", false);
	json_only(m, names, COUNT_OF(names));
}

enum err
change_delete_cert(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_remove_cert(t, &c->id, c->cert.force, c->account->scope.prefix, &c->diag);
}

/* Why it has its status. */
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
describe(struct txn *t, const struct cert *cert, const struct account *a, cJSON *o)
{
	struct cert_document document;
	enum err e = store_get_cert_document(t, &cert->id, &document);

	if (e != ERR_OK)
		return e;
	add_id_arn(o, "certificateArn", a, RESOURCE_CERTIFICATE, &cert->id);
	add_hex(o, "certificateId", cert->id.b, sizeof(cert->id.b));
	if (cert->has_ca)
		add_hex(o, "caCertificateId", cert->ca_id.b, sizeof(cert->ca_id.b));
	cJSON_AddStringToObject(o, "status", cert_status_name(cert->status));
	e = add_pem(o, document.pem, document.der);
	cJSON_AddStringToObject(o, "ownedBy", a->id);
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

enum err
render_cert(struct txn *t, struct command *c, cJSON *data)
{
	struct cert cert;
	enum err e = check_principal(t, c, &cert);

	if (e != ERR_OK)
		return e;
	return describe(t, &cert, c->account,
	    cJSON_AddObjectToObject(data, "certificateDescription"));
}

/* Not AWS's: what waits is found among a million. */
static void
parse_status_filter(struct members *m, struct command *c)
{
	c->cert.by_status = parse_status(m, "status", false, &c->cert.status);
}

void
parse_list_certs(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "pageSize", "marker",
		"ascendingOrder", "status" };

	parse_markers(m, c, KEY_CREATED_ID);
	parse_status_filter(m, c);
	json_only(m, names, COUNT_OF(names));
}

void
parse_list_certs_by_ca(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "caCertificateId",
		"pageSize", "marker", "ascendingOrder", "status" };

	json_certid(m, "caCertificateId", &c->id);
	parse_markers(m, c, KEY_CREATED_ID);
	parse_status_filter(m, c);
	json_only(m, names, COUNT_OF(names));
}

static void
add_cert_entry(cJSON *list, const struct account *a, const struct cert *cert)
{
	cJSON *o = cJSON_CreateObject();

	add_id_arn(o, "certificateArn", a, RESOURCE_CERTIFICATE, &cert->id);
	add_hex(o, "certificateId", cert->id.b, sizeof(cert->id.b));
	cJSON_AddStringToObject(o, "status", cert_status_name(cert->status));
	cJSON_AddStringToObject(o, "certificateMode", cert_mode_name(cert->mode));
	add_time(o, "creationDate", cert->created);
	cJSON_AddItemToArray(list, o);
}

/* Of one CA a page may be short: there is no index of its certificates by
 * status. */
static bool
is_asked_for(const struct command *c, const struct cert *cert)
{
	return !c->cert.by_status || cert->status == c->cert.status;
}

static enum err
render_list(struct txn *t, struct command *c, const struct certid *ca, cJSON *data)
{
	struct cert *page = calloc(PAGE_MAX + 1, sizeof(*page));
	cJSON *list = cJSON_AddArrayToObject(data, "certificates");
	struct position after = { c->page.after.created, c->page.after.id };
	struct listing l = { .ca = ca,
		.status = c->cert.by_status ? &c->cert.status : NULL,
		.after = c->page.has_after ? &after : NULL,
		.ascending = c->page.ascending };
	size_t count = 0, size = c->page.size;
	enum err e = ERR_NOMEM;

	if (page != NULL)
		e = store_list_certs(t, &l, page, size + 1, &count);
	for (size_t i = 0; e == ERR_OK && i < count && i < size; i++)
		if (is_asked_for(c, &page[i]))
			add_cert_entry(list, c->account, &page[i]);
	if (e == ERR_OK && count > size)
		add_mark(data, c,
		    &(struct mark){ .created = page[size - 1].created, .id = page[size - 1].id });
	free(page);
	return e;
}

enum err
render_certs(struct txn *t, struct command *c, cJSON *data)
{
	return render_list(t, c, NULL, data);
}

enum err
render_certs_by_ca(struct txn *t, struct command *c, cJSON *data)
{
	return render_list(t, c, &c->id, data);
}
