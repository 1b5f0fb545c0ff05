/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_explain.c - what would happen: testAuthorization,
 * getEffectivePolicies (aws-iot A.7), and explain, which is ours.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#include "jitr/core/pattern.h"
#include "jitr/adapter/x509.h"

#define RESOURCES_MAX      10
#define RESOURCE_BYTES_MAX 2048

/* The order is AWS's, for its messages; what they are called as actions. */
static const char *const action_types[] = { "PUBLISH", "SUBSCRIBE", "RECEIVE", "CONNECT" };
static const enum policy_action actions[] = { POLICY_PUBLISH, POLICY_SUBSCRIBE, POLICY_RECEIVE,
	POLICY_CONNECT };

static const char *const result_names[] = {
	[POLICY_IMPLICIT_DENY] = "IMPLICIT_DENY",
	[POLICY_ALLOWED] = "ALLOWED",
	[POLICY_EXPLICIT_DENY] = "EXPLICIT_DENY",
};

/* What decides where policies do not. */
static const char *const basis_names[] = {
	[BASIS_RESERVED] = "reserved topic",
	[BASIS_CONTROL] = "control topic",
	[BASIS_ADMINISTRATOR] = "admin_certificates",
	[BASIS_OPTION] = "authorization",
	[BASIS_POLICY] = "policies",
};

/*
 * Members.
 */

static void
parse_names(struct members *m, const char *name, struct view *out, size_t *count)
{
	const cJSON *list = json_array(m, name, ADDED_POLICIES_MAX), *item;

	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item)) {
			json_fail(m, name, NULL, "be a list of policy names");
			return;
		}
		out[(*count)++] = view_of(item->valuestring);
	}
}

static void
parse_client_id(struct members *m, struct command *c)
{
	c->inquiry.client_id = view_of(json_string(m, "clientId", 1, 65535, false));
}

static void
parse_optional_principal(struct members *m, struct command *c)
{
	c->inquiry.has_principal = json_has(m, "principal");
	if (c->inquiry.has_principal)
		parse_principal(m, "principal", c);
}

/* The text behind "arn:...:<type>/"; data NULL: it is no such ARN. */
static struct view
resource_name(const struct command *c, enum policy_action action, const char *arn)
{
	char head[ARN_PREFIX_SIZE + 16];
	int len = snprintf(head, sizeof(head), "%s%s/", c->account->scope.prefix,
	    policy_resource_type(action));

	if (strncmp(arn, head, (size_t)len) != 0 || arn[len] == '\0')
		return (struct view){ NULL, 0 };
	return view_of(arn + len);
}

static void
check_resources(struct members *m, const struct command *c, enum policy_action action,
    const cJSON *resources)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, resources)
	{
		if (cJSON_IsString(item) && strlen(item->valuestring) <= RESOURCE_BYTES_MAX &&
		    resource_name(c, action, item->valuestring).data != NULL)
			continue;
		parse_take(m, ERR_REQUEST);
		diag_set(m->diag,
		    "Invalid resource '%.80s' at 'authInfos': for %s it must be %s%s/...",
		    cJSON_IsString(item) ? item->valuestring : "", policy_action_name(action),
		    c->account->scope.prefix, policy_resource_type(action));
		return;
	}
}

static void
check_auth_info(struct members *m, const struct command *c, const cJSON *json)
{
	static const char *const names[] = { "actionType", "resources" };
	struct members info = json_members(json, m->diag);
	const cJSON *resources;
	int word;

	if (!cJSON_IsObject(json)) {
		json_fail(m, "authInfos", NULL, "be a list of objects");
		return;
	}
	word = json_word(&info, "actionType", action_types, COUNT_OF(action_types), true);
	resources = json_array(&info, "resources", RESOURCES_MAX);
	if (info.failed == ERR_OK && cJSON_GetArraySize(resources) == 0)
		json_fail(&info, "resources", NULL, "be a list of at least one ARN");
	json_only(&info, names, COUNT_OF(names));
	if (info.failed == ERR_OK)
		check_resources(&info, c, actions[word], resources);
	parse_take(m, info.failed);
}

