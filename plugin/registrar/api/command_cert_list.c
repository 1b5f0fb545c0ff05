/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_cert_list.c - lists of client certificates (aws-iot A.3). */
#include <stdlib.h>

#include "command_answer.h"
#include "command_parse.h"

/* Not AWS's: it finds the pending certificates among a million. */
static void
parse_status_filter(struct members *m, struct command *c)
{
	c->cert.by_status = parse_cert_status(m, "status", false, &c->cert.status);
}

static void
parse_list_certs(struct members *m, struct command *c)
{
	page_parse_markers(m, &c->page, KEY_CREATED_ID);
	parse_status_filter(m, c);
	PARSE_ONLY(m, "pageSize", "marker", "ascendingOrder", "status");
}

static void
parse_list_certs_by_ca(struct members *m, struct command *c)
{
	json_certid(m, "caCertificateId", &c->id);
	page_parse_markers(m, &c->page, KEY_CREATED_ID);
	parse_status_filter(m, c);
	PARSE_ONLY(m, "caCertificateId", "pageSize", "marker", "ascendingOrder", "status");
}

static void
add_cert_entry(cJSON *list, const struct command *c, const struct cert *cert)
{
	cJSON *o = cJSON_CreateObject();

	add_id_arn(o, "certificateArn", c, RESOURCE_CERTIFICATE, &cert->id);
	add_hex(o, "certificateId", cert->id.b, sizeof(cert->id.b));
	cJSON_AddStringToObject(o, "status", cert_status_name(cert->status));
	cJSON_AddStringToObject(o, "certificateMode", cert_mode_name(cert->mode));
	add_time(o, "creationDate", cert->created);
	cJSON_AddItemToArray(list, o);
}

/* Of one CA a page may have fewer entries than its size: there is no index of a CA's
 * certificates by status. */
static bool
is_in_list(const struct command *c, const struct cert *cert)
{
	return !c->cert.by_status || cert->status == c->cert.status;
}

static enum err
read_list(struct txn *t, struct command *c, const struct certid *ca, cJSON *data)
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
		if (is_in_list(c, &page[i]))
			add_cert_entry(list, c, &page[i]);
	if (e == ERR_OK && count > size)
		page_add_mark(data, &c->page,
		    &(struct mark){ .created = page[size - 1].created, .id = page[size - 1].id });
	free(page);
	return e;
}

static enum err
read_certs(struct txn *t, struct command *c, cJSON *data)
{
	return read_list(t, c, NULL, data);
}

static enum err
read_certs_by_ca(struct txn *t, struct command *c, cJSON *data)
{
	return read_list(t, c, &c->id, data);
}

static const struct command_type rows[] = {
	{
	    .name = "listCertificates",
	    .parse = parse_list_certs,
	    .read = read_certs,
	},
	{
	    .name = "listCertificatesByCA",
	    .parse = parse_list_certs_by_ca,
	    .read = read_certs_by_ca,
	},
};

const struct command_group certificate_list_commands = { rows, COUNT_OF(rows) };
