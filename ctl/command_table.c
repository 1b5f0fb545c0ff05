/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_table.c - the table of commands.
 *
 * Constant data.  Any thread.
 */
#include "commands.h"

/* clang-format off: tables, read by column */

#define NO_PART \
	{ \
		NULL, PART_TEXT \
	}

static const struct part config_parts[] = {
	{ "templateBody", PART_TEXT },
	{ "roleArn", PART_TEXT },
	{ "templateName", PART_TEXT },
	NO_PART,
};
static const struct part tag_parts[] = { { "Key", PART_TEXT }, { "Value", PART_TEXT }, NO_PART };
static const struct part attribute_parts[] = {
	{ "attributes", PART_OBJECT },
	{ "merge", PART_BOOLEAN },
	NO_PART,
};
static const struct part auth_parts[] = { { "actionType", PART_TEXT }, { "resources", PART_LIST },
	NO_PART };

#define CERTIFICATE_ID \
	{ \
		"certificate-id", "certificateId", FLAG_TEXT, FLAG_REQUIRED, "ID", \
		    "The certificate: 64 hexadecimal digits.", NULL \
	}

#define REGISTRATION_CONFIG \
	{ \
		"registration-config", "registrationConfig", FLAG_OBJECT, FLAG_OPTIONAL, "CONFIG", \
		    "Provisioning template that activates what registers: templateName=..., or " \
		    "templateBody=...,roleArn=..., or JSON.", \
		    config_parts \
	}

/* Activation of certificates that register: our own flags, on two of AWS's commands. */
#define ACTIVATION \
	{ "activation", "activation", FLAG_RULE, FLAG_OURS, "RULE", \
		"What activates certificates that register: rule (whatever passes the revocation " \
		"check), a rule as JSON or the file it is in, or none.", \
		NULL }, \
	    { "crl-check", "crlCheck", FLAG_PHRASE, FLAG_OURS, "CHECK", \
		    "Revocation list: required (a current one must be there), grace N (it counts N days " \
		    "longer than it says), or if-present (the default).", \
		    NULL }, \
	{ \
		"crl-file", "crlFile", FLAG_BROKER_PATH, FLAG_OURS, "PATH", \
		    "Revocation list that the broker reads, now and when it changes: a name in the " \
		    "broker's crl_dir, or a path below it; empty: none.", \
		    NULL \
	}

#define CA_CERTIFICATE_ID \
	{ \
		"ca-certificate-id", "caCertificateId", FLAG_TEXT, FLAG_REQUIRED, "ID", \
		    "The CA certificate: 64 hexadecimal digits.", NULL \
	}

#define STATUS(text) \
	{ \
		"status", "status", FLAG_TEXT, FLAG_OPTIONAL, "STATUS", text, NULL \
	}

#define ONLY_STATUS \
	{ \
		"status", "status", FLAG_TEXT, FLAG_OURS, "STATUS", \
		    "Only those with this status: ACTIVE, INACTIVE, REVOKED, PENDING_ACTIVATION ...", \
		    NULL \
	}

/* Flags of every list.  Like the AWS CLI, all pages are fetched, unless marker (things:
 * next-token, max-results), page-size (if the request has a pageSize) or no-paginate is
 * given (pages.c). */
#define ALL_PAGES \
	{ "max-items", NULL, FLAG_NUMBER, FLAG_OPTIONAL, "N", \
		"Stop after N entries; NextToken then tells where to continue.", NULL }, \
	{ \
		"starting-token", NULL, FLAG_TEXT, FLAG_OPTIONAL, "TOKEN", \
		    "Continue where --max-items stopped: NextToken of the previous list.", NULL \
	}