void
parse_test_authorization(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "principal", "authInfos",
		"clientId", "policyNamesToAdd", "policyNamesToSkip" };
	const cJSON *infos = json_array(m, "authInfos", AUTH_INFOS_MAX), *info;

	if (m->failed == ERR_OK && cJSON_GetArraySize(infos) == 0)
		json_fail(m, "authInfos", NULL, "be a list of at least one");
	cJSON_ArrayForEach(info, infos) if (m->failed == ERR_OK) check_auth_info(m, c, info);
	c->inquiry.auth_infos = infos;
	parse_optional_principal(m, c);
	parse_client_id(m, c);
	parse_names(m, "policyNamesToAdd", c->inquiry.add, &c->inquiry.add_count);
	parse_names(m, "policyNamesToSkip", c->inquiry.skip, &c->inquiry.skip_count);
	json_only(m, names, COUNT_OF(names));
}

void
parse_get_effective_policies(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "principal",
		"thingName" };

	parse_optional_principal(m, c);
	parse_thing_name(m, "thingName", false, &c->named);
	json_only(m, names, COUNT_OF(names));
}

static void
parse_id(struct members *m, struct command *c)
{
	struct presented presented;

	parse_take(m, x509_read(c->x, &presented));
	c->id = presented.id;
}

void
parse_explain(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "certificateId",
		"certificatePem", "clientId", "topic", "sourceIp" };
	bool by_id = json_has(m, "certificateId");

	if (by_id == json_has(m, "certificatePem"))
		json_fail(m, "certificateId", NULL, "be given, or certificatePem, not both");
	else if (by_id)
		json_certid(m, "certificateId", &c->id);
	else if (parse_pem(m, "certificatePem", true, &c->x))
		parse_id(m, c);
	parse_client_id(m, c);
	c->inquiry.topic = view_of(json_string(m, "topic", 1, 65535, false));
	c->inquiry.source = view_of(json_string(m, "sourceIp", 1, 64, false));
	if (c->inquiry.source.data != NULL && !address_parse(c->inquiry.source).known)
		json_fail(m, "sourceIp", (const char *)c->inquiry.source.data, "be an IP address");
	json_only(m, names, COUNT_OF(names));
}

/*
 * Answers.
 */

/* Names of what has no value here; a sample, if there are more. */
#define MISSING_MAX 100

/*
 * A testAuthorization on its way.  All its policies are asked about all its
 * resources, each policy by itself and all together, one question after the
 * other; a question takes a few milliseconds at most (of a shared subscription
 * policies are asked twice), and there may be thousands.
 */
struct trial {
	struct explain *inquiry;
	size_t info, asked; /* which policy; as many as there are: all together */
	const cJSON *arn;   /* of the next question; NULL: the first */
	size_t spent;       /* steps, of the last question */
	enum policy_result results[AUTH_INFOS_MAX][EXPLAIN_POLICIES_MAX + 1];
};

void
trial_free(struct trial *trial)
{
	if (trial != NULL)
		explain_close(trial->inquiry);
	free(trial);
}

static struct explain_request
request_of(const struct command *c, size_t *steps)
{
	return (struct explain_request){ .principal = c->inquiry.has_principal ? &c->id : NULL,
		.client_id = c->inquiry.client_id,
		.source = c->inquiry.source,
		.add = c->inquiry.add,
		.add_count = c->inquiry.add_count,
		.skip = c->inquiry.skip,
		.skip_count = c->inquiry.skip_count,
		.steps = steps };
}

/* Takes from the budget what was spent; false: that was more than is left. */
static bool
pay(struct command *c, size_t *spent)
{
	size_t steps = *spent;

	*spent = 0;
	if (steps > c->budget->steps) {
		c->budget->steps = 0;
		return false;
	}
	c->budget->steps -= steps;
	return true;
}

static enum err
trial_begin(struct txn *t, struct command *c)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	struct explain_request r;
	enum err e;

	if (trial == NULL)
		return ERR_NOMEM;
	r = request_of(c, &trial->spent);
	e = explain_open(c->gate, t, &r, &trial->inquiry, &c->diag);
	if (e == ERR_OK)
		c->trial = trial;
	else
		trial_free(trial);
	return e;
}

