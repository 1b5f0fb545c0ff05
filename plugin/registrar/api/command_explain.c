/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_explain.c - what would happen to a certificate, and why; not AWS's. */
#include <inttypes.h>
#include <stdio.h>

#include "command_answer.h"
#include "command_question.h"
#include "command_parse.h"
#include "policy_document.h"

#include "jitr/adapter/x509.h"
#include "jitr/core/pattern.h"

/* Decisions that are not made by policies. */
static const char *const basis_names[] = {
	[BASIS_RESERVED] = "reserved topic",
	[BASIS_CONTROL] = "control topic",
	[BASIS_ADMINISTRATOR] = "admin_certificates",
	[BASIS_OPTION] = "authorization",
	[BASIS_POLICY] = "policies",
};

static void
parse_id(struct members *m, struct command *c)
{
	struct presented presented;

	parse_result(m, x509_read(c->x, &presented));
	c->id = presented.id;
}

static void
parse_explain(struct members *m, struct command *c)
{
	bool by_id = json_has(m, "certificateId");

	if (by_id == json_has(m, "certificatePem"))
		json_fail(m, "certificateId", NULL, "be given, or certificatePem, not both");
	else if (by_id)
		json_certid(m, "certificateId", &c->id);
	else if (parse_pem(m, "certificatePem", true, &c->x))
		parse_id(m, c);
	parse_client_id(m, c);
	c->explain.topic = view_of(json_string(m, "topic", 1, 65535, false));
	c->explain.source = view_of(json_string(m, "sourceIp", 1, 64, false));
	if (c->explain.source.data != NULL && !address_parse(c->explain.source).known)
		json_fail(m, "sourceIp", (const char *)c->explain.source.data, "be an IP address");
	PARSE_ONLY(m, "certificateId", "certificatePem", "clientId", "topic", "sourceIp");
}

static enum err
load_certificate(struct txn *t, struct command *c)
{
	struct cert_document document;
	char hex[CERTID_HEX_SIZE];
	enum err e;

	if (c->x != NULL)
		return ERR_OK;
	e = store_get_cert_document(t, &c->id, &document);
	if (e == ERR_OK)
		return x509_from_der(document.der, &c->x, &c->diag);
	certid_to_hex(&c->id, hex);
	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "Certificate not found (id: %s)", hex);
	return e;
}

static void
add_match(cJSON *o, const struct explain *i, const struct policy_match *match)
{
	char version[16];

	(void)snprintf(version, sizeof(version), "%" PRIu32,
	    explain_policy_version(i, match->policy));
	cJSON_AddStringToObject(o, "policyName", explain_policy_name(i, match->policy));
	cJSON_AddStringToObject(o, "policyVersionId", version);
	cJSON_AddNumberToObject(o, "statement", (double)match->statement);
	if (match->sid.len > 0)
		add_view(o, "sid", match->sid);
}

/* The decision about one action, and the statement or setting that makes it. */
static void
add_decision(cJSON *data, const char *name, const struct explain *i, enum policy_action action,
    struct view resource)
{
	cJSON *o = cJSON_AddObjectToObject(data, name);
	struct access_decision d = ask_policies(i, ALL_POLICIES, action, resource);

	cJSON_AddStringToObject(o, "authDecision",
	    d.access == ACCESS_DEFER ? "DEFERRED" : result_name(result_of(&d)));
	if (d.basis != BASIS_POLICY)
		cJSON_AddStringToObject(o, "decidedBy", basis_names[d.basis]);
	else if (d.result != POLICY_IMPLICIT_DENY)
		add_match(o, i, &d.match);
}

/* Do its policies decide about a connection?  Not if its status refuses it. */
static bool
reaches_policies(const struct explanation *ex)
{
	return (ex->registered && ex->status == CERT_ACTIVE) ||
	    (ex->plan != NULL && ex->plan->status == CERT_ACTIVE);
}

static const char *
details_of(const struct explanation *ex)
{
	if (ex->decision.verdict == VERDICT_DEFER)
		return "not judged here: other plugins decide";
	return ex->details.text[0] != '\0' ? ex->details.text : reason_text(ex->decision.reason);
}

/* The result of the rule or template of its CA. */
static void
add_plan(cJSON *data, const struct plan *plan)
{
	cJSON *o;

	if (plan == NULL)
		return;
	o = cJSON_AddObjectToObject(data, "activation");
	cJSON_AddStringToObject(o, "by", plan->origin == PLAN_RULE ? "rule" : "template");
	cJSON_AddStringToObject(o, "status", cert_status_name(plan->status));
	add_text(o, "details", plan->reason.text);
}

