/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker.h - the functions of the broker that the plugin uses.
 *
 * The services and the api call the broker through this table; only plugin/shell/ includes
 * Mosquitto's headers.  Tests have a table of their own.  Broker thread only, and never with a
 * store transaction open: each function may call the plugin again (mosquitto section 0, 3 and
 * 19).
 */
#ifndef JITR_BROKER_H
#define JITR_BROKER_H

#include "jitr/core/base.h"

enum log_level {
	LEVEL_DEBUG,
	LEVEL_INFO,
	LEVEL_NOTICE,
	LEVEL_WARNING,
	LEVEL_ERROR,
};

struct broker {
	/* line: one line without its end, already escaped. */
	void (*log)(enum log_level level, const char *line);

	/* To the subscribers.  Copies topic and payload. */
	enum err (*publish)(const char *topic, struct view payload, int qos, bool retain);

	/* To this client only, subscribed or not, QoS 0.  If the client has disconnected,
	 * nothing is sent, and that is no error. */
	enum err (*answer)(const char *client_id, const char *topic, struct view payload);

	/* Closes the live connections of this user name.  Searches all connections of the
	 * broker.  TICK only. */
	void (*kick)(const char *user_name);

	/* Closes this connection, found by its client id, in a time that does not depend on
	 * the number of connections.  false: not closed, because another session may have
	 * the id by now; closing an offline session corrupts 2.0 (mosquitto section 0, 2).
	 * TICK only. */
	bool (*kick_one)(const void *client, const char *client_id);

	/* Replaces a connected client's user name.  The broker frees the old text: a struct
	 * client's user_name must not be read afterwards. */
	enum err (*name_client)(void *client, const char *user_name);
};

#endif
