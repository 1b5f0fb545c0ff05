/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command.c - see command.h: the table, and what every command has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#include "jitr/core/aws_gap.h"
#include "jitr/core/text.h"
#include "jitr/adapter/x509.h"

#define NONE RESOURCE_NONE
#define CA   RESOURCE_CA
#define CERT RESOURCE_CERTIFICATE
#define POL  RESOURCE_POLICY
#define THNG RESOURCE_THING
#define CRL  RESOURCE_CRL
#define TMPL RESOURCE_TEMPLATE

/* Resources after AWS's service authorization reference: for attachments that
 * is the certificate. */
const struct command_type command_types[] = {
	{ "attachPolicy", CERT, POL, CERT, parse_attach_policy, NULL, change_attach_policy, NULL },
	{ "attachPrincipalPolicy", CERT, POL, CERT, parse_attach_principal_policy, NULL,
	    change_attach_policy, NULL },
	{ "attachThingPrincipal", CERT, THNG, CERT, parse_attach_thing, NULL, change_attach_thing,
	    NULL },
	{ "createPolicy", POL, NONE, POL, parse_create_policy, NULL, change_create_policy,
	    render_policy_made },
	{ "createPolicyVersion", POL, NONE, POL, parse_create_policy_version, NULL,
	    change_create_policy_version, render_policy_version_made },
	{ "createProvisioningTemplate", TMPL, NONE, TMPL, parse_create_template,
	    prepare_create_template, change_create_template, render_template_made },
	{ "createThing", THNG, NONE, THNG, parse_create_thing, NULL, change_create_thing,
	    render_thing_made },
	{ "deleteCACertificate", CA, NONE, CA, parse_ca_id, NULL, change_delete_ca, NULL },
	{ "deleteCertificate", CERT, NONE, CERT, parse_delete_cert, NULL, change_delete_cert,
	    NULL },
	{ "deleteCrl", CRL, NONE, CRL, parse_crl, NULL, change_delete_crl, NULL },
	{ "deletePolicy", POL, NONE, POL, parse_policy, NULL, change_delete_policy, NULL },
	{ "deletePolicyVersion", POL, NONE, POL, parse_policy_version, NULL,
	    change_delete_policy_version, NULL },
	{ "deleteProvisioningTemplate", TMPL, NONE, TMPL, parse_template, NULL,
	    change_delete_template, NULL },
	{ "deleteRegistrationCode", NONE, NONE, NONE, parse_nothing, NULL, change_delete_code,
	    NULL },
	{ "deleteThing", THNG, NONE, THNG, parse_delete_thing, NULL, change_delete_thing, NULL },
	{ "describeCACertificate", CA, NONE, NONE, parse_ca_id, NULL, NULL, render_ca },
	{ "describeCertificate", CERT, NONE, NONE, parse_cert_id, NULL, NULL, render_cert },
	{ "describeCrl", CRL, NONE, NONE, parse_crl, NULL, NULL, render_crl },
	{ "describeEndpoint", NONE, NONE, NONE, parse_endpoint, NULL, NULL, render_endpoint },
	{ "describeProvisioningTemplate", TMPL, NONE, NONE, parse_template, NULL, NULL,
	    render_template },
	{ "describeThing", THNG, NONE, NONE, parse_thing, NULL, NULL, render_thing },
	{ "detachPolicy", CERT, POL, CERT, parse_attach_policy, NULL, change_detach_policy, NULL },
	{ "detachPrincipalPolicy", CERT, POL, CERT, parse_attach_principal_policy, NULL,
	    change_detach_policy, NULL },
	{ "detachThingPrincipal", CERT, THNG, CERT, parse_detach_thing, NULL, change_detach_thing,
	    NULL },
	{ "explain", CERT, NONE, NONE, parse_explain, NULL, NULL, render_explain },
	{ "getEffectivePolicies", CERT, NONE, NONE, parse_get_effective_policies, NULL, NULL,
	    render_effective_policies },
	{ "getPolicy", POL, NONE, NONE, parse_policy, NULL, NULL, render_policy },
	{ "getPolicyVersion", POL, NONE, NONE, parse_policy_version, NULL, NULL,
	    render_policy_version },
	{ "getRegistrationCode", NONE, NONE, NONE, parse_nothing, NULL, change_get_code,
	    render_code },
	{ "importCrl", CRL, NONE, CRL, parse_import_crl, prepare_import_crl, change_import_crl,
	    render_import_crl },
	{ "listAttachedPolicies", CERT, NONE, NONE, parse_list_attached_policies, NULL, NULL,
	    render_attached_policies },
	{ "listCACertificates", NONE, NONE, NONE, parse_list_cas, NULL, NULL, render_cas },
	{ "listCertificates", NONE, NONE, NONE, parse_list_certs, NULL, NULL, render_certs },
	{ "listCertificatesByCA", NONE, NONE, NONE, parse_list_certs_by_ca, NULL, NULL,
	    render_certs_by_ca },
	{ "listPolicies", NONE, NONE, NONE, parse_list_policies, NULL, NULL, render_policies },
	{ "listPolicyPrincipals", POL, NONE, NONE, parse_list_policy_principals, NULL, NULL,
	    render_policy_principals },
	{ "listPolicyVersions", POL, NONE, NONE, parse_policy, NULL, NULL, render_policy_versions },
	{ "listPrincipalPolicies", CERT, NONE, NONE, parse_list_principal_policies, NULL, NULL,
	    render_attached_policies },
	{ "listPrincipalThings", CERT, NONE, NONE, parse_list_principal_things, NULL, NULL,
	    render_principal_things },
	{ "listProvisioningTemplates", NONE, NONE, NONE, parse_list_templates, NULL, NULL,
	    render_templates },
	{ "listTargetsForPolicy", POL, NONE, NONE, parse_list_targets, NULL, NULL, render_targets },
	{ "listThingPrincipals", THNG, NONE, NONE, parse_list_thing_principals, NULL, NULL,
	    render_thing_principals },
	{ "listThings", NONE, NONE, NONE, parse_list_things, NULL, NULL, render_things },
	{ "registerCACertificate", NONE, NONE, CA, parse_register_ca, prepare_ca,
	    change_register_ca, render_ca_made },
	{ "registerCertificate", NONE, NONE, CERT, parse_register_cert, NULL, change_register_cert,
	    render_cert_made },
	{ "registerCertificateWithoutCA", NONE, NONE, CERT, parse_register_cert_without_ca, NULL,
	    change_register_cert, render_cert_made },
	{ "setDefaultPolicyVersion", POL, NONE, POL, parse_policy_version, NULL,
	    change_set_default_policy_version, NULL },
	{ "testAuthorization", CERT, NONE, NONE, parse_test_authorization, NULL, NULL,
	    render_test_authorization },
	{ "updateCACertificate", CA, NONE, CA, parse_update_ca, prepare_ca, change_update_ca,
	    NULL },
	{ "updateCertificate", CERT, NONE, CERT, parse_update_cert, NULL, change_update_cert,
	    NULL },
	{ "updateProvisioningTemplate", TMPL, NONE, TMPL, parse_update_template, NULL,
	    change_update_template, NULL },
	{ "updateThing", THNG, NONE, THNG, parse_update_thing, NULL, change_update_thing, NULL },
};
const size_t command_type_count = COUNT_OF(command_types);

