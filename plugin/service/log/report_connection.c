/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* report_connection.c - see report.h: connections accepted, refused and closed, packets denied. */
#include "report_text.h"

#include "jitr/adapter/x509.h"

/* A refused certificate that is not registered is a failed registration; one that is
 * registered is AWS's authentication error. */
static const char *
event_of(const struct connection_line *l)
{
	enum reason reason = l->decision->reason;

	if (l->decision->verdict == VERDICT_ALLOW)
		return "Connect";
	return !l->registered && reason > REASON_NONE && reason < REASON_REGISTERED_NOW
	    ? "RegisterCertificateJIT"
	    : "Connection.AuthNError";
}

static void
write_connection(struct report *r, const struct connection_line *l, const char *subject)
{
	const struct client *c = l->client;
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, sizeof(buffer));
	bool accepted = l->decision->verdict == VERDICT_ALLOW;

	json_begin(r, &t, accepted, accepted ? "INFO" : "ERROR", event_of(l));
	text_add(&t, ",\"protocol\":\"MQTT\"");
	json_member(&t, "clientId", text_head(c->id, CLIENT_ID_SHOWN));
	json_id(&t, "principalId", l->id);
	json_id(&t, "certificateId", l->id);
	json_id(&t, "caCertificateId", l->ca_id);
	json_member(&t, "subject", text_head(subject, SUBJECT_SHOWN));
	if (c->address != NULL)
		json_member(&t, "sourceIp", text_head(c->address, CLIENT_ID_SHOWN));
	if (c->port != 0)
		text_addf(&t, ",\"sourcePort\":%d", c->port);
	if (!accepted)
		json_reason(&t, reason_code(l->decision->reason), reason_text(l->decision->reason),
		    l->details);
	json_end(r, &t);
}

static void
line_client(struct text *t, const struct client *c, const char *subject)
{
	text_add(t, " client=\"");
	text_add_escaped(t, view_of(c->id), CLIENT_ID_SHOWN);
	text_add(t, "\" address=");
	text_add_escaped(t, view_of(c->address != NULL ? c->address : "-"), 64);
	text_add(t, " subject=\"");
	text_add_escaped(t, view_of(subject), SUBJECT_SHOWN);
	text_add(t, "\"");
}

void
report_connection(struct report *r, const struct connection_line *l)
{
	char line[LINE_SIZE], subject[SUBJECT_SHOWN + 2] = "";
	struct text t = text_in(line, sizeof(line));
	bool accepted = l->decision->verdict == VERDICT_ALLOW;

	if (l->client->x != NULL)
		x509_subject_text(l->client->x, subject, sizeof(subject));
	text_addf(&t, "jitr: connection %s:", accepted ? "accepted" : "refused");
	if (!accepted)
		line_refusal(&t, l->decision->reason, l->details);
	line_id(&t, "certificate", l->id);
	line_id(&t, "ca", l->ca_id);
	line_client(&t, l->client, subject);
	if (report_has_file(r))
		write_connection(r, l, subject);
	report_log(r, accepted ? LEVEL_INFO : LEVEL_NOTICE, line);
}

void
report_closed(struct report *r, const struct certid *id, enum reason reason)
{
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, LINE_SIZE);

	text_add(&t, "jitr: connection closed:");
	line_refusal(&t, reason, NULL);
	line_id(&t, "certificate", id);
	report_log(r, LEVEL_NOTICE, buffer);
	if (!report_has_file(r))
		return;
	t = text_in(buffer, sizeof(buffer));
	json_begin(r, &t, true, "INFO", "Disconnect");
	text_add(&t, ",\"protocol\":\"MQTT\"");
	json_id(&t, "principalId", id);
	json_member(&t, "disconnectReason", view_of("FORBIDDEN_ACCESS"));
	json_member(&t, "reason", view_of(reason_code(reason)));
	json_end(r, &t);
}

/* AWS's name (aws-iot H.1). */
static const char *
event_of_denial(const char *what)
{
	switch (what[0]) {
	case 'p':
		return "Publish-In";
	case 's':
		return "Subscribe";
	default:
		return "Publish-Out";
	}
}

void
report_denied(struct report *r, const struct client *c, const struct certid *id, const char *what,
    const char *topic)
{
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, LINE_SIZE);

	text_addf(&t, "jitr: %s denied: topic=\"", what);
	text_add_escaped(&t, view_of(topic), TOPIC_SHOWN);
	text_add(&t, "\" client=\"");
	text_add_escaped(&t, view_of(c->id), CLIENT_ID_SHOWN);
	text_add(&t, "\"");
	line_id(&t, "certificate", id);
	report_log(r, LEVEL_NOTICE, buffer);
	if (!report_has_file(r))
		return;
	t = text_in(buffer, sizeof(buffer));
	json_begin(r, &t, false, "ERROR", event_of_denial(what));
	text_add(&t, ",\"protocol\":\"MQTT\"");
	json_member(&t, "topicName", text_head(topic, TOPIC_SHOWN));
	json_member(&t, "clientId", text_head(c->id, CLIENT_ID_SHOWN));
	json_id(&t, "principalId", id);
	if (c->address != NULL && c->address[0] != '\0')
		json_member(&t, "sourceIp", text_head(c->address, CLIENT_ID_SHOWN));
	json_member(&t, "reason", view_of("AUTHORIZATION_FAILURE"));
	json_member(&t, "details", view_of("Authorization Failure"));
	json_end(r, &t);
}

/*
 * One certificate used by two clients at once.
 */

static void
write_shared(struct report *r, const struct client *c, const struct certid *id,
    const char *other_id, const char *other_address, const char *done)
{
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, sizeof(buffer));

	json_begin(r, &t, false, "WARN", "SharedCertificate");
	text_add(&t, ",\"protocol\":\"MQTT\"");
	json_member(&t, "clientId", text_head(c->id, CLIENT_ID_SHOWN));
	json_id(&t, "principalId", id);
	json_id(&t, "certificateId", id);
	if (c->address != NULL)
		json_member(&t, "sourceIp", text_head(c->address, CLIENT_ID_SHOWN));
	json_member(&t, "otherClientId", text_head(other_id, CLIENT_ID_SHOWN));
	if (other_address != NULL)
		json_member(&t, "otherSourceIp", text_head(other_address, CLIENT_ID_SHOWN));
	json_reason(&t, reason_code(REASON_SHARED), NULL, done);
	json_end(r, &t);
}

void
report_shared(struct report *r, const struct client *c, const struct certid *id,
    const char *other_id, const char *other_address, const char *done)
{
	char line[LINE_SIZE];
	struct text t = text_in(line, sizeof(line));

	text_add(&t, "jitr: certificate shared:");
	line_text(&t, "action", done, DETAILS_SHOWN_SHORT);
	line_id(&t, "certificate", id);
	line_text(&t, "client", c->id, CLIENT_ID_SHOWN);
	text_add(&t, " address=");
	line_bytes(&t, c->address != NULL ? c->address : "-", 64);
	line_text(&t, "other_client", other_id, CLIENT_ID_SHOWN);
	text_add(&t, " other_address=");
	line_bytes(&t, other_address != NULL ? other_address : "-", 64);
	if (report_has_file(r))
		write_shared(r, c, id, other_id, other_address, done);
	report_log(r, LEVEL_WARNING, line);
}
