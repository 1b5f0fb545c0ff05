/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_request.c - control requests: bytes in, bytes out.
 *
 * Every command with its answers and errors (aws-iot A.1 to A.6), and the promises about
 * requests (contract, section 3).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jitr/core/text.h"
#include "jitr/adapter/x509.h"
#include "requests.h"
#include "suite.h"

static void
put(const struct pki_cert *c, enum cert_status status)
{
	world_put_cert(c, ca, status);
}

/*
 * The registration code: aws-iot A.1.
 */

START_TEST(the_registration_code_is_made_kept_and_deleted)
{
	char code[REGISTRATION_CODE_SIZE];

	ask("{'command':'getRegistrationCode'},{'command':'getRegistrationCode'}");
	ck_assert_uint_eq(strlen(member(data(0), "registrationCode")), 64);
	ck_assert_str_eq(member(data(0), "registrationCode"), member(data(1), "registrationCode"));
	snprintf(code, sizeof(code), "%s", member(data(0), "registrationCode"));
	ask("{'command':'deleteRegistrationCode'},{'command':'deleteRegistrationCode'}");
	ck_done(0);
	ck_error(1, "ResourceNotFoundException", "There is no registration code");
	ask("{'command':'getRegistrationCode'}");
	ck_assert_str_ne(member(data(0), "registrationCode"), code);
}
END_TEST

/*
 * CA certificates: aws-iot A.2.
 */

#define REGISTER_OTHER \
	"{'command':'registerCACertificate','caCertificate':'<other pem>'," \
	"'verificationCertificate':'<proof pem>'"

START_TEST(a_ca_is_registered_and_described)
{
	ask(REGISTER_OTHER "}");
	ck_response(0,
	    "{'command':'registerCACertificate','data':{"
	    "'certificateArn':'<arn>cacert/<other id>','certificateId':'<other id>'}}");
	word_validity("other from", "other to", other);
	ask("{'command':'describeCACertificate','certificateId':'<other id>'}");
	ck_response(0,
	    "{'command':'describeCACertificate','data':{'certificateDescription':{"
	    "'certificateArn':'<arn>cacert/<other id>','certificateId':'<other id>',"
	    "'status':'INACTIVE','certificatePem':'<other pem>','ownedBy':'123456789012',"
	    "'creationDate':<now>,'autoRegistrationStatus':'DISABLE','lastModifiedDate':<now>,"
	    "'customerVersion':1,'validity':{'notBefore':<other from>,'notAfter':<other to>},"
	    "'certificateMode':'DEFAULT'},'crlCheck':'if-present'}}");
}
END_TEST

/* Seconds with a fraction: milliseconds as an integer break clients (1.3). */
START_TEST(times_are_seconds_with_a_fraction)
{
	char date[64];

	snprintf(date, sizeof(date), "\"creationDate\":%lld.983", (long long)world_now() / 1000);
	ask("{'command':'describeCACertificate','certificateId':'<ca id>'}");
	ck_assert_ptr_nonnull(strstr(world_last(NOTE_ANSWER)->text, date));
}
END_TEST

START_TEST(a_ca_is_registered_with_everything_at_once)
{
	ask(REGISTER_OTHER
	    ",'setAsActive':true,'allowAutoRegistration':true,"
	    "'certificateMode':'DEFAULT','tags':[{'Key':'k','Value':'v'},{'Key':'w'}],"
	    "'registrationConfig':{'templateBody':'<template>','roleArn':'<role>'}}");
	ask("{'command':'describeCACertificate','certificateId':'<other id>'}");
	ck_assert_str_eq(member(cJSON_GetObjectItem(data(0), "certificateDescription"), "status"),
	    "ACTIVE");
	ck_assert_str_eq(member(cJSON_GetObjectItem(data(0), "certificateDescription"),
			     "autoRegistrationStatus"),
	    "ENABLE");
	ck_assert_str_eq(member(cJSON_GetObjectItem(data(0), "registrationConfig"), "templateBody"),
	    TEMPLATE);
	ck_assert_str_eq(member(cJSON_GetObjectItem(data(0), "registrationConfig"), "roleArn"),
	    "arn:aws:iam::123456789012:role/JITPRole");
}
END_TEST

START_TEST(a_ca_is_registered_without_proof_in_sni_only)
{
	ask("{'command':'registerCACertificate','caCertificate':'<other pem>',"
	    "'certificateMode':'SNI_ONLY'}");
	ck_assert_str_eq(member(data(0), "certificateId"), world_hex(other));
	ask("{'command':'describeCACertificate','certificateId':'<other id>'}");
	ck_assert_str_eq(member(cJSON_GetObjectItem(data(0), "certificateDescription"),
			     "certificateMode"),
	    "SNI_ONLY");
}
END_TEST

START_TEST(an_existing_ca_is_named_in_the_error)
{
	ask(REGISTER_OTHER "}," REGISTER_OTHER ",'setAsActive':true}");
	ck_response(1,
	    "{'command':'registerCACertificate','error':'ResourceAlreadyExistsException',"
	    "'message':'The CA certificate is already registered','resourceId':'<other id>',"
	    "'resourceArn':'<arn>cacert/<other id>'}");
}
END_TEST

START_TEST(the_settings_of_a_ca_are_changed)
{
	ask("{'command':'updateCACertificate','certificateId':'<ca id>','newStatus':'INACTIVE'},"
	    "{'command':'updateCACertificate','certificateId':'<ca id>',"
	    "'newAutoRegistrationStatus':'DISABLE'},"
	    "{'command':'updateCACertificate','certificateId':'<ca id>'}");
	for (int i = 0; i < 3; i++)
		ck_done(i);
	ask("{'command':'describeCACertificate','certificateId':'<ca id>'}");
	ck_response(0,
	    "{'command':'describeCACertificate','data':{'certificateDescription':{"
	    "'certificateArn':'<arn>cacert/<ca id>','certificateId':'<ca id>',"
	    "'status':'INACTIVE','certificatePem':'<ca pem>','ownedBy':'123456789012',"
	    "'creationDate':<now>,'autoRegistrationStatus':'DISABLE','lastModifiedDate':<now>,"
	    "'customerVersion':3,'validity':{'notBefore':<ca from>,'notAfter':<ca to>},"
	    "'certificateMode':'DEFAULT'},'crlCheck':'if-present'}}");
}
END_TEST

START_TEST(the_template_of_a_ca_is_set_and_removed)
{
	ask("{'command':'updateCACertificate','certificateId':'<ca id>',"
	    "'registrationConfig':{'templateBody':'<template>'}},"
	    "{'command':'describeCACertificate','certificateId':'<ca id>'}");
	ck_done(0);
	ck_assert_str_eq(member(cJSON_GetObjectItem(data(1), "registrationConfig"), "templateBody"),
	    TEMPLATE);
	ask("{'command':'updateCACertificate','certificateId':'<ca id>',"
	    "'removeAutoRegistration':true},"
	    "{'command':'describeCACertificate','certificateId':'<ca id>'}");
	ck_assert_ptr_null(cJSON_GetObjectItem(data(1), "registrationConfig"));
	ck_assert_str_eq(member(cJSON_GetObjectItem(data(1), "certificateDescription"),
			     "autoRegistrationStatus"),
	    "DISABLE");
}
END_TEST

START_TEST(a_ca_is_deleted_when_it_is_inactive)
{
	ask("{'command':'deleteCACertificate','certificateId':'<ca id>'},"
	    "{'command':'updateCACertificate','certificateId':'<ca id>','newStatus':'INACTIVE'},"
	    "{'command':'deleteCACertificate','certificateId':'<ca id>'},"
	    "{'command':'deleteCACertificate','certificateId':'<ca id>'}");
	ck_error(0, "CertificateStateException", "must be deactivated (not ACTIVE)");
	ck_done(1);
	ck_done(2);
	ck_error(3, "ResourceNotFoundException", "<ca id>");
}
END_TEST

START_TEST(cas_are_listed)
{
	ask("{'command':'listCACertificates'}");
	ck_response(0,
	    "{'command':'listCACertificates','data':{'certificates':[{"
	    "'certificateArn':'<arn>cacert/<ca id>','certificateId':'<ca id>','status':'ACTIVE',"
	    "'creationDate':<now>}]}}");
	ask("{'command':'listCACertificates','templateName':'none'}");
	ck_response(0, "{'command':'listCACertificates','data':{'certificates':[]}}");
}
END_TEST

/*
 * Certificates: aws-iot A.3.
 */

START_TEST(a_certificate_is_registered_and_described)
{
	ask("{'command':'registerCertificate','certificatePem':'<device pem>','setAsActive':true}");
	ck_response(0,
	    "{'command':'registerCertificate','data':{"
	    "'certificateArn':'<arn>cert/<device id>','certificateId':'<device id>'}}");
	ask("{'command':'describeCertificate','certificateId':'<device id>'}");
	ck_response(0,
	    "{'command':'describeCertificate','data':{'certificateDescription':{"
	    "'certificateArn':'<arn>cert/<device id>','certificateId':'<device id>',"
	    "'caCertificateId':'<ca id>','status':'ACTIVE','certificatePem':'<device pem>',"
	    "'ownedBy':'123456789012','creationDate':<now>,'lastModifiedDate':<now>,"
	    "'customerVersion':1,'transferData':{},"
	    "'validity':{'notBefore':<device from>,'notAfter':<device to>},"
	    "'certificateMode':'DEFAULT'}}}");
}
END_TEST

START_TEST(a_certificate_is_registered_without_a_ca)
{
	ask("{'command':'registerCertificateWithoutCA','certificatePem':'<stranger pem>',"
	    "'status':'ACTIVE'},"
	    "{'command':'registerCertificateWithoutCA','certificatePem':'<stranger pem>'}");
	ck_assert_str_eq(member(data(0), "certificateId"), world_hex(stranger));
	ck_error(1, "ResourceAlreadyExistsException", "already provisioned or registered");
	ck_assert_str_eq(member(response(1), "resourceId"), world_hex(stranger));
	ck_assert_ptr_nonnull(strstr(member(response(1), "resourceArn"), ":cert/"));
}
END_TEST

/* A certificate from a handshake has no PEM: it is made from its DER. */
START_TEST(a_certificate_from_a_handshake_is_described_as_pem)
{
	put(device, CERT_PENDING_ACTIVATION);
	ask("{'command':'describeCertificate','certificateId':'<device id>'}");
	ck_response(0,
	    "{'command':'describeCertificate','data':{'certificateDescription':{"
	    "'certificateArn':'<arn>cert/<device id>','certificateId':'<device id>',"
	    "'caCertificateId':'<ca id>','status':'PENDING_ACTIVATION',"
	    "'certificatePem':'<device pem>','ownedBy':'123456789012','creationDate':<now>,"
	    "'lastModifiedDate':<now>,'customerVersion':1,'transferData':{},"
	    "'validity':{'notBefore':<device from>,'notAfter':<device to>},"
	    "'certificateMode':'DEFAULT'}}}");
}
END_TEST

