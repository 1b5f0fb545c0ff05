/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ctl.c - the command line: words to requests, answers to print.
 *
 * No broker: where one is needed, a child process plays it over a socket.
 */
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <check.h>
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws_operations.h"
#include "build.h"
#include "crl_file.h"
#include "document.h"
#include "envelope.h"
#include "help.h"
#include "host.h"
#include "options.h"
#include "print.h"
#include "proof.h"
#include "run.h"
#include "shorthand.h"
#include "url.h"
#include "value.h"

#include "jitr/core/aws_gap.h"

#define WORDS_MAX 24
#define ID64      "3152569674e4a00833bf9337263e4d613e1dc9f80d86ac60931312dc99b99173"
#define PEM       "-----BEGIN CERTIFICATE-----\nMIIBxz\n-----END CERTIFICATE-----\n"
#define PEM_JSON  "\"-----BEGIN CERTIFICATE-----\\nMIIBxz\\n-----END CERTIFICATE-----\\n\""

static char folder[32];  /* to work in */
static char start[4096]; /* where the test was started */

/* ---- helpers ------------------------------------------------------------ */

static void
write_file(const char *name, const char *content, size_t len)
{
	FILE *file = fopen(name, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(content, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

static char *
read_all(const char *name)
{
	struct diag d;
	char *text = value_text(name, &d);

	ck_assert_msg(text != NULL, "%s: %s", name, d.text);
	return text;
}

static int
count_words(const char *const *words)
{
	int n = 0;

	while (words[n] != NULL)
		n++;
	return n;
}

/* argv as main() has it: words that may be written to. */
static int
make_argv(char **argv, const char *const *words)
{
	int n = count_words(words);

	for (int i = 0; i < n; i++) {
		argv[i] = strdup(words[i]);
		ck_assert_ptr_nonnull(argv[i]);
	}
	argv[n] = NULL;
	return n;
}

static void
free_argv(char **argv)
{
	for (; *argv != NULL; argv++)
		free(*argv);
}

/* The request's members as JSON; "" and why in d when the words are refused. */
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

/* ---- words to requests -------------------------------------------------- */

struct request_row {
	const char *what;
	const char *words[WORDS_MAX];
	const char *members;
};

/* Commands and flags are the AWS CLI's, members are AWS's (contract 3 and 4;
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

START_TEST(words_become_the_request_of_the_aws_operation)
{
	const struct request_row *row = &requests[_i];
	struct diag d = { "" };
	char *members = members_of(row->words, &d);

	ck_assert_msg(strcmp(members, row->members) == 0, "%s:\n%s\nexpected\n%s\n%s", row->what,
	    members, row->members, d.text);
	free(members);
}
END_TEST

/* No row of the table is without a line above. */
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

START_TEST(wrong_words_are_refused_with_the_reason)
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

/* `help`, `help COMMAND`, `COMMAND help` and --help anywhere (contract 4). */
START_TEST(help_is_found_wherever_it_stands)
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

static const struct {
	const char *what, *text, *json; /* json NULL: refused */
} shorthands[] = {
	{ "one member", "a=b", "{\"a\":\"b\"}" },
	{ "two, with blanks between", "a=b, c=d", "{\"a\":\"b\",\"c\":\"d\"}" },
	{ "an empty value", "a=", "{\"a\":\"\"}" },
	{ "quotes keep commas", "a=\"b,c\",d='e,f'", "{\"a\":\"b,c\",\"d\":\"e,f\"}" },
	{ "a backslash keeps a quote", "a=\"b\\\"c\"", "{\"a\":\"b\\\"c\"}" },
	{ "a backslash keeps a comma", "a=b\\,c", "{\"a\":\"b,c\"}" },
	{ "JSON in quotes keeps its own backslashes", "a='{\"b\\n\"}'",
	    "{\"a\":\"{\\\"b\\\\n\\\"}\"}" },
	{ "an equals sign in a value", "a=b=c", "{\"a\":\"b=c\"}" },
	{ "a value from a file", "a@=file://word.txt", "{\"a\":\"word\"}" },
	{ "several values are a list", "a=b,c,d=e", "{\"a\":[\"b\",\"c\"],\"d\":\"e\"}" },
	{ "quoted ones, too", "a=b,'c=d'", "{\"a\":[\"b\",\"c=d\"]}" },
	{ "a list in brackets", "a=[b, \"c,d\"],e=f", "{\"a\":[\"b\",\"c,d\"],\"e\":\"f\"}" },
	{ "an object in braces", "a={b=c,d=e},f=g",
	    "{\"a\":{\"b\":\"c\",\"d\":\"e\"},\"f\":\"g\"}" },
	{ "nothing in them", "a={},b=[]", "{\"a\":{},\"b\":[]}" },
	{ "one in the other", "a={b=[{c=d}]}", "{\"a\":{\"b\":[{\"c\":\"d\"}]}}" },
	{ "an at sign in a name", "a={b@c=d}", "{\"a\":{\"b@c\":\"d\"}}" },
	{ "an empty value in braces", "a={b=,c=d}", "{\"a\":{\"b\":\"\",\"c\":\"d\"}}" },
	{ "an open brace", "a={b=c", NULL },
	{ "an open bracket", "a=[b", NULL },
	{ "the wrong one closes", "a={b=c]", NULL },
	{ "something behind a brace", "a={b=c}d", NULL },
	{ "far too deep", "a=[[[[[[[[[[b]]]]]]]]]]", NULL },
	{ "no equals sign", "a", NULL },
	{ "no key", "=b", NULL },
	{ "nothing", "", NULL },
	{ "a comma at the end", "a=b,", NULL },
	{ "an open quote", "a=\"b", NULL },
	{ "something behind a quote", "a=\"b\"c", NULL },
	{ "the same key twice", "a=b,a=c", NULL },
	{ "a file that is not there", "a@=file://none", NULL },
};

START_TEST(shorthand_is_read_as_the_aws_cli_reads_it)
{
	struct diag d = { "" };
	cJSON *json = shorthand_parse(shorthands[_i].text, NULL, &d);
	char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;

	if (shorthands[_i].json == NULL)
		ck_assert_msg(json == NULL && d.text[0] != '\0', "%s: accepted",
		    shorthands[_i].what);
	else
		ck_assert_msg(text != NULL && strcmp(text, shorthands[_i].json) == 0, "%s: %s, %s",
		    shorthands[_i].what, text != NULL ? text : "refused", d.text);
	free(text);
	cJSON_Delete(json);
}
END_TEST

/* Every length of every example above, cut off anywhere: never a crash, never
 * a byte too far (run under a sanitizer). */
START_TEST(shorthand_cut_off_anywhere_does_no_harm)
{
	for (size_t i = 0; i < COUNT_OF(shorthands); i++) {
		for (size_t len = 0; len < strlen(shorthands[i].text); len++) {
			char *part = strndup(shorthands[i].text, len);
			struct diag d;

			cJSON_Delete(shorthand_parse(part, NULL, &d));
			free(part);
		}
	}
}
END_TEST

START_TEST(a_tilde_is_the_home_directory)
{
	struct diag d;
	char *path;

	ck_assert_int_eq(setenv("HOME", "/home/somebody", 1), 0);
	path = value_path("file://~/root.pem", &d);
	ck_assert_str_eq(path, "/home/somebody/root.pem");
	free(path);
	path = value_path("~x/root.pem", &d);
	ck_assert_str_eq(path, "~x/root.pem");
	free(path);
}
END_TEST

/* ---- connection options ------------------------------------------------- */

static bool
parse_options(struct options *o, const char *const *words, struct diag *d)
{
	char *argv[WORDS_MAX];
	int argc = make_argv(argv, words);
	int used = 0;
	bool ok = options_parse(o, argc, argv, &used, d);

	if (ok)
		ck_assert_int_eq(used, argc);
	free_argv(argv);
	return ok;
}

START_TEST(options_are_those_of_mosquitto_ctrl)
{
	static const char *const words[] = { "-h", "broker", "-p", "1234", "-u", "admin", "-P",
		"pw", "-V", "mqttv5", "-q", "2", "--cafile", "ca.pem", "--cert", "c.pem", "--key",
		"k.pem", "--insecure", "-d", "-i", "me", NULL };
	struct options o;
	struct diag d = { "" };

	ck_assert_msg(parse_options(&o, words, &d), "%s", d.text);
	ck_assert_str_eq(o.host, "broker");
	ck_assert_int_eq(options_port(&o), 1234);
	ck_assert_str_eq(o.username, "admin");
	ck_assert_str_eq(o.password, "pw");
	ck_assert_int_eq(o.protocol, 5);
	ck_assert_int_eq(o.qos, 2);
	ck_assert_str_eq(o.cert, "c.pem");
	ck_assert(o.insecure && o.debug && !o.quiet);
	ck_assert_str_eq(o.id, "me");
	options_free(&o);
}
END_TEST

START_TEST(without_options_it_is_localhost_and_mqtt_311)
{
	static const char *const words[] = { NULL };
	static const char *const tls[] = { "--capath", "x", NULL };
	struct options o;
	struct diag d;

	ck_assert(parse_options(&o, words, &d));
	ck_assert_str_eq(o.host, "localhost");
	ck_assert_int_eq(options_port(&o), 1883);
	ck_assert_int_eq(o.protocol, 4);
	ck_assert_int_eq(o.qos, 1);
	options_free(&o);
	ck_assert(parse_options(&o, tls, &d));
	ck_assert_int_eq(options_port(&o), 8883);
	options_free(&o);
}
END_TEST

START_TEST(a_url_brings_host_port_user_and_password)
{
	static const struct {
		const char *url, *host, *user, *password;
		int port;
	} rows[] = {
		{ "mqtt://h", "h", NULL, NULL, 1883 },
		{ "mqtt://h/topic", "h", NULL, NULL, 1883 },
		{ "MQTTS://h:99/", "h", NULL, NULL, 99 },
		{ "mqtts://u@h", "h", "u", NULL, 8883 },
		{ "mqtt://u:p@h:1/t/u", "h", "u", "p", 1 },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *const words[] = { "-L", rows[i].url, NULL };
		struct options o;
		struct diag d = { "" };

		ck_assert_msg(parse_options(&o, words, &d), "%s: %s", rows[i].url, d.text);
		ck_assert_str_eq(o.host, rows[i].host);
		ck_assert_int_eq(o.port, rows[i].port);
		ck_assert_pstr_eq(o.username, rows[i].user);
		ck_assert_pstr_eq(o.password, rows[i].password);
		options_free(&o);
	}
}
END_TEST

/* The file holds the defaults, the command line wins (mosquitto_ctrl(1)). */
START_TEST(the_command_line_wins_over_the_options_file)
{
	static const char file[] =
	    "# comment\n\n-h fromfile\n-p 4321 \r\n-u admin\n-P two words\n--insecure\n";
	static const char *const words[] = { "-p", "1", NULL };
	static const char *const asked[] = { "-o", "options", "-h", "asked", NULL };
	struct options o;
	struct diag d = { "" };

	write_file("mosquitto_ctrl", file, strlen(file));
	ck_assert_int_eq(setenv("XDG_CONFIG_HOME", folder, 1), 0);
	ck_assert_msg(parse_options(&o, words, &d), "%s", d.text);
	ck_assert_str_eq(o.host, "fromfile");
	ck_assert_int_eq(o.port, 1);
	ck_assert_str_eq(o.username, "admin");
	ck_assert_str_eq(o.password, "two words");
	ck_assert(o.insecure);
	options_free(&o);

	write_file("options", "-u other", 8);
	ck_assert_msg(parse_options(&o, asked, &d), "%s", d.text);
	ck_assert_str_eq(o.host, "asked");
	ck_assert_str_eq(o.username, "other");
	ck_assert_ptr_null(o.password);
	options_free(&o);
}
END_TEST

static const struct {
	const char *words[6];
	const char *message;
} wrong_options[] = {
	{ { "--frob" }, "Unknown option '--frob'." },
	{ { "-h" }, "-h argument given but no HOST specified." },
	{ { "-p", "70000" }, "Invalid port given: 70000" },
	{ { "-p", "1x" }, "Invalid port given: 1x" },
	{ { "-q", "3" }, "Invalid QoS given: 3" },
	{ { "-V", "4" }, "Invalid protocol version given: 4" },
	{ { "-L", "http://h" }, "unsupported URL scheme" },
	{ { "-L", "mqtt://h:x" }, "Invalid URL: port 'x'" },
	{ { "-L", "mqtt://" }, "Invalid URL: no host" },
	{ { "--cafile", "x", "--cert", "y" }, "Both --cert and --key must be provided" },
	{ { "--cert", "x", "--key", "y" }, "--cert needs --cafile" },
	{ { "--psk", "00" }, "--psk-identity required" },
	{ { "--proxy", "socks5h://%zz@h" }, "Invalid URL encoding" },
	{ { "-o", "none" }, "cannot read the options file none" },
	{ { "-o", "bad" }, "bad: Unknown option '--frob'." },
};

START_TEST(wrong_options_are_refused_with_the_reason)
{
	struct options o;
	struct diag d = { "" };

	write_file("bad", "--frob x\n", 9);
	ck_assert(!parse_options(&o, wrong_options[_i].words, &d));
	ck_assert_msg(strstr(d.text, wrong_options[_i].message) != NULL, "%s, expected %s", d.text,
	    wrong_options[_i].message);
	options_free(&o);
}
END_TEST

/* mosquitto_ctrl cuts the URL of -L at its separators before it calls a module
 * (its options.c), and says nothing about it. */
START_TEST(a_url_that_the_host_has_cut_is_mended)
{
	static const struct {
		const char *cut, *whole;
	} rows[] = {
		{ "mqtt://h\0topic", "mqtt://h/topic" },
		{ "mqtt://h\0", "mqtt://h/" },
		{ "mqtt://h\0"
		  "1883\0t",
		    "mqtt://h:1883/t" },
		{ "mqtt://u\0h\0t", "mqtt://u@h/t" },
		{ "mqtt://u\0p\0h\0t", "mqtt://u:p@h/t" },
		{ "mqtt://u\0h\0"
		  "1\0t",
		    "mqtt://u@h:1/t" },
		{ "mqtt://u\0p\0h\0"
		  "1\0t/v",
		    "mqtt://u:p@h:1/t/v" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char whole[64];

		url_restore(rows[i].cut, strlen(rows[i].whole) + 1, whole);
		ck_assert_str_eq(whole, rows[i].whole);
	}
}
END_TEST

/* A module sees its own words only; the options lie in front of them, as the
 * kernel put them: one string behind the other. */
START_TEST(a_module_finds_the_options_before_its_name)
{
	static char area[] = "mosquitto_ctrl\0-h\0x\0-L\0mqtt://u\0h\0t\0jitr\0help";
	char *argv[] = { area, area + 15, area + 18, area + 20, area + 23, area + 36, area + 41,
		NULL };
	int count = 0;
	char **options = host_options(1, argv + 6, sizeof(area), &count);

	ck_assert_ptr_nonnull(options);
	ck_assert_int_eq(count, 4);
	ck_assert_str_eq(options[0], "-h");
	ck_assert_str_eq(options[1], "x");
	ck_assert_str_eq(options[3], "mqtt://u@h/t");
	host_options_free(options);

	/* A host whose arguments do not lie like that is not guessed about. */
	ck_assert_ptr_null(host_options(1, argv + 6, sizeof(area) - 3, &count));
	ck_assert_ptr_null(host_options(1, argv + 6, 0, &count));
}
END_TEST

/* ---- envelopes ---------------------------------------------------------- */

START_TEST(a_request_names_its_command_in_lower_camel_case)
{
	cJSON *members = cJSON_Parse("{\"certificateId\":\"1\"}");
	char *text = envelope_seal("DescribeCACertificate", "c1", members);

	ck_assert_str_eq(text,
	    "{\"commands\":[{\"command\":\"describeCACertificate\","
	    "\"correlationData\":\"c1\",\"certificateId\":\"1\"}]}");
	free(text);
	cJSON_Delete(members);
}
END_TEST

START_TEST(only_the_answer_with_our_correlation_is_opened)
{
	static const char text[] =
	    "{\"responses\":[{\"correlationData\":\"other\",\"error\":\"E\"},7,null,"
	    "{\"correlationData\":\"c1\",\"data\":{\"a\":null,\"b\":[{\"c\":null,\"d\":1}]}}]}";
	cJSON *answer = envelope_open(view_of(text), "c1");
	char *data = cJSON_PrintUnformatted(answer_data(answer));

	ck_assert_ptr_null(answer_error(answer));
	ck_assert_str_eq(data, "{\"b\":[{\"d\":1}]}");
	free(data);
	cJSON_Delete(answer);

	answer = envelope_open(view_of(text), "other");
	ck_assert_str_eq(answer_error(answer), "E");
	ck_assert_str_eq(answer_message(answer), "");
	cJSON_Delete(answer);
	ck_assert_ptr_null(envelope_open(view_of(text), "c2"));
}
END_TEST

/* One without rights, or that is throttled, gets an error that names nothing of its
 * request. */
START_TEST(an_error_of_the_whole_request_is_its_answer)
{
	static const char text[] = "{\"responses\":[{\"error\":\"E\",\"message\":\"m\"}]}";
	static const char *const others[] = {
		"{\"responses\":[{\"error\":\"E\",\"command\":\"c\"}]}",
		"{\"responses\":[{\"error\":\"E\",\"correlationData\":\"x\"}]}",
		"{\"responses\":[{\"error\":\"E\"},{\"error\":\"E\"}]}"
	};
	cJSON *answer = envelope_open(view_of(text), "c1");

	ck_assert_str_eq(answer_error(answer), "E");
	ck_assert_str_eq(answer_message(answer), "m");
	cJSON_Delete(answer);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		ck_assert_ptr_null(envelope_open(view_of(others[i]), "c1"));
}
END_TEST

START_TEST(what_is_no_answer_is_ignored)
{
	static const char *const payloads[] = { "", "x", "{", "[]", "null", "{\"responses\":7}",
		"{\"responses\":{}}", "{\"responses\":[[]]}",
		"{\"responses\":[{\"correlationData\":7}]}" };

	for (size_t i = 0; i < COUNT_OF(payloads); i++)
		ck_assert_ptr_null(envelope_open(view_of(payloads[i]), "7"));
}
END_TEST

/* ---- output ------------------------------------------------------------- */

static char *
printed(enum output format, const char *operation, const char *json, int width)
{
	cJSON *data = cJSON_Parse(json);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(data);
	ck_assert(print_answer(out, format, operation, data, width));
	ck_assert_int_eq(fclose(out), 0);
	cJSON_Delete(data);
	return text;
}

#define TWO \
	"{\"certificates\":[{\"certificateId\":\"a1\",\"status\":\"ACTIVE\"," \
	"\"creationDate\":1541022751.983},{\"certificateId\":\"b2\"," \
	"\"status\":\"PENDING_ACTIVATION\",\"certificateMode\":\"DEFAULT\"," \
	"\"creationDate\":1541022752}],\"NextToken\":\"abc\"}"

/* Checked against awscli 1.45.11's own formatters. */
static const struct {
	const char *what, *operation, *json;
	enum output format;
	int width;
	const char *text;
} outputs[] = {
	{ "json: four spaces, numbers as they came", "ListCertificates", TWO, OUTPUT_JSON, 80,
	    "{\n    \"certificates\": [\n        {\n            \"certificateId\": \"a1\",\n"
	    "            \"status\": \"ACTIVE\",\n            \"creationDate\": 1541022751.983\n"
	    "        },\n        {\n            \"certificateId\": \"b2\",\n"
	    "            \"status\": \"PENDING_ACTIVATION\",\n"
	    "            \"certificateMode\": \"DEFAULT\",\n"
	    "            \"creationDate\": 1541022752\n        }\n    ],\n"
	    "    \"NextToken\": \"abc\"\n}\n" },
	{ "json: empty things", "X", "{\"a\":{},\"b\":[],\"c\":true}", OUTPUT_JSON, 80,
	    "{\n    \"a\": {},\n    \"b\": [],\n    \"c\": true\n}\n" },
	{ "text: scalars by name, the same for every record", "ListCertificates", TWO, OUTPUT_TEXT,
	    80,
	    "abc\n"
	    "CERTIFICATES\ta1\t\t2018-10-31T21:52:31.983000+00:00\tACTIVE\n"
	    "CERTIFICATES\tb2\tDEFAULT\t2018-10-31T21:52:32+00:00\tPENDING_ACTIVATION\n" },
	{ "text: objects in objects", "DescribeCertificate",
	    "{\"d\":{\"z\":1,\"a\":\"x\",\"validity\":{\"notAfter\":2524607999},\"t\":{}},\"b\":false}",
	    OUTPUT_TEXT, 80, "False\nD\tx\t1\nVALIDITY\t2049-12-31T23:59:59+00:00\n" },
	{ "text: why a certificate has its status, and when it was refused", "DescribeCertificate",
	    "{\"certificateDescription\":{\"certificateId\":\"a1\",\"statusReason\":{\"details\":"
	    "\"on the list\",\"date\":1541022752},\"lastRefusal\":{\"reason\":\"REVOKED\","
	    "\"date\":1541022751.983,\"sourceIp\":\"::1\"}}}",
	    OUTPUT_TEXT, 80,
	    "CERTIFICATEDESCRIPTION\ta1\n"
	    "LASTREFUSAL\t2018-10-31T21:52:31.983000+00:00\tREVOKED\t::1\n"
	    "STATUSREASON\t2018-10-31T21:52:32+00:00\ton the list\n" },
	{ "text: a rule of several lines is one field", "DescribeCACertificate",
	    "{\"certificateDescription\":{\"certificateId\":\"a1\"},\"activation\":\"{\\n\\t1}\","
	    "\"crlCheck\":\"grace 7\",\"crlFile\":\"/etc/ca.crl\"}",
	    OUTPUT_TEXT, 80, "{\\n\\t1}\tgrace 7\t/etc/ca.crl\nCERTIFICATEDESCRIPTION\ta1\n" },
	{ "text: a list's dates", "DescribeCrl",
	    "{\"crl\":{\"thisUpdate\":1541022752,\"nextUpdate\":1541022753,\"number\":\"0x11\"}}",
	    OUTPUT_TEXT, 80, "CRL\t2018-10-31T21:52:33+00:00\t0x11\t2018-10-31T21:52:32+00:00\n" },
	{ "table: a list's dates, and a rule in its box", "DescribeCACertificate",
	    "{\"activation\":\"{\\n \\\"a\\\": 1\\n}\",\"crl\":{\"nextUpdate\":1541022753,\"count\":2}}",
	    OUTPUT_TABLE, 80,
	    "------------------------------------------\n"
	    "|          DescribeCACertificate         |\n"
	    "+----------------------+-----------------+\n"
	    "|  activation          |  {              |\n"
	    "|                      |   \"a\": 1        |\n"
	    "|                      |  }              |\n"
	    "+----------------------+-----------------+\n"
	    "||                  crl                 ||\n"
	    "|+-------+------------------------------+|\n"
	    "|| count |         nextUpdate           ||\n"
	    "|+-------+------------------------------+|\n"
	    "||  2    |  2018-10-31T21:52:33+00:00   ||\n"
	    "|+-------+------------------------------+|\n" },
	{ "text: plain lists", "X", "{\"n\":[1,2]}", OUTPUT_TEXT, 80, "N\t1\nN\t2\n" },
	{ "table: records side by side, even when too wide", "ListCertificates", TWO, OUTPUT_TABLE,
	    80,
	    "--------------------------------------------------------------------------------------------------\n"
	    "|                                        ListCertificates                                        |\n"
	    "+--------------------------------------------------------------+---------------------------------+\n"
	    "|  NextToken                                                   |  abc                            |\n"
	    "+--------------------------------------------------------------+---------------------------------+\n"
	    "||                                         certificates                                         ||\n"
	    "|+---------------+------------------+------------------------------------+----------------------+|\n"
	    "|| certificateId | certificateMode  |           creationDate             |       status         ||\n"
	    "|+---------------+------------------+------------------------------------+----------------------+|\n"
	    "||  a1           |                  |  2018-10-31T21:52:31.983000+00:00  |  ACTIVE              ||\n"
	    "||  b2           |  DEFAULT         |  2018-10-31T21:52:32+00:00         |  PENDING_ACTIVATION  ||\n"
	    "|+---------------+------------------+------------------------------------+----------------------+|\n" },
	{ "table: one record too wide is turned on its side", "DescribeCertificate",
	    "{\"certificateDescription\":{\"certificateId\":\"" ID64 "\",\"status\":\"ACTIVE\","
	    "\"customerVersion\":1}}",
	    OUTPUT_TABLE, 80,
	    "-------------------------------------------------------------------------------------------\n"
	    "|                                   DescribeCertificate                                   |\n"
	    "+-----------------------------------------------------------------------------------------+\n"
	    "||                                certificateDescription                                 ||\n"
	    "|+-----------------+---------------------------------------------------------------------+|\n"
	    "||  certificateId  |  " ID64 "   ||\n"
	    "||  customerVersion|  1                                                                  ||\n"
	    "||  status         |  ACTIVE                                                             ||\n"
	    "|+-----------------+---------------------------------------------------------------------+|\n" },
	{ "table: a value of several lines stays within its box", "X",
	    "{\"status\":\"ACTIVE\",\"pem\":\"--B--\\nMIIB\\n--E--\\n\"}", OUTPUT_TABLE, 20,
	    "----------------------\n"
	    "|          X         |\n"
	    "+---------+----------+\n"
	    "|  pem    |  --B--   |\n"
	    "|         |  MIIB    |\n"
	    "|         |  --E--   |\n"
	    "|  status |  ACTIVE  |\n"
	    "+---------+----------+\n" },
	{ "table: an empty list is a title", "ListCACertificates", "{\"certificates\":[]}",
	    OUTPUT_TABLE, 80,
	    "--------------------\n|ListCACertificates|\n+------------------+\n" },
	{ "nothing for an answer without members", "DeleteCertificate", "{}", OUTPUT_JSON, 80, "" },
	{ "nothing in a table either", "DeleteCertificate", "{}", OUTPUT_TABLE, 80, "" },
};

START_TEST(answers_look_as_the_aws_cli_prints_them)
{
	char *text = printed(outputs[_i].format, outputs[_i].operation, outputs[_i].json,
	    outputs[_i].width);

	ck_assert_msg(strcmp(text, outputs[_i].text) == 0, "%s:\n%s\nexpected\n%s",
	    outputs[_i].what, text, outputs[_i].text);
	free(text);
}
END_TEST

/* What a device put into its certificate must not steer an administrator's
 * terminal: ESC, C1 controls (U+009B is CSI) and line breaks in fields. */
START_TEST(no_control_character_reaches_a_terminal)
{
	static const char json[] = "{\"a\":\"x\\u001b[2J\\u009b\\u007f\\ny\\t\xff"
				   "\\u202e\\u2066\\u061c\\u200f\\u2028\",\"b\":1}";

	for (int format = OUTPUT_JSON; format <= OUTPUT_TABLE; format++) {
		char *text = printed((enum output)format, "X", json, 80);

		for (const char *c = text; *c != '\0'; c++) {
			ck_assert_msg(((unsigned char)*c >= 0x20 && *c != 0x7f) || *c == '\n' ||
				(*c == '\t' && format == OUTPUT_TEXT),
			    "format %d: %02x in %s", format, *c, text);
		}
		ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
		ck_assert_ptr_null(strstr(text, "\xe2\x80"));
		ck_assert_ptr_null(strstr(text, "\xe2\x81"));
		ck_assert_ptr_null(strstr(text, "\xd8\x9c"));
		ck_assert_ptr_nonnull(strstr(text, "\\u202e"));
		ck_assert_ptr_null(strchr(text, '\xff'));
		ck_assert_ptr_nonnull(strstr(text, "[2J"));
		free(text);
	}
}
END_TEST

/* The escapes of JSON mean what they stand for: a program behind a pipe reads the
 * very characters that a terminal is not shown. */
START_TEST(json_with_escapes_is_read_back_as_it_was)
{
	static const char value[] = "\x1b\xc2\x9b\x7f\n\xe2\x80\xae\xe2\x81\xa9\xd8\x9c\xc3\xa9";
	cJSON *data = cJSON_CreateObject(), *again;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(cJSON_AddStringToObject(data, "a", value));
	ck_assert(print_answer(out, OUTPUT_JSON, "X", data, 80));
	ck_assert_int_eq(fclose(out), 0);
	again = cJSON_Parse(text);
	ck_assert_str_eq(cJSON_GetObjectItem(again, "a")->valuestring, value);
	cJSON_Delete(again);
	cJSON_Delete(data);
	free(text);
}
END_TEST

/* Errors quote answers, files and the command line. */
START_TEST(what_is_said_on_standard_error_steers_no_terminal)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	print_shown(out, "a\n\t\x1b[2J\xc2\x9b\xe2\x80\xae\xff\xc3\xa9");
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, "a\\n\\t\\x1b[2J\\x9b\\u202e\\xff\xc3\xa9");
	free(text);
}
END_TEST

/* RFC 5280 4.1.2.5: 99991231235959Z is "no well-defined expiration date", as seconds
 * beyond what some formatters take; DER also has years before 1970, and 0. */
static const struct {
	const char *seconds, *text;
} ends[] = {
	{ "253402300799", "9999-12-31T23:59:59+00:00" },
	{ "253402300799.5", "9999-12-31T23:59:59.500000+00:00" },
	{ "253402300800", "253402300800" }, /* no time that a certificate can say */
	{ "32503680000", "3000-01-01T00:00:00+00:00" },
	{ "-1", "1969-12-31T23:59:59+00:00" },
	{ "-0.25", "1969-12-31T23:59:59.750000+00:00" },
	{ "-62135596800", "0001-01-01T00:00:00+00:00" },
	{ "-62167219200", "0000-01-01T00:00:00+00:00" },
};

START_TEST(a_time_is_a_time_whatever_its_year)
{
	static const char *const names[] = { "notAfter", "notBefore", "creationDate",
		"nextUpdate" };
	char json[100];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		for (int format = OUTPUT_JSON; format <= OUTPUT_TABLE; format++) {
			const char *expected = format == OUTPUT_JSON ? ends[_i].seconds
								     : ends[_i].text;
			char *text;

			(void)snprintf(json, sizeof(json), "{\"%s\":%s}", names[i],
			    ends[_i].seconds);
			text = printed((enum output)format, "X", json, 80);
			ck_assert_msg(strstr(text, expected) != NULL, "%s: %s", json, text);
			free(text);
		}
	}
}
END_TEST

/* ---- proof of possession ------------------------------------------------ */

static EVP_PKEY *
new_key(const char *type)
{
	if (strcmp(type, "RSA") == 0)
		return EVP_RSA_gen(2048);
	if (strcmp(type, "EC") == 0)
		return EVP_EC_gen("P-384");
	return EVP_PKEY_Q_keygen(NULL, NULL, type);
}

static X509 *
new_ca(EVP_PKEY *key, const EVP_MD *digest, bool with_id)
{
	X509 *x = X509_new();
	X509_EXTENSION *id;
	X509V3_CTX context;

	ck_assert_int_eq(X509_set_version(x, X509_VERSION_3), 1);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
			     (const unsigned char *)"Test CA", -1, -1, 0),
	    1);
	ck_assert_int_eq(X509_set_issuer_name(x, X509_get_subject_name(x)), 1);
	ck_assert_int_eq(X509_set_pubkey(x, key), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	if (with_id) {
		X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
		id = X509V3_EXT_conf(NULL, &context, "subjectKeyIdentifier", "hash");
		ck_assert_int_eq(X509_add_ext(x, id, -1), 1);
		X509_EXTENSION_free(id);
	}
	ck_assert_int_gt(X509_sign(x, key, digest), 0);
	return x;
}

