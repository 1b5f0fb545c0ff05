/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* report.c - see report.h: what is said.  report_file.c: the log file. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report_private.h"

#include "jitr/core/calendar.h"
#include "jitr/core/text.h"
#include "jitr/adapter/x509.h"

/* The broker cuts a line at 1000 bytes (mosquitto section 0, 19). */
#define LINE_SIZE      960
#define JSON_LINE_SIZE 8192

/* Bytes of a client's text that are shown. */
#define CLIENT_ID_SHOWN 128
#define SUBJECT_SHOWN   256
#define TOPIC_SHOWN     256

/* Of the user name and client id of an administrator. */
#define REQUEST_NAME_SHOWN 80

/* Of details: of a whole line, and where a client's text has to fit beside them. */
#define DETAILS_SHOWN       320
#define DETAILS_SHOWN_SHORT 80

void
report_line(struct report *r, enum log_level level, const char *fmt, ...)
{
	char line[LINE_SIZE] = "jitr: ";
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line + 6, sizeof(line) - 6, fmt, args);
	va_end(args);
	r->broker->log(level, line);
}

/*
 * One JSON object per line, members as in aws-iot H.1.
 */

static void
json_member(struct text *t, const char *name, struct view value)
{
	text_addf(t, ",\"%s\":", name);
	text_add_json(t, value);
}

static void
json_id(struct text *t, const char *name, const struct certid *id)
{
	if (id == NULL)
		return;
	text_addf(t, ",\"%s\":\"", name);
	text_add_hex(t, (struct view){ id->b, sizeof(id->b) });
	text_add(t, "\"");
}

static void
json_begin(struct report *r, struct text *t, bool success, const char *level, const char *event)
{
	char when[TIMESTAMP_SIZE];
	uint8_t trace[16] = { 0 };

	timestamp_text(r->now(), when);
	if (random_fill(trace, sizeof(trace)) != ERR_OK)
		memset(trace, 0, sizeof(trace)); /* a trace id is a convenience */
	text_addf(t, "{\"timestamp\":\"%s\",\"logLevel\":\"%s\",\"traceId\":\"", when, level);
	text_add_uuid(t, trace);
	text_addf(t, "\",\"accountId\":\"%s\",\"status\":\"%s\",\"eventType\":\"%s\"",
	    r->account_id, success ? "Success" : "Failure", event);
}

/* A line that does not fit is lost rather than broken. */
static void
json_end(struct report *r, struct text *t)
{
	text_add(t, "}\n");
	if (t->cut)
		report_lost(r, "a line is too long");
	else
		report_write(r, t->at, t->len);
}

static struct view
shown(const char *text, size_t max)
{
	struct view v = view_of(text);

	if (v.len > max)
		v.len = max;
	return v;
}

/* words NULL: the details alone; details NULL: the words alone. */
static void
json_reason(struct text *t, const char *code, const char *words, const char *details)
{
	char room[128 + DETAILS_SHOWN];
	struct text both = text_in(room, sizeof(room));

	if (words != NULL)
		text_add(&both, words);
	if (words != NULL && details != NULL)
		text_add(&both, ": ");
	text_add_view(&both, shown(details, DETAILS_SHOWN));
	json_member(t, "reason", view_of(code));
	json_member(t, "details", view_of(room));
}

/* Refusals of what the registry does not know are failed registrations;
 * refusals of what it knows are AWS's authentication errors. */
static const char *
event_of(enum reason reason, bool registered)
{
	return !registered && reason > REASON_NONE && reason < REASON_REGISTERED_NOW
	    ? "RegisterCertificateJIT"
	    : "Connection.AuthNError";
}

static void
write_connection(struct report *r, const struct client *c, const struct certid *id,
    const struct certid *ca_id, const struct decision *d, const char *subject, const char *details,
    bool registered)
{
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, sizeof(buffer));
	bool accepted = d->verdict == VERDICT_ALLOW;

	json_begin(r, &t, accepted, accepted ? "INFO" : "ERROR",
	    accepted ? "Connect" : event_of(d->reason, registered));
	text_add(&t, ",\"protocol\":\"MQTT\"");
	json_member(&t, "clientId", shown(c->id, CLIENT_ID_SHOWN));
	json_id(&t, "principalId", id);
	json_id(&t, "certificateId", id);
	json_id(&t, "caCertificateId", ca_id);
	json_member(&t, "subject", shown(subject, SUBJECT_SHOWN));
	if (c->address != NULL)
		json_member(&t, "sourceIp", shown(c->address, CLIENT_ID_SHOWN));
	if (c->port != 0)
		text_addf(&t, ",\"sourcePort\":%d", c->port);
	if (!accepted)
		json_reason(&t, reason_code(d->reason), reason_text(d->reason), details);
	json_end(r, &t);
}