#define PLAIN_PAGES \
	{ "page-size", "pageSize", FLAG_NUMBER, FLAG_OPTIONAL, "N", \
		"Fetch one page of N entries, 1 to 250, with nextMarker if there are more.", \
		NULL }, \
	    { "marker", "marker", FLAG_TEXT, FLAG_OPTIONAL, "MARKER", \
		    "Fetch the one page that begins here: nextMarker of the page before.", NULL }, \
	    ALL_PAGES, \
	{ \
		"no-paginate", NULL, FLAG_SWITCH, FLAG_OPTIONAL, NULL, \
		    "Fetch one page only, with nextMarker if there are more.", NULL \
	}

#define PAGES \
	PLAIN_PAGES, \
	{ \
		"ascending-order", "ascendingOrder", FLAG_BOOLEAN, FLAG_OPTIONAL, NULL, \
		    "The other way round: oldest first where the default is newest first.", NULL \
	}

#define TOKEN_PAGES \
	{ "page-size", "maxResults", FLAG_NUMBER, FLAG_OPTIONAL, "N", \
		"Entries to ask for at a time, 1 to 250; all pages are fetched nevertheless.", \
		NULL }, \
	    { "max-results", "maxResults", FLAG_NUMBER, FLAG_OPTIONAL, "N", \
		    "Fetch one page of N entries, with nextToken if there are more.", NULL }, \
	    { "next-token", "nextToken", FLAG_TEXT, FLAG_OPTIONAL, "TOKEN", \
		    "Fetch the one page that begins here: nextToken of the page before.", NULL }, \
	    ALL_PAGES, \
	{ \
		"no-paginate", NULL, FLAG_SWITCH, FLAG_OPTIONAL, NULL, \
		    "Fetch one page only, with nextToken if there are more.", NULL \
	}

#define POLICY_NAME \
	{ \
		"policy-name", "policyName", FLAG_TEXT, FLAG_REQUIRED, "NAME", "The policy.", NULL \
	}

#define POLICY_DOCUMENT \
	{ \
		"policy-document", "policyDocument", FLAG_DOCUMENT, FLAG_REQUIRED, "DOCUMENT", \
		    "The policy's text, JSON, or the file it is in.", NULL \
	}

#define TARGET(flag) \
	{ \
		flag, flag, FLAG_TEXT, FLAG_REQUIRED, "ARN", \
		    "The certificate: its ARN, or its id.", NULL \
	}

#define TEMPLATE_NAME \
	{ \
		"template-name", "templateName", FLAG_TEXT, FLAG_REQUIRED, "NAME", \
		    "The template.", NULL \
	}

#define TEMPLATE_DESCRIPTION \
	{ \
		"description", "description", FLAG_TEXT, FLAG_OPTIONAL, "TEXT", "What it is for.", \
		    NULL \
	}

#define TEMPLATE_ENABLED \
	{ \
		"enabled", "enabled", FLAG_BOOLEAN, FLAG_OPTIONAL, NULL, \
		    "Whether it is used; not by default.", NULL \
	}

#define THING_NAME \
	{ \
		"thing-name", "thingName", FLAG_TEXT, FLAG_REQUIRED, "NAME", "The thing.", NULL \
	}

#define THING_TYPE(text) \
	{ \
		"thing-type-name", "thingTypeName", FLAG_TEXT, FLAG_OPTIONAL, "NAME", text, NULL \
	}

#define ATTRIBUTES(text) \
	{ \
		"attribute-payload", "attributePayload", FLAG_OBJECT, FLAG_OPTIONAL, "ATTRIBUTES", \
		    text, attribute_parts \
	}

#define EXPECTED_VERSION \
	{ \
		"expected-version", "expectedVersion", FLAG_NUMBER, FLAG_OPTIONAL, "N", \
		    "Refuse unless the thing has this version.", NULL \
	}

#define NO_MORE \
	{ \
		NULL, NULL, FLAG_TEXT, FLAG_OPTIONAL, NULL, NULL, NULL \
	}

static const struct flag no_flags[] = { NO_MORE };

