/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_policy.c - policies (aws-iot A.4); their versions: command_policy_version.c. */
#include <stdlib.h>

#include "command_answer.h"
#include "command_parse.h"
#include "content.h"
#include "policy_document.h"

#include "jitr/service/registry_policy.h"

/* The tags are not stored: no command shows them. */
static void
parse_create_policy(struct members *m, struct command *c)
{
	parse_policy_name(m, c);
	parse_policy_document(m, c);
	parse_tags(m);
	PARSE_ONLY(m, "policyName", "policyDocument", "tags");
	check_policy_document(m, c);
	c->policy.number = 1;
}

static enum err
run_create_policy(struct txn *t, struct command *c)
{
	return registry_create_policy(t, c->named,
	    &(struct new_policy_version){ .document = c->policy.document, .form = c->form }, c->now,
	    &c->diag);
}

static enum err
answer_created_policy(struct command *c, cJSON *data)
{
	add_policy_name(data, c, c->named);
	add_version_id(data, "policyVersionId", c->policy.number);
	add_document_warnings(data, c);
	return add_policy_document(data, c->policy.document);
}

static enum err
run_delete_policy(struct txn *t, struct command *c)
{
	return registry_delete_policy(t, c->named, &c->diag);
}

static enum err
read_policy(struct txn *t, struct command *c, cJSON *data)
{
	struct policy_record policy;
	struct policy_version version;
	enum err e = lookup_policy(t, c, &policy);

	if (e == ERR_OK)
		e = lookup_policy_version(t, c, policy.default_version, &version);
	if (e != ERR_OK)
		return e;
	add_policy_name(data, c, c->named);
	add_version_id(data, "defaultVersionId", policy.default_version);
	add_time(data, "creationDate", policy.created);
	add_time(data, "lastModifiedDate", policy.modified);
	add_uuid(data, "generationId", &policy.generation);
	return add_policy_document(data, version.document);
}

static void
parse_list_policies(struct members *m, struct command *c)
{
	page_parse_markers(m, &c->page, KEY_CREATED_NAME);
	PARSE_ONLY(m, "pageSize", "marker", "ascendingOrder");
}

static enum err
read_policies(struct txn *t, struct command *c, cJSON *data)
{
	struct policy_record *page = calloc(PAGE_MAX + 1, sizeof(*page));
	cJSON *list = cJSON_AddArrayToObject(data, "policies");
	struct name_position after = { c->page.after.created, c->page.after.name };
	size_t count = 0, size = c->page.size;
	enum err e = ERR_NOMEM;

	if (page != NULL)
		e = store_list_policies(t, c->page.has_after ? &after : NULL, c->page.ascending,
		    page, size + 1, &count);
	for (size_t i = 0; e == ERR_OK && i < count && i < size; i++) {
		cJSON *o = cJSON_CreateObject();

		add_policy_name(o, c, page[i].name);
		cJSON_AddItemToArray(list, o);
	}
	if (e == ERR_OK && count > size)
		page_add_mark(data, &c->page,
		    &(struct mark){ .created = page[size - 1].created,
			.name = page[size - 1].name });
	free(page);
	return e;
}

static const struct command_type rows[] = {
	{
	    .name = "createPolicy",
	    .resource = RESOURCE_POLICY,
	    .changed = RESOURCE_POLICY,
	    .parse = parse_create_policy,
	    .content = content_of_policy,
	    .run = run_create_policy,
	    .answer = answer_created_policy,
	},
	{
	    .name = "deletePolicy",
	    .resource = RESOURCE_POLICY,
	    .changed = RESOURCE_POLICY,
	    .parse = parse_policy,
	    .plain = true, /* only a policy that is not attached can be deleted */
	    .run = run_delete_policy,
	},
	{
	    .name = "getPolicy",
	    .resource = RESOURCE_POLICY,
	    .parse = parse_policy,
	    .read = read_policy,
	},
	{
	    .name = "listPolicies",
	    .parse = parse_list_policies,
	    .read = read_policies,
	},
};

const struct command_group policy_commands = { rows, COUNT_OF(rows) };
