/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * event.h - renders the events below $aws/events/: of certificates (aws-iot D.3) and of
 * connections (aws-iot D.9).
 *
 * Events of certificates are rendered once, by the registrar, when they are stored:
 * a repeated delivery has the same bytes.  Each function appends a JSON object or a
 * topic to the caller's text and returns a view of the whole text.  Pure.  Any thread.
 */
#ifndef JITR_EVENT_H
#define JITR_EVENT_H

#include "jitr/core/model.h"
#include "jitr/core/text.h"

/* Sizes of buffers that hold any topic, any payload, and any details.  A payload with
 * details needs both sizes together. */
#define EVENT_TOPIC_SIZE   128
#define EVENT_PAYLOAD_SIZE 4096
#define EVENT_DETAILS_MAX  ((size_t)80 << 10)

/*
 * Registration events.
 */

/* "$aws/events/certificates/registered/<caCertificateId>" */
struct view event_topic(const struct certid *ca_id, char topic[EVENT_TOPIC_SIZE]);

/* account_id: 12 digits.  details: of event_details(); empty: the event is byte for
 * byte AWS's.  Details are left out if they do not fit. */
struct view event_payload(const struct registered_event *e, const char *account_id,
    struct view details, struct text *out);

/* Additional members of a registration event; not AWS's.  Texts with data NULL are left
 * out, and so are the names if alternative_names is NULL; a count of 0 gives an empty
 * list. */
struct event_details {
	struct view subject;
	const struct view
	    *alternative_names; /* "DNS:a.example", "URI:...", "IP:...", "email:..." */
	size_t alternative_name_count;
	struct view serial_number; /* decimal, as iot:Certificate.SerialNumber */
	int64_t not_before, not_after;
	struct view client_id, source_ip; /* of the connection that registered the certificate */
	struct view reason;               /* why the certificate has its status */
	struct view pem;
};

/* Appends the members, each with a leading comma, to follow the members of an event.  A
 * member that does not fit is left out, the certificate first.  False: a member was
 * left out. */
bool event_details(const struct event_details *d, struct text *out);

/*
 * Other events of certificates: ours, in the form of AWS's.
 */

/* Bytes of a reason; longer ones are truncated. */
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

/* "$aws/events/certificates/expiring/<caCertificateId>", or ".../none" for NULL */
struct view event_expiring_topic(const struct certid *ca_id_or_null, char topic[EVENT_TOPIC_SIZE]);
struct view event_expiring(const struct expiring_event *e, const char *account_id,
    struct text *out);

/*
 * Presence events of connections.
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
	uint8_t session[16]; /* random, rendered as a UUID */
	uint64_t version;    /* unused for CONNECT_FAILED */
	struct certid principal;
	struct view address;           /* unused for DISCONNECTED; empty: null */
	enum answer client_initiated;  /* DISCONNECTED only; NOT_ASKED: null */
	const char *disconnect_reason; /* DISCONNECTED only; AWS's term, or NULL for null */
};

#define EVENT_CLIENT_ID_MAX       1024 /* bytes */
#define EVENT_PRESENCE_TOPIC_SIZE (EVENT_CLIENT_ID_MAX + 64)

/* Does this client have presence events?  No if its id contains '+' or '#' (aws-iot
 * D.9), or if the resulting topic could not be delivered: empty, too long, control
 * characters, invalid UTF-8. */
bool event_has_presence(struct view client_id);

/* "$aws/events/presence/connected/<clientId>" and so on. */
struct view event_presence_topic(enum presence_kind kind, struct view client_id,
    char topic[EVENT_PRESENCE_TOPIC_SIZE]);
struct view event_presence(const struct presence_event *e, struct text *out);

#endif
