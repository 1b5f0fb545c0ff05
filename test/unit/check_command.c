/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_command.c - the questions of commands about rights, and their notices of changes.
 *
 * The test answers the questions as it wants, and records them and the notices (contract, section 3; aws-iot 1.5).  Requests are written with ' for ", and with
 * <id> for the certificate's id.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "jitr/api/request.h"
#include "jitr/core/text.h"
#include "suite.h"
#include "world.h"

static struct report *report;
static struct crls *crls;
static struct api *api;
static struct stats stats;
static struct judge judge;
static struct pki_cert *device;
static cJSON *answer;

/*
 * The gate.
 */

static enum administration administration;
static const char *allowed; /* the only action that is allowed; NULL: none */
static char notes[4096];    /* questions and notices, one per line */

static void PRINTF_LIKE(1, 2) note(const char *fmt, ...)
{
	size_t len = strlen(notes);
	va_list args;

	va_start(args, fmt);
	vsnprintf(notes + len, sizeof(notes) - len, fmt, args);
	va_end(args);
}

/* The linker replaces the judge's functions with these. */
enum administration __wrap_caller_rights_refresh(struct caller_rights *r);
bool __wrap_caller_rights_may(const struct caller_rights *r, const char *action,
    const char *resource, const char *also);

enum administration
__wrap_caller_rights_refresh(struct caller_rights *r)
{
	ck_assert_str_eq(r->caller->client_id, "c1");
	return administration;
}

bool
__wrap_caller_rights_may(const struct caller_rights *r, const char *action, const char *resource,
    const char *also)
{
	ck_assert_str_eq(r->caller->client_id, "c1");
	note("%s %s %s\n", action, resource != NULL ? resource : "*", also != NULL ? also : "-");
	return allowed != NULL && strcmp(allowed, action) == 0;
}

static void
certificate_changed(void *context, const struct certid *id_or_null)
{
	char hex[CERTID_HEX_SIZE];

	(void)context;
	certid_to_hex(id_or_null, hex);
	note("certificate %s\n", hex);
}

static void
policy_changed(void *context, struct view name)
{
	(void)context;
	note("policy %.*s\n", (int)name.len, (const char *)name.data);
}

static void
thing_changed(void *context, struct view name)
{
	(void)context;
	note("thing %.*s\n", (int)name.len, (const char *)name.data);
}

static const struct change_listener listener = { .certificate = certificate_changed,
	.policy = policy_changed,
	.thing = thing_changed };

/*
 * Asking.
 */

static const char *
expand(const char *text)
{
	static char buffer[8192];
	struct text t = text_in(buffer, sizeof(buffer));

	while (*text != '\0') {
		bool id = strncmp(text, "<id>", 4) == 0;

		text_addf(&t, "%s",
		    id ? world_hex(device) : (char[]){ *text == '\'' ? '"' : *text, 0 });
		text += id ? 4 : 1;
	}
	ck_assert(!t.cut);
	return buffer;
}

static void
keep_answer(void *context, const struct control_answer *a)
{
	struct diag diag = { "" };

	(void)context;
	ck_assert_uint_eq(a->number, 3);
	ck_assert_uint_eq(a->session, 1);
	ck_assert_int_eq(json_parse(a->payload, 16, &answer, &diag), ERR_OK);
}

static void
ask(const char *commands)
{
	char text[4096];
	struct control_request request = {
		.number = 3,
		.caller = { .session = 1, .client_id = "c1", .user_name = "u1", .address = "::1" }
	};

	notes[0] = '\0';
	snprintf(text, sizeof(text), "{'commands':[%s]}", commands);
	cJSON_Delete(answer);
	answer = NULL;
	request.payload = view_of(expand(text));
	api_request(api, &request);
	world_settle();
	ck_assert_ptr_nonnull(answer);
}

static const char *
member(int nth, const char *name)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "responses");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(list, nth), name);

	return cJSON_IsString(value) ? value->valuestring : "";
}

static void
ck_notes(const char *expected)
{
	static char text[sizeof(notes)];

	snprintf(text, sizeof(text), "%s", expand(expected));
	ck_assert_str_eq(notes, text);
}

