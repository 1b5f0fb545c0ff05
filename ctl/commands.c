/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * commands.c - the table itself.
 *
 * Any thread.  Never changes.
 */
#include "commands.h"

#include <string.h>

static const char *const config_parts[] = {"templateBody", "roleArn", "templateName", NULL};
static const char *const tag_parts[] = {"Key", "Value", NULL};

#define CERTIFICATE_ID                                                                         \
	{"certificate-id", "certificateId", FLAG_TEXT, true, "ID",                             \
	 "The certificate: 64 hexadecimal digits.", NULL}

#define REGISTRATION_CONFIG                                                                    \
	{"registration-config", "registrationConfig", FLAG_OBJECT, false, "CONFIG",            \
	 "Provisioning template, to be stored: templateBody=...,roleArn=..., or JSON.",        \
	 config_parts}

#define STATUS(text)                                                                           \
	{"status", "status", FLAG_TEXT, false, "STATUS", text, NULL}

/* What every list takes.  The AWS CLI fetches all pages by itself; marker and
 * no-paginate turn that off, page-size does not (aws-iot 1.6). */
#define PAGES                                                                                  \
	{"page-size", "pageSize", FLAG_NUMBER, false, "N",                                     \
	 "Entries to ask for at a time, 1 to 250; all pages are fetched nevertheless.", NULL}, \
	{"marker", "marker", FLAG_TEXT, false, "MARKER",                                       \
	 "Fetch the one page that begins here: nextMarker of the page before.", NULL},         \
	{"ascending-order", "ascendingOrder", FLAG_BOOLEAN, false, NULL,                       \
	 "Oldest first; the default is newest first.", NULL},                                  \
	{"max-items", NULL, FLAG_NUMBER, false, "N",                                           \
	 "Stop after so many entries; NextToken then tells where to go on.", NULL},            \
	{"starting-token", NULL, FLAG_TEXT, false, "TOKEN",                                    \
	 "Go on where --max-items stopped: NextToken of the list before.", NULL},              \
	{"no-paginate", NULL, FLAG_SWITCH, false, NULL,                                        \
	 "Fetch one page only, with nextMarker if there are more.", NULL}

#define NO_MORE {NULL, NULL, FLAG_TEXT, false, NULL, NULL, NULL}

static const struct flag no_flags[] = {NO_MORE};

static const struct flag register_ca_flags[] = {
	{"ca-certificate", "caCertificate", FLAG_PEM, true, "PEM", "The CA certificate.", NULL},
	{"verification-certificate", "verificationCertificate", FLAG_PEM, false, "PEM",
	 "Proof that you hold the CA's key: a certificate signed by it whose common name is the "
	 "registration code.", NULL},
	{"ca-key", NULL, FLAG_TEXT, false, "FILE",
	 "The CA's private key: the proof is made here and now, instead of "
	 "--verification-certificate. The key is read on this machine and never sent.", NULL},
	{"set-as-active", "setAsActive", FLAG_BOOLEAN, false, NULL,
	 "Make it ACTIVE at once; the default is INACTIVE, and nothing registers.", NULL},
	{"allow-auto-registration", "allowAutoRegistration", FLAG_BOOLEAN, false, NULL,
	 "Register its device certificates when they first connect.", NULL},
	REGISTRATION_CONFIG,
	{"tags", "tags", FLAG_TAGS, false, "TAG ...", "Key=...,Value=... as often as wanted.",
	 tag_parts},
	{"certificate-mode", "certificateMode", FLAG_TEXT, false, "MODE",
	 "DEFAULT, with proof of possession, or SNI_ONLY, without.", NULL},
	NO_MORE,
};

static const struct flag id_flags[] = {CERTIFICATE_ID, NO_MORE};

static const struct flag update_ca_flags[] = {
	CERTIFICATE_ID,
	{"new-status", "newStatus", FLAG_TEXT, false, "STATUS", "ACTIVE or INACTIVE.", NULL},
	{"new-auto-registration-status", "newAutoRegistrationStatus", FLAG_TEXT, false, "STATUS",
	 "ENABLE or DISABLE.", NULL},
	REGISTRATION_CONFIG,
	{"remove-auto-registration", "removeAutoRegistration", FLAG_BOOLEAN, false, NULL,
	 "Remove the registration configuration.", NULL},
	NO_MORE,
};

static const struct flag list_ca_flags[] = {
	PAGES,
	{"template-name", "templateName", FLAG_TEXT, false, "NAME",
	 "Only CAs with this provisioning template.", NULL},
	NO_MORE,
};

static const struct flag list_flags[] = {PAGES, NO_MORE};

static const struct flag list_by_ca_flags[] = {
	{"ca-certificate-id", "caCertificateId", FLAG_TEXT, true, "ID",
	 "The CA certificate: 64 hexadecimal digits.", NULL},
	PAGES,
	NO_MORE,
};

static const struct flag register_flags[] = {
	{"certificate-pem", "certificatePem", FLAG_PEM, true, "PEM", "The certificate.", NULL},
	{"ca-certificate-pem", "caCertificatePem", FLAG_PEM, false, "PEM",
	 "Its CA; needed when several registered CAs have the same subject.", NULL},
	{"set-as-active", "setAsActive", FLAG_BOOLEAN, false, NULL,
	 "Make it ACTIVE at once; deprecated by AWS in favour of --status.", NULL},
	STATUS("ACTIVE, INACTIVE (the default) or REVOKED."),
	NO_MORE,
};

