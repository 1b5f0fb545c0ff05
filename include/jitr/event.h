/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * event.h - the registration event as bytes (aws-iot D.3).
 *
 * Rendered once, by the writer thread, when the event is stored: a repeated
 * delivery has the same bytes.  Any thread.
 */
#ifndef JITR_EVENT_H
#define JITR_EVENT_H

#include "jitr/model.h"

#define EVENT_TOPIC_SIZE   128
#define EVENT_PAYLOAD_SIZE 512

/* "$aws/events/certificates/registered/<caCertificateId>" */
struct view event_topic(const struct certid *ca_id, char topic[EVENT_TOPIC_SIZE]);

/* account_id: 12 digits.  Both answer a view of the buffer given. */
struct view event_payload(const struct registered_event *e, const char *account_id,
    char payload[EVENT_PAYLOAD_SIZE]);

#endif
