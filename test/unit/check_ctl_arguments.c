/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl_arguments.c - command lines become requests of AWS IoT, or are refused.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "aws_operations.h"
#include "build.h"
#include "command_line.h"
#include "suite.h"
#include "value.h"

#include "jitr/core/aws_gap.h"

/* The request's members as JSON.  "" if the arguments are refused; d has the reason. */
static char *
members_of(const char *const *words, struct diag *d)
{
	char *argv[WORDS_MAX];
	int argc = make_argv(argv, words);
	struct arguments a;
	cJSON *members = NULL;
	char *text = NULL;

	if (arguments_parse(&a, argc, argv, d) && arguments_complete(&a, d))
		members = build_members(&a, d);
	if (members != NULL)
		text = cJSON_PrintUnformatted(members);
	cJSON_Delete(members);
	free_argv(argv);
	return text != NULL ? text : strdup("");
}

struct request_row {
	const char *what;
	const char *words[WORDS_MAX];
	const char *members;
};

/* Commands and flags are the AWS CLI's, members are AWS's (contract, sections 3 and 4;
 * aws-iot A.1 to A.7). */
static const struct request_row requests[] = {
	{ "the registration code needs nothing", { "get-registration-code" }, "{}" },
	{ "nor does its deletion", { "delete-registration-code" }, "{}" },
	{ "a line of the AWS documentation: file://, an abbreviated flag, switches",
	    { "register-ca-certificate", "--ca-certificate", "file://ca.pem", "--verification-cert",
		"file://ca.pem", "--allow-auto-registration", "--set-as-active" },
	    "{\"caCertificate\":" PEM_JSON ",\"verificationCertificate\":" PEM_JSON
	    ",\"allowAutoRegistration\":true,\"setAsActive\":true}" },
	{ "a plain path does where AWS wants file://",
	    { "register-ca-certificate", "--ca-certificate", "ca.pem", "--certificate-mode",
		"SNI_ONLY" },
	    "{\"caCertificate\":" PEM_JSON ",\"certificateMode\":\"SNI_ONLY\"}" },
	{ "so does the text itself, though it begins with dashes",
	    { "register-ca-certificate", "--ca-certificate", PEM },
	    "{\"caCertificate\":" PEM_JSON "}" },
	{ "--no-set-as-active is false",
	    { "register-ca-certificate", "--ca-certificate", "ca.pem", "--no-set-as-active",
		"--no-allow-auto-registration" },
	    "{\"caCertificate\":" PEM_JSON
	    ",\"setAsActive\":false,\"allowAutoRegistration\":false}" },
	{ "tags in shorthand, several words",
	    { "register-ca-certificate", "--ca-certificate", "ca.pem", "--tags", "Key=a,Value=b",
		"Key=c,Value=", "--set-as-active" },
	    "{\"caCertificate\":" PEM_JSON ",\"tags\":[{\"Key\":\"a\",\"Value\":\"b\"},"
	    "{\"Key\":\"c\",\"Value\":\"\"}],\"setAsActive\":true}" },
	{ "tags in JSON, as a list and one by one",
	    { "register-ca-certificate", "--ca-certificate", "ca.pem", "--tags",
		"[{\"Key\":\"a\",\"Value\":\"b\"},{\"Key\":\"c\"}]", "{\"Key\":\"d\"}" },
	    "{\"caCertificate\":" PEM_JSON ",\"tags\":[{\"Key\":\"a\",\"Value\":\"b\"},"
	    "{\"Key\":\"c\"},{\"Key\":\"d\"}]}" },
	{ "a registration configuration in shorthand",
	    { "update-ca-certificate", "--certificate-id", ID64, "--registration-config",
		"templateBody='{\"a\":\"b,c\"}',roleArn=arn:aws:iam::1:role/r" },
	    "{\"certificateId\":\"" ID64 "\",\"registrationConfig\":{\"templateBody\":"
	    "\"{\\\"a\\\":\\\"b,c\\\"}\",\"roleArn\":\"arn:aws:iam::1:role/r\"}}" },
	{ "braces of a text are its own",
	    { "update-ca-certificate", "--certificate-id", ID64, "--registration-config",
		"templateBody={},roleArn=r" },
	    "{\"certificateId\":\"" ID64 "\",\"registrationConfig\":{\"templateBody\":\"{}\","
	    "\"roleArn\":\"r\"}}" },
	{ "a registration configuration from a JSON file",
	    { "update-ca-certificate", "--certificate-id", ID64, "--registration-config",
		"file://config.json" },
	    "{\"certificateId\":\"" ID64 "\",\"registrationConfig\":{\"templateName\":\"t\"}}" },
	{ "the same, by its path alone",
	    { "update-ca-certificate", "--certificate-id", ID64, "--registration-config",
		"config.json", "--remove-auto-registration" },
	    "{\"certificateId\":\"" ID64 "\",\"registrationConfig\":{\"templateName\":\"t\"},"
	    "\"removeAutoRegistration\":true}" },
	{ "a registration configuration that names a template",
	    { "update-ca-certificate", "--certificate-id", ID64, "--registration-config",
		"templateName=site" },
	    "{\"certificateId\":\"" ID64 "\",\"registrationConfig\":{\"templateName\":\"site\"}}" },
	{ "what activates the certificates of a CA, and after which check",
	    { "register-ca-certificate", "--ca-certificate", "ca.pem", "--activation", "rule",
		"--crl-check", "required", "--crl-file", "/etc/ca.crl" },
	    "{\"caCertificate\":" PEM_JSON ",\"activation\":\"rule\",\"crlCheck\":\"required\","
	    "\"crlFile\":\"/etc/ca.crl\"}" },
	{ "a check of two words, in one or in two",
	    { "update-ca-certificate", "--certificate-id", "1", "--crl-check", "grace", "7",
		"--crl-file", "" },
	    "{\"certificateId\":\"1\",\"crlCheck\":\"grace 7\",\"crlFile\":\"\"}" },
	{ "and quoted",
	    { "update-ca-certificate", "--certificate-id", "1", "--crl-check", "grace 7" },
	    "{\"certificateId\":\"1\",\"crlCheck\":\"grace 7\"}" },
	{ "a rule taken away",
	    { "update-ca-certificate", "--certificate-id", "1", "--activation", "none" },
	    "{\"certificateId\":\"1\",\"activation\":\"none\"}" },
	{ "a rule in JSON, as it is",
	    { "update-ca-certificate", "--certificate-id", "1", "--activation",
		" {\"policies\": []}" },
	    "{\"certificateId\":\"1\",\"activation\":\" {\\\"policies\\\": []}\"}" },
	{ "from a file://",
	    { "update-ca-certificate", "--certificate-id", "1", "--activation",
		"file://policy.json" },
	    "{\"certificateId\":\"1\",\"activation\":\"{\\\"a\\\": 1}\\n\"}" },
	{ "and by its path alone",
	    { "update-ca-certificate", "--certificate-id", "1", "--activation", "policy.json" },
	    "{\"certificateId\":\"1\",\"activation\":\"{\\\"a\\\": 1}\\n\"}" },
	{ "both statuses of a CA",
	    { "update-ca-certificate", "--certificate-id", ID64, "--new-status", "ACTIVE",
		"--new-auto-registration-status", "ENABLE" },
	    "{\"certificateId\":\"" ID64 "\",\"newStatus\":\"ACTIVE\","
	    "\"newAutoRegistrationStatus\":\"ENABLE\"}" },
	{ "--flag=value is --flag value", { "describe-ca-certificate", "--certificate-id=" ID64 },
	    "{\"certificateId\":\"" ID64 "\"}" },
	{ "the last of several wins",
	    { "describe-ca-certificate", "--certificate-id", "1", "--certificate-id", "2" },
	    "{\"certificateId\":\"2\"}" },
	{ "a list with everything; numbers are numbers; what is for us stays here",
	    { "list-ca-certificates", "--page-size", "10", "--marker", "Mg==", "--ascending-order",
		"--template-name", "t", "--max-items", "5", "--no-paginate" },
	    "{\"pageSize\":10,\"marker\":\"Mg==\",\"ascendingOrder\":true,\"templateName\":\"t\"}" },
	{ "deleting a CA", { "delete-ca-certificate", "--certificate-id", ID64 },
	    "{\"certificateId\":\"" ID64 "\"}" },
	{ "registering a certificate",
	    { "register-certificate", "--certificate-pem", "ca.pem", "--ca-certificate-pem",
		"fileb://ca.pem", "--status", "ACTIVE", "--no-set-as-active" },
	    "{\"certificatePem\":" PEM_JSON ",\"caCertificatePem\":" PEM_JSON
	    ",\"status\":\"ACTIVE\",\"setAsActive\":false}" },
	{ "registering one without a CA",
	    { "register-certificate-without-ca", "--certificate-pem", "ca.pem", "--status",
		"INACTIVE" },
	    "{\"certificatePem\":" PEM_JSON ",\"status\":\"INACTIVE\"}" },
	{ "describing a certificate", { "describe-certificate", "--certificate-id", ID64 },
	    "{\"certificateId\":\"" ID64 "\"}" },
	{ "values are not judged here: the plugin does it",
	    { "update-certificate", "--certificate-id", "x", "--new-status", "DISABLE" },
	    "{\"certificateId\":\"x\",\"newStatus\":\"DISABLE\"}" },
	{ "listing certificates", { "list-certificates", "--no-ascending-order" },
	    "{\"ascendingOrder\":false}" },
	{ "those that wait",
	    { "list-certificates", "--status", "PENDING_ACTIVATION", "--ascending-order" },
	    "{\"status\":\"PENDING_ACTIVATION\",\"ascendingOrder\":true}" },
	{ "those of a CA that are revoked",
	    { "list-certificates-by-ca", "--ca-certificate-id", ID64, "--status", "REVOKED" },
	    "{\"caCertificateId\":\"" ID64 "\",\"status\":\"REVOKED\"}" },
	{ "listing those of a CA", { "list-certificates-by-ca", "--ca-certificate-id", ID64 },
	    "{\"caCertificateId\":\"" ID64 "\"}" },
	{ "deleting a certificate",
	    { "delete-certificate", "--certificate-id", ID64, "--force-delete" },
	    "{\"certificateId\":\"" ID64 "\",\"forceDelete\":true}" },
	{ "a policy from a file:// and tags",
	    { "create-policy", "--policy-name", "p", "--policy-document", "file://policy.json",
		"--tags", "Key=a,Value=b" },
	    "{\"policyName\":\"p\",\"policyDocument\":\"{\\\"a\\\": 1}\\n\","
	    "\"tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}" },
	{ "a policy by its path alone",
	    { "create-policy", "--policy-name", "p", "--policy-document", "policy.json" },
	    "{\"policyName\":\"p\",\"policyDocument\":\"{\\\"a\\\": 1}\\n\"}" },
	{ "a policy as it is, verbatim",
	    { "create-policy", "--policy-name", "p", "--policy-document", " {\"a\": [1]}" },
	    "{\"policyName\":\"p\",\"policyDocument\":\" {\\\"a\\\": [1]}\"}" },
	{ "showing a policy", { "get-policy", "--policy-name", "p" }, "{\"policyName\":\"p\"}" },
	{ "listing policies", { "list-policies", "--ascending-order", "--page-size", "3" },
	    "{\"ascendingOrder\":true,\"pageSize\":3}" },
	{ "deleting a policy", { "delete-policy", "--policy-name", "p" },
	    "{\"policyName\":\"p\"}" },
	{ "another version, to be asked from now on",
	    { "create-policy-version", "--policy-name", "p", "--policy-document", "{}",
		"--set-as-default" },
	    "{\"policyName\":\"p\",\"policyDocument\":\"{}\",\"setAsDefault\":true}" },
	{ "or not yet",
	    { "create-policy-version", "--policy-name", "p", "--policy-document", "{}",
		"--no-set-as-default" },
	    "{\"policyName\":\"p\",\"policyDocument\":\"{}\",\"setAsDefault\":false}" },
	{ "a version's number is a string",
	    { "get-policy-version", "--policy-name", "p", "--policy-version-id", "2" },
	    "{\"policyName\":\"p\",\"policyVersionId\":\"2\"}" },
	{ "all versions", { "list-policy-versions", "--policy-name", "p" },
	    "{\"policyName\":\"p\"}" },
	{ "choosing a version",
	    { "set-default-policy-version", "--policy-name", "p", "--policy-version-id", "1" },
	    "{\"policyName\":\"p\",\"policyVersionId\":\"1\"}" },
	{ "deleting a version",
	    { "delete-policy-version", "--policy-name", "p", "--policy-version-id", "1" },
	    "{\"policyName\":\"p\",\"policyVersionId\":\"1\"}" },
	{ "attaching a policy", { "attach-policy", "--policy-name", "p", "--target", "arn:t" },
	    "{\"policyName\":\"p\",\"target\":\"arn:t\"}" },
	{ "detaching it", { "detach-policy", "--policy-name", "p", "--target", "arn:t" },
	    "{\"policyName\":\"p\",\"target\":\"arn:t\"}" },
	{ "policies of a target",
	    { "list-attached-policies", "--target", "arn:t", "--no-recursive", "--marker", "ab" },
	    "{\"target\":\"arn:t\",\"recursive\":false,\"marker\":\"ab\"}" },
	{ "targets of a policy", { "list-targets-for-policy", "--policy-name", "p" },
	    "{\"policyName\":\"p\"}" },
	{ "the older name of attaching",
	    { "attach-principal-policy", "--policy-name", "p", "--principal", "arn:t" },
	    "{\"policyName\":\"p\",\"principal\":\"arn:t\"}" },
	{ "and of detaching",
	    { "detach-principal-policy", "--policy-name", "p", "--principal", "arn:t" },
	    "{\"policyName\":\"p\",\"principal\":\"arn:t\"}" },
	{ "of the one list",
	    { "list-principal-policies", "--principal", "arn:t", "--ascending-order" },
	    "{\"principal\":\"arn:t\",\"ascendingOrder\":true}" },
	{ "and of the other", { "list-policy-principals", "--policy-name", "p" },
	    "{\"policyName\":\"p\"}" },
	{ "questions in shorthand, several words, lists of resources, lists of names",
	    { "test-authorization", "--principal", "arn:t", "--auth-infos",
		"actionType=CONNECT,resources=arn:1", "actionType=PUBLISH,resources=arn:2,arn:3",
		"--client-id", "c", "--policy-names-to-add", "p", "q", "--policy-names-to-skip",
		"r" },
	    "{\"principal\":\"arn:t\",\"authInfos\":[{\"actionType\":\"CONNECT\","
	    "\"resources\":[\"arn:1\"]},{\"actionType\":\"PUBLISH\",\"resources\":[\"arn:2\","
	    "\"arn:3\"]}],\"clientId\":\"c\",\"policyNamesToAdd\":[\"p\",\"q\"],"
	    "\"policyNamesToSkip\":[\"r\"]}" },
	{ "questions in JSON",
	    { "test-authorization", "--auth-infos",
		"[{\"actionType\":\"CONNECT\",\"resources\":[\"arn:1\"]}]", "--policy-names-to-add",
		"[\"p\",\"q\"]" },
	    "{\"authInfos\":[{\"actionType\":\"CONNECT\",\"resources\":[\"arn:1\"]}],"
	    "\"policyNamesToAdd\":[\"p\",\"q\"]}" },
	{ "effective policies",
	    { "get-effective-policies", "--principal", "arn:t", "--thing-name", "n" },
	    "{\"principal\":\"arn:t\",\"thingName\":\"n\"}" },
	{ "where devices connect", { "describe-endpoint", "--endpoint-type", "iot:Data-ATS" },
	    "{\"endpointType\":\"iot:Data-ATS\"}" },
	{ "an explanation of a registered certificate",
	    { "explain", "--certificate-id", ID64, "--client-id", "c", "--topic", "a/b",
		"--source-ip", "192.0.2.1" },
	    "{\"certificateId\":\"" ID64 "\",\"clientId\":\"c\",\"topic\":\"a/b\","
	    "\"sourceIp\":\"192.0.2.1\"}" },
	{ "and of one in a file", { "explain", "--certificate-pem", "ca.pem" },
	    "{\"certificatePem\":" PEM_JSON "}" },
	{ "a revocation list does not travel among the members: it may need many requests",
	    { "import-crl", "--ca-certificate-id", ID64, "--crl", "ca.crl" },
	    "{\"caCertificateId\":\"" ID64 "\"}" },
	{ "showing a revocation list", { "describe-crl", "--ca-certificate-id", ID64 },
	    "{\"caCertificateId\":\"" ID64 "\"}" },
	{ "forgetting it", { "delete-crl", "--ca-certificate-id", ID64 },
	    "{\"caCertificateId\":\"" ID64 "\"}" },
	{ "a template, with everything",
	    { "create-provisioning-template", "--template-name", "t", "--template-body",
		"file://policy.json", "--provisioning-role-arn", "arn:r", "--type", "JITP",
		"--enabled", "--description", "for the site", "--tags", "Key=a,Value=b" },
	    "{\"templateName\":\"t\",\"templateBody\":\"{\\\"a\\\": 1}\\n\","
	    "\"provisioningRoleArn\":\"arn:r\",\"type\":\"JITP\",\"enabled\":true,"
	    "\"description\":\"for the site\",\"tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}" },
	{ "showing a template", { "describe-provisioning-template", "--template-name", "t" },
	    "{\"templateName\":\"t\"}" },
	{ "changing one",
	    { "update-provisioning-template", "--template-name", "t", "--no-enabled",
		"--description", "", "--provisioning-role-arn", "arn:r" },
	    "{\"templateName\":\"t\",\"enabled\":false,\"description\":\"\","
	    "\"provisioningRoleArn\":\"arn:r\"}" },
	{ "listing templates",
	    { "list-provisioning-templates", "--max-results", "5", "--next-token", "ab" },
	    "{\"maxResults\":5,\"nextToken\":\"ab\"}" },
	{ "deleting one", { "delete-provisioning-template", "--template-name", "t" },
	    "{\"templateName\":\"t\"}" },
	{ "a thing with attributes in shorthand",
	    { "create-thing", "--thing-name", "n", "--thing-type-name", "t", "--attribute-payload",
		"attributes={a=b,c=d},merge=true", "--billing-group-name", "g" },
	    "{\"thingName\":\"n\",\"thingTypeName\":\"t\",\"attributePayload\":{\"attributes\":"
	    "{\"a\":\"b\",\"c\":\"d\"},\"merge\":true},\"billingGroupName\":\"g\"}" },
	{ "and in JSON",
	    { "create-thing", "--thing-name", "n", "--attribute-payload",
		"{\"attributes\":{\"a\":\"b\"}}" },
	    "{\"thingName\":\"n\",\"attributePayload\":{\"attributes\":{\"a\":\"b\"}}}" },
	{ "showing a thing", { "describe-thing", "--thing-name", "n" }, "{\"thingName\":\"n\"}" },
	{ "changing a thing",
	    { "update-thing", "--thing-name", "n", "--expected-version", "3", "--remove-thing-type",
		"--attribute-payload", "merge=false,attributes={}" },
	    "{\"thingName\":\"n\",\"expectedVersion\":3,\"removeThingType\":true,"
	    "\"attributePayload\":{\"merge\":false,\"attributes\":{}}}" },
	{ "deleting a thing", { "delete-thing", "--thing-name", "n", "--expected-version", "1" },
	    "{\"thingName\":\"n\",\"expectedVersion\":1}" },
	{ "listing things; the last of two names for one member wins",
	    { "list-things", "--attribute-name", "a", "--attribute-value", "b", "--thing-type-name",
		"t", "--no-use-prefix-attribute-value", "--page-size", "4", "--max-results", "5",
		"--next-token", "ab" },
	    "{\"attributeName\":\"a\",\"attributeValue\":\"b\",\"thingTypeName\":\"t\","
	    "\"usePrefixAttributeValue\":false,\"maxResults\":5,\"nextToken\":\"ab\"}" },
	{ "attaching to a thing",
	    { "attach-thing-principal", "--thing-name", "n", "--principal", "arn:t",
		"--thing-principal-type", "EXCLUSIVE_THING" },
	    "{\"thingName\":\"n\",\"principal\":\"arn:t\","
	    "\"thingPrincipalType\":\"EXCLUSIVE_THING\"}" },
	{ "detaching from it",
	    { "detach-thing-principal", "--thing-name", "n", "--principal", "arn:t" },
	    "{\"thingName\":\"n\",\"principal\":\"arn:t\"}" },
	{ "certificates of a thing", { "list-thing-principals", "--thing-name", "n" },
	    "{\"thingName\":\"n\"}" },
	{ "things of a certificate", { "list-principal-things", "--principal", "arn:t" },
	    "{\"principal\":\"arn:t\"}" },
	{ "AWS's own global flags do no harm",
	    { "delete-certificate", "--certificate-id", ID64, "--region", "eu-west-1", "--profile",
		"p", "--no-cli-pager", "--output", "text" },
	    "{\"certificateId\":\"" ID64 "\"}" },
	{ "an abbreviation that works with the AWS CLI is not spoilt by a flag of ours (--ca-key)",
	    { "register-ca-certificate", "--ca", "ca.pem" }, "{\"caCertificate\":" PEM_JSON "}" },
	{ "nor by --activation", { "register-ca-certificate", "--ca", "ca.pem", "--a" },
	    "{\"caCertificate\":" PEM_JSON ",\"allowAutoRegistration\":true}" },
	{ "nor by --status (--starting-token)", { "list-certificates", "--st", "ab" }, "{}" },
	{ "one of ours can be shortened, too", { "list-certificates", "--stat", "ACTIVE" },
	    "{\"status\":\"ACTIVE\"}" },
};

