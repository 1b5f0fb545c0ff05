/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate_judge.c - judging a certificate, at CONNECT and whenever it may have
 * changed.
 *
 * At CONNECT from what was presented, with the rule or template of its CA where
 * that may say something; later from the registry alone, by its id.
 */
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"
#include "jitr/service/revocation.h"
#include "jitr/service/signature_variants.h"

#include "jitr/adapter/x509.h"

/*
 * What was presented.
 */

/* What the registry has of it. */
struct records {
	struct cert cert;
	struct ca ca;
	bool registered, has_ca;
	struct issuer issuer;
	struct ca valid_ca; /* of a registered one: known.issuer */
	bool has_valid_ca;
};

/* The registered CA of a certificate that is not registered itself. */
static enum err
look_for_ca(struct gate *g, struct txn *t, struct x509_st *x, struct judgement *j,
    struct records *r)
{
	enum err e = issuer_find(t, &g->issuers, x, &r->issuer);

	if (e != ERR_OK || r->issuer.issued == ANSWER_NOT_ASKED)
		return e;
	j->presented.issued_by_ca = r->issuer.issued;
	e = x509_read_strength(x, &j->presented);
	if (e != ERR_OK)
		return e;
	j->ca_id = r->issuer.ca.id;
	j->has_ca = r->has_ca = true;
	r->ca = r->issuer.ca;
	return ERR_OK;
}

