/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* plugin.h - the plugin's life, for exports.c and the tests.  Broker thread. */
#ifndef JITR_PLUGIN_H
#define JITR_PLUGIN_H

#include "mosquitto_api.h"

/* MOSQ_ERR_SUCCESS and *user_data for plugin_stop(); or the broker does not
 * start, the reason is in its log, and nothing is left to stop. */
int plugin_start(mosquitto_plugin_id_t *identifier, void **user_data,
    const struct mosquitto_opt *options, int option_count);
void plugin_stop(void *user_data); /* NULL is fine */

#endif