static char *
pem_of(X509 *x)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	char *pem;
	long len;

	ck_assert_int_eq(PEM_write_bio_X509(out, x), 1);
	len = BIO_get_mem_data(out, &data);
	pem = strndup(data, (size_t)len);
	BIO_free(out);
	return pem;
}

static void
write_key(const char *name, EVP_PKEY *key, const char *passphrase)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, key,
			     passphrase != NULL ? EVP_aes_256_cbc() : NULL, passphrase,
			     passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL),
	    1);
	ck_assert_int_eq(fclose(file), 0);
}

static const struct {
	const char *type;
	bool with_id;
} ca_types[] = { { "RSA", true }, { "EC", true }, { "EC", false }, { "ED25519", true },
	{ "ED448", false } };

/* aws-iot C: signed by the CA's key, exactly one common name, which is the
 * registration code; valid now; for a key that is not the CA's. */
START_TEST(a_proof_is_signed_by_the_ca_and_carries_the_code)
{
	const char *type = ca_types[_i].type;
	EVP_PKEY *key = new_key(type);
	X509 *ca = new_ca(key, type[1] == 'D' ? NULL : EVP_sha256(), ca_types[_i].with_id);
	char *ca_pem = pem_of(ca);
	struct diag d = { "" };
	struct ca_key *k;
	char *pem;
	BIO *in;
	X509 *proof;
	char code[100];

	write_key("ca.key", key, NULL);
	k = ca_key_open("ca.key", ca_pem, &d);
	ck_assert_msg(k != NULL, "%s", d.text);
	pem = ca_key_prove(k, ID64, &d);
	ck_assert_msg(pem != NULL, "%s", d.text);
	in = BIO_new_mem_buf(pem, -1);
	proof = PEM_read_bio_X509(in, NULL, NULL, NULL);
	ck_assert_int_eq(X509_verify(proof, key), 1);
	ck_assert_int_eq(X509_check_issued(ca, proof), X509_V_OK);
	ck_assert_int_eq(X509_get_version(proof), X509_VERSION_3);
	ck_assert_int_eq(X509_NAME_get_text_by_NID(X509_get_subject_name(proof), NID_commonName,
			     code, sizeof(code)),
	    64);
	ck_assert_str_eq(code, ID64);
	ck_assert_int_eq(X509_NAME_entry_count(X509_get_subject_name(proof)), 1);
	ck_assert_int_lt(X509_cmp_current_time(X509_get0_notBefore(proof)), 0);
	ck_assert_int_gt(X509_cmp_current_time(X509_get0_notAfter(proof)), 0);
	ck_assert_int_eq(X509_check_private_key(proof, key), 0);
	ck_assert_int_eq(X509_check_ca(proof), 0);
	ck_assert_ptr_null(strstr(pem, "PRIVATE"));
	X509_free(proof);
	BIO_free(in);
	free(pem);
	ca_key_close(k);
	free(ca_pem);
	X509_free(ca);
	EVP_PKEY_free(key);
}
END_TEST

