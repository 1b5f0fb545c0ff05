/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* facts.c - see facts.h. */
#include <arpa/inet.h>
#include <string.h>

#include "jitr/core/facts.h"

static const char *const fields[] = {
#define X(name, text) [name] = text,
	CERT_FIELD_TABLE(X) OUR_FIELD_TABLE(X)
#undef X
};

const char *
cert_field_name(enum cert_field f)
{
	return (size_t)f < COUNT_OF(fields) ? fields[f] : "";
}

bool
cert_field_is_ours(enum cert_field f)
{
	return f >= FIELD_KEY_TYPE && f < CERT_FIELD_COUNT;
}

struct address
address_parse(struct view text)
{
	struct address a = { .known = false };
	char copy[INET6_ADDRSTRLEN];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, '\0', text.len) != NULL)
		return a;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, a.b + 12) == 1) {
		a.known = true;
		a.b[10] = a.b[11] = 0xff;
	} else if (inet_pton(AF_INET6, copy, a.b) == 1) {
		a.known = true;
	} else {
		memset(&a, 0, sizeof(a));
	}
	return a;
}
