/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* activation_plan.c - see activation.h: the plan for a certificate. */
#include <stdlib.h>
#include <string.h>

#include "jitr/service/registry_activate.h"
#include "jitr/service/revocation.h"
#include "jitr/adapter/x509.h"

#include "jitr/service/activation.h"

static void
fail(struct plan *plan, const char *reason)
{
	*plan = (struct plan){ .origin = plan->origin,
		.status = CERT_PENDING_ACTIVATION,
		.failed = true };
	diag_set(&plan->reason, "%s", reason);
}

/* The evaluation for one certificate. */
struct evaluation {
	struct activations *all;
	struct txn *t;
	const struct activation *of;
	const struct presented *presented;
	struct cert_facts *facts; /* owned */
	char hex[CERTID_HEX_SIZE];
	char names[POLICIES_MAX][CERTID_HEX_SIZE]; /* of policies given by their text */
	struct plan plan;
};

static void
evaluate(struct evaluation *q, const struct facts *client)
{
	struct facts facts = *client;

	certid_to_hex(&q->presented->id, q->hex);
	facts.certificate_id = view_of(q->hex);
	facts.cert = q->facts;
	if (q->of->rule != NULL)
		rule_eval(q->of->rule, &facts, q->all->room, &q->plan);
	else if (q->of->template != NULL)
		template_eval(q->of->template, &facts, q->all->room, &q->plan);
	else
		fail(&q->plan, q->of->broken.text);
}

/* A policy given by its text is named by the hash of the text, so that all certificates
 * with it share one policy (aws-iot E.1). */
static enum err
name_policies(struct evaluation *q)
{
	struct planned_policy *p;
	struct certid digest;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < q->plan.policy_count; i++) {
		p = &q->plan.policies[i];
		if (p->name.len > 0)
			continue;
		e = sha256_of(p->document, &digest);
		certid_to_hex(&digest, q->names[i]);
		p->name = view_of(q->names[i]);
	}
	return e;
}

/* Parameters from the certificate may have made a document invalid. */
static enum err
check_documents(struct evaluation *q)
{
	struct diag why = { "" };
	struct policy *policy;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < q->plan.policy_count; i++) {
		if (q->plan.policies[i].document.len == 0)
			continue;
		e = policy_compile(q->plan.policies[i].document, &q->all->scope, &policy, &why);
		if (e == ERR_OK)
			policy_free(policy);
	}
	if (e == ERR_POLICY)
		fail(&q->plan, why.text);
	return e == ERR_POLICY ? ERR_OK : e;
}

/* Rights over the registry are given by command only: a rule or template would give them to
 * every certificate that the CA signs.  The policies it names may have changed since the rule
 * was stored. */
static enum err
check_rights(struct evaluation *q)
{
	for (size_t i = 0; i < q->plan.policy_count && !q->plan.failed; i++) {
		struct planned_policy planned = q->plan.policies[i];
		struct cached_policy *p = policy_cache_take_planned(q->all->policies, q->t,
		    planned.name, planned.document);
		struct diag why = { "" };

		if (p == NULL)
			return ERR_NOMEM;
		if (p->policy != NULL && policy_uses(p->policy) & POLICY_ALLOWS_CONTROL) {
			diag_set(&why,
			    "policy %s allows actions of the registry: a rule or template does "
			    "not attach it, attachPolicy does",
			    p->name);
			fail(&q->plan, why.text);
		}
		policy_cache_release(q->all->policies, p);
	}
	return ERR_OK;
}

static enum err
complete(struct evaluation *q)
{
	struct planned_cert cert = { &q->presented->id, &q->presented->content,
		serial_of(q->presented) };
	struct diag why = { "" };
	enum err e;

	if (q->plan.failed)
		return q->plan.no_memory ? ERR_NOMEM : ERR_OK;
	e = name_policies(q);
	if (e == ERR_OK)
		e = check_documents(q);
	if (e != ERR_OK || q->plan.failed)
		return e;
	e = registry_check_plan(q->t, &q->plan, &cert, &why);
	if (e == ERR_OK)
		e = check_rights(q);
	if (e == ERR_REQUEST)
		fail(&q->plan, why.text);
	return e == ERR_REQUEST ? ERR_OK : e;
}

/* If the names cannot be decoded as text the plan fails, and the certificate stays pending. */
static enum err
make(struct evaluation *q, struct x509_st *x, const struct facts *client, struct plan **out)
{
	enum err e = x509_read_facts(x, &q->facts);

	q->plan.origin = q->of->by_template ? PLAN_TEMPLATE : PLAN_RULE;
	if (e == ERR_OK) {
		evaluate(q, client);
		e = complete(q);
	} else if (e == ERR_CERTIFICATE) {
		fail(&q->plan, "its names cannot be read");
		e = ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	q->plan.template_name = view_of(q->of->template_name);
	*out = plan_copy(&q->plan);
	return *out != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
activation_plan(struct activations *all, struct txn *t, const struct ca *ca, struct x509_st *x,
    const struct presented *presented, const struct facts *client, struct plan **out)
{
	struct evaluation q = { .all = all,
		.t = t,
		.presented = presented,
		.plan = { .status = CERT_PENDING_ACTIVATION } };
	struct activation *a;
	enum err e = activation_get(all, t, ca, &a);

	*out = NULL;
	if (e != ERR_OK)
		return e;
	if (activation_is_empty(a))
		return ERR_OK;
	q.of = a;
	e = make(&q, x, client, out);
	free(q.facts);
	return e;
}

/*
 * Copies.
 */

static size_t
text_size(const struct plan *plan)
{
	size_t size = plan->template_name.len + plan->thing.name.len + plan->thing.type_name.len +
	    plan->thing.billing_group.len + plan->thing.attributes.len;

	for (size_t i = 0; i < plan->policy_count; i++)
		size += plan->policies[i].name.len + plan->policies[i].document.len;
	return size;
}

struct plan *
plan_copy(const struct plan *plan)
{
	struct plan *copy = malloc(sizeof(*copy) + text_size(plan));
	uint8_t *at;

	if (copy == NULL)
		return NULL;
	*copy = *plan;
	at = (uint8_t *)(copy + 1);
	view_move(&copy->template_name, &at);
	view_move(&copy->thing.name, &at);
	view_move(&copy->thing.type_name, &at);
	view_move(&copy->thing.billing_group, &at);
	view_move(&copy->thing.attributes, &at);
	for (size_t i = 0; i < plan->policy_count; i++) {
		view_move(&copy->policies[i].name, &at);
		view_move(&copy->policies[i].document, &at);
	}
	return copy;
}