static void
add_policy(cJSON *list, const struct command *c, const struct explain *i, size_t nth)
{
	struct view name = view_of(explain_policy_name(i, nth));
	cJSON *o = cJSON_CreateObject();

	add_view(o, "policyName", name);
	add_name_arn(o, "policyArn", c->account, RESOURCE_POLICY, name);
	cJSON_AddItemToArray(list, o);
}

/* nth: one policy alone; ALL_POLICIES: what a live client would be answered. */
#define ALL_POLICIES ((size_t)-1)

static struct access_question
question_of(enum policy_action action, struct view name)
{
	enum action doing = action == POLICY_RECEIVE ? ACTION_READ
	    : action == POLICY_SUBSCRIBE             ? ACTION_SUBSCRIBE
						     : ACTION_WRITE;

	return (struct access_question){ doing, name, action == POLICY_RETAIN_PUBLISH };
}

static struct access_decision
ask_one(const struct explain *i, size_t nth, enum policy_action action, struct view name)
{
	struct access_question q = question_of(action, name);

	if (action == POLICY_CONNECT)
		return nth == ALL_POLICIES ? explain_connect(i, name)
					   : explain_connect_by(i, nth, name);
	return nth == ALL_POLICIES ? explain_access(i, &q) : explain_access_by(i, nth, &q);
}

/* AWS has three answers: what other plugins decide is not allowed here. */
static enum policy_result
result_of(const struct access_decision *d)
{
	if (d->access == ACCESS_ALLOW)
		return POLICY_ALLOWED;
	return d->basis == BASIS_POLICY && d->result == POLICY_EXPLICIT_DENY ? POLICY_EXPLICIT_DENY
									     : POLICY_IMPLICIT_DENY;
}

static enum policy_action
action_of(const cJSON *info)
{
	struct members m = json_members(info, NULL);
	int word = json_word(&m, "actionType", action_types, COUNT_OF(action_types), true);

	return actions[word];
}

/* To several resources the answer is the worst. */
static enum policy_result
worse_of(enum policy_result a, enum policy_result b)
{
	if (a == POLICY_EXPLICIT_DENY || b == POLICY_EXPLICIT_DENY)
		return POLICY_EXPLICIT_DENY;
	return a == POLICY_ALLOWED ? b : a;
}

/* One question, and where the next one is.  With an explicit Deny no other
 * resource changes the result. */
static void
trial_ask(struct command *c, const cJSON *info)
{
	struct trial *trial = c->trial;
	enum policy_result *result = &trial->results[trial->info][trial->asked];
	enum policy_action action = action_of(info);
	size_t nth = trial->asked < explain_policy_count(trial->inquiry) ? trial->asked
									 : ALL_POLICIES;
	struct access_decision d;

	if (trial->arn == NULL) {
		trial->arn = cJSON_GetObjectItemCaseSensitive(info, "resources")->child;
		*result = POLICY_ALLOWED;
	}
	d = ask_one(trial->inquiry, nth, action, resource_name(c, action, trial->arn->valuestring));
	*result = worse_of(*result, result_of(&d));
	trial->arn = *result != POLICY_EXPLICIT_DENY ? trial->arn->next : NULL;
	if (trial->arn == NULL)
		trial->asked++;
}

/* As much as the slice has room for; *done: all of it. */
static enum err
trial_go_on(struct command *c, bool *done)
{
	struct trial *trial = c->trial;
	const cJSON *info = cJSON_GetArrayItem(c->inquiry.auth_infos, (int)trial->info);

	if (explain_lacks_memory(trial->inquiry))
		return ERR_NOMEM;
	while (info != NULL && !budget_slice_over(c->budget)) {
		trial_ask(c, info);
		if (!pay(c, &trial->spent))
			return refuse_steps(c);
		if (trial->asked <= explain_policy_count(trial->inquiry))
			continue;
		trial->asked = 0;
		trial->info++;
		info = info->next;
	}
	*done = info == NULL;
	return ERR_OK;
}

