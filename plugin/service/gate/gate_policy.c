/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate_policy.c - see gate.h: what the policies of a certificate say.
 *
 * Facts are gathered as far as the policies look at them: a certificate's
 * names once, a thing anew whenever something about it may have changed.
 * What should be there and cannot be gathered refuses: a Deny that needs it
 * would be lost.
 */
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"

#include "jitr/adapter/x509.h"

/*
 * Facts.
 */

enum err
read_stored_facts(struct txn *t, const struct certid *id, struct cert_facts **out)
{
	struct cert_document document;
	struct x509_st *x = NULL;
	enum err e = store_get_cert_document(t, id, &document);

	if (e == ERR_OK)
		e = x509_from_der(document.der, &x, NULL);
	if (e == ERR_OK)
		e = x509_read_facts(x, out);
	x509_free(x);
	return e;
}

static enum err
read_facts(struct gate *g, struct principal *p)
{
	struct txn t;
	enum err e = store_read(g->config.store, &t);

	if (e != ERR_OK)
		return e;
	e = read_stored_facts(&t, &p->id, &p->facts);
	store_end(&t);
	return e;
}

/* From the certificate that was presented where there is one. */
static bool
gather_certificate(struct gate *g, struct principal *p, struct x509_st *x)
{
	if (p->facts != NULL)
		return true;
	return (x != NULL ? x509_read_facts(x, &p->facts) : read_facts(g, p)) == ERR_OK;
}

/* One that is attached exclusively is the certificate's only one. */
static enum err
find_exclusive(struct txn *t, const struct certid *id, struct view *name)
{
	struct thing_principal attached;
	size_t count = 0;
	enum err e = store_list_principal_things(t, id, NULL, &attached, 1, &count);

	if (e == ERR_OK && (count == 0 || attached.type != PRINCIPAL_EXCLUSIVE))
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		*name = attached.thing;
	return e;
}

static enum err
find_named(struct txn *t, const struct certid *id, struct view client_id)
{
	enum principal_type type;

	if (client_id.len == 0 || client_id.len > NAME_MAX_LENGTH)
		return ERR_NOT_FOUND;
	return store_get_thing_principal(t, client_id, id, &type);
}