static const struct flag register_ca_flags[] = {
	{ "ca-certificate", "caCertificate", FLAG_PEM, FLAG_REQUIRED, "PEM", "The CA certificate.",
	    NULL },
	{ "verification-certificate", "verificationCertificate", FLAG_PEM, FLAG_OPTIONAL, "PEM",
	    "Proof that you hold the CA's key: a certificate signed by it whose common name is the "
	    "registration code.",
	    NULL },
	{ "ca-key", NULL, FLAG_TEXT, FLAG_OURS, "FILE",
	    "The CA's private key: the proof is made here and now, instead of "
	    "--verification-certificate. The key is read on this machine and never sent.",
	    NULL },
	{ "set-as-active", "setAsActive", FLAG_BOOLEAN, FLAG_OPTIONAL, NULL,
	    "Make it ACTIVE at once; the default is INACTIVE, and nothing registers.", NULL },
	{ "allow-auto-registration", "allowAutoRegistration", FLAG_BOOLEAN, FLAG_OPTIONAL, NULL,
	    "Register its device certificates when they first connect.", NULL },
	REGISTRATION_CONFIG,
	{ "tags", "tags", FLAG_TAGS, FLAG_OPTIONAL, "TAG ...",
	    "Key=...,Value=... any number of times.", tag_parts },
	{ "certificate-mode", "certificateMode", FLAG_TEXT, FLAG_OPTIONAL, "MODE",
	    "DEFAULT, with proof of possession, or SNI_ONLY, without.", NULL },
	ACTIVATION,
	NO_MORE,
};

static const struct flag id_flags[] = { CERTIFICATE_ID, NO_MORE };

static const struct flag update_ca_flags[] = {
	CERTIFICATE_ID,
	{ "new-status", "newStatus", FLAG_TEXT, FLAG_OPTIONAL, "STATUS", "ACTIVE or INACTIVE.",
	    NULL },
	{ "new-auto-registration-status", "newAutoRegistrationStatus", FLAG_TEXT, FLAG_OPTIONAL,
	    "STATUS", "ENABLE or DISABLE.", NULL },
	REGISTRATION_CONFIG,
	{ "remove-auto-registration", "removeAutoRegistration", FLAG_BOOLEAN, FLAG_OPTIONAL, NULL,
	    "Remove the registration configuration.", NULL },
	ACTIVATION,
	NO_MORE,
};

static const struct flag list_ca_flags[] = {
	PAGES,
	{ "template-name", "templateName", FLAG_TEXT, FLAG_OPTIONAL, "NAME",
	    "Only CAs with this provisioning template.", NULL },
	NO_MORE,
};

static const struct flag list_flags[] = { PAGES, NO_MORE };

static const struct flag list_certificates_flags[] = { ONLY_STATUS, PAGES, NO_MORE };

static const struct flag list_by_ca_flags[] = {
	CA_CERTIFICATE_ID,
	ONLY_STATUS,
	PAGES,
	NO_MORE,
};

static const struct flag import_crl_flags[] = {
	CA_CERTIFICATE_ID,
	{ "crl", NULL, FLAG_TEXT, FLAG_REQUIRED, "LIST",
	    "The list in PEM or DER: the file it is in, read on this machine.", NULL },
	NO_MORE,
};

static const struct flag crl_flags[] = { CA_CERTIFICATE_ID, NO_MORE };

static const struct flag register_flags[] = {
	{ "certificate-pem", "certificatePem", FLAG_PEM, FLAG_REQUIRED, "PEM", "The certificate.",
	    NULL },
	{ "ca-certificate-pem", "caCertificatePem", FLAG_PEM, FLAG_OPTIONAL, "PEM",
	    "Its CA; needed when several registered CAs have the same subject.", NULL },
	{ "set-as-active", "setAsActive", FLAG_BOOLEAN, FLAG_OPTIONAL, NULL,
	    "Make it ACTIVE at once; deprecated by AWS in favour of --status.", NULL },
	STATUS("ACTIVE, INACTIVE (the default) or REVOKED."),
	NO_MORE,
};