/* Which status a certificate registered by a command has: aws-iot A.3.1. */
static const struct {
	const char *arguments, *status;
} registrations[] = {
	{ "", "INACTIVE" },
	{ ",'setAsActive':true", "ACTIVE" },
	{ ",'setAsActive':false", "INACTIVE" },
	{ ",'status':'ACTIVE'", "ACTIVE" },
	{ ",'status':'REVOKED'", "REVOKED" },
	{ ",'status':'REGISTER_INACTIVE'", "INACTIVE" },
	{ ",'status':'INACTIVE','setAsActive':true", "INACTIVE" },
	{ ",'status':null,'setAsActive':true", "ACTIVE" },
	{ ",'caCertificatePem':'<ca pem>'", "INACTIVE" },
};

START_TEST(status_outweighs_set_as_active)
{
	char text[9000];

	snprintf(text, sizeof(text),
	    "{'command':'registerCertificate','certificatePem':'<device pem>'"
	    "%s}",
	    registrations[_i].arguments);
	ask(text);
	ask("{'command':'describeCertificate','certificateId':'<device id>'}");
	ck_assert_str_eq(member(cJSON_GetObjectItem(data(0), "certificateDescription"), "status"),
	    registrations[_i].status);
}
END_TEST

START_TEST(the_status_of_a_certificate_is_changed)
{
	struct cert cert;

	put(device, CERT_PENDING_ACTIVATION);
	ask("{'command':'updateCertificate','certificateId':'<device id>','newStatus':'ACTIVE'},"
	    "{'command':'updateCertificate','certificateId':'<device id>','newStatus':'ACTIVE'},"
	    "{'command':'updateCertificate','certificateId':'<device id>','newStatus':'REVOKED'},"
	    "{'command':'updateCertificate','certificateId':'<device id>','newStatus':'ACTIVE'}");
	for (int i = 0; i < 3; i++)
		ck_done(i);
	ck_error(3, "CertificateStateException", "from REVOKED to ACTIVE");
	ck_assert(world_get_cert(device, &cert));
	ck_assert_int_eq(cert.status, CERT_REVOKED);
	ck_assert_uint_eq(cert.version, 3);
}
END_TEST

START_TEST(a_certificate_is_deleted_when_it_is_not_active)
{
	put(device, CERT_ACTIVE);
	ask("{'command':'deleteCertificate','certificateId':'<device id>','forceDelete':true},"
	    "{'command':'updateCertificate','certificateId':'<device id>','newStatus':'INACTIVE'},"
	    "{'command':'deleteCertificate','certificateId':'<device id>'},"
	    "{'command':'describeCertificate','certificateId':'<device id>'}");
	ck_error(0, "CertificateStateException",
	    "Certificate must be deactivated (not ACTIVE) before deletion. Id: <device id>");
	ck_done(1);
	ck_done(2);
	ck_error(3, "ResourceNotFoundException", "Certificate not found (id: <device id>)");
}
END_TEST

START_TEST(certificates_are_listed_and_listed_by_ca)
{
	put(device, CERT_PENDING_ACTIVATION);
	world_put_cert(stranger, NULL, CERT_ACTIVE);
	ask("{'command':'listCertificates'},"
	    "{'command':'listCertificatesByCA','caCertificateId':'<ca id>'},"
	    "{'command':'listCertificatesByCA','caCertificateId':'<other id>'}");
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(data(0), "certificates")), 2);
	ck_response(1,
	    "{'command':'listCertificatesByCA','data':{'certificates':[{"
	    "'certificateArn':'<arn>cert/<device id>','certificateId':'<device id>',"
	    "'status':'PENDING_ACTIVATION','certificateMode':'DEFAULT','creationDate':<now>}]}}");
	/* Not an error: aws-iot A.3.8. */
	ck_response(2, "{'command':'listCertificatesByCA','data':{'certificates':[]}}");
}
END_TEST

/*
 * Policies: aws-iot A.4 and A.5.
 */

#define CREATE_POLICY "{'command':'createPolicy','policyName':'p','policyDocument':'<doc 2>'}"
#define CREATE_VERSION \
	"{'command':'createPolicyVersion','policyName':'p','policyDocument':'<doc 2>'"

START_TEST(a_policy_is_created_and_shown_verbatim)
{
	ask("{'command':'createPolicy','policyName':'a+b=c,d.e@f-g_1','policyDocument':'<doc 2>',"
	    "'tags':[{'Key':'k','Value':'v'}]}");
	ck_response(0,
	    "{'command':'createPolicy','data':{'policyName':'a+b=c,d.e@f-g_1',"
	    "'policyArn':'<arn>policy/a+b=c,d.e@f-g_1','policyDocument':'<doc 2>',"
	    "'policyVersionId':'1'}}");
	ask("{'command':'getPolicy','policyName':'a+b=c,d.e@f-g_1'}");
	ck_response(0,
	    "{'command':'getPolicy','data':{'policyName':'a+b=c,d.e@f-g_1',"
	    "'policyArn':'<arn>policy/a+b=c,d.e@f-g_1','policyDocument':'<doc 2>',"
	    "'defaultVersionId':'1','creationDate':<now>,'lastModifiedDate':<now>}}");
}
END_TEST

/* With any content: programs rely on createPolicy being idempotent (aws-iot A.4.1). */
START_TEST(an_existing_policy_is_named_in_the_error)
{
	ask(CREATE_POLICY "," CREATE_POLICY);
	ck_response(1,
	    "{'command':'createPolicy','error':'ResourceAlreadyExistsException','message':"
	    "'Policy cannot be created - name already exists (name=p)','resourceId':'p',"
	    "'resourceArn':'<arn>policy/p'}");
}
END_TEST

START_TEST(versions_are_numbered_and_one_is_the_default)
{
	ask(CREATE_POLICY
	    "," CREATE_VERSION "}," CREATE_VERSION ",'setAsDefault':true},"
	    "{'command':'listPolicyVersions','policyName':'p'},"
	    "{'command':'getPolicyVersion','policyName':'p','policyVersionId':'2'},"
	    "{'command':'setDefaultPolicyVersion','policyName':'p','policyVersionId':'2'},"
	    "{'command':'deletePolicyVersion','policyName':'p','policyVersionId':'2'},"
	    "{'command':'deletePolicyVersion','policyName':'p','policyVersionId':'3'}," CREATE_VERSION
	    "}");
	ck_response(1,
	    "{'command':'createPolicyVersion','data':{'policyArn':'<arn>policy/p',"
	    "'policyDocument':'<doc 2>','policyVersionId':'2','isDefaultVersion':false}}");
	ck_response(2,
	    "{'command':'createPolicyVersion','data':{'policyArn':'<arn>policy/p',"
	    "'policyDocument':'<doc 2>','policyVersionId':'3','isDefaultVersion':true}}");
	ck_response(3,
	    "{'command':'listPolicyVersions','data':{'policyVersions':["
	    "{'versionId':'3','isDefaultVersion':true,'createDate':<now>},"
	    "{'versionId':'2','isDefaultVersion':false,'createDate':<now>},"
	    "{'versionId':'1','isDefaultVersion':false,'createDate':<now>}]}}");
	ck_response(4,
	    "{'command':'getPolicyVersion','data':{'policyName':'p',"
	    "'policyArn':'<arn>policy/p','policyDocument':'<doc 2>','policyVersionId':'2',"
	    "'isDefaultVersion':false,'creationDate':<now>,'lastModifiedDate':<now>}}");
	ck_done(5);
	ck_error(6, "InvalidRequestException", "Cannot delete the default version of a policy");
	ck_done(7);
	ck_assert_str_eq(member(data(8), "policyVersionId"), "4"); /* never 3 again */
}
END_TEST

START_TEST(a_sixth_version_is_refused)
{
	ask(CREATE_POLICY);
	for (int i = 2; i <= 5; i++) {
		ask(CREATE_VERSION "}");
		ck_assert_ptr_nonnull(data(0));
	}
	ask(CREATE_VERSION "}");
	ck_error(0, "VersionsLimitExceededException",
	    "already has the maximum number of versions (5)");
	ask("{'command':'deletePolicy','policyName':'p'}");
	ck_error(0, "DeleteConflictException", "one or more policy versions");
}
END_TEST

/* Both families of commands change the same attachments (aws-iot A.5.5), by ARN or id. */
START_TEST(a_policy_is_attached_and_detached_by_either_family)
{
	put(device, CERT_PENDING_ACTIVATION);
	ask(CREATE_POLICY
	    ",{'command':'attachPolicy','policyName':'p','target':'<arn>cert/<device id>'},"
	    "{'command':'attachPrincipalPolicy','policyName':'p','principal':'<device id>'},"
	    "{'command':'listAttachedPolicies','target':'<arn>cert/<device id>','recursive':true},"
	    "{'command':'listPrincipalPolicies','principal':'<device id>'},"
	    "{'command':'listTargetsForPolicy','policyName':'p'},"
	    "{'command':'listPolicyPrincipals','policyName':'p'},"
	    "{'command':'deletePolicy','policyName':'p'},"
	    "{'command':'detachPolicy','policyName':'p','target':'<device id>'},"
	    "{'command':'detachPrincipalPolicy','policyName':'p','principal':'<device id>'},"
	    "{'command':'deletePolicy','policyName':'p'}");
	ck_done(1);
	ck_done(2);
	ck_response(3,
	    "{'command':'listAttachedPolicies','data':{'policies':[{'policyName':'p',"
	    "'policyArn':'<arn>policy/p'}]}}");
	ck_response(4,
	    "{'command':'listPrincipalPolicies','data':{'policies':[{'policyName':'p',"
	    "'policyArn':'<arn>policy/p'}]}}");
	ck_response(5,
	    "{'command':'listTargetsForPolicy','data':{'targets':["
	    "'<arn>cert/<device id>']}}");
	ck_response(6,
	    "{'command':'listPolicyPrincipals','data':{'principals':["
	    "'<arn>cert/<device id>']}}");
	ck_error(7, "DeleteConflictException", "attached to one or more principals (name=p)");
	ck_done(8);
	ck_error(9, "ResourceNotFoundException", "not attached");
	ck_done(10);
}
END_TEST

START_TEST(a_certificate_with_policies_is_deleted_only_by_force)
{
	put(device, CERT_INACTIVE);
	ask(CREATE_POLICY
	    ",{'command':'attachPolicy','policyName':'p','target':'<device id>'},"
	    "{'command':'deleteCertificate','certificateId':'<device id>'},"
	    "{'command':'deleteCertificate','certificateId':'<device id>','forceDelete':true},"
	    "{'command':'listTargetsForPolicy','policyName':'p'}");
	ck_error(2, "DeleteConflictException", "policies must be detached");
	ck_done(3);
	ck_response(4, "{'command':'listTargetsForPolicy','data':{'targets':[]}}");
}
END_TEST

/*
 * Things: aws-iot A.6.
 */

