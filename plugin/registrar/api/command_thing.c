/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_thing.c - things (aws-iot A.6); their list: command_thing_list.c. */
#include "command_answer.h"
#include "command_parse.h"
#include "thing_attributes.h"

static void
parse_create_thing(struct members *m, struct command *c)
{
	struct thing *thing = &c->thing.record;
	struct thing_update given = { .has_attributes = false }; /* merge has no effect here */

	parse_thing_name(m, "thingName", true, &c->named);
	parse_thing_name(m, "thingTypeName", false, &thing->type_name);
	parse_thing_name(m, "billingGroupName", false, &thing->billing_group);
	PARSE_ONLY(m, "thingName", "thingTypeName", "attributePayload", "billingGroupName");
	parse_attributes(m, c, false, &given);
	thing->attributes = given.attributes;
	thing->name = c->named;
}

static void
parse_thing(struct members *m, struct command *c)
{
	parse_thing_name(m, "thingName", true, &c->named);
	PARSE_ONLY(m, "thingName");
}

static void
parse_expected_version(struct members *m, struct thing_update *update)
{
	update->has_expected_version = json_has(m, "expectedVersion");
	update->expected_version = (uint32_t)json_integer(m, "expectedVersion", 0, UINT32_MAX, 0);
}

static void
parse_update_thing(struct members *m, struct command *c)
{
	struct thing_update *update = &c->thing.update;

	parse_thing_name(m, "thingName", true, &c->named);
	parse_thing_name(m, "thingTypeName", false, &update->type_name);
	update->has_type = json_has(m, "thingTypeName");
	update->remove_type = json_bool(m, "removeThingType", false);
	parse_expected_version(m, update);
	PARSE_ONLY(m, "thingName", "thingTypeName", "attributePayload", "expectedVersion",
	    "removeThingType");
	parse_attributes(m, c, true, update);
}

static void
parse_delete_thing(struct members *m, struct command *c)
{
	parse_thing_name(m, "thingName", true, &c->named);
	parse_expected_version(m, &c->thing.update);
	PARSE_ONLY(m, "thingName", "expectedVersion");
}

static enum err
run_create_thing(struct txn *t, struct command *c)
{
	return registry_create_thing(t, &c->thing.record, c->now, &c->thing.record.id, &c->diag);
}

static enum err
run_update_thing(struct txn *t, struct command *c)
{
	return registry_update_thing(t, c->named, &c->thing.update, c->now, &c->diag);
}

static enum err
run_delete_thing(struct txn *t, struct command *c)
{
	return registry_delete_thing(t, c->named, c->thing.update.has_expected_version,
	    c->thing.update.expected_version, &c->diag);
}

static enum err
answer_created_thing(struct command *c, cJSON *data)
{
	add_thing_name(data, c, c->named);
	add_uuid(data, "thingId", &c->thing.record.id);
	return ERR_OK;
}

static enum err
read_thing(struct txn *t, struct command *c, cJSON *data)
{
	struct thing thing;
	enum err e = lookup_thing(t, c, &thing);

	if (e != ERR_OK)
		return e;
	add_view(data, "defaultClientId", c->named);
	add_thing_name(data, c, c->named);
	add_uuid(data, "thingId", &thing.id);
	add_configuration(data, &thing);
	add_view(data, "billingGroupName", thing.billing_group);
	return ERR_OK;
}

static const struct command_type rows[] = {
	{
	    .name = "createThing",
	    .resource = RESOURCE_THING,
	    .changed = RESOURCE_THING,
	    .parse = parse_create_thing,
	    .plain = true,
	    .run = run_create_thing,
	    .answer = answer_created_thing,
	},
	{
	    .name = "deleteThing",
	    .resource = RESOURCE_THING,
	    .changed = RESOURCE_THING,
	    .parse = parse_delete_thing,
	    .plain = true,
	    .run = run_delete_thing,
	},
	{
	    .name = "describeThing",
	    .resource = RESOURCE_THING,
	    .parse = parse_thing,
	    .read = read_thing,
	},
	{
	    .name = "updateThing",
	    .resource = RESOURCE_THING,
	    .changed = RESOURCE_THING,
	    .parse = parse_update_thing,
	    .plain = true,
	    .run = run_update_thing,
	},
};

const struct command_group thing_commands = { rows, COUNT_OF(rows) };
