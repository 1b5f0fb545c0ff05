/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* explain.c - see explain.h. */
#include <stdlib.h>
#include <string.h>

#include "jitr/service/explain.h"
#include "jitr/adapter/x509.h"

#include "gate_private.h"

struct inquiry {
	struct gate *gate;
	struct cached_policy *held[INQUIRY_POLICIES_MAX];
	size_t count;
	struct facts facts;
	struct cert_facts *cert;
	bool unreadable; /* names of the certificate that is explained */
	struct thing thing;
	uint8_t *thing_texts; /* owned: it is asked when the transaction has ended */
	size_t *steps;
	bool administrator;         /* one of admin_certificates */
	struct judgement judgement; /* of a certificate that is explained */
	enum err chain;             /* what TLS says of it: ERR_OK, ERR_CERTIFICATE, or
	                              * ERR_NOT_FOUND: it cannot be told */
	struct diag chain_fault;
	bool ca_is_gone; /* the CA under which it was registered */
	char hex[CERTID_HEX_SIZE];
};

void
inquiry_close(struct inquiry *i)
{
	if (i == NULL)
		return;
	for (size_t n = 0; n < i->count; n++)
		policy_cache_release(&i->gate->policies, i->held[n]);
	judgement_clear(&i->judgement);
	free(i->thing_texts);
	free(i->cert);
	free(i);
}

/*
 * Policies.
 */

static bool
is_among(struct view name, const struct view *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (view_equal(name, names[i]))
			return true;
	return false;
}

/* document: of one that a plan would make; empty: it must be there. */
static enum err
hold(struct inquiry *i, struct txn *t, struct view name, struct view document)
{
	struct cached_policy *p;

	for (size_t n = 0; n < i->count; n++)
		if (view_equal(name, view_of(i->held[n]->name)))
			return ERR_OK;
	if (i->count == INQUIRY_POLICIES_MAX)
		return ERR_LIMIT;
	p = policy_cache_take_planned(&i->gate->policies, t, name, document);
	if (p == NULL)
		return ERR_NOMEM;
	i->held[i->count++] = p;
	return ERR_OK;
}

static enum err
must_exist(struct txn *t, const struct view *names, size_t count, struct diag *diag)
{
	struct policy_record record;
	enum err e = ERR_OK;

	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		e = store_get_policy(t, names[i], &record);
		if (e == ERR_NOT_FOUND)
			diag_set(diag, "Policy not found (name: %.*s)", (int)names[i].len,
			    (const char *)names[i].data);
	}
	return e;
}

static enum err
hold_all(struct inquiry *i, struct txn *t, const struct inquiry_request *r, struct diag *diag)
{
	const struct view none = { NULL, 0 };
	struct view names[POLICIES_MAX];
	size_t count = 0;
	enum err e = must_exist(t, r->skip, r->skip_count, diag);

	if (e == ERR_OK)
		e = must_exist(t, r->add, r->add_count, diag);
	if (e == ERR_OK && r->principal != NULL)
		e = store_list_attached(t, r->principal, NULL, true, names, COUNT_OF(names),
		    &count);
	for (size_t n = 0; n < count && e == ERR_OK; n++)
		if (!is_among(names[n], r->skip, r->skip_count))
			e = hold(i, t, names[n], none);
	for (size_t n = 0; n < r->add_count && e == ERR_OK; n++)
		e = hold(i, t, r->add[n], none);
	return e;
}

/* Those that the plan attaches to the certificate it lets in. */
static enum err
hold_planned(struct inquiry *i, struct txn *t)
{
	const struct plan *plan = lets_in_by_plan(&i->judgement.decision) ? i->judgement.plan
									  : NULL;
	enum err e = ERR_OK;

	for (size_t n = 0; plan != NULL && n < plan->policy_count && e == ERR_OK; n++)
		e = hold(i, t, plan->policies[n].name, plan->policies[n].document);
	return e;
}