START_TEST(a_thing_is_created_and_described)
{
	ask("{'command':'createThing','thingName':'a:b_1-','thingTypeName':'sensor',"
	    "'billingGroupName':'g','attributePayload':{'merge':true,'attributes':{"
	    "'z':'1','a.b@c':'[x=y]','m':''}}},{'command':'describeThing','thingName':'a:b_1-'}");
	ck_response(0,
	    "{'command':'createThing','data':{'thingName':'a:b_1-',"
	    "'thingArn':'<arn>thing/a:b_1-'}}");
	ck_response(1,
	    "{'command':'describeThing','data':{'defaultClientId':'a:b_1-',"
	    "'thingName':'a:b_1-','thingArn':'<arn>thing/a:b_1-','thingTypeName':'sensor',"
	    "'billingGroupName':'g','attributes':{'a.b@c':'[x=y]','z':'1'},'version':1}}");
}
END_TEST

START_TEST(creating_an_existing_thing_needs_the_same_content)
{
	ask("{'command':'createThing','thingName':'t'},{'command':'createThing','thingName':'t'},"
	    "{'command':'createThing','thingName':'t','thingTypeName':'x'}");
	ck_assert_str_eq(member(data(0), "thingId"), member(data(1), "thingId"));
	ck_response(2,
	    "{'command':'createThing','error':'ResourceAlreadyExistsException','message':"
	    "'Thing t already exists with a different configuration','resourceId':'t',"
	    "'resourceArn':'<arn>thing/t'}");
}
END_TEST

#define UPDATE_THING "{'command':'updateThing','thingName':'t'"

START_TEST(a_thing_is_changed_in_parts_or_as_a_whole)
{
	ask("{'command':'createThing','thingName':'t','attributePayload':{'attributes':{'a':'1',"
	    "'b':'2'}}}," UPDATE_THING
	    ",'attributePayload':{'merge':true,'attributes':{'c':'3','a':''}}},"
	    "{'command':'describeThing','thingName':'t'}," UPDATE_THING
	    ",'attributePayload':{'attributes':{'d':'4'}},'thingTypeName':'x',"
	    "'expectedVersion':2},{'command':'describeThing','thingName':'t'}," UPDATE_THING
	    ",'removeThingType':true,'expectedVersion':2}," UPDATE_THING
	    ",'removeThingType':true,'attributePayload':{'attributes':{}}},"
	    "{'command':'describeThing','thingName':'t'}");
	ck_response(2,
	    "{'command':'describeThing','data':{'defaultClientId':'t','thingName':'t',"
	    "'thingArn':'<arn>thing/t','attributes':{'b':'2','c':'3'},'version':2}}");
	ck_response(4,
	    "{'command':'describeThing','data':{'defaultClientId':'t','thingName':'t',"
	    "'thingArn':'<arn>thing/t','attributes':{'d':'4'},'thingTypeName':'x','version':3}}");
	ck_error(5, "VersionConflictException", "");
	ck_response(7,
	    "{'command':'describeThing','data':{'defaultClientId':'t','thingName':'t',"
	    "'thingArn':'<arn>thing/t','attributes':{},'version':4}}");
}
END_TEST

START_TEST(a_certificate_is_attached_to_a_thing)
{
	put(device, CERT_INACTIVE);
	ask("{'command':'createThing','thingName':'t'},"
	    "{'command':'attachThingPrincipal','thingName':'t','principal':'<arn>cert/<device id>'},"
	    "{'command':'attachThingPrincipal','thingName':'t','principal':'<device id>',"
	    "'thingPrincipalType':'NON_EXCLUSIVE_THING'},"
	    "{'command':'listThingPrincipals','thingName':'t'},"
	    "{'command':'listPrincipalThings','principal':'<device id>'},"
	    "{'command':'deleteThing','thingName':'t'},"
	    "{'command':'deleteCertificate','certificateId':'<device id>','forceDelete':true},"
	    "{'command':'detachThingPrincipal','thingName':'t','principal':'<device id>'},"
	    "{'command':'deleteThing','thingName':'t','expectedVersion':2},"
	    "{'command':'deleteThing','thingName':'t','expectedVersion':1},"
	    "{'command':'deleteThing','thingName':'t'}");
	ck_done(1);
	ck_done(2);
	ck_response(3,
	    "{'command':'listThingPrincipals','data':{'principals':["
	    "'<arn>cert/<device id>']}}");
	ck_response(4, "{'command':'listPrincipalThings','data':{'things':['t']}}");
	ck_error(5, "InvalidRequestException",
	    "Thing t is still attached to one or more principals");
	ck_error(6, "DeleteConflictException", "Things must be detached before deletion");
	ck_done(7);
	ck_error(8, "VersionConflictException", "");
	ck_done(9);
	ck_done(10); /* AWS reports success also for an unknown thing (aws-iot A.6.7) */
}
END_TEST

/* The names in a list of objects, or the list itself, up to the end of the pages. */
static void
ck_pages(const char *command, const char *list, const char *name, const char *next,
    const char *expected)
{
	char text[1000], mark[700] = "", all[2000] = "";
	const cJSON *o;

	do {
		snprintf(text, sizeof(text), "%s%s}", command, mark);
		ask(text);
		ck_assert_ptr_nonnull(data(0));
		cJSON_ArrayForEach(o, cJSON_GetObjectItem(data(0), list))
		{
			const char *one = cJSON_IsString(o) ? o->valuestring : member(o, name);
			const char *slash = strrchr(one, '/');

			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%.4s ",
			    slash != NULL ? slash + 1 : one);
		}
		strcat(all, "| ");
		snprintf(mark, sizeof(mark), ",'%s':'%s'",
		    strcmp(next, "nextMarker") == 0 ? "marker" : next, member(data(0), next));
	} while (cJSON_HasObjectItem(data(0), next));
	ck_assert_str_eq(all, expected);
}

static void
create_some(const char *command, const char *rest)
{
	for (char name = 'a'; name <= 'e'; name++) {
		char text[700];

		snprintf(text, sizeof(text), "{'command':'%s','%sName':'%c'%s}", command,
		    strcmp(command, "createThing") == 0 ? "thing" : "policy", name, rest);
		ask(text);
		ck_assert_ptr_nonnull(data(0));
		if (name % 2 == 0)
			world_wait(1);
	}
}

START_TEST(policies_and_things_are_listed_in_pages)
{
	put(device, CERT_ACTIVE);
	create_some("createPolicy", ",'policyDocument':'<doc 2>'");
	create_some("createThing", "");
	ck_pages("{'command':'listPolicies','pageSize':2,'ascendingOrder':true", "policies",
	    "policyName", "nextMarker", "a b | c d | e | ");
	ck_pages("{'command':'listPolicies','pageSize':3", "policies", "policyName", "nextMarker",
	    "e d c | b a | ");
	ck_pages("{'command':'listThings','maxResults':2", "things", "thingName", "nextToken",
	    "a b | c d | e | ");
	ck_pages("{'command':'listThings','maxResults':5", "things", "thingName", "nextToken",
	    "a b c d e | ");
	for (char name = 'a'; name <= 'e'; name++) {
		char text[400];

		snprintf(text, sizeof(text),
		    "{'command':'attachPolicy','policyName':'%c','target':"
		    "'<device id>'},{'command':'attachThingPrincipal','thingName':'%c','principal':"
		    "'<device id>'}",
		    name, name);
		ask(text);
	}
	ck_pages("{'command':'listAttachedPolicies','target':'<device id>','pageSize':4",
	    "policies", "policyName", "nextMarker", "a b c d | e | ");
	ck_pages("{'command':'listPrincipalPolicies','principal':'<device id>','pageSize':2",
	    "policies", "policyName", "nextMarker", "e d | c b | a | ");
	ck_pages("{'command':'listPrincipalThings','principal':'<device id>','maxResults':3",
	    "things", "", "nextToken", "a b c | d e | ");
}
END_TEST

START_TEST(certificates_of_a_policy_and_a_thing_are_listed_in_pages)
{
	const char *first = world_hex(device), *last = world_hex(second);
	char up[40], down[40];

	if (strcmp(first, last) > 0) {
		first = last;
		last = world_hex(device);
	}
	snprintf(up, sizeof(up), "%.4s | %.4s | ", first, last);
	snprintf(down, sizeof(down), "%.4s | %.4s | ", last, first);
	put(device, CERT_ACTIVE);
	put(second, CERT_ACTIVE);
	ask(CREATE_POLICY
	    ",{'command':'createThing','thingName':'t'},"
	    "{'command':'attachPolicy','policyName':'p','target':'<device id>'},"
	    "{'command':'attachPolicy','policyName':'p','target':'<second id>'},"
	    "{'command':'attachThingPrincipal','thingName':'t','principal':'<device id>'},"
	    "{'command':'attachThingPrincipal','thingName':'t','principal':'<second id>'}");
	ck_pages("{'command':'listTargetsForPolicy','policyName':'p','pageSize':1", "targets", "",
	    "nextMarker", up);
	ck_pages("{'command':'listPolicyPrincipals','policyName':'p','pageSize':1", "principals",
	    "", "nextMarker", down);
	ck_pages("{'command':'listThingPrincipals','thingName':'t','maxResults':1", "principals",
	    "", "nextToken", up);
}
END_TEST

/* Scripts for AWS begin with it (aws-iot A.8). */
START_TEST(the_endpoint_is_the_configured_name)
{
	ask("{'command':'describeEndpoint'},"
	    "{'command':'describeEndpoint','endpointType':'iot:Data-ATS'},"
	    "{'command':'describeEndpoint','endpointType':'iot:Data'}");
	for (int i = 0; i < 3; i++)
		ck_response(i,
		    "{'command':'describeEndpoint','data':{'endpointAddress':"
		    "'mqtt.example.com'}}");
}
END_TEST

START_TEST(things_are_found_by_type_and_attribute)
{
	ask("{'command':'createThing','thingName':'a','thingTypeName':'x','attributePayload':{"
	    "'attributes':{'k':'value'}}},"
	    "{'command':'createThing','thingName':'b','thingTypeName':'x'},"
	    "{'command':'createThing','thingName':'c','attributePayload':{'attributes':{'k':'v'}}}");
	ask("{'command':'listThings','thingTypeName':'x'},"
	    "{'command':'listThings','attributeName':'k','attributeValue':'v'},"
	    "{'command':'listThings','attributeName':'k','attributeValue':'v',"
	    "'usePrefixAttributeValue':true,'maxResults':1},"
	    "{'command':'listThings','attributeName':'k','attributeValue':'value',"
	    "'thingTypeName':'x'},"
	    "{'command':'listThings','attributeName':'k'},"
	    "{'command':'listThings','attributeName':'k','thingTypeName':'x'},"
	    "{'command':'listThings','attributeName':'kk'}");
	ck_response(0,
	    "{'command':'listThings','data':{'things':["
	    "{'thingName':'a','thingArn':'<arn>thing/a','thingTypeName':'x',"
	    "'attributes':{'k':'value'},'version':1},"
	    "{'thingName':'b','thingArn':'<arn>thing/b','thingTypeName':'x','attributes':{},"
	    "'version':1}]}}");
	ck_response(1,
	    "{'command':'listThings','data':{'things':[{'thingName':'c',"
	    "'thingArn':'<arn>thing/c','attributes':{'k':'v'},'version':1}]}}");
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(data(2), "things")), 1);
	ck_assert(cJSON_HasObjectItem(data(2), "nextToken"));
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(data(3), "things")), 1);
	/* Only a name: things with this attribute, with any value. */
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(data(4), "things")), 2);
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(data(5), "things")), 1);
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(data(6), "things")), 0);
}
END_TEST

