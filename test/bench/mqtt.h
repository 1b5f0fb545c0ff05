/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* mqtt.h - the few bytes of MQTT that load.c and ping.c both speak. */
#ifndef JITR_BENCH_MQTT_H
#define JITR_BENCH_MQTT_H

#include "bench.h"

#define MQTT_CONNECT_MAX 128

int    mqtt_dial(int port); /* on loopback; -1: not connected */
size_t mqtt_connect_packet(const char *client_id, uint8_t out[MQTT_CONNECT_MAX]);

#endif