/* Its CA may be gone by now. */
static enum err
look_at_ca(struct txn *t, struct judgement *j, struct records *r)
{
	enum err e;

	j->registered = true;
	j->has_ca = r->cert.has_ca;
	j->ca_id = r->cert.ca_id;
	if (!r->cert.has_ca)
		return ERR_OK;
	e = store_get_ca(t, &r->cert.ca_id, &r->ca);
	r->has_ca = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The CA that it was registered under, or, where that has expired, is gone or was
 * never named, another one with the key that signed it: CAs renew their certificates.
 * That of a deleted one is still known. */
static enum err
look_at_validity(struct gate *g, struct txn *t, struct x509_st *x, struct records *r)
{
	int64_t now = g->config.now();
	enum err e = ERR_NOT_FOUND;

	if (r->cert.status != CERT_ACTIVE)
		return ERR_OK;
	r->valid_ca = r->ca;
	if (r->has_ca)
		e = ERR_OK;
	else if (r->cert.has_ca)
		e = store_get_deleted_ca(t, &r->cert.ca_id, &r->valid_ca);
	r->has_valid_ca = e == ERR_OK;
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (e == ERR_OK && now >= r->valid_ca.not_before && now <= r->valid_ca.not_after)
		return ERR_OK;
	return issuer_validity(t, &g->issuers, x, now, &r->valid_ca, &r->has_valid_ca);
}

/* Its bytes are taken only for a list that is not about all certificates of the CA. */
static enum err
look_at_list(struct txn *t, struct x509_st *x, const struct judgement *j, struct revocation *out)
{
	enum err e = revocation_read(t, &j->ca_id, serial_of(&j->presented), out);
	struct view certificate;
	uint8_t *der;

	if (e != ERR_OK || !out->limited)
		return e;
	e = x509_to_der(x, &der, &certificate.len);
	if (e != ERR_OK)
		return e;
	certificate.data = der;
	e = revocation_cover(t, &j->ca_id, certificate, out);
	free(der);
	return e;
}

static enum err
look_for_twins(struct txn *t, struct judgement *j, const struct records *r, struct known *known)
{
	struct variants twins;
	enum err e = variants_find(t, &j->presented.content, &j->presented.id,
	    r->registered ? &r->cert : NULL, &twins);

	if (e != ERR_OK)
		return e;
	known->stands = twins.is_primary;
	if (!twins.is_primary) {
		j->original = twins.other;
		variants_describe(&twins, &j->details);
	}
	return ERR_OK;
}

static enum err
look(struct gate *g, struct txn *t, struct x509_st *x, struct judgement *j, struct records *r,
    struct known *known)
{
	enum err e = store_get_cert(t, &j->presented.id, &r->cert);

	r->registered = e == ERR_OK;
	r->has_ca = r->has_valid_ca = false;
	if (r->registered)
		e = look_at_ca(t, j, r);
	else if (e == ERR_NOT_FOUND)
		e = look_for_ca(g, t, x, j, r);
	if (e == ERR_OK && r->registered)
		e = look_at_validity(g, t, x, r);
	if (e == ERR_OK && j->has_ca)
		e = look_at_list(t, x, j, &known->revocation);
	if (e == ERR_OK)
		e = look_for_twins(t, j, r, known);
	known->issuer = r->has_valid_ca ? &r->valid_ca : NULL;
	known->ca = r->has_ca ? &r->ca : NULL;
	known->cert = r->registered ? &r->cert : NULL;
	return e;
}

/* Why the rule or template of its CA may say nothing, if there is one. */
static enum err
name_obstacle(struct gate *g, struct txn *t, const struct records *r, struct judgement *j)
{
	bool exists = false;
	enum err e;

	if (j->decision.reason != REASON_PENDING_ACTIVATION || !r->has_ca)
		return ERR_OK;
	e = activation_exists(&g->activations, t, &r->ca, &exists);
	if (exists)
		j->decision = decide_unasked(j->decision, &r->ca, g->config.now());
	return e;
}

/* What the rule or template of its CA says, if it may say something. */
static enum err
ask_activation(struct gate *g, struct txn *t, const struct records *r, struct x509_st *x,
    const struct facts *client, struct judgement *j)
{
	enum err e;

	if (!(j->decision.effects & EFFECT_PLAN))
		return name_obstacle(g, t, r, j);
	e = activation_plan(&g->activations, t, &r->ca, x, &j->presented, client, &j->plan);
	if (e != ERR_OK)
		return e;
	j->ca_revision = ca_revision_of(&r->ca);
	j->plan_number = ++g->planned;
	j->decision = decide_plan(j->decision, j->plan, &g->config.rules.decide);
	if (j->plan != NULL && reason_is_of_plan(j->decision.reason))
		j->details = j->plan->reason;
	return ERR_OK;
}

enum err
judge_in(struct gate *g, struct txn *t, struct x509_st *x, const struct facts *client,
    struct judgement *j)
{
	struct known known = { .ca = NULL };
	struct records r = { .registered = false };
	enum err e = look(g, t, x, j, &r, &known);

	if (e != ERR_OK)
		return e;
	j->decision = decide_connect(&j->presented, &known, &g->config.rules.decide,
	    g->config.now());
	return ask_activation(g, t, &r, x, client, j);
}

/* While the broker asks again about all its sessions nothing is done about any:
 * a client that a plan let in, while it is being carried out, stays. */
static void
hold_still(struct gate *g, struct judgement *j)
{
	const struct principal *p = principal_find(&g->sessions, &j->presented.id);

	if (lets_in_by_plan(&j->decision) && (p == NULL || p->plan == NULL))
		j->decision = (struct decision){ .reason = REASON_REGISTERED_NOW };
	j->decision.effects = 0;
}

static struct facts
facts_of_client(const struct gate *g, const struct client *c)
{
	struct facts facts = { .client_id = view_of(c->id),
		.source_text = view_of(c->address),
		.client_id_as_is = g->config.client_id_as_is };

	facts.source = address_parse(facts.source_text);
	return facts;
}

void
gate_judge(struct gate *g, const struct client *c, struct judgement *j)
{
	struct facts facts = facts_of_client(g, c);
	struct txn t;
	enum err e;

	memset(j, 0, sizeof(*j));
	e = x509_read(c->x, &j->presented);
	if (e != ERR_OK) {
		j->decision.reason = e == ERR_CERTIFICATE ? REASON_UNREADABLE
							  : REASON_REGISTRY_FAILED;
		return;
	}
	j->has_id = true;
	e = store_read(g->config.store, &t);
	if (e == ERR_OK) {
		e = judge_in(g, &t, c->x, &facts, j);
		store_end(&t);
	}
	if (e != ERR_OK) {
		judgement_clear(j);
		j->decision = (struct decision){ .reason = REASON_REGISTRY_FAILED };
	}
	if (j->decision.verdict == VERDICT_DEFER && name_is_certid(c->user_name, NULL))
		j->decision = (struct decision){ .reason = REASON_NAME_RESERVED };
	if (g->reloading)
		hold_still(g, j);
}

void
gate_judge_unasked(struct gate *g, const struct client *c, struct judgement *j)
{
	struct certid claimed;

	gate_judge(g, c, j);
	if (!name_is_certid(c->user_name, &claimed) || !j->has_id ||
	    certid_equal(&claimed, &j->presented.id))
		return;
	judgement_clear(j);
	j->decision = (struct decision){ .reason = REASON_NAME_RESERVED };
}

void
judgement_clear(struct judgement *j)
{
	free(j->plan);
	j->plan = NULL;
}

/*
 * What is known by its id.
 */

/* A list that has grown old meanwhile closes no connection: that is asked at
 * CONNECT. */
static enum err
read_revocation(struct txn *t, const struct cert *cert, struct revocation *out)
{
	struct view serial;
	enum err e;

	*out = (struct revocation){ .check = CRL_IF_PRESENT };
	if (!cert->has_ca)
		return ERR_OK;
	e = store_get_cert_serial(t, &cert->id, &serial);
	if (e == ERR_OK)
		e = revocation_read(t, &cert->ca_id, serial, out);
	out->check = CRL_IF_PRESENT;
	return e;
}

/* A certificate of which we have no more than the id: an offline session, or a
 * client connected before something changed. */
static struct decision
judge_id_in(struct gate *g, struct txn *t, const struct certid *id)
{
	/* Its validity was judged when it connected. */
	struct presented p = { .id = *id, .not_before = INT64_MIN, .not_after = INT64_MAX };
	struct decision d = { .reason = REASON_REGISTRY_FAILED };
	struct known known = { .ca = NULL };
	struct variants twins;
	struct cert cert;
	enum err e = store_get_cert(t, id, &cert);

	if (e == ERR_NOT_FOUND)
		d.reason = REASON_DELETED;
	if (e == ERR_OK)
		e = read_revocation(t, &cert, &known.revocation);
	if (e == ERR_OK)
		e = variants_find_registered(t, &cert, &twins);
	if (e != ERR_OK)
		return d;
	known.cert = &cert;
	known.stands = twins.is_primary;
	d = decide_connect(&p, &known, &g->config.rules.decide, g->config.now());
	d.effects = 0;
	return d;
}

static bool
asks_policies(const struct gate *g, const struct principal *p)
{
	return g->config.authorization == AUTHORIZATION_POLICY && p->verdict == VERDICT_ALLOW;
}

/* What was decided about it, and its policies, from one moment of the registry. */
static void
principal_judged(struct gate *g, struct txn *t, struct principal *p, const struct decision *d)
{
	p->verdict = d->verdict;
	p->reason = d->reason;
	p->generation = g->generation;
	p->revision++;
	if (asks_policies(g, p))
		rights_read(&p->rights, &g->policies, t, &p->id, p->plan);
	else
		rights_clear(&p->rights, &g->policies);
}

static void
principal_unreadable(struct principal *p)
{
	p->verdict = VERDICT_DENY;
	p->reason = REASON_REGISTRY_FAILED;
	p->revision++;
}

void
gate_refresh(struct gate *g, struct principal *p)
{
	struct decision d;
	struct txn t;

	if (p->verdict == VERDICT_ALLOW &&
	    (p->plan != NULL || (p->generation == g->generation && !p->rights.failed)))
		return;
	if (store_read(g->config.store, &t) != ERR_OK) {
		principal_unreadable(p);
		return;
	}
	d = judge_id_in(g, &t, &p->id);
	if (d.reason == REASON_DELETED && p->not_stored)
		d.reason = REASON_NOT_STORED;
	principal_judged(g, &t, p, &d);
	store_end(&t);
}

struct principal *
gate_find_absent(struct gate *g, const struct certid *id)
{
	struct principal *p = principal_absent(&g->sessions, id);

	if (p != NULL)
		gate_refresh(g, p);
	return p != NULL && p->verdict == VERDICT_ALLOW ? p : NULL;
}

/* The policies of one that may connect, as far as they were not read before. */
void
gate_keep_judgement(struct gate *g, struct principal *p, const struct decision *d)
{
	struct txn t;

	if (p->verdict == VERDICT_ALLOW && d->verdict == VERDICT_ALLOW && !p->rights.failed &&
	    p->generation == g->generation)
		return;
	if (store_read(g->config.store, &t) != ERR_OK) {
		principal_unreadable(p);
		return;
	}
	principal_judged(g, &t, p, d);
	store_end(&t);
}
