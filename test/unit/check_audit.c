/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_audit.c - the log shows the values that a command changed, before and after, the user
 * and the address.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "requests.h"
#include "suite.h"

#define OF_DEVICE "'certificateId':'<device id>'"
#define OF_CA     "'certificateId':'<ca id>'"

/* Each row begins where the last one ended; said: the line after the address. */
static const struct {
	const char *name, *arguments, *said;
} rows[] = {
	{ "getRegistrationCode", "", "" },
	{ "registerCertificate", ",'certificatePem':'<device pem>','status':'ACTIVE'",
	    " status=none->ACTIVE version=none->1" },
	{ "registerCACertificate",
	    ",'caCertificate':'<other pem>','certificateMode':'SNI_ONLY',"
	    "'setAsActive':true",
	    " status=none->ACTIVE version=none->1 "
	    "autoRegistration=none->DISABLE crlCheck=none->if-present" },
	{ "updateCACertificate",
	    "," OF_CA ",'newStatus':'INACTIVE',"
	    "'newAutoRegistrationStatus':'DISABLE','crlCheck':'grace 3'",
	    " status=ACTIVE->INACTIVE version=1->2 autoRegistration=ENABLE->DISABLE "
	    "crlCheck=if-present->grace crlGraceDays=none->3" },
	{ "updateCACertificate", "," OF_CA ",'activation':'rule','crlFile':'/var/lib/lists/a b'",
	    " version=2->3 activation=none->sha256:44136fa3 crlFile=none->\"/var/lib/lists/a b\"" },
	{ "updateCACertificate", "," OF_CA ",'activation':'none','crlFile':''",
	    " version=3->4 activation=sha256:44136fa3->none crlFile=\"/var/lib/lists/a b\"->none" },
	{ "deleteCACertificate", "," OF_CA,
	    " status=INACTIVE->none version=4->none "
	    "autoRegistration=DISABLE->none crlCheck=grace->none crlGraceDays=3->none" },
	{ "registerCertificateWithoutCA", ",'certificatePem':'<stranger pem>'",
	    " status=none->INACTIVE version=none->1" },
	{ "createPolicy", ",'policyName':'p','policyDocument':'<doc>'",
	    " policyVersion=none->1 defaultVersion=none->1 document=none->sha256:" },
	{ "createPolicyVersion", ",'policyName':'p','policyDocument':'<doc 2>','setAsDefault':true",
	    " policyVersion=none->2 defaultVersion=1->2 document=sha256:" },
	{ "setDefaultPolicyVersion", ",'policyName':'p','policyVersionId':'1'",
	    " defaultVersion=2->1 document=sha256:" },
	{ "deletePolicyVersion", ",'policyName':'p','policyVersionId':'2'",
	    " policyVersion=2->none" },
	{ "attachPolicy", ",'policyName':'p','target':'<device id>'", " attached=no->yes" },
	{ "attachPolicy", ",'policyName':'p','target':'<device id>'", "" },
	{ "detachPolicy", ",'policyName':'p','target':'<device id>'", " attached=yes->no" },
	{ "attachPrincipalPolicy", ",'policyName':'p','principal':'<device id>'",
	    " attached=no->yes" },
	{ "createThing", ",'thingName':'t','attributePayload':{'attributes':{'a':'1'}}",
	    " version=none->1 attributes=none->sha256:" },
	{ "updateThing", ",'thingName':'t','thingTypeName':'pump'",
	    " version=1->2 type=none->pump" },
	{ "attachThingPrincipal",
	    ",'thingName':'t','principal':'<device id>',"
	    "'thingPrincipalType':'EXCLUSIVE_THING'",
	    " attached=no->exclusively" },
	{ "detachThingPrincipal", ",'thingName':'t','principal':'<device id>'",
	    " attached=exclusively->no" },
	{ "deleteThing", ",'thingName':'t'", " version=2->none type=pump->none" },
	{ "updateCertificate", "," OF_DEVICE ",'newStatus':'REVOKED'",
	    " status=ACTIVE->REVOKED version=1->2" },
	{ "updateCertificate", "," OF_DEVICE ",'newStatus':'REVOKED'", "" },
	{ "deleteCertificate", "," OF_DEVICE ",'forceDelete':true",
	    " status=REVOKED->none version=2->none policies=1->none" },
	{ "registerCertificateWithoutCA", ",'certificatePem':'<device pem>'",
	    " status=none->INACTIVE version=none->1" },
	{ "attachPolicy", ",'policyName':'p','target':'<device id>'", " attached=no->yes" },
	{ "detachPrincipalPolicy", ",'policyName':'p','principal':'<device id>'",
	    " attached=yes->no" },
	{ "deletePolicy", ",'policyName':'p'", " defaultVersion=1->none document=sha256:" },
	{ "createProvisioningTemplate",
	    ",'templateName':'f','templateBody':'<template>',"
	    "'provisioningRoleArn':'<role>','type':'JITP','enabled':true",
	    " enabled=none->true roleArn=none->" },
	{ "updateProvisioningTemplate",
	    ",'templateName':'f','enabled':false,'description':'a \\'b\\''",
	    " enabled=true->false description=none->\"a \\x22b\\x22\"" },
	{ "deleteProvisioningTemplate", ",'templateName':'f'", " enabled=false->none" },
	{ "deleteRegistrationCode", "", " registrationCode=made->none" },
	{ "getRegistrationCode", "", " registrationCode=none->made" },
};

