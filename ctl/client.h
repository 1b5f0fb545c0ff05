/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * client.h - a connection to the broker, for one request at a time.
 *
 * The only code that uses libmosquitto.  Blocks: for connecting as long as the system
 * takes, afterwards for at most ten seconds per answer, unless client_set_timeout() was
 * called.  One thread.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <cjson/cJSON.h>

#include "options.h"

struct client;

/* Connects.  NULL: *d has the reason.  The options must stay valid until
 * client_close(). */
MUST_USE struct client *client_open(const struct options *o, struct diag *d);
void client_close(struct client *c);

/* Sets the timeout for further answers, and shows the elapsed time on a terminal,
 * unless --quiet. */
void client_set_timeout(struct client *c, int ms);

/* Sends a request and waits for its answer (envelope.h), which the caller owns.  NULL:
 * no answer, *d has the reason. */
MUST_USE cJSON *client_ask(struct client *c, const char *operation, const cJSON *members,
    struct diag *d);

#endif
