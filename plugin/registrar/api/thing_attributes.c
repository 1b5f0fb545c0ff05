/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* thing_attributes.c - see thing_attributes.h. */
#include <stdlib.h>
#include <string.h>

#include "thing_attributes.h"

#include "command_answer.h"
#include "command_parse.h"

#include "jitr/core/name.h"

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

/* The number of attributes and their lengths were checked. */
static void
pack_attributes(struct members *m, struct command *c, const cJSON *attributes, bool keep_empty,
    struct view *out)
{
	const cJSON *sorted[THING_ATTRIBUTES_MAX], *one;
	size_t count = 0, size = 1;
	uint8_t *at;

	cJSON_ArrayForEach(one, attributes)
	{
		if (!keep_empty && one->valuestring[0] == '\0')
			continue;
		sorted[count++] = one;
		size += 3 + strlen(one->string) + strlen(one->valuestring);
	}
	c->kept = cJSON_malloc(size);
	if (c->kept == NULL) {
		parse_result(m, ERR_NOMEM);
		return;
	}
	json_sort(sorted, count);
	at = (uint8_t *)c->kept;
	for (size_t i = 0; i < count; i++)
		at = pack(at, sorted[i]);
	out->data = (uint8_t *)c->kept;
	out->len = (size_t)(at - out->data);
}

void
parse_attributes(struct members *m, struct command *c, bool keep_empty, struct thing_update *out)
{
	static const char *const names[] = { "attributes", "merge" };
	struct members payload = json_members(json_object(m, "attributePayload"), m->diag);
	const cJSON *attributes, *one;

	if (payload.object == NULL)
		return;
	out->merge = json_bool(&payload, "merge", false);
	attributes = json_object(&payload, "attributes");
	json_only(&payload, names, COUNT_OF(names));
	if (cJSON_GetArraySize(attributes) > THING_ATTRIBUTES_MAX)
		json_fail(&payload, "attributes", NULL, "have at most 50 entries");
	cJSON_ArrayForEach(one, attributes) check_attribute(&payload, one);
	parse_result(m, payload.failed);
	if (m->failed == ERR_OK && attributes != NULL)
		pack_attributes(m, c, attributes, keep_empty, &out->attributes);
	out->has_attributes = attributes != NULL;
}

void
add_thing_name(cJSON *o, const struct command *c, struct view name)
{
	add_view(o, "thingName", name);
	add_name_arn(o, "thingArn", c, RESOURCE_THING, name);
}

void
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
