/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * content_plan.c - see content.h: the actions of a rule or template.
 *
 * A rule or template that does not compile is refused by the command itself.
 */
#include "content.h"

#include "jitr/core/rule.h"
#include "jitr/core/template.h"

static void
need_thing(const struct plan_reach *r, struct content *out)
{
	if (!r->has_thing)
		return;
	content_need_name(out, "iot:CreateThing", RESOURCE_THING, r->thing);
	content_need_pair(out, "iot:AttachThingPrincipal", NULL, RESOURCE_THING, r->thing);
	if (r->changes_thing)
		content_need_name(out, "iot:UpdateThing", RESOURCE_THING, r->thing);
}

/* The certificate is any one of the CA. */
static enum err
add_reach(const struct command *c, const struct plan_reach *r, struct content *out)
{
	enum err e = ERR_OK;

	content_need_id(out, "iot:UpdateCertificate", RESOURCE_CERTIFICATE, NULL);
	for (size_t i = 0; e == ERR_OK && i < r->policy_count; i++) {
		content_need_pair(out, "iot:AttachPolicy", NULL, RESOURCE_POLICY, r->policies[i]);
		if (r->policies[i].len > 0)
			e = content_reserve_allowing(c, r->policies[i], 0, out);
	}
	if (r->makes_policies) {
		content_need_name(out, "iot:CreatePolicy", RESOURCE_POLICY, view_of(""));
		content_need_pair(out, "iot:AttachPolicy", NULL, RESOURCE_POLICY, view_of(""));
	}
	need_thing(r, out);
	return e;
}

enum err
content_add_rule(const struct command *c, struct view text, struct content *out)
{
	struct plan_reach reach;
	struct rule *rule;
	struct diag why;
	enum err e = rule_compile(text, &rule, &why);

	if (e != ERR_OK)
		return e == ERR_NOMEM ? e : ERR_OK;
	reach = rule_reach(rule);
	e = add_reach(c, &reach, out);
	rule_free(rule);
	return e;
}

enum err
content_add_body(const struct command *c, struct view body, struct content *out)
{
	struct template *template;
	struct plan_reach reach;
	struct diag why;
	enum err e = template_compile(body, &c->context->account->scope, &template, &why);

	if (e != ERR_OK)
		return e == ERR_NOMEM ? e : ERR_OK;
	reach = template_reach(template);
	e = add_reach(c, &reach, out);
	template_free(template);
	return e;
}

enum err
content_add_template(const struct command *c, struct view name, struct content *out)
{
	struct provisioning_template template;
	enum err e = store_get_template(out->txn, name, &template);

	if (e == ERR_OK)
		e = content_add_body(c, template.body, out);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