static void
expect_no_key(const char *path, const char *ca_pem, const char *message)
{
	struct diag d = { "" };

	ck_assert_ptr_null(ca_key_open(path, ca_pem, &d));
	ck_assert_msg(strstr(d.text, message) != NULL, "%s, expected %s", d.text, message);
}

START_TEST(a_key_that_cannot_prove_anything_is_refused_first)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY *other = EVP_EC_gen("P-256");
	X509 *ca = new_ca(key, EVP_sha256(), true);
	char *ca_pem = pem_of(ca);

	write_key("other.key", other, NULL);
	write_key("locked.key", key, "secret");
	ck_assert_ptr_nonnull(freopen("/dev/null", "r", stdin)); /* no terminal */
	expect_no_key("other.key", ca_pem, "the key in other.key is not the key of this CA");
	expect_no_key("locked.key", ca_pem, "encrypted, and there is no terminal to ask");
	expect_no_key("ca.pem", ca_pem, "no private key in PEM found in ca.pem");
	expect_no_key("none.key", ca_pem, "cannot read the key none.key: No such file");
	expect_no_key("other.key", "nonsense", "the CA certificate cannot be read");
	free(ca_pem);
	X509_free(ca);
	EVP_PKEY_free(other);
	EVP_PKEY_free(key);
}
END_TEST

