/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_policy_version.c - versions of policies (aws-iot A.4). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_answer.h"
#include "command_parse.h"
#include "content.h"
#include "policy_document.h"

#include "jitr/service/registry_policy.h"

/*
 * Changes.
 */

static void
parse_create_version(struct members *m, struct command *c)
{
	parse_policy_name(m, c);
	parse_policy_document(m, c);
	c->policy.set_default = json_bool(m, "setAsDefault", false);
	c->silent = !c->policy.set_default;
	PARSE_ONLY(m, "policyName", "policyDocument", "setAsDefault");
	check_policy_document(m, c);
}

static enum err
content_of_version(const struct command *c, struct content *out)
{
	enum err e = content_of_policy(c, out);

	if (e != ERR_OK || !c->policy.set_default)
		return e;
	content_need_name(out, "iot:SetDefaultPolicyVersion", RESOURCE_POLICY, c->named);
	return content_reserve_denying(c, out);
}

static enum err
run_create_version(struct txn *t, struct command *c)
{
	return registry_create_policy_version(t, c->named,
	    &(struct new_policy_version){ c->policy.document, c->form, c->policy.set_default },
	    c->now, &c->policy.number, &c->diag);
}

static enum err
answer_created_version(struct command *c, cJSON *data)
{
	add_name_arn(data, "policyArn", c, RESOURCE_POLICY, c->named);
	add_version_id(data, "policyVersionId", c->policy.number);
	cJSON_AddBoolToObject(data, "isDefaultVersion", c->policy.set_default);
	add_document_warnings(data, c);
	return add_policy_document(data, c->policy.document);
}

/* Versions are numbered from 1, without leading zeros.  0: no version has this number. */
static uint32_t
version_number(const char *text)
{
	char written[16];
	unsigned long number;

	errno = 0;
	number = strtoul(text, NULL, 10);
	if (errno != 0 || number > UINT32_MAX)
		return 0;
	(void)snprintf(written, sizeof(written), "%lu", number);
	return strcmp(written, text) == 0 ? (uint32_t)number : 0;
}

static void
parse_version(struct members *m, struct command *c)
{
	const char *version;

	parse_policy_name(m, c);
	version = json_string(m, "policyVersionId", 1, 1024, true);
	PARSE_ONLY(m, "policyName", "policyVersionId");
	if (version == NULL)
		return;
	if (version[strspn(version, "0123456789")] != '\0')
		json_fail(m, "policyVersionId", version,
		    "satisfy regular expression pattern: [0-9]+");
	c->policy.number = version_number(version);
}

static enum err
content_of_default_version(const struct command *c, struct content *out)
{
	enum err e = ERR_OK;

	if (c->policy.number > 0)
		e = content_reserve_allowing(c, c->named, c->policy.number, out);
	return e == ERR_OK ? content_reserve_denying(c, out) : e;
}

static enum err
run_set_default_version(struct txn *t, struct command *c)
{
	return registry_set_default_policy_version(t, c->named, c->policy.number, c->now, &c->diag);
}

static enum err
run_delete_version(struct txn *t, struct command *c)
{
	c->silent = true; /* it is not the default: no client is judged by it */
	return registry_delete_policy_version(t, c->named, c->policy.number, &c->diag);
}

/*
 * Answers.
 */

/* A version never changes: it was modified when it was made.  Its generation is the
 * policy's. */
static enum err
read_version(struct txn *t, struct command *c, cJSON *data)
{
	struct policy_record policy;
	struct policy_version version;
	enum err e = lookup_policy(t, c, &policy);

	if (e == ERR_OK)
		e = lookup_policy_version(t, c, c->policy.number, &version);
	if (e != ERR_OK)
		return e;
	add_policy_name(data, c, c->named);
	add_version_id(data, "policyVersionId", version.number);
	cJSON_AddBoolToObject(data, "isDefaultVersion", version.number == policy.default_version);
	add_time(data, "creationDate", version.created);
	add_time(data, "lastModifiedDate", version.created);
	add_uuid(data, "generationId", &policy.generation);
	return add_policy_document(data, version.document);
}

static enum err
read_versions(struct txn *t, struct command *c, cJSON *data)
{
	struct policy_version versions[POLICY_VERSIONS_MAX];
	struct policy_record policy;
	cJSON *list = cJSON_AddArrayToObject(data, "policyVersions");
	size_t count = 0;
	enum err e = lookup_policy(t, c, &policy);

	if (e == ERR_OK)
		e = store_list_policy_versions(t, c->named, versions, POLICY_VERSIONS_MAX, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		cJSON *o = cJSON_CreateObject();

		add_version_id(o, "versionId", versions[i].number);
		cJSON_AddBoolToObject(o, "isDefaultVersion",
		    versions[i].number == policy.default_version);
		add_time(o, "createDate", versions[i].created);
		cJSON_AddItemToArray(list, o);
	}
	return e;
}

static const struct command_type rows[] = {
	{
	    .name = "createPolicyVersion",
	    .resource = RESOURCE_POLICY,
	    .changed = RESOURCE_POLICY,
	    .parse = parse_create_version,
	    .content = content_of_version,
	    .run = run_create_version,
	    .answer = answer_created_version,
	},
	{
	    .name = "deletePolicyVersion",
	    .resource = RESOURCE_POLICY,
	    .changed = RESOURCE_POLICY,
	    .parse = parse_version,
	    .plain = true, /* the default version cannot be deleted */
	    .run = run_delete_version,
	},
	{
	    .name = "getPolicyVersion",
	    .resource = RESOURCE_POLICY,
	    .parse = parse_version,
	    .read = read_version,
	},
	{
	    .name = "listPolicyVersions",
	    .resource = RESOURCE_POLICY,
	    .parse = parse_policy,
	    .read = read_versions,
	},
	{
	    .name = "setDefaultPolicyVersion",
	    .resource = RESOURCE_POLICY,
	    .changed = RESOURCE_POLICY,
	    .parse = parse_version,
	    .content = content_of_default_version,
	    .run = run_set_default_version,
	},
};

const struct command_group policy_version_commands = { rows, COUNT_OF(rows) };