static const struct flag register_without_ca_flags[] = {
	{ "certificate-pem", "certificatePem", FLAG_PEM, FLAG_REQUIRED, "PEM", "The certificate.",
	    NULL },
	STATUS("ACTIVE, INACTIVE (the default) or REVOKED."),
	NO_MORE,
};

static const struct flag update_flags[] = {
	CERTIFICATE_ID,
	{ "new-status", "newStatus", FLAG_TEXT, FLAG_REQUIRED, "STATUS",
	    "ACTIVE, INACTIVE or REVOKED.", NULL },
	NO_MORE,
};

static const struct flag delete_flags[] = {
	CERTIFICATE_ID,
	{ "force-delete", "forceDelete", FLAG_BOOLEAN, FLAG_OPTIONAL, NULL,
	    "Delete it although policies are attached.", NULL },
	NO_MORE,
};

static const struct flag create_policy_flags[] = {
	POLICY_NAME,
	POLICY_DOCUMENT,
	{ "tags", "tags", FLAG_TAGS, FLAG_OPTIONAL, "TAG ...",
	    "Key=...,Value=... any number of times: checked, but not stored.", tag_parts },
	NO_MORE,
};

static const struct flag policy_flags[] = { POLICY_NAME, NO_MORE };

static const struct flag create_policy_version_flags[] = {
	POLICY_NAME,
	POLICY_DOCUMENT,
	{ "set-as-default", "setAsDefault", FLAG_BOOLEAN, FLAG_OPTIONAL, NULL,
	    "Make this version the default, which is the one that is evaluated.", NULL },
	NO_MORE,
};

static const struct flag policy_version_flags[] = {
	POLICY_NAME,
	{ "policy-version-id", "policyVersionId", FLAG_TEXT, FLAG_REQUIRED, "N",
	    "The version: 1, 2, ...", NULL },
	NO_MORE,
};

static const struct flag attach_policy_flags[] = { POLICY_NAME, TARGET("target"), NO_MORE };

static const struct flag attach_principal_policy_flags[] = { POLICY_NAME, TARGET("principal"),
	NO_MORE };

static const struct flag list_attached_flags[] = {
	TARGET("target"),
	{ "recursive", "recursive", FLAG_BOOLEAN, FLAG_OPTIONAL, NULL,
	    "Accepted: there are no groups to inherit from.", NULL },
	PLAIN_PAGES,
	NO_MORE,
};

static const struct flag list_targets_flags[] = { POLICY_NAME, PLAIN_PAGES, NO_MORE };

static const struct flag list_principal_policies_flags[] = { TARGET("principal"), PAGES, NO_MORE };

static const struct flag list_policy_principals_flags[] = { POLICY_NAME, PAGES, NO_MORE };

static const struct flag test_authorization_flags[] = {
	{ "principal", "principal", FLAG_TEXT, FLAG_OPTIONAL, "ARN",
	    "The certificate whose policies are evaluated: its ARN, or its id.", NULL },
	{ "auth-infos", "authInfos", FLAG_TAGS, FLAG_REQUIRED, "QUESTION ...",
	    "actionType=PUBLISH,resources=ARN,ARN any number of times, or JSON.", auth_parts },
	{ "client-id", "clientId", FLAG_TEXT, FLAG_OPTIONAL, "ID", "The client id to assume.",
	    NULL },
	{ "policy-names-to-add", "policyNamesToAdd", FLAG_WORDS, FLAG_OPTIONAL, "NAME ...",
	    "As if these policies were attached, too.", NULL },
	{ "policy-names-to-skip", "policyNamesToSkip", FLAG_WORDS, FLAG_OPTIONAL, "NAME ...",
	    "As if these were not.", NULL },
	NO_MORE,
};

static const struct flag effective_policies_flags[] = {
	{ "principal", "principal", FLAG_TEXT, FLAG_OPTIONAL, "ARN",
	    "The certificate: its ARN, or its id.", NULL },
	{ "thing-name", "thingName", FLAG_TEXT, FLAG_OPTIONAL, "NAME",
	    "Accepted: there are no groups to inherit from.", NULL },
	NO_MORE,
};