/* ---- revocation lists --------------------------------------------------- */

/* The beginning of a SEQUENCE that has so many bytes altogether. */
static size_t
der_header(uint8_t header[6], size_t size)
{
	size_t octets = size < 0x82 ? 0
	    : size < 0x103          ? 1
	    : size < 0x10004        ? 2
	    : size < 0x1000005      ? 3
				    : 4;
	size_t len = size - 2 - octets;

	header[0] = 0x30;
	header[1] = (uint8_t)(octets == 0 ? len : 0x80 + octets);
	for (size_t i = 0; i < octets; i++)
		header[2 + i] = (uint8_t)(len >> (8 * (octets - 1 - i)));
	return 2 + octets;
}

/* Something of the size of a list that looks like one from outside. */
static uint8_t *
new_list(size_t size)
{
	uint8_t *der = malloc(size);
	uint8_t header[6];

	ck_assert_ptr_nonnull(der);
	for (size_t i = 0; i < size; i++)
		der[i] = (uint8_t)(i * 7 + i / 251);
	memcpy(der, header, der_header(header, size));
	return der;
}

static void
write_list(const char *name, size_t size)
{
	uint8_t *der = new_list(size);

	write_file(name, (const char *)der, size);
	free(der);
}

/* All of its parts, put together again. */
static size_t
join_parts(const struct crl_file *f, uint8_t *out)
{
	size_t len = 0;

	for (size_t i = 0; i < crl_file_parts(f); i++) {
		char *part = crl_file_part(f, i);
		size_t chars = strlen(part);
		int n = EVP_DecodeBlock(out + len, (const uint8_t *)part, (int)chars);

		ck_assert_int_gt(n, 0);
		ck_assert_uint_le(chars, 460000);
		if (i + 1 < crl_file_parts(f))
			ck_assert_int_eq(n, 345000);
		len += (size_t)n - (part[chars - 1] == '=') - (part[chars - 2] == '=');
		free(part);
	}
	return len;
}

static void
expect_list(const char *given, const uint8_t *der, size_t size, size_t parts)
{
	struct diag d = { "" };
	struct crl_file *f = crl_file_open(given, &d);
	uint8_t *joined = malloc(size + 3);

	ck_assert_msg(f != NULL, "%s: %s", given, d.text);
	ck_assert_uint_eq(crl_file_parts(f), parts);
	ck_assert_uint_eq(join_parts(f, joined), size);
	ck_assert_mem_eq(joined, der, size);
	free(joined);
	crl_file_close(f);
}

static const struct {
	size_t size, parts;
} list_sizes[] = { { 2, 1 }, { 344999, 1 }, { 345000, 1 }, { 345001, 2 }, { 689999, 2 },
	{ 690000, 2 }, { 690001, 3 } };

START_TEST(a_list_is_cut_into_parts_that_fit_into_a_request)
{
	size_t size = list_sizes[_i].size;
	uint8_t *der = new_list(size);

	write_file("ca.crl", (const char *)der, size);
	expect_list("ca.crl", der, size, list_sizes[_i].parts);
	expect_list("file://ca.crl", der, size, list_sizes[_i].parts);
	expect_list("fileb://ca.crl", der, size, list_sizes[_i].parts);
	free(der);
}
END_TEST

#define CRL_BEGIN "-----BEGIN X509 CRL-----"
#define CRL_END   "-----END X509 CRL-----"

/* What is between the lines is base64, in lines of 64 characters. */
static char *
pem_list(const char *before, const uint8_t *der, size_t size, const char *newline,
    const char *behind)
{
	char *base64 = malloc(size / 3 * 4 + 5);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)EVP_EncodeBlock((uint8_t *)base64, der, (int)size);
	(void)fprintf(out, "%s" CRL_BEGIN "%s", before, newline);
	for (size_t at = 0; at < strlen(base64); at += 64)
		(void)fprintf(out, "%.64s%s", base64 + at, newline);
	(void)fprintf(out, CRL_END "%s%s", newline, behind);
	ck_assert_int_eq(fclose(out), 0);
	free(base64);
	return text;
}

/* `openssl crl -text` writes what is in a list in front of it; mail adds more
 * (RFC 7468 section 2: all of that is ignored). */
START_TEST(a_list_in_pem_is_the_same_list_whatever_is_around_it)
{
	static const struct {
		const char *before, *newline, *behind;
	} rows[] = {
		{ "", "\n", "" },
		{ "Certificate Revocation List (CRL):\n    Version 2 (0x1)\n", "\n", "\n" },
		{ "Subject: " CRL_BEGIN " is near\r\n", "\r\n", "-- \r\nthe CA's own robot\r\n" },
		{ PEM, "\n", PEM },
	};
	uint8_t *der = new_list(1000);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *pem = pem_list(rows[i].before, der, 1000, rows[i].newline, rows[i].behind);

		write_file("ca.crl", pem, strlen(pem));
		expect_list("ca.crl", der, 1000, 1);
		expect_list(pem, der, 1000, 1);
		free(pem);
	}
	free(der);
}
END_TEST

