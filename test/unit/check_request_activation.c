/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_request_activation.c - control requests about activation: rules of CAs, provisioning
 * templates (aws-iot E), and the reasons that a certificate shows.
 *
 * check_rule_compile.c and check_template.c test which rules and templates are accepted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requests.h"
#include "suite.h"

#define INVALID "InvalidRequestException"

#define UPDATE(members) "{'command':'updateCACertificate','certificateId':'<ca id>'," members "}"
#define DESCRIBE_CA     "{'command':'describeCACertificate','certificateId':'<ca id>'}"
#define CREATE(name) \
	"{'command':'createProvisioningTemplate','templateName':'" name "'," \
	"'templateBody':'<template>','provisioningRoleArn':'<role>','type':'JITP'"
#define OF(command, name) "{'command':'" command "ProvisioningTemplate','templateName':'" name "'"
#define RULE              "{\\'policies\\':[\\'device\\']}"

static const cJSON *
part(const cJSON *o, const char *name)
{
	return cJSON_GetObjectItem(o, name);
}

/*
 * Rules.
 */

/* The value that describeCACertificate shows; "" for none. */
static const char *
activation(void)
{
	const char *text;

	ask(DESCRIBE_CA);
	text = member(data(0), "activation");
	return strcmp(text, "(none)") == 0 ? "" : text;
}

static bool
automatic(void)
{
	ask(DESCRIBE_CA);
	return strcmp(member(part(data(0), "certificateDescription"), "autoRegistrationStatus"),
		   "ENABLE") == 0;
}

START_TEST(a_rule_is_shown_verbatim_and_removed)
{
	ask(UPDATE("'activation':' {\\'policies\\' : \\'device\\'}\\n'"));
	ck_done(0);
	ck_assert_str_eq(activation(), " {\"policies\" : \"device\"}\n");
	ask(UPDATE("'newStatus':'INACTIVE'"));
	ck_assert_str_eq(activation(), " {\"policies\" : \"device\"}\n");
	ask(UPDATE("'activation':'none'"));
	ck_done(0);
	ck_assert_str_eq(activation(), "");
}
END_TEST

START_TEST(the_word_rule_stands_for_the_rule_without_conditions)
{
	ask(UPDATE("'activation':'rule'"));
	ck_done(0);
	ck_assert_str_eq(activation(), "{}");
}
END_TEST

START_TEST(a_ca_is_registered_with_its_rule)
{
	ask("{'command':'registerCACertificate','caCertificate':'<other pem>',"
	    "'verificationCertificate':'<proof pem>','activation':'" RULE "'}");
	ask("{'command':'describeCACertificate','certificateId':'<other id>'}");
	ck_assert_str_eq(member(data(0), "activation"), "{\"policies\":[\"device\"]}");
}
END_TEST

START_TEST(a_rule_excludes_a_template_and_the_error_says_how_to_choose)
{
	ask(UPDATE("'activation':'rule'") "," UPDATE(
	    "'registrationConfig':{'templateBody':'<template>'}"));
	ck_done(0);
	ck_error(1, INVALID,
	    "activation none removes the rule, removeAutoRegistration the template");
	ask(UPDATE("'activation':'none','registrationConfig':{'templateBody':'<template>'}") "," UPDATE(
	    "'activation':'rule'"));
	ck_done(0);
	ck_error(1, INVALID, "exclude each other");
	ck_assert_str_eq(activation(), "");
	ask(UPDATE("'removeAutoRegistration':true,'activation':'rule'"));
	ck_done(0);
	ck_assert_str_eq(activation(), "{}");
	ck_assert(!automatic());
}
END_TEST

/*
 * Templates.
 */

