/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_crl.c - revocation lists of CAs; not AWS's.
 *
 * A list is PEM, or DER in base64.  One that does not fit into a request is sent in parts
 * of its DER, in base64.  The last part is answered when the list is in force, the others
 * at once.
 */
#include <stdlib.h>
#include <string.h>

#include "command_answer.h"
#include "command_parse.h"
#include "ca_settings.h"
#include "upload.h"

#include "jitr/core/crl_scope.h"
#include "jitr/api/request.h"
#include "jitr/adapter/x509.h"

#define ID_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

static void
parse_part(struct members *m, struct command *c)
{
	const char *id = json_string(m, "uploadId", 1, UPLOAD_ID_MAX, false);
	int64_t parts = json_integer(m, "parts", 1, UPLOAD_PARTS_MAX, 0);
	int64_t part = json_integer(m, "part", 1, UPLOAD_PARTS_MAX, 0);

	if (m->failed != ERR_OK)
		return;
	if ((id == NULL) != (parts == 0) || (id == NULL) != (part == 0) || part > parts) {
		parse_fail(m, ERR_REQUEST,
		    "uploadId, part and parts go together, and part is 1 to parts");
		return;
	}
	if (id != NULL && strspn(id, ID_CHARACTERS) != strlen(id))
		json_fail(m, "uploadId", id, "satisfy regular expression pattern: [a-zA-Z0-9_-]+");
	c->crl.upload_id = view_of(id);
	c->crl.part = (size_t)part;
	c->crl.parts = (size_t)parts;
}

static void
parse_import_crl(struct members *m, struct command *c)
{
	json_certid(m, "caCertificateId", &c->id);
	c->crl.text = view_of(json_string(m, "crl", 1, REQUEST_MAX, true));
	parse_part(m, c);
	PARSE_ONLY(m, "caCertificateId", "crl", "uploadId", "part", "parts");
}

static void
parse_crl(struct members *m, struct command *c)
{
	json_certid(m, "caCertificateId", &c->id);
	PARSE_ONLY(m, "caCertificateId");
}

static enum err
decode(struct command *c, uint8_t **bytes, size_t *len)
{
	enum err e = base64_decode(c->crl.text, bytes, len);

	if (e == ERR_CERTIFICATE)
		diag_set(&c->diag, "crl is neither PEM nor base64");
	return e;
}

/* PEM is taken as it is: crl_read() finds the list in it. */
static enum err
take_whole(struct command *c, uint8_t **bytes, size_t *len)
{
	if (strstr((const char *)c->crl.text.data, "-----BEGIN") == NULL)
		return decode(c, bytes, len);
	*len = c->crl.text.len;
	*bytes = malloc(*len);
	if (*bytes == NULL)
		return ERR_NOMEM;
	memcpy(*bytes, c->crl.text.data, *len);
	return ERR_OK;
}

/* *bytes is NULL as long as parts are missing. */
static enum err
take_part(struct command *c, uint8_t **bytes, size_t *len)
{
	struct upload_part p = { .owner = c->context->owner,
		.session = c->context->session,
		.id = c->crl.upload_id,
		.ca_id = c->id,
		.part = c->crl.part,
		.parts = c->crl.parts };
	uint8_t *part = NULL;
	enum err e = decode(c, &part, &p.bytes.len);

	*bytes = NULL;
	p.bytes.data = part;
	if (e == ERR_OK)
		e = uploads_add(c->context->uploads, &p, c->asked, bytes, len, &c->diag);
	free(part);
	return e;
}

static enum err
prepare_import_crl(struct command *c)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err e = c->crl.upload_id.len > 0 ? take_part(c, &bytes, &len)
					      : take_whole(c, &bytes, &len);

	c->complete = e == ERR_OK && bytes == NULL;
	if (e != ERR_OK || c->complete)
		return e;
	e = crl_import_new(&c->id, bytes, len, &c->import);
	if (e == ERR_OK)
		crls_begin(c->context->crls);
	return e;
}

static enum err
run_import_crl(struct txn *t, struct command *c)
{
	return crl_import_run(c->import, t, c->now, &c->diag);
}

static void
conclude_import_crl(const struct command *c)
{
	if (c->import != NULL)
		crls_end(c->context->crls, c->import, c->result, &c->diag);
}

static enum err
run_delete_crl(struct txn *t, struct command *c)
{
	return crl_remove(t, &c->id, &c->diag);
}

static void
conclude_delete_crl(const struct command *c)
{
	if (c->result == ERR_OK)
		crls_removed(c->context->crls, &c->id);
}

/*
 * Answers.
 */

/* cRLNumber in decimal: the remainders of repeated division by ten. */
#define NUMBER_DIGITS (CRL_NUMBER_MAX * 5 / 2 + 2)

