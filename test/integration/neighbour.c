/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * neighbour.c - another plugin in the broker, for tests: answers with the
 * MOSQ_ERR_ numbers of its options, and defers what they do not name.
 *
 *   plugin_opt_connect N    to BASIC_AUTH
 *   plugin_opt_extended N   to EXT_AUTH_START
 *   plugin_opt_access N     to ACL_CHECK
 */
#include <stdlib.h>
#include <string.h>

#include "../../plugin/shell/mosquitto_api.h"

#define EXPORT __attribute__((visibility("default")))

static struct {
	int event;
	const char *option;
	int answer;
} answers[] = {
	{ MOSQ_EVT_BASIC_AUTH, "connect", MOSQ_ERR_PLUGIN_DEFER },
	{ MOSQ_EVT_EXT_AUTH_START, "extended", MOSQ_ERR_PLUGIN_DEFER },
	{ MOSQ_EVT_ACL_CHECK, "access", MOSQ_ERR_PLUGIN_DEFER },
};

#define ANSWERS (sizeof(answers) / sizeof(answers[0]))

static mosquitto_plugin_id_t *us;

static int
on_event(int event, void *event_data, void *user_data)
{
	(void)event_data;
	(void)user_data;
	for (size_t i = 0; i < ANSWERS; i++)
		if (answers[i].event == event)
			return answers[i].answer;
	return MOSQ_ERR_PLUGIN_DEFER;
}

EXPORT int
mosquitto_plugin_version(int version_count, const int *versions)
{
	(void)version_count;
	(void)versions;
	return 5;
}

EXPORT int
mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **user_data,
    struct mosquitto_opt *options, int option_count)
{
	(void)user_data;
	us = identifier;
	for (size_t i = 0; i < ANSWERS; i++) {
		for (int n = 0; n < option_count; n++)
			if (strcmp(options[n].key, answers[i].option) == 0)
				answers[i].answer = atoi(options[n].value);
		if (mosquitto_callback_register(us, answers[i].event, on_event, NULL, NULL) != 0)
			return MOSQ_ERR_UNKNOWN;
	}
	return MOSQ_ERR_SUCCESS;
}

EXPORT int
mosquitto_plugin_cleanup(void *user_data, struct mosquitto_opt *options, int option_count)
{
	(void)user_data;
	(void)options;
	(void)option_count;
	for (size_t i = 0; i < ANSWERS; i++)
		(void)mosquitto_callback_unregister(us, answers[i].event, on_event, NULL);
	return MOSQ_ERR_SUCCESS;
}