static const struct {
	const char *what, *content;
	size_t len; /* 0: of the string */
	const char *message;
} no_lists[] = {
	{ "nothing", "", 0, "there is no revocation list" },
	{ "some text", "0 entries", 0, "neither a line " CRL_BEGIN " nor exactly one list in DER" },
	{ "a certificate", PEM, 0, "there is no revocation list" },
	{ "DER that is cut off", "\x30\x03\x02\x01", 4, "there is no revocation list" },
	{ "DER with something behind", "\x30\x00\x0a", 3, "there is no revocation list" },
	{ "DER of something else", "\x31\x00", 2, "there is no revocation list" },
	{ "a length that means nothing", "\x30\x84\xff\xff\xff\xff", 6,
	    "there is no revocation list" },
	{ "a line that only talks of it", "see " CRL_BEGIN "\nMAA=\n" CRL_END "\n", 0,
	    "there is no revocation list" },
	{ "PEM that is cut off", CRL_BEGIN "\nMAA=\n", 0, "cut off: there is no line " CRL_END },
	{ "two", CRL_BEGIN "\nMAA=\n" CRL_END "\n" CRL_BEGIN "\nMAA=\n" CRL_END "\n", 0,
	    "there is more than one revocation list" },
	{ "one within another", CRL_BEGIN "\n" CRL_BEGIN "\nMAA=\n" CRL_END "\n", 0,
	    "there is more than one revocation list" },
	{ "no base64", CRL_BEGIN "\nM:A=\n" CRL_END "\n", 0, "is damaged" },
	{ "too few characters of it", CRL_BEGIN "\nMAA\n" CRL_END "\n", 0, "is damaged" },
	{ "base64 of something else", CRL_BEGIN "\nAAAA\n" CRL_END "\n", 0, "is damaged" },
	{ "nothing in it", CRL_BEGIN "\n" CRL_END "\n", 0, "is damaged" },
};

START_TEST(what_is_no_list_is_refused_with_the_reason)
{
	const char *content = no_lists[_i].content;
	size_t len = no_lists[_i].len > 0 ? no_lists[_i].len : strlen(content);
	struct diag d = { "" };

	write_file("ca.crl", content, len);
	ck_assert_msg(crl_file_open("ca.crl", &d) == NULL, "%s: accepted", no_lists[_i].what);
	ck_assert_msg(strstr(d.text, no_lists[_i].message) != NULL, "%s: %s", no_lists[_i].what,
	    d.text);
}
END_TEST

START_TEST(a_list_that_cannot_be_read_is_refused_with_the_reason)
{
	struct diag d = { "" };

	ck_assert_ptr_null(crl_file_open("file://none.crl", &d));
	ck_assert_str_eq(d.text,
	    "Unable to load paramfile file://none.crl: No such file or directory");
	ck_assert_ptr_null(crl_file_open(".", &d));
	ck_assert_str_eq(d.text, "Unable to load paramfile .: Is a directory");
}
END_TEST

/* The rest of the file is a hole: nothing of that size is written. */
static void
write_huge(const char *name, size_t list, size_t file)
{
	uint8_t header[6];

	write_file(name, (const char *)header, der_header(header, list));
	ck_assert_int_eq(truncate(name, (off_t)file), 0);
}

START_TEST(a_list_of_128_mib_is_taken_and_no_larger_one)
{
	struct diag d = { "" };
	struct crl_file *f;

	write_huge("ca.crl", CRL_FILE_BYTES_MAX, CRL_FILE_BYTES_MAX);
	f = crl_file_open("ca.crl", &d);
	ck_assert_msg(f != NULL, "%s", d.text);
	ck_assert_uint_eq(crl_file_parts(f), 390);
	crl_file_close(f);
	write_huge("ca.crl", CRL_FILE_BYTES_MAX + 1, CRL_FILE_BYTES_MAX + 1);
	ck_assert_ptr_null(crl_file_open("ca.crl", &d));
	ck_assert_str_eq(d.text, "the list is larger than 128 MiB");
	write_huge("ca.crl", 2, CRL_FILE_BYTES_MAX / 2 * 3 + 1);
	ck_assert_ptr_null(crl_file_open("ca.crl", &d));
	ck_assert_str_eq(d.text,
	    "Unable to load paramfile ca.crl: it is larger than a revocation "
	    "list may be");
}
END_TEST

/* ---- whole commands ----------------------------------------------------- */

static const struct program program = { "mosquitto_jitr", "" };

/* A command line as from a shell; what it printed is in the files out and err.
 * Each test is a process of its own, so nothing needs to be put back. */
static int
run_words(const char *const *words)
{
	char *argv[WORDS_MAX];
	int argc = make_argv(argv, words);
	int status;

	ck_assert_ptr_nonnull(freopen("/dev/null", "r", stdin));
	ck_assert_ptr_nonnull(freopen("out", "w", stdout));
	ck_assert_ptr_nonnull(freopen("err", "w", stderr));
	status = (int)run_line(&program, argc, argv);
	ck_assert_int_eq(fflush(stdout), 0);
	ck_assert_int_eq(fflush(stderr), 0);
	free_argv(argv);
	return status;
}

static void
expect_file(const char *name, const char *content)
{
	char *text = read_all(name);

	ck_assert_str_eq(text, content);
	free(text);
}

START_TEST(usage_errors_end_with_252_and_look_as_the_aws_clis)
{
	static const char *const words[] = { "describe-certificate", NULL };

	ck_assert_int_eq(run_words(words), 252);
	expect_file("file://out", "");
	expect_file("file://err",
	    "usage: mosquitto_jitr [options] COMMAND [--flags]\nTo see help text, you can run:\n\n"
	    "  mosquitto_jitr help\n  mosquitto_jitr help COMMAND\n\n"
	    "mosquitto_jitr: error: the following arguments are required: --certificate-id\n");
}
END_TEST

/* In mode DEFAULT exactly one proof, in SNI_ONLY none (aws-iot A.2.1): said
 * before anything is connected to. */
START_TEST(a_ca_without_proof_or_with_two_is_a_usage_error)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *message;
	} rows[] = {
		{ { "register-ca-certificate", "--ca-certificate", "ca.pem" },
		    "give --ca-key FILE" },
		{ { "register-ca-certificate", "--ca-certificate", "ca.pem", "--certificate-mode",
		      "DEFAULT" },
		    "give --ca-key FILE" },
		{ { "register-ca-certificate", "--ca-certificate", "ca.pem", "--ca-key", "k",
		      "--verification-certificate", "ca.pem" },
		    "give one of them" },
		{ { "register-ca-certificate", "--ca-certificate", "ca.pem", "--ca-key", "k",
		      "--certificate-mode", "SNI_ONLY" },
		    "no proof in --certificate-mode SNI_ONLY" },
		{ { "list-certificates", "--output", "yaml" },
		    "argument --output: Invalid choice: 'yaml'" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text;

		ck_assert_int_eq(run_words(rows[i].words), 252);
		text = read_all("file://err");
		ck_assert_msg(strstr(text, rows[i].message) != NULL, "%s", text);
		free(text);
	}
}
END_TEST

static int
listening(int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(s, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(s, 1), 0);
	ck_assert_int_eq(getsockname(s, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return s;
}

START_TEST(a_broker_that_is_not_there_is_253)
{
	char port[8];
	int number;
	const char *const words[] = { "-h", "127.0.0.1", "-p", port, "get-registration-code",
		NULL };
	char *text;

	(void)close(listening(&number));
	(void)snprintf(port, sizeof(port), "%d", number);
	ck_assert_int_eq(run_words(words), 253);
	text = read_all("file://err");
	ck_assert_ptr_nonnull(strstr(text, "Unable to connect to 127.0.0.1"));
	free(text);
}
END_TEST

/* One MQTT 3.1.1 packet; the broker's side of the wire in as few lines as will
 * do.  -1 at the end. */
static int
read_packet(int s, unsigned char *body, size_t size, size_t *len)
{
	unsigned char header, digit;
	size_t shift = 0;
	size_t got = 0;

	*len = 0;
	if (read(s, &header, 1) != 1)
		return -1;
	do {
		if (read(s, &digit, 1) != 1)
			return -1;
		*len |= (size_t)(digit & 127) << shift;
		shift += 7;
	} while (digit & 128);
	while (got < *len && *len < size) {
		ssize_t n = read(s, body + got, *len - got);

		if (n <= 0)
			return -1;
		got += (size_t)n;
	}
	body[got] = '\0';
	return header;
}

static void
send_packet(int s, unsigned char header, const void *body, size_t len)
{
	unsigned char packet[8192];
	size_t n = 0;
	size_t rest = len;

	packet[n++] = header;
	do {
		packet[n++] = (unsigned char)(rest % 128 | (rest > 127 ? 128 : 0));
		rest /= 128;
	} while (rest > 0);
	memcpy(packet + n, body, len);
	if (write(s, packet, n + len) < 0)
		_exit(1);
}

static void
send_answer(int s, const char *correlation, const char *rest)
{
	char body[4096] = "\0\x19$CONTROL/jitr/v1/response";
	int len = snprintf(body + 27, sizeof(body) - 27,
	    "{\"responses\":[{\"command\":\"c\",\"correlationData\":\"%s\",%s}]}", correlation,
	    rest);

	send_packet(s, 0x30, body, 27 + (size_t)len);
}

/* Longer than the command line waits for an ordinary answer. */
#define LATE "~"

/* A request: first an answer that is somebody else's, then ours, the next of
 * the list. */
static void
answer_request(int s, const unsigned char *body, const char *answer)
{
	const char *json = (const char *)body + 2 + 16 + 2; /* topic, packet id */
	cJSON *request = cJSON_Parse(json);
	const cJSON *command = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(request,
						      "commands"),
	    0);
	const char *id = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(command, "correlationData"));
	FILE *log = fopen("requests", "a");

	send_packet(s, 0x40, body + 2 + 16, 2); /* PUBACK */
	send_answer(s, "somebody else", "\"error\":\"NotYoursException\"");
	if (strncmp(answer, LATE, strlen(LATE)) == 0) {
		(void)sleep(11);
		answer += strlen(LATE);
	}
	send_answer(s, id, answer);
	(void)fprintf(log, "%s\n", json);
	(void)fclose(log);
	cJSON_Delete(request);
}

/* The subscription is refused, as a broker's rules may do; the answers come
 * nevertheless.  With MQTT 5, which has an empty list of properties in its
 * packets, requests are refused, too. */
