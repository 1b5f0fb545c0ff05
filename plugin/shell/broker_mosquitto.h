/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* broker_mosquitto.h - broker.h over the functions of Mosquitto.  Broker thread. */
#ifndef JITR_BROKER_MOSQUITTO_H
#define JITR_BROKER_MOSQUITTO_H

#include "jitr/service/broker.h"
#include "jitr/service/presence.h"
#include "jitr/service/report.h"

#include "mosquitto_api.h"

extern const struct broker broker_mosquitto;

/* Messages handed to the broker so far. */
uint64_t broker_publications(void);

/* What the broker knows of a client; c->x is a reference, to be given back
 * with x509_free(). */
void client_read(struct mosquitto *m, struct client *c);

/* Why a connection ended, from the event's reason: 2.0 does not tell (mosquitto
 * section 13). */
struct presence_end disconnect_read(int reason);

/* The MQTT 5 response topic of a message, where this broker lets plugins read
 * it.  Free with mosquitto_free(). */
char *read_response_topic(const mosquitto_property *properties);

#endif
