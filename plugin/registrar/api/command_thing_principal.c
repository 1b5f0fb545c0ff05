/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_thing_principal.c - certificates attached to things (aws-iot A.6). */
#include "command_answer.h"
#include "command_parse.h"

static void
parse_attachment(struct members *m, struct command *c)
{
	parse_thing_name(m, "thingName", true, &c->named);
	parse_principal(m, "principal", c);
}

static void
parse_attach_thing(struct members *m, struct command *c)
{
	static const char *const types[] = { "EXCLUSIVE_THING", "NON_EXCLUSIVE_THING" };

	parse_attachment(m, c);
	c->thing.principal_type = json_word(m, "thingPrincipalType", types, COUNT_OF(types),
				      false) == 0
	    ? PRINCIPAL_EXCLUSIVE
	    : PRINCIPAL_NON_EXCLUSIVE;
	PARSE_ONLY(m, "thingName", "principal", "thingPrincipalType");
}

static void
parse_detach_thing(struct members *m, struct command *c)
{
	parse_attachment(m, c);
	PARSE_ONLY(m, "thingName", "principal");
}

static void
parse_list_thing_principals(struct members *m, struct command *c)
{
	parse_thing_name(m, "thingName", true, &c->named);
	page_parse_tokens(m, &c->page, KEY_ID);
	PARSE_ONLY(m, "thingName", "nextToken", "maxResults");
}

static void
parse_list_principal_things(struct members *m, struct command *c)
{
	parse_principal(m, "principal", c);
	page_parse_tokens(m, &c->page, KEY_NAME);
	PARSE_ONLY(m, "principal", "nextToken", "maxResults");
}

static enum err
run_attach_thing(struct txn *t, struct command *c)
{
	return registry_attach_thing(t, c->named, &c->id, c->thing.principal_type, &c->diag);
}

static enum err
run_detach_thing(struct txn *t, struct command *c)
{
	return registry_detach_thing(t, c->named, &c->id, &c->diag);
}

static enum err
read_thing_principals(struct txn *t, struct command *c, cJSON *data)
{
	struct thing_principal page[PAGE_MAX + 1];
	struct certid ids[PAGE_MAX + 1];
	struct thing thing;
	size_t count = 0;
	enum err e = store_get_thing(t, c->named, &thing);

	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag,
		    "Failed to list principals for thing %.*s because the thing does "
		    "not exist in your account",
		    (int)c->named.len, (const char *)c->named.data);
	if (e == ERR_OK)
		e = store_list_thing_principals(t, c->named, page_after_id(&c->page), page,
		    c->page.size + 1, &count);
	for (size_t i = 0; i < count; i++)
		ids[i] = page[i].id;
	if (e == ERR_OK)
		add_principals(data, "principals", c, ids, count);
	return e;
}

static enum err
read_principal_things(struct txn *t, struct command *c, cJSON *data)
{
	struct thing_principal page[PAGE_MAX + 1];
	cJSON *list = cJSON_AddArrayToObject(data, "things");
	size_t count = 0, size = c->page.size;
	struct cert cert;
	enum err e = lookup_certificate(t, c, &cert);

	if (e == ERR_OK)
		e = store_list_principal_things(t, &c->id, page_after_name(&c->page), page,
		    size + 1, &count);
	for (size_t i = 0; e == ERR_OK && i < count && i < size; i++)
		add_item(list, page[i].thing);
	if (e == ERR_OK && count > size)
		page_add_mark(data, &c->page, &(struct mark){ .name = page[size - 1].thing });
	return e;
}

static const struct command_type rows[] = {
	{
	    .name = "attachThingPrincipal",
	    .resource = RESOURCE_CERTIFICATE,
	    .also = RESOURCE_THING,
	    .changed = RESOURCE_CERTIFICATE,
	    .parse = parse_attach_thing,
	    .plain = true,
	    .run = run_attach_thing,
	},
	{
	    .name = "detachThingPrincipal",
	    .resource = RESOURCE_CERTIFICATE,
	    .also = RESOURCE_THING,
	    .changed = RESOURCE_CERTIFICATE,
	    .parse = parse_detach_thing,
	    .plain = true,
	    .run = run_detach_thing,
	},
	{
	    .name = "listPrincipalThings",
	    .resource = RESOURCE_CERTIFICATE,
	    .parse = parse_list_principal_things,
	    .read = read_principal_things,
	},
	{
	    .name = "listThingPrincipals",
	    .resource = RESOURCE_THING,
	    .parse = parse_list_thing_principals,
	    .read = read_thing_principals,
	},
};

const struct command_group thing_principal_commands = { rows, COUNT_OF(rows) };