static int
compare_name(const void *name, const void *type)
{
	return strcmp(name, ((const struct command_type *)type)->name);
}

const struct command_type *
command_find(const char *name)
{
	return bsearch(name, command_types, command_type_count, sizeof(command_types[0]),
	    compare_name);
}

/* As AWS's API or the command line have it. */
static void
explain_misspelt(const char *name, struct diag *diag)
{
	for (size_t i = 0; i < command_type_count; i++) {
		if (!aws_same_name(name, view_of(command_types[i].name)))
			continue;
		diag_set(diag, "Unknown command '%.48s': here it is %s", name,
		    command_types[i].name);
		return;
	}
	diag_set(diag, "Unknown command '%.48s'", name);
}

/* An operation of AWS IoT that does not exist here is no misspelling: one sentence says
 * what to use instead. */
static void
explain_unknown(const char *name, struct diag *diag)
{
	const struct aws_gap *gap = aws_gap_find(name);
	char sentence[sizeof(diag->text)];
	struct text t = text_in(sentence, sizeof(sentence));

	if (gap == NULL) {
		explain_misspelt(name, diag);
		return;
	}
	text_addf(&t, "Command '%.48s' of AWS IoT is not supported here: %s", name, gap->why);
	for (size_t i = 0; i < AWS_GAP_USE_MAX && gap->use[i] != NULL; i++)
		text_addf(&t, "%s%c%s", i == 0 ? "; see " : " and ", gap->use[i][0] - 'A' + 'a',
		    gap->use[i] + 1);
	diag_set(diag, "%s", sentence);
}

