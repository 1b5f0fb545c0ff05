/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* exports.c - the three functions that the broker looks up; the only exported symbols. */
#include "plugin.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int
mosquitto_plugin_version(int version_count, const int *versions)
{
	for (int i = 0; i < version_count; i++)
		if (versions[i] == 5)
			return 5;
	return -1;
}

EXPORT int
mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **user_data,
    struct mosquitto_opt *options, int option_count)
{
	return plugin_start(identifier, user_data, options, option_count);
}

EXPORT int
mosquitto_plugin_cleanup(void *user_data, struct mosquitto_opt *options, int option_count)
{
	(void)options;
	(void)option_count;
	plugin_stop(user_data);
	return MOSQ_ERR_SUCCESS;
}
