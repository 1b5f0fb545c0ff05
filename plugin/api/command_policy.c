/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* command_policy.c - policies and their versions (aws-iot A.4). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* Content, looked at when everything else about the command is right. */
static void
check_document(struct members *m, const struct command *c)
{
	struct policy *policy = NULL;
	struct diag why = { "" };
	enum err e;

	if (m->failed != ERR_OK)
		return;
	e = policy_compile(c->policy.document, &c->account->scope, &policy, &why);
	policy_free(policy);
	if (e == ERR_OK)
		return;
	m->failed = e;
	diag_set(m->diag, e == ERR_POLICY ? "Policy document is Malformed: %s" : "%s",
	    why.text[0] != '\0' ? why.text : err_text(e));
}

static void
parse_document(struct members *m, struct command *c)
{
	c->policy.document = view_of(json_string(m, "policyDocument", 0, POLICY_BYTES_MAX, true));
}

/* The tags are checked and not kept: nothing of ours reads them. */
void
parse_create_policy(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "policyName",
		"policyDocument", "tags" };

	parse_policy_name(m, c);
	parse_document(m, c);
	parse_tags(m);
	json_only(m, names, COUNT_OF(names));
	check_document(m, c);
	c->policy.number = 1;
}

void
parse_policy(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "policyName" };

	parse_policy_name(m, c);
	json_only(m, names, COUNT_OF(names));
}

void
parse_list_policies(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "pageSize", "marker",
		"ascendingOrder" };

	parse_markers(m, c, KEY_CREATED_NAME);
	json_only(m, names, COUNT_OF(names));
}

void
parse_create_policy_version(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "policyName",
		"policyDocument", "setAsDefault" };

	parse_policy_name(m, c);
	parse_document(m, c);
	c->policy.set_default = json_bool(m, "setAsDefault", false);
	c->silent = !c->policy.set_default;
	json_only(m, names, COUNT_OF(names));
	check_document(m, c);
}

/* Versions are numbered from 1; a number that is never given, or is written
 * otherwise, names none: 0. */
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

void
parse_policy_version(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "policyName",
		"policyVersionId" };
	const char *version;

	parse_policy_name(m, c);
	version = json_string(m, "policyVersionId", 1, 1024, true);
	json_only(m, names, COUNT_OF(names));
	if (version == NULL)
		return;
	if (version[strspn(version, "0123456789")] != '\0')
		json_fail(m, "policyVersionId", version,
		    "satisfy regular expression pattern: [0-9]+");
	c->policy.number = version_number(version);
}

enum err
change_create_policy(struct txn *t, struct command *c, int64_t now)
{
	return registry_create_policy(t, c->named, c->policy.document, now, &c->diag);
}

enum err
change_delete_policy(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_delete_policy(t, c->named, &c->diag);
}

enum err
change_create_policy_version(struct txn *t, struct command *c, int64_t now)
{
	return registry_create_policy_version(t, c->named,
	    &(struct new_policy_version){ c->policy.document, c->policy.set_default }, now,
	    &c->policy.number, &c->diag);
}

enum err
change_set_default_policy_version(struct txn *t, struct command *c, int64_t now)
{
	return registry_set_default_policy_version(t, c->named, c->policy.number, now, &c->diag);
}

enum err
change_delete_policy_version(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	c->silent = true; /* it is not the default: no client is judged by it */
	return registry_delete_policy_version(t, c->named, c->policy.number, &c->diag);
}

/* An id is a string (aws-iot 1.7, PolicyVersionId). */
static void
add_version(cJSON *o, const char *name, uint32_t number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%lu", (unsigned long)number);
	cJSON_AddStringToObject(o, name, text);
}

/* Verbatim, and an empty one is told as well. */
static enum err
add_document(cJSON *o, struct view document)
{
	char *text = strndup(document.len > 0 ? (const char *)document.data : "", document.len);

	if (text == NULL)
		return ERR_NOMEM;
	cJSON_AddStringToObject(o, "policyDocument", text);
	free(text);
	return ERR_OK;
}

static void
add_policy(cJSON *o, const struct command *c, struct view name)
{
	add_view(o, "policyName", name);
	add_name_arn(o, "policyArn", c->account, RESOURCE_POLICY, name);
}

/* "iot:UpdateCertificate" for each command, once. */
static struct action_names
control_actions(void)
{
	static char text[128][ACTION_SIZE];
	static const char *names[128];
	size_t count = command_type_count < COUNT_OF(names) ? command_type_count : COUNT_OF(names);

	for (size_t i = 0; i < count && names[i] == NULL; i++) {
		command_action(&command_types[i], text[i]);
		names[i] = text[i];
	}
	return (struct action_names){ names, count };
}