static void
play_broker(int listener, const char *const *answers)
{
	static unsigned char body[1 << 19]; /* as much as the plugin takes */
	int s = accept(listener, NULL, NULL);
	bool v5 = false;
	size_t len;
	int header;

	while ((header = read_packet(s, body, sizeof(body) - 1, &len)) >= 0) {
		if (header >> 4 == 1) {
			v5 = body[6] == 5;
			send_packet(s, 0x20, "\0\0\0", v5 ? 3 : 2);
		} else if (header >> 4 == 8 && !v5) {
			send_packet(s, 0x90, (unsigned char[]){ body[0], body[1], 0x80 }, 3);
		} else if (header >> 4 == 3 && v5) {
			send_packet(s, 0x40, (unsigned char[]){ body[18], body[19], 0x87 }, 3);
		} else if (header >> 4 == 3 && *answers != NULL) {
			answer_request(s, body, *answers++);
		} else if (header >> 4 != 8) {
			break;
		}
	}
	_exit(0);
}

static int
run_with_broker(const char *const *answers, const char *const *command)
{
	char port[8];
	int number;
	int listener = listening(&number);
	const char *words[WORDS_MAX] = { "-h", "127.0.0.1", "-p", port };
	pid_t broker;
	int status;

	(void)unlink("requests");
	broker = fork();
	if (broker == 0)
		play_broker(listener, answers);
	(void)close(listener);
	(void)snprintf(port, sizeof(port), "%d", number);
	for (int i = 0; command[i] != NULL; i++)
		words[4 + i] = command[i];
	status = run_words(words);
	ck_assert_int_eq(waitpid(broker, NULL, 0), broker);
	return status;
}

START_TEST(an_answer_is_printed_and_the_status_is_0)
{
	static const char *const answers[] = { "\"data\":{\"registrationCode\":\"ab\"}", NULL };
	static const char *const words[] = { "get-registration-code", NULL };

	ck_assert_int_eq(run_with_broker(answers, words), 0);
	expect_file("file://out", "{\n    \"registrationCode\": \"ab\"\n}\n");
	expect_file("file://err", "");
}
END_TEST

START_TEST(a_command_without_output_prints_nothing)
{
	static const char *const answers[] = { "\"data\":{}", NULL };
	static const char *const words[] = { "delete-registration-code", NULL };

	ck_assert_int_eq(run_with_broker(answers, words), 0);
	expect_file("file://out", "");
	expect_file("file://err", "");
}
END_TEST

START_TEST(a_refusal_is_254_in_the_words_of_the_aws_cli)
{
	static const char *const answers[] = {
		"\"error\":\"ResourceNotFoundException\",\"message\":\"no such\\u001b CA\"", NULL
	};
	static const char *const words[] = { "describe-ca-certificate", "--certificate-id", "1",
		NULL };

	ck_assert_int_eq(run_with_broker(answers, words), 254);
	expect_file("file://out", "");
	expect_file("file://err",
	    "\nAn error occurred (ResourceNotFoundException) when calling the "
	    "DescribeCACertificate operation: no such\\x1b CA\n");
}
END_TEST

/* MQTT 5 can tell what 3.1.1 cannot. */
START_TEST(a_publish_that_the_broker_refuses_is_access_denied)
{
	static const char *const answers[] = { NULL };
	static const char *const words[] = { "-V", "5", "get-registration-code", NULL };

	ck_assert_int_eq(run_with_broker(answers, words), 254);
	expect_file("file://err",
	    "\nAn error occurred (AccessDeniedException) when calling the GetRegistrationCode "
	    "operation: the broker does not let this user publish to $CONTROL/jitr/v1\n");
}
END_TEST

START_TEST(a_broker_that_hangs_up_is_253)
{
	static const char *const answers[] = { NULL };
	static const char *const words[] = { "get-registration-code", NULL };
	char *text;

	ck_assert_int_eq(run_with_broker(answers, words), 253);
	text = read_all("file://err");
	ck_assert_ptr_nonnull(strstr(text, "the broker closed the connection before it answered"));
	free(text);
}
END_TEST

#define ENTRY(id)           "{\"certificateId\":\"" id "\"}"
#define PAGE(entries, next) "\"data\":{\"certificates\":[" entries "],\"nextMarker\":" next "}"

static const char *const three_pages[] = { PAGE(ENTRY("1") "," ENTRY("2"), "\"Mg==\""),
	PAGE(ENTRY("3"), "\"Mw==\""), PAGE(ENTRY("4"), "null"), NULL };

/* The AWS CLI fetches all pages and shows them as one. */
START_TEST(a_list_is_fetched_page_by_page_and_shown_as_one)
{
	static const char *const words[] = { "list-certificates", "--output", "text", NULL };
	char *requested;

	ck_assert_int_eq(run_with_broker(three_pages, words), 0);
	expect_file("file://out",
	    "CERTIFICATES\t1\nCERTIFICATES\t2\nCERTIFICATES\t3\nCERTIFICATES\t4\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"pageSize\":250,\"marker\":\"Mg==\"}"));
	ck_assert_ptr_nonnull(strstr(requested, "\"pageSize\":250,\"marker\":\"Mw==\"}"));
	free(requested);
}
END_TEST

START_TEST(max_items_stops_where_the_next_command_goes_on)
{
	static const char *const words[] = { "list-certificates", "--max-items", "3",
		"--starting-token", "MQ==", NULL };
	char *requested;

	ck_assert_int_eq(run_with_broker(three_pages, words), 0);
	expect_file("file://out",
	    "{\n    \"certificates\": [\n        {\n            \"certificateId\": \"1\"\n        },\n"
	    "        {\n            \"certificateId\": \"2\"\n        },\n"
	    "        {\n            \"certificateId\": \"3\"\n        }\n    ],\n"
	    "    \"NextToken\": \"Mw==\"\n}\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"pageSize\":3,\"marker\":\"MQ==\"}"));
	ck_assert_ptr_nonnull(strstr(requested, "\"pageSize\":1,\"marker\":\"Mg==\"}"));
	free(requested);
}
END_TEST

START_TEST(no_paginate_shows_the_page_as_it_came)
{
	static const char *const words[] = { "list-certificates", "--no-paginate", NULL };

	ck_assert_int_eq(run_with_broker(three_pages, words), 0);
	expect_file("file://out",
	    "{\n    \"certificates\": [\n        {\n            \"certificateId\": \"1\"\n        },\n"
	    "        {\n            \"certificateId\": \"2\"\n        }\n    ],\n"
	    "    \"nextMarker\": \"Mg==\"\n}\n");
}
END_TEST

/* As the AWS CLI (awscli/customizations/paginate.py): where a flag of its own is the
 * member of the request, as pageSize is, it is for one page. */
START_TEST(page_size_of_a_list_with_markers_asks_for_one_page)
{
	static const char *const words[] = { "list-certificates", "--page-size", "2", NULL };
	char *requested;

	ck_assert_int_eq(run_with_broker(three_pages, words), 0);
	expect_file("file://out",
	    "{\n    \"certificates\": [\n        {\n            \"certificateId\": \"1\"\n        },\n"
	    "        {\n            \"certificateId\": \"2\"\n        }\n    ],\n"
	    "    \"nextMarker\": \"Mg==\"\n}\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"pageSize\":2}"));
	ck_assert_ptr_eq(strchr(requested, '\n'), strrchr(requested, '\n')); /* one request */
	free(requested);
}
END_TEST

#define THING_PAGE(name, next) \
	"\"data\":{\"things\":[{\"thingName\":\"" name "\"}],\"nextToken\":" next "}"

START_TEST(page_size_of_a_list_with_tokens_is_for_all_pages)
{
	static const char *const answers[] = { THING_PAGE("a", "\"61\""), THING_PAGE("b", "null"),
		NULL };
	static const char *const words[] = { "list-things", "--page-size", "1", "--output", "text",
		NULL };
	char *requested;

	ck_assert_int_eq(run_with_broker(answers, words), 0);
	expect_file("file://out", "THINGS\ta\nTHINGS\tb\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"maxResults\":1,\"nextToken\":\"61\"}"));
	free(requested);
}
END_TEST

/* Status 252, in the words of argparse and of the AWS CLI, and no broker is asked. */
static const struct {
	const char *words[WORDS_MAX];
	const char *message;
} page_flags[] = {
	{ { "list-policies", "--max-items", "abc" },
	    "argument --max-items: invalid int value: 'abc'" },
	{ { "list-things", "--max-items", "1.5" },
	    "argument --max-items: invalid int value: '1.5'" },
	{ { "list-things", "--max-items", "" }, "argument --max-items: invalid int value: ''" },
	{ { "list-policies", "--max-items", "0" },
	    "argument --max-items: Invalid value: '0', valid min value: 1" },
	{ { "list-policies", "--max-items", "-1" },
	    "argument --max-items: Invalid value: '-1', valid min value: 1" },
	{ { "list-policies", "--page-size", "0" },
	    "argument --page-size: Invalid value: '0', valid min "
	    "value: 1" },
	{ { "list-things", "--max-results", "-3" },
	    "argument --max-results: Invalid value: '-3', valid "
	    "min value: 1" },
	{ { "list-policies", "--page-size", "abc" },
	    "argument --page-size: invalid int value: 'abc'" },
	{ { "list-things", "--max-results", "abc" },
	    "argument --max-results: invalid int value: 'abc'" },
	{ { "list-policies", "--page-size", "2", "--max-items", "3" },
	    "Cannot specify --no-paginate along "
	    "with pagination arguments: --max-items (--page-size asks for one page)" },
	{ { "list-policies", "--marker", "Mg==", "--starting-token", "Mg==" },
	    "pagination arguments: --starting-token (--marker asks for one page)" },
	{ { "list-things", "--no-paginate", "--max-items", "3" },
	    "pagination arguments: --max-items (--no-paginate asks for one page)" },
	{ { "list-things", "--max-results", "2", "--max-items", "3" },
	    "pagination arguments: --max-items (--max-results asks for one page)" },
};

START_TEST(flags_about_pages_that_cannot_be_are_252)
{
	char *text;

	ck_assert_int_eq(run_words(page_flags[_i].words), 252);
	text = read_all("file://err");
	ck_assert_msg(strstr(text, page_flags[_i].message) != NULL, "%s", text);
	free(text);
	expect_file("file://out", "");
}
END_TEST

/* All of AWS's operations have a command, or a sentence that names only commands
 * that exist. */
START_TEST(no_command_of_the_aws_cli_is_unknown)
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

START_TEST(a_list_that_never_ends_is_given_up)
{
	static const char *const answers[] = { PAGE("", "\"Mg==\""), PAGE("", "\"Mg==\""), NULL };
	static const char *const words[] = { "list-certificates", NULL };

	ck_assert_int_eq(run_with_broker(answers, words), 255);
	expect_file("file://out", "");
}
END_TEST