START_TEST(a_template_is_created_and_described)
{
	ask(CREATE("site") ",'description':'all of them','enabled':true,"
			   "'tags':[{'Key':'k','Value':'v'}]}," OF("describe", "site") "}");
	ck_response(0,
	    "{'command':'createProvisioningTemplate','data':{"
	    "'templateArn':'<arn>provisioningtemplate/site','templateName':'site',"
	    "'defaultVersionId':1}}");
	ck_response(1,
	    "{'command':'describeProvisioningTemplate','data':{"
	    "'templateArn':'<arn>provisioningtemplate/site','templateName':'site',"
	    "'description':'all of them','creationDate':<now>,'lastModifiedDate':<now>,"
	    "'defaultVersionId':1,'enabled':true,'type':'JITP','templateBody':'<template>',"
	    "'provisioningRoleArn':'<role>'}}");
}
END_TEST

/* As AWS. */
START_TEST(a_template_is_disabled_by_default)
{
	ask(CREATE("site") "}," OF("describe", "site") "}");
	ck_assert(cJSON_IsFalse(part(data(1), "enabled")));
	ask(OF("update", "site") ",'enabled':true}," OF("describe", "site") "}");
	ck_done(0);
	ck_assert(cJSON_IsTrue(part(data(1), "enabled")));
}
END_TEST

START_TEST(an_update_keeps_the_values_that_it_does_not_name)
{
	ask(CREATE("site") ",'description':'old','enabled':true}");
	ask(OF("update", "site") ",'description':'new'}," OF("describe", "site") "}");
	ck_done(0);
	ck_assert_str_eq(member(data(1), "description"), "new");
	ck_assert(cJSON_IsTrue(part(data(1), "enabled")));
	ck_assert_str_eq(member(data(1), "provisioningRoleArn"), expand("<role>"));
	ck_assert_str_eq(member(data(1), "templateBody"), TEMPLATE);
}
END_TEST

START_TEST(templates_are_listed_by_name_and_page_by_page)
{
	ask(CREATE("b") "}," CREATE("c") "}," CREATE(
	    "a") "},"
		 "{'command':'listProvisioningTemplates','maxResults':2}");
	ck_assert_str_eq(member(cJSON_GetArrayItem(part(data(3), "templates"), 0), "templateName"),
	    "a");
	ck_assert_str_eq(member(cJSON_GetArrayItem(part(data(3), "templates"), 1), "templateName"),
	    "b");
	word("token", member(data(3), "nextToken"));
	ask("{'command':'listProvisioningTemplates','nextToken':'<token>'}");
	ck_response(0,
	    "{'command':'listProvisioningTemplates','data':{'templates':[{"
	    "'templateArn':'<arn>provisioningtemplate/c','templateName':'c','creationDate':<now>,"
	    "'lastModifiedDate':<now>,'enabled':false,'type':'JITP'}]}}");
}
END_TEST

START_TEST(a_template_that_a_ca_names_is_not_deleted)
{
	ask(CREATE("site") "}," UPDATE(
	    "'registrationConfig':{'templateName':'site'}") "," OF("delete",
	    "site") "}," DESCRIBE_CA);
	ck_done(1);
	ck_error(2, "DeleteConflictException", "named by the CA certificate <ca id>");
	ck_assert_str_eq(member(part(data(3), "registrationConfig"), "templateName"), "site");
	ask(UPDATE("'removeAutoRegistration':true") "," OF("delete", "site") "}," OF("describe",
	    "site") "}");
	ck_done(0);
	ck_done(1);
	ck_error(2, "ResourceNotFoundException", "not found (name=site)");
}
END_TEST

START_TEST(cas_are_listed_by_their_template)
{
	ask(CREATE("site") "}," UPDATE(
	    "'registrationConfig':{'templateName':'site'}") ","
							    "{'command':'listCACertificates','templateName':'site'},"
							    "{'command':'listCACertificates','templateName':'other'}");
	ck_assert_int_eq(cJSON_GetArraySize(part(data(2), "certificates")), 1);
	ck_assert_int_eq(cJSON_GetArraySize(part(data(3), "certificates")), 0);
}
END_TEST

/*
 * Mistakes.
 */

