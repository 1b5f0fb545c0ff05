/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * url.h - scheme://[user[:password]@]host[:port][/...] taken apart in place.
 *
 * Any thread.  Never allocates.
 */
#ifndef CTL_URL_H
#define CTL_URL_H

#include "jitr/core/base.h"

struct url_scheme {
	const char *prefix;
	int port; /* unless one is given */
};

struct url {
	char *username, *password; /* NULL if not given */
	char *host;
	int port;
	size_t scheme; /* which of the schemes */
};

/* Cuts text into pieces; what url points to lies in it. */
MUST_USE bool url_parse(struct url *url, char *text, const struct url_scheme *schemes, size_t count,
    struct diag *d);

/* %41 to A, in place; NULL is fine. */
MUST_USE bool url_decode(char *text);

/*
 * mosquitto_ctrl cuts the value of -L in place before a module sees it: the
 * separators have become terminators.  Puts them back into out, which must
 * have size bytes like the original, its terminator included.
 */
void url_mend(const char *cut, size_t size, char *out);

#endif
