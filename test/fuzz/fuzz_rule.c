/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_rule.c - arbitrary bytes as rule documents: refused with a text, or compiled and asked
 * for a plan.
 *
 * The first line is the value that all facts have, the rest is the document.  No crash.  The
 * same client has the same plan twice.  A plan attaches policies and things only if it
 * activates, and its texts are within the buffers given.
 */
#include <stdlib.h>
#include <string.h>

#include "forms.h"
#include "line.h"

#include "jitr/core/name.h"
#include "jitr/core/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VALUES 8

static void
fill(struct cert_facts *cert, struct view value)
{
	static const enum cert_field fields[VALUES] = { FIELD_CERT_SERIAL_NUMBER,
		FIELD_SUBJECT_ORGANIZATIONAL_UNIT, FIELD_SUBJECT_ORGANIZATIONAL_UNIT,
		FIELD_SUBJECT_COMMON_NAME, FIELD_ISSUER_DNS_NAME, FIELD_KEY_TYPE, FIELD_KEY_BITS,
		FIELD_VALIDITY_DAYS };

	for (cert->count = 0; cert->count < VALUES; cert->count++)
		cert->values[cert->count] = (struct cert_value){ fields[cert->count],
			cert->count % 2 == 0 ? view_of("365") : value };
}

static struct facts
facts_of(unsigned which, struct view value, const struct cert_facts *cert)
{
	struct facts f = { .client_id = which % 2 == 0 ? value : view_of(NULL),
		.certificate_id = view_of("00ff"),
		.cert = which < 4 ? cert : NULL,
		.source_text = view_of(which % 3 == 0 ? NULL : "192.0.2.1") };

	f.source = address_parse(f.source_text);
	return f;
}

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
check_plan(const struct plan *p, const uint8_t *room)
{
	bool active = p->status == CERT_ACTIVE;

	require(p->origin == PLAN_RULE);
	require(active || p->status == CERT_PENDING_ACTIVATION || p->status == CERT_REVOKED);
	require(!p->failed || p->status == CERT_PENDING_ACTIVATION);
	require(active || (p->policy_count == 0 && p->thing.name.len == 0 && !p->supersedes));
	require(memchr(p->reason.text, '\0', sizeof(p->reason.text)) != NULL);
	require(p->reason.text[0] != '\0');
	require(p->policy_count <= POLICIES_MAX);
	for (size_t i = 0; i < p->policy_count; i++)
		require(policy_name_valid(p->policies[i].name) && p->policies[i].document.len == 0);
	if (p->thing.name.len == 0)
		return;
	require(thing_name_valid(p->thing.name));
	require(p->thing.name.data >= room &&
	    p->thing.name.data + p->thing.name.len <= room + PLAN_ROOM);
}

static struct rule *decoded;

static void
ask(const struct rule *r, const struct facts *f)
{
	uint8_t *room = malloc(PLAN_ROOM), *room_again = malloc(PLAN_ROOM);
	struct plan p, again;

	require(room != NULL && room_again != NULL);
	memset(&p, 0x55, sizeof(p));
	rule_eval(r, f, room, &p);
	check_plan(&p, room);
	require(!p.supersedes || (rule_supersedes(r) && p.thing.name.len > 0));
	rule_eval(decoded, f, room_again, &again); /* its form has the same answers */
	require(again.status == p.status && again.failed == p.failed);
	require(view_equal(again.thing.name, p.thing.name));
	require(strcmp(again.reason.text, p.reason.text) == 0);
	free(room_again);
	free(room);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view document = { data, size }, value = cut_line(&document);
	struct cert_facts *cert = malloc(sizeof(*cert) + VALUES * sizeof(struct cert_value));
	struct diag diag = { "" };
	struct rule *r = NULL;
	enum err e = rule_compile(document, &r, &diag);

	require(cert != NULL);
	require((e == ERR_OK) == (r != NULL) && (e != ERR_REQUEST || diag.text[0] != '\0'));
	fill(cert, value);
	decoded = r != NULL ? rule_again(r) : NULL;
	for (unsigned which = 0; r != NULL && which < 6; which++) {
		struct facts f = facts_of(which, value, cert);

		ask(r, &f);
	}
	free(decoded);
	rule_free(r);
	free(cert);
	return 0;
}
