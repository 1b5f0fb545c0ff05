/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options.h - how to reach the broker: mosquitto_ctrl's own options.
 *
 * From the options file (-o, else $XDG_CONFIG_HOME/mosquitto_ctrl, else
 * ~/.config/mosquitto_ctrl) and the command line, which wins.  One row per
 * option.  The strings live as long as the struct.  Any thread.
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
	int protocol; /* 3, 4 or 5, as libmosquitto counts them */
	bool debug, quiet, verbose, insecure, os_certs, no_clean, help, version;
	struct kept *kept;
};

/* Parse options up to the first word that is none; *used words belonged to
 * them.  False: usage, and why in d.  Free in any case. */
MUST_USE bool options_parse(struct options *o, int argc, char *const *argv, int *used,
    struct diag *d);
void options_free(struct options *o);

bool options_encrypted(const struct options *o);
int options_port(const struct options *o); /* the default follows encryption */

void options_help(FILE *out);

#endif
