/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * url.c - see url.h.
 *
 * Any thread.
 */
#include "url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *
cut_at(char *text, char separator)
{
	char *at = strchr(text, separator);

	if (at != NULL)
		*at++ = '\0';
	return at;
}

MUST_USE static bool
parse_port(const char *text, int *port)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || number < 1 || number > 65535)
		return false;
	*port = (int)number;
	return true;
}

MUST_USE static bool
parse_rest(struct url *url, char *text, struct diag *d)
{
	char *host;
	char *port;

	(void)cut_at(text, '/');
	host = cut_at(text, '@');
	if (host != NULL) {
		url->username = text;
		url->password = cut_at(text, ':');
	} else {
		host = text;
	}
	url->host = host;
	port = cut_at(host, ':');
	if (*host == '\0')
		diag_set(d, "Invalid URL: no host");
	else if (port != NULL && !parse_port(port, &url->port))
		diag_set(d, "Invalid URL: port '%s'", port);
	else
		return true;
	return false;
}

bool
url_parse(struct url *url, char *text, const struct url_scheme *schemes, size_t count,
    struct diag *d)
{
	*url = (struct url){ 0 };
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(schemes[i].prefix);

		if (strncasecmp(text, schemes[i].prefix, len) == 0) {
			url->scheme = i;
			url->port = schemes[i].port;
			return parse_rest(url, text + len, d);
		}
	}
	diag_set(d, "unsupported URL scheme: %s", text);
	return false;
}

bool
url_decode(char *text)
{
	char *out = text;

	while (text != NULL && *text != '\0') {
		if (*text != '%') {
			*out++ = *text++;
			continue;
		}
		if (strlen(text) < 3 ||
		    !hex_decode((uint8_t *)out, 1, (struct view){ (const uint8_t *)text + 1, 2 }))
			return false;
		out++;
		text += 3;
	}
	if (out != NULL)
		*out = '\0';
	return true;
}

static bool
all_digits(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* The separators that were removed, in order.  A URL always has a topic, because the
 * host requires one.  A piece of digits before it is a port, since no host has such a
 * name. */
static const char *
separators(const char *const *pieces, size_t count)
{
	bool port = count > 2 && all_digits(pieces[count - 2]);

	switch (count) {
	case 2:
		return "/";
	case 3:
		return port ? ":/" : "@/";
	case 4:
		return port ? "@:/" : ":@/";
	case 5:
		return ":@:/";
	default:
		return "";
	}
}

void
url_restore(const char *cut, size_t size, char *out)
{
	const char *pieces[6];
	size_t count = 1;
	const char *marks;

	memcpy(out, cut, size);
	pieces[0] = out;
	for (size_t i = 0; i + 1 < size && count < COUNT_OF(pieces); i++) {
		if (out[i] == '\0')
			pieces[count++] = out + i + 1;
	}
	marks = separators(pieces, count);
	for (size_t i = 0; i + 1 < size && *marks != '\0'; i++) {
		if (out[i] == '\0')
			out[i] = *marks++;
	}
}