/* One command does what takes four with AWS (contract 4), and the key stays. */
START_TEST(ca_key_proves_possession_by_itself_and_is_not_sent)
{
	static const char *const answers[] = { "\"data\":{\"registrationCode\":\"" ID64 "\"}",
		"\"data\":{\"certificateId\":\"1\"}", NULL };
	static const char *const words[] = { "register-ca-certificate", "--ca-certificate",
		"own.pem", "--ca-key", "file://own.key", "--set-as-active", NULL };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *ca = new_ca(key, EVP_sha256(), true);
	char *pem = pem_of(ca);
	char *requested;

	write_key("own.key", key, NULL);
	write_file("own.pem", pem, strlen(pem));
	ck_assert_int_eq(run_with_broker(answers, words), 0);
	expect_file("file://out", "{\n    \"certificateId\": \"1\"\n}\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"verificationCertificate\":\"-----BEGIN CERT"));
	ck_assert_ptr_null(strstr(requested, "PRIVATE KEY"));
	free(requested);
	free(pem);
	X509_free(ca);
	EVP_PKEY_free(key);
}
END_TEST

#define PART(n)  "\"data\":{\"part\":" #n "}"
#define IMPORTED "\"data\":{\"certificatesRevoked\":2}"

static cJSON *
request_sent(int nth)
{
	char *requested = read_all("file://requests");
	char *line = requested;
	cJSON *request;

	for (int i = 0; i < nth; i++) {
		line = strchr(line, '\n');
		ck_assert_msg(line != NULL, "no request number %d", nth);
		line++;
	}
	line[strcspn(line, "\n")] = '\0';
	request = cJSON_Parse(line);
	ck_assert_ptr_nonnull(request);
	free(requested);
	return request;
}

static const char *
member_sent(const cJSON *request, const char *name)
{
	const cJSON *commands = cJSON_GetObjectItemCaseSensitive(request, "commands");
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(commands, 0),
	    name);
	static char number[16];

	if (!cJSON_IsNumber(member))
		return cJSON_GetStringValue(member);
	(void)snprintf(number, sizeof(number), "%d", member->valueint);
	return number;
}

static const char *const import_words[] = { "import-crl", "--ca-certificate-id", ID64, "--crl",
	"file://ca.crl", NULL };

START_TEST(a_small_list_goes_in_one_request)
{
	static const char *const answers[] = { IMPORTED, NULL };
	cJSON *request;

	write_file("ca.crl", CRL_BEGIN "\nMAA=\n" CRL_END "\n",
	    strlen(CRL_BEGIN "\nMAA=\n" CRL_END "\n"));
	ck_assert_int_eq(run_with_broker(answers, import_words), 0);
	expect_file("file://out", "{\n    \"certificatesRevoked\": 2\n}\n");
	request = request_sent(0);
	ck_assert_str_eq(member_sent(request, "command"), "importCrl");
	ck_assert_str_eq(member_sent(request, "caCertificateId"), ID64);
	ck_assert_str_eq(member_sent(request, "crl"), "MAA=");
	ck_assert_ptr_null(member_sent(request, "uploadId"));
	ck_assert_ptr_null(member_sent(request, "part"));
	cJSON_Delete(request);
}
END_TEST

START_TEST(a_large_list_goes_in_parts_that_know_where_they_belong)
{
	static const char *const answers[] = { PART(1), IMPORTED, NULL };
	cJSON *first;
	cJSON *last;

	write_list("ca.crl", 345001);
	ck_assert_int_eq(run_with_broker(answers, import_words), 0);
	expect_file("file://out", "{\n    \"certificatesRevoked\": 2\n}\n");
	expect_file("file://err", ""); /* no terminal, no progress */
	first = request_sent(0);
	last = request_sent(1);
	ck_assert_str_eq(member_sent(first, "caCertificateId"), ID64);
	ck_assert_uint_eq(strlen(member_sent(first, "uploadId")), 32);
	ck_assert_str_eq(member_sent(first, "uploadId"), member_sent(last, "uploadId"));
	ck_assert_str_eq(member_sent(first, "part"), "1");
	ck_assert_str_eq(member_sent(last, "part"), "2");
	ck_assert_str_eq(member_sent(last, "parts"), "2");
	ck_assert_uint_eq(strlen(member_sent(first, "crl")), 460000);
	ck_assert_uint_eq(strlen(member_sent(last, "crl")), 4);
	cJSON_Delete(first);
	cJSON_Delete(last);
}
END_TEST

START_TEST(a_part_that_is_refused_is_the_last)
{
	static const char *const answers[] = {
		"\"error\":\"LimitExceededException\",\"message\":\"another import\"", IMPORTED,
		NULL
	};
	char *requested;

	write_list("ca.crl", 345001);
	ck_assert_int_eq(run_with_broker(answers, import_words), 254);
	expect_file("file://out", "");
	expect_file("file://err",
	    "\nAn error occurred (LimitExceededException) when calling the "
	    "ImportCrl operation: another import\n");
	requested = read_all("file://requests");
	ck_assert_ptr_nonnull(strstr(requested, "\"part\":1"));
	ck_assert_ptr_null(strstr(requested, "\"part\":2"));
	free(requested);
}
END_TEST

START_TEST(the_import_itself_may_take_longer_than_other_answers)
{
	static const char *const answers[] = { LATE IMPORTED, NULL };

	write_list("ca.crl", 345000);
	ck_assert_int_eq(run_with_broker(answers, import_words), 0);
}
END_TEST

START_TEST(a_list_that_is_none_is_a_usage_error_and_nobody_is_asked)
{
	static const char *const words[] = { "import-crl", "--ca-certificate-id", ID64, "--crl",
		"ca.pem", NULL };
	char *text;

	ck_assert_int_eq(run_words(words), 252);
	text = read_all("file://err");
	ck_assert_ptr_nonnull(strstr(text,
	    "Error parsing parameter '--crl': there is no revocation "
	    "list"));
	free(text);
}
END_TEST

/* ---- help and documentation --------------------------------------------- */

static void
expect_flags(const char *text, const char *where, const struct flag *flags)
{
	for (const struct flag *f = flags; f->name != NULL; f++) {
		char name[80];

		(void)snprintf(name, sizeof(name), "--%s", f->name);
		ck_assert_msg(strstr(text, name) != NULL, "%s does not name %s", where, name);
		if (f->kind != FLAG_BOOLEAN)
			continue;
		(void)snprintf(name, sizeof(name), "--no-%s", f->name);
		ck_assert_msg(strstr(text, name) != NULL, "%s does not name %s", where, name);
	}
}

#define COMMANDS "doc/commands.md"

/* doc/commands.md has a section for every command, and it names every flag. */
static char *
read_section(const char *name)
{
	char *text = read_document(COMMANDS);
	char heading[100];
	char *section;
	char *end;

	(void)snprintf(heading, sizeof(heading), "\n### %s\n", name);
	section = strstr(text, heading);
	ck_assert_msg(section != NULL, "no section for %s", name);
	end = strstr(section + 2, "\n##");
	if (end != NULL)
		*end = '\0';
	memmove(text, section, strlen(section) + 1);
	return text;
}

START_TEST(the_documentation_names_every_command_and_flag)
{
	const struct command *c = &command_table[_i];
	char *doc = read_document(COMMANDS);
	char *section = read_section(c->name);

	expect_flags(doc, COMMANDS, global_flags);
	expect_flags(section, c->name, c->flags);
	free(section);
	free(doc);
}
END_TEST

static bool
has_flag(const struct flag *flags, const char *name)
{
	for (const struct flag *f = flags; f->name != NULL; f++) {
		if (strcmp(name, f->name) == 0 ||
		    (f->kind == FLAG_BOOLEAN && strncmp(name, "no-", 3) == 0 &&
			strcmp(name + 3, f->name) == 0))
			return true;
	}
	return false;
}

/* Of the first column of a table: the next word that begins so. */
static char *
next_name(char **cell, const char *start_of_name)
{
	char *word;

	while ((word = strsep(cell, "`, ")) != NULL) {
		if (strncmp(word, start_of_name, strlen(start_of_name)) == 0)
			return word;
	}
	return NULL;
}

START_TEST(the_documentation_names_no_other_flag)
{
	const struct command *c = &command_table[_i];
	char *section = read_section(c->name);
	char *lines = section;
	char *line;
	char *name;

	while ((line = strsep(&lines, "\n")) != NULL) {
		char *cell = line + 2;

		if (strncmp(line, "| `--", 5) != 0)
			continue;
		*strchr(cell, '|') = '\0';
		while ((name = next_name(&cell, "--")) != NULL)
			ck_assert_msg(has_flag(c->flags, name + 2) ||
				has_flag(global_flags, name + 2),
			    "%s has no %s", c->name, name);
	}
	free(section);
}
END_TEST

START_TEST(the_documentation_has_no_other_command)
{
	char *text = read_document(COMMANDS);
	char *lines = text;
	char *line;
	size_t seen = 0;

	while ((line = strsep(&lines, "\n")) != NULL) {
		if (strncmp(line, "### ", 4) != 0 || line[4] < 'a')
			continue;
		ck_assert_msg(command_find(line + 4) != NULL, "%s is no command", line + 4);
		seen++;
	}
	ck_assert_uint_eq(seen, command_count);
	free(text);
}
END_TEST

/* Both lists of options, in this order: is what the one names in the other? */
START_TEST(the_documented_options_are_those_of_help)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	char *table = read_table(COMMANDS, "## Options");
	char *rows = table;
	struct cells row;
	size_t documented = 0;
	size_t helped = 0;
	char *name;

	options_help(out);
	ck_assert_int_eq(fclose(out), 0);
	while (next_row(&rows, &row)) {
		while ((name = next_name(&row.at[0], "-")) != NULL) {
			char *at = strstr(text, name);

			while (
			    at != NULL && (at[-1] != ' ' || strspn(at + strlen(name), ", \n") == 0))
				at = strstr(at + 1, name);
			ck_assert_msg(at != NULL, "%s is no option", name);
			documented++;
		}
	}
	for (char *lines = text, *line; (line = strsep(&lines, "\n")) != NULL;) {
		char *left = line;

		if (strlen(line) > 34)
			line[34] = '\0';
		while (next_name(&left, "-") != NULL)
			helped++;
	}
	ck_assert_uint_eq(documented, helped);
	free(table);
	free(text);
}
END_TEST