static void
set_up(void)
{
	struct crls_config crls_config = { .stats = &stats,
		.listener = &listener,
		.now = world_now };
	struct report_config report_config = { .account_id = "123456789012",
		.sink = world_sink,
		.now = world_now };
	struct api_config config = { .account_id = "123456789012",
		.region = "eu-central-1",
		.store = NULL,
		.stats = &stats,
		.judge = &judge,
		.answer = keep_answer,
		.now = world_now,
		.clock_us = world_clock_us };

	world_open();
	device = pki_ca("device");
	world_put_cert(device, NULL, CERT_ACTIVE);
	world_start_writer(64, 16);
	ck_assert_int_eq(report_open(&report_config, &report), ERR_OK);
	config.ca_path = world.ca_path;
	config.listener = &listener;
	config.store = world.store;
	config.writer = world.writer;
	config.report = crls_config.report = report;
	crls_config.store = world.store;
	crls_config.writer = world.writer;
	ck_assert_int_eq(crls_open(&crls_config, &crls), ERR_OK);
	config.crls = crls;
	ck_assert_int_eq(api_open(&config, &api), ERR_OK);
}

static void
tear_down(void)
{
	cJSON_Delete(answer);
	answer = NULL;
	world_stop_writer();
	api_close(api);
	crls_close(crls);
	report_close(report);
	pki_free(device);
	world_close();
}

/*
 * Rights: contract, section 3.
 */

#define ATTACHING "'policyName':'p','target':'<id>'"
#define PRINCIPAL "'policyName':'p','principal':'<id>'"
#define OF_THING  "'thingName':'t','principal':'arn:aws:iot:eu-central-1:123456789012:cert/<id>'"