static const char *
line(void)
{
	ck_assert_uint_eq(world_count(NOTE_LINE), 1);
	return world_note(NOTE_LINE, 0)->text;
}

START_TEST(each_change_is_logged_with_the_values_before_it)
{
	char text[900], begin[100];
	const char *at;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		world_forget();
		snprintf(text, sizeof(text), "{'command':'%s'%s}", rows[i].name, rows[i].arguments);
		ask(text);
		ck_assert_msg(cJSON_GetObjectItem(response(0), "error") == NULL, "%s: %s", text,
		    member(response(0), "message"));
		snprintf(begin, sizeof(begin),
		    "jitr: request: command=%s user=\"admin\" client=\"c1\" result=done",
		    rows[i].name);
		ck_assert_msg(strncmp(line(), begin, strlen(begin)) == 0, "%s", line());
		at = strstr(line(), " address=::1");
		ck_assert_msg(at != NULL, "%s", line());
		at += strlen(" address=::1");
		ck_assert_msg(strncmp(at, rows[i].said, strlen(rows[i].said)) == 0, "%s: %s", text,
		    at);
		ck_assert_msg((*at == '\0') == (*rows[i].said == '\0'), "%s: %s", text, at);
	}
}
END_TEST

/* importCrl and deleteCrl: check_request_crl. */
START_TEST(every_change_has_a_row_in_this_table)
{
	const struct command_type *type;

	for (size_t i = 0; (type = command_at(i)) != NULL; i++) {
		size_t at = 0;

		if (type->run == NULL || strstr(type->name, "Crl") != NULL)
			continue;
		while (at < COUNT_OF(rows) && strcmp(rows[at].name, type->name) != 0)
			at++;
		ck_assert_msg(at < COUNT_OF(rows), "%s", type->name);
	}
}
END_TEST

START_TEST(a_failed_commit_is_logged_without_changes)
{
	world_break_disk();
	ask("{'command':'updateCACertificate'," OF_CA ",'newStatus':'INACTIVE'}");
	world_release_writer();
	ck_assert(world_said("result=ServiceUnavailableException ca="));
	ck_assert(!world_said("->"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit");
	TCase *t = tcase_create("lines");

	tcase_add_checked_fixture(t, requests_open, requests_close);
	tcase_add_test(t, each_change_is_logged_with_the_values_before_it);
	tcase_add_test(t, every_change_has_a_row_in_this_table);
	tcase_add_test(t, a_failed_commit_is_logged_without_changes);
	suite_add_tcase(s, t);
	return suite_run(s);
}
