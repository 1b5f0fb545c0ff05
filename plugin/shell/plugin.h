/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* plugin.h - start and stop of the plugin, for exports.c and the tests.  Broker thread. */
#ifndef JITR_PLUGIN_H
#define JITR_PLUGIN_H

#include "mosquitto_api.h"

/* MOSQ_ERR_SUCCESS: *user_data is for plugin_stop().  Any other error stops the broker's start;
 * the reason is in the log, and there is nothing to stop. */
int plugin_start(mosquitto_plugin_id_t *identifier, void **user_data,
    const struct mosquitto_opt *options, int option_count);
void plugin_stop(void *user_data); /* NULL is fine */

#endif
