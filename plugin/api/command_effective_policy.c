/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_effective_policy.c - the policies of a certificate and their documents (aws-iot
 * A.7). */
#include "command_answer.h"
#include "command_question.h"
#include "command_parse.h"

static void
parse_get_effective_policies(struct members *m, struct command *c)
{
	parse_optional_principal(m, c);
	parse_thing_name(m, "thingName", false, &c->named);
	PARSE_ONLY(m, "principal", "thingName");
}

static enum err
add_effective(struct txn *t, struct command *c, struct view name, size_t *bytes, cJSON *list)
{
	struct policy_record record;
	struct policy_version version;
	cJSON *o;
	enum err e = store_get_policy(t, name, &record);

	if (e == ERR_OK)
		e = store_get_policy_version(t, name, record.default_version, &version);
	if (e == ERR_OK)
		*bytes += version.document.len;
	if (e == ERR_OK && *bytes > c->context->budget->bytes)
		e = refuse_bytes(c);
	if (e != ERR_OK)
		return e;
	o = cJSON_CreateObject();
	add_policy_name(o, c, name);
	add_view(o, "policyDocument", version.document);
	cJSON_AddItemToArray(list, o);
	return ERR_OK;
}

static enum err
read_effective_policies(struct txn *t, struct command *c, cJSON *data)
{
	cJSON *list = cJSON_AddArrayToObject(data, "effectivePolicies");
	struct explain_request r = explain_request_of(c, NULL);
	struct explain *i = NULL;
	struct thing thing;
	size_t bytes = 0;
	enum err e = ERR_OK;

	if (c->named.len > 0)
		e = lookup_thing(t, c, &thing);
	if (e == ERR_OK)
		e = explain_open(c->context->judge, t, &r, &i, &c->diag);
	for (size_t n = 0; e == ERR_OK && n < explain_policy_count(i); n++)
		e = add_effective(t, c, view_of(explain_policy_name(i, n)), &bytes, list);
	explain_close(i);
	return e;
}

static const struct command_type rows[] = {
	{
	    .name = "getEffectivePolicies",
	    .resource = RESOURCE_CERTIFICATE,
	    .parse = parse_get_effective_policies,
	    .read = read_effective_policies,
	},
};

const struct command_group effective_policy_commands = { rows, COUNT_OF(rows) };