/* The broker must not wait until a filter has looked at all things. */
START_TEST(a_filter_looks_at_a_bounded_number_of_things)
{
	enum { THINGS = 5001 };
	struct txn t;

	world_change(&t);
	for (int i = 0; i < THINGS; i++) {
		char name[32];
		struct thing thing = { .version = 1, .created = 1, .modified = 1 };

		snprintf(name, sizeof(name), "t%06d", i);
		thing.name = view_of(name);
		thing.type_name = view_of(i == THINGS - 1 ? "wanted" : "other");
		store_put_thing(&t, &thing);
	}
	world_commit(&t);
	ck_pages("{'command':'listThings','thingTypeName':'wanted'", "things", "thingName",
	    "nextToken", "| t005 | ");
}
END_TEST

/*
 * Paging: aws-iot 1.6.
 */

enum { LISTED = 30 };

/* Ids of certificates in the order of their registration; two have the same time each. */
static char listed[LISTED][CERTID_HEX_SIZE];

static int
compare_hex(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
put_listed(void)
{
	for (int i = 0; i < LISTED; i++) {
		struct pki_cert *c = pki_device(ca, "listed");

		if (i % 2 == 0)
			world_wait(1);
		put(c, CERT_ACTIVE);
		strcpy(listed[i], world_hex(c));
		pki_free(c);
	}
	for (int i = 0; i < LISTED; i += 2)
		qsort(listed[i], 2, CERTID_HEX_SIZE, compare_hex);
}

/* All pages of a list; the command is written without its closing brace. */
static int
list_all(const char *command, char found[][CERTID_HEX_SIZE], int *pages)
{
	char text[1000], marker[200] = "";
	const cJSON *o;
	int count = 0;

	*pages = 0;
	do {
		snprintf(text, sizeof(text), "%s%s}", command, marker);
		ask(text);
		++*pages;
		cJSON_ArrayForEach(o, cJSON_GetObjectItem(data(0), "certificates"))
		    strcpy(found[count++], member(o, "certificateId"));
		snprintf(marker, sizeof(marker), ",'marker':'%s'", member(data(0), "nextMarker"));
	} while (cJSON_HasObjectItem(data(0), "nextMarker"));
	return count;
}

START_TEST(a_list_has_pages_oldest_or_newest_first)
{
	static char found[2 * LISTED][CERTID_HEX_SIZE];
	int pages;

	put_listed();
	ck_assert_int_eq(
	    list_all("{'command':'listCertificates','ascendingOrder':true,'pageSize':7", found,
		&pages),
	    LISTED);
	ck_assert_int_eq(pages, 5);
	for (int i = 0; i < LISTED; i++)
		ck_assert_str_eq(found[i], listed[i]);
	ck_assert_int_eq(list_all("{'command':'listCertificatesByCA','caCertificateId':'<ca id>',"
				  "'pageSize':10",
			     found, &pages),
	    LISTED);
	ck_assert_int_eq(pages, 3); /* the last page is full, and known to be the last */
	for (int i = 0; i < LISTED; i++)
		ck_assert_str_eq(found[i], listed[LISTED - 1 - i]);
	ck_assert_int_eq(list_all("{'command':'listCertificates'", found, &pages), LISTED);
	ck_assert_int_eq(pages, 2); /* 25 by default */
}
END_TEST

START_TEST(a_page_begins_after_the_last_one_even_if_that_entry_is_deleted)
{
	struct certid id;
	struct txn t;
	char text[300];

	put_listed();
	ask("{'command':'listCertificates','ascendingOrder':true,'pageSize':3}");
	ck_assert(certid_from_hex(&id, view_of(listed[2])));
	world_change(&t);
	store_delete_cert(&t, &id);
	world_commit(&t);
	snprintf(text, sizeof(text),
	    "{'command':'listCertificates','ascendingOrder':true,"
	    "'pageSize':1,'marker':'%s'}",
	    member(data(0), "nextMarker"));
	ask(text);
	ck_assert_str_eq(member(cJSON_GetObjectItem(data(0), "certificates")->child,
			     "certificateId"),
	    listed[3]);
}
END_TEST

START_TEST(cas_are_listed_in_pages)
{
	static char found[8][CERTID_HEX_SIZE];
	int pages;

	world_wait(1);
	world_put_ca(other, CA_INACTIVE, false);
	ck_assert_int_eq(list_all("{'command':'listCACertificates','pageSize':1", found, &pages),
	    2);
	ck_assert_int_eq(pages, 2);
	ck_assert_str_eq(found[0], world_hex(other)); /* newest first */
	ck_assert_str_eq(found[1], world_hex(ca));
}
END_TEST

/*
 * Mistakes.
 */

#define INVALID       "InvalidRequestException"
#define BAD_CERT      "CertificateValidationException"
#define STATE         "CertificateStateException"
#define NONE          "ResourceNotFoundException"
#define MALFORMED     "MalformedPolicyException"
#define CODE          "RegistrationCodeValidationException"
#define REGISTER_CA   "{'command':'registerCACertificate'"
#define UPDATE_CA     "{'command':'updateCACertificate','certificateId':'<ca id>'"
#define REGISTER_CERT "{'command':'registerCertificate'"
#define WITHOUT_CA    "{'command':'registerCertificateWithoutCA'"
#define UPDATE_CERT   "{'command':'updateCertificate','certificateId':'<device id>'"
#define ID_0          "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
	const char *command, *error, *message;
} mistakes[] = {
	/* The request itself. */
	{ "7", INVALID, "A command must be an object" },
	{ "[]", INVALID, "A command must be an object" },
	{ "{}", INVALID, "at 'command' failed" },
	{ "{'command':7}", INVALID,
	    "Value at 'command' failed to satisfy constraint: Member must be a string" },
	{ "{'command':''}", INVALID, "at 'command' failed" },
	{ "{'command':'createThingGrup'}", INVALID, "Unknown command 'createThingGrup'" },
	{ "{'command':'createThingGroup'}", INVALID,
	    "Command 'createThingGroup' of AWS IoT is not "
	    "supported here: there are no thing groups; policies are attached to certificates; see "
	    "attachPolicy and updateThing" },
	{ "{'command':'ListThingPrincipalsV2'}", INVALID, "see listThingPrincipals" },
	{ "{'command':'create-keys-and-certificate'}", INVALID,
	    "see registerCACertificate and "
	    "registerCertificate" },
	{ "{'command':'describeEndpoint','endpointType':'iot:Jobs'}", INVALID,
	    "Endpoint type 'iot:Jobs' is not recognized: there are iot:Data-ATS and iot:Data" },
	{ "{'command':'describeEndpoint','endpointType':7}", INVALID, "at 'endpointType' failed" },
	{ "{'command':'describeEndpoint','x':7}", INVALID, "Unknown member 'x'" },
	{ "{'command':'DescribeCertificate'}", INVALID,
	    "Unknown command 'DescribeCertificate': its name is describeCertificate" },
	{ "{'command':'update-ca-certificate'}", INVALID, "its name is updateCACertificate" },
	{ "{'command':'getRegistrationCode','correlationData':7}", INVALID, "'correlationData'" },
	{ "{'command':'getRegistrationCode','x':1}", INVALID, "Unknown member 'x'" },
	{ "{'command':'deleteRegistrationCode','certificateId':'x'}", INVALID, "Unknown member" },
	/* registerCACertificate */
	{ REGISTER_CA "}", INVALID,
	    "at 'caCertificate' failed to satisfy constraint: Member must not be null" },
	{ REGISTER_CA ",'caCertificate':''}", INVALID, "greater than or equal to 1" },
	{ REGISTER_CA ",'caCertificate':'garbage','verificationCertificate':'<proof pem>'}",
	    BAD_CERT, "caCertificate: " },
	{ REGISTER_CA ",'caCertificate':'<device pem>','verificationCertificate':'<proof pem>'}",
	    BAD_CERT, "" },
	{ REGISTER_CA ",'caCertificate':'<other pem>'}", INVALID,
	    "verificationCertificate must be given in certificateMode DEFAULT" },
	{ REGISTER_OTHER ",'certificateMode':'SNI_ONLY'}", INVALID,
	    "verificationCertificate must not be given in certificateMode SNI_ONLY" },
	{ REGISTER_OTHER ",'certificateMode':'NONE'}", INVALID,
	    "'NONE' at 'certificateMode' failed to satisfy constraint: Member must satisfy enum "
	    "value set: [DEFAULT, SNI_ONLY]" },
	{ REGISTER_CA ",'caCertificate':'<other pem>','verificationCertificate':'garbage'}",
	    BAD_CERT, "verificationCertificate: " },
	{ REGISTER_CA ",'caCertificate':'<ca pem>','verificationCertificate':'<proof pem>'}",
	    BAD_CERT, "" },
	{ REGISTER_CA
	    ",'caCertificate':'<other pem>','verificationCertificate':'<wrong proof pem>'}",
	    CODE, "getRegistrationCode" },
	{ REGISTER_OTHER ",'setAsActive':'ACTIVE'}", INVALID, "at 'setAsActive' failed" },
	{ REGISTER_OTHER ",'allowAutoRegistration':1}", INVALID,
	    "at 'allowAutoRegistration' failed" },
	{ REGISTER_OTHER ",'setAsActiv':true}", INVALID, "Unknown member 'setAsActiv'" },
	{ REGISTER_OTHER ",'tags':{}}", INVALID, "at 'tags' failed" },
	{ REGISTER_OTHER ",'tags':[7]}", INVALID, "at 'tags' failed" },
	{ REGISTER_OTHER ",'tags':[{'Value':'v'}]}", INVALID, "at 'Key' failed" },
	{ REGISTER_OTHER ",'tags':[{'Key':''}]}", INVALID, "at 'Key' failed" },
	{ REGISTER_OTHER ",'tags':[{'Key':'k','key':'k'}]}", INVALID, "Unknown member 'key'" },
	{ REGISTER_OTHER ",'registrationConfig':[]}", INVALID, "at 'registrationConfig' failed" },
	{ REGISTER_OTHER ",'registrationConfig':{}}", INVALID, "either a templateBody or" },
	{ REGISTER_OTHER ",'registrationConfig':{'templateBody':'{}','templateName':'t'}}", INVALID,
	    "either a templateBody or" },
	{ REGISTER_OTHER ",'registrationConfig':{'templateBody':'x'}}", INVALID, "it is not JSON" },
	{ REGISTER_OTHER ",'registrationConfig':{'templateBody':'[]'}}", INVALID, "templateBody" },
	{ REGISTER_OTHER ",'registrationConfig':{'templateBody':'{}','roleArn':'short'}}", INVALID,
	    "at 'roleArn' failed" },
	{ REGISTER_OTHER ",'registrationConfig':{'templateName':'t t'}}", INVALID,
	    "^[0-9A-Za-z_-]+$" },
	{ REGISTER_OTHER ",'registrationConfig':{'templateName':'t'}}", NONE,
	    "provisioning template" },
	{ REGISTER_OTHER ",'registrationConfig':{'x':'t'}}", INVALID, "Unknown member 'x'" },
	/* describeCACertificate, updateCACertificate, deleteCACertificate, listCACertificates */
	{ "{'command':'describeCACertificate'}", INVALID, "at 'certificateId' failed" },
	{ "{'command':'describeCACertificate','certificateId':'xyz'}", INVALID,
	    "'xyz' at 'certificateId' failed to satisfy constraint: Member must have length greater" },
	{ "{'command':'describeCACertificate','certificateId':'" ID_0 "'}", NONE, "not found" },
	{ "{'command':'describeCACertificate','certificateId':'<device id>'}", NONE, "not found" },
	{ "{'command':'updateCACertificate','certificateId':'" ID_0 "','newStatus':'ACTIVE'}", NONE,
	    "not found (id: " ID_0 ")" },
	{ UPDATE_CA ",'newStatus':'DISABLE'}", INVALID, "enum value set: [ACTIVE, INACTIVE]" },
	{ UPDATE_CA ",'newStatus':'REGISTER_INACTIVE'}", INVALID, "[ACTIVE, INACTIVE]" },
	{ UPDATE_CA ",'newAutoRegistrationStatus':'ENABLED'}", INVALID, "[ENABLE, DISABLE]" },
	{ UPDATE_CA ",'removeAutoRegistration':true,'registrationConfig':{'templateBody':'{}'}}",
	    INVALID, "exclude each other" },
	{ UPDATE_CA ",'registrationConfig':{'templateBody':7}}", INVALID,
	    "at 'templateBody' failed" },
	{ "{'command':'deleteCACertificate','certificateId':'" ID_0 "'}", NONE, "not found" },
	{ "{'command':'listCACertificates','templateName':''}", INVALID,
	    "at 'templateName' failed" },
	{ "{'command':'listCACertificates','pageSize':0}", INVALID, "greater than or equal to 1" },
	{ "{'command':'listCACertificates','pageSize':251}", INVALID, "less than or equal to 250" },
	{ "{'command':'listCACertificates','pageSize':'5'}", INVALID, "must be an integer" },
	{ "{'command':'listCACertificates','marker':'!'}", INVALID, "at 'marker' failed" },
	{ "{'command':'listCACertificates','marker':''}", INVALID, "at 'marker' failed" },
	{ "{'command':'listCACertificates','ascendingOrder':'true'}", INVALID,
	    "must be a boolean" },
	/* registerCertificate, registerCertificateWithoutCA */
	{ REGISTER_CERT "}", INVALID, "at 'certificatePem' failed" },
	{ REGISTER_CERT ",'certificatePem':'garbage'}", BAD_CERT, "certificatePem: " },
	{ REGISTER_CERT ",'certificatePem':'<device pem><device pem>'}", BAD_CERT,
	    "certificatePem: " },
	{ REGISTER_CERT ",'certificatePem':'<second pem>','caCertificatePem':'garbage'}", BAD_CERT,
	    "caCertificatePem: " },
	{ REGISTER_CERT ",'certificatePem':'<second pem>','status':'PENDING_ACTIVATION'}", STATE,
	    "Not allowed to register certificate with PENDING_ACTIVATION status" },
	{ REGISTER_CERT ",'certificatePem':'<second pem>','status':'PENDING_TRANSFER'}", STATE,
	    "" },
	{ REGISTER_CERT ",'certificatePem':'<second pem>','status':'PENDING'}", INVALID,
	    "[ACTIVE, INACTIVE, REVOKED, PENDING_TRANSFER, REGISTER_INACTIVE, PENDING_ACTIVATION]" },
	{ REGISTER_CERT ",'certificatePem':'<second pem>','forceDelete':true}", INVALID,
	    "Unknown" },
	{ REGISTER_CERT ",'certificatePem':'<stranger pem>'}", STATE,
	    "No CA certificate exists for the given certificate" },
	{ REGISTER_CERT ",'certificatePem':'<second pem>','caCertificatePem':'<other pem>'}", STATE,
	    "No CA certificate exists for the given certificate" },
	{ REGISTER_CERT ",'certificatePem':'<stranger pem>','caCertificatePem':'<ca pem>'}",
	    BAD_CERT, "not signed by" },
	{ WITHOUT_CA ",'certificatePem':'<second pem>','setAsActive':true}", INVALID,
	    "setAsActive" },
	{ WITHOUT_CA ",'certificatePem':'<second pem>','status':'PENDING_ACTIVATION'}", STATE, "" },
	{ WITHOUT_CA ",'certificatePem':7}", INVALID, "at 'certificatePem' failed" },
	/* describeCertificate, updateCertificate, deleteCertificate, lists */
	{ "{'command':'describeCertificate','certificateId':'<ca id>'}", NONE,
	    "Certificate not found (id: <ca id>)" },
	{ UPDATE_CERT "}", INVALID, "at 'newStatus' failed" },
	{ UPDATE_CERT ",'newStatus':'DISABLE'}", INVALID, "enum value set" },
	{ UPDATE_CERT ",'newStatus':'REGISTER_INACTIVE'}", STATE, "deprecated" },
	{ UPDATE_CERT ",'newStatus':'PENDING_ACTIVATION'}", STATE, "from INACTIVE to" },
	{ UPDATE_CERT ",'newStatus':'PENDING_TRANSFER'}", STATE, "from INACTIVE to" },
	{ "{'command':'updateCertificate','certificateId':'" ID_0 "','newStatus':'ACTIVE'}", NONE,
	    "" },
	{ "{'command':'deleteCertificate','certificateId':'" ID_0 "'}", NONE, "not found" },
	{ "{'command':'deleteCertificate','certificateId':'<device id>','forceDelete':1}", INVALID,
	    "must be a boolean" },
	{ "{'command':'listCertificates','pageSize':1.5}", INVALID, "must be an integer" },
	{ "{'command':'listCertificates','templateName':'x'}", INVALID, "Unknown member" },
	{ "{'command':'listCertificatesByCA'}", INVALID, "at 'caCertificateId' failed" },
	{ "{'command':'listCertificatesByCA','caCertificateId':'x'}", INVALID,
	    "'caCertificateId'" },
	/* Policies. */
	{ "{'command':'createPolicy'}", INVALID, "at 'policyName' failed" },
	{ "{'command':'createPolicy','policyName':'p'}", INVALID, "at 'policyDocument' failed" },
	{ "{'command':'createPolicy','policyName':'p q','policyDocument':'<doc>'}", INVALID,
	    "'p q' at 'policyName' failed to satisfy constraint: Member must satisfy regular "
	    "expression pattern: [\\w+=,.@-]+" },
	{ "{'command':'createPolicy','policyName':'a:b','policyDocument':'<doc>'}", INVALID,
	    "pattern" },
	{ "{'command':'createPolicy','policyName':'\u00e9','policyDocument':'<doc>'}", INVALID,
	    "pattern" },
	{ "{'command':'createPolicy','policyName':'','policyDocument':'<doc>'}", INVALID,
	    "greater than or equal to 1" },
	{ "{'command':'createPolicy','policyName':'" ID_0 ID_0 "0','policyDocument':'<doc>'}",
	    INVALID, "less than or equal to 128" },
	{ "{'command':'createPolicy','policyName':'p','policyDocument':{}}", INVALID,
	    "at 'policyDocument' failed to satisfy constraint: Member must be a string" },
	{ "{'command':'createPolicy','policyName':'p','policyDocument':''}", MALFORMED,
	    "Policy document is Malformed: " },
	{ "{'command':'createPolicy','policyName':'p','policyDocument':'{}'}", MALFORMED,
	    "Policy document is Malformed: " },
	{ "{'command':'createPolicy','policyName':'p','policyDocument':'<doc 2>','tags':[{}]}",
	    INVALID, "at 'Key' failed" },
	{ "{'command':'createPolicy','policyName':'p','policyDocument':'<doc 2>',"
	  "'setAsDefault':true}",
	    INVALID, "Unknown member" },
	{ "{'command':'createPolicyVersion','policyName':'p','policyDocument':'<doc 2>'}", NONE,
	    "Policy not found (name=p)" },
	{ "{'command':'createPolicyVersion','policyName':'p','policyDocument':'x'}", MALFORMED,
	    "" },
	{ "{'command':'createPolicyVersion','policyName':'p','policyDocument':'<doc 2>',"
	  "'setAsDefault':'true'}",
	    INVALID, "must be a boolean" },
	{ "{'command':'getPolicy','policyName':'p'}", NONE, "Policy not found (name=p)" },
	{ "{'command':'getPolicy','policyName':'p','policyVersionId':'1'}", INVALID, "Unknown" },
	{ "{'command':'deletePolicy','policyName':'p'}", NONE, "Policy not found" },
	{ "{'command':'getPolicyVersion','policyName':'p'}", INVALID,
	    "at 'policyVersionId' failed" },
	{ "{'command':'getPolicyVersion','policyName':'p','policyVersionId':1}", INVALID,
	    "a string" },
	{ "{'command':'getPolicyVersion','policyName':'p','policyVersionId':'v1'}", INVALID,
	    "pattern: [0-9]+" },
	{ "{'command':'getPolicyVersion','policyName':'p','policyVersionId':'1'}", NONE,
	    "not found" },
	{ "{'command':'listPolicyVersions','policyName':'p'}", NONE, "not found" },
	{ "{'command':'setDefaultPolicyVersion','policyName':'p','policyVersionId':'1'}", NONE,
	    "" },
	{ "{'command':'deletePolicyVersion','policyName':'p','policyVersionId':'1'}", NONE, "" },
	{ "{'command':'listPolicies','marker':'00'}", INVALID,
	    "a nextMarker of an earlier answer" },
	{ "{'command':'listPolicies','marker':'0000000000000000'}", INVALID, "a nextMarker" },
	{ "{'command':'listPolicies','marker':'000000000000000020'}", INVALID, "a nextMarker" },
	{ "{'command':'attachPolicy','policyName':'p'}", INVALID, "at 'target' failed" },
	{ "{'command':'attachPolicy','policyName':'p','target':'x'}", INVALID,
	    "Invalid principal 'x' at 'target': it must be the ARN of a certificate, "
	    "<arn>cert/<certificateId>, or its certificateId" },
	{ "{'command':'attachPolicy','policyName':'p',"
	  "'target':'arn:aws:iot:us-east-1:123456789012:cert/<device id>'}",
	    INVALID, "principal" },
	{ "{'command':'attachPolicy','policyName':'p',"
	  "'target':'arn:aws:iot:eu-central-1:000000000000:cert/<device id>'}",
	    INVALID, "principal" },
	{ "{'command':'attachPolicy','policyName':'p','target':'<arn>cacert/<device id>'}", INVALID,
	    "principal" },
	{ "{'command':'attachPolicy','policyName':'p','target':'<arn>cert/<device id>0'}", INVALID,
	    "principal" },
	{ "{'command':'attachPolicy','policyName':'p','target':'<arn>thinggroup/g'}", INVALID,
	    "principal" },
	{ "{'command':'attachPolicy','policyName':'p','target':'<device id>'}", NONE, "" },
	{ "{'command':'detachPolicy','policyName':'p','target':'<device id>'}", NONE, "" },
	{ "{'command':'attachPrincipalPolicy','policyName':'p','target':'<device id>'}", INVALID,
	    "at 'principal' failed" },
	{ "{'command':'listAttachedPolicies','target':'" ID_0 "'}", NONE, "id: " ID_0 },
	{ "{'command':'listAttachedPolicies','target':'<device id>','ascendingOrder':true}",
	    INVALID, "Unknown member 'ascendingOrder'" },
	{ "{'command':'listAttachedPolicies','target':'<device id>','marker':'0a'}", INVALID,
	    "a nextMarker" },
	{ "{'command':'listTargetsForPolicy','policyName':'p'}", NONE, "Policy not found" },
	{ "{'command':'listPolicyPrincipals','policyName':'p','marker':'61'}", INVALID,
	    "nextMarker" },
	{ "{'command':'listPrincipalPolicies','principal':'" ID_0 "'}", NONE, "not found" },
	/* Things. */
	{ "{'command':'createThing'}", INVALID, "at 'thingName' failed" },
	{ "{'command':'createThing','thingName':'a b'}", INVALID, "pattern: [a-zA-Z0-9:_-]+" },
	{ "{'command':'createThing','thingName':'t','thingTypeName':'a.b'}", INVALID, "pattern" },
	{ "{'command':'createThing','thingName':'t','attributePayload':7}", INVALID, "an object" },
	{ "{'command':'createThing','thingName':'t','attributePayload':{'attribute':{}}}", INVALID,
	    "Unknown member 'attribute'" },
	{ "{'command':'createThing','thingName':'t','attributePayload':{'attributes':{'a':1}}}",
	    INVALID, "at 'a' failed to satisfy constraint: Member must be a string" },
	{ "{'command':'createThing','thingName':'t','attributePayload':{'attributes':{'a b':'c'}}}",
	    INVALID, "'a b' at 'attributes' failed" },
	{ "{'command':'createThing','thingName':'t','attributePayload':{'attributes':{'':'c'}}}",
	    INVALID, "at 'attributes' failed" },
	{ "{'command':'createThing','thingName':'t','attributePayload':{'attributes':{'a':'b c'}}}",
	    INVALID, "'b c' at 'a' failed" },
	{ "{'command':'createThing','thingName':'t','attributePayload':{'attributes':{'a':'1','b':'2',"
	  "'c':'3','d':'4'}}}",
	    INVALID, "without a type has at most 3 attributes" },
	{ "{'command':'describeThing','thingName':'t'}", NONE, "Thing t cannot be found." },
	{ "{'command':'updateThing','thingName':'t'}", NONE, "Thing t cannot be found." },
	{ "{'command':'updateThing','thingName':'t','expectedVersion':-1}", INVALID,
	    "greater than or equal to 0" },
	{ "{'command':'updateThing','thingName':'t','billingGroupName':'g'}", INVALID, "Unknown" },
	{ "{'command':'deleteThing','thingName':''}", INVALID, "at 'thingName' failed" },
	{ "{'command':'listThings','maxResults':251}", INVALID, "less than or equal to 250" },
	{ "{'command':'listThings','attributeValue':'a'}", INVALID, "needs an attributeName" },
	{ "{'command':'listThings','nextToken':'zz'}", INVALID,
	    "a nextToken of an earlier answer" },
	{ "{'command':'listThings','pageSize':5}", INVALID, "Unknown member 'pageSize'" },
	{ "{'command':'attachThingPrincipal','thingName':'t','principal':'x'}", INVALID,
	    "Invalid principal 'x' at 'principal'" },
	{ "{'command':'attachThingPrincipal','thingName':'t','principal':'<device id>'}", NONE,
	    "" },
	{ "{'command':'attachThingPrincipal','thingName':'t','principal':'<device id>',"
	  "'thingPrincipalType':'EXCLUSIVE'}",
	    INVALID, "[EXCLUSIVE_THING, NON_EXCLUSIVE_THING]" },
	{ "{'command':'detachThingPrincipal','thingName':'t','principal':'<device id>'}", NONE,
	    "" },
	{ "{'command':'listThingPrincipals','thingName':'t'}", NONE,
	    "Failed to list principals for "
	    "thing t because the thing does not exist in your account" },
	{ "{'command':'listPrincipalThings','principal':'" ID_0 "'}", NONE, "not found" },
};

