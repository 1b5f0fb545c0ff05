/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_request_explain.c - explain and testAuthorization (aws-iot A.7): what a live client would
 * meet, with the reason (contract, section 6).  Nothing is changed by a question.
 *
 * integration/test_inquiries.py compares the answers with what clients do meet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jitr/core/text.h"
#include "requests.h"
#include "suite.h"

#define NOT_FOUND "ResourceNotFoundException"
#define INVALID   "InvalidRequestException"

#define EXPLAIN(members)     "{'command':'explain'," members "}"
#define EXPLAIN_ID(members)  EXPLAIN("'certificateId':'<device id>'" members)
#define EXPLAIN_PEM(members) EXPLAIN("'certificatePem':'<device pem>'" members)
#define TEST(members)        "{'command':'testAuthorization'," members "}"
#define INFO(type, resource) \
	"'authInfos':[{'actionType':'" type "','resources':['<arn>" resource "']}]"
#define PRINCIPAL "'principal':'<arn>cert/<device id>',"

static void
set_up(void)
{
	requests_open();
	requests_stop();
	authorization = AUTHORIZATION_POLICY;
	requests_start(64);
	world_forget();
}

static const cJSON *
part(const cJSON *o, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(o, name);
}

static bool
says(const cJSON *o, const char *name)
{
	ck_assert(cJSON_IsBool(part(o, name)));
	return cJSON_IsTrue(part(o, name));
}

/* Statements in the notation of requests.h. */
static void
create(const char *name, const char *statements)
{
	char document[2048], quoted[4096], text[6144];
	struct text t = text_in(quoted, sizeof(quoted));

	(void)snprintf(document, sizeof(document), "{'Version':'2012-10-17','Statement':[%s]}",
	    statements);
	text_add_json(&t, view_of(expand(document)));
	(void)snprintf(text, sizeof(text),
	    "{'command':'createPolicy','policyName':'%s','policyDocument':%s}", name, quoted);
	/* the quotes of the document are escaped: only those around it are replaced */
	ask(text);
	ck_assert_msg(data(0) != NULL, "%s", member(response(0), "message"));
}

static void
attach(const char *name)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
	    "{'command':'attachPolicy','policyName':'%s','target':'<arn>cert/<device id>'}", name);
	ask(text);
	ck_done(0);
}

static void
set_rule(const char *rule)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
	    "{'command':'updateCACertificate','certificateId':'<ca id>','activation':'%s'}", rule);
	ask(text);
	ck_done(0);
}

static const cJSON *
explained(const char *request)
{
	ask(request);
	ck_assert_msg(data(0) != NULL, "%s: %s", member(response(0), "error"),
	    member(response(0), "message"));
	return data(0);
}

/* The reason of a refusal; "": allowed. */
static const char *
reason(const cJSON *explanation)
{
	const cJSON *connect = part(explanation, "connect");

	return says(connect, "allowed") ? "" : member(connect, "reason");
}

#define DEVICE_STATEMENTS \
	"{'Sid':'in','Effect':'Allow','Action':'iot:Connect','Resource':'<arn>client/d1'}," \
	"{'Effect':'Allow','Action':['iot:Publish','iot:Receive'],'Resource':'<arn>topic/up/*'}," \
	"{'Effect':'Deny','Action':'iot:Subscribe','Resource':'<arn>topicfilter/up/secret'}"

START_TEST(a_first_connection_is_explained_and_registers_nothing)
{
	const cJSON *e = explained(EXPLAIN_PEM(",'clientId':'d1'"));
	struct cert cert;

	ck_assert_str_eq(reason(e), "DEVICE_CERTIFICATE_NOT_REGISTERED");
	ck_assert(says(part(e, "connect"), "registersCertificate"));
	ck_assert(says(part(e, "connect"), "publishesEvent"));
	ck_assert(!says(e, "registered"));
	ck_assert_str_eq(member(e, "certificateId"), world_hex(device));
	ck_assert_str_eq(member(e, "caCertificateId"), world_hex(ca));
	ck_assert_ptr_null(part(e, "activation"));
	world_settle();
	ck_assert(!world_get_cert(device, &cert));
	ck_assert_uint_eq(world_message_count(), 0);
}
END_TEST