/*
 * The broker's log.
 */

static void
line_id(struct text *t, const char *name, const struct certid *id)
{
	text_addf(t, " %s=", name);
	if (id == NULL)
		text_add(t, "-");
	else
		text_add_hex(t, (struct view){ id->b, sizeof(id->b) });
}

/* Escaped, and no more than so many bytes of the line, but for the dots that
 * say so: what follows must fit, too. */
static void
line_bytes(struct text *t, const char *value, size_t most)
{
	char room[LINE_SIZE];
	struct text escaped = text_in(room, most + 1);

	text_add_escaped(&escaped, shown(value, most + 1), most + 1);
	text_add(t, room);
	if (escaped.cut)
		text_add(t, "...");
}

static void
line_text(struct text *t, const char *name, const char *value, size_t most)
{
	text_addf(t, " %s=\"", name);
	line_bytes(t, value, most);
	text_add(t, "\"");
}

static void
line_reason(struct text *t, const char *words, const char *details, size_t most)
{
	text_addf(t, " reason=\"%s", words);
	if (details != NULL) {
		text_add(t, ": ");
		line_bytes(t, details, most);
	}
	text_add(t, "\"");
}

static void
line_refusal(struct text *t, enum reason reason, const char *details)
{
	line_reason(t, reason_text(reason), details, DETAILS_SHOWN_SHORT);
	text_addf(t, " code=%s", reason_code(reason));
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
report_connection(struct report *r, const struct client *c, const struct certid *id,
    const struct certid *ca_id, const struct decision *d, const char *details, bool registered)
{
	char line[LINE_SIZE], subject[SUBJECT_SHOWN + 2] = "";
	struct text t = text_in(line, sizeof(line));
	bool accepted = d->verdict == VERDICT_ALLOW;

	if (c->x != NULL)
		x509_subject_text(c->x, subject, sizeof(subject));
	text_addf(&t, "jitr: connection %s:", accepted ? "accepted" : "refused");
	if (!accepted)
		line_refusal(&t, d->reason, details);
	line_id(&t, "certificate", id);
	line_id(&t, "ca", ca_id);
	line_client(&t, c, subject);
	if (report_has_file(r))
		write_connection(r, c, id, ca_id, d, subject, details, registered);
	r->broker->log(accepted ? LEVEL_INFO : LEVEL_NOTICE, line);
}

void
report_cut(struct report *r, const struct certid *id, enum reason reason)
{
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, LINE_SIZE);

	text_add(&t, "jitr: connection closed:");
	line_refusal(&t, reason, NULL);
	line_id(&t, "certificate", id);
	r->broker->log(LEVEL_NOTICE, buffer);
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

/* aws-iot H.1: what AWS calls it. */
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
	r->broker->log(LEVEL_NOTICE, buffer);
	if (!report_has_file(r))
		return;
	t = text_in(buffer, sizeof(buffer));
	json_begin(r, &t, false, "ERROR", event_of_denial(what));
	text_add(&t, ",\"protocol\":\"MQTT\"");
	json_member(&t, "topicName", shown(topic, TOPIC_SHOWN));
	json_member(&t, "clientId", shown(c->id, CLIENT_ID_SHOWN));
	json_id(&t, "principalId", id);
	if (c->address != NULL && c->address[0] != '\0')
		json_member(&t, "sourceIp", shown(c->address, CLIENT_ID_SHOWN));
	json_member(&t, "reason", view_of("AUTHORIZATION_FAILURE"));
	json_member(&t, "details", view_of("Authorization Failure"));
	json_end(r, &t);
}

void
report_registration(struct report *r, const struct certid *id, const struct certid *ca_id,
    enum err result, const char *details)
{
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, LINE_SIZE);
	bool done = result == ERR_OK;

	text_addf(&t, "jitr: certificate %s:", done ? "registered" : "not registered");
	if (!done)
		line_reason(&t, err_text(result), details, DETAILS_SHOWN);
	line_id(&t, "certificate", id);
	line_id(&t, "ca", ca_id);
	r->broker->log(done ? LEVEL_NOTICE : LEVEL_ERROR, buffer);
	if (!report_has_file(r))
		return;
	t = text_in(buffer, sizeof(buffer));
	json_begin(r, &t, done, done ? "INFO" : "ERROR", "RegisterCertificateJIT");
	json_id(&t, "certificateId", id);
	json_id(&t, "caCertificateId", ca_id);
	if (!done)
		json_reason(&t, err_aws_name(result), NULL, details);
	json_end(r, &t);
}