enum { MISTAKES_AT_ONCE = 10 };

START_TEST(a_mistake_is_named_and_changes_nothing)
{
	size_t begin = (size_t)_i * MISTAKES_AT_ONCE, end = begin + MISTAKES_AT_ONCE;
	struct cert cert;
	struct ca record;

	put(device, CERT_INACTIVE);
	for (size_t i = begin; i < end && i < COUNT_OF(mistakes); i++) {
		ask(mistakes[i].command);
		ck_assert_int_eq(response_count(), 1);
		ck_error(0, mistakes[i].error, mistakes[i].message);
	}
	ck_assert(!world_get_ca(other, &record));
	ck_assert(!world_get_cert(second, &cert) && !world_get_cert(stranger, &cert));
	ck_assert(world_get_cert(device, &cert));
	ck_assert_uint_eq(cert.version, 1);
	ck_assert(world_get_ca(ca, &record));
	ck_assert_uint_eq(record.version, 1);
}
END_TEST

/* aws-iot D.6: weak and expired certificates are not registered by a command either. */
static const struct pki_options unfit[] = {
	{ .common_name = "expired", .not_after_days = -1 },
	{ .common_name = "early", .not_before_days = 1 },
	{ .common_name = "weak", .digest = "SHA1" },
	{ .common_name = "short", .key = PKI_RSA_1024 },
};