/* Members of an import that the command line sends by itself. */
static bool
is_of_upload(const char *member)
{
	return strcmp(member, "crl") == 0 || strcmp(member, "uploadId") == 0 ||
	    strcmp(member, "part") == 0 || strcmp(member, "parts") == 0;
}

static bool
has_member(const struct command *c, const char *member)
{
	for (const struct flag *f = c->flags; f->name != NULL; f++) {
		if (f->member != NULL && strcmp(f->member, member) == 0)
			return true;
	}
	return strcmp(c->name, "import-crl") == 0 && is_of_upload(member);
}

/* The cell of doc/api.md with the members of this command's request. */
static void
read_members(const struct command *c, char *out, size_t size)
{
	char *table = read_table("doc/api.md", "## Commands");
	char *rows = table;
	struct cells row;
	char quoted[100];

	(void)snprintf(quoted, sizeof(quoted), "`%c%s`", tolower(c->operation[0]),
	    c->operation + 1);
	out[0] = '\0';
	while (next_row(&rows, &row)) {
		if (strstr(row.at[0], quoted) != NULL)
			(void)snprintf(out, size, "%s", row.at[1]);
	}
	ck_assert_msg(out[0] != '\0', "doc/api.md has no %s", quoted);
	free(table);
}

/* What the command line sends the plugin's own tests show to be understood. */
START_TEST(the_api_document_has_the_members_that_the_command_line_sends)
{
	const struct command *c = &command_table[_i];
	char cell[1000];
	char quoted[100];
	char *words = cell;
	char *word;

	read_members(c, cell, sizeof(cell));
	for (const struct flag *f = c->flags; f->name != NULL; f++) {
		if (f->member == NULL)
			continue;
		(void)snprintf(quoted, sizeof(quoted), "`%s`", f->member);
		ck_assert_msg(strstr(cell, quoted) != NULL, "%s: %s is missing", c->name, quoted);
	}
	while ((word = strsep(&words, "`")) != NULL && (word = strsep(&words, "`")) != NULL)
		ck_assert_msg(has_member(c, word), "%s has no member %s", c->name, word);
}
END_TEST

START_TEST(help_names_every_exit_status)
{
	static const char *const statuses[] = { " 0 ", "252 ", "253 ", "254 ", "255 " };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	char *section;

	help_overview(out, &program);
	ck_assert_int_eq(fclose(out), 0);
	section = strstr(text, "Exit status:");
	ck_assert_ptr_nonnull(section);
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		ck_assert_msg(strstr(section, statuses[i]) != NULL, "%s is missing", statuses[i]);
	free(text);
}
END_TEST

START_TEST(help_names_every_flag)
{
	const struct command *c = &command_table[_i];
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	help_command(out, &program, c);
	ck_assert_int_eq(fclose(out), 0);
	expect_flags(text, c->name, c->flags);
	free(text);
}
END_TEST

/* A folder of our own to work in, with the files that the rows name. */
static void
prepare_folder(void)
{
	static char large[VALUE_MAX + 1];
	static const char key[] = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";

	ck_assert_ptr_nonnull(getcwd(start, sizeof(start)));
	memcpy(folder, "/tmp/check_ctl_XXXXXX", 22);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	ck_assert_int_eq(setenv("XDG_CONFIG_HOME", "/nonexistent", 1), 0);
	memset(large, 'x', sizeof(large));
	write_file("large.pem", large, sizeof(large));
	write_file("ca.pem", PEM, strlen(PEM));
	write_file("ca.der", "\x30\x82\0\x10", 4);
	write_file("secret.pem", key, strlen(key));
	write_file("config.json", "{\"templateName\":\"t\"}", 20);
	write_file("word.txt", "word", 4);
	write_file("policy.json", "{\"a\": 1}\n", 9);
}

static void
remove_folder(void)
{
	static const char *const names[] = { "large.pem", "ca.pem", "ca.der", "secret.pem",
		"config.json", "word.txt", "policy.json", "mosquitto_ctrl", "options", "bad",
		"ca.key", "other.key", "locked.key", "own.key", "own.pem", "ca.crl", "out", "err",
		"requests" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)unlink(names[i]);
	ck_assert_int_eq(chdir(start), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* ---- the suite ---------------------------------------------------------- */

static TCase *
new_case(Suite *suite, const char *name)
{
	TCase *c = tcase_create(name);

	tcase_add_unchecked_fixture(c, prepare_folder, remove_folder);
	suite_add_tcase(suite, c);
	return c;
}

static void
add_words(Suite *suite)
{
	TCase *words = new_case(suite, "words");
	TCase *options = new_case(suite, "options");

	tcase_add_loop_test(words, words_become_the_request_of_the_aws_operation, 0,
	    COUNT_OF(requests));
	tcase_add_loop_test(words, every_command_has_a_request_in_this_test, 0, (int)command_count);
	tcase_add_loop_test(words, wrong_words_are_refused_with_the_reason, 0, COUNT_OF(refusals));
	tcase_add_test(words, help_is_found_wherever_it_stands);
	tcase_add_loop_test(words, shorthand_is_read_as_the_aws_cli_reads_it, 0,
	    COUNT_OF(shorthands));
	tcase_add_test(words, shorthand_cut_off_anywhere_does_no_harm);
	tcase_add_test(words, a_tilde_is_the_home_directory);
	tcase_add_loop_test(words, the_documentation_names_every_command_and_flag, 0,
	    (int)command_count);
	tcase_add_loop_test(words, the_documentation_names_no_other_flag, 0, (int)command_count);
	tcase_add_test(words, the_documentation_has_no_other_command);
	tcase_add_loop_test(words, the_api_document_has_the_members_that_the_command_line_sends, 0,
	    (int)command_count);
	tcase_add_loop_test(words, help_names_every_flag, 0, (int)command_count);
	tcase_add_test(words, help_names_every_exit_status);
	tcase_add_test(options, the_documented_options_are_those_of_help);
	tcase_add_test(options, options_are_those_of_mosquitto_ctrl);
	tcase_add_test(options, without_options_it_is_localhost_and_mqtt_311);
	tcase_add_test(options, a_url_brings_host_port_user_and_password);
	tcase_add_test(options, the_command_line_wins_over_the_options_file);
	tcase_add_loop_test(options, wrong_options_are_refused_with_the_reason, 0,
	    COUNT_OF(wrong_options));
	tcase_add_test(options, a_url_that_the_host_has_cut_is_mended);
	tcase_add_test(options, a_module_finds_the_options_before_its_name);
}

static void
add_answers(Suite *suite)
{
	TCase *answers = new_case(suite, "answers");
	TCase *whole = new_case(suite, "whole");

	tcase_add_test(answers, a_request_names_its_command_in_lower_camel_case);
	tcase_add_test(answers, only_the_answer_with_our_correlation_is_opened);
	tcase_add_test(answers, what_is_no_answer_is_ignored);
	tcase_add_test(answers, an_error_of_the_whole_request_is_its_answer);
	tcase_add_loop_test(answers, answers_look_as_the_aws_cli_prints_them, 0, COUNT_OF(outputs));
	tcase_add_test(answers, no_control_character_reaches_a_terminal);
	tcase_add_test(answers, json_with_escapes_is_read_back_as_it_was);
	tcase_add_test(answers, what_is_said_on_standard_error_steers_no_terminal);
	tcase_add_loop_test(answers, a_time_is_a_time_whatever_its_year, 0, COUNT_OF(ends));
	tcase_add_loop_test(answers, a_proof_is_signed_by_the_ca_and_carries_the_code, 0,
	    COUNT_OF(ca_types));
	tcase_add_test(answers, a_key_that_cannot_prove_anything_is_refused_first);
	tcase_set_timeout(whole, 30);
	tcase_add_test(whole, usage_errors_end_with_252_and_look_as_the_aws_clis);
	tcase_add_test(whole, a_ca_without_proof_or_with_two_is_a_usage_error);
	tcase_add_test(whole, a_broker_that_is_not_there_is_253);
	tcase_add_test(whole, an_answer_is_printed_and_the_status_is_0);
	tcase_add_test(whole, a_command_without_output_prints_nothing);
	tcase_add_test(whole, a_refusal_is_254_in_the_words_of_the_aws_cli);
	tcase_add_test(whole, a_publish_that_the_broker_refuses_is_access_denied);
	tcase_add_test(whole, a_broker_that_hangs_up_is_253);
	tcase_add_test(whole, a_list_is_fetched_page_by_page_and_shown_as_one);
	tcase_add_test(whole, max_items_stops_where_the_next_command_goes_on);
	tcase_add_test(whole, no_paginate_shows_the_page_as_it_came);
	tcase_add_test(whole, page_size_of_a_list_with_markers_asks_for_one_page);
	tcase_add_test(whole, page_size_of_a_list_with_tokens_is_for_all_pages);
	tcase_add_loop_test(whole, flags_about_pages_that_cannot_be_are_252, 0,
	    COUNT_OF(page_flags));
	tcase_add_test(whole, no_command_of_the_aws_cli_is_unknown);
	tcase_add_test(whole, a_list_that_never_ends_is_given_up);
	tcase_add_test(whole, ca_key_proves_possession_by_itself_and_is_not_sent);
}

static void
add_lists(Suite *suite)
{
	TCase *lists = new_case(suite, "revocation lists");

	tcase_set_timeout(lists, 60);
	tcase_add_loop_test(lists, a_list_is_cut_into_parts_that_fit_into_a_request, 0,
	    COUNT_OF(list_sizes));
	tcase_add_test(lists, a_list_in_pem_is_the_same_list_whatever_is_around_it);
	tcase_add_loop_test(lists, what_is_no_list_is_refused_with_the_reason, 0,
	    COUNT_OF(no_lists));
	tcase_add_test(lists, a_list_that_cannot_be_read_is_refused_with_the_reason);
	tcase_add_test(lists, a_list_of_128_mib_is_taken_and_no_larger_one);
	tcase_add_test(lists, a_small_list_goes_in_one_request);
	tcase_add_test(lists, a_large_list_goes_in_parts_that_know_where_they_belong);
	tcase_add_test(lists, a_part_that_is_refused_is_the_last);
	tcase_add_test(lists, the_import_itself_may_take_longer_than_other_answers);
	tcase_add_test(lists, a_list_that_is_none_is_a_usage_error_and_nobody_is_asked);
}

int
main(void)
{
	Suite *suite = suite_create("ctl");
	SRunner *runner = srunner_create(suite);
	int failed;

	add_words(suite);
	add_answers(suite);
	add_lists(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