static void
add_missing(cJSON *o, const struct explain *i)
{
	cJSON *list = cJSON_AddArrayToObject(o, "missingContextValues");
	struct view names[MISSING_MAX];
	size_t count = explain_missing(i, names, MISSING_MAX);

	for (size_t n = 0; n < count; n++) {
		char *text = strndup((const char *)names[n].data, names[n].len);

		if (text != NULL)
			cJSON_AddItemToArray(list, cJSON_CreateString(text));
		free(text);
	}
}

static void
add_result(cJSON *results, const struct command *c, size_t nth, const cJSON *info)
{
	const struct explain *i = c->trial->inquiry;
	const enum policy_result *result = c->trial->results[nth];
	cJSON *o = cJSON_CreateObject(), *denied, *lists[COUNT_OF(result_names)];

	cJSON_AddItemToObject(o, "authInfo", cJSON_Duplicate(info, true));
	lists[POLICY_ALLOWED] = cJSON_AddArrayToObject(cJSON_AddObjectToObject(o, "allowed"),
	    "policies");
	denied = cJSON_AddObjectToObject(o, "denied");
	lists[POLICY_IMPLICIT_DENY] = cJSON_AddArrayToObject(cJSON_AddObjectToObject(denied,
								 "implicitDeny"),
	    "policies");
	lists[POLICY_EXPLICIT_DENY] = cJSON_AddArrayToObject(cJSON_AddObjectToObject(denied,
								 "explicitDeny"),
	    "policies");
	for (size_t n = 0; n < explain_policy_count(i); n++)
		add_policy(lists[result[n]], c, i, n);
	cJSON_AddStringToObject(o, "authDecision", result_names[result[explain_policy_count(i)]]);
	add_missing(o, i);
	cJSON_AddItemToArray(results, o);
}

static void
add_results(struct command *c, cJSON *data)
{
	cJSON *results = cJSON_AddArrayToObject(data, "authResults");
	const cJSON *info;
	size_t nth = 0;

	cJSON_ArrayForEach(info, c->inquiry.auth_infos) add_result(results, c, nth++, info);
	trial_free(c->trial);
	c->trial = NULL;
}

enum err
render_test_authorization(struct txn *t, struct command *c, cJSON *data)
{
	bool done = false;
	enum err e = c->trial == NULL ? trial_begin(t, c) : ERR_OK;

	if (e == ERR_OK)
		e = trial_go_on(c, &done);
	if (done)
		add_results(c, data);
	return e;
}

static enum err
add_effective(struct txn *t, struct command *c, struct view name, size_t *bytes, cJSON *list)
{
	struct policy_record record;
	struct policy_version version;
	cJSON *o;
	enum err e = store_get_policy(t, name, &record);

	if (e == ERR_OK)
		e = store_get_policy_version(t, name, record.default_version, &version);
	if (e == ERR_OK)
		*bytes += version.document.len;
	if (e == ERR_OK && *bytes > c->budget->bytes)
		e = refuse_bytes(c);
	if (e != ERR_OK)
		return e;
	o = cJSON_CreateObject();
	add_view(o, "policyName", name);
	add_name_arn(o, "policyArn", c->account, RESOURCE_POLICY, name);
	add_view(o, "policyDocument", version.document);
	cJSON_AddItemToArray(list, o);
	return ERR_OK;
}

enum err
render_effective_policies(struct txn *t, struct command *c, cJSON *data)
{
	cJSON *list = cJSON_AddArrayToObject(data, "effectivePolicies");
	struct explain_request r = request_of(c, NULL);
	struct explain *i = NULL;
	struct thing thing;
	size_t bytes = 0;
	enum err e = ERR_OK;

	if (c->named.len > 0)
		e = store_get_thing(t, c->named, &thing);
	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "Thing %.*s cannot be found.", (int)c->named.len,
		    (const char *)c->named.data);
	if (e == ERR_OK)
		e = explain_open(c->gate, t, &r, &i, &c->diag);
	for (size_t n = 0; e == ERR_OK && n < explain_policy_count(i); n++)
		e = add_effective(t, c, view_of(explain_policy_name(i, n)), &bytes, list);
	explain_close(i);
	return e;
}

