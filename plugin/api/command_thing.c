/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_thing.c - things and the certificates attached to them (aws-iot A.6). */
#include <stdlib.h>
#include <string.h>

#include "command.h"

#include "jitr/core/name.h"

/* Of a list with a filter so many things are looked at for one answer, which
 * may then be shorter than asked for: the broker must not wait. */
#define THINGS_LOOKED_AT 5000
#define BYTES_LOOKED_AT  (2 * 1024 * 1024)
#define THINGS_AT_A_TIME 64

/*
 * Attributes: an object of strings, packed as model.h has them.
 */

static void
check_attribute_name(struct members *m, const char *name)
{
	if (!attribute_name_valid(view_of(name)))
		json_fail(m, "attributes", name,
		    "have keys of length 1 to 128 that satisfy regular expression pattern: "
		    "[a-zA-Z0-9_.,@/:#-]+");
}

static void
check_attribute_value(struct members *m, const char *name, const char *value)
{
	if (strlen(value) > THING_ATTRIBUTE_VALUE_MAX)
		json_fail(m, name, value, "have length less than or equal to 800");
	else if (!attribute_value_valid(view_of(value)))
		json_fail(m, name, value,
		    "satisfy regular expression pattern: [a-zA-Z0-9_.,@/:#=\\[\\]-]*");
}

static void
check_attribute(struct members *m, const cJSON *attribute)
{
	check_attribute_name(m, attribute->string);
	if (!cJSON_IsString(attribute))
		json_fail(m, attribute->string, NULL, "be a string");
	else
		check_attribute_value(m, attribute->string, attribute->valuestring);
}

static uint8_t *
pack(uint8_t *out, const cJSON *attribute)
{
	size_t name_len = strlen(attribute->string), len = strlen(attribute->valuestring);

	*out++ = (uint8_t)name_len;
	memcpy(out, attribute->string, name_len);
	out += name_len;
	*out++ = (uint8_t)(len >> 8);
	*out++ = (uint8_t)len;
	memcpy(out, attribute->valuestring, len);
	return out + len;
}

/* empty: are those without a value taken along?  Room for each was checked. */
static void
pack_attributes(struct members *m, struct command *c, const cJSON *attributes, bool empty,
    struct view *out)
{
	const cJSON *sorted[THING_ATTRIBUTES_MAX], *one;
	size_t count = 0, size = 1;
	uint8_t *at;

	cJSON_ArrayForEach(one, attributes)
	{
		if (!empty && one->valuestring[0] == '\0')
			continue;
		sorted[count++] = one;
		size += 3 + strlen(one->string) + strlen(one->valuestring);
	}
	c->kept = cJSON_malloc(size);
	if (c->kept == NULL) {
		parse_take(m, ERR_NOMEM);
		return;
	}
	json_sort(sorted, count);
	at = (uint8_t *)c->kept;
	for (size_t i = 0; i < count; i++)
		at = pack(at, sorted[i]);
	out->data = (uint8_t *)c->kept;
	out->len = (size_t)(at - out->data);
}

/* Answers whether there were attributes, be it none at all. */
static bool
parse_attributes(struct members *m, struct command *c, bool empty, bool *merge, struct view *out)
{
	static const char *const names[] = { "attributes", "merge" };
	struct members payload = json_members(json_object(m, "attributePayload"), m->diag);
	const cJSON *attributes, *one;

	if (payload.object == NULL)
		return false;
	*merge = json_bool(&payload, "merge", false);
	attributes = json_object(&payload, "attributes");
	json_only(&payload, names, COUNT_OF(names));
	if (cJSON_GetArraySize(attributes) > THING_ATTRIBUTES_MAX)
		json_fail(&payload, "attributes", NULL, "have at most 50 entries");
	cJSON_ArrayForEach(one, attributes) check_attribute(&payload, one);
	parse_take(m, payload.failed);
	if (m->failed == ERR_OK && attributes != NULL)
		pack_attributes(m, c, attributes, empty, out);
	return attributes != NULL;
}

/*
 * Things.
 */

void
parse_create_thing(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "thingName",
		"thingTypeName", "attributePayload", "billingGroupName" };
	struct thing *thing = &c->thing.record;
	bool merge; /* with what?  AWS has it, too */

	parse_thing_name(m, "thingName", true, &c->named);
	parse_thing_name(m, "thingTypeName", false, &thing->type_name);
	parse_thing_name(m, "billingGroupName", false, &thing->billing_group);
	json_only(m, names, COUNT_OF(names));
	(void)parse_attributes(m, c, false, &merge, &thing->attributes);
	thing->name = c->named;
}