static void
add_number(cJSON *o, const struct crl *crl)
{
	uint8_t number[CRL_NUMBER_MAX];
	char digits[NUMBER_DIGITS + 1], *at = digits + NUMBER_DIGITS;
	bool more = true;

	if (crl->number_len == 0)
		return;
	memcpy(number, crl->number, crl->number_len);
	*at = '\0';
	while (more) {
		unsigned rest = 0;

		more = false;
		for (size_t i = 0; i < crl->number_len; i++) {
			rest = rest << 8 | number[i];
			number[i] = (uint8_t)(rest / 10);
			rest %= 10;
			more = more || number[i] != 0;
		}
		*--at = (char)('0' + rest);
	}
	cJSON_AddStringToObject(o, "crlNumber", at);
}

/* A URI is ASCII (RFC 5280 4.2.1.6, IA5String); other bytes become question marks. */
static cJSON *
place_name(struct view name, bool is_text)
{
	char text[CRL_POINT_MAX + 1] = "(no URI)";

	if (is_text) {
		for (size_t i = 0; i < name.len; i++)
			text[i] = (char)(name.data[i] >= ' ' && name.data[i] <= '~' ? name.data[i]
										    : '?');
		text[name.len] = '\0';
	}
	return cJSON_CreateString(text);
}

/* The places where it is published, of a list for certificates that name one of them. */
static void
add_places(cJSON *o, const struct crl *crl)
{
	cJSON *names = crl->scope == CRL_SCOPE_POINT
	    ? cJSON_AddArrayToObject(o, "distributionPoints")
	    : NULL;
	struct view name;
	bool is_text;

	for (size_t i = 0; names != NULL && crl_scope_name(crl, i, &name, &is_text); i++)
		cJSON_AddItemToArray(names, place_name(name, is_text));
}

static void
add_crl(cJSON *data, const struct command *c, const struct crl *crl)
{
	cJSON *o = cJSON_AddObjectToObject(data, "crl");

	add_hex(o, "caCertificateId", c->id.b, sizeof(c->id.b));
	add_number(o, crl);
	add_time(o, "thisUpdate", crl->this_update);
	add_time(o, "nextUpdate", crl->next_update);
	cJSON_AddBoolToObject(o, "stale", c->asked > crl->next_update);
	cJSON_AddNumberToObject(o, "entries", crl->count);
	add_hex(o, "sha256", crl->digest.b, sizeof(crl->digest.b));
	add_time(o, "importDate", crl->imported);
	cJSON_AddBoolToObject(o, "applied", crl->applied);
	add_places(o, crl);
}

static enum err
answer_import_crl(struct command *c, cJSON *data)
{
	struct crl_result r;

	if (c->import == NULL) {
		cJSON_AddNumberToObject(data, "part", (double)c->crl.part);
		return ERR_OK;
	}
	r = crl_import_result(c->import);
	add_crl(data, c, &r.crl);
	cJSON_AddBoolToObject(data, "unchanged", r.unchanged);
	cJSON_AddNumberToObject(data, "certificatesRevoked", (double)r.revoked);
	return ERR_OK;
}

static void
add_failure(cJSON *data, const struct command *c)
{
	const struct crl_failure *failure = crls_failure(c->context->crls, &c->id);
	cJSON *o;

	if (failure == NULL)
		return;
	o = cJSON_AddObjectToObject(data, "lastFailure");
	/* Only administrators are told about files of the broker's machine. */
	add_text(o, "details",
	    failure->of_file && c->context->by_policy
		? "the list could not be taken from its file: the broker's log says why"
		: failure->details.text);
	add_time(o, "date", failure->time);
}

/* Without a list, settings and the last failure say why there is none. */
static enum err
read_crl(struct txn *t, struct command *c, cJSON *data)
{
	struct ca_settings settings;
	struct crl crl;
	struct ca ca;
	enum err e = lookup_ca(t, c, &ca);

	if (e != ERR_OK)
		return e;
	e = store_get_crl(t, &c->id, &crl);
	if (e == ERR_OK)
		add_crl(data, c, &crl);
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = get_ca_settings(t, &c->id, &settings);
	if (e == ERR_OK)
		add_crl_settings(data, &settings);
	add_failure(data, c);
	return e;
}

static const struct command_type rows[] = {
	{
	    .name = "deleteCrl",
	    .resource = RESOURCE_CRL,
	    .changed = RESOURCE_CRL,
	    .parse = parse_crl,
	    .plain = true,
	    .run = run_delete_crl,
	    .conclude = conclude_delete_crl,
	},
	{
	    .name = "describeCrl",
	    .resource = RESOURCE_CRL,
	    .parse = parse_crl,
	    .read = read_crl,
	},
	{
	    .name = "importCrl",
	    .resource = RESOURCE_CRL,
	    .changed = RESOURCE_CRL,
	    .parse = parse_import_crl,
	    .plain = true, /* the CA has signed the content */
	    .prepare = prepare_import_crl,
	    .run = run_import_crl,
	    .conclude = conclude_import_crl,
	    .answer = answer_import_crl,
	},
};

const struct command_group crl_commands = { rows, COUNT_OF(rows) };