static const struct flag register_without_ca_flags[] = {
	{"certificate-pem", "certificatePem", FLAG_PEM, true, "PEM", "The certificate.", NULL},
	STATUS("ACTIVE, INACTIVE (the default) or REVOKED."),
	NO_MORE,
};

static const struct flag update_flags[] = {
	CERTIFICATE_ID,
	{"new-status", "newStatus", FLAG_TEXT, true, "STATUS", "ACTIVE, INACTIVE or REVOKED.",
	 NULL},
	NO_MORE,
};

static const struct flag delete_flags[] = {
	CERTIFICATE_ID,
	{"force-delete", "forceDelete", FLAG_BOOLEAN, false, NULL,
	 "Delete it although policies are attached.", NULL},
	NO_MORE,
};

const struct command command_table[] = {
	{"get-registration-code", "GetRegistrationCode",
	 "Show the code that a proof of possession carries; made when there is none.", "", NULL,
	 no_flags},
	{"delete-registration-code", "DeleteRegistrationCode",
	 "Forget the code; the next get-registration-code makes another.", "", NULL, no_flags},
	{"register-ca-certificate", "RegisterCACertificate",
	 "Register a CA whose device certificates may register themselves.",
	 "--ca-certificate root.pem --ca-key root.key --set-as-active --allow-auto-registration",
	 NULL, register_ca_flags},
	{"describe-ca-certificate", "DescribeCACertificate", "Show a registered CA.",
	 "--certificate-id ID", NULL, id_flags},
	{"update-ca-certificate", "UpdateCACertificate",
	 "Change a CA's status, auto-registration or template.",
	 "--certificate-id ID --new-auto-registration-status ENABLE", NULL, update_ca_flags},
	{"list-ca-certificates", "ListCACertificates", "List the registered CAs.",
	 "--output table", "certificates", list_ca_flags},
	{"delete-ca-certificate", "DeleteCACertificate", "Remove an inactive CA.",
	 "--certificate-id ID", NULL, id_flags},
	{"register-certificate", "RegisterCertificate",
	 "Register a device certificate of a registered CA before it connects.",
	 "--certificate-pem device.pem --status ACTIVE", NULL, register_flags},
	{"register-certificate-without-ca", "RegisterCertificateWithoutCA",
	 "Register a device certificate whose CA is not registered.",
	 "--certificate-pem device.pem --status ACTIVE", NULL, register_without_ca_flags},
	{"describe-certificate", "DescribeCertificate", "Show a device certificate.",
	 "--certificate-id ID", NULL, id_flags},
	{"update-certificate", "UpdateCertificate",
	 "Activate, deactivate or revoke a device certificate.",
	 "--certificate-id ID --new-status ACTIVE", NULL, update_flags},
	{"list-certificates", "ListCertificates", "List the device certificates.",
	 "--max-items 100", "certificates", list_flags},
	{"list-certificates-by-ca", "ListCertificatesByCA",
	 "List the device certificates of one CA.", "--ca-certificate-id ID", "certificates",
	 list_by_ca_flags},
	{"delete-certificate", "DeleteCertificate",
	 "Remove a device certificate that is not ACTIVE.", "--certificate-id ID", NULL,
	 delete_flags},
};
const size_t command_count = COUNT_OF(command_table);

const struct flag global_flags[] = {
	{"output", NULL, FLAG_TEXT, false, "FORMAT", "json (the default), text or table.", NULL},
	{"region", NULL, FLAG_TEXT, false, "NAME",
	 "Accepted and not used: the broker that is connected to decides.", NULL},
	{"profile", NULL, FLAG_TEXT, false, "NAME",
	 "Accepted and not used: the connection options say who you are.", NULL},
	{"no-cli-pager", NULL, FLAG_SWITCH, false, NULL,
	 "Accepted: there is no pager.", NULL},
	{"help", NULL, FLAG_SWITCH, false, NULL, "Show help.", NULL},
	{"query", NULL, FLAG_REFUSED, false, NULL,
	 "is not supported: use --output text, or jq on the JSON", NULL},
	{"endpoint-url", NULL, FLAG_REFUSED, false, NULL,
	 "is not supported: name the broker before the command, with -h and -p or -L", NULL},
	{"cli-input-json", NULL, FLAG_REFUSED, false, NULL,
	 "is not supported: give the members as flags", NULL},
	NO_MORE,
};

const struct command *
command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++) {
		if (strcmp(command_table[i].name, name) == 0)
			return &command_table[i];
	}
	return NULL;
}

static size_t
smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Letters to change, add or drop to make one word of the other (Levenshtein). */
static size_t
distance(const char *a, const char *b)
{
	enum { LONGEST = 64 };
	size_t row[LONGEST + 1];
	size_t b_len = strlen(b);

	if (strlen(a) > LONGEST || b_len > LONGEST)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t same = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);

			diagonal = row[j];
			row[j] = smallest(same, row[j] + 1, row[j - 1] + 1);
		}
	}
	return row[b_len];
}

const struct command *
command_guess(const char *name)
{
	const struct command *best = NULL;
	size_t nearest = 5;

	for (size_t i = 0; i < command_count; i++) {
		size_t d = distance(name, command_table[i].name);

		/* "describe-ca-cert" lacks eight letters, but is no misspelling. */
		if (strlen(name) > 4 && strncmp(name, command_table[i].name, strlen(name)) == 0)
			d = 1;
		if (d < nearest) {
			nearest = d;
			best = &command_table[i];
		}
	}
	return best;
}
