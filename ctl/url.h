/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * url.h - parses scheme://[user[:password]@]host[:port][/...] in place.
 *
 * Any thread.  Never allocates.
 */
#ifndef CTL_URL_H
#define CTL_URL_H

#include "jitr/core/base.h"

struct url_scheme {
	const char *prefix;
	int port; /* default port */
};

struct url {
	char *username, *password; /* NULL if not given */
	char *host;
	int port;
	size_t scheme; /* index of the scheme */
};

/* Cuts text into pieces, to which url points. */
MUST_USE bool url_parse(struct url *url, char *text, const struct url_scheme *schemes, size_t count,
    struct diag *d);

/* Replaces %41 by A and so on, in place; NULL is fine. */
MUST_USE bool url_decode(char *text);

/*
 * mosquitto_ctrl cuts the value of -L in place before it calls a module: separators
 * have become terminators.  Writes the URL with its separators to out, which must have
 * size bytes, like the original with its terminator.
 */
void url_restore(const char *cut, size_t size, char *out);

#endif