static const struct flag explain_flags[] = {
	{ "certificate-id", "certificateId", FLAG_TEXT, FLAG_OPTIONAL, "ID",
	    "The certificate: 64 hexadecimal digits.", NULL },
	{ "certificate-pem", "certificatePem", FLAG_PEM, FLAG_OPTIONAL, "PEM",
	    "The certificate itself, registered or not.", NULL },
	{ "client-id", "clientId", FLAG_TEXT, FLAG_OPTIONAL, "ID",
	    "The client id it would connect with.", NULL },
	{ "topic", "topic", FLAG_TEXT, FLAG_OPTIONAL, "TOPIC", "The topic or filter it would use.",
	    NULL },
	{ "source-ip", "sourceIp", FLAG_TEXT, FLAG_OPTIONAL, "ADDRESS", "Where it would come from.",
	    NULL },
	NO_MORE,
};

static const struct flag endpoint_flags[] = {
	{ "endpoint-type", "endpointType", FLAG_TEXT, FLAG_OPTIONAL, "TYPE",
	    "iot:Data-ATS or iot:Data, which are the same here.", NULL },
	NO_MORE,
};

static const struct flag create_template_flags[] = {
	TEMPLATE_NAME,
	{ "template-body", "templateBody", FLAG_DOCUMENT, FLAG_REQUIRED, "DOCUMENT",
	    "The template, JSON, or the file it is in.", NULL },
	{ "provisioning-role-arn", "provisioningRoleArn", FLAG_TEXT, FLAG_REQUIRED, "ARN",
	    "A role, of the form arn:aws:iam::123456789012:role/name: stored and shown again.",
	    NULL },
	TEMPLATE_DESCRIPTION,
	TEMPLATE_ENABLED,
	{ "type", "type", FLAG_TEXT, FLAG_OPTIONAL, "TYPE",
	    "JITP, the default: there is no other here.", NULL },
	{ "tags", "tags", FLAG_TAGS, FLAG_OPTIONAL, "TAG ...",
	    "Key=...,Value=... any number of times: checked, but not stored.", tag_parts },
	NO_MORE,
};

static const struct flag template_flags[] = { TEMPLATE_NAME, NO_MORE };

static const struct flag update_template_flags[] = {
	TEMPLATE_NAME,
	TEMPLATE_DESCRIPTION,
	TEMPLATE_ENABLED,
	{ "provisioning-role-arn", "provisioningRoleArn", FLAG_TEXT, FLAG_OPTIONAL, "ARN",
	    "Another role.", NULL },
	NO_MORE,
};

static const struct flag list_templates_flags[] = { TOKEN_PAGES, NO_MORE };

static const struct flag create_thing_flags[] = {
	THING_NAME,
	THING_TYPE("A type; it need not be created first."),
	ATTRIBUTES("attributes={name=value,...}, or JSON."),
	{ "billing-group-name", "billingGroupName", FLAG_TEXT, FLAG_OPTIONAL, "NAME",
	    "A billing group; it need not be created first.", NULL },
	NO_MORE,
};

static const struct flag thing_flags[] = { THING_NAME, NO_MORE };

static const struct flag update_thing_flags[] = {
	THING_NAME,
	THING_TYPE("Another type."),
	ATTRIBUTES(
	    "attributes={name=value,...},merge=true, or JSON; without merge they replace all, "
	    "and an empty value removes one."),
	EXPECTED_VERSION,
	{ "remove-thing-type", "removeThingType", FLAG_BOOLEAN, FLAG_OPTIONAL, NULL,
	    "Take the type away.", NULL },
	NO_MORE,
};

static const struct flag delete_thing_flags[] = { THING_NAME, EXPECTED_VERSION, NO_MORE };