START_TEST(arguments_become_the_members_of_the_aws_request)
{
	const struct request_row *row = &requests[_i];
	struct diag d = { "" };
	char *members = members_of(row->words, &d);

	ck_assert_msg(strcmp(members, row->members) == 0, "%s:\n%s\nexpected\n%s\n%s", row->what,
	    members, row->members, d.text);
	free(members);
}
END_TEST

START_TEST(every_command_has_a_request_in_this_test)
{
	size_t used = 0;

	for (size_t i = 0; i < COUNT_OF(requests); i++)
		used += strcmp(requests[i].words[0], command_table[_i].name) == 0;
	ck_assert_msg(used > 0, "no request tested for %s", command_table[_i].name);
}
END_TEST

struct refusal_row {
	const char *what;
	const char *words[WORDS_MAX];
	const char *message;
};

static const struct refusal_row refusals[] = {
	{ "no command", { NULL }, "the following arguments are required: command" },
	{ "an unknown command", { "frobnicate" },
	    "argument command: Invalid choice: 'frobnicate'" },
	{ "a misspelt one", { "describe-certifcate" }, "maybe you meant: describe-certificate" },
	{ "the beginning of one", { "update-ca-cert" }, "maybe you meant: update-ca-certificate" },
	{ "a required flag is missing", { "describe-certificate" },
	    "the following arguments are required: --certificate-id" },
	{ "two are", { "update-certificate" },
	    "the following arguments are required: --certificate-id, --new-status" },
	{ "an unknown flag", { "get-registration-code", "--colour", "x" },
	    "Unknown options: --colour" },
	{ "a word too many", { "get-registration-code", "now" }, "Unknown options: now" },
	{ "a connection option behind the command", { "get-registration-code", "-h", "x" },
	    "connection options go before the command" },
	{ "an abbreviation of two flags", { "update-ca-certificate", "--new", "ACTIVE" },
	    "ambiguous option: --new could match --new-status, --new-auto-registration-status" },
	{ "one of AWS's that is none of ours", { "list-certificates", "--ma", "x" },
	    "ambiguous option: --ma could match --marker, --max-items" },
	{ "no value", { "describe-certificate", "--certificate-id" },
	    "argument --certificate-id: expected one argument" },
	{ "a flag where the value should be",
	    { "update-certificate", "--certificate-id", "--new-status" },
	    "argument --certificate-id: expected one argument" },
	{ "a value where none is taken", { "delete-certificate", "--force-delete=yes" },
	    "argument --force-delete: takes no value" },
	{ "not a number", { "list-certificates", "--page-size", "ten" },
	    "argument --page-size: invalid int value: 'ten'" },
	{ "a number with a fraction", { "list-things", "--max-results", "3.5" },
	    "argument --max-results: invalid int value: '3.5'" },
	{ "a number with something behind it",
	    { "delete-thing", "--thing-name", "t", "--expected-version", "1x" },
	    "argument --expected-version: invalid int value: '1x'" },
	{ "no number at all", { "list-certificates", "--page-size", "" },
	    "argument --page-size: invalid int value: ''" },
	{ "a command of AWS that does not exist here", { "create-thing-group" },
	    "argument command: 'create-thing-group' of aws iot is not supported here: there are no "
	    "thing groups; policies are attached to certificates; see attach-policy and update-thing" },
	{ "another, that looks like a misspelling", { "create-policy-versions" },
	    "maybe you meant: create-policy-version" },
	{ "one that differs from ours in two letters", { "list-thing-principals-v2" },
	    "is not supported here: the older command has the same principals; see list-thing-principals" },
	{ "one without anything instead", { "create-topic-rule" },
	    "'create-topic-rule' of aws iot is not supported here: there is no rules engine; a program "
	    "that subscribes does its work" },
	{ "--query, which we do not have", { "list-certificates", "--query", "x" },
	    "--query is not supported" },
	{ "no such file", { "register-certificate", "--certificate-pem", "file://none.pem" },
	    "Error parsing parameter '--certificate-pem': Unable to load paramfile file://none.pem: "
	    "No such file or directory" },
	{ "neither PEM nor a path", { "register-certificate", "--certificate-pem", "none.pem" },
	    "Unable to load paramfile none.pem: No such file or directory" },
	{ "a directory", { "register-certificate", "--certificate-pem", "." },
	    "Unable to load paramfile .: Is a directory" },
	{ "DER instead of PEM", { "register-certificate", "--certificate-pem", "ca.der" },
	    "Unable to load paramfile ca.der: it is not text" },
	{ "far too large a file", { "register-certificate", "--certificate-pem", "large.pem" },
	    "Unable to load paramfile large.pem: it is larger than 1 MiB" },
	{ "a private key by mistake: it must not be sent",
	    { "register-certificate", "--certificate-pem", "secret.pem" },
	    "secret.pem holds a private key; nothing was sent" },
	{ "broken JSON",
	    { "update-ca-certificate", "--certificate-id", "1", "--registration-config", "{" },
	    "Error parsing parameter '--registration-config': Invalid JSON (line 1, column " },
	{ "a misspelt member",
	    { "update-ca-certificate", "--certificate-id", "1", "--registration-config",
		"template=x" },
	    "Unknown parameter: \"template\", must be one of: templateBody, roleArn, templateName" },
	{ "a misspelt member in a list",
	    { "register-ca-certificate", "--ca-certificate", "ca.pem", "--tags",
		"[{\"key\":\"x\"}]" },
	    "Unknown parameter: \"key\", must be one of: Key, Value" },
	{ "a list where one text is meant",
	    { "register-ca-certificate", "--ca-certificate", "ca.pem", "--tags", "Key=a,b" },
	    "Key is one text, not a list" },
	{ "a policy that is neither JSON nor a file",
	    { "create-policy", "--policy-name", "p", "--policy-document", "[]" },
	    "Error parsing parameter '--policy-document': Unable to load paramfile []" },
	{ "a rule that is neither JSON nor a file nor a word we know",
	    { "update-ca-certificate", "--certificate-id", "1", "--activation", "Rule" },
	    "Error parsing parameter '--activation': Unable to load paramfile Rule" },
	{ "a path that means nothing to the broker",
	    { "update-ca-certificate", "--certificate-id", "1", "--crl-file", "./ca.crl" },
	    "Error parsing parameter '--crl-file': './ca.crl' is no path for the broker. It reads "
	    "the file, on its own machine" },
	{ "a file that would be read here",
	    { "update-ca-certificate", "--certificate-id", "1", "--crl-file", "file://ca.pem" },
	    "'file://ca.pem' is no path for the broker" },
	{ "a check that is not UTF-8",
	    { "update-ca-certificate", "--certificate-id", "1", "--crl-check", "grace", "\xff" },
	    "Error parsing parameter '--crl-check': the value is not UTF-8" },
	{ "broken JSON in place of words",
	    { "test-authorization", "--auth-infos", "{}", "--policy-names-to-add", "[\"p\"" },
	    "Error parsing parameter '--policy-names-to-add': Invalid JSON (line 1, column " },
	{ "a list of something else",
	    { "register-ca-certificate", "--ca-certificate", "ca.pem", "--tags", "[1]" },
	    "expected an object with Key, Value" },
	{ "not UTF-8", { "describe-certificate", "--certificate-id", "\xff" },
	    "the value is not UTF-8" },
};