void
parse_thing(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "thingName" };

	parse_thing_name(m, "thingName", true, &c->named);
	json_only(m, names, COUNT_OF(names));
}

static void
parse_expected_version(struct members *m, struct thing_update *update)
{
	update->has_expected_version = json_has(m, "expectedVersion");
	update->expected_version = (uint32_t)json_integer(m, "expectedVersion", 0, UINT32_MAX, 0);
}

void
parse_update_thing(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "thingName",
		"thingTypeName", "attributePayload", "expectedVersion", "removeThingType" };
	struct thing_update *update = &c->thing.update;

	parse_thing_name(m, "thingName", true, &c->named);
	parse_thing_name(m, "thingTypeName", false, &update->type_name);
	update->has_type = json_has(m, "thingTypeName");
	update->remove_type = json_bool(m, "removeThingType", false);
	parse_expected_version(m, update);
	json_only(m, names, COUNT_OF(names));
	update->has_attributes = parse_attributes(m, c, true, &update->merge, &update->attributes);
}

void
parse_delete_thing(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "thingName",
		"expectedVersion" };

	parse_thing_name(m, "thingName", true, &c->named);
	parse_expected_version(m, &c->thing.update);
	json_only(m, names, COUNT_OF(names));
}

static struct view
parse_filter(struct members *m, const char *name, size_t max)
{
	return view_of(json_string(m, name, 1, max, false));
}

void
parse_list_things(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "nextToken",
		"maxResults", "attributeName", "attributeValue", "thingTypeName",
		"usePrefixAttributeValue" };

	parse_tokens(m, c, KEY_NAME);
	c->thing.attribute_name = parse_filter(m, "attributeName", THING_ATTRIBUTE_NAME_MAX);
	c->thing.attribute_value = parse_filter(m, "attributeValue", THING_ATTRIBUTE_VALUE_MAX);
	parse_thing_name(m, "thingTypeName", false, &c->thing.type_name);
	c->thing.by_prefix = json_bool(m, "usePrefixAttributeValue", false);
	json_only(m, names, COUNT_OF(names));
	if (c->thing.attribute_name.len == 0 && c->thing.attribute_value.len > 0)
		parse_fail(m, ERR_REQUEST, "attributeValue needs an attributeName");
}

static void
parse_attachment(struct members *m, struct command *c)
{
	parse_thing_name(m, "thingName", true, &c->named);
	parse_principal(m, "principal", c);
}

void
parse_attach_thing(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "thingName", "principal",
		"thingPrincipalType" };
	static const char *const types[] = { "EXCLUSIVE_THING", "NON_EXCLUSIVE_THING" };

	parse_attachment(m, c);
	c->thing.principal_type = json_word(m, "thingPrincipalType", types, COUNT_OF(types),
				      false) == 0
	    ? PRINCIPAL_EXCLUSIVE
	    : PRINCIPAL_NON_EXCLUSIVE;
	json_only(m, names, COUNT_OF(names));
}

void
parse_detach_thing(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "thingName",
		"principal" };

	parse_attachment(m, c);
	json_only(m, names, COUNT_OF(names));
}

void
parse_list_thing_principals(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "thingName", "nextToken",
		"maxResults" };

	parse_thing_name(m, "thingName", true, &c->named);
	parse_tokens(m, c, KEY_ID);
	json_only(m, names, COUNT_OF(names));
}

void
parse_list_principal_things(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "principal", "nextToken",
		"maxResults" };

	parse_principal(m, "principal", c);
	parse_tokens(m, c, KEY_NAME);
	json_only(m, names, COUNT_OF(names));
}

enum err
change_create_thing(struct txn *t, struct command *c, int64_t now)
{
	return registry_create_thing(t, &c->thing.record, now, &c->thing.record.id, &c->diag);
}

enum err
change_update_thing(struct txn *t, struct command *c, int64_t now)
{
	return registry_update_thing(t, c->named, &c->thing.update, now, &c->diag);
}

enum err
change_delete_thing(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_delete_thing(t, c->named, c->thing.update.has_expected_version,
	    c->thing.update.expected_version, &c->diag);
}

enum err
change_attach_thing(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_attach_thing(t, c->named, &c->id, c->thing.principal_type, &c->diag);
}

enum err
change_detach_thing(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_detach_thing(t, c->named, &c->id, &c->diag);
}

