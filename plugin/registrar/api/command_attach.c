/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_attach.c - policies attached to certificates (aws-iot A.5).
 *
 * AWS has two families of commands for the same attachments: the older one calls the
 * certificate principal, the newer one target.
 */
#include "command_answer.h"
#include "command_parse.h"
#include "content.h"

#include "jitr/service/registry_policy.h"

static void
parse_attach_policy(struct members *m, struct command *c)
{
	parse_policy_name(m, c);
	parse_principal(m, "target", c);
	PARSE_ONLY(m, "policyName", "target");
}

static void
parse_attach_principal_policy(struct members *m, struct command *c)
{
	parse_policy_name(m, c);
	parse_principal(m, "principal", c);
	PARSE_ONLY(m, "policyName", "principal");
}

/* A certificate inherits no policies, since there are no groups: recursive changes
 * nothing. */
static void
parse_list_attached_policies(struct members *m, struct command *c)
{
	parse_principal(m, "target", c);
	(void)json_bool(m, "recursive", false);
	page_parse_markers(m, &c->page, KEY_NAME);
	c->page.ascending = true;
	PARSE_ONLY(m, "target", "recursive", "pageSize", "marker");
}

static void
parse_list_principal_policies(struct members *m, struct command *c)
{
	parse_principal(m, "principal", c);
	page_parse_markers(m, &c->page, KEY_NAME);
	PARSE_ONLY(m, "principal", "pageSize", "marker", "ascendingOrder");
}

static void
parse_list_targets(struct members *m, struct command *c)
{
	parse_policy_name(m, c);
	page_parse_markers(m, &c->page, KEY_ID);
	c->page.ascending = true;
	PARSE_ONLY(m, "policyName", "pageSize", "marker");
}

static void
parse_list_policy_principals(struct members *m, struct command *c)
{
	parse_policy_name(m, c);
	page_parse_markers(m, &c->page, KEY_ID);
	PARSE_ONLY(m, "policyName", "pageSize", "marker", "ascendingOrder");
}

static enum err
content_of_attachment(const struct command *c, struct content *out)
{
	return content_reserve_allowing(c, c->named, 0, out);
}

static enum err
run_attach_policy(struct txn *t, struct command *c)
{
	return registry_attach_policy(t, c->named, &c->id, &c->diag);
}

static enum err
content_of_detachment(const struct command *c, struct content *out)
{
	return content_reserve_denying(c, out);
}

static enum err
run_detach_policy(struct txn *t, struct command *c)
{
	return registry_detach_policy(t, c->named, &c->id, &c->diag);
}

static enum err
read_attached_policies(struct txn *t, struct command *c, cJSON *data)
{
	struct view page[PAGE_MAX + 1];
	cJSON *list = cJSON_AddArrayToObject(data, "policies");
	size_t count = 0, size = c->page.size;
	struct cert cert;
	enum err e = lookup_certificate(t, c, &cert);

	if (e == ERR_OK)
		e = store_list_attached(t, &c->id, page_after_name(&c->page), c->page.ascending,
		    page, size + 1, &count);
	for (size_t i = 0; e == ERR_OK && i < count && i < size; i++) {
		cJSON *o = cJSON_CreateObject();

		add_policy_name(o, c, page[i]);
		cJSON_AddItemToArray(list, o);
	}
	if (e == ERR_OK && count > size)
		page_add_mark(data, &c->page, &(struct mark){ .name = page[size - 1] });
	return e;
}

static enum err
read_certificates(struct txn *t, struct command *c, const char *name, cJSON *data)
{
	struct certid page[PAGE_MAX + 1];
	struct policy_record policy;
	size_t count = 0;
	enum err e = lookup_policy(t, c, &policy);

	if (e == ERR_OK)
		e = store_list_targets(t, c->named, page_after_id(&c->page), c->page.ascending,
		    page, c->page.size + 1, &count);
	if (e == ERR_OK)
		add_principals(data, name, c, page, count);
	return e;
}

static enum err
read_targets(struct txn *t, struct command *c, cJSON *data)
{
	return read_certificates(t, c, "targets", data);
}

static enum err
read_policy_principals(struct txn *t, struct command *c, cJSON *data)
{
	return read_certificates(t, c, "principals", data);
}

static const struct command_type rows[] = {
	{
	    .name = "attachPolicy",
	    .resource = RESOURCE_CERTIFICATE,
	    .also = RESOURCE_POLICY,
	    .changed = RESOURCE_CERTIFICATE,
	    .parse = parse_attach_policy,
	    .content = content_of_attachment,
	    .run = run_attach_policy,
	},
	{
	    .name = "attachPrincipalPolicy",
	    .resource = RESOURCE_CERTIFICATE,
	    .also = RESOURCE_POLICY,
	    .changed = RESOURCE_CERTIFICATE,
	    .parse = parse_attach_principal_policy,
	    .content = content_of_attachment,
	    .run = run_attach_policy,
	},
	{
	    .name = "detachPolicy",
	    .resource = RESOURCE_CERTIFICATE,
	    .also = RESOURCE_POLICY,
	    .changed = RESOURCE_CERTIFICATE,
	    .parse = parse_attach_policy,
	    .content = content_of_detachment,
	    .run = run_detach_policy,
	},
	{
	    .name = "detachPrincipalPolicy",
	    .resource = RESOURCE_CERTIFICATE,
	    .also = RESOURCE_POLICY,
	    .changed = RESOURCE_CERTIFICATE,
	    .parse = parse_attach_principal_policy,
	    .content = content_of_detachment,
	    .run = run_detach_policy,
	},
	{
	    .name = "listAttachedPolicies",
	    .resource = RESOURCE_CERTIFICATE,
	    .parse = parse_list_attached_policies,
	    .read = read_attached_policies,
	},
	{
	    .name = "listPolicyPrincipals",
	    .resource = RESOURCE_POLICY,
	    .parse = parse_list_policy_principals,
	    .read = read_policy_principals,
	},
	{
	    .name = "listPrincipalPolicies",
	    .resource = RESOURCE_CERTIFICATE,
	    .parse = parse_list_principal_policies,
	    .read = read_attached_policies,
	},
	{
	    .name = "listTargetsForPolicy",
	    .resource = RESOURCE_POLICY,
	    .parse = parse_list_targets,
	    .read = read_targets,
	},
};

const struct command_group attach_commands = { rows, COUNT_OF(rows) };