START_TEST(wrong_arguments_are_refused_with_the_reason)
{
	const struct refusal_row *row = &refusals[_i];
	struct diag d = { "" };
	char *members = members_of(row->words, &d);

	ck_assert_msg(strcmp(members, "") == 0, "%s: accepted: %s", row->what, members);
	ck_assert_msg(strstr(d.text, row->message) != NULL, "%s:\n%s\nexpected\n%s", row->what,
	    d.text, row->message);
	free(members);
}
END_TEST

/* `help`, `help COMMAND`, `COMMAND help` and --help anywhere (contract, section 4). */
START_TEST(help_is_recognised_in_any_position)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *command;
	} rows[] = {
		{ { "help" }, NULL },
		{ { "--help" }, NULL },
		{ { "help", "list-certificates" }, "list-certificates" },
		{ { "list-certificates", "help" }, "list-certificates" },
		{ { "delete-certificate", "--certificate-id", "1", "--help" },
		    "delete-certificate" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *argv[WORDS_MAX];
		int argc = make_argv(argv, rows[i].words);
		struct arguments a;
		struct diag d;

		ck_assert(arguments_parse(&a, argc, argv, &d));
		ck_assert(a.help);
		if (rows[i].command == NULL)
			ck_assert_ptr_null(a.command);
		else
			ck_assert_str_eq(a.command->name, rows[i].command);
		free_argv(argv);
	}
}
END_TEST