/* After AWS's service authorization reference.  The content need not be valid. */
static const struct {
	const char *name, *members, *question;
} questions[] = {
	{ "attachPolicy", ATTACHING, "iot:AttachPolicy cert/<id> policy/p" },
	{ "attachPrincipalPolicy", PRINCIPAL, "iot:AttachPrincipalPolicy cert/<id> policy/p" },
	{ "attachThingPrincipal", OF_THING, "iot:AttachThingPrincipal cert/<id> thing/t" },
	{ "createPolicy", "'policyName':'p','policyDocument':'garbage'",
	    "iot:CreatePolicy policy/p -" },
	{ "createPolicyVersion", "'policyName':'p','policyDocument':'garbage'",
	    "iot:CreatePolicyVersion policy/p -" },
	{ "createProvisioningTemplate", "'templateName':'f','templateBody':'garbage','type':'JITP'",
	    "iot:CreateProvisioningTemplate provisioningtemplate/f -" },
	{ "createThing", "'thingName':'t'", "iot:CreateThing thing/t -" },
	{ "deleteCACertificate", "'certificateId':'<id>'",
	    "iot:DeleteCACertificate cacert/<id> -" },
	{ "deleteCertificate", "'certificateId':'<id>'", "iot:DeleteCertificate cert/<id> -" },
	{ "deleteCrl", "'caCertificateId':'<id>'", "iot:DeleteCrl cacert/<id> -" },
	{ "deletePolicy", "'policyName':'p'", "iot:DeletePolicy policy/p -" },
	{ "deletePolicyVersion", "'policyName':'p','policyVersionId':'1'",
	    "iot:DeletePolicyVersion policy/p -" },
	{ "deleteProvisioningTemplate", "'templateName':'f'",
	    "iot:DeleteProvisioningTemplate provisioningtemplate/f -" },
	{ "deleteRegistrationCode", "", "iot:DeleteRegistrationCode * -" },
	{ "deleteThing", "'thingName':'t'", "iot:DeleteThing thing/t -" },
	{ "describeCACertificate", "'certificateId':'<id>'",
	    "iot:DescribeCACertificate cacert/<id> -" },
	{ "describeCertificate", "'certificateId':'<id>'", "iot:DescribeCertificate cert/<id> -" },
	{ "describeCrl", "'caCertificateId':'<id>'", "iot:DescribeCrl cacert/<id> -" },
	{ "describeEndpoint", "", "iot:DescribeEndpoint * -" },
	{ "describeProvisioningTemplate", "'templateName':'f'",
	    "iot:DescribeProvisioningTemplate provisioningtemplate/f -" },
	{ "describeThing", "'thingName':'t'", "iot:DescribeThing thing/t -" },
	{ "detachPolicy", ATTACHING, "iot:DetachPolicy cert/<id> policy/p" },
	{ "detachPrincipalPolicy", PRINCIPAL, "iot:DetachPrincipalPolicy cert/<id> policy/p" },
	{ "detachThingPrincipal", OF_THING, "iot:DetachThingPrincipal cert/<id> thing/t" },
	{ "explain", "'certificateId':'<id>'", "iot:Explain cert/<id> -" },
	{ "getEffectivePolicies", "'principal':'<id>'", "iot:GetEffectivePolicies cert/<id> -" },
	{ "getPolicy", "'policyName':'p'", "iot:GetPolicy policy/p -" },
	{ "getPolicyVersion", "'policyName':'p','policyVersionId':'1'",
	    "iot:GetPolicyVersion policy/p -" },
	{ "getRegistrationCode", "", "iot:GetRegistrationCode * -" },
	{ "importCrl", "'caCertificateId':'<id>','crl':'garbage'", "iot:ImportCrl cacert/<id> -" },
	{ "listAttachedPolicies", "'target':'<id>'", "iot:ListAttachedPolicies cert/<id> -" },
	{ "listCACertificates", "", "iot:ListCACertificates * -" },
	{ "listCertificates", "", "iot:ListCertificates * -" },
	{ "listCertificatesByCA", "'caCertificateId':'<id>'", "iot:ListCertificatesByCA * -" },
	{ "listPolicies", "", "iot:ListPolicies * -" },
	{ "listPolicyPrincipals", "'policyName':'p'", "iot:ListPolicyPrincipals policy/p -" },
	{ "listPolicyVersions", "'policyName':'p'", "iot:ListPolicyVersions policy/p -" },
	{ "listPrincipalPolicies", "'principal':'<id>'", "iot:ListPrincipalPolicies cert/<id> -" },
	{ "listPrincipalThings", "'principal':'<id>'", "iot:ListPrincipalThings cert/<id> -" },
	{ "listProvisioningTemplates", "", "iot:ListProvisioningTemplates * -" },
	{ "listTargetsForPolicy", "'policyName':'p'", "iot:ListTargetsForPolicy policy/p -" },
	{ "listThingPrincipals", "'thingName':'t'", "iot:ListThingPrincipals thing/t -" },
	{ "listThings", "", "iot:ListThings * -" },
	{ "registerCACertificate", "'caCertificate':'x','certificateMode':'SNI_ONLY'",
	    "iot:RegisterCACertificate * -" },
	{ "registerCertificate", "'certificatePem':'x'", "iot:RegisterCertificate * -" },
	{ "registerCertificateWithoutCA", "'certificatePem':'x'",
	    "iot:RegisterCertificateWithoutCA * -" },
	{ "setDefaultPolicyVersion", "'policyName':'p','policyVersionId':'1'",
	    "iot:SetDefaultPolicyVersion policy/p -" },
	{ "testAuthorization",
	    "'principal':'<id>','authInfos':[{'actionType':'CONNECT','resources':"
	    "['arn:aws:iot:eu-central-1:123456789012:client/c']}]",
	    "iot:TestAuthorization cert/<id> -" },
	{ "updateCACertificate", "'certificateId':'<id>'",
	    "iot:UpdateCACertificate cacert/<id> -" },
	{ "updateCertificate", "'certificateId':'<id>','newStatus':'INACTIVE'",
	    "iot:UpdateCertificate cert/<id> -" },
	{ "updateProvisioningTemplate", "'templateName':'f'",
	    "iot:UpdateProvisioningTemplate provisioningtemplate/f -" },
	{ "updateThing", "'thingName':'t'", "iot:UpdateThing thing/t -" },
};

START_TEST(each_command_needs_its_action_on_its_resource)
{
	struct cert cert;
	char text[1000];

	administration = ADMINISTRATION_BY_POLICY;
	snprintf(text, sizeof(text), "{'command':'%s'%s%s}", questions[_i].name,
	    questions[_i].members[0] != '\0' ? "," : "", questions[_i].members);
	ask(text);
	snprintf(text, sizeof(text), "%s\n", questions[_i].question);
	ck_notes(text);
	ck_assert_str_eq(member(0, "error"), "AccessDeniedException");
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(questions[_i].question, " "),
	    questions[_i].question);
	ck_assert_msg(strstr(member(0, "message"), text) != NULL, "%s", member(0, "message"));
	ck_assert(world_get_cert(device, &cert));
	ck_assert_uint_eq(cert.version, 1);
	ck_assert(world_said("not allowed by a policy"));
}
END_TEST

START_TEST(every_command_has_a_row_in_this_table)
{
	const struct command_type *type;
	size_t count = 0, at;

	for (; (type = command_at(count)) != NULL; count++) {
		for (at = 0; at < COUNT_OF(questions); at++)
			if (strcmp(questions[at].name, type->name) == 0)
				break;
		ck_assert_msg(at < COUNT_OF(questions), "%s", type->name);
	}
	ck_assert_uint_eq(COUNT_OF(questions), count);
}
END_TEST