static const struct flag list_things_flags[] = {
	{ "attribute-name", "attributeName", FLAG_TEXT, FLAG_OPTIONAL, "NAME",
	    "Only those with this attribute, whatever its value.", NULL },
	{ "attribute-value", "attributeValue", FLAG_TEXT, FLAG_OPTIONAL, "VALUE",
	    "Only those where it has this value.", NULL },
	THING_TYPE("Only those of this type."),
	{ "use-prefix-attribute-value", "usePrefixAttributeValue", FLAG_BOOLEAN, FLAG_OPTIONAL,
	    NULL, "The value need only begin with --attribute-value.", NULL },
	TOKEN_PAGES,
	NO_MORE,
};

static const struct flag attach_thing_flags[] = {
	THING_NAME,
	TARGET("principal"),
	{ "thing-principal-type", "thingPrincipalType", FLAG_TEXT, FLAG_OPTIONAL, "TYPE",
	    "NON_EXCLUSIVE_THING (the default) or EXCLUSIVE_THING: to no other thing.", NULL },
	NO_MORE,
};

static const struct flag detach_thing_flags[] = { THING_NAME, TARGET("principal"), NO_MORE };

static const struct flag list_thing_principals_flags[] = { THING_NAME, TOKEN_PAGES, NO_MORE };

static const struct flag list_principal_things_flags[] = { TARGET("principal"), TOKEN_PAGES,
	NO_MORE };

