/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* event.c - see event.h. */
#include <inttypes.h>

#include "jitr/core/event.h"

/* bytes; the addresses that brokers pass are shorter */
#define ADDRESS_MAX 64

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

static void
add_member(struct text *t, const char *name, struct view value)
{
	text_addf(t, ",\"%s\":", name);
	text_add_json(t, value);
}

/* If the text was truncated, removes everything added after this length. */
static bool
undo_if_cut(struct text *t, size_t before)
{
	if (!t->cut)
		return true;
	t->cut = false;
	t->len = before;
	t->at[before] = '\0';
	return false;
}

/*
 * Certificates.  All their events begin with the same members.
 */

struct subject {
	const struct certid *cert_id, *ca_id; /* ca_id NULL: none */
	int64_t timestamp;
	enum cert_status status;
};

static void
begin_event(struct text *t, const struct subject *s, const char *account_id)
{
	add_id(t, "{\"certificateId\":\"", s->cert_id);
	if (s->ca_id != NULL) {
		add_id(t, "\",\"caCertificateId\":\"", s->ca_id);
		text_add(t, "\"");
	} else {
		text_add(t, "\",\"caCertificateId\":null");
	}
	text_addf(t, ",\"timestamp\":%" PRId64, s->timestamp);
	text_addf(t, ",\"certificateStatus\":\"%s\"", cert_status_name(s->status));
	text_addf(t, ",\"awsAccountId\":\"%s\"", account_id);
}

static struct view
end_event(struct text *t)
{
	text_add(t, "}");
	return view_of_text(t);
}

static struct view
topic_of(const char *before, const struct certid *ca_id_or_null, char topic[EVENT_TOPIC_SIZE])
{
	struct text t = text_in(topic, EVENT_TOPIC_SIZE);

	text_addf(&t, "$aws/events/certificates/%s/", before);
	if (ca_id_or_null != NULL)
		add_id(&t, "", ca_id_or_null);
	else
		text_add(&t, "none");
	return view_of_text(&t);
}

struct view
event_topic(const struct certid *ca_id, char topic[EVENT_TOPIC_SIZE])
{
	return topic_of("registered", ca_id, topic);
}

/* Leaves the details out if they do not fit together with the closing brace. */
static struct view
end_with_details(struct text *t, struct view details)
{
	size_t before = t->len;

	if (t->cut)
		return view_of_text(t);
	text_add_view(t, details);
	text_add(t, "}");
	return undo_if_cut(t, before) ? view_of_text(t) : end_event(t);
}

/*
 * timestamp is a number, certificateRegistrationTimestamp a string, or null in the
 * first event after a registration (aws-iot D.3).
 */
struct view
event_payload(const struct registered_event *e, const char *account_id, struct view details,
    struct text *out)
{
	struct subject s = { &e->cert_id, &e->ca_id, e->timestamp, e->status };

	begin_event(out, &s, account_id);
	if (e->registered == 0)
		text_add(out, ",\"certificateRegistrationTimestamp\":null");
	else
		text_addf(out, ",\"certificateRegistrationTimestamp\":\"%" PRId64 "\"",
		    e->registered);
	return end_with_details(out, details);
}

static bool
add_detail(struct text *t, const char *name, struct view value)
{
	size_t before = t->len;

	if (value.data != NULL)
		add_member(t, name, value);
	return undo_if_cut(t, before);
}

static bool
add_names(struct text *t, const struct event_details *d)
{
	size_t before = t->len;

	if (d->alternative_names == NULL)
		return true;
	text_add(t, ",\"alternativeNames\":[");
	for (size_t i = 0; i < d->alternative_name_count; i++) {
		text_add(t, i > 0 ? "," : "");
		text_add_json(t, d->alternative_names[i]);
	}
	text_add(t, "]");
	return undo_if_cut(t, before);
}

static bool
add_validity(struct text *t, const struct event_details *d)
{
	size_t before = t->len;

	text_addf(t, ",\"validity\":{\"notBefore\":%" PRId64 ",\"notAfter\":%" PRId64 "}",
	    d->not_before, d->not_after);
	return undo_if_cut(t, before);
}

/* The long members come last. */
bool
event_details(const struct event_details *d, struct text *out)
{
	bool whole = add_validity(out, d);

	whole = add_detail(out, "serialNumber", d->serial_number) && whole;
	whole = add_detail(out, "clientId", d->client_id) && whole;
	whole = add_detail(out, "sourceIp", d->source_ip) && whole;
	whole = add_detail(out, "reason", d->reason) && whole;
	whole = add_detail(out, "subject", d->subject) && whole;
	whole = add_names(out, d) && whole;
	return add_detail(out, "certificatePem", d->pem) && whole;
}

