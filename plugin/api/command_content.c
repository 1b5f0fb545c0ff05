/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_content.c - what the content of a command can exercise.
 *
 * A rule or a template that is stored acts later: it activates certificates,
 * attaches policies, makes things.  A caller that stores one needs the right to each of
 * these (contract, section 6), on every resource that it can name, where its rights come
 * from a policy.  AWS
 * asks for iam:PassRole here.
 *
 * Only administrators of the configuration give and take rights over the registry.
 * Otherwise a caller that may make and attach policies could give itself every other
 * right.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"

#include "jitr/core/rule.h"
#include "jitr/core/template.h"
#include "jitr/adapter/x509.h"

/* A right: an action on a resource, and what must not be denied besides; a
 * resource that ends with '/' is every one of its kind (gate.h). */
struct need {
	const char *action;
	char resource[RESOURCE_SIZE], also[RESOURCE_SIZE]; /* also: may be empty */
};

#define NEEDS_MAX (POLICIES_MAX + 8)

struct content {
	struct need needs[NEEDS_MAX];
	size_t count;
	struct diag reserved; /* why administrators of the configuration alone may; empty:
	                       * others may, too */
};

/*
 * Rights.
 */

static struct need *
add_need(struct content *out, const char *action)
{
	struct need *n = &out->needs[out->count++];

	n->action = action;
	n->resource[0] = n->also[0] = '\0';
	return n;
}

/* Of a name; empty: of every name. */
static void
set_name(char resource[RESOURCE_SIZE], enum resource r, struct view name)
{
	resource_text(r, NULL, name, resource);
}

static void
need_on_name(struct content *out, const char *action, enum resource r, struct view name)
{
	set_name(add_need(out, action)->resource, r, name);
}

static void
need_on_id(struct content *out, const char *action, enum resource r, const struct certid *id)
{
	resource_text(r, id, view_of(""), add_need(out, action)->resource);
}

/* An attachment to whatever certificate comes. */
static void
need_to_attach(struct content *out, const char *action, enum resource r, struct view name)
{
	struct need *n = add_need(out, action);

	(void)snprintf(n->resource, sizeof(n->resource), "cert/");
	set_name(n->also, r, name);
}

static void
reserve(struct content *out, struct view policy, const char *what)
{
	diag_set(&out->reserved,
	    "Only an administrator named in the configuration may do this: "
	    "%s%.*s %s actions of the registry",
	    policy.len > 0 ? "policy " : "the document", (int)policy.len,
	    policy.len > 0 ? (const char *)policy.data : "", what);
}

/*
 * Policies.
 */

/* What cannot be compiled is refused by the command itself, or denies everything. */
static enum err
uses_of(const struct command *c, struct view document, unsigned *uses)
{
	struct policy *policy = NULL;
	struct diag why;
	enum err e = policy_compile(document, &c->account->scope, &policy, &why);

	*uses = e == ERR_OK ? policy_uses(policy) : 0;
	policy_free(policy);
	return e == ERR_NOMEM ? e : ERR_OK;
}

/* Of the default version, or of this one: number 0 is none.  Of what is not there
 * the command itself says so. */
