/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* event_facts.c - see event_facts.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/core/event.h"
#include "jitr/core/text.h"
#include "jitr/adapter/x509.h"

#include "event_facts.h"

#define SUBJECT_MAX    1024
#define NAMES_MAX      (4 * CERT_FIELD_VALUES_MAX)
#define NAME_MAX_SHOWN 512

/* The names of openssl x509 -ext subjectAltName. */
static const struct {
	enum cert_field field;
	const char *kind;
} kinds[] = {
	{ FIELD_SUBJECT_DNS_NAME, "DNS" },
	{ FIELD_SUBJECT_URI, "URI" },
	{ FIELD_SUBJECT_IP_ADDRESS, "IP" },
	{ FIELD_SUBJECT_RFC822_NAME, "email" },
};

struct names {
	size_t count;
	struct view views[NAMES_MAX];
	char texts[NAMES_MAX][NAME_MAX_SHOWN];
};

/* As it is in the certificate: what policies see is escaped (jitr/core/facts.h).  With all
 * bytes, NUL included, because a truncated name would be another name. */
static void
add_name(struct names *n, const char *kind, struct view text)
{
	struct text out = text_in(n->texts[n->count], NAME_MAX_SHOWN);

	text_add(&out, kind);
	text_add(&out, ":");
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\\' && i + 1 < text.len)
			i++;
		text_add_view(&out, (struct view){ text.data + i, 1 });
	}
	if (!out.cut)
		n->views[n->count++] = (struct view){ (const uint8_t *)out.at, out.len };
}

static void
add_names(struct names *n, const struct cert_facts *facts)
{
	n->count = 0;
	for (size_t i = 0; i < facts->count; i++)
		for (size_t k = 0; k < COUNT_OF(kinds) && n->count < NAMES_MAX; k++)
			if (facts->values[i].field == kinds[k].field)
				add_name(n, kinds[k].kind, facts->values[i].text);
}

static struct view
serial_number(const struct cert_facts *facts)
{
	for (size_t i = 0; facts != NULL && i < facts->count; i++)
		if (facts->values[i].field == FIELD_CERT_SERIAL_NUMBER)
			return facts->values[i].text;
	return (struct view){ NULL, 0 };
}

/* One allocation. */
struct parts {
	struct names names;
	char subject[SUBJECT_MAX];
	struct cert_facts *facts; /* NULL: they cannot be read */
	char *pem;
	char out[EVENT_DETAILS_MAX];
};

/* If a name cannot be decoded as text the event has no names, but the other members. */
static bool
gather(const struct client *c, struct view der, struct presented *p, struct parts *parts)
{
	enum err e = x509_read_facts(c->x, &parts->facts);

	if (e == ERR_OK)
		add_names(&parts->names, parts->facts);
	else if (e != ERR_CERTIFICATE)
		return false;
	if (x509_read(c->x, p) != ERR_OK || x509_pem_from_der(der, &parts->pem) != ERR_OK)
		return false;
	x509_subject_text(c->x, parts->subject, sizeof(parts->subject));
	return true;
}

/* Members that do not fit are left out. */
static char *
render(const struct client *c, const struct presented *p, struct parts *parts, const char *reason)
{
	struct event_details d = { .subject = view_of(parts->subject),
		.alternative_names = parts->facts != NULL ? parts->names.views : NULL,
		.alternative_name_count = parts->names.count,
		.serial_number = serial_number(parts->facts),
		.not_before = p->not_before,
		.not_after = p->not_after,
		.client_id = view_of(c->id),
		.source_ip = view_of(c->address),
		.reason = view_of(reason),
		.pem = view_of(parts->pem) };
	struct text out = text_in(parts->out, sizeof(parts->out));

	(void)event_details(&d, &out);
	return strndup(parts->out, out.len);
}

char *
event_details_of(const struct client *c, struct view der, const char *reason)
{
	struct parts *parts = calloc(1, sizeof(*parts));
	struct presented p;
	char *details = NULL;

	if (parts == NULL)
		return NULL;
	if (gather(c, der, &p, parts))
		details = render(c, &p, parts, reason);
	free(parts->facts);
	free(parts->pem);
	free(parts);
	return details;
}