START_TEST(a_leading_tilde_is_the_home_directory)
{
	struct diag d;
	char *path;

	ck_assert_int_eq(setenv("HOME", "/home/user", 1), 0);
	path = value_path("file://~/root.pem", &d);
	ck_assert_str_eq(path, "/home/user/root.pem");
	free(path);
	path = value_path("~x/root.pem", &d);
	ck_assert_str_eq(path, "~x/root.pem");
	free(path);
}
END_TEST

/* The explanation names only commands that exist. */
START_TEST(every_operation_of_aws_iot_has_a_command_or_an_explanation)
{
	for (size_t i = 0; i < COUNT_OF(aws_operations); i++) {
		const struct aws_gap *gap = aws_gap_find(aws_operations[i]);
		bool here = command_of_operation(aws_operations[i]) != NULL;

		ck_assert_msg(here == (gap == NULL), "%s", aws_operations[i]);
		for (size_t n = 0; gap != NULL && n < AWS_GAP_USE_MAX && gap->use[n] != NULL; n++)
			ck_assert_msg(command_of_operation(gap->use[n]) != NULL, "%s", gap->use[n]);
	}
	ck_assert_ptr_nonnull(aws_gap_find("create-keys-and-certificate"));
	ck_assert_ptr_nonnull(aws_gap_find("createOTAUpdate"));
	ck_assert_ptr_nonnull(aws_gap_find("list-thing-principals-v2"));
	ck_assert_ptr_null(aws_gap_find(""));
	ck_assert_ptr_null(aws_gap_find("create-thing-grou"));
	ck_assert_ptr_null(aws_gap_find("create-thing-groupp"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ctl_arguments");
	TCase *t = command_line_case(suite, "arguments");

	tcase_add_loop_test(t, arguments_become_the_members_of_the_aws_request, 0,
	    COUNT_OF(requests));
	tcase_add_loop_test(t, every_command_has_a_request_in_this_test, 0, (int)command_count);
	tcase_add_loop_test(t, wrong_arguments_are_refused_with_the_reason, 0, COUNT_OF(refusals));
	tcase_add_test(t, help_is_recognised_in_any_position);
	tcase_add_test(t, a_leading_tilde_is_the_home_directory);
	tcase_add_test(t, every_operation_of_aws_iot_has_a_command_or_an_explanation);
	return suite_run(suite);
}