static enum err
uses_of_stored(struct txn *t, const struct command *c, struct view name, uint32_t number,
    unsigned *uses)
{
	struct policy_record record;
	struct policy_version version;
	enum err e = store_get_policy(t, name, &record);

	*uses = 0;
	if (e == ERR_OK)
		e = store_get_policy_version(t, name, number > 0 ? number : record.default_version,
		    &version);
	if (e == ERR_OK)
		e = uses_of(c, version.document, uses);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The default version is replaced, or detached. */
static enum err
reserve_denials(struct txn *t, const struct command *c, struct content *out)
{
	unsigned uses;
	enum err e = uses_of_stored(t, c, c->named, 0, &uses);

	if (e == ERR_OK && uses & POLICY_DENIES_CONTROL)
		reserve(out, c->named, "denies");
	return e;
}

static enum err
reserve_policy(struct txn *t, const struct command *c, struct view name, uint32_t number,
    struct content *out)
{
	unsigned uses;
	enum err e = uses_of_stored(t, c, name, number, &uses);

	if (e == ERR_OK && uses & POLICY_ALLOWS_CONTROL)
		reserve(out, name, "allows");
	return e;
}

static enum err
content_of_policy(struct txn *t, const struct command *c, struct content *out)
{
	unsigned uses;
	enum err e = uses_of(c, c->policy.document, &uses);

	(void)t;
	if (e == ERR_OK && uses & POLICY_ALLOWS_CONTROL)
		reserve(out, view_of(""), "allows");
	return e;
}

static enum err
content_of_policy_version(struct txn *t, const struct command *c, struct content *out)
{
	enum err e = content_of_policy(t, c, out);

	if (e != ERR_OK || !c->policy.set_default)
		return e;
	need_on_name(out, "iot:SetDefaultPolicyVersion", RESOURCE_POLICY, c->named);
	return reserve_denials(t, c, out);
}

static enum err
content_of_default_version(struct txn *t, const struct command *c, struct content *out)
{
	enum err e = c->policy.number > 0 ? reserve_policy(t, c, c->named, c->policy.number, out)
					  : ERR_OK;

	return e == ERR_OK ? reserve_denials(t, c, out) : e;
}

static enum err
content_of_attachment(struct txn *t, const struct command *c, struct content *out)
{
	return reserve_policy(t, c, c->named, 0, out);
}

static enum err
content_of_detachment(struct txn *t, const struct command *c, struct content *out)
{
	return reserve_denials(t, c, out);
}

/*
 * Certificates.
 */

static void
reserve_administrator(struct content *out)
{
	diag_set(&out->reserved,
	    "Only an administrator named in the configuration may do this: the "
	    "certificate is named in admin_certificates");
}

static enum err
attached(struct txn *t, const struct certid *id, struct view names[POLICIES_MAX], size_t *count)
{
	return store_list_attached(t, id, NULL, true, names, POLICIES_MAX, count);
}

/* One that would administer becomes ACTIVE. */
static enum err
content_of_status(struct txn *t, const struct command *c, struct content *out)
{
	struct view names[POLICIES_MAX];
	size_t count = 0;
	enum err e = ERR_OK;

	if (c->cert.status != CERT_ACTIVE)
		return ERR_OK;
	if (gate_names_administrator(c->gate, &c->id))
		reserve_administrator(out);
	e = attached(t, &c->id, names, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = reserve_policy(t, c, names[i], 0, out);
	return e;
}

static enum err
content_of_registration(struct txn *t, const struct command *c, struct content *out)
{
	struct presented p;

	(void)t;
	if (c->cert.status != CERT_ACTIVE || c->x == NULL || x509_read(c->x, &p) != ERR_OK)
		return ERR_OK;
	if (gate_names_administrator(c->gate, &p.id))
		reserve_administrator(out);
	return ERR_OK;
}

/* With force its policies are detached. */
static enum err
content_of_deletion(struct txn *t, const struct command *c, struct content *out)
{
	struct view names[POLICIES_MAX];
	size_t count = 0;
	enum err e = c->cert.force ? attached(t, &c->id, names, &count) : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		struct need *n = add_need(out, "iot:DetachPolicy");

		resource_text(RESOURCE_CERTIFICATE, &c->id, view_of(""), n->resource);
		set_name(n->also, RESOURCE_POLICY, names[i]);
	}
	return e;
}

/*
 * Rules and templates.
 */

static void
need_thing(const struct plan_reach *r, struct content *out)
{
	if (!r->has_thing)
		return;
	need_on_name(out, "iot:CreateThing", RESOURCE_THING, r->thing);
	need_to_attach(out, "iot:AttachThingPrincipal", RESOURCE_THING, r->thing);
	if (r->changes_thing)
		need_on_name(out, "iot:UpdateThing", RESOURCE_THING, r->thing);
}

static enum err
add_reach(struct txn *t, const struct command *c, const struct plan_reach *r, struct content *out)
{
	enum err e = ERR_OK;

	need_on_name(out, "iot:UpdateCertificate", RESOURCE_NONE, view_of("cert/"));
	for (size_t i = 0; e == ERR_OK && i < r->policy_count; i++) {
		need_to_attach(out, "iot:AttachPolicy", RESOURCE_POLICY, r->policies[i]);
		if (r->policies[i].len > 0)
			e = reserve_policy(t, c, r->policies[i], 0, out);
	}
	if (r->makes_policies) {
		need_on_name(out, "iot:CreatePolicy", RESOURCE_POLICY, view_of(""));
		need_to_attach(out, "iot:AttachPolicy", RESOURCE_POLICY, view_of(""));
	}
	need_thing(r, out);
	return e;
}

/* What cannot be compiled is refused by the command itself. */
static enum err
add_rule(struct txn *t, const struct command *c, struct view text, struct content *out)
{
	struct plan_reach reach;
	struct rule *rule;
	struct diag why;
	enum err e = rule_compile(text, &rule, &why);

	if (e != ERR_OK)
		return e == ERR_NOMEM ? e : ERR_OK;
	reach = rule_reach(rule);
	e = add_reach(t, c, &reach, out);
	rule_free(rule);
	return e;
}

static enum err
add_body(struct txn *t, const struct command *c, struct view body, struct content *out)
{
	struct template *template;
	struct plan_reach reach;
	struct diag why;
	enum err e = template_compile(body, &c->account->scope, &template, &why);

	if (e != ERR_OK)
		return e == ERR_NOMEM ? e : ERR_OK;
	reach = template_reach(template);
	e = add_reach(t, c, &reach, out);
	template_free(template);
	return e;
}

static enum err
add_stored_template(struct txn *t, const struct command *c, struct view name, struct content *out)
{
	struct provisioning_template template;
	enum err e = store_get_template(t, name, &template);

	if (e == ERR_OK)
		e = add_body(t, c, template.body, out);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* What a CA has of these acts again when the CA, or its registering, is switched on. */
static enum err
add_stored_plan(struct txn *t, const struct command *c, struct content *out)
{
	struct ca_settings settings = CA_SETTINGS_DEFAULT;
	struct ca_document document;
	enum err e = store_get_ca_document(t, &c->id, &document);

	if (e == ERR_NOT_FOUND)
		return ERR_OK; /* the command itself says so */
	if (e == ERR_OK)
		e = store_get_ca_settings(t, &c->id, &settings);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (settings.activation.len > 0)
		return add_rule(t, c, settings.activation, out);
	if (settings.template_name.len > 0)
		return add_stored_template(t, c, settings.template_name, out);
	return document.template_body.len > 0 ? add_body(t, c, document.template_body, out)
					      : ERR_OK;
}

static bool
switches_on(const struct ca_update *u)
{
	return (u->status != NULL && *u->status == CA_ACTIVE) ||
	    (u->auto_registration != NULL && *u->auto_registration);
}

/* A rule excludes a template. */
static enum err
content_of_ca(struct txn *t, const struct command *c, struct content *out)
{
	enum err e = ERR_OK;

	if (c->ca.crl_file.len > 0)
		need_on_id(out, "iot:ImportCrl", RESOURCE_CRL, &c->id);
	if (c->ca.activation.len > 0)
		e = add_rule(t, c, c->ca.activation, out);
	else if (c->ca.document.template_body.len > 0)
		e = add_body(t, c, c->ca.document.template_body, out);
	else if (c->ca.template_name.len > 0)
		e = add_stored_template(t, c, c->ca.template_name, out);
	else if (switches_on(&c->ca.update))
		e = add_stored_plan(t, c, out);
	return e;
}

static enum err
content_of_template(struct txn *t, const struct command *c, struct content *out)
{
	return add_body(t, c, c->template.record.body, out);
}

/* One that is switched on acts again. */
static enum err
content_of_template_update(struct txn *t, const struct command *c, struct content *out)
{
	return c->template.update.enabled != NULL && c->template.record.enabled
	    ? add_stored_template(t, c, c->named, out)
	    : ERR_OK;
}

/*
 * Which command has what.
 */

typedef enum err content_reader(struct txn *t, const struct command *c, struct content *out);

/* Every command that changes something, sorted by name; NULL: it exercises nothing
 * but itself. */
static const struct {
	const char *command;
	content_reader *read;
} contents[] = {
	{ "attachPolicy", content_of_attachment },
	{ "attachPrincipalPolicy", content_of_attachment },
	{ "attachThingPrincipal", NULL },
	{ "createPolicy", content_of_policy },
	{ "createPolicyVersion", content_of_policy_version },
	{ "createProvisioningTemplate", content_of_template },
	{ "createThing", NULL },
	{ "deleteCACertificate", NULL },
	{ "deleteCertificate", content_of_deletion },
	{ "deleteCrl", NULL },
	{ "deletePolicy", NULL },        /* one that is attached cannot be */
	{ "deletePolicyVersion", NULL }, /* nor can the default one */
	{ "deleteProvisioningTemplate", NULL },
	{ "deleteRegistrationCode", NULL },
	{ "deleteThing", NULL },
	{ "detachPolicy", content_of_detachment },
	{ "detachPrincipalPolicy", content_of_detachment },
	{ "detachThingPrincipal", NULL },
	{ "getRegistrationCode", NULL },
	{ "importCrl", NULL }, /* its CA has signed it */
	{ "registerCACertificate", content_of_ca },
	{ "registerCertificate", content_of_registration },
	{ "registerCertificateWithoutCA", content_of_registration },
	{ "setDefaultPolicyVersion", content_of_default_version },
	{ "updateCACertificate", content_of_ca },
	{ "updateCertificate", content_of_status },
	{ "updateProvisioningTemplate", content_of_template_update },
	{ "updateThing", NULL },
};

bool
command_content_is_known(const struct command_type *type)
{
	for (size_t i = 0; i < COUNT_OF(contents); i++)
		if (strcmp(contents[i].command, type->name) == 0)
			return true;
	return false;
}

static content_reader *
reader_of(const struct command_type *type)
{
	for (size_t i = 0; i < COUNT_OF(contents); i++)
		if (strcmp(contents[i].command, type->name) == 0)
			return contents[i].read;
	return NULL;
}

/*
 * Asking.
 */

static enum err
gather(const struct command *c, content_reader *read, struct store *store, struct content *out)
{
	struct txn t;
	enum err e = store_read(store, &t);

	if (e != ERR_OK)
		return e;
	e = read(&t, c, out);
	store_end(&t);
	return e;
}

/* "cert/" stands for every certificate. */
static const char *
rest_of(const char *resource)
{
	size_t len = strlen(resource);

	return len > 0 && resource[len - 1] == '/' ? "*" : "";
}

static void
deny_need(struct command *c, const struct need *n)
{
	c->result = ERR_DENIED;
	diag_set(&c->diag,
	    "The content of this command needs %s on %s%s%s%s%s, and no policy of this "
	    "client allows it%s",
	    n->action, n->resource, rest_of(n->resource), n->also[0] != '\0' ? " with " : "",
	    n->also, rest_of(n->also), n->also[0] != '\0' ? ", or one denies it" : "");
}

void
command_authorize_content(struct command *c, struct store *store, struct gate *g,
    const struct client *client)
{
	content_reader *read = c->type != NULL ? reader_of(c->type) : NULL;
	struct content content = { .count = 0 };

	if (c->result != ERR_OK || read == NULL)
		return;
	c->result = gather(c, read, store, &content);
	if (c->result == ERR_OK && content.reserved.text[0] != '\0') {
		c->result = ERR_DENIED;
		c->diag = content.reserved;
	}
	for (size_t i = 0; c->result == ERR_OK && i < content.count; i++) {
		const struct need *n = &content.needs[i];

		if (!gate_may_control(g, client, n->action, n->resource,
			n->also[0] != '\0' ? n->also : NULL))
			deny_need(c, n);
	}
}
