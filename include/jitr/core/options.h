/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * options.h - values of options that the configuration and the parts have in common.
 */
#ifndef JITR_OPTIONS_H
#define JITR_OPTIONS_H

/* If one certificate is used by two clients or from two addresses at the same time: */
enum shared_certificate {
	SHARED_ALLOW,  /* log and count */
	SHARED_NEWEST, /* and disconnect the other clients */
	SHARED_OLDEST, /* and refuse the new client */
};

/* The rights of clients without a certificate of a registered CA. */
enum other_clients {
	OTHER_CLIENTS_UNSET, /* as DEFER, and the log says that the option is not set */
	OTHER_CLIENTS_DEFER, /* other plugins and acl_file decide */
	OTHER_CLIENTS_ALLOW,
};

/* What TLS listeners trust. */
enum trust_store {
	TRUST_STORE_CAPATH,          /* the broker's default: files in a capath, which
				      * contains the registered CAs */
	TRUST_STORE_LIVE,            /* registered CAs only */
	TRUST_STORE_LIVE_AND_CAFILE, /* registered CAs, and the listener's files */
};

#endif