START_TEST(a_certificate_that_is_not_fit_is_not_registered)
{
	struct pki_options options = unfit[_i];
	struct pki_cert *c;

	options.issuer = ca;
	c = pki_make(&options);
	word_pem("unfit pem", c->pem);
	ask(REGISTER_CERT ",'certificatePem':'<unfit pem>'}," WITHOUT_CA
			  ",'certificatePem':'<unfit pem>'}");
	ck_error(0, BAD_CERT, "");
	ck_error(1, BAD_CERT, "");
	pki_free(c);
}
END_TEST

START_TEST(no_certificate_of_an_inactive_ca_is_registered_by_call)
{
	world_put_ca(ca, CA_INACTIVE, true);
	ask(REGISTER_CERT ",'certificatePem':'<device pem>'}");
	ck_error(0, STATE, "not active");
}
END_TEST

START_TEST(with_two_cas_of_one_key_the_request_must_name_one)
{
	struct pki_cert *renewed = pki_make(
	    &(struct pki_options){ .common_name = "Test CA", .is_ca = true, .key_of = ca });

	world_put_ca(renewed, CA_ACTIVE, true);
	ask(REGISTER_CERT ",'certificatePem':'<device pem>'}," REGISTER_CERT
			  ",'certificatePem':'<device pem>','caCertificatePem':'<ca pem>'}");
	ck_error(0, "CertificateConflictException", "caCertificatePem");
	ck_assert_str_eq(member(data(1), "certificateId"), world_hex(device));
	pki_free(renewed);
}
END_TEST

START_TEST(an_eleventh_ca_with_the_same_subject_is_refused)
{
	for (int i = 0; i < 10; i++) {
		struct pki_cert *same = pki_ca("Other CA");

		world_put_ca(same, CA_INACTIVE, false);
		pki_free(same);
	}
	ask(REGISTER_OTHER "}");
	ck_error(0, "LimitExceededException", "same subject");
}
END_TEST

/*
 * The request as a whole: contract, section 3.
 */

static const struct {
	const char *what, *text, *message;
} garbage[] = {
	{ "nothing", "", "it is empty" },
	{ "no JSON", "hello", "it is not JSON" },
	{ "half of it", "{'commands':[{'command':'getRegistrationCode'}", "it is not JSON" },
	{ "a list", "[]", "at 'request' failed to satisfy constraint: Member must be an object" },
	{ "a string", "'x'", "at 'request' failed" },
	{ "nothing asked", "{}", "at 'commands' failed" },
	{ "no commands", "{'commands':[]}", "a list of at least one command" },
	{ "one command without a list", "{'commands':{'command':'getRegistrationCode'}}",
	    "at 'commands' failed to satisfy constraint: Member must be a list" },
	{ "something more", "{'commands':[{'command':'getRegistrationCode'}],'x':1}",
	    "Unknown member 'x'" },
	{ "something behind it", "{'commands':[{'command':'getRegistrationCode'}]} x",
	    "unexpected text after" },
	{ "a name twice", "{'commands':[{'command':'a','command':'getRegistrationCode'}]}",
	    "'command' is given twice" },
	{ "a NUL in a string", "{'commands':[{'command':'getRegistrationCode\\u0000'}]}",
	    "\\u0000" },
	{ "too deep", "{'commands':[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}", "nested too deeply" },
};

START_TEST(a_malformed_request_gets_one_answer_with_the_reason)
{
	send_text(garbage[_i].text);
	ck_assert_int_eq(response_count(), 1);
	ck_assert_ptr_null(cJSON_GetObjectItem(response(0), "command"));
	ck_error(0, INVALID, garbage[_i].message);
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 1);
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_left_out_of_the_answer)
{
	static const uint8_t bytes[] = { 0xff, 0x00, 0xfe, '\n' };
	struct client c = admin();

	send_as(&c, (struct view){ bytes, sizeof(bytes) });
	ck_error(0, INVALID, "it is not UTF-8");
	send_as(&c, (struct view){ NULL, 0 });
	ck_error(0, INVALID, "it is empty");
}
END_TEST

/* A long value is cut, but not in the middle of a character. */
START_TEST(quoted_values_are_cut_between_characters)
{
	ask("{'command':'xxx\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91"
	    "\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91\xf0\x9f\x94\x91"
	    "\xf0\x9f\x94\x91\xf0\x9f\x94\x91'}");
	ck_error(0, INVALID, "Unknown command 'xxx\xf0\x9f\x94\x91");
}
END_TEST

START_TEST(the_size_of_a_request_is_bounded)
{
	char *text = malloc(REQUEST_MAX + 2);
	struct client c = admin();

	memset(text, ' ', REQUEST_MAX + 1);
	memcpy(text, expand("{'commands':[{'command':'getRegistrationCode'}]}"), 48);
	send_as(&c, (struct view){ (uint8_t *)text, REQUEST_MAX });
	ck_assert_ptr_nonnull(data(0));
	send_as(&c, (struct view){ (uint8_t *)text, REQUEST_MAX + 1 });
	ck_error(0, INVALID, "The request is too large");
	free(text);
}
END_TEST

