/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_template.c - arbitrary bytes as provisioning templates: refused with a text, or
 * compiled and asked for a plan.
 *
 * The first line is the value that all facts have, the rest is the template.  No crash.  The
 * same certificate has the same plan twice.  A failed plan attaches nothing.  Names and
 * attributes are valid, and documents compile as policies.
 */
#include <stdlib.h>
#include <string.h>

#include "forms.h"
#include "line.h"

#include "jitr/core/codec.h"
#include "jitr/core/name.h"
#include "jitr/core/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arn_scope scope;

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
check_policy(const struct planned_policy *planned)
{
	struct policy *p;

	require((planned->name.len == 0) != (planned->document.len == 0));
	if (planned->name.len > 0) {
		require(policy_name_valid(planned->name));
		return;
	}
	require(policy_compile(planned->document, &scope, &p, NULL) == ERR_OK);
	policy_free(p);
}

static bool
is_name_or_nothing(struct view text)
{
	return text.len == 0 || thing_name_valid(text);
}

static void
check_thing(const struct planned_thing *thing, const uint8_t *room)
{
	struct view rest = thing->attributes, name, value;
	size_t count;

	require(is_name_or_nothing(thing->name) && is_name_or_nothing(thing->type_name) &&
	    is_name_or_nothing(thing->billing_group));
	require(thing->on_type != OVERRIDE_MERGE);
	if (thing->name.len == 0) {
		require(thing->attributes.len == 0 && thing->type_name.len == 0);
		return;
	}
	require(thing->attributes.data >= room &&
	    thing->attributes.data + thing->attributes.len <= room + PLAN_ROOM);
	require(codec_check_attributes(thing->attributes, &count));
	while (thing_attribute_next(&rest, &name, &value))
		require(
		    attribute_name_valid(name) && value.len > 0 && attribute_value_valid(value));
}

static void
check_plan(const struct plan *p, const uint8_t *room)
{
	require(p->origin == PLAN_TEMPLATE && !p->supersedes);
	require(p->status == CERT_ACTIVE || p->status == CERT_INACTIVE ||
	    p->status == CERT_PENDING_ACTIVATION);
	require(memchr(p->reason.text, '\0', sizeof(p->reason.text)) != NULL);
	require(p->reason.text[0] != '\0');
	if (p->failed)
		require(p->status == CERT_PENDING_ACTIVATION && p->policy_count == 0 &&
		    p->thing.name.len == 0);
	for (size_t i = 0; i < p->policy_count; i++)
		check_policy(&p->policies[i]);
	check_thing(&p->thing, room);
}

static struct template *decoded;

static void
ask(const struct template *t, const struct facts *f)
{
	uint8_t *room = malloc(PLAN_ROOM), *room_again = malloc(PLAN_ROOM);
	struct plan p, again;

	require(room != NULL && room_again != NULL);
	memset(&p, 0x55, sizeof(p));
	template_eval(t, f, room, &p);
	check_plan(&p, room);
	template_eval(decoded, f, room_again, &again); /* its form has the same answers */
	require(again.status == p.status && again.failed == p.failed);
	require(again.policy_count == p.policy_count);
	require(view_equal(again.thing.attributes, p.thing.attributes));
	require(strcmp(again.reason.text, p.reason.text) == 0);
	free(room_again);
	free(room);
}

/* Every field that a parameter can have, and one that it cannot. */
static struct cert_facts *
facts_with(struct view value)
{
	static const enum cert_field fields[] = { FIELD_CERT_SERIAL_NUMBER,
		FIELD_SUBJECT_DN_QUALIFIER, FIELD_SUBJECT_COUNTRY, FIELD_SUBJECT_ORGANIZATION,
		FIELD_SUBJECT_ORGANIZATIONAL_UNIT, FIELD_SUBJECT_STATE, FIELD_SUBJECT_COMMON_NAME,
		FIELD_SUBJECT_SERIAL_NUMBER };
	struct cert_facts *cert = malloc(
	    sizeof(*cert) + sizeof(fields) / sizeof(fields[0]) * sizeof(struct cert_value));

	require(cert != NULL);
	for (cert->count = 0; cert->count < COUNT_OF(fields); cert->count++)
		cert->values[cert->count] = (struct cert_value){ fields[cert->count],
			cert->count % 3 == 0 ? view_of("ACTIVE") : value };
	return cert;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view body = { data, size }, value = cut_line(&body);
	struct cert_facts *cert = facts_with(value);
	struct facts known = { .cert = cert, .certificate_id = view_of("00ff") };
	struct facts unknown = { .cert = NULL };
	struct diag diag = { "" };
	struct template *t = NULL;
	enum err e;

	scope = arn_scope_of("us-east-1", "123456789012");
	e = template_compile(body, &scope, &t, &diag);
	require((e == ERR_OK) == (t != NULL) && (e != ERR_REQUEST || diag.text[0] != '\0'));
	if (t != NULL) {
		decoded = template_again(t);
		ask(t, &known);
		cert->count /= 2;
		ask(t, &known);
		ask(t, &unknown);
		free(decoded);
	}
	template_free(t);
	free(cert);
	return 0;
}