static void
add_thing(cJSON *o, const struct command *c, struct view name)
{
	add_view(o, "thingName", name);
	add_name_arn(o, "thingArn", c->account, RESOURCE_THING, name);
}

/* What describeThing and listThings both tell. */
static void
add_configuration(cJSON *o, const struct thing *thing)
{
	cJSON *attributes = cJSON_AddObjectToObject(o, "attributes");
	struct view rest = thing->attributes, name, value;
	char text[THING_ATTRIBUTE_NAME_MAX + 1];

	add_view(o, "thingTypeName", thing->type_name);
	cJSON_AddNumberToObject(o, "version", thing->version);
	while (thing_attribute_next(&rest, &name, &value) && name.len < sizeof(text)) {
		memcpy(text, name.data, name.len);
		text[name.len] = '\0';
		add_view(attributes, text, value);
	}
}

enum err
render_thing_made(struct txn *t, struct command *c, cJSON *data)
{
	(void)t;
	add_thing(data, c, c->named);
	add_uuid(data, "thingId", &c->thing.record.id);
	return ERR_OK;
}

enum err
render_thing(struct txn *t, struct command *c, cJSON *data)
{
	struct thing thing;
	enum err e = store_get_thing(t, c->named, &thing);

	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "Thing %.*s cannot be found.", (int)c->named.len,
		    (const char *)c->named.data);
	if (e != ERR_OK)
		return e;
	add_view(data, "defaultClientId", c->named);
	add_thing(data, c, c->named);
	add_uuid(data, "thingId", &thing.id);
	add_configuration(data, &thing);
	add_view(data, "billingGroupName", thing.billing_group);
	return ERR_OK;
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

/* A page of things on its way. */
struct thing_page {
	const struct command *c;
	cJSON *data, *list;
	size_t found, looked;
	size_t bytes, bytes_looked; /* of those found, and of all */
	struct view last;           /* looked at; data NULL: none */
};

/* About so much of the answer: the name is there twice, an ARN and names of members. */
static size_t
size_of(const struct thing *thing)
{
	return 2 * (thing->name.len + thing->attributes.len) + thing->type_name.len +
	    ARN_PREFIX_SIZE + 128;
}

/* Large things end a page early, but for the first one. */
static bool
is_full(const struct thing_page *p)
{
	return p->found == p->c->page.size || p->looked == THINGS_LOOKED_AT ||
	    (p->found > 0 && p->bytes >= PAGE_BYTES_MAX) ||
	    (p->found > 0 && p->bytes >= p->c->budget->bytes / 2) ||
	    p->bytes_looked >= BYTES_LOOKED_AT;
}

/* Answers whether the page goes on. */
static bool
take_thing(struct thing_page *p, const struct thing *thing)
{
	cJSON *o;

	if (is_full(p)) {
		add_mark(p->data, p->c, &(struct mark){ .name = p->last });
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
	add_thing(o, p->c, thing->name);
	add_configuration(o, thing);
	cJSON_AddItemToArray(p->list, o);
	return true;
}

enum err
render_things(struct txn *t, struct command *c, cJSON *data)
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

enum err
render_thing_principals(struct txn *t, struct command *c, cJSON *data)
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
		e = store_list_thing_principals(t, c->named,
		    c->page.has_after ? &c->page.after.id : NULL, page, c->page.size + 1, &count);
	for (size_t i = 0; i < count; i++)
		ids[i] = page[i].id;
	if (e == ERR_OK)
		add_principals(data, "principals", c, ids, count);
	return e;
}

static void
add_thing_name(cJSON *list, struct view name)
{
	char *text = strndup((const char *)name.data, name.len);

	if (text != NULL)
		cJSON_AddItemToArray(list, cJSON_CreateString(text));
	free(text);
}

enum err
render_principal_things(struct txn *t, struct command *c, cJSON *data)
{
	struct thing_principal page[PAGE_MAX + 1];
	cJSON *list = cJSON_AddArrayToObject(data, "things");
	size_t count = 0, size = c->page.size;
	struct cert cert;
	enum err e = check_principal(t, c, &cert);

	if (e == ERR_OK)
		e = store_list_principal_things(t, &c->id,
		    c->page.has_after ? &c->page.after.name : NULL, page, size + 1, &count);
	for (size_t i = 0; e == ERR_OK && i < count && i < size; i++)
		add_thing_name(list, page[i].thing);
	if (e == ERR_OK && count > size)
		add_mark(data, c, &(struct mark){ .name = page[size - 1].thing });
	return e;
}