/*
 * Activation.
 */

static const char *const became[] = {
	[CERT_INACTIVE] = "made inactive",
	[CERT_ACTIVE] = "activated",
	[CERT_REVOKED] = "revoked",
	[CERT_PENDING_TRANSFER] = "left waiting for transfer",
	[CERT_PENDING_ACTIVATION] = "left pending",
};

/* A template's work is AWS's ProvisionDevice (aws-iot H.1); the rest is ours. */
static void
write_activation(struct report *r, const struct activation_line *a)
{
	bool template = a->origin == PLAN_TEMPLATE;
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, sizeof(buffer));

	json_begin(r, &t, !a->failed, a->failed ? "ERROR" : "INFO",
	    template ? "ProvisionDevice" : "ActivateCertificate");
	json_id(&t, template ? "deviceCertificateId" : "certificateId", &a->id);
	json_id(&t, "caCertificateId", &a->ca_id);
	if (template && a->template_name != NULL)
		json_member(&t, "provisioningTemplateName", view_of(a->template_name));
	json_member(&t, "certificateStatus", view_of(cert_status_name(a->status)));
	if (a->failed)
		json_reason(&t, template ? "PROVISIONING_FAILED" : "ACTIVATION_FAILED", NULL,
		    a->details);
	else if (a->details != NULL)
		json_member(&t, "details", shown(a->details, DETAILS_SHOWN));
	json_end(r, &t);
}

void
report_activation(struct report *r, const struct activation_line *a)
{
	char line[LINE_SIZE];
	struct text t = text_in(line, sizeof(line));

	text_addf(&t, "jitr: certificate %s: by=%s",
	    a->failed ? "not activated" : became[a->status],
	    a->origin == PLAN_TEMPLATE ? "template" : "rule");
	if (a->template_name != NULL)
		line_text(&t, "template", a->template_name, TEMPLATE_NAME_MAX);
	if (a->details != NULL)
		line_text(&t, "reason", a->details, DETAILS_SHOWN);
	line_id(&t, "certificate", &a->id);
	line_id(&t, "ca", &a->ca_id);
	if (report_has_file(r))
		write_activation(r, a);
	r->broker->log(a->failed ? LEVEL_WARNING : LEVEL_NOTICE, line);
}

/*
 * Revocation lists.
 */

static struct view
crl_number(const struct crl *crl)
{
	return (struct view){ crl->number, crl->number_len };
}

static void
write_crl(struct report *r, const struct certid *ca_id, const struct crl *crl, enum err result,
    const char *details)
{
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, sizeof(buffer));

	json_begin(r, &t, crl != NULL, crl != NULL ? "INFO" : "ERROR", "ImportCrl");
	json_id(&t, "caCertificateId", ca_id);
	if (crl == NULL) {
		json_reason(&t, err_aws_name(result), NULL, details);
		json_end(r, &t);
		return;
	}
	if (crl->number_len > 0) {
		text_add(&t, ",\"crlNumber\":\"0x");
		text_add_hex(&t, crl_number(crl));
		text_add(&t, "\"");
	}
	text_addf(&t, ",\"thisUpdate\":%" PRId64 ",\"nextUpdate\":%" PRId64 ",\"entries\":%" PRIu32,
	    crl->this_update, crl->next_update, crl->count);
	json_end(r, &t);
}

static void
line_crl(struct text *t, const struct crl *crl)
{
	char when[TIMESTAMP_SIZE];

	text_add(t, " number=");
	if (crl->number_len > 0) {
		text_add(t, "0x");
		text_add_hex(t, crl_number(crl));
	} else {
		text_add(t, "-");
	}
	text_addf(t, " entries=%" PRIu32, crl->count);
	timestamp_text(crl->next_update, when);
	text_addf(t, " next_update=\"%s\"", when);
}

void
report_crl(struct report *r, const struct certid *ca_id, const struct crl *crl, enum err result,
    const char *details)
{
	char line[LINE_SIZE];
	struct text t = text_in(line, sizeof(line));

	text_addf(&t, "jitr: revocation list %s:", crl != NULL ? "imported" : "not imported");
	if (crl == NULL)
		line_reason(&t, err_text(result), details, DETAILS_SHOWN);
	line_id(&t, "ca", ca_id);
	if (crl != NULL)
		line_crl(&t, crl);
	if (report_has_file(r))
		write_crl(r, ca_id, crl, result, details);
	r->broker->log(crl != NULL ? LEVEL_NOTICE : LEVEL_ERROR, line);
}

/*
 * Requests.
 */

