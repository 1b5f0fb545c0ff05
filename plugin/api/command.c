/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command.c - see command.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#include "jitr/text.h"
#include "jitr/x509.h"

const struct command_type command_types[] = {
	{ "deleteCACertificate", CONCERNS_CA, parse_ca_id, change_delete_ca, NULL },
	{ "deleteCertificate", CONCERNS_CERTIFICATE, parse_delete_cert, change_delete_cert, NULL },
	{ "deleteRegistrationCode", CONCERNS_NOTHING, parse_nothing, change_delete_code, NULL },
	{ "describeCACertificate", CONCERNS_NOTHING, parse_ca_id, NULL, render_ca },
	{ "describeCertificate", CONCERNS_NOTHING, parse_cert_id, NULL, render_cert },
	{ "getRegistrationCode", CONCERNS_NOTHING, parse_nothing, change_get_code, render_code },
	{ "listCACertificates", CONCERNS_NOTHING, parse_list_cas, NULL, render_cas },
	{ "listCertificates", CONCERNS_NOTHING, parse_list_certs, NULL, render_certs },
	{ "listCertificatesByCA", CONCERNS_NOTHING, parse_list_certs_by_ca, NULL,
	    render_certs_by_ca },
	{ "registerCACertificate", CONCERNS_CA, parse_register_ca, change_register_ca,
	    render_ca_made },
	{ "registerCertificate", CONCERNS_CERTIFICATE, parse_register_cert, change_register_cert,
	    render_cert_made },
	{ "registerCertificateWithoutCA", CONCERNS_CERTIFICATE, parse_register_cert_without_ca,
	    change_register_cert, render_cert_made },
	{ "updateCACertificate", CONCERNS_CA, parse_update_ca, change_update_ca, NULL },
	{ "updateCertificate", CONCERNS_CERTIFICATE, parse_update_cert, change_update_cert, NULL },
};
const size_t command_type_count = COUNT_OF(command_types);

static int
compare_name(const void *name, const void *type)
{
	return strcmp(name, ((const struct command_type *)type)->name);
}

const struct command_type *
command_find(const char *name)
{
	return bsearch(name, command_types, command_type_count, sizeof(command_types[0]),
	    compare_name);
}

static void
parse_arguments(const cJSON *json, struct command *c, int64_t now)
{
	struct members m = json_members(json, &c->diag);

	if (!cJSON_IsObject(json)) {
		c->result = ERR_REQUEST;
		diag_set(&c->diag, "A command must be an object");
		return;
	}
	c->correlation = json_string(&m, "correlationData", 0, 1024, false);
	c->name = json_string(&m, "command", 1, 128, true);
	if (c->name != NULL) {
		c->type = command_find(c->name);
		if (c->type != NULL) {
			c->type->parse(&m, c, now);
		} else {
			m.failed = ERR_REQUEST;
			diag_set(&c->diag, "Unknown command '%.48s'", c->name);
		}
	}
	c->result = m.failed;
}

void
command_parse(const cJSON *json, struct command *c, int64_t now)
{
	memset(c, 0, sizeof(*c));
	parse_arguments(json, c, now);
}

void
command_clear(struct command *c)
{
	x509_free(c->x);
	x509_free(c->registration.x);
	x509_free(c->registration.issuer);
	cJSON_free(c->tags);
	memset(c, 0, sizeof(*c));
}

/* Members that every command may have come first. */
void
parse_nothing(struct members *m, struct command *c, int64_t now)
{
	static const char *const names[] = { "command", "correlationData" };

	(void)c;
	(void)now;
	json_only(m, names, COUNT_OF(names));
}

/* A marker is where the last page ended, as digits: they match AWS's pattern
 * (aws-iot 1.7, Marker) and mean nothing to anybody else. */
#define MARKER_BYTES 40

static void
parse_marker(struct members *m, struct command *c)
{
	const char *marker = json_string(m, "marker", 0, 1024, false);
	uint8_t bytes[MARKER_BYTES];

	if (marker == NULL)
		return;
	if (!hex_decode(bytes, sizeof(bytes), view_of(marker))) {
		json_fail(m, "marker", marker, "be a nextMarker of an earlier answer");
		return;
	}
	for (size_t i = 0; i < 8; i++)
		c->after.created = (int64_t)((uint64_t)c->after.created << 8 | bytes[i]);
	memcpy(c->after.id.b, bytes + 8, sizeof(c->after.id.b));
	c->has_after = true;
}

void
parse_listing(struct members *m, struct command *c)
{
	c->page_size = (size_t)json_integer(m, "pageSize", 1, PAGE_MAX, PAGE_DEFAULT);
	c->ascending = json_bool(m, "ascendingOrder", false);
	parse_marker(m, c);
}

void
add_marker(cJSON *data, int64_t created, const struct certid *id)
{
	uint8_t bytes[MARKER_BYTES];
	char hex[2 * MARKER_BYTES + 1];

	for (size_t i = 0; i < 8; i++)
		bytes[i] = (uint8_t)((uint64_t)created >> (56 - 8 * i));
	memcpy(bytes + 8, id->b, sizeof(id->b));
	hex_encode((struct view){ bytes, sizeof(bytes) }, hex);
	cJSON_AddStringToObject(data, "nextMarker", hex);
}

struct listing
command_listing(const struct command *c)
{
	return (struct listing){ .after = c->has_after ? &c->after : NULL,
		.ascending = c->ascending };
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

void
add_hex(cJSON *o, const char *name, const uint8_t *bytes, size_t len)
{
	char hex[CERTID_HEX_SIZE];

	hex_encode((struct view){ bytes, len }, hex);
	cJSON_AddStringToObject(o, name, hex);
}

void
add_time(cJSON *o, const char *name, int64_t ms)
{
	cJSON_AddNumberToObject(o, name, (double)ms / 1000);
}

void
add_arn(cJSON *o, const char *name, const struct account *a, const char *type,
    const struct certid *id)
{
	char hex[CERTID_HEX_SIZE], arn[256];

	certid_to_hex(id, hex);
	(void)snprintf(arn, sizeof(arn), "arn:aws:iot:%s:%s:%s/%s", a->region, a->id, type, hex);
	cJSON_AddStringToObject(o, name, arn);
}

void
add_generation(cJSON *o, const struct generation *g)
{
	char uuid[40];
	struct text t = text_in(uuid, sizeof(uuid));

	text_add_uuid(&t, g->b);
	cJSON_AddStringToObject(o, "generationId", uuid);
}

void
add_validity(cJSON *o, int64_t not_before, int64_t not_after)
{
	cJSON *validity = cJSON_AddObjectToObject(o, "validity");

	add_time(validity, "notBefore", not_before);
	add_time(validity, "notAfter", not_after);
}

static enum err
add_made_pem(cJSON *o, struct view der)
{
	char *pem;
	enum err e = x509_pem_from_der(der, &pem);

	if (e != ERR_OK)
		return e;
	cJSON_AddStringToObject(o, "certificatePem", pem);
	free(pem);
	return ERR_OK;
}

/* As it was received, or made from what the handshake brought. */
enum err
add_pem(cJSON *o, struct view pem, struct view der)
{
	char *text;

	if (pem.len == 0)
		return add_made_pem(o, der);
	text = strndup((const char *)pem.data, pem.len);
	if (text == NULL)
		return ERR_NOMEM;
	cJSON_AddStringToObject(o, "certificatePem", text);
	free(text);
	return ERR_OK;
}
