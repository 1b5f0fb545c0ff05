/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* broker_mosquitto.h - broker.h implemented with the functions of Mosquitto.  Broker thread. */
#ifndef JITR_BROKER_MOSQUITTO_H
#define JITR_BROKER_MOSQUITTO_H

#include "jitr/service/broker.h"
#include "jitr/service/presence.h"
#include "jitr/service/report.h"

#include "mosquitto_api.h"

extern const struct broker broker_mosquitto;

/* Messages handed to the broker so far. */
uint64_t broker_publications(void);

/* The broker's data about a client.  c->x is a reference: the caller calls x509_free(). */
void client_read(struct mosquitto *m, struct client *c);

/* Why a connection ended, from the event's reason, which 2.0 does not set (mosquitto section
 * 13). */
struct presence_end disconnect_read(int reason);

/* The MQTT 5 response topic of a message, if this version lets plugins read it.  Free with
 * mosquitto_free(). */
char *read_response_topic(const mosquitto_property *properties);

#endif
