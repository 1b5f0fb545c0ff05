/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * event_facts.h - what an event tells of a certificate besides AWS's fields.
 *
 * Broker thread.
 */
#ifndef JITR_EVENT_FACTS_H
#define JITR_EVENT_FACTS_H

#include "jitr/service/report.h"

/* The members of event_details() for this client's certificate, allocated;
 * free().  NULL: they cannot be told. */
char *event_details_of(const struct client *c, struct view der, const char *reason);

#endif