START_TEST(a_registered_certificate_is_explained_by_its_id)
{
	ask(EXPLAIN_ID());
	ck_error(0, NOT_FOUND, "<device id>");
	world_put_cert(device, ca, CERT_PENDING_ACTIVATION);
	ck_assert_str_eq(reason(explained(EXPLAIN_ID())), "DEVICE_CERTIFICATE_PENDING_ACTIVATION");
	ck_assert_str_eq(member(data(0), "status"), "PENDING_ACTIVATION");
	world_put_cert(device, ca, CERT_REVOKED);
	ck_assert_str_eq(reason(explained(EXPLAIN_ID())), "DEVICE_CERTIFICATE_REVOKED");
	world_put_cert(device, ca, CERT_ACTIVE);
	ck_assert_str_eq(reason(explained(EXPLAIN_ID(",'clientId':'d1'"))),
	    "DEVICE_CERTIFICATE_NO_POLICY");
}
END_TEST

START_TEST(policies_decide_about_an_active_certificate)
{
	const cJSON *e, *policies;

	world_put_cert(device, ca, CERT_ACTIVE);
	create("device", DEVICE_STATEMENTS);
	attach("device");
	e = explained(EXPLAIN_ID(",'clientId':'d1','topic':'up/1','sourceIp':'192.0.2.7'"));
	ck_assert_str_eq(reason(e), "");
	policies = part(part(e, "connect"), "policies");
	ck_assert_str_eq(member(policies, "policyName"), "device");
	ck_assert_str_eq(member(policies, "policyVersionId"), "1");
	ck_assert_str_eq(member(policies, "sid"), "in");
	ck_assert_str_eq(member(part(e, "publish"), "authDecision"), "ALLOWED");
	ck_assert_str_eq(member(part(e, "retainPublish"), "authDecision"), "IMPLICIT_DENY");
	ck_assert_str_eq(member(part(e, "receive"), "authDecision"), "ALLOWED");
	e = explained(EXPLAIN_ID(",'clientId':'d2','topic':'up/secret'"));
	ck_assert_str_eq(reason(e), "AUTHORIZATION_FAILURE");
	ck_assert_str_eq(member(part(e, "subscribe"), "authDecision"), "EXPLICIT_DENY");
	e = explained(EXPLAIN_ID(",'clientId':'d1','topic':'$aws/events/x'"));
	ck_assert_str_eq(member(part(e, "publish"), "decidedBy"), "reserved topic");
}
END_TEST

START_TEST(values_that_are_not_known_are_named)
{
	const cJSON *missing;

	world_put_cert(device, ca, CERT_ACTIVE);
	create("device",
	    "{'Effect':'Allow','Action':'iot:Connect','Resource':'<arn>client/${iot:ClientId}'},"
	    "{'Effect':'Allow','Action':'iot:Publish',"
	    "'Resource':'<arn>topic/${iot:Connection.Thing.ThingName}/"
	    "${iot:Certificate.Subject.CommonName}'}");
	attach("device");
	missing = part(explained(EXPLAIN_ID()), "missingContextValues");
	ck_assert_int_eq(cJSON_GetArraySize(missing), 2);
	ask("{'command':'createThing','thingName':'d1'}");
	ask("{'command':'attachThingPrincipal','thingName':'d1',"
	    "'principal':'<arn>cert/<device id>'}");
	ck_done(0);
	missing = part(explained(EXPLAIN_ID(",'clientId':'d1','topic':'d1/device-1'")),
	    "missingContextValues");
	ck_assert_int_eq(cJSON_GetArraySize(missing), 0);
	ck_assert_str_eq(member(part(data(0), "publish"), "authDecision"), "ALLOWED");
}
END_TEST

