/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_page.c - see command_page.h. */
#include <string.h>

#include "command_page.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-:"

static void
put_time(uint8_t *out, int64_t ms)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)((uint64_t)ms >> (56 - 8 * i));
}

static int64_t
get_time(const uint8_t *in)
{
	uint64_t ms = 0;

	for (size_t i = 0; i < 8; i++)
		ms = ms << 8 | in[i];
	return (int64_t)ms;
}

static size_t
mark_encode(enum page_key key, const struct mark *mark, uint8_t out[MARK_BYTES])
{
	size_t at = 0;

	if (key == KEY_CREATED_ID || key == KEY_CREATED_NAME) {
		put_time(out, mark->created);
		at = 8;
	}
	if (key == KEY_CREATED_ID || key == KEY_ID) {
		memcpy(out + at, mark->id.b, sizeof(mark->id.b));
		return at + sizeof(mark->id.b);
	}
	memcpy(out + at, mark->name.data, mark->name.len);
	return at + mark->name.len;
}

/* The plugin makes marks of valid names only. */
static bool
is_name(struct view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.data[i] == '\0' || strchr(NAME_CHARACTERS, v.data[i]) == NULL)
			return false;
	return v.len > 0 && v.len <= NAME_MAX_LENGTH;
}

static bool
mark_decode(struct page *p, size_t len)
{
	size_t at = 0;

	if (p->key == KEY_CREATED_ID || p->key == KEY_CREATED_NAME) {
		if (len < 8)
			return false;
		p->after.created = get_time(p->bytes);
		at = 8;
	}
	p->after.name = (struct view){ p->bytes + at, len - at };
	if (p->key == KEY_CREATED_NAME || p->key == KEY_NAME)
		return is_name(p->after.name);
	if (len - at != sizeof(p->after.id.b))
		return false;
	memcpy(p->after.id.b, p->bytes + at, sizeof(p->after.id.b));
	return true;
}

static void
parse_mark(struct members *m, struct page *p, const char *name)
{
	const char *text = json_string(m, name, 0, 1024, false);
	size_t len;

	if (text == NULL)
		return;
	len = strlen(text) / 2;
	p->has_after = len <= sizeof(p->bytes) && hex_decode(p->bytes, len, view_of(text)) &&
	    mark_decode(p, len);
	if (!p->has_after)
		json_fail(m, name, text,
		    strcmp(name, "marker") == 0 ? "be a nextMarker of an earlier answer"
						: "be a nextToken of an earlier answer");
}

void
page_parse_markers(struct members *m, struct page *p, enum page_key key)
{
	p->key = key;
	p->next = "nextMarker";
	p->size = (size_t)json_integer(m, "pageSize", 1, PAGE_MAX, PAGE_DEFAULT);
	p->ascending = json_bool(m, "ascendingOrder", false);
	parse_mark(m, p, "marker");
}

void
page_parse_tokens(struct members *m, struct page *p, enum page_key key)
{
	p->key = key;
	p->next = "nextToken";
	p->size = (size_t)json_integer(m, "maxResults", 1, PAGE_MAX, PAGE_DEFAULT_THINGS);
	p->ascending = true;
	parse_mark(m, p, "nextToken");
}

const struct view *
page_after_name(const struct page *p)
{
	return p->has_after ? &p->after.name : NULL;
}

const struct certid *
page_after_id(const struct page *p)
{
	return p->has_after ? &p->after.id : NULL;
}

void
page_add_mark(cJSON *data, const struct page *p, const struct mark *last)
{
	uint8_t bytes[MARK_BYTES];
	char hex[2 * MARK_BYTES + 1];

	hex_encode((struct view){ bytes, mark_encode(p->key, last, bytes) }, hex);
	cJSON_AddStringToObject(data, p->next, hex);
}