const struct command command_table[] = {
	{ "get-registration-code", "GetRegistrationCode",
	    "Show the code that a proof of possession contains; creates one if there is "
	    "none.",
	    "", NULL, no_flags, false },
	{ "delete-registration-code", "DeleteRegistrationCode",
	    "Delete the code; the next get-registration-code creates another.", "", NULL, no_flags,
	    false },
	{ "register-ca-certificate", "RegisterCACertificate",
	    "Register a CA whose device certificates may register themselves.",
	    "--ca-certificate root.pem --ca-key root.key --set-as-active --allow-auto-registration",
	    NULL, register_ca_flags, false },
	{ "describe-ca-certificate", "DescribeCACertificate", "Show a registered CA.",
	    "--certificate-id ID", NULL, id_flags, false },
	{ "update-ca-certificate", "UpdateCACertificate",
	    "Change a CA's status, auto-registration, rule or template.",
	    "--certificate-id ID --new-auto-registration-status ENABLE", NULL, update_ca_flags,
	    false },
	{ "list-ca-certificates", "ListCACertificates", "List the registered CAs.",
	    "--output table", "certificates", list_ca_flags, false },
	{ "delete-ca-certificate", "DeleteCACertificate", "Remove an inactive CA.",
	    "--certificate-id ID", NULL, id_flags, false },
	{ "import-crl", "ImportCrl", "Put a revocation list of a CA into force.",
	    "--ca-certificate-id ID --crl file://ca.crl", NULL, import_crl_flags, false },
	{ "describe-crl", "DescribeCrl", "Show the revocation list of a CA.",
	    "--ca-certificate-id ID", NULL, crl_flags, false },
	{ "delete-crl", "DeleteCrl", "Delete the revocation list of a CA.",
	    "--ca-certificate-id ID", NULL, crl_flags, false },
	{ "register-certificate", "RegisterCertificate",
	    "Register a device certificate of a registered CA before it connects.",
	    "--certificate-pem device.pem --status ACTIVE", NULL, register_flags, false },
	{ "register-certificate-without-ca", "RegisterCertificateWithoutCA",
	    "Register a device certificate whose CA is not registered.",
	    "--certificate-pem device.pem --status ACTIVE", NULL, register_without_ca_flags,
	    false },
	{ "describe-certificate", "DescribeCertificate", "Show a device certificate.",
	    "--certificate-id ID", NULL, id_flags, false },
	{ "update-certificate", "UpdateCertificate",
	    "Activate, deactivate or revoke a device certificate.",
	    "--certificate-id ID --new-status ACTIVE", NULL, update_flags, false },
	{ "list-certificates", "ListCertificates", "List the device certificates.",
	    "--status PENDING_ACTIVATION", "certificates", list_certificates_flags, false },
	{ "list-certificates-by-ca", "ListCertificatesByCA",
	    "List the device certificates of one CA.", "--ca-certificate-id ID", "certificates",
	    list_by_ca_flags, false },
	{ "delete-certificate", "DeleteCertificate",
	    "Remove a device certificate that is not ACTIVE.", "--certificate-id ID", NULL,
	    delete_flags, false },
	{ "create-policy", "CreatePolicy", "Create a policy.",
	    "--policy-name device --policy-document file://device.json", NULL, create_policy_flags,
	    false },
	{ "get-policy", "GetPolicy", "Show a policy and its default version.",
	    "--policy-name device", NULL, policy_flags, false },
	{ "list-policies", "ListPolicies", "List the policies.", "--output table", "policies",
	    list_flags, false },
	{ "delete-policy", "DeletePolicy", "Remove a policy that is attached to nothing.",
	    "--policy-name device", NULL, policy_flags, false },
	{ "create-policy-version", "CreatePolicyVersion", "Add a version to a policy.",
	    "--policy-name device --policy-document file://device.json --set-as-default", NULL,
	    create_policy_version_flags, false },
	{ "get-policy-version", "GetPolicyVersion", "Show one version of a policy.",
	    "--policy-name device --policy-version-id 1", NULL, policy_version_flags, false },
	{ "list-policy-versions", "ListPolicyVersions", "List the versions of a policy.",
	    "--policy-name device", NULL, policy_flags, false },
	{ "set-default-policy-version", "SetDefaultPolicyVersion",
	    "Choose the default version of a policy.", "--policy-name device --policy-version-id 1",
	    NULL, policy_version_flags, false },
	{ "delete-policy-version", "DeletePolicyVersion",
	    "Remove a version that is not the default.",
	    "--policy-name device --policy-version-id 1", NULL, policy_version_flags, false },
	{ "attach-policy", "AttachPolicy", "Attach a policy to a certificate.",
	    "--policy-name device --target ARN", NULL, attach_policy_flags, false },
	{ "detach-policy", "DetachPolicy", "Detach a policy from a certificate.",
	    "--policy-name device --target ARN", NULL, attach_policy_flags, false },
	{ "list-attached-policies", "ListAttachedPolicies",
	    "List the policies attached to a certificate.", "--target ARN", "policies",
	    list_attached_flags, false },
	{ "list-targets-for-policy", "ListTargetsForPolicy",
	    "List the certificates that a policy is attached to.", "--policy-name device",
	    "targets", list_targets_flags, false },
	{ "attach-principal-policy", "AttachPrincipalPolicy", "The older name of attach-policy.",
	    "--policy-name device --principal ARN", NULL, attach_principal_policy_flags, false },
	{ "detach-principal-policy", "DetachPrincipalPolicy", "The older name of detach-policy.",
	    "--policy-name device --principal ARN", NULL, attach_principal_policy_flags, false },
	{ "list-principal-policies", "ListPrincipalPolicies",
	    "The older name of list-attached-policies.", "--principal ARN", "policies",
	    list_principal_policies_flags, false },
	{ "list-policy-principals", "ListPolicyPrincipals",
	    "The older name of list-targets-for-policy.", "--policy-name device", "principals",
	    list_policy_principals_flags, false },
	{ "test-authorization", "TestAuthorization",
	    "Ask what the policies of a certificate allow.",
	    "--principal ARN --auth-infos actionType=CONNECT,resources=ARN", NULL,
	    test_authorization_flags, false },
	{ "get-effective-policies", "GetEffectivePolicies",
	    "Show the policies that decide for a certificate.", "--principal ARN", NULL,
	    effective_policies_flags, false },
	{ "explain", "Explain", "Explain why a device is, or would be, accepted or refused.",
	    "--certificate-id ID --client-id sensor-1 --topic sensors/1", NULL, explain_flags,
	    false },
	{ "describe-endpoint", "DescribeEndpoint", "Show where devices connect.",
	    "--endpoint-type iot:Data-ATS", NULL, endpoint_flags, false },
	{ "create-provisioning-template", "CreateProvisioningTemplate",
	    "Create a template for devices that register just in time.",
	    "--template-name site --template-body file://template.json --type JITP --enabled "
	    "--provisioning-role-arn arn:aws:iam::123456789012:role/jitp",
	    NULL, create_template_flags, false },
	{ "describe-provisioning-template", "DescribeProvisioningTemplate", "Show a template.",
	    "--template-name site", NULL, template_flags, false },
	{ "update-provisioning-template", "UpdateProvisioningTemplate",
	    "Change a template's description or role, enable or disable it.",
	    "--template-name site --no-enabled", NULL, update_template_flags, false },
	{ "list-provisioning-templates", "ListProvisioningTemplates", "List the templates.",
	    "--output table", "templates", list_templates_flags, true },
	{ "delete-provisioning-template", "DeleteProvisioningTemplate", "Remove a template.",
	    "--template-name site", NULL, template_flags, false },
	{ "create-thing", "CreateThing", "Create a thing.",
	    "--thing-name sensor-1 --attribute-payload attributes={floor=2}", NULL,
	    create_thing_flags, false },
	{ "describe-thing", "DescribeThing", "Show a thing.", "--thing-name sensor-1", NULL,
	    thing_flags, false },
	{ "update-thing", "UpdateThing", "Change a thing's attributes or type.",
	    "--thing-name sensor-1 --attribute-payload attributes={floor=3},merge=true", NULL,
	    update_thing_flags, false },
	{ "delete-thing", "DeleteThing", "Remove a thing that no certificate is attached to.",
	    "--thing-name sensor-1", NULL, delete_thing_flags, false },
	{ "list-things", "ListThings", "List the things.", "--thing-type-name sensor", "things",
	    list_things_flags, true },
	{ "attach-thing-principal", "AttachThingPrincipal", "Attach a certificate to a thing.",
	    "--thing-name sensor-1 --principal ARN", NULL, attach_thing_flags, false },
	{ "detach-thing-principal", "DetachThingPrincipal", "Detach a certificate from a thing.",
	    "--thing-name sensor-1 --principal ARN", NULL, detach_thing_flags, false },
	{ "list-thing-principals", "ListThingPrincipals",
	    "List the certificates attached to a thing.", "--thing-name sensor-1", "principals",
	    list_thing_principals_flags, true },
	{ "list-principal-things", "ListPrincipalThings",
	    "List the things that a certificate is attached to.", "--principal ARN", "things",
	    list_principal_things_flags, true },
};
const size_t command_count = COUNT_OF(command_table);