enum err
find_thing(struct txn *t, const struct certid *id, struct view client_id, struct thing *out,
    bool *found)
{
	struct view name = client_id;
	enum err e = find_exclusive(t, id, &name);

	if (e == ERR_NOT_FOUND)
		e = find_named(t, id, client_id);
	if (e == ERR_OK)
		e = store_get_thing(t, name, out);
	*found = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
find_planned_thing(struct txn *t, const struct plan *plan, struct view client_id, struct thing *out,
    bool *found)
{
	const struct planned_thing *p = &plan->thing;
	enum err e;

	*found = p->name.len > 0 && view_equal(p->name, client_id);
	if (!*found)
		return ERR_OK;
	e = store_get_thing(t, p->name, out);
	if (e != ERR_NOT_FOUND)
		return e;
	*out = (struct thing){ .name = p->name,
		.type_name = p->type_name,
		.billing_group = p->billing_group,
		.attributes = p->attributes };
	return ERR_OK;
}

static struct thing *
copy_thing(const struct thing *thing)
{
	struct thing *copy = malloc(sizeof(*copy) + thing->name.len + thing->type_name.len +
	    thing->billing_group.len + thing->attributes.len);
	uint8_t *at;

	if (copy == NULL)
		return NULL;
	*copy = *thing;
	at = (uint8_t *)(copy + 1);
	view_move(&copy->name, &at);
	view_move(&copy->type_name, &at);
	view_move(&copy->billing_group, &at);
	view_move(&copy->attributes, &at);
	return copy;
}

/* The one that it is attached to, or about to be. */
static enum err
find_thing_of(struct txn *t, const struct principal *p, struct view client_id, struct thing *out,
    bool *found)
{
	enum err e = find_thing(t, &p->id, client_id, out, found);

	if (e == ERR_OK && !*found && p->plan != NULL)
		e = find_planned_thing(t, p->plan, client_id, out, found);
	return e;
}

static bool
gather_thing(struct gate *g, struct session *s)
{
	struct thing thing;
	bool found = false;
	struct txn t;
	enum err e;

	free(s->thing);
	s->facts.thing = s->thing = NULL;
	e = store_read(g->config.store, &t);
	if (e != ERR_OK)
		return false;
	e = find_thing_of(&t, s->principal, s->facts.client_id, &thing, &found);
	if (found)
		s->facts.thing = s->thing = copy_thing(&thing);
	store_end(&t);
	return e == ERR_OK && (!found || s->thing != NULL);
}

static bool
gather(struct gate *g, struct session *s)
{
	unsigned use = rights_use(&s->principal->rights);

	if (use & POLICY_USES_CERTIFICATE && !gather_certificate(g, s->principal, s->x))
		return false;
	s->facts.cert = s->principal->facts;
	return !(use & POLICY_USES_THING) || gather_thing(g, s);
}

bool
gate_facts_absent(struct gate *g, struct principal *p, struct view client_id, struct facts *facts,
    struct thing *thing, struct txn *t)
{
	unsigned use = rights_use(&p->rights);
	bool found;

	*facts = (struct facts){ .client_id = client_id,
		.certificate_id = view_of(p->hex),
		.client_id_as_is = g->config.client_id_as_is };
	if (use & POLICY_USES_CERTIFICATE && !gather_certificate(g, p, NULL))
		return false;
	facts->cert = p->facts;
	if (store_read(g->config.store, t) != ERR_OK)
		return false;
	if (!(use & POLICY_USES_THING))
		return true;
	if (find_thing_of(t, p, client_id, thing, &found) != ERR_OK) {
		store_end(t);
		return false;
	}
	facts->thing = found ? thing : NULL;
	return true;
}

/*
 * Questions.
 */

static enum policy_result
ask(const void *context, enum policy_action action, struct view name, struct policy_match *ground)
{
	const struct rights_asker *asker = context;
	struct policy_request r = { .action = action,
		.prefix = asker->g->head[action],
		.name = name,
		.facts = asker->facts };

	return rights_ask(&asker->p->rights, &r, ground);
}

struct access_rights
gate_rights(const struct rights_asker *asker)
{
	return (struct access_rights){ .authorization = asker->g->config.authorization,
		.administrator = gate_names_administrator(asker->g, &asker->p->id),
		.ask = ask,
		.context = asker };
}

static enum reason
may_connect(const struct gate *g, const struct principal *p, const struct facts *facts)
{
	struct rights_asker asker = { g, p, facts };
	struct access_rights rights = gate_rights(&asker);
	struct access_decision d = access_connect(&rights, facts->client_id);
	enum reason reason = access_refusal(&d, rights_usable(&p->rights), p->rights.count);

	/* It is no fault of a policy that they could not be gathered. */
	return reason == REASON_POLICY_UNUSABLE && p->rights.failed ? REASON_REGISTRY_FAILED
								    : reason;
}

bool
gate_may_connect_absent(struct gate *g, const struct certid *id, struct view client_id)
{
	struct principal *p = gate_find_absent(g, id);
	struct thing thing;
	struct facts facts;
	struct txn t;
	bool allowed;

	if (p == NULL || !gate_facts_absent(g, p, client_id, &facts, &thing, &t))
		return false;
	allowed = may_connect(g, p, &facts) == REASON_NONE;
	store_end(&t);
	return allowed;
}

/* Both only grow, so their sum is another whenever one of them is. */
static uint64_t
rights_version_of(const struct gate *g, const struct principal *p)
{
	return p->revision + g->policies.revision;
}

enum reason
session_admit(struct gate *g, struct session *s)
{
	enum reason reason = s->principal->reason;

	s->facts.client_id_as_is = g->config.client_id_as_is;
	if (s->principal->verdict == VERDICT_ALLOW)
		reason = gather(g, s) ? may_connect(g, s->principal, &s->facts)
				      : REASON_REGISTRY_FAILED;
	if (reason == REASON_NONE)
		reason = s->shut_out;
	s->admitted = s->principal->verdict == VERDICT_ALLOW && reason == REASON_NONE;
	s->rights_version = rights_version_of(g, s->principal);
	s->seen = g->changes;
	return reason;
}

/* One that is refused is judged each time: it may have been activated.  It is
 * cut off when it loses its admission, and not again for what it still sends. */
void
session_refresh(struct gate *g, struct session *s)
{
	bool was_in = s->admitted;
	enum reason reason;

	if (was_in && s->seen == g->changes)
		return;
	gate_refresh(g, s->principal);
	if (was_in &&
	    s->rights_version == rights_version_of(g, s->principal)) { /* others changed */
		s->seen = g->changes;
		return;
	}
	reason = session_admit(g, s);
	if (was_in && !s->admitted)
		session_cut(&g->sessions, s, reason);
}