/*
 * Facts.
 */

/* A certificate with names that cannot be read is judged without them. */
static enum err
read_presented_facts(struct inquiry *i, struct x509_st *x)
{
	enum err e = x509_read_facts(x, &i->cert);

	i->unreadable = e == ERR_CERTIFICATE;
	return i->unreadable ? ERR_OK : e;
}

static enum err
keep_thing(struct inquiry *i)
{
	struct thing *thing = &i->thing;
	uint8_t *at = malloc(thing->name.len + thing->type_name.len + thing->billing_group.len +
	    thing->attributes.len + 1);

	if (at == NULL)
		return ERR_NOMEM;
	free(i->thing_texts);
	i->thing_texts = at;
	view_move(&thing->name, &at);
	view_move(&thing->type_name, &at);
	view_move(&thing->billing_group, &at);
	view_move(&thing->attributes, &at);
	i->facts.thing = thing;
	return ERR_OK;
}

/* Of the connection itself as much as a first look at a CONNECT tells: no
 * persistent session; the will is hidden, as it always is. */
static enum err
gather(struct inquiry *i, struct txn *t, const struct inquiry_request *r, struct diag *diag)
{
	bool found = false;
	enum err e = ERR_OK;

	i->facts.client_id = r->client_id;
	i->facts.client_id_as_is = i->gate->config.client_id_as_is;
	i->facts.source_text = r->source;
	i->facts.source = address_parse(r->source);
	i->facts.persistent_connect = ANSWER_NO;
	if (r->x != NULL)
		e = read_presented_facts(i, r->x);
	if (r->principal == NULL || e != ERR_OK)
		return e;
	i->administrator = gate_names_administrator(i->gate, r->principal);
	certid_to_hex(r->principal, i->hex);
	i->facts.certificate_id = view_of(i->hex);
	if (r->x == NULL)
		e = read_stored_facts(t, r->principal, &i->cert);
	if (e == ERR_NOT_FOUND)
		diag_set(diag, "Certificate not found (id: %s)", i->hex);
	if (e != ERR_OK)
		return e;
	i->facts.cert = i->cert;
	e = find_thing(t, r->principal, r->client_id, &i->thing, &found);
	return e == ERR_OK && found ? keep_thing(i) : e;
}

static enum err
verify(struct inquiry *i, struct txn *t, struct x509_st *x)
{
	const struct judgement *j = &i->judgement;
	struct ca ca;

	i->ca_is_gone = j->has_ca && store_get_ca(t, &j->ca_id, &ca) == ERR_NOT_FOUND;
	i->chain = inquiry_verify(i->gate, t, x, &i->chain_fault);
	return i->chain == ERR_CERTIFICATE || i->chain == ERR_NOT_FOUND ? ERR_OK : i->chain;
}

/* What would be answered to it, and what it would get by that. */
static enum err
judge(struct inquiry *i, struct txn *t, struct x509_st *x)
{
	struct judgement *j = &i->judgement;
	bool found = false;
	enum err e = x509_read(x, &j->presented);

	if (e == ERR_OK)
		e = judge_in(i->gate, t, x, &i->facts, j);
	if (e == ERR_OK && lets_in_by_plan(&j->decision) && i->facts.thing == NULL)
		e = find_planned_thing(t, j->plan, i->facts.client_id, &i->thing, &found);
	return e == ERR_OK && found ? keep_thing(i) : e;
}

enum err
inquiry_open(struct gate *g, struct txn *t, const struct inquiry_request *r, struct inquiry **out,
    struct diag *diag)
{
	struct inquiry *i = calloc(1, sizeof(*i));
	enum err e;