static void
ask_many(int count)
{
	char text[8192] = "";

	for (int i = 0; i < count; i++)
		sprintf(text + strlen(text), "%s{'command':'getRegistrationCode'}",
		    i > 0 ? "," : "");
	ask(text);
}

START_TEST(the_number_of_commands_is_bounded)
{
	ask_many(REQUEST_COMMANDS_MAX);
	ck_assert_int_eq(response_count(), REQUEST_COMMANDS_MAX);
	ask_many(REQUEST_COMMANDS_MAX + 1);
	ck_assert_int_eq(response_count(), 1);
	ck_error(0, INVALID,
	    "at 'commands' failed to satisfy constraint: Member must have length "
	    "less than or equal to 50");
}
END_TEST

START_TEST(command_and_correlation_data_are_repeated)
{
	ask("{'command':'getRegistrationCode','correlationData':'a\xc3\xa9\\n'},"
	    "{'command':'nonsense','correlationData':''},"
	    "{'command':'describeCertificate','certificateId':'x','correlationData':'3'},"
	    "{'command':'deleteRegistrationCode'}");
	ck_assert_int_eq(response_count(), 4);
	ck_assert_str_eq(member(response(0), "correlationData"), "a\xc3\xa9\n");
	ck_assert_str_eq(member(response(1), "correlationData"), "");
	ck_assert_str_eq(member(response(1), "command"), "nonsense");
	ck_assert_str_eq(member(response(2), "correlationData"), "3");
	ck_assert_ptr_null(cJSON_GetObjectItem(response(3), "correlationData"));
	ck_assert_str_eq(member(response(3), "command"), "deleteRegistrationCode");
}
END_TEST

START_TEST(commands_are_carried_out_in_order_and_independently)
{
	ask("{'command':'updateCertificate','certificateId':'<device id>','newStatus':'ACTIVE'},"
	    "{'command':'registerCertificate','certificatePem':'<device pem>'},"
	    "{'command':'nonsense'},"
	    "{'command':'updateCertificate','certificateId':'<device id>','newStatus':'REVOKED'},"
	    "{'command':'deleteCertificate','certificateId':'<device id>'},"
	    "{'command':'registerCertificate','certificatePem':'<device pem>','status':'ACTIVE'}");
	ck_error(0, NONE, "not found");
	ck_assert_str_eq(member(data(1), "certificateId"), world_hex(device));
	ck_error(2, INVALID, "Unknown command");
	ck_done(3);
	ck_done(4);
	ck_assert_str_eq(member(data(5), "certificateId"), world_hex(device));
}
END_TEST

#define STATUS_OF(nth) member(cJSON_GetObjectItem(data(nth), "certificateDescription"), "status")

START_TEST(a_command_that_reads_sees_the_changes_before_it_and_none_after)
{
	put(device, CERT_INACTIVE);
	ask("{'command':'describeCertificate','certificateId':'<device id>'},"
	    "{'command':'updateCertificate','certificateId':'<device id>','newStatus':'ACTIVE'},"
	    "{'command':'describeCertificate','certificateId':'<device id>'},"
	    "{'command':'nonsense'},"
	    "{'command':'updateCertificate','certificateId':'<device id>','newStatus':'REVOKED'},"
	    "{'command':'deleteCertificate','certificateId':'<device id>'},"
	    "{'command':'describeCertificate','certificateId':'<device id>'}");
	ck_assert_int_eq(response_count(), 7);
	ck_assert_str_eq(STATUS_OF(0), "INACTIVE");
	ck_done(1);
	ck_assert_str_eq(STATUS_OF(2), "ACTIVE");
	ck_error(3, INVALID, "Unknown command");
	ck_done(4);
	ck_done(5);
	ck_error(6, NONE, "not found");
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 1);
}
END_TEST

/*
 * Answers.
 */

/* No other client receives the answer (contract, section 2). */
START_TEST(only_the_client_that_asked_is_answered)
{
	struct client c = admin();

	c.id = "asker";
	send_as(&c, view_of("garbage"));
	ck_assert_str_eq(world_last(NOTE_ANSWER)->to, "asker");
	ck_assert_str_eq(world_last(NOTE_ANSWER)->topic, "$CONTROL/jitr/v1/response");
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 1);
	ck_assert_uint_eq(world_count(NOTE_PUBLISHED), 0);
}
END_TEST

START_TEST(the_response_topic_is_answered_as_well)
{
	struct client c = admin();

	post(&c, view_of(expand("{'commands':[{'command':'getRegistrationCode'}]}")), "my/topic");
	world_settle();
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 2);
	ck_assert_str_eq(world_note(NOTE_ANSWER, 0)->topic, "$CONTROL/jitr/v1/response");
	ck_assert_str_eq(world_note(NOTE_ANSWER, 1)->topic, "my/topic");
	ck_assert_str_eq(world_note(NOTE_ANSWER, 1)->to, "c1");
	ck_assert_str_eq(world_note(NOTE_ANSWER, 1)->text, world_note(NOTE_ANSWER, 0)->text);
}
END_TEST

/* An answer to a change means that it is on disk. */
START_TEST(a_change_is_answered_after_its_commit_and_a_read_at_once)
{
	struct client c = admin();

	world_hold_writer();
	post(&c, view_of(expand("{'commands':[{'command':'listCertificates'}]}")), NULL);
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 1);
	post(&c,
	    view_of(expand("{'commands':[{'command':'registerCertificate',"
			   "'certificatePem':'<device pem>'}]}")),
	    NULL);
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 1);
	world_release_writer();
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 2);
}
END_TEST

START_TEST(waiting_changes_are_made_and_answered_when_the_broker_stops)
{
	struct client c = admin();
	struct cert cert;

	post(&c,
	    view_of(expand("{'commands':[{'command':'registerCertificate',"
			   "'certificatePem':'<device pem>'}]}")),
	    NULL);
	requests_stop();
	parse_answer();
	ck_assert_str_eq(member(data(0), "certificateId"), world_hex(device));
	ck_assert(world_get_cert(device, &cert));
	requests_start(64);
}
END_TEST

START_TEST(an_answer_that_cannot_be_sent_is_logged)
{
	struct client c = admin();

	world.answer_result = ERR_NOMEM;
	post(&c, view_of("garbage"), NULL);
	ck_assert(world_said("a request could not be answered: out of memory"));
}
END_TEST

START_TEST(changes_are_logged_and_reads_are_not)
{
	char expected[400];

	put(device, CERT_INACTIVE);
	ask("{'command':'updateCertificate','certificateId':'<device id>','newStatus':'ACTIVE'},"
	    "{'command':'deleteCertificate','certificateId':'<device id>'}");
	snprintf(expected, sizeof(expected),
	    "jitr: request: command=updateCertificate "
	    "user=\"admin\" client=\"c1\" result=done certificate=%s address=::1 "
	    "status=INACTIVE->ACTIVE version=1->2",
	    world_hex(device));
	ck_assert_str_eq(world_note(NOTE_LINE, 0)->text, expected);
	ck_assert_int_eq(world_note(NOTE_LINE, 0)->level, LEVEL_NOTICE);
	snprintf(expected, sizeof(expected),
	    "jitr: request: command=deleteCertificate "
	    "user=\"admin\" client=\"c1\" result=CertificateStateException certificate=%s address=::1 "
	    "reason=\"",
	    world_hex(device));
	ck_assert(strncmp(world_note(NOTE_LINE, 1)->text, expected, strlen(expected)) == 0);
	ck_assert(world_said("Certificate must be deactivated (not ACTIVE) before deletion"));
	ck_assert_int_eq(world_note(NOTE_LINE, 1)->level, LEVEL_WARNING);
	world_forget();
	ask("{'command':'describeCertificate','certificateId':'<device id>'}");
	ck_assert_uint_eq(world_count(NOTE_LINE), 0);
}
END_TEST

START_TEST(a_client_cannot_inject_a_line_into_the_log)
{
	struct client c = admin();

	c.id = "x\nx";
	send_as(&c, view_of(expand("{'commands':[{'command':'deleteRegistrationCode'}]}")));
	ck_assert(world_said("client=\"x\\x0ax\""));
	c.user_name = "y\ny";
	send_as(&c, view_of("garbage"));
	ck_assert(world_said("user=\"y\\x0ay\" client=\"x\\x0ax\""));
}
END_TEST

/*
 * Clients that may ask.
 */

#define DENIAL \
	"{\"responses\":[{\"error\":\"AccessDeniedException\",\"message\":\"This client may not " \
	"use $CONTROL/jitr/v1: name its user in admin_users or its certificate in " \
	"admin_certificates\"}]}"

static void
ck_denied(const struct client *c)
{
	struct cert cert;

	send_as(c,
	    view_of(expand("{'commands':[{'command':'registerCertificate',"
			   "'certificatePem':'<device pem>','correlationData':'1'},"
			   "{'command':'listCertificates'},{'command':'nonsense'},7]}")));
	ck_assert_str_eq(world_last(NOTE_ANSWER)->text, DENIAL);
	ck_assert(!world_get_cert(device, &cert));
	ck_assert(world_said("request denied: reason=\"not an administrator\""));
}

START_TEST(a_client_without_rights_is_denied_and_changes_nothing)
{
	struct client c = admin();

	c.user_name = "somebody";
	ck_denied(&c);
	c.user_name = NULL;
	ck_denied(&c);
	c = admin();
	c.address = NULL; /* a bridge */
	ck_denied(&c);
	ck_assert_uint_eq(stats.denied, 3);
}
END_TEST

/* Its request is not read: a malformed one, and more than a request may have, get the
 * same answer, on the answers' topic alone. */
START_TEST(a_malformed_request_without_rights_is_denied_as_well)
{
	char *text = calloc(1, REQUEST_MAX + 2);
	struct client c = admin();

	c.user_name = "somebody";
	send_as(&c, view_of("garbage"));
	ck_assert_str_eq(world_last(NOTE_ANSWER)->text, DENIAL);
	memset(text, ' ', REQUEST_MAX + 1);
	post(&c, view_of(text), "its/own/topic");
	ck_assert_uint_eq(world_count(NOTE_ANSWER), 2);
	ck_assert_str_eq(world_last(NOTE_ANSWER)->topic, "$CONTROL/jitr/v1/response");
	ck_assert_str_eq(world_last(NOTE_ANSWER)->text, DENIAL);
	free(text);
}
END_TEST

START_TEST(a_certificate_in_admin_certificates_may_ask_while_active)
{
	struct client c = { .handle = &c, .id = "d1", .address = "::1", .x = device->x };

	admin_certificate = world_id(device);
	requests_stop();
	requests_start(64);
	put(device, CERT_ACTIVE);
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_ALLOW);
	send_as(&c,
	    view_of(expand("{'commands':[{'command':'updateCertificate',"
			   "'certificateId':'<device id>','newStatus':'INACTIVE'}]}")));
	ck_done(0);
	send_as(&c,
	    view_of(expand("{'commands':[{'command':'updateCertificate',"
			   "'certificateId':'<device id>','newStatus':'ACTIVE'}]}")));
	ck_error(0, "AccessDeniedException", "");
}
END_TEST

