/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_template.c - provisioning templates (AWS: CreateProvisioningTemplate
 * and what goes with it).
 *
 * For just-in-time provisioning alone: a CA names one in its registrationConfig
 * (aws-iot E).  A template has one version, and its body never changes.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"

#include "jitr/core/template.h"

#define DESCRIPTION_MAX 500

enum err
check_template_body(struct command *c, struct view body)
{
	struct template *template;
	enum err e = template_compile(body, &c->account->scope, &template, &c->diag);

	if (e == ERR_OK)
		template_free(template);
	return e;
}

enum err
prepare_create_template(struct command *c)
{
	return check_template_body(c, c->template.record.body);
}

/* AWS's default is FLEET_PROVISIONING, which does not exist here: where nothing is
 * said, JITP is meant. */
static void
check_type(struct members *m)
{
	static const char *const types[] = { "FLEET_PROVISIONING", "JITP" };
	int type = json_word(m, "type", types, COUNT_OF(types), false);

	if (m->failed == ERR_OK && type == 0)
		parse_fail(m, ERR_REQUEST,
		    "Only provisioning templates of type JITP are supported");
}

void
parse_create_template(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "templateName",
		"description", "templateBody", "enabled", "provisioningRoleArn", "type", "tags" };
	struct provisioning_template *t = &c->template.record;

	parse_template_name(m, "templateName", true, &c->named);
	t->name = c->named;
	t->description = view_of(json_string(m, "description", 0, DESCRIPTION_MAX, false));
	t->body = view_of(json_string(m, "templateBody", 0, TEMPLATE_BODY_MAX, true));
	t->enabled = json_bool(m, "enabled", false);
	t->role_arn = view_of(json_string(m, "provisioningRoleArn", 20, 2048, false));
	check_type(m);
	parse_tags(m);
	json_only(m, names, COUNT_OF(names));
}

void
parse_template(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "templateName" };

	parse_template_name(m, "templateName", true, &c->named);
	json_only(m, names, COUNT_OF(names));
}

void
parse_update_template(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "templateName",
		"description", "enabled", "provisioningRoleArn" };
	struct provisioning_template *t = &c->template.record;
	struct template_update *u = &c->template.update;

	parse_template_name(m, "templateName", true, &c->named);
	t->description = view_of(json_string(m, "description", 0, DESCRIPTION_MAX, false));
	t->enabled = json_bool(m, "enabled", false);
	t->role_arn = view_of(json_string(m, "provisioningRoleArn", 20, 2048, false));
	json_only(m, names, COUNT_OF(names));
	u->description = json_has(m, "description") ? &t->description : NULL;
	u->enabled = json_has(m, "enabled") ? &t->enabled : NULL;
	u->role_arn = json_has(m, "provisioningRoleArn") ? &t->role_arn : NULL;
}

void
parse_list_templates(struct members *m, struct command *c)
{
	static const char *const names[] = { "command", "correlationData", "maxResults",
		"nextToken" };

	parse_tokens(m, c, KEY_NAME);
	json_only(m, names, COUNT_OF(names));
}

enum err
change_create_template(struct txn *t, struct command *c, int64_t now)
{
	return registry_create_template(t, &c->template.record, now, &c->diag);
}

enum err
change_update_template(struct txn *t, struct command *c, int64_t now)
{
	return registry_update_template(t, c->named, &c->template.update, now, &c->diag);
}

enum err
change_delete_template(struct txn *t, struct command *c, int64_t now)
{
	(void)now;
	return registry_delete_template(t, c->named, &c->diag);
}

enum err
render_template_made(struct txn *t, struct command *c, cJSON *data)
{
	(void)t;
	add_name_arn(data, "templateArn", c->account, RESOURCE_TEMPLATE, c->named);
	add_view(data, "templateName", c->named);
	cJSON_AddNumberToObject(data, "defaultVersionId", 1);
	return ERR_OK;
}

static void
add_summary(cJSON *o, const struct account *a, const struct provisioning_template *t)
{
	add_name_arn(o, "templateArn", a, RESOURCE_TEMPLATE, t->name);
	add_view(o, "templateName", t->name);
	add_view(o, "description", t->description);
	add_time(o, "creationDate", t->created);
	add_time(o, "lastModifiedDate", t->modified);
	cJSON_AddBoolToObject(o, "enabled", t->enabled);
	cJSON_AddStringToObject(o, "type", "JITP");
}

enum err
render_template(struct txn *t, struct command *c, cJSON *data)
{
	struct provisioning_template template;
	enum err e = store_get_template(t, c->named, &template);

	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "Provisioning template not found (name=%.*s)", (int)c->named.len,
		    (const char *)c->named.data);
	if (e != ERR_OK)
		return e;
	add_summary(data, c->account, &template);
	cJSON_AddNumberToObject(data, "defaultVersionId", 1);
	add_view(data, "templateBody", template.body);
	add_view(data, "provisioningRoleArn", template.role_arn);
	return ERR_OK;
}

enum err
render_templates(struct txn *t, struct command *c, cJSON *data)
{
	struct provisioning_template *page = calloc(PAGE_MAX + 1, sizeof(*page));
	cJSON *list = cJSON_AddArrayToObject(data, "templates");
	size_t count = 0, size = c->page.size;
	enum err e = ERR_NOMEM;

	if (page != NULL)
		e = store_list_templates(t, c->page.has_after ? &c->page.after.name : NULL, page,
		    size + 1, &count);
	for (size_t i = 0; e == ERR_OK && i < count && i < size; i++) {
		cJSON *o = cJSON_CreateObject();

		add_summary(o, c->account, &page[i]);
		cJSON_AddItemToArray(list, o);
	}
	if (e == ERR_OK && count > size)
		add_mark(data, c, &(struct mark){ .name = page[size - 1].name });
	free(page);
	return e;
}