void
add_warning(cJSON *answer, const char *text)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "warnings");

	if (list == NULL)
		list = cJSON_AddArrayToObject(answer, "warnings");
	cJSON_AddItemToArray(list, cJSON_CreateString(text));
}

/* Where warnings of a policy go, and its name, NULL where that is clear. */
struct policy_warnings {
	cJSON *answer;
	const char *name;
};

static void
add_policy_warning(void *context, const char *text)
{
	const struct policy_warnings *w = context;
	char line[640];

	if (w->name == NULL) {
		add_warning(w->answer, text);
		return;
	}
	(void)snprintf(line, sizeof(line), "policy %s: %s", w->name, text);
	add_warning(w->answer, line);
}

void
add_policy_warnings(cJSON *answer, const struct policy *policy, const char *name)
{
	struct action_names names = control_actions();
	struct policy_warnings w = { answer, name };

	policy_warn(policy, &names, add_policy_warning, &w);
}

/* Of a document that was accepted. */
static void
add_document_warnings(cJSON *answer, const struct command *c)
{
	struct policy *policy = NULL;

	if (policy_compile(c->policy.document, &c->account->scope, &policy, NULL) == ERR_OK)
		add_policy_warnings(answer, policy, NULL);
	policy_free(policy);
}

enum err
render_policy_made(struct txn *t, struct command *c, cJSON *data)
{
	(void)t;
	add_policy(data, c, c->named);
	add_version(data, "policyVersionId", c->policy.number);
	add_document_warnings(data, c);
	return add_document(data, c->policy.document);
}

enum err
render_policy_version_made(struct txn *t, struct command *c, cJSON *data)
{
	(void)t;
	add_name_arn(data, "policyArn", c->account, RESOURCE_POLICY, c->named);
	add_version(data, "policyVersionId", c->policy.number);
	cJSON_AddBoolToObject(data, "isDefaultVersion", c->policy.set_default);
	add_document_warnings(data, c);
	return add_document(data, c->policy.document);
}

static enum err
get_version(struct txn *t, struct command *c, uint32_t number, struct policy_version *out)
{
	enum err e = store_get_policy_version(t, c->named, number, out);

	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "Policy version not found (name=%.*s)", (int)c->named.len,
		    (const char *)c->named.data);
	return e;
}

enum err
render_policy(struct txn *t, struct command *c, cJSON *data)
{
	struct policy_record policy;
	struct policy_version version;
	enum err e = check_policy(t, c, &policy);

	if (e == ERR_OK)
		e = get_version(t, c, policy.default_version, &version);
	if (e != ERR_OK)
		return e;
	add_policy(data, c, c->named);
	add_version(data, "defaultVersionId", policy.default_version);
	add_time(data, "creationDate", policy.created);
	add_time(data, "lastModifiedDate", policy.modified);
	add_uuid(data, "generationId", &policy.generation);
	return add_document(data, version.document);
}

/* A version never changes; its generation is the policy's. */
enum err
render_policy_version(struct txn *t, struct command *c, cJSON *data)
{
	struct policy_record policy;
	struct policy_version version;
	enum err e = check_policy(t, c, &policy);

	if (e == ERR_OK)
		e = get_version(t, c, c->policy.number, &version);
	if (e != ERR_OK)
		return e;
	add_policy(data, c, c->named);
	add_version(data, "policyVersionId", version.number);
	cJSON_AddBoolToObject(data, "isDefaultVersion", version.number == policy.default_version);
	add_time(data, "creationDate", version.created);
	add_time(data, "lastModifiedDate", version.created);
	add_uuid(data, "generationId", &policy.generation);
	return add_document(data, version.document);
}

enum err
render_policy_versions(struct txn *t, struct command *c, cJSON *data)
{
	struct policy_version versions[POLICY_VERSIONS_MAX];
	struct policy_record policy;
	cJSON *list = cJSON_AddArrayToObject(data, "policyVersions");
	size_t count = 0;
	enum err e = check_policy(t, c, &policy);

	if (e == ERR_OK)
		e = store_list_policy_versions(t, c->named, versions, POLICY_VERSIONS_MAX, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		cJSON *o = cJSON_CreateObject();

		add_version(o, "versionId", versions[i].number);
		cJSON_AddBoolToObject(o, "isDefaultVersion",
		    versions[i].number == policy.default_version);
		add_time(o, "createDate", versions[i].created);
		cJSON_AddItemToArray(list, o);
	}
	return e;
}

enum err
render_policies(struct txn *t, struct command *c, cJSON *data)
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

		add_policy(o, c, page[i].name);
		cJSON_AddItemToArray(list, o);
	}
	if (e == ERR_OK && count > size)
		add_mark(data, c,
		    &(struct mark){ .created = page[size - 1].created,
			.name = page[size - 1].name });
	free(page);
	return e;
}