/* A value that could be taken for something else is put into quotes. */
static bool
is_plain(const char *value)
{
	return value[strspn(value,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-")] == '\0';
}

static void
line_value(struct text *t, const char *value)
{
	const char *quote = is_plain(value) ? "" : "\"";

	text_add(t, quote);
	line_bytes(t, value[0] != '\0' ? value : "none", CHANGE_TEXT);
	text_add(t, quote);
}

static void
line_change(struct text *t, const struct change *change)
{
	text_addf(t, " %s=", change->name);
	line_value(t, change->from);
	text_add(t, "->");
	line_value(t, change->to);
}

static void
line_subject(struct text *t, const struct request_subject *s)
{
	if (s->name.len == 0)
		return;
	text_addf(t, " %s=", s->word);
	text_add_escaped(t, s->name, NAME_MAX_LENGTH);
}

static void
json_change(struct text *t, const struct change *c, const char *separator)
{
	text_addf(t, "%s\"%s\":{", separator, c->name);
	if (c->from[0] != '\0') {
		text_add(t, "\"from\":");
		text_add_json(t, view_of(c->from));
	}
	if (c->to[0] != '\0') {
		text_add(t, c->from[0] != '\0' ? ",\"to\":" : "\"to\":");
		text_add_json(t, view_of(c->to));
	}
	text_add(t, "}");
}

static void
json_changes(struct text *t, const struct changes *changes)
{
	text_add(t, ",\"changes\":{");
	for (size_t i = 0; i < changes->count; i++)
		json_change(t, &changes->list[i], i > 0 ? "," : "");
	text_add(t, "}");
}

static void
write_request(struct report *r, const struct request_line *l)
{
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, sizeof(buffer));
	bool done = l->result == ERR_OK;

	json_begin(r, &t, done, done ? "INFO" : "ERROR", "ControlRequest");
	json_member(&t, "command", view_of(l->command));
	json_member(&t, "userName", shown(l->user_name, CLIENT_ID_SHOWN));
	json_member(&t, "clientId", shown(l->client_id, CLIENT_ID_SHOWN));
	if (l->address != NULL)
		json_member(&t, "sourceIp", shown(l->address, CLIENT_ID_SHOWN));
	for (size_t i = 0; i < COUNT_OF(l->subjects); i++)
		if (l->subjects[i].name.len > 0)
			json_member(&t, l->subjects[i].member, l->subjects[i].name);
	if (done)
		json_changes(&t, l->changes);
	else
		json_reason(&t, err_aws_name(l->result), err_text(l->result), l->details);
	json_end(r, &t);
}

/* What changed comes last: it is as long as it is. */
void
report_request(struct report *r, const struct request_line *l)
{
	char line[LINE_SIZE];
	struct text t = text_in(line, sizeof(line));
	bool done = l->result == ERR_OK;

	text_addf(&t, "jitr: request: command=%s", l->command);
	line_text(&t, "user", l->user_name, REQUEST_NAME_SHOWN);
	line_text(&t, "client", l->client_id, REQUEST_NAME_SHOWN);
	text_addf(&t, " result=%s", done ? "done" : err_aws_name(l->result));
	for (size_t i = 0; i < COUNT_OF(l->subjects); i++)
		line_subject(&t, &l->subjects[i]);
	text_add(&t, " address=");
	line_bytes(&t, l->address != NULL ? l->address : "-", 64);
	for (size_t i = 0; done && i < l->changes->count; i++)
		line_change(&t, &l->changes->list[i]);
	if (!done)
		line_reason(&t, err_text(l->result), l->details, DETAILS_SHOWN);
	if (report_has_file(r))
		write_request(r, l);
	r->broker->log(done ? LEVEL_NOTICE : LEVEL_WARNING, line);
}

/*
 * Shared certificates.
 */

static void
write_shared(struct report *r, const struct client *c, const struct certid *id,
    const char *other_id, const char *other_address, const char *done)
{
	char buffer[JSON_LINE_SIZE];
	struct text t = text_in(buffer, sizeof(buffer));

	json_begin(r, &t, false, "WARN", "SharedCertificate");
	text_add(&t, ",\"protocol\":\"MQTT\"");
	json_member(&t, "clientId", shown(c->id, CLIENT_ID_SHOWN));
	json_id(&t, "principalId", id);
	json_id(&t, "certificateId", id);
	if (c->address != NULL)
		json_member(&t, "sourceIp", shown(c->address, CLIENT_ID_SHOWN));
	json_member(&t, "otherClientId", shown(other_id, CLIENT_ID_SHOWN));
	if (other_address != NULL)
		json_member(&t, "otherSourceIp", shown(other_address, CLIENT_ID_SHOWN));
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
	r->broker->log(LEVEL_WARNING, line);
}
