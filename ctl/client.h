/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * client.h - one connection to the broker, for one request at a time.
 *
 * The only door to libmosquitto.  Blocks: connecting as long as the system
 * takes, everything after that ten seconds at most, unless it is told to be
 * patient.  One thread.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <cjson/cJSON.h>

#include "options.h"

struct client;

/* NULL: not reached or not let in, and why in d.  The options are borrowed
 * until client_close. */
MUST_USE struct client *client_open(const struct options *o, struct diag *d);
void client_close(struct client *c);

/* Wait so long for the answers to what is asked from now on, and show on a
 * terminal that time passes, unless --quiet. */
void client_wait_longer(struct client *c, int ms);

/* Ask for an operation and wait for its answer (envelope.h), which is the
 * caller's.  NULL: there was none, and why in d. */
MUST_USE cJSON *client_ask(struct client *c, const char *operation, const cJSON *members,
    struct diag *d);

#endif
