/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * event_facts.h - the members of an event beyond those of AWS.
 *
 * Broker thread.
 */
#ifndef JITR_EVENT_FACTS_H
#define JITR_EVENT_FACTS_H

#include "jitr/service/report.h"

/* The members of event_details() for this client's certificate; the caller frees the text with
 * free().  NULL: they could not be read, or out of memory. */
char *event_details_of(const struct client *c, struct view der, const char *reason);

#endif
