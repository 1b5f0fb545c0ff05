/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* caller_rights.c - see caller_rights.h. */
#include <stdio.h>
#include <stdlib.h>

#include "jitr/service/admission.h"
#include "jitr/service/caller_rights.h"
#include "jitr/service/facts.h"

void
caller_rights_open(struct caller_rights *r, struct judge *judge, const struct caller_facts *caller)
{
	*r = (struct caller_rights){ .judge = judge, .caller = caller };
	r->facts = facts_of_connection(judge, view_of(caller->client_id), view_of(caller->address));
	r->facts.persistent_connect = caller->persistent_connect;
	certid_to_hex(&caller->certificate, r->hex);
	r->facts.certificate_id = view_of(r->hex);
}

void
caller_rights_close(struct caller_rights *r)
{
	if (r->judge != NULL)
		rights_clear(&r->rights, &r->judge->policies);
	free(r->cert);
	free(r->thing);
	*r = (struct caller_rights){ .judge = NULL };
}

static bool
read_thing(struct caller_rights *r, struct txn *t)
{
	struct thing thing;
	bool found = false;
	enum err e = find_thing(t, &r->caller->certificate, r->facts.client_id, &thing, &found);

	free(r->thing);
	r->facts.thing = r->thing = found ? thing_copy(&thing) : NULL;
	return e == ERR_OK && (!found || r->thing != NULL);
}

/* Those that its policies use.  false: one could not be read, so that a Deny might be lost. */
static bool
read_facts(struct caller_rights *r, struct txn *t)
{
	unsigned use = rights_use(&r->rights);

	if (use & POLICY_USES_CERTIFICATE && r->cert == NULL &&
	    read_stored_facts(t, &r->caller->certificate, &r->cert) != ERR_OK)
		return false;
	r->facts.cert = r->cert;
	return !(use & POLICY_USES_THING) || read_thing(r, t);
}

/* The policies, and whether they let it connect. */
static bool
read_policies(struct caller_rights *r, struct txn *t)
{
	struct admission a = { .judge = r->judge,
		.facts = &r->facts,
		.administrator = judge_names_administrator(r->judge, &r->caller->certificate) };

	if (r->judge->config.authorization == AUTHORIZATION_POLICY) {
		judge_policies_changed(r->judge);
		rights_read(&r->rights, &r->judge->policies, t, &r->caller->certificate, NULL);
		if (!read_facts(r, t))
			return false;
	}
	a.policies = rights_set(&r->rights);
	return admission_connect(&a) == REASON_NONE;
}

/* A plan lets a client in before its certificate is stored, and gives no rights to the registry:
 * only admin_certificates can. */
static bool
is_not_stored_yet(const struct caller_rights *r, const struct decision *d)
{
	return r->caller->by_plan && r->caller->administration == ADMINISTRATION_ALL &&
	    (d->reason == REASON_DELETED || d->reason == REASON_PENDING_ACTIVATION);
}

static enum administration
judge_caller(struct caller_rights *r, struct txn *t)
{
	const struct certid *id = &r->caller->certificate;
	struct decision d = judge_registered(r->judge, t, id);

	if (is_not_stored_yet(r, &d))
		return ADMINISTRATION_ALL;
	if (d.verdict != VERDICT_ALLOW || !read_policies(r, t))
		return ADMINISTRATION_NONE;
	if (judge_names_administrator(r->judge, id))
		return ADMINISTRATION_ALL;
	return rights_use(&r->rights) & POLICY_ALLOWS_CONTROL ? ADMINISTRATION_BY_POLICY
							      : ADMINISTRATION_NONE;
}

enum administration
caller_rights_refresh(struct caller_rights *r)
{
	struct txn t;

	r->now = ADMINISTRATION_NONE;
	if (!r->caller->has_certificate || r->caller->administration == ADMINISTRATION_NONE)
		return r->now = r->caller->administration;
	if (store_read(r->judge->config.store, &t) != ERR_OK)
		return r->now;
	r->now = judge_caller(r, &t);
	store_end(&t);
	return r->now;
}

static enum policy_result
ask(const struct caller_rights *r, const char *action, const char *resource)
{
	struct policy_set set = rights_set(&r->rights);
	char arn[512];
	struct policy_request q = { .action = POLICY_CONTROL,
		.control = action,
		.prefix = view_of(""),
		.name = view_of("*"),
		.facts = &r->facts };
	int len;

	if (resource != NULL) {
		len = snprintf(arn, sizeof(arn), "%s%s", r->judge->config.scope.prefix, resource);
		if (len < 0 || (size_t)len >= sizeof(arn))
			return POLICY_EXPLICIT_DENY;
		q.name = view_of(arn);
		q.any_name = len > 0 && arn[len - 1] == '/';
	}
	if (q.any_name) {
		q.prefix = q.name;
		q.name = view_of("");
	}
	return policy_set_ask(&set, &q, NULL);
}

bool
caller_rights_may(const struct caller_rights *r, const char *action, const char *resource,
    const char *also)
{
	return r->now == ADMINISTRATION_BY_POLICY && ask(r, action, resource) == POLICY_ALLOWED &&
	    (also == NULL || ask(r, action, also) != POLICY_EXPLICIT_DENY);
}
