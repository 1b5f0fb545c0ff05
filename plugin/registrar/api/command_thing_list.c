/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_thing_list.c - the list of things, with filters (aws-iot A.6).
 *
 * A page of a filtered list may have fewer entries than its size: so that other
 * requests do not wait, only so many things are looked at for one answer.
 */
#include "command_answer.h"
#include "command_parse.h"
#include "thing_attributes.h"

#define THINGS_LOOKED_AT 5000
#define BYTES_LOOKED_AT  (2 * 1024 * 1024)
#define THINGS_AT_A_TIME 64

/* A page of large things ends early. */
#define PAGE_BYTES_MAX (128 * 1024)

static struct view
parse_filter(struct members *m, const char *name, size_t max)
{
	return view_of(json_string(m, name, 1, max, false));
}

static void
parse_list_things(struct members *m, struct command *c)
{
	page_parse_tokens(m, &c->page, KEY_NAME);
	c->thing.attribute_name = parse_filter(m, "attributeName", THING_ATTRIBUTE_NAME_MAX);
	c->thing.attribute_value = parse_filter(m, "attributeValue", THING_ATTRIBUTE_VALUE_MAX);
	parse_thing_name(m, "thingTypeName", false, &c->thing.type_name);
	c->thing.by_prefix = json_bool(m, "usePrefixAttributeValue", false);
	PARSE_ONLY(m, "nextToken", "maxResults", "attributeName", "attributeValue", "thingTypeName",
	    "usePrefixAttributeValue");
	if (c->thing.attribute_name.len == 0 && c->thing.attribute_value.len > 0)
		parse_fail(m, ERR_REQUEST, "attributeValue needs an attributeName");
}

static bool
begins_with(struct view text, struct view with)
{
	return text.len >= with.len && view_equal((struct view){ text.data, with.len }, with);
}

static bool
is_wanted(const struct thing *thing, const struct thing_arguments *a)
{
	struct view value;

	if (a->type_name.len > 0 && !view_equal(thing->type_name, a->type_name))
		return false;
	if (a->attribute_name.len == 0)
		return true;
	value = thing_attribute(thing->attributes, a->attribute_name);
	if (a->attribute_value.len == 0)
		return value.data != NULL;
	return a->by_prefix ? begins_with(value, a->attribute_value)
			    : view_equal(value, a->attribute_value);
}

/* A page of the answer as it grows. */
struct thing_page {
	const struct command *c;
	cJSON *data, *list;
	size_t found, looked;
	size_t bytes, bytes_looked; /* of the things found, and of all that were looked at */
	struct view last;           /* that was looked at; data NULL: none */
};

/* The approximate size of its entry: the name twice, an ARN, names of members. */
static size_t
size_of(const struct thing *thing)
{
	return 2 * (thing->name.len + thing->attributes.len) + thing->type_name.len +
	    ARN_PREFIX_SIZE + 128;
}

/* Large things end a page early, but a page has at least one. */
static bool
is_full(const struct thing_page *p)
{
	return p->found == p->c->page.size || p->looked == THINGS_LOOKED_AT ||
	    (p->found > 0 && p->bytes >= PAGE_BYTES_MAX) ||
	    (p->found > 0 && p->bytes >= p->c->context->budget->bytes / 2) ||
	    p->bytes_looked >= BYTES_LOOKED_AT;
}

/* false: the page is full. */
static bool
take_thing(struct thing_page *p, const struct thing *thing)
{
	cJSON *o;

	if (is_full(p)) {
		page_add_mark(p->data, &p->c->page, &(struct mark){ .name = p->last });
		return false;
	}
	p->looked++;
	p->bytes_looked += size_of(thing);
	p->last = thing->name;
	if (!is_wanted(thing, &p->c->thing))
		return true;
	p->found++;
	p->bytes += size_of(thing);
	o = cJSON_CreateObject();
	add_thing_name(o, p->c, thing->name);
	add_configuration(o, thing);
	cJSON_AddItemToArray(p->list, o);
	return true;
}

static enum err
read_things(struct txn *t, struct command *c, cJSON *data)
{
	struct thing some[THINGS_AT_A_TIME];
	struct thing_page p = { .c = c, .data = data };
	size_t count = THINGS_AT_A_TIME;
	bool more = true;

	p.list = cJSON_AddArrayToObject(data, "things");
	if (c->page.has_after)
		p.last = c->page.after.name;
	while (more && count == THINGS_AT_A_TIME) {
		enum err e = store_list_things(t, p.last.data != NULL ? &p.last : NULL, some,
		    THINGS_AT_A_TIME, &count);

		if (e != ERR_OK)
			return e;
		for (size_t i = 0; more && i < count; i++)
			more = take_thing(&p, &some[i]);
	}
	return ERR_OK;
}

static const struct command_type rows[] = {
	{
	    .name = "listThings",
	    .parse = parse_list_things,
	    .read = read_things,
	},
};

const struct command_group thing_list_commands = { rows, COUNT_OF(rows) };