START_TEST(a_rule_is_explained_with_the_policies_that_it_would_attach)
{
	const cJSON *e;
	struct cert cert;

	create("device", DEVICE_STATEMENTS);
	set_rule("{\\'policies\\':[\\'device\\'],\\'thing\\':\\'t1\\'}");
	e = explained(EXPLAIN_PEM(",'clientId':'d1','topic':'up/1'"));
	ck_assert_str_eq(reason(e), "");
	ck_assert_str_eq(member(part(e, "activation"), "by"), "rule");
	ck_assert_str_eq(member(part(e, "activation"), "status"), "ACTIVE");
	ck_assert_str_eq(member(part(e, "publish"), "authDecision"), "ALLOWED");
	e = explained(EXPLAIN_PEM(",'clientId':'d2'"));
	ck_assert_str_eq(reason(e), "AUTHORIZATION_FAILURE");
	set_rule("{\\'policies\\':[\\'none\\']}");
	e = explained(EXPLAIN_PEM(",'clientId':'d1'"));
	ck_assert_str_eq(reason(e), "ACTIVATION_RULE_NOT_MET");
	ck_assert_str_eq(member(part(e, "activation"), "status"), "PENDING_ACTIVATION");
	ck_assert_ptr_nonnull(strstr(member(part(e, "activation"), "details"), "none"));
	ck_assert(!world_get_cert(device, &cert));
}
END_TEST

/* A template's policies and thing count as if they were there already. */
START_TEST(a_template_by_name_is_explained)
{
	const cJSON *e;

	ask("{'command':'createProvisioningTemplate','templateName':'m','enabled':true,"
	    "'templateBody':'<template>','provisioningRoleArn':'<role>','type':'JITP'}");
	ck_assert_ptr_nonnull(data(0));
	ask("{'command':'updateCACertificate','certificateId':'<ca id>',"
	    "'registrationConfig':{'templateName':'m'}}");
	ck_done(0);
	e = explained(EXPLAIN_PEM(",'clientId':'d1'"));
	ck_assert_str_eq(member(part(e, "activation"), "by"), "template");
	ask("{'command':'updateProvisioningTemplate','templateName':'m','enabled':false}");
	ck_done(0);
	e = explained(EXPLAIN_PEM(",'clientId':'d1'"));
	ck_assert_str_eq(reason(e), "PROVISIONING_FAILED");
	ck_assert_ptr_nonnull(strstr(member(part(e, "connect"), "details"), "not enabled"));
}
END_TEST

START_TEST(a_certificate_of_an_unknown_ca_is_explained)
{
	ck_assert_str_eq(reason(explained(EXPLAIN("'certificatePem':'<stranger pem>'"))),
	    "CA_CERTIFICATE_NOT_REGISTERED");
}
END_TEST

/* A TLS listener refuses the chain before a CONNECT can be sent. */
START_TEST(a_chain_that_tls_does_not_accept_is_explained)
{
	struct pki_cert *server = pki_make(&(struct pki_options){ .common_name = "device-1",
	    .issuer = ca,
	    .extensions = { { "extendedKeyUsage", "serverAuth" } } });
	const cJSON *e;

	word_pem("server pem", server->pem);
	e = explained(EXPLAIN("'certificatePem':'<server pem>'"));
	ck_assert_str_eq(reason(e), "CERTIFICATE_CHAIN_REFUSED");
	pki_free(server);
}
END_TEST

/* TLS may still have its file: a warning, not a refusal. */
START_TEST(a_deleted_ca_is_a_warning)
{
	struct certid id = world_id(ca);
	const cJSON *e;
	struct txn t;

	create("device", DEVICE_STATEMENTS);
	world_put_cert(device, ca, CERT_ACTIVE);
	attach("device");
	world_change(&t);
	store_delete_ca(&t, &id);
	world_commit(&t);
	e = explained(EXPLAIN_ID(",'clientId':'d1'"));
	ck_assert_str_eq(reason(e), "");
	ck_assert_int_gt(cJSON_GetArraySize(part(e, "warnings")), 0);
}
END_TEST

static const struct {
	const char *request, *message;
} bad[] = {
	{ EXPLAIN("'clientId':'d1'"), "certificateId" },
	{ EXPLAIN_ID(",'certificatePem':'<device pem>'"), "certificateId" },
	{ EXPLAIN_ID(",'sourceIp':'here'"), "sourceIp" },
	{ EXPLAIN_ID(",'topics':'x'"), "topics" },
	{ TEST("'authInfos':[]"), "authInfos" },
	{ TEST(INFO("DANCE", "topic/a")), "actionType" },
	{ TEST(INFO("CONNECT", "topic/a")), "client/" },
	{ TEST(INFO("PUBLISH", "topic/a") ",'policyNamesToAdd':[1]"), "policyNamesToAdd" },
	{ TEST("'authInfos':['x']"), "authInfos" },
	{ TEST("'authInfos':[{'actionType':'CONNECT','resources':[]}]"), "resources" },
};