	*out = NULL;
	if (i == NULL)
		return ERR_NOMEM;
	i->gate = g;
	i->steps = r->steps;
	e = gather(i, t, r, diag);
	if (e == ERR_OK && r->x != NULL)
		e = judge(i, t, r->x);
	if (e == ERR_OK && r->x != NULL)
		e = verify(i, t, r->x);
	if (e == ERR_OK)
		e = hold_all(i, t, r, diag);
	if (e == ERR_OK)
		e = hold_planned(i, t);
	if (e != ERR_OK) {
		inquiry_close(i);
		return e;
	}
	*out = i;
	return ERR_OK;
}

/*
 * Answers.
 */

size_t
inquiry_policy_count(const struct inquiry *i)
{
	return i->count;
}

const char *
inquiry_policy_name(const struct inquiry *i, size_t nth)
{
	return i->held[nth]->name;
}

uint32_t
inquiry_policy_version(const struct inquiry *i, size_t nth)
{
	return i->held[nth]->version;
}

const struct policy *
inquiry_policy(const struct inquiry *i, size_t nth)
{
	return i->held[nth]->policy;
}

bool
inquiry_lacks_memory(const struct inquiry *i)
{
	bool lacks = false;

	for (size_t n = 0; n < i->count; n++)
		lacks = lacks || i->held[n]->unread;
	return lacks;
}

static struct policy_request
request_of(const struct inquiry *i, enum policy_action action, struct view name)
{
	return (struct policy_request){ .action = action,
		.prefix = i->gate->head[action],
		.name = name,
		.facts = &i->facts,
		.steps = i->steps };
}

/* Do its policies look at what cannot be read?  Then nothing is allowed: a Deny
 * would be lost. */
static bool
is_blind(const struct inquiry *i)
{
	bool blind = false;

	for (size_t n = 0; i->unreadable && n < i->count; n++)
		blind = blind ||
		    (i->held[n]->policy != NULL &&
			policy_uses(i->held[n]->policy) & POLICY_USES_CERTIFICATE);
	return blind;
}

/* An access_asker: all policies together. */
static enum policy_result
ask_all(const void *context, enum policy_action action, struct view name,
    struct policy_match *ground)
{
	const struct inquiry *i = context;
	struct policy_request r = request_of(i, action, name);
	const struct policy *set[INQUIRY_POLICIES_MAX];

	if (is_blind(i))
		return POLICY_IMPLICIT_DENY;
	for (size_t n = 0; n < i->count; n++) {
		set[n] = i->held[n]->policy;
		if (set[n] == NULL)
			return POLICY_IMPLICIT_DENY;
	}
	return policy_eval(set, i->count, &r, ground);
}

static struct access_rights
rights_of_all(const struct inquiry *i)
{
	return (struct access_rights){ .authorization = i->gate->config.authorization,
		.administrator = i->administrator,
		.ask = ask_all,
		.context = i };
}

struct access_decision
inquiry_access(const struct inquiry *i, const struct access_question *q)
{
	struct access_rights rights = rights_of_all(i);

	return access_decide(&rights, q);
}

struct access_decision
inquiry_connect(const struct inquiry *i, struct view client_id)
{
	struct access_rights rights = rights_of_all(i);

	return access_connect(&rights, client_id);
}

/* One policy of an inquiry. */
struct single {
	const struct inquiry *inquiry;
	size_t nth;
};

/* An access_asker. */
static enum policy_result
ask_single(const void *context, enum policy_action action, struct view name,
    struct policy_match *ground)
{
	const struct single *s = context;
	struct policy_request r = request_of(s->inquiry, action, name);
	const struct policy *policy = s->inquiry->held[s->nth]->policy;

	return policy != NULL ? policy_eval(&policy, 1, &r, ground) : POLICY_IMPLICIT_DENY;
}

static struct access_rights
rights_of_single(const struct single *s)
{
	return (struct access_rights){ .authorization = AUTHORIZATION_POLICY,
		.ask = ask_single,
		.context = s };
}

struct access_decision
inquiry_access_by(const struct inquiry *i, size_t nth, const struct access_question *q)
{
	struct single single = { i, nth };
	struct access_rights rights = rights_of_single(&single);

	return access_decide(&rights, q);
}

