/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* event.c - see event.h. */
#include <inttypes.h>

#include "jitr/event.h"
#include "jitr/text.h"

static struct view
view_of_text(const struct text *t)
{
	return (struct view){ (const uint8_t *)t->at, t->len };
}

static void
add_id(struct text *t, const char *before, const struct certid *id)
{
	text_add(t, before);
	text_add_hex(t, (struct view){ id->b, sizeof(id->b) });
}

struct view
event_topic(const struct certid *ca_id, char topic[EVENT_TOPIC_SIZE])
{
	struct text t = text_in(topic, EVENT_TOPIC_SIZE);

	add_id(&t, "$aws/events/certificates/registered/", ca_id);
	return view_of_text(&t);
}

/*
 * timestamp is a number and certificateRegistrationTimestamp a string, or
 * null in the first event of a registration (aws-iot D.3).
 */
struct view
event_payload(const struct registered_event *e, const char *account_id,
    char payload[EVENT_PAYLOAD_SIZE])
{
	struct text t = text_in(payload, EVENT_PAYLOAD_SIZE);

	add_id(&t, "{\"certificateId\":\"", &e->cert_id);
	add_id(&t, "\",\"caCertificateId\":\"", &e->ca_id);
	text_addf(&t, "\",\"timestamp\":%" PRId64, e->timestamp);
	text_addf(&t, ",\"certificateStatus\":\"%s\"", cert_status_name(e->status));
	text_addf(&t, ",\"awsAccountId\":\"%s\"", account_id);
	if (e->registered == 0)
		text_add(&t, ",\"certificateRegistrationTimestamp\":null}");
	else
		text_addf(&t, ",\"certificateRegistrationTimestamp\":\"%" PRId64 "\"}", e->registered);
	return view_of_text(&t);
}
