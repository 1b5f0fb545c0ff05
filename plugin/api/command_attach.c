/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_attach.c - policies attached to certificates (aws-iot A.5).
 *
 * There are two families of commands for one set of attachments; the older one
 * says principal where the newer says target.
 */
#include "command.h"

void
parse_attach_policy(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "policyName", "target" };

	parse_policy_name(m, c);
	parse_principal(m, "target", c);
	json_only(m, names, COUNT_OF(names));
}

void
parse_attach_principal_policy(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "policyName",
		"principal" };

	parse_policy_name(m, c);
	parse_principal(m, "principal", c);
	json_only(m, names, COUNT_OF(names));
}

/* There are no groups that a certificate could inherit from: recursive finds
 * the same. */
void
parse_list_attached_policies(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "target", "recursive",
		"pageSize", "marker" };

	parse_principal(m, "target", c);
	(void)json_bool(m, "recursive", false);
	parse_markers(m, c, KEY_NAME);
	c->page.ascending = true;
	json_only(m, names, COUNT_OF(names));
}

void
parse_list_principal_policies(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "principal", "pageSize",
		"marker", "ascendingOrder" };

	parse_principal(m, "principal", c);
	parse_markers(m, c, KEY_NAME);
	json_only(m, names, COUNT_OF(names));
}

void
parse_list_targets(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "policyName", "pageSize",
		"marker" };

	parse_policy_name(m, c);
	parse_markers(m, c, KEY_ID);
	c->page.ascending = true;
	json_only(m, names, COUNT_OF(names));
}

void
parse_list_policy_principals(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "policyName", "pageSize",
		"marker", "ascendingOrder" };

	parse_policy_name(m, c);
	parse_markers(m, c, KEY_ID);
	json_only(m, names, COUNT_OF(names));
}

enum err
change_attach_policy(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_attach_policy(t, c->named, &c->id, &c->diag);
}

enum err
change_detach_policy(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_detach_policy(t, c->named, &c->id, &c->diag);
}

enum err
render_attached_policies(struct txn *t, struct command *c, cJSON *data)
{
	struct view page[PAGE_MAX + 1];
	cJSON *list = cJSON_AddArrayToObject(data, "policies");
	size_t count = 0, size = c->page.size;
	struct cert cert;
	enum err e = check_principal(t, c, &cert);

	if (e == ERR_OK)
		e = store_list_attached(t, &c->id, c->page.has_after ? &c->page.after.name : NULL,
		    c->page.ascending, page, size + 1, &count);
	for (size_t i = 0; e == ERR_OK && i < count && i < size; i++) {
		cJSON *o = cJSON_CreateObject();

		add_view(o, "policyName", page[i]);
		add_name_arn(o, "policyArn", c->account, RESOURCE_POLICY, page[i]);
		cJSON_AddItemToArray(list, o);
	}
	if (e == ERR_OK && count > size)
		add_mark(data, c, &(struct mark){ .name = page[size - 1] });
	return e;
}

static enum err
render_certificates(struct txn *t, struct command *c, const char *name, cJSON *data)
{
	struct certid page[PAGE_MAX + 1];
	struct policy_record policy;
	size_t count = 0;
	enum err e = check_policy(t, c, &policy);

	if (e == ERR_OK)
		e = store_list_targets(t, c->named, c->page.has_after ? &c->page.after.id : NULL,
		    c->page.ascending, page, c->page.size + 1, &count);
	if (e == ERR_OK)
		add_principals(data, name, c, page, count);
	return e;
}

enum err
render_targets(struct txn *t, struct command *c, cJSON *data)
{
	return render_certificates(t, c, "targets", data);
}

enum err
render_policy_principals(struct txn *t, struct command *c, cJSON *data)
{
	return render_certificates(t, c, "principals", data);
}
