/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mosquitto_api.h - the headers of the broker's plugin API, in 2.0 and 2.1.
 *
 * One binary serves 2.0.11 to 2.1.2: the event structures are the same, and functions that
 * only some versions have are looked up at run time (mosquitto section 11).
 */
#ifndef JITR_MOSQUITTO_API_H
#define JITR_MOSQUITTO_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if __has_include(<mosquitto/broker.h>)
#include <mosquitto.h>
#else
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#endif

/* Events of 2.1, as numbers: 2.0 refuses them as not supported. */
#define EVENT_CONNECT        11
#define EVENT_CLIENT_OFFLINE 28

#endif
