/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * broker.h - what we need from the broker, and no more.
 *
 * Everything above the store is written against this table; only
 * plugin/shell/ knows Mosquitto.  Tests bring a broker of twenty lines.
 * Broker thread only, and never with a store transaction open: each of these
 * may call us again (mosquitto section 0, 3 and 19).
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

	/* To this client alone, subscribed or not, QoS 0.  Nothing is sent to a client
	 * that has left, and that is no error. */
	enum err (*answer)(const char *client_id, const char *topic, struct view payload);

	/* Close the live connections of this user name.  Looks at every connection
	 * the broker has.  TICK only. */
	void (*kick)(const char *user_name);

	/* Close this connection, found by its client id, in a time that does not grow
	 * with the number of connections.  false: it was not closed, because the id
	 * may not be this connection's own any more.  To kick an offline session in
	 * its place corrupts 2.0 (mosquitto section 0, 2).  TICK only. */
	bool (*kick_one)(const void *client, const char *client_id);

	/* Replace a connected client's user name.  The text that the broker had is freed:
	 * a struct client's user_name is not to be read any more. */
	enum err (*name_client)(void *client, const char *user_name);
};

#endif
