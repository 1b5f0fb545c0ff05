/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command.c - see command.h: the table, and what every command has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#include "jitr/x509.h"

#define NONE RESOURCE_NONE
#define CA   RESOURCE_CA
#define CERT RESOURCE_CERTIFICATE
#define POL  RESOURCE_POLICY
#define THNG RESOURCE_THING

/* Resources after AWS's service authorization reference: for attachments that
 * is the certificate. */
const struct command_type command_types[] = {
	{ "attachPolicy", CERT, POL, CERT, parse_attach_policy, change_attach_policy, NULL },
	{ "attachPrincipalPolicy", CERT, POL, CERT, parse_attach_principal_policy,
	    change_attach_policy, NULL },
	{ "attachThingPrincipal", CERT, THNG, CERT, parse_attach_thing, change_attach_thing, NULL },
	{ "createPolicy", POL, NONE, POL, parse_create_policy, change_create_policy,
	    render_policy_made },
	{ "createPolicyVersion", POL, NONE, POL, parse_create_policy_version,
	    change_create_policy_version, render_policy_version_made },
	{ "createThing", THNG, NONE, THNG, parse_create_thing, change_create_thing,
	    render_thing_made },
	{ "deleteCACertificate", CA, NONE, CA, parse_ca_id, change_delete_ca, NULL },
	{ "deleteCertificate", CERT, NONE, CERT, parse_delete_cert, change_delete_cert, NULL },
	{ "deletePolicy", POL, NONE, POL, parse_policy, change_delete_policy, NULL },
	{ "deletePolicyVersion", POL, NONE, POL, parse_policy_version,
	    change_delete_policy_version, NULL },
	{ "deleteRegistrationCode", NONE, NONE, NONE, parse_nothing, change_delete_code, NULL },
	{ "deleteThing", THNG, NONE, THNG, parse_delete_thing, change_delete_thing, NULL },
	{ "describeCACertificate", CA, NONE, NONE, parse_ca_id, NULL, render_ca },
	{ "describeCertificate", CERT, NONE, NONE, parse_cert_id, NULL, render_cert },
	{ "describeThing", THNG, NONE, NONE, parse_thing, NULL, render_thing },
	{ "detachPolicy", CERT, POL, CERT, parse_attach_policy, change_detach_policy, NULL },
	{ "detachPrincipalPolicy", CERT, POL, CERT, parse_attach_principal_policy,
	    change_detach_policy, NULL },
	{ "detachThingPrincipal", CERT, THNG, CERT, parse_detach_thing, change_detach_thing, NULL },
	{ "explain", CERT, NONE, NONE, parse_explain, NULL, render_explain },
	{ "getEffectivePolicies", CERT, NONE, NONE, parse_get_effective_policies, NULL,
	    render_effective_policies },
	{ "getPolicy", POL, NONE, NONE, parse_policy, NULL, render_policy },
	{ "getPolicyVersion", POL, NONE, NONE, parse_policy_version, NULL, render_policy_version },
	{ "getRegistrationCode", NONE, NONE, NONE, parse_nothing, change_get_code, render_code },
	{ "listAttachedPolicies", CERT, NONE, NONE, parse_list_attached_policies, NULL,
	    render_attached_policies },
	{ "listCACertificates", NONE, NONE, NONE, parse_list_cas, NULL, render_cas },
	{ "listCertificates", NONE, NONE, NONE, parse_list_certs, NULL, render_certs },
	{ "listCertificatesByCA", NONE, NONE, NONE, parse_list_certs_by_ca, NULL,
	    render_certs_by_ca },
	{ "listPolicies", NONE, NONE, NONE, parse_list_policies, NULL, render_policies },
	{ "listPolicyPrincipals", POL, NONE, NONE, parse_list_policy_principals, NULL,
	    render_policy_principals },
	{ "listPolicyVersions", POL, NONE, NONE, parse_policy, NULL, render_policy_versions },
	{ "listPrincipalPolicies", CERT, NONE, NONE, parse_list_principal_policies, NULL,
	    render_attached_policies },
	{ "listPrincipalThings", CERT, NONE, NONE, parse_list_principal_things, NULL,
	    render_principal_things },
	{ "listTargetsForPolicy", POL, NONE, NONE, parse_list_targets, NULL, render_targets },
	{ "listThingPrincipals", THNG, NONE, NONE, parse_list_thing_principals, NULL,
	    render_thing_principals },
	{ "listThings", NONE, NONE, NONE, parse_list_things, NULL, render_things },
	{ "registerCACertificate", NONE, NONE, CA, parse_register_ca, change_register_ca,
	    render_ca_made },
	{ "registerCertificate", NONE, NONE, CERT, parse_register_cert, change_register_cert,
	    render_cert_made },
	{ "registerCertificateWithoutCA", NONE, NONE, CERT, parse_register_cert_without_ca,
	    change_register_cert, render_cert_made },
	{ "setDefaultPolicyVersion", POL, NONE, POL, parse_policy_version,
	    change_set_default_policy_version, NULL },
	{ "testAuthorization", CERT, NONE, NONE, parse_test_authorization, NULL,
	    render_test_authorization },
	{ "updateCACertificate", CA, NONE, CA, parse_update_ca, change_update_ca, NULL },
	{ "updateCertificate", CERT, NONE, CERT, parse_update_cert, change_update_cert, NULL },
	{ "updateThing", THNG, NONE, THNG, parse_update_thing, change_update_thing, NULL },
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
			diag_set(&c->diag, "Unknown command '%.48s'", c->name);
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
};

void
resource_text(enum resource r, const struct certid *id, struct view name, char out[RESOURCE_SIZE])
{
	char hex[CERTID_HEX_SIZE];

	if (r == RESOURCE_CA || r == RESOURCE_CERTIFICATE) {
		certid_to_hex(id, hex);
		name = view_of(hex);
	}
	(void)snprintf(out, RESOURCE_SIZE, "%s%.*s", resource_types[r], (int)name.len,
	    name.len > 0 ? (const char *)name.data : "");
}

/* "iot:DescribeCertificate", from the command's name. */
#define ACTION_SIZE 64

static void
action_of(const struct command *c, char out[ACTION_SIZE])
{
	(void)snprintf(out, ACTION_SIZE, "iot:%s", c->type->name);
	out[4] = (char)(out[4] - 'a' + 'A');
}

void
command_authorize(struct command *c, struct gate *g, const struct client *client)
{
	char action[ACTION_SIZE], asked[RESOURCE_SIZE], also[RESOURCE_SIZE], on[RESOURCE_SIZE + ARN_PREFIX_SIZE] = "*";

	if (c->type == NULL || c->result == ERR_REQUEST)
		return;
	action_of(c, action);
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
		diag_set(&c->diag, "No policy of this client allows %s on %s, or one denies it on %s",
		    action, on, also);
}

void
command_notify(const struct command *c, struct gate *g)
{
	if (c->unheard)
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
	case RESOURCE_CA: /* the mirror of the CAs is told: request.c */
	case RESOURCE_NONE:
		break;
	}
}
