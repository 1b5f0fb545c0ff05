/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options.h - connection options, compatible with mosquitto_ctrl.
 *
 * Read from the options file (-o, or $XDG_CONFIG_HOME/mosquitto_ctrl, or
 * ~/.config/mosquitto_ctrl) and the command line, which overrides it.  The strings are
 * valid as long as the struct.  Any thread.
 */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include <stdio.h>

#include "jitr/core/base.h"

#define PORT_UNSET (-1)
#define PORT_UNIX  0 /* host is the path of a socket, as in libmosquitto */

struct options {
	const char *id, *host, *bind, *username, *password, *file;
	const char *cafile, *capath, *cert, *key, *keyform, *ciphers;
	const char *tls_alpn, *tls_version, *tls_engine, *tls_engine_kpass;
	const char *psk, *psk_identity;
	const char *proxy_host, *proxy_username, *proxy_password;
	int port, proxy_port, qos, keepalive;
	int protocol; /* 3, 4 or 5, as in libmosquitto */
	bool debug, quiet, verbose, insecure, os_certs, no_clean, help, version;
	struct kept *kept;
};

/* Parses options up to the first other word; *used: number of words consumed.  False:
 * usage error, *d has the reason.  Call options_free() in any case. */
MUST_USE bool options_parse(struct options *o, int argc, char *const *argv, int *used,
    struct diag *d);
void options_free(struct options *o);

bool options_encrypted(const struct options *o);
int options_port(const struct options *o); /* the default depends on encryption */

void options_help(FILE *out);

#endif