static const struct {
	const char *command, *error, *message;
} mistakes[] = {
	{ UPDATE("'activation':''"), INVALID, "at 'activation' failed" },
	{ UPDATE("'activation':{}"), INVALID, "at 'activation' failed" },
	{ UPDATE("'activation':'Rule'"), INVALID, "activation" },
	{ UPDATE("'activation':'{\\'polices\\':[]}'"), INVALID,
	    "activation: unknown member 'polices'" },
	{ UPDATE("'activation':'{\\'conditions\\':{\\'StringEqual\\':{}}}'"), INVALID,
	    "activation: conditions.StringEqual: unknown operator" },
	{ UPDATE("'registrationConfig':{'templateBody':'{}'}"), INVALID,
	    "templateBody: Resources: is missing" },
	{ UPDATE("'registrationConfig':{'templateName':'nobody'}"), "ResourceNotFoundException",
	    "no provisioning template nobody" },
	{ CREATE("t t") "}", INVALID, "'t t' at 'templateName' failed" },
	{ CREATE("a23456789012345678901234567890123456-") "}", INVALID,
	    "at 'templateName' failed" },
	{ CREATE("site") ",'description':7}", INVALID, "at 'description' failed" },
	{ CREATE("site") ",'preProvisioningHook':{}}", INVALID,
	    "Unknown member 'preProvisioningHook'" },
	{ "{'command':'createProvisioningTemplate','templateName':'t','type':'JITP'}", INVALID,
	    "at 'templateBody' failed" },
	{ "{'command':'createProvisioningTemplate','templateName':'t','templateBody':'{}','type':'JITP'}",
	    INVALID, "templateBody: Resources: is missing" },
	{ "{'command':'createProvisioningTemplate','templateName':'t','templateBody':'<template>',"
	  "'type':'FLEET_PROVISIONING'}",
	    INVALID, "type JITP" },
	{ "{'command':'createProvisioningTemplate','templateName':'t','templateBody':'<template>',"
	  "'type':'JITP','provisioningRoleArn':'short'}",
	    INVALID, "at 'provisioningRoleArn' failed" },
	{ OF("describe", "nobody") "}", "ResourceNotFoundException", "(name=nobody)" },
	{ OF("update", "nobody") ",'enabled':true}", "ResourceNotFoundException", "(name=nobody)" },
	{ OF("update", "nobody") ",'templateBody':'{}'}", INVALID,
	    "Unknown member 'templateBody'" },
	{ OF("delete", "nobody") "}", "ResourceNotFoundException", "(name=nobody)" },
	{ "{'command':'listProvisioningTemplates','maxResults':0}", INVALID,
	    "at 'maxResults' failed" },
	{ "{'command':'listCertificates','status':'LOST'}", INVALID, "at 'status' failed" },
};

START_TEST(a_mistake_is_named_and_changes_nothing)
{
	ask(mistakes[_i].command);
	ck_error(0, mistakes[_i].error, mistakes[_i].message);
	ask("{'command':'listProvisioningTemplates'}," DESCRIBE_CA);
	ck_assert_int_eq(cJSON_GetArraySize(part(data(0), "templates")), 0);
	ck_assert_ptr_null(part(data(1), "activation"));
	ck_assert_ptr_null(part(data(1), "registrationConfig"));
}
END_TEST

START_TEST(a_template_name_exists_once)
{
	ask(CREATE("site") "}," CREATE("site") "}");
	ck_error(1, "ResourceAlreadyExistsException", "already exists (name=site)");
}
END_TEST

/*
 * Answers about certificates.
 */

static void
put_refusal(const struct pki_cert *c)
{
	struct refusal refusal = { .time = world_now(),
		.client_id = view_of("d \"1\""),
		.address = view_of("192.0.2.7"),
		.code = view_of("ACTIVATION_RULE_NOT_MET"),
		.details = view_of("not one of ours") };
	struct cert_note note = { .time = world_now(),
		.text = view_of("not one of ours"),
		.superseded = true };
	struct certid id = world_id(c);
	struct txn t;

	note.successor = world_id(second);
	world_change(&t);
	store_put_refusal(&t, &id, &refusal);
	store_put_cert_note(&t, &id, &note);
	world_commit(&t);
}

