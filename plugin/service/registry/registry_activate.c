/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* registry_activate.c - see registry_activate.h. */
#include <stdlib.h>

#include "jitr/core/codec.h"
#include "jitr/service/registry_activate.h"
#include "jitr/service/registry_policy.h"
#include "jitr/service/registry_thing.h"
#include "jitr/adapter/x509.h"

#include "registry_private.h"
#include "jitr/service/signature_variants.h"

/*
 * The certificate.
 */

static enum err
check_cert(struct txn *t, const struct planned_cert *cert, struct diag *diag)
{
	struct variants variants;
	enum err e;

	if (cert->serial.len == 0) {
		diag_set(diag,
		    "its serial number is longer than %d bytes: no revocation list can name it",
		    SERIAL_MAX);
		return ERR_REQUEST;
	}
	e = variants_find(t, cert->content, cert->id, NULL, &variants);
	if (e != ERR_OK || variants.count == 0)
		return e;
	variants_describe(&variants, diag);
	return ERR_REQUEST;
}

/*
 * Policies.
 */

static enum err
check_policy_exists(struct txn *t, const struct planned_policy *p, struct diag *diag)
{
	struct policy_record policy;
	enum err e = store_get_policy(t, p->name, &policy);

	if (e != ERR_NOT_FOUND || p->document.len > 0)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	diag_set(diag, "there is no policy %.*s to attach", NAME_ARGS(p->name));
	return ERR_REQUEST;
}

static bool
is_planned(const struct plan *plan, struct view name, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (view_equal(plan->policies[i].name, name))
			return true;
	return false;
}

/* The certificate's policies afterwards: those of the plan and those that are attached. */
static enum err
check_policies(struct txn *t, const struct plan *plan, const struct certid *id, struct diag *diag)
{
	struct view attached[POLICIES_PER_CERT_MAX];
	size_t count = 0, total = 0;
	enum err e = store_list_attached(t, id, NULL, true, attached, COUNT_OF(attached), &count);

	for (size_t i = 0; e == ERR_OK && i < plan->policy_count; i++) {
		e = check_policy_exists(t, &plan->policies[i], diag);
		total += !is_planned(plan, plan->policies[i].name, i);
	}
	for (size_t i = 0; i < count; i++)
		total += !is_planned(plan, attached[i], plan->policy_count);
	if (e != ERR_OK || total <= POLICIES_PER_CERT_MAX)
		return e;
	diag_set(diag, "it would have %zu policies, more than the maximum of %d", total,
	    POLICIES_PER_CERT_MAX);
	return ERR_REQUEST;
}

static enum err
put_policy(struct txn *t, const struct planned_policy *p, const struct certid *id, int64_t now)
{
	enum err e = ERR_OK;

	if (p->document.len > 0)
		e = registry_create_policy(t, p->name,
		    &(struct new_policy_version){ .document = p->document, .form = p->form }, now,
		    NULL);
	if (e == ERR_OK || e == ERR_EXISTS)
		e = registry_attach_policy(t, p->name, id, NULL);
	return e;
}

/*
 * The thing.
 */

static enum err
conflict(const struct planned_thing *p, const char *what, struct diag *diag)
{
	diag_set(diag,
	    "thing %.*s exists with %s than the template's, and OverrideSettings do not "
	    "say what to do",
	    NAME_ARGS(p->name), what);
	return ERR_REQUEST;
}

/* A type that the template does not set is not overridden. */
static enum err
override_type(const struct planned_thing *p, struct thing *thing, struct diag *diag)
{
	if (p->type_name.len == 0 || view_equal(p->type_name, thing->type_name) ||
	    p->on_type == OVERRIDE_DO_NOTHING)
		return ERR_OK;
	if (p->on_type != OVERRIDE_REPLACE)
		return conflict(p, "another type", diag);
	thing->type_name = p->type_name;
	return ERR_OK;
}

/* *merged: the caller frees it; the thing's attributes may point into it. */
static enum err
override_attributes(const struct planned_thing *p, struct thing *thing, uint8_t **merged,
    struct diag *diag)
{
	struct view old = thing->attributes;