/*
 * explain.
 */

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
add_ground(cJSON *o, const struct explain *i, const struct policy_match *ground)
{
	char version[16];

	(void)snprintf(version, sizeof(version), "%" PRIu32,
	    explain_policy_version(i, ground->policy));
	cJSON_AddStringToObject(o, "policyName", explain_policy_name(i, ground->policy));
	cJSON_AddStringToObject(o, "policyVersionId", version);
	cJSON_AddNumberToObject(o, "statement", (double)ground->statement);
	if (ground->sid.len > 0)
		add_view(o, "sid", ground->sid);
}

/* What is said to one action, and which statement says it, or what else does. */
static void
add_decision(cJSON *data, const char *name, const struct explain *i, enum policy_action action,
    struct view resource)
{
	cJSON *o = cJSON_AddObjectToObject(data, name);
	struct access_decision d = ask_one(i, ALL_POLICIES, action, resource);

	cJSON_AddStringToObject(o, "authDecision",
	    d.access == ACCESS_DEFER ? "DEFERRED" : result_names[result_of(&d)]);
	if (d.basis != BASIS_POLICY)
		cJSON_AddStringToObject(o, "decidedBy", basis_names[d.basis]);
	else if (d.result != POLICY_IMPLICIT_DENY)
		add_ground(o, i, &d.match);
}

/* As far as its status goes; then its policies decide. */
static bool
may_come_in(const struct explanation *ex)
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

/* What the rule or template of its CA says of it. */
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
	if (may_come_in(ex) && c->inquiry.client_id.data != NULL)
		add_decision(o, "policies", i, POLICY_CONNECT, c->inquiry.client_id);
}

/* It is not put off in the middle: what its questions take together is less than
 * STEPS_MAX, and one question more, for which policies are asked twice at most. */
static enum err
add_topic(cJSON *data, struct command *c, const struct explain *i, const size_t *spent)
{
	static const struct {
		const char *name;
		enum policy_action action;
	} asked[] = {
		{ "publish", POLICY_PUBLISH },
		{ "retainPublish", POLICY_RETAIN_PUBLISH },
		{ "subscribe", POLICY_SUBSCRIBE },
		{ "receive", POLICY_RECEIVE },
	};

	for (size_t n = 0; n < COUNT_OF(asked); n++) {
		if (*spent >= STEPS_MAX)
			return refuse_steps(c);
		add_decision(data, asked[n].name, i, asked[n].action, c->inquiry.topic);
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
add_warnings(cJSON *data, const struct explain *i, const struct explanation *ex)
{
	if (ex->chain.text[0] != '\0')
		add_warning(data, ex->chain.text);
	for (size_t n = 0; n < explain_policy_count(i); n++)
		if (explain_policy(i, n) != NULL)
			add_policy_warnings(data, explain_policy(i, n), explain_policy_name(i, n));
}

static enum err
explain(struct txn *t, struct command *c, cJSON *data)
{
	size_t spent = 0;
	struct explain_request r = request_of(c, &spent);
	struct explain *i = NULL;
	struct explanation ex;
	enum err e;

	r.principal = &c->id;
	r.x = c->x;
	e = explain_open(c->gate, t, &r, &i, &c->diag);
	if (e == ERR_OK)
		e = explain_certificate(i, t, &ex);
	if (e == ERR_OK && spent >= STEPS_MAX)
		e = refuse_steps(c);
	if (e == ERR_OK) {
		add_certificate(data, &ex);
		add_plan(data, ex.plan);
		add_connect(data, c, i, &ex);
	}
	if (e == ERR_OK && c->inquiry.topic.data != NULL)
		e = add_topic(data, c, i, &spent);
	if (e == ERR_OK) {
		add_missing(data, i);
		add_warnings(data, i, &ex);
	}
	if (!pay(c, &spent) && e == ERR_OK)
		e = refuse_steps(c);
	explain_close(i);
	return e;
}

enum err
render_explain(struct txn *t, struct command *c, cJSON *data)
{
	enum err e = load_certificate(t, c);

	return e == ERR_OK ? explain(t, c, data) : e;
}
