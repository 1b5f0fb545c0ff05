/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* report_registry.c - see report.h: certificates registered and activated, revocation lists. */
#include <inttypes.h>

#include "report_text.h"

#include "jitr/core/calendar.h"

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
	report_log(r, done ? LEVEL_NOTICE : LEVEL_ERROR, buffer);
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

static const char *const status_change[] = {
	[CERT_INACTIVE] = "made inactive",
	[CERT_ACTIVE] = "activated",
	[CERT_REVOKED] = "revoked",
	[CERT_PENDING_TRANSFER] = "left waiting for transfer",
	[CERT_PENDING_ACTIVATION] = "left pending",
};

/* The event of a template is AWS's ProvisionDevice (aws-iot H.1); that of a rule is ours. */
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
		json_member(&t, "details", text_head(a->details, DETAILS_SHOWN));
	json_end(r, &t);
}

void
report_activation(struct report *r, const struct activation_line *a)
{
	char line[LINE_SIZE];
	struct text t = text_in(line, sizeof(line));

	text_addf(&t, "jitr: certificate %s: by=%s",
	    a->failed ? "not activated" : status_change[a->status],
	    a->origin == PLAN_TEMPLATE ? "template" : "rule");
	if (a->template_name != NULL)
		line_text(&t, "template", a->template_name, TEMPLATE_NAME_MAX);
	if (a->details != NULL)
		line_text(&t, "reason", a->details, DETAILS_SHOWN);
	line_id(&t, "certificate", &a->id);
	line_id(&t, "ca", &a->ca_id);
	if (report_has_file(r))
		write_activation(r, a);
	report_log(r, a->failed ? LEVEL_WARNING : LEVEL_NOTICE, line);
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
	report_log(r, crl != NULL ? LEVEL_NOTICE : LEVEL_ERROR, line);
}
