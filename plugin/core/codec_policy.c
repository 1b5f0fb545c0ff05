/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* codec_policy.c - policies and things; see codec.h. */
#include <assert.h>
#include <string.h>

#include "codec_private.h"

#define FORMAT_POLICY 1
#define FORMAT_THING  1

/* Versions are numbered from 1, and the default version exists. */
static bool
versions_fit(const struct policy_record *p)
{
	return p->default_version >= 1 && p->default_version <= p->last_version;
}

size_t
codec_put_policy(const struct policy_record *p, uint8_t out[CODEC_POLICY_MAX])
{
	struct sink s = { .at = out, .left = CODEC_POLICY_MAX };

	put_number(&s, FORMAT_POLICY, 1);
	put_number(&s, p->default_version, 4);
	put_number(&s, p->last_version, 4);
	put_created(&s, p->created);
	put_time(&s, p->modified);
	put_bytes(&s, p->generation.b, sizeof(p->generation.b));
	return versions_fit(p) ? put_end(&s) : 0;
}

enum err
codec_get_policy(struct view in, struct policy_record *out)
{
	struct source s = { .at = in.data, .left = in.len };

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_POLICY);
	out->default_version = (uint32_t)get_number(&s, 4);
	out->last_version = (uint32_t)get_number(&s, 4);
	out->created = get_created(&s);
	out->modified = get_time(&s);
	get_array(&s, out->generation.b, sizeof(out->generation.b));
	if (get_end(&s) && versions_fit(out))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

size_t
codec_policy_version_size(const struct policy_version *v)
{
	assert(v->document.len <= UINT32_MAX);
	if (v->created < 0)
		return 0;
	return 1 + 8 + LENGTH_SIZE + v->document.len + form_field_size(v->form);
}

void
codec_put_policy_version(const struct policy_version *v, uint8_t *out)
{
	struct sink s = { .at = out, .left = codec_policy_version_size(v) };

	put_format_of(&s, v->form);
	put_created(&s, v->created);
	put_text(&s, v->document);
	put_form(&s, v->form);
	assert(!s.failed && s.left == 0);
}

enum err
codec_get_policy_version(struct view in, struct policy_version *out)
{
	struct source s = { .at = in.data, .left = in.len };
	bool has_form;

	memset(out, 0, sizeof(*out));
	has_form = get_format_of(&s);
	out->created = get_created(&s);
	out->document = get_text(&s);
	out->form = get_form(&s, has_form);
	if (get_end(&s))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}

bool
codec_check_attributes(struct view packed, size_t *count)
{
	struct view name, value, last = { NULL, 0 };

	for (*count = 0; packed.len > 0; ++*count) {
		if (*count == THING_ATTRIBUTES_MAX || !thing_attribute_next(&packed, &name, &value))
			return false;
		if (name.len > THING_ATTRIBUTE_NAME_MAX || value.len > THING_ATTRIBUTE_VALUE_MAX ||
		    view_order(name, last) <= 0)
			return false;
		last = name;
	}
	return true;
}

static void
put_attribute(struct sink *s, struct view name, struct view value)
{
	if (value.len == 0)
		return;
	put_name(s, name);
	put_number(s, value.len, 2);
	put_bytes(s, value.data, value.len);
}

size_t
codec_merge_attributes(struct view old, struct view changes, uint8_t *out)
{
	struct sink s = { .at = out, .left = old.len + changes.len };
	struct view name, value, old_name, old_value;
	bool is_old = thing_attribute_next(&old, &old_name, &old_value);
	bool is_new = thing_attribute_next(&changes, &name, &value);

	while (is_old || is_new) {
		int order = !is_old ? 1 : !is_new ? -1 : view_order(old_name, name);

		if (order < 0)
			put_attribute(&s, old_name, old_value);
		else
			put_attribute(&s, name, value);
		if (order <= 0)
			is_old = thing_attribute_next(&old, &old_name, &old_value);
		if (order >= 0)
			is_new = thing_attribute_next(&changes, &name, &value);
	}
	assert(!s.failed);
	return s.len;
}

size_t
codec_thing_size(const struct thing *thing)
{
	size_t count;

	if (thing->created < 0 || thing->type_name.len > NAME_MAX_LENGTH ||
	    thing->billing_group.len > NAME_MAX_LENGTH ||
	    !codec_check_attributes(thing->attributes, &count))
		return 0;
	return 1 + 4 + 8 + 8 + sizeof(thing->id.b) + 1 + thing->type_name.len + 1 +
	    thing->billing_group.len + LENGTH_SIZE + thing->attributes.len;
}

void
codec_put_thing(const struct thing *thing, uint8_t *out)
{
	struct sink s = { .at = out, .left = codec_thing_size(thing) };

	put_number(&s, FORMAT_THING, 1);
	put_number(&s, thing->version, 4);
	put_created(&s, thing->created);
	put_time(&s, thing->modified);
	put_bytes(&s, thing->id.b, sizeof(thing->id.b));
	put_name(&s, thing->type_name);
	put_name(&s, thing->billing_group);
	put_text(&s, thing->attributes);
	assert(!s.failed && s.left == 0);
}

enum err
codec_get_thing(struct view in, struct thing *out)
{
	struct source s = { .at = in.data, .left = in.len };
	size_t count;

	memset(out, 0, sizeof(*out));
	get_format(&s, FORMAT_THING);
	out->version = (uint32_t)get_number(&s, 4);
	out->created = get_created(&s);
	out->modified = get_time(&s);
	get_array(&s, out->id.b, sizeof(out->id.b));
	out->type_name = get_view(&s, get_one_of(&s, NAME_MAX_LENGTH + 1));
	out->billing_group = get_view(&s, get_one_of(&s, NAME_MAX_LENGTH + 1));
	out->attributes = get_text(&s);
	if (get_end(&s) && codec_check_attributes(out->attributes, &count))
		return ERR_OK;
	memset(out, 0, sizeof(*out));
	return ERR_CORRUPT;
}
