/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * attributes.h - attributes of a thing, packed (model.h), from the notation "a=1;b=2;".
 */
#ifndef JITR_TEST_ATTRIBUTES_H
#define JITR_TEST_ATTRIBUTES_H

#include <string.h>

#include "jitr/core/base.h"

/* Returns the length.  Names and values of up to 255 bytes. */
static inline size_t
pack_attributes(const char *text, uint8_t *out)
{
	size_t len = 0;

	while (*text != '\0') {
		size_t name = strcspn(text, "="), value = strcspn(text + name + 1, ";");

		out[len++] = (uint8_t)name;
		memcpy(out + len, text, name);
		len += name;
		out[len++] = 0;
		out[len++] = (uint8_t)value;
		memcpy(out + len, text + name + 1, value);
		len += value;
		text += name + 1 + value + 1;
	}
	return len;
}

/* Valid until the fourth call after it. */
static inline struct view
packed(const char *text)
{
	static uint8_t buffers[4][1024];
	static unsigned next;
	uint8_t *out = buffers[next++ % 4];

	return (struct view){ out, pack_attributes(text, out) };
}

#endif