static void
ck_said(const char *name, const char *expected)
{
	cJSON *want = cJSON_Parse(expand(expected));

	ck_assert_ptr_nonnull(want);
	ck_assert(cJSON_Compare(part(part(data(0), "certificateDescription"), name), want, true));
	cJSON_Delete(want);
}

START_TEST(a_certificate_shows_the_reasons_of_its_status_and_last_refusal)
{
	world_put_cert(device, ca, CERT_PENDING_ACTIVATION);
	put_refusal(device);
	ask("{'command':'describeCertificate','certificateId':'<device id>'}");
	ck_said("statusReason",
	    "{'details':'not one of ours','date':<now>,"
	    "'successorCertificateId':'<second id>'}");
	ck_said("lastRefusal",
	    "{'reason':'ACTIVATION_RULE_NOT_MET','details':'not one of ours',"
	    "'date':<now>,'clientId':'d \\'1\\'','sourceIp':'192.0.2.7'}");
}
END_TEST

static int
listed(int nth)
{
	return cJSON_GetArraySize(part(data(nth), "certificates"));
}

START_TEST(certificates_are_listed_by_status)
{
	world_put_cert(device, ca, CERT_PENDING_ACTIVATION);
	world_put_cert(second, ca, CERT_ACTIVE);
	world_put_cert(stranger, other, CERT_PENDING_ACTIVATION);
	ask("{'command':'listCertificates','status':'PENDING_ACTIVATION'},"
	    "{'command':'listCertificates','status':'ACTIVE'},"
	    "{'command':'listCertificates','status':'REVOKED'},"
	    "{'command':'listCertificatesByCA','caCertificateId':'<ca id>',"
	    "'status':'PENDING_ACTIVATION'},"
	    "{'command':'listCertificates','status':'PENDING_ACTIVATION','pageSize':1}");
	ck_assert_int_eq(listed(0), 2);
	ck_assert_int_eq(listed(1), 1);
	ck_assert_int_eq(listed(2), 0);
	ck_assert_int_eq(listed(3), 1);
	ck_assert_str_eq(member(cJSON_GetArrayItem(part(data(3), "certificates"), 0),
			     "certificateId"),
	    world_hex(device));
	ck_assert_int_eq(listed(4), 1);
	word("mark", member(data(4), "nextMarker"));
	ask("{'command':'listCertificates','status':'PENDING_ACTIVATION','marker':'<mark>'}");
	ck_assert_int_eq(listed(0), 1);
	ck_assert_ptr_null(part(data(0), "nextMarker"));
}
END_TEST

static TCase *
requests_case(Suite *s, const char *name)
{
	TCase *t = suite_case(s, name);

	tcase_add_checked_fixture(t, requests_open, requests_close);
	return t;
}

int
main(void)
{
	Suite *s = suite_create("request_activation");
	TCase *t = requests_case(s, "rules");

	tcase_add_test(t, a_rule_is_shown_verbatim_and_removed);
	tcase_add_test(t, the_word_rule_stands_for_the_rule_without_conditions);
	tcase_add_test(t, a_ca_is_registered_with_its_rule);
	tcase_add_test(t, a_rule_excludes_a_template_and_the_error_says_how_to_choose);
	t = requests_case(s, "templates");
	tcase_add_test(t, a_template_is_created_and_described);
	tcase_add_test(t, a_template_is_disabled_by_default);
	tcase_add_test(t, an_update_keeps_the_values_that_it_does_not_name);
	tcase_add_test(t, templates_are_listed_by_name_and_page_by_page);
	tcase_add_test(t, a_template_that_a_ca_names_is_not_deleted);
	tcase_add_test(t, cas_are_listed_by_their_template);
	t = requests_case(s, "mistakes");
	tcase_add_loop_test(t, a_mistake_is_named_and_changes_nothing, 0, COUNT_OF(mistakes));
	tcase_add_test(t, a_template_name_exists_once);
	t = requests_case(s, "certificates");
	tcase_add_test(t, a_certificate_shows_the_reasons_of_its_status_and_last_refusal);
	tcase_add_test(t, certificates_are_listed_by_status);
	return suite_run(s);
}
