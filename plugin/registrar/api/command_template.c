/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_template.c - provisioning templates (AWS: CreateProvisioningTemplate and its
 * neighbours).
 *
 * They serve just-in-time provisioning only: a CA names one in its registrationConfig
 * (aws-iot E).  A template has one version, and its body never changes.
 */
#include <stdlib.h>

#include "command_answer.h"
#include "command_parse.h"
#include "content.h"

#define DESCRIPTION_MAX 500

/* AWS's default is FLEET_PROVISIONING, which does not exist here: the default is JITP. */
static void
check_type(struct members *m)
{
	static const char *const types[] = { "FLEET_PROVISIONING", "JITP" };
	int type = json_word(m, "type", types, COUNT_OF(types), false);

	if (m->failed == ERR_OK && type == 0)
		parse_fail(m, ERR_REQUEST,
		    "Only provisioning templates of type JITP are supported");
}

static void
parse_create_template(struct members *m, struct command *c)
{
	struct provisioning_template *t = &c->template.record;

	parse_template_name(m, "templateName", true, &c->named);
	t->name = c->named;
	t->description = view_of(json_string(m, "description", 0, DESCRIPTION_MAX, false));
	t->body = view_of(json_string(m, "templateBody", 0, TEMPLATE_BODY_MAX, true));
	t->enabled = json_bool(m, "enabled", false);
	t->role_arn = view_of(json_string(m, "provisioningRoleArn", 20, 2048, false));
	check_type(m);
	parse_tags(m);
	PARSE_ONLY(m, "templateName", "description", "templateBody", "enabled",
	    "provisioningRoleArn", "type", "tags");
}

static void
parse_template(struct members *m, struct command *c)
{
	parse_template_name(m, "templateName", true, &c->named);
	PARSE_ONLY(m, "templateName");
}

static void
parse_update_template(struct members *m, struct command *c)
{
	struct provisioning_template *t = &c->template.record;
	struct template_update *u = &c->template.update;

	parse_template_name(m, "templateName", true, &c->named);
	t->description = view_of(json_string(m, "description", 0, DESCRIPTION_MAX, false));
	t->enabled = json_bool(m, "enabled", false);
	t->role_arn = view_of(json_string(m, "provisioningRoleArn", 20, 2048, false));
	PARSE_ONLY(m, "templateName", "description", "enabled", "provisioningRoleArn");
	u->description = json_has(m, "description") ? &t->description : NULL;
	u->enabled = json_has(m, "enabled") ? &t->enabled : NULL;
	u->role_arn = json_has(m, "provisioningRoleArn") ? &t->role_arn : NULL;
}

static void
parse_list_templates(struct members *m, struct command *c)
{
	page_parse_tokens(m, &c->page, KEY_NAME);
	PARSE_ONLY(m, "maxResults", "nextToken");
}

static enum err
content_of_template(const struct command *c, struct content *out)
{
	return content_add_body(c, c->template.record.body, out);
}

static enum err
prepare_create_template(struct command *c)
{
	enum err e = check_template_body(c, c->template.record.body);

	c->template.record.form = c->form;
	return e;
}

static enum err
run_create_template(struct txn *t, struct command *c)
{
	return registry_create_template(t, &c->template.record, c->now, &c->diag);
}

/* An enabled template acts again. */
static enum err
content_of_template_update(const struct command *c, struct content *out)
{
	return c->template.update.enabled != NULL && c->template.record.enabled
	    ? content_add_template(c, c->named, out)
	    : ERR_OK;
}

static enum err
run_update_template(struct txn *t, struct command *c)
{
	return registry_update_template(t, c->named, &c->template.update, c->now, &c->diag);
}

static enum err
run_delete_template(struct txn *t, struct command *c)
{
	return registry_delete_template(t, c->named, &c->diag);
}

static enum err
answer_created_template(struct command *c, cJSON *data)
{
	add_name_arn(data, "templateArn", c, RESOURCE_TEMPLATE, c->named);
	add_view(data, "templateName", c->named);
	cJSON_AddNumberToObject(data, "defaultVersionId", 1);
	return ERR_OK;
}

static void
add_summary(cJSON *o, const struct command *c, const struct provisioning_template *t)
{
	add_name_arn(o, "templateArn", c, RESOURCE_TEMPLATE, t->name);
	add_view(o, "templateName", t->name);
	add_view(o, "description", t->description);
	add_time(o, "creationDate", t->created);
	add_time(o, "lastModifiedDate", t->modified);
	cJSON_AddBoolToObject(o, "enabled", t->enabled);
	cJSON_AddStringToObject(o, "type", "JITP");
}

static enum err
read_template(struct txn *t, struct command *c, cJSON *data)
{
	struct provisioning_template template;
	enum err e = store_get_template(t, c->named, &template);

	if (e == ERR_NOT_FOUND)
		diag_set(&c->diag, "Provisioning template not found (name=%.*s)", (int)c->named.len,
		    (const char *)c->named.data);
	if (e != ERR_OK)
		return e;
	add_summary(data, c, &template);
	cJSON_AddNumberToObject(data, "defaultVersionId", 1);
	add_view(data, "templateBody", template.body);
	add_view(data, "provisioningRoleArn", template.role_arn);
	return ERR_OK;
}

static enum err
read_templates(struct txn *t, struct command *c, cJSON *data)
{
	struct provisioning_template *page = calloc(PAGE_MAX + 1, sizeof(*page));
	cJSON *list = cJSON_AddArrayToObject(data, "templates");
	size_t count = 0, size = c->page.size;
	enum err e = ERR_NOMEM;

	if (page != NULL)
		e = store_list_templates(t, page_after_name(&c->page), page, size + 1, &count);
	for (size_t i = 0; e == ERR_OK && i < count && i < size; i++) {
		cJSON *o = cJSON_CreateObject();

		add_summary(o, c, &page[i]);
		cJSON_AddItemToArray(list, o);
	}
	if (e == ERR_OK && count > size)
		page_add_mark(data, &c->page, &(struct mark){ .name = page[size - 1].name });
	free(page);
	return e;
}

static const struct command_type rows[] = {
	{
	    .name = "createProvisioningTemplate",
	    .resource = RESOURCE_TEMPLATE,
	    .changed = RESOURCE_TEMPLATE,
	    .parse = parse_create_template,
	    .content = content_of_template,
	    .prepare = prepare_create_template,
	    .run = run_create_template,
	    .answer = answer_created_template,
	},
	{
	    .name = "deleteProvisioningTemplate",
	    .resource = RESOURCE_TEMPLATE,
	    .changed = RESOURCE_TEMPLATE,
	    .parse = parse_template,
	    .plain = true,
	    .run = run_delete_template,
	},
	{
	    .name = "describeProvisioningTemplate",
	    .resource = RESOURCE_TEMPLATE,
	    .parse = parse_template,
	    .read = read_template,
	},
	{
	    .name = "listProvisioningTemplates",
	    .parse = parse_list_templates,
	    .read = read_templates,
	},
	{
	    .name = "updateProvisioningTemplate",
	    .resource = RESOURCE_TEMPLATE,
	    .changed = RESOURCE_TEMPLATE,
	    .parse = parse_update_template,
	    .content = content_of_template_update,
	    .run = run_update_template,
	},
};

const struct command_group template_commands = { rows, COUNT_OF(rows) };