static void
parse_arguments(const cJSON *json, struct command *c)
{
	struct members m = json_members(json, &c->diag);

	if (!cJSON_IsObject(json)) {
		c->result = ERR_REQUEST;
		diag_set(&c->diag, "A command must be an object");
		return;
	}
	c->correlation = json_string(&m, "correlationData", 0, 1024, false);
	c->name = json_string(&m, "command", 1, 128, true);
	if (c->name != NULL) {
		c->type = command_find(c->name);
		if (c->type != NULL) {
			c->type->parse(&m, c);
		} else {
			m.failed = ERR_REQUEST;
			explain_unknown(c->name, &c->diag);
		}
	}
	c->result = m.failed;
}

void
command_parse(const cJSON *json, struct command *c, const struct account *a, int64_t now)
{
	memset(c, 0, sizeof(*c));
	c->account = a;
	c->asked = now;
	parse_arguments(json, c);
}

void
command_clear(struct command *c)
{
	x509_free(c->x);
	x509_free(c->issuer);
	crl_import_free(c->import);
	trial_free(c->trial);
	cJSON_free(c->kept);
	memset(c, 0, sizeof(*c));
}

/*
 * Resources.
 */

static const char *const resource_types[] = {
	[RESOURCE_NONE] = "",
	[RESOURCE_CA] = "cacert/",
	[RESOURCE_CERTIFICATE] = "cert/",
	[RESOURCE_POLICY] = "policy/",
	[RESOURCE_THING] = "thing/",
	[RESOURCE_CRL] = "cacert/",
	[RESOURCE_TEMPLATE] = "provisioningtemplate/",
};

bool
resource_has_id(enum resource r)
{
	return r == RESOURCE_CA || r == RESOURCE_CERTIFICATE || r == RESOURCE_CRL;
}

void
resource_text(enum resource r, const struct certid *id, struct view name, char out[RESOURCE_SIZE])
{
	char hex[CERTID_HEX_SIZE];

	if (resource_has_id(r)) {
		certid_to_hex(id, hex);
		name = view_of(hex);
	}
	(void)snprintf(out, RESOURCE_SIZE, "%s%.*s", resource_types[r], (int)name.len,
	    name.len > 0 ? (const char *)name.data : "");
}

void
command_action(const struct command_type *type, char out[ACTION_SIZE])
{
	(void)snprintf(out, ACTION_SIZE, "iot:%s", type->name);
	out[4] = (char)(out[4] - 'a' + 'A');
}

void
command_authorize(struct command *c, struct gate *g, const struct client *client)
{
	char action[ACTION_SIZE], asked[RESOURCE_SIZE], also[RESOURCE_SIZE],
	    on[RESOURCE_SIZE + ARN_PREFIX_SIZE] = "*";

	if (c->type == NULL || c->result == ERR_REQUEST)
		return;
	command_action(c->type, action);
	resource_text(c->type->asked, &c->id, c->named, asked);
	resource_text(c->type->also, &c->id, c->named, also);
	if (gate_may_control(g, client, action, c->type->asked != RESOURCE_NONE ? asked : NULL,
		c->type->also != RESOURCE_NONE ? also : NULL))
		return;
	if (c->type->asked != RESOURCE_NONE)
		(void)snprintf(on, sizeof(on), "%s%s", c->account->scope.prefix, asked);
	c->result = ERR_DENIED;
	if (c->type->also == RESOURCE_NONE)
		diag_set(&c->diag, "No policy of this client allows %s on %s", action, on);
	else
		diag_set(&c->diag,
		    "No policy of this client allows %s on %s, or one denies it on %s", action, on,
		    also);
}

void
command_notify(const struct command *c, struct gate *g)
{
	if (c->silent)
		return;
	switch (c->type->changed) {
	case RESOURCE_CERTIFICATE:
		gate_changed(g, &c->id);
		break;
	case RESOURCE_POLICY:
		gate_policy_changed(g, c->named);
		break;
	case RESOURCE_THING:
		gate_thing_changed(g, c->named);
		break;
	case RESOURCE_CA:       /* the mirror of the CAs is told: request_run.c */
	case RESOURCE_CRL:      /* command_conclude() */
	case RESOURCE_TEMPLATE: /* looked at when it is asked */
	case RESOURCE_NONE:
		break;
	}
}

void
command_conclude(struct command *c)
{
	if (c->import != NULL)
		crls_end(c->crls, c->import, c->result, &c->diag);
	else if (c->result == ERR_OK && c->type->change == change_delete_crl)
		crls_removed(c->crls, &c->id);
	else if (c->result == ERR_OK && c->type->change == change_delete_ca)
		crls_ca_deleted(c->crls, &c->id);
}