/* contract, section 6: a new change states the rights that its content exercises. */
START_TEST(every_change_states_the_rights_of_its_content)
{
	const struct command_type *type;

	for (size_t i = 0; (type = command_at(i)) != NULL; i++) {
		if (type->run != NULL)
			ck_assert_msg((type->content != NULL) != type->plain, "%s", type->name);
		else
			ck_assert_msg(type->content == NULL && !type->plain, "%s", type->name);
	}
}
END_TEST

/* A policy that allows "iot:Sub*" allows no action of the registry. */
START_TEST(no_command_begins_like_an_action_of_devices)
{
	const struct command_type *type;

	for (size_t i = 0; (type = command_at(i)) != NULL; i++)
		for (int a = 0; a < POLICY_CONTROL; a++)
			ck_assert_msg(strncasecmp(type->name,
					  policy_action_name((enum policy_action)a) +
					      strlen("iot:"),
					  3) != 0,
			    "%s", type->name);
}
END_TEST

START_TEST(a_refusal_names_action_and_resource)
{
	administration = ADMINISTRATION_BY_POLICY;
	ask("{'command':'attachPolicy'," ATTACHING "},{'command':'listThings'}");
	ck_assert_str_eq(member(0, "message"),
	    expand(
		"No policy of this client allows "
		"iot:AttachPolicy on arn:aws:iot:eu-central-1:123456789012:cert/<id>, or one denies it "
		"on policy/p"));
	ck_assert_str_eq(member(1, "message"),
	    "No policy of this client allows iot:ListThings on *");
}
END_TEST

/* An activation program may activate and attach and nothing else. */
START_TEST(allowed_commands_are_carried_out_beside_denied_ones)
{
	struct cert cert;

	administration = ADMINISTRATION_BY_POLICY;
	allowed = "iot:UpdateCertificate";
	stats.denied = 0;
	ask("{'command':'deleteCertificate','certificateId':'<id>'},"
	    "{'command':'updateCertificate','certificateId':'<id>','newStatus':'INACTIVE'},"
	    "{'command':'describeCertificate','certificateId':'<id>'}");
	ck_assert_str_eq(member(0, "error"), "AccessDeniedException");
	ck_assert_str_eq(member(1, "error"), "");
	ck_assert_str_eq(member(2, "error"), "AccessDeniedException");
	ck_assert(world_get_cert(device, &cert));
	ck_assert_int_eq(cert.status, CERT_INACTIVE);
	ck_assert_uint_eq(stats.denied, 1); /* one request */
}
END_TEST

/* aws-iot 1.5: syntax before permission, permission before existence and content. */
START_TEST(permission_is_checked_after_syntax_and_before_everything_else)
{
	administration = ADMINISTRATION_BY_POLICY;
	ask("{'command':'getPolicy','policyName':'p p'},{'command':'nothing'},7,"
	    "{'command':'getPolicy','policyName':'missing'},"
	    "{'command':'createPolicy','policyName':'p','policyDocument':'garbage'}");
	ck_notes("iot:GetPolicy policy/missing -\niot:CreatePolicy policy/p -\n");
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(member(i, "error"), "InvalidRequestException");
	ck_assert_str_eq(member(3, "error"), "AccessDeniedException");
	ck_assert_str_eq(member(4, "error"), "AccessDeniedException");
	allowed = "iot:CreatePolicy";
	ask("{'command':'createPolicy','policyName':'p','policyDocument':'garbage'}");
	ck_assert_str_eq(member(0, "error"), "MalformedPolicyException");
	allowed = "iot:GetPolicy";
	ask("{'command':'getPolicy','policyName':'missing'}");
	ck_assert_str_eq(member(0, "error"), "ResourceNotFoundException");
}
END_TEST

START_TEST(no_question_is_asked_for_clients_with_no_right_or_all)
{
	administration = ADMINISTRATION_NONE;
	ask("{'command':'getPolicy','policyName':'p'}");
	ck_notes("");
	ck_assert_str_eq(member(0, "error"), "AccessDeniedException");
	administration = ADMINISTRATION_ALL;
	ask("{'command':'getPolicy','policyName':'p'}");
	ck_notes("");
	ck_assert_str_eq(member(0, "error"), "ResourceNotFoundException");
}
END_TEST

/*
 * Notices.
 */

