/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* codec_field.c - fields of records; see codec_private.h. */
#include <string.h>

#include "codec_private.h"

void
put_bytes(struct sink *s, const uint8_t *bytes, size_t len)
{
	if (s->failed || len > s->left) {
		s->failed = true;
		return;
	}
	if (len > 0 && s->at != NULL) {
		memcpy(s->at, bytes, len);
		s->at += len;
	}
	s->left -= len;
	s->len += len;
}

void
put_number(struct sink *s, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = size; i-- > 0; value >>= 8)
		bytes[i] = (uint8_t)value;
	if (value != 0)
		s->failed = true;
	put_bytes(s, bytes, size);
}

void
put_one_of(struct sink *s, unsigned value, unsigned count)
{
	if (value >= count)
		s->failed = true;
	put_number(s, value, 1);
}

void
put_time(struct sink *s, int64_t ms)
{
	put_number(s, (uint64_t)ms, 8);
}

/* Indexes sort by creation time as an unsigned number. */
void
put_created(struct sink *s, int64_t ms)
{
	if (ms < 0)
		s->failed = true;
	put_time(s, ms);
}

void
put_text(struct sink *s, struct view text)
{
	put_number(s, text.len, LENGTH_SIZE);
	put_bytes(s, text.data, text.len);
}

void
put_name(struct sink *s, struct view name)
{
	put_number(s, name.len, 1);
	put_bytes(s, name.data, name.len);
}

size_t
put_end(const struct sink *s)
{
	return s->failed ? 0 : s->len;
}

/* NULL: fewer bytes are left. */
static const uint8_t *
get_bytes(struct source *s, size_t len)
{
	const uint8_t *bytes = s->at;

	if (s->failed || len > s->left) {
		s->failed = true;
		return NULL;
	}
	s->at += len;
	s->left -= len;
	return bytes;
}

void
get_array(struct source *s, uint8_t *out, size_t len)
{
	const uint8_t *bytes = get_bytes(s, len);

	if (bytes != NULL)
		memcpy(out, bytes, len);
}

uint64_t
get_number(struct source *s, size_t size)
{
	const uint8_t *bytes = get_bytes(s, size);
	uint64_t value = 0;

	if (bytes == NULL)
		return 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

unsigned
get_one_of(struct source *s, unsigned count)
{
	unsigned value = (unsigned)get_number(s, 1);

	if (value < count)
		return value;
	s->failed = true;
	return 0;
}

int64_t
get_time(struct source *s)
{
	return (int64_t)get_number(s, 8);
}

int64_t
get_created(struct source *s)
{
	int64_t ms = get_time(s);

	if (ms < 0)
		s->failed = true;
	return ms;
}

struct view
get_view(struct source *s, size_t len)
{
	const uint8_t *bytes = get_bytes(s, len);

	return bytes != NULL ? (struct view){ bytes, len } : (struct view){ NULL, 0 };
}

struct view
get_text(struct source *s)
{
	return get_view(s, (size_t)get_number(s, LENGTH_SIZE));
}

void
get_format(struct source *s, uint8_t known)
{
	if (get_number(s, 1) != known)
		s->failed = true;
}

bool
get_end(const struct source *s)
{
	return !s->failed && s->left == 0;
}
