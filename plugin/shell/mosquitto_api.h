/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * mosquitto_api.h - the broker's plugin API, whatever its version calls it.
 *
 * One binary serves 2.0.11 to 2.1.2: the event structures are the same, and
 * what only some versions have is looked up at run time (mosquitto section 11).
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

/* Events of 2.1, by number: 2.0 answers that it does not support them. */
#define EVENT_CONNECT        11
#define EVENT_CLIENT_OFFLINE 28

#endif