struct access_decision
inquiry_connect_by(const struct inquiry *i, size_t nth, struct view client_id)
{
	struct single single = { i, nth };
	struct access_rights rights = rights_of_single(&single);

	return access_connect(&rights, client_id);
}

static bool
add_missing(struct view name, struct view *names, size_t *count, size_t max)
{
	if (!is_among(name, names, *count))
		names[(*count)++] = name;
	return *count < max;
}

/* Few names have a value, so that few are looked at before there are enough. */
size_t
inquiry_missing(const struct inquiry *i, struct view *names, size_t max)
{
	size_t count = 0;
	struct view name;
	bool has_value;

	for (size_t n = 0; n < i->count; n++)
		for (size_t v = 0; i->held[n]->policy != NULL &&
		     policy_variable(i->held[n]->policy, v, &i->facts, &name, &has_value);
		     v++)
			if (!has_value && !add_missing(name, names, &count, max))
				return count;
	return count;
}

/*
 * Explaining.
 */

static enum reason
connect_reason(const struct inquiry *i)
{
	struct access_decision d = inquiry_connect(i, i->facts.client_id);
	bool usable = true;

	if (i->gate->config.authorization == AUTHORIZATION_POLICY && is_blind(i))
		return REASON_REGISTRY_FAILED;
	for (size_t n = 0; n < i->count; n++)
		usable = usable && i->held[n]->policy != NULL;
	return access_refusal(&d, usable, i->count);
}

/* These say the same, and more of it. */
static bool
is_nearer_than_chain(const struct decision *d)
{
	return d->verdict != VERDICT_ALLOW &&
	    (d->reason == REASON_UNKNOWN_CA || d->reason == REASON_NOT_ISSUED_BY_CA ||
		d->reason == REASON_NOT_YET_VALID || d->reason == REASON_EXPIRED);
}

/* A client that TLS refuses sends no CONNECT: nothing is registered or announced. */
static void
refuse_chain(struct explanation *out, const char *why)
{
	out->decision = (struct decision){ .reason = REASON_CHAIN_REFUSED };
	diag_set(&out->details, "%s", why);
	out->plan = NULL;
}

static void
explain_chain(const struct inquiry *i, struct explanation *out)
{
	bool alone = i->gate->config.trust_store == TRUST_STORE_LIVE;

	if (is_nearer_than_chain(&out->decision) || i->chain == ERR_OK)
		return;
	if (i->chain == ERR_CERTIFICATE)
		refuse_chain(out, i->chain_fault.text);
	else if (alone && i->ca_is_gone)
		refuse_chain(out,
		    "the CA under which it was registered is not registered any more, and "
		    "trust_store live trusts no other");
	else
		diag_set(&out->chain,
		    "no registered CA has issued this certificate: whether TLS accepts "
		    "it depends on %s",
		    alone
			? "the chain that the client sends"
			: "the listener's cafile and capath and on the chain that the client sends");
}

enum err
inquiry_explain(const struct inquiry *i, struct txn *t, struct explanation *out)
{
	const struct judgement *j = &i->judgement;
	enum reason reason;
	struct cert cert;

	memset(out, 0, sizeof(*out));
	out->id = j->presented.id;
	out->has_ca = j->has_ca;
	out->ca_id = j->ca_id;
	out->decision = j->decision;
	out->details = j->details;
	out->plan = j->plan;
	out->registered = store_get_cert(t, &out->id, &cert) == ERR_OK;
	if (out->registered)
		out->status = cert.status;
	explain_chain(i, out);
	if (out->decision.verdict != VERDICT_ALLOW)
		return ERR_OK;
	reason = connect_reason(i);
	if (reason == REASON_NONE)
		return ERR_OK;
	out->decision.verdict = VERDICT_DENY;
	out->decision.reason = reason;
	return ERR_OK;
}