/*
 * Trouble.
 */

START_TEST(with_a_full_queue_changes_are_refused_and_reads_answered)
{
	requests_stop();
	requests_start(1);
	world_hold_writer();
	post(&(struct client){ .id = "c1", .user_name = "admin", .address = "::1" },
	    view_of(expand("{'commands':[{'command':'registerCertificate',"
			   "'certificatePem':'<device pem>'},{'command':'listCertificates'},"
			   "{'command':'nonsense'}]}")),
	    NULL);
	parse_answer();
	ck_error(0, "ThrottlingException", "queue");
	ck_response(1, "{'command':'listCertificates','data':{'certificates':[]}}");
	ck_error(2, INVALID, "Unknown command");
	world_release_writer();
	ask("{'command':'registerCertificate','certificatePem':'<device pem>'}");
	ck_assert_str_eq(member(data(0), "certificateId"), world_hex(device));
}
END_TEST

START_TEST(a_failed_commit_is_answered_with_its_reason)
{
	struct client c = admin();
	struct cert cert;

	world_hold_writer();
	post(&c,
	    view_of(expand("{'commands':[{'command':'registerCertificate',"
			   "'certificatePem':'<device pem>'},{'command':'deleteCertificate',"
			   "'certificateId':'" ID_0 "'}]}")),
	    NULL);
	world_break_disk();
	world_release_writer();
	parse_answer();
	ck_error(0, "ServiceUnavailableException", "storage failed");
	ck_error(1, NONE, "not found");
	ck_assert(!world_get_cert(device, &cert));
}
END_TEST

/* The clients of a changed certificate are judged again (contract, section 6). */
START_TEST(revoking_a_certificate_closes_its_connections)
{
	struct client c = { .handle = &c, .id = "d1", .address = "::1", .x = device->x };

	put(device, CERT_ACTIVE);
	ck_assert_int_eq(gate_connect(gate, &c), VERDICT_ALLOW);
	ask("{'command':'updateCertificate','certificateId':'<device id>','newStatus':'REVOKED'}");
	ck_assert_int_eq(gate_access(gate, &c,
			     &(struct access_request){ ACTION_WRITE, "a", false }),
	    ACCESS_DENY);
	gate_tick(gate);
	ck_assert_str_eq(world_last(NOTE_KICK)->to, world_hex(device));
}
END_TEST

START_TEST(stopping_in_the_middle_of_a_revocation_still_revokes)
{
	struct client c = admin();
	struct cert cert;

	put(device, CERT_ACTIVE);
	post(&c,
	    view_of(expand("{'commands':[{'command':'updateCertificate',"
			   "'certificateId':'<device id>','newStatus':'REVOKED'}]}")),
	    NULL);
	requests_stop();
	ck_assert(world_get_cert(device, &cert));
	ck_assert_int_eq(cert.status, CERT_REVOKED);
	requests_start(64);
}
END_TEST

/*
 * The CA mirror.
 */

static bool
is_mirrored(const struct pki_cert *c)
{
	struct ca facts;
	char path[256];

	ck_assert_int_eq(x509_read_ca(c->x, &facts), ERR_OK);
	snprintf(path, sizeof(path), "%s/%08x.0", world.ca_path, facts.subject_hash);
	return access(path, R_OK) == 0;
}

START_TEST(a_ca_is_in_the_mirror_before_its_answer)
{
	ask(REGISTER_OTHER "}");
	ck_assert(is_mirrored(other));
	ask("{'command':'deleteCACertificate','certificateId':'<other id>'}");
	ck_assert(!is_mirrored(other));
}
END_TEST

START_TEST(a_failed_mirror_is_logged_and_tried_again)
{
	char away[200];

	snprintf(away, sizeof(away), "%s/away", world.dir);
	ck_assert_int_eq(rename(world.ca_path, away), 0);
	ask(REGISTER_OTHER "}");
	ck_assert_str_eq(member(data(0), "certificateId"), world_hex(other)); /* it is registered */
	ck_assert(world_said("No such file or directory; devices of a new CA cannot connect"));
	ck_assert_int_eq(rename(away, world.ca_path), 0);
	requests_tick();
	world_settle();
	ck_assert(!is_mirrored(other)); /* not yet */
	world_wait(10000);
	requests_tick();
	world_settle();
	ck_assert(is_mirrored(other));
}
END_TEST

START_TEST(a_ca_registered_by_another_process_is_mirrored)
{
	world_put_ca(other, CA_ACTIVE, true);
	ck_assert(!is_mirrored(other));
	api_changed_elsewhere(api);
	api_changed_elsewhere(api); /* once is enough */
	world_settle();
	ck_assert(is_mirrored(other));
}
END_TEST

static void
command_tests(TCase *t)
{
	tcase_add_test(t, the_registration_code_is_made_kept_and_deleted);
	tcase_add_test(t, a_ca_is_registered_and_described);
	tcase_add_test(t, times_are_seconds_with_a_fraction);
	tcase_add_test(t, a_ca_is_registered_with_everything_at_once);
	tcase_add_test(t, a_ca_is_registered_without_proof_in_sni_only);
	tcase_add_test(t, an_existing_ca_is_named_in_the_error);
	tcase_add_test(t, the_settings_of_a_ca_are_changed);
	tcase_add_test(t, the_template_of_a_ca_is_set_and_removed);
	tcase_add_test(t, a_ca_is_deleted_when_it_is_inactive);
	tcase_add_test(t, cas_are_listed);
	tcase_add_test(t, a_certificate_is_registered_and_described);
	tcase_add_test(t, a_certificate_is_registered_without_a_ca);
	tcase_add_test(t, a_certificate_from_a_handshake_is_described_as_pem);
	tcase_add_loop_test(t, status_outweighs_set_as_active, 0, COUNT_OF(registrations));
	tcase_add_test(t, the_status_of_a_certificate_is_changed);
	tcase_add_test(t, a_certificate_is_deleted_when_it_is_not_active);
	tcase_add_test(t, certificates_are_listed_and_listed_by_ca);
	tcase_add_test(t, a_policy_is_created_and_shown_verbatim);
	tcase_add_test(t, an_existing_policy_is_named_in_the_error);
	tcase_add_test(t, versions_are_numbered_and_one_is_the_default);
	tcase_add_test(t, a_sixth_version_is_refused);
	tcase_add_test(t, a_policy_is_attached_and_detached_by_either_family);
	tcase_add_test(t, a_certificate_with_policies_is_deleted_only_by_force);
	tcase_add_test(t, a_thing_is_created_and_described);
	tcase_add_test(t, creating_an_existing_thing_needs_the_same_content);
	tcase_add_test(t, a_thing_is_changed_in_parts_or_as_a_whole);
	tcase_add_test(t, a_certificate_is_attached_to_a_thing);
	tcase_add_test(t, policies_and_things_are_listed_in_pages);
	tcase_add_test(t, certificates_of_a_policy_and_a_thing_are_listed_in_pages);
	tcase_add_test(t, things_are_found_by_type_and_attribute);
	tcase_add_test(t, the_endpoint_is_the_configured_name);
	tcase_add_test(t, a_filter_looks_at_a_bounded_number_of_things);
	tcase_add_test(t, a_list_has_pages_oldest_or_newest_first);
	tcase_add_test(t, a_page_begins_after_the_last_one_even_if_that_entry_is_deleted);
	tcase_add_test(t, cas_are_listed_in_pages);
}

static void
mistake_tests(TCase *t)
{
	tcase_add_loop_test(t, a_mistake_is_named_and_changes_nothing, 0,
	    (int)(COUNT_OF(mistakes) / MISTAKES_AT_ONCE) + 1);
	tcase_add_loop_test(t, a_certificate_that_is_not_fit_is_not_registered, 0, COUNT_OF(unfit));
	tcase_add_test(t, no_certificate_of_an_inactive_ca_is_registered_by_call);
	tcase_add_test(t, with_two_cas_of_one_key_the_request_must_name_one);
	tcase_add_test(t, an_eleventh_ca_with_the_same_subject_is_refused);
	tcase_add_loop_test(t, a_malformed_request_gets_one_answer_with_the_reason, 0,
	    COUNT_OF(garbage));
	tcase_add_test(t, bytes_that_are_not_utf8_are_left_out_of_the_answer);
	tcase_add_test(t, quoted_values_are_cut_between_characters);
	tcase_add_test(t, the_size_of_a_request_is_bounded);
	tcase_add_test(t, the_number_of_commands_is_bounded);
}

static void
answer_tests(TCase *t)
{
	tcase_add_test(t, command_and_correlation_data_are_repeated);
	tcase_add_test(t, commands_are_carried_out_in_order_and_independently);
	tcase_add_test(t, a_command_that_reads_sees_the_changes_before_it_and_none_after);
	tcase_add_test(t, only_the_client_that_asked_is_answered);
	tcase_add_test(t, the_response_topic_is_answered_as_well);
	tcase_add_test(t, a_change_is_answered_after_its_commit_and_a_read_at_once);
	tcase_add_test(t, waiting_changes_are_made_and_answered_when_the_broker_stops);
	tcase_add_test(t, an_answer_that_cannot_be_sent_is_logged);
	tcase_add_test(t, changes_are_logged_and_reads_are_not);
	tcase_add_test(t, a_client_cannot_inject_a_line_into_the_log);
	tcase_add_test(t, a_client_without_rights_is_denied_and_changes_nothing);
	tcase_add_test(t, a_malformed_request_without_rights_is_denied_as_well);
	tcase_add_test(t, a_certificate_in_admin_certificates_may_ask_while_active);
}

static void
trouble_tests(TCase *t)
{
	tcase_add_test(t, with_a_full_queue_changes_are_refused_and_reads_answered);
	tcase_add_test(t, a_failed_commit_is_answered_with_its_reason);
	tcase_add_test(t, revoking_a_certificate_closes_its_connections);
	tcase_add_test(t, stopping_in_the_middle_of_a_revocation_still_revokes);
	tcase_add_test(t, a_ca_is_in_the_mirror_before_its_answer);
	tcase_add_test(t, a_failed_mirror_is_logged_and_tried_again);
	tcase_add_test(t, a_ca_registered_by_another_process_is_mirrored);
}

static TCase *
request_case(Suite *suite, const char *name)
{
	TCase *t = suite_case(suite, name);

	tcase_add_checked_fixture(t, requests_open, requests_close);
	tcase_set_timeout(t, 30);
	return t;
}

int
main(void)
{
	Suite *suite = suite_create("request");

	command_tests(request_case(suite, "commands"));
	mistake_tests(request_case(suite, "mistakes"));
	answer_tests(request_case(suite, "answers"));
	trouble_tests(request_case(suite, "trouble and the CA mirror"));
	return suite_run(suite);
}