const struct flag global_flags[] = {
	{ "output", NULL, FLAG_TEXT, FLAG_OPTIONAL, "FORMAT", "json (the default), text or table.",
	    NULL },
	{ "region", NULL, FLAG_TEXT, FLAG_OPTIONAL, "NAME",
	    "Accepted and not used: the broker that is connected to decides.", NULL },
	{ "profile", NULL, FLAG_TEXT, FLAG_OPTIONAL, "NAME",
	    "Accepted and not used: the connection options say who you are.", NULL },
	{ "no-cli-pager", NULL, FLAG_SWITCH, FLAG_OPTIONAL, NULL, "Accepted: there is no pager.",
	    NULL },
	{ "help", NULL, FLAG_SWITCH, FLAG_OPTIONAL, NULL, "Show help.", NULL },
	{ "query", NULL, FLAG_REFUSED, FLAG_OPTIONAL, NULL,
	    "is not supported: use --output text, or jq on the JSON", NULL },
	{ "endpoint-url", NULL, FLAG_REFUSED, FLAG_OPTIONAL, NULL,
	    "is not supported: name the broker before the command, with -h and -p or -L", NULL },
	{ "cli-input-json", NULL, FLAG_REFUSED, FLAG_OPTIONAL, NULL,
	    "is not supported: give the members as flags", NULL },
	NO_MORE,
};