#define DOCUMENT \
	"'policyDocument':'{\\'Version\\':\\'2012-10-17\\',\\'Statement\\':[{" \
	"\\'Effect\\':\\'Allow\\',\\'Action\\':\\'iot:Connect\\',\\'Resource\\':\\'*\\'}]}'"

static const struct {
	const char *command, *notes;
} changes[] = {
	{ "{'command':'createPolicy','policyName':'p'," DOCUMENT "}",
	    "policy p\n" }, /* a device may wait for it */
	{ "{'command':'attachPolicy'," ATTACHING "}", "certificate <id>\n" },
	{ "{'command':'createPolicyVersion','policyName':'p'," DOCUMENT "}", "" },
	{ "{'command':'createPolicyVersion','policyName':'p','setAsDefault':true," DOCUMENT "}",
	    "policy p\n" },
	{ "{'command':'setDefaultPolicyVersion','policyName':'p','policyVersionId':'1'}",
	    "policy p\n" },
	{ "{'command':'setDefaultPolicyVersion','policyName':'p','policyVersionId':'9'}", "" },
	{ "{'command':'deletePolicyVersion','policyName':'p','policyVersionId':'3'}", "" },
	{ "{'command':'deletePolicyVersion','policyName':'p','policyVersionId':'2'}", "" },
	{ "{'command':'deletePolicy','policyName':'p'}", "" }, /* it is attached */
	{ "{'command':'detachPrincipalPolicy'," PRINCIPAL "}", "certificate <id>\n" },
	{ "{'command':'deletePolicy','policyName':'p'}", "policy p\n" },
	{ "{'command':'createThing','thingName':'t'}", "thing t\n" },
	{ "{'command':'attachThingPrincipal'," OF_THING "}", "certificate <id>\n" },
	{ "{'command':'updateThing','thingName':'t'}", "thing t\n" },
	{ "{'command':'detachThingPrincipal'," OF_THING "}", "certificate <id>\n" },
	{ "{'command':'deleteThing','thingName':'t'}", "thing t\n" },
	{ "{'command':'updateCertificate','certificateId':'<id>','newStatus':'INACTIVE'}",
	    "certificate <id>\n" },
	{ "{'command':'listPolicies'},{'command':'listThings'}", "" },
};

/* After a commit: the changed resource only.  Each row begins where the last one ended. */
START_TEST(the_gate_is_told_about_changes_that_concern_clients)
{
	administration = ADMINISTRATION_ALL;
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		ask(changes[i].command);
		ck_assert_msg(strcmp(notes, expand(changes[i].notes)) == 0, "%s: %s (%s)",
		    changes[i].command, notes, member(0, "message"));
	}
}
END_TEST

START_TEST(the_gate_is_not_told_about_a_failed_commit)
{
	administration = ADMINISTRATION_ALL;
	world_break_disk();
	ask("{'command':'createThing','thingName':'t'}");
	world_release_writer();
	ck_notes("");
}
END_TEST

START_TEST(the_log_names_both_resources)
{
	administration = ADMINISTRATION_ALL;
	ask("{'command':'createPolicy','policyName':'p'," DOCUMENT "},"
	    "{'command':'attachPolicy'," ATTACHING "}");
	ck_assert(
	    world_said("command=createPolicy user=\"u1\" client=\"c1\" result=done policy=p"));
	ck_assert(world_said(expand("command=attachPolicy user=\"u1\" client=\"c1\" result=done "
				    "certificate=<id> policy=p")));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("command");
	TCase *t = suite_case(suite, "permission"), *n = suite_case(suite, "notices");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, each_command_needs_its_action_on_its_resource, 0,
	    COUNT_OF(questions));
	tcase_add_test(t, every_command_has_a_row_in_this_table);
	tcase_add_test(t, every_change_states_the_rights_of_its_content);
	tcase_add_test(t, no_command_begins_like_an_action_of_devices);
	tcase_add_test(t, a_refusal_names_action_and_resource);
	tcase_add_test(t, allowed_commands_are_carried_out_beside_denied_ones);
	tcase_add_test(t, permission_is_checked_after_syntax_and_before_everything_else);
	tcase_add_test(t, no_question_is_asked_for_clients_with_no_right_or_all);
	tcase_add_checked_fixture(n, set_up, tear_down);
	tcase_add_test(n, the_gate_is_told_about_changes_that_concern_clients);
	tcase_add_test(n, the_gate_is_not_told_about_a_failed_commit);
	tcase_add_test(n, the_log_names_both_resources);
	return suite_run(suite);
}