struct view
event_failed_topic(const struct certid *ca_id, char topic[EVENT_TOPIC_SIZE])
{
	return topic_of("provisioning_failed", ca_id, topic);
}

struct view
event_failed(const struct failed_event *e, const char *account_id, struct text *out)
{
	struct subject s = { &e->cert_id, &e->ca_id, e->timestamp, e->status };

	begin_event(out, &s, account_id);
	add_member(out, "reason", utf8_head(e->reason, EVENT_REASON_MAX));
	return end_event(out);
}

struct view
event_expiring_topic(const struct certid *ca_id_or_null, char topic[EVENT_TOPIC_SIZE])
{
	return topic_of("expiring", ca_id_or_null, topic);
}

struct view
event_expiring(const struct expiring_event *e, const char *account_id, struct text *out)
{
	struct subject s = { &e->cert_id, e->has_ca ? &e->ca_id : NULL, e->timestamp, e->status };

	begin_event(out, &s, account_id);
	text_addf(out, ",\"notAfter\":%" PRId64, e->not_after);
	return end_event(out);
}

/*
 * Presence events.
 */

static const char *const presence_names[] = {
	[PRESENCE_CONNECTED] = "connected",
	[PRESENCE_DISCONNECTED] = "disconnected",
	[PRESENCE_CONNECT_FAILED] = "connect_failed",
};

/* Excludes U+0000 to U+001F and U+007F to U+009F (MQTT 5, 1.5.4), and the wildcards. */
static bool
goes_into_topic(const uint8_t *c, size_t n)
{
	if (n == 1)
		return c[0] >= 0x20 && c[0] != 0x7f && c[0] != '+' && c[0] != '#';
	return !(n == 2 && c[0] == 0xc2 && c[1] < 0xa0);
}

bool
event_has_presence(struct view client_id)
{
	size_t n;

	if (client_id.len == 0 || client_id.len > EVENT_CLIENT_ID_MAX)
		return false;
	for (struct view v = client_id; v.len > 0; v = view_from(v, n)) {
		n = utf8_next(v);
		if (n == 0 || !goes_into_topic(v.data, n))
			return false;
	}
	return true;
}

struct view
event_presence_topic(enum presence_kind kind, struct view client_id,
    char topic[EVENT_PRESENCE_TOPIC_SIZE])
{
	struct text t = text_in(topic, EVENT_PRESENCE_TOPIC_SIZE);

	text_addf(&t, "$aws/events/presence/%s/", presence_names[kind]);
	text_add_view(&t, client_id);
	return view_of_text(&t);
}

static void
add_or_null(struct text *t, const char *name, struct view value)
{
	if (value.len > 0)
		add_member(t, name, value);
	else
		text_addf(t, ",\"%s\":null", name);
}

static const char *
answer_text(enum answer a)
{
	return a == ANSWER_NOT_ASKED ? "null" : a == ANSWER_YES ? "true" : "false";
}

/* Members and order are AWS's (aws-iot D.9). */
struct view
event_presence(const struct presence_event *e, struct text *out)
{
	text_add(out, "{\"clientId\":");
	text_add_json(out, e->client_id);
	text_addf(out, ",\"timestamp\":%" PRId64 ",\"eventType\":\"%s\"", e->timestamp,
	    presence_names[e->kind]);
	if (e->kind == PRESENCE_CONNECT_FAILED)
		text_add(out, ",\"connectFailureReason\":\"AUTHORIZATION_FAILED\"");
	text_add(out, ",\"sessionIdentifier\":\"");
	text_add_uuid(out, e->session);
	add_id(out, "\",\"principalIdentifier\":\"", &e->principal);
	text_add(out, "\"");
	if (e->kind == PRESENCE_DISCONNECTED) {
		text_addf(out, ",\"clientInitiatedDisconnect\":%s",
		    answer_text(e->client_initiated));
		add_or_null(out, "disconnectReason", view_of(e->disconnect_reason));
	} else {
		add_or_null(out, "ipAddress", utf8_head(e->address, ADDRESS_MAX));
	}
	if (e->kind != PRESENCE_CONNECT_FAILED)
		text_addf(out, ",\"versionNumber\":%" PRIu64, e->version);
	return end_event(out);
}
