/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* explain_policies.c - see explain.h: the policies, and what they answer. */
#include "explain_private.h"

#include "jitr/service/admission.h"

/*
 * Which policies.
 */

static bool
is_among(struct view name, const struct view *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (view_equal(name, names[i]))
			return true;
	return false;
}

/* document: of a policy that a plan would create; empty: the policy must exist. */
static enum err
hold(struct explain *e, struct txn *t, struct view name, struct view document)
{
	struct cached_policy *p;

	for (size_t n = 0; n < e->count; n++)
		if (view_equal(name, view_of(e->held[n]->name)))
			return ERR_OK;
	if (e->count == EXPLAIN_POLICIES_MAX)
		return ERR_LIMIT;
	p = policy_cache_take_planned(&e->judge->policies, t, name, document);
	if (p == NULL)
		return ERR_NOMEM;
	e->held[e->count++] = p;
	return ERR_OK;
}

static enum err
must_exist(struct txn *t, const struct view *names, size_t count, struct diag *diag)
{
	struct policy_record record;
	enum err err = ERR_OK;

	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		err = store_get_policy(t, names[i], &record);
		if (err == ERR_NOT_FOUND)
			diag_set(diag, "Policy not found (name: %.*s)", (int)names[i].len,
			    (const char *)names[i].data);
	}
	return err;
}

static enum err
hold_named(struct explain *e, struct txn *t, const struct explain_request *r, struct diag *diag)
{
	const struct view none = { NULL, 0 };
	struct view names[POLICIES_MAX];
	size_t count = 0;
	enum err err = must_exist(t, r->skip, r->skip_count, diag);

	if (err == ERR_OK)
		err = must_exist(t, r->add, r->add_count, diag);
	if (err == ERR_OK && r->principal != NULL)
		err = store_list_attached(t, r->principal, NULL, true, names, COUNT_OF(names),
		    &count);
	for (size_t n = 0; n < count && err == ERR_OK; n++)
		if (!is_among(names[n], r->skip, r->skip_count))
			err = hold(e, t, names[n], none);
	for (size_t n = 0; n < r->add_count && err == ERR_OK; n++)
		err = hold(e, t, r->add[n], none);
	return err;
}

/* The policies that the plan attaches to a certificate that it accepts. */
static enum err
hold_planned(struct explain *e, struct txn *t)
{
	const struct plan *plan = lets_in_by_plan(&e->judgement.decision) ? e->judgement.plan
									  : NULL;
	enum err err = ERR_OK;

	for (size_t n = 0; plan != NULL && n < plan->policy_count && err == ERR_OK; n++)
		err = hold(e, t, plan->policies[n].name, plan->policies[n].document);
	return err;
}

enum err
explain_hold_policies(struct explain *e, struct txn *t, const struct explain_request *r,
    struct diag *diag)
{
	enum err err = hold_named(e, t, r, diag);

	return err == ERR_OK ? hold_planned(e, t) : err;
}

size_t
explain_policy_count(const struct explain *e)
{
	return e->count;
}

const char *
explain_policy_name(const struct explain *e, size_t nth)
{
	return e->held[nth]->name;
}

uint32_t
explain_policy_version(const struct explain *e, size_t nth)
{
	return e->held[nth]->version;
}

const struct policy *
explain_policy(const struct explain *e, size_t nth)
{
	return e->held[nth]->policy;
}

bool
explain_lacks_memory(const struct explain *e)
{
	for (size_t n = 0; n < e->count; n++)
		if (e->held[n]->unread)
			return true;
	return false;
}

/*
 * What they answer.
 */

static struct admission
admission_of_all(const struct explain *e)
{
	struct admission a = { .judge = e->judge,
		.policies = { e->held, e->count, false },
		.facts = &e->facts,
		.administrator = e->administrator,
		.steps = e->steps };

	a.facts_are_missing = e->unreadable &&
	    policy_set_uses(&a.policies, POLICY_USES_CERTIFICATE);
	a.policies.failed = a.facts_are_missing;
	return a;
}

struct access_decision
explain_access(const struct explain *e, const struct access_question *q)
{
	struct admission a = admission_of_all(e);
	struct access_rights rights = admission_rights(&a);

	return access_decide(&rights, q);
}

struct access_decision
explain_connect(const struct explain *e, struct view client_id)
{
	struct admission a = admission_of_all(e);
	struct access_rights rights = admission_rights(&a);

	return access_connect(&rights, client_id);
}

enum reason
explain_connect_reason(const struct explain *e)
{
	struct admission a = admission_of_all(e);

	return admission_connect(&a);
}

/* One policy, whatever the configuration says. */
static struct admission
admission_of_single(const struct explain *e, size_t nth)
{
	return (struct admission){ .judge = e->judge,
		.policies = { &e->held[nth], 1, false },
		.facts = &e->facts,
		.steps = e->steps };
}

static struct access_rights
rights_of_single(const struct admission *a)
{
	struct access_rights rights = admission_rights(a);

	rights.authorization = AUTHORIZATION_POLICY;
	return rights;
}

struct access_decision
explain_access_by(const struct explain *e, size_t nth, const struct access_question *q)
{
	struct admission a = admission_of_single(e, nth);
	struct access_rights rights = rights_of_single(&a);

	return access_decide(&rights, q);
}

struct access_decision
explain_connect_by(const struct explain *e, size_t nth, struct view client_id)
{
	struct admission a = admission_of_single(e, nth);
	struct access_rights rights = rights_of_single(&a);

	return access_connect(&rights, client_id);
}

static bool
add_missing(struct view name, struct view *names, size_t *count, size_t max)
{
	if (!is_among(name, names, *count))
		names[(*count)++] = name;
	return *count < max;
}

/* Few names have a value, so the loop ends early once there are enough. */
size_t
explain_missing(const struct explain *e, struct view *names, size_t max)
{
	size_t count = 0;
	struct view name;
	bool has_value;

	for (size_t n = 0; n < e->count; n++)
		for (size_t v = 0; e->held[n]->policy != NULL &&
		     policy_variable(e->held[n]->policy, v, &e->facts, &name, &has_value);
		     v++)
			if (!has_value && !add_missing(name, names, &count, max))
				return count;
	return count;
}