static void
add_connect(cJSON *data, const struct command *c, const struct explain *i,
    const struct explanation *ex)
{
	cJSON *o = cJSON_AddObjectToObject(data, "connect");
	bool allowed = ex->decision.verdict == VERDICT_ALLOW;

	cJSON_AddBoolToObject(o, "allowed", allowed);
	if (!allowed) {
		cJSON_AddStringToObject(o, "reason", reason_code(ex->decision.reason));
		cJSON_AddStringToObject(o, "details", details_of(ex));
	}
	cJSON_AddBoolToObject(o, "registersCertificate", ex->decision.effects & EFFECT_REGISTER);
	cJSON_AddBoolToObject(o, "publishesEvent", ex->decision.effects & EFFECT_ANNOUNCE);
	if (reaches_policies(ex) && c->explain.client_id.data != NULL)
		add_decision(o, "policies", i, POLICY_CONNECT, c->explain.client_id);
}

/* All in one slice: the questions take fewer steps than STEPS_MAX and one question more, for
 * which policies are asked twice at most. */
static enum err
add_topic(cJSON *data, struct command *c, const struct explain *i, const size_t *spent)
{
	static const struct {
		const char *name;
		enum policy_action action;
	} questions[] = {
		{ "publish", POLICY_PUBLISH },
		{ "retainPublish", POLICY_RETAIN_PUBLISH },
		{ "subscribe", POLICY_SUBSCRIBE },
		{ "receive", POLICY_RECEIVE },
	};

	for (size_t n = 0; n < COUNT_OF(questions); n++) {
		if (*spent >= STEPS_MAX)
			return refuse_steps(c);
		add_decision(data, questions[n].name, i, questions[n].action, c->explain.topic);
	}
	return ERR_OK;
}

static void
add_certificate(cJSON *data, const struct explanation *ex)
{
	add_hex(data, "certificateId", ex->id.b, sizeof(ex->id.b));
	if (ex->registered)
		cJSON_AddStringToObject(data, "status", cert_status_name(ex->status));
	cJSON_AddBoolToObject(data, "registered", ex->registered);
	if (ex->has_ca)
		add_hex(data, "caCertificateId", ex->ca_id.b, sizeof(ex->ca_id.b));
}

static void
add_warnings(cJSON *data, struct txn *t, const struct command *c, const struct explain *i,
    const struct explanation *ex)
{
	if (ex->chain.text[0] != '\0')
		add_warning(data, ex->chain.text);
	for (size_t n = 0; n < explain_policy_count(i); n++)
		add_stored_warnings(data, t, c, explain_policy_name(i, n));
}

static enum err
add_explanation(cJSON *data, struct txn *t, struct command *c, const struct explain *i,
    const struct explanation *ex, const size_t *spent)
{
	enum err e = ERR_OK;

	if (*spent >= STEPS_MAX)
		return refuse_steps(c);
	add_certificate(data, ex);
	add_plan(data, ex->plan);
	add_connect(data, c, i, ex);
	if (c->explain.topic.data != NULL)
		e = add_topic(data, c, i, spent);
	if (e != ERR_OK)
		return e;
	add_missing(data, i);
	add_warnings(data, t, c, i, ex);
	return ERR_OK;
}

static enum err
explain(struct txn *t, struct command *c, cJSON *data)
{
	size_t spent = 0;
	struct explain_request r = explain_request_of(c, &spent);
	struct explain *i = NULL;
	struct explanation ex;
	enum err e;

	r.principal = &c->id;
	r.x = c->x;
	e = explain_open(c->context->judge, t, &r, &i, &c->diag);
	if (e == ERR_OK)
		e = explain_certificate(i, t, &ex);
	if (e == ERR_OK)
		e = add_explanation(data, t, c, i, &ex, &spent);
	if (!pay_steps(c, &spent) && e == ERR_OK)
		e = refuse_steps(c);
	explain_close(i);
	return e;
}

static enum err
read_explain(struct txn *t, struct command *c, cJSON *data)
{
	enum err e = load_certificate(t, c);

	return e == ERR_OK ? explain(t, c, data) : e;
}

static const struct command_type rows[] = {
	{
	    .name = "explain",
	    .resource = RESOURCE_CERTIFICATE,
	    .parse = parse_explain,
	    .read = read_explain,
	},
};

const struct command_group explain_commands = { rows, COUNT_OF(rows) };
