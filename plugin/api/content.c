/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* content.c - see content.h. */
#include "content.h"

/*
 * Needs.
 */

static struct need *
add_need(struct content *out, const char *action)
{
	struct need *n = &out->needs[out->count++];

	n->action = action;
	n->resource[0] = n->also[0] = '\0';
	return n;
}

void
content_need_name(struct content *out, const char *action, enum resource r, struct view name)
{
	resource_text(r, NULL, name, add_need(out, action)->resource);
}

void
content_need_id(struct content *out, const char *action, enum resource r, const struct certid *id)
{
	resource_text(r, id, view_of(""), add_need(out, action)->resource);
}

void
content_need_pair(struct content *out, const char *action, const struct certid *id, enum resource r,
    struct view name)
{
	struct need *n = add_need(out, action);

	resource_text(RESOURCE_CERTIFICATE, id, view_of(""), n->resource);
	resource_text(r, NULL, name, n->also);
}

/*
 * Content for administrators only.
 */

void
content_reserve_administrator(const struct command *c, const struct certid *id, struct content *out)
{
	if (judge_names_administrator(c->context->judge, id))
		diag_set(&out->reserved,
		    "Only an administrator named in the configuration may do this: the "
		    "certificate is named in admin_certificates");
}

/* policy: its name; empty: the document of the command. */
static void
reserve(struct content *out, struct view policy, const char *effect)
{
	diag_set(&out->reserved,
	    "Only an administrator named in the configuration may do this: "
	    "%s%.*s %s actions of the registry",
	    policy.len > 0 ? "policy " : "the document", (int)policy.len,
	    policy.len > 0 ? (const char *)policy.data : "", effect);
}

/* A stored policy that does not compile denies everything. */
static enum err
uses_of(const struct command *c, struct view document, unsigned *uses)
{
	struct policy *policy = NULL;
	struct diag why;
	enum err e = policy_compile(document, &c->context->account->scope, &policy, &why);

	*uses = e == ERR_OK ? policy_uses(policy) : 0;
	policy_free(policy);
	return e == ERR_NOMEM ? e : ERR_OK;
}

static enum err
uses_of_stored(const struct command *c, struct txn *t, struct view name, uint32_t number,
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

enum err
content_reserve_document(const struct command *c, struct view document, struct content *out)
{
	unsigned uses;
	enum err e = uses_of(c, document, &uses);

	if (e == ERR_OK && uses & POLICY_ALLOWS_CONTROL)
		reserve(out, view_of(""), "allows");
	return e;
}

enum err
content_reserve_allowing(const struct command *c, struct view name, uint32_t number,
    struct content *out)
{
	unsigned uses;
	enum err e = uses_of_stored(c, out->txn, name, number, &uses);

	if (e == ERR_OK && uses & POLICY_ALLOWS_CONTROL)
		reserve(out, name, "allows");
	return e;
}

enum err
content_reserve_denying(const struct command *c, struct content *out)
{
	unsigned uses;
	enum err e = uses_of_stored(c, out->txn, c->named, 0, &uses);

	if (e == ERR_OK && uses & POLICY_DENIES_CONTROL)
		reserve(out, c->named, "denies");
	return e;
}
