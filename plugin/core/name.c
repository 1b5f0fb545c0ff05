/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* name.c - see name.h. */
#include <string.h>

#include "jitr/core/model.h"
#include "jitr/core/name.h"

static bool
is_letter_or_digit(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Consists of letters, digits and these signs? */
static bool
consists_of(struct view text, const char *signs)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_letter_or_digit(text.data[i]) &&
		    memchr(signs, text.data[i], strlen(signs)) == NULL)
			return false;
	return true;
}

static bool
is_name(struct view text, size_t max, const char *signs)
{
	return text.len > 0 && text.len <= max && consists_of(text, signs);
}

bool
thing_name_valid(struct view text)
{
	return is_name(text, NAME_MAX_LENGTH, ":_-");
}

bool
policy_name_valid(struct view text)
{
	return is_name(text, NAME_MAX_LENGTH, "_+=,.@-");
}

bool
attribute_name_valid(struct view text)
{
	return is_name(text, THING_ATTRIBUTE_NAME_MAX, "_.,@/:#-");
}

bool
attribute_value_valid(struct view text)
{
	return text.len <= THING_ATTRIBUTE_VALUE_MAX && consists_of(text, "_.,@/:#=[]-");
}