START_TEST(a_bad_question_is_refused)
{
	ask(bad[_i].request);
	ck_error(0, INVALID, bad[_i].message);
}
END_TEST

/*
 * testAuthorization.
 */

static const cJSON *
result(const char *request)
{
	return cJSON_GetArrayItem(part(explained(request), "authResults"), 0);
}

static const char *
decision(const char *request)
{
	return member(result(request), "authDecision");
}

START_TEST(policies_are_tested_whatever_the_status)
{
	world_put_cert(device, ca, CERT_INACTIVE);
	create("device", DEVICE_STATEMENTS);
	attach("device");
	ck_assert_str_eq(decision(TEST(PRINCIPAL INFO("CONNECT", "client/d1"))), "ALLOWED");
	ck_assert_str_eq(decision(TEST(PRINCIPAL INFO("CONNECT", "client/d2"))), "IMPLICIT_DENY");
	ck_assert_str_eq(decision(TEST(PRINCIPAL INFO("SUBSCRIBE", "topicfilter/up/secret"))),
	    "EXPLICIT_DENY");
}
END_TEST

START_TEST(policies_are_added_and_skipped)
{
	world_put_cert(device, ca, CERT_ACTIVE);
	create("device", DEVICE_STATEMENTS);
	attach("device");
	create("other", "{'Effect':'Allow','Action':'iot:Publish','Resource':'<arn>topic/t'}");
	ck_assert_str_eq(decision(TEST(PRINCIPAL INFO("PUBLISH", "topic/t"))), "IMPLICIT_DENY");
	ck_assert_str_eq(decision(TEST(PRINCIPAL INFO("PUBLISH",
			     "topic/t") ",'policyNamesToAdd':['other','device']")),
	    "ALLOWED");
	ck_assert_str_eq(decision(TEST(PRINCIPAL INFO("CONNECT",
			     "client/d1") ",'policyNamesToSkip':['device']")),
	    "IMPLICIT_DENY");
	ck_assert_str_eq(decision(TEST(INFO("PUBLISH", "topic/t") ",'policyNamesToAdd':['other']")),
	    "ALLOWED");
	ask(TEST(PRINCIPAL INFO("PUBLISH", "topic/t") ",'policyNamesToAdd':['none']"));
	ck_error(0, NOT_FOUND, "none");
	ask(TEST("'principal':'<arn>cert/<second id>'," INFO("PUBLISH", "topic/t")));
	ck_error(0, NOT_FOUND, "<second id>");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("request_explain");
	TCase *t = suite_case(suite, "explain");

	tcase_add_checked_fixture(t, set_up, requests_close);
	tcase_add_test(t, a_first_connection_is_explained_and_registers_nothing);
	tcase_add_test(t, a_registered_certificate_is_explained_by_its_id);
	tcase_add_test(t, policies_decide_about_an_active_certificate);
	tcase_add_test(t, values_that_are_not_known_are_named);
	tcase_add_test(t, a_rule_is_explained_with_the_policies_that_it_would_attach);
	tcase_add_test(t, a_template_by_name_is_explained);
	tcase_add_test(t, a_certificate_of_an_unknown_ca_is_explained);
	tcase_add_test(t, a_chain_that_tls_does_not_accept_is_explained);
	tcase_add_test(t, a_deleted_ca_is_a_warning);
	tcase_add_loop_test(t, a_bad_question_is_refused, 0, COUNT_OF(bad));

	t = suite_case(suite, "testAuthorization");
	tcase_add_checked_fixture(t, set_up, requests_close);
	tcase_add_test(t, policies_are_tested_whatever_the_status);
	tcase_add_test(t, policies_are_added_and_skipped);
	return suite_run(suite);
}
