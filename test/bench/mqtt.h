/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* mqtt.h - the packets of MQTT 3.1.1 that the clients of the benchmark send. */
#ifndef JITR_BENCH_MQTT_H
#define JITR_BENCH_MQTT_H

#include "bench.h"

#define MQTT_PACKET_MAX  256
#define MQTT_PAYLOAD_LEN 100

int mqtt_dial(int port); /* on loopback; -1: not connected */

/* Each returns its length. */
size_t mqtt_connect_packet(const char *client_id, uint8_t out[MQTT_PACKET_MAX]);
size_t mqtt_subscribe_packet(const char *filter, uint8_t out[MQTT_PACKET_MAX]); /* QoS 0 */
size_t mqtt_publish_packet(const char *topic, uint8_t out[MQTT_PACKET_MAX]);    /* QoS 0 */

#endif
