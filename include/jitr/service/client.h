/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * client.h - a client as the broker describes it.
 *
 * Plain data.  The shell fills it for each callback; the gate, the api and the log read it.
 * Broker thread.
 */
#ifndef JITR_CLIENT_H
#define JITR_CLIENT_H

#include "jitr/core/base.h"

struct x509_st;

/* All pointers are borrowed for the call. */
struct client {
	void *handle;          /* the broker's pointer */
	const char *id;        /* NULL: none yet */
	const char *user_name; /* NULL: none */
	const char *address;   /* NULL: bridge, restored session */
	struct x509_st *x;     /* NULL: no certificate */
	int port;              /* 0: not known (before 2.1) */
	bool websockets;
	bool clean_session; /* of MQTT 5: clean start */
	bool name_to_check; /* if the plugin defers, password_file or another plugin checks
	                     * user_name */
	int version;        /* of MQTT: 3, 4, 5; 0: not known */
	bool extended;      /* from extended authentication: the broker may not have added
	                     * it to its clients yet */
};

#endif