	if (p->attributes.len == 0 || view_equal(p->attributes, old) ||
	    p->on_attributes == OVERRIDE_DO_NOTHING)
		return ERR_OK;
	if (p->on_attributes == OVERRIDE_FAIL)
		return conflict(p, "other attributes", diag);
	thing->attributes = p->attributes;
	if (p->on_attributes == OVERRIDE_REPLACE)
		return ERR_OK;
	*merged = malloc(old.len + p->attributes.len);
	if (*merged == NULL)
		return ERR_NOMEM;
	thing->attributes.len = codec_merge_attributes(old, p->attributes, *merged);
	thing->attributes.data = *merged;
	return ERR_OK;
}

struct made_thing {
	struct thing thing;
	uint8_t *merged; /* owned; NULL: none */
	bool changed;    /* it differs from the registry */
};

static enum err
change_thing(const struct planned_thing *p, const struct thing *existing, int64_t now,
    struct made_thing *out, struct diag *diag)
{
	enum err e;

	out->thing = *existing;
	e = override_type(p, &out->thing, diag);
	if (e == ERR_OK)
		e = override_attributes(p, &out->thing, &out->merged, diag);
	out->changed = !thing_same(&out->thing, existing);
	if (out->changed) {
		out->thing.version++;
		out->thing.modified = now;
	}
	return e;
}

static enum err
new_thing(const struct planned_thing *p, int64_t now, struct made_thing *out)
{
	out->changed = true;
	out->thing = (struct thing){ .name = p->name,
		.type_name = p->type_name,
		.billing_group = p->billing_group,
		.attributes = p->attributes,
		.version = 1,
		.created = now,
		.modified = now };
	return random_fill(&out->thing.id, sizeof(out->thing.id));
}

/* The thing as the plan describes it.  The caller frees out->merged. */
static enum err
make_thing(struct txn *t, const struct planned_thing *p, int64_t now, struct made_thing *out,
    struct diag *diag)
{
	struct thing existing;
	enum err e = store_get_thing(t, p->name, &existing);

	*out = (struct made_thing){ .merged = NULL };
	if (e == ERR_OK)
		e = change_thing(p, &existing, now, out, diag);
	else if (e == ERR_NOT_FOUND)
		e = new_thing(p, now, out);
	return e == ERR_OK ? thing_check_attributes(&out->thing, diag) : e;
}

static enum err
check_thing(struct txn *t, const struct planned_thing *p, const struct certid *id,
    struct diag *diag)
{
	struct made_thing made;
	enum err e = make_thing(t, p, 0, &made, diag);

	free(made.merged);
	return e == ERR_OK ? thing_check_exclusive(t, p->name, id, PRINCIPAL_NON_EXCLUSIVE, diag)
			   : e;
}

static enum err
put_thing(struct txn *t, const struct planned_thing *p, const struct certid *id, int64_t now)
{
	struct thing_principal principal = { .id = *id,
		.thing = p->name,
		.type = PRINCIPAL_NON_EXCLUSIVE };
	enum principal_type type;
	struct made_thing made;
	bool attached = false;
	enum err e = make_thing(t, p, now, &made, NULL);

	if (e == ERR_OK && made.changed)
		store_put_thing(t, &made.thing);
	free(made.merged);
	if (e == ERR_OK)
		e = store_optional(store_get_thing_principal(t, p->name, id, &type), &attached);
	if (e == ERR_OK && !attached)
		store_put_thing_principal(t, &principal);
	return e == ERR_OK ? t->failed : e;
}

/*
 * Plans.
 */

enum err
registry_check_plan(struct txn *t, const struct plan *plan, const struct planned_cert *cert,
    struct diag *diag)
{
	enum err e = ERR_OK;

	if (plan->status == CERT_ACTIVE)
		e = check_cert(t, cert, diag);
	if (e == ERR_OK)
		e = check_policies(t, plan, cert->id, diag);
	if (e == ERR_OK && plan->thing.name.len > 0)
		e = check_thing(t, &plan->thing, cert->id, diag);
	return e;
}

enum err
registry_apply_plan(struct txn *t, const struct plan *plan, const struct certid *id, int64_t now)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < plan->policy_count; i++)
		e = put_policy(t, &plan->policies[i], id, now);
	if (e == ERR_OK && plan->thing.name.len > 0)
		e = put_thing(t, &plan->thing, id, now);
	return e;
}
