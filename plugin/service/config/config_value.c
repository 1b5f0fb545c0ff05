/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* config_value.c - see config_value.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_value.h"

bool
value_refuse(struct diag *diag, const char *value, const char *must)
{
	diag_set(diag, "\"%.100s\" must be %s", value, must);
	return false;
}

bool
value_text(char **out, const char *value, struct diag *diag)
{
	if (value[0] == '\0')
		return value_refuse(diag, value, "a path");
	*out = strdup(value);
	return *out != NULL || value_refuse(diag, value, "stored, but there is no memory");
}

bool
value_number(int64_t *out, const char *value, int64_t min, int64_t max, struct diag *diag)
{
	char must[64], *end;
	long long n;

	errno = 0;
	n = strtoll(value, &end, 10);
	if (errno == 0 && end != value && *end == '\0' && n >= min && n <= max) {
		*out = n;
		return true;
	}
	(void)snprintf(must, sizeof(must), "a whole number from %" PRId64 " to %" PRId64, min, max);
	return value_refuse(diag, value, must);
}

bool
value_choice(bool *first, const char *value, const char *yes, const char *no, struct diag *diag)
{
	char must[64];

	*first = strcmp(value, yes) == 0;
	if (*first || strcmp(value, no) == 0)
		return true;
	(void)snprintf(must, sizeof(must), "%s or %s", yes, no);
	return value_refuse(diag, value, must);
}

bool
value_word(size_t *which, const char *value, const char *const words[3], struct diag *diag)
{
	char must[64];

	for (*which = 0; *which < 3; ++*which)
		if (strcmp(value, words[*which]) == 0)
			return true;
	(void)snprintf(must, sizeof(must), "%s, %s or %s", words[0], words[1], words[2]);
	return value_refuse(diag, value, must);
}

bool
value_next_name(const char **list, struct view *name)
{
	const char *at = *list, *end;

	if (at == NULL)
		return false;
	at += strspn(at, " \t");
	end = at + strcspn(at, ",");
	*list = *end == ',' ? end + 1 : NULL;
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*name = (struct view){ (const uint8_t *)at, (size_t)(end - at) };
	return true;
}
