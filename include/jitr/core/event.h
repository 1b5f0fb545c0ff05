/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * event.h - the events below $aws/events/ as bytes: of certificates (aws-iot
 * D.3), and of connections (aws-iot D.9).
 *
 * Events of certificates are rendered once, by the writer thread, when they
 * are stored: a repeated delivery has the same bytes.  Each function adds one
 * JSON object, or a topic, to a text and answers a view of all that is in it;
 * the text is the caller's.  Pure.  Any thread.
 */
#ifndef JITR_EVENT_H
#define JITR_EVENT_H

#include "jitr/core/model.h"
#include "jitr/core/text.h"

/* Buffers of these sizes are large enough for whatever is rendered into them;
 * with details, for both together. */
#define EVENT_TOPIC_SIZE   128
#define EVENT_PAYLOAD_SIZE 4096
#define EVENT_DETAILS_MAX  ((size_t)80 << 10)

/*
 * Registration.
 */

/* "$aws/events/certificates/registered/<caCertificateId>" */
struct view event_topic(const struct certid *ca_id, char topic[EVENT_TOPIC_SIZE]);

/* account_id: 12 digits.  details: of event_details(), or empty: the event is
 * AWS's to the byte.  Details for which there is no room are left out. */
struct view event_payload(const struct registered_event *e, const char *account_id,
    struct view details, struct text *out);

/* What an event may tell besides, ours.  Texts with data NULL are left out, and
 * names where alternative_names is NULL; without any the list is empty. */
struct event_details {
	struct view subject;
	const struct view
	    *alternative_names; /* "DNS:a.example", "URI:...", "IP:...", "email:..." */
	size_t alternative_name_count;
	struct view serial_number; /* decimal, as iot:Certificate.SerialNumber */
	int64_t not_before, not_after;
	struct view client_id, source_ip; /* of the connection that registered it */
	struct view reason;               /* why its status is what it is */
	struct view pem;
};

/* Members to go behind those of an event, each with a comma in front.  One for
 * which there is no room is left out whole, the certificate before all others;
 * false: there is one. */
bool event_details(const struct event_details *d, struct text *out);

/*
 * What else becomes of certificates: our own, in the shape of AWS's.
 */

/* Of a reason: the rest is cut off. */
#define EVENT_REASON_MAX 512

struct failed_event {
	struct certid cert_id, ca_id;
	enum cert_status status;
	int64_t timestamp;
	struct view reason;
};

/* "$aws/events/certificates/provisioning_failed/<caCertificateId>" */
struct view event_failed_topic(const struct certid *ca_id, char topic[EVENT_TOPIC_SIZE]);
struct view event_failed(const struct failed_event *e, const char *account_id, struct text *out);

struct expiring_event {
	struct certid cert_id;
	bool has_ca; /* otherwise caCertificateId is null */
	struct certid ca_id;
	enum cert_status status;
	int64_t timestamp, not_after;
};

/* "$aws/events/certificates/expiring/<caCertificateId>"; NULL: ".../none" */
struct view event_expiring_topic(const struct certid *ca_id_or_null, char topic[EVENT_TOPIC_SIZE]);
struct view event_expiring(const struct expiring_event *e, const char *account_id,
    struct text *out);

/*
 * Connections.
 */

enum presence_kind {
	PRESENCE_CONNECTED,
	PRESENCE_DISCONNECTED,
	PRESENCE_CONNECT_FAILED,
};

struct presence_event {
	enum presence_kind kind;
	struct view client_id;
	int64_t timestamp;
	uint8_t session[16]; /* random: a UUID is made of it */
	uint64_t version;    /* not of CONNECT_FAILED */
	struct certid principal;
	struct view address;           /* not of DISCONNECTED; empty: null */
	enum answer client_initiated;  /* of DISCONNECTED; NOT_ASKED: null */
	const char *disconnect_reason; /* the same; AWS's word for it; NULL: null */
};

#define EVENT_CLIENT_ID_MAX       1024 /* bytes */
#define EVENT_PRESENCE_TOPIC_SIZE (EVENT_CLIENT_ID_MAX + 64)

/* Are there events of this client?  Not where its id has a '+' or '#' (aws-iot
 * D.9), and where it would make a topic that no broker delivers: empty, too
 * long, with a control character, no UTF-8. */
bool event_has_presence(struct view client_id);

/* "$aws/events/presence/connected/<clientId>" and its like. */
struct view event_presence_topic(enum presence_kind kind, struct view client_id,
    char topic[EVENT_PRESENCE_TOPIC_SIZE]);
struct view event_presence(const struct presence_event *e, struct text *out);

#endif
