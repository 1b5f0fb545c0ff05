/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * judge.c - see judge.h.
 *
 * At CONNECT a certificate is judged from what was presented, with the rule or template of
 * its CA; later by its id, from the registry alone (principal.c).
 */
#include <stdlib.h>
#include <string.h>

#include "gate_private.h"
#include "jitr/service/revocation.h"
#include "jitr/service/signature_variants.h"

#include "jitr/adapter/x509.h"

/* The records that a certificate is judged by. */
struct records {
	struct cert cert;
	struct ca ca;
	bool registered, has_ca;
	struct issuer issuer;
	struct ca valid_ca; /* of a registered certificate: known.issuer */
	bool has_valid_ca;
};

/* The registered CA of a certificate that is not registered itself. */
static enum err
find_ca(struct gate *g, struct txn *t, struct x509_st *x, struct judgement *j, struct records *r)
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

/* The CA of a registered certificate may have been deleted. */
static enum err
read_ca(struct txn *t, struct judgement *j, struct records *r)
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

/* The CA that has to be valid: the one that the certificate was registered under, of which
 * the dates are kept when it is deleted.  If it is not valid now, or there is none, another
 * CA certificate with the key that signed, because CAs renew their certificates. */
static enum err
find_valid_ca(struct gate *g, struct txn *t, struct x509_st *x, struct records *r)
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
	if (e == ERR_OK && ca_is_valid(&r->valid_ca, now))
		return ERR_OK;
	return issuer_validity(t, &g->issuers, x, now, &r->valid_ca, &r->has_valid_ca);
}

/* The DER is needed only for a list that covers some certificates of the CA. */
static enum err
read_list(struct txn *t, struct x509_st *x, const struct judgement *j, struct revocation *out)
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
find_variants(struct txn *t, struct judgement *j, const struct records *r, struct known *known)
{
	struct variants variants;
	enum err e = variants_find(t, &j->presented.content, &j->presented.id,
	    r->registered ? &r->cert : NULL, &variants);

	if (e != ERR_OK)
		return e;
	known->is_primary = variants.is_primary;
	if (!variants.is_primary) {
		j->original = variants.other;
		variants_describe(&variants, &j->details);
	}
	return ERR_OK;
}

static enum err
read_records(struct gate *g, struct txn *t, struct x509_st *x, struct judgement *j,
    struct records *r, struct known *known)
{
	enum err e = store_get_cert(t, &j->presented.id, &r->cert);

	r->registered = e == ERR_OK;
	r->has_ca = r->has_valid_ca = false;
	if (r->registered)
		e = read_ca(t, j, r);
	else if (e == ERR_NOT_FOUND)
		e = find_ca(g, t, x, j, r);
	if (e == ERR_OK && r->registered)
		e = find_valid_ca(g, t, x, r);
	if (e == ERR_OK && j->has_ca)
		e = read_list(t, x, j, &known->revocation);
	if (e == ERR_OK)
		e = find_variants(t, j, r, known);
	known->issuer = r->has_valid_ca ? &r->valid_ca : NULL;
	known->ca = r->has_ca ? &r->ca : NULL;
	known->cert = r->registered ? &r->cert : NULL;
	return e;
}

/* For a pending certificate: the reason why the rule or template of its CA is not evaluated,
 * if the CA has one. */
static enum err
name_obstacle(struct gate *g, struct txn *t, const struct records *r, struct judgement *j)
{
	bool exists = false;
	enum err e;

	if (j->decision.reason != REASON_PENDING_ACTIVATION || !r->has_ca)
		return ERR_OK;
	e = activation_exists(&g->activations, t, &r->ca, &exists);
	if (exists)
		j->decision = decide_plan_blocked(j->decision, &r->ca, g->config.now());
	return e;
}

/* Evaluates the rule or template of its CA, if the decision has EFFECT_PLAN. */
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
judge_certificate(struct gate *g, struct txn *t, struct x509_st *x, const struct facts *client,
    struct judgement *j)
{
	struct known known = { .ca = NULL };
	struct records r = { .registered = false };
	enum err e = read_records(g, t, x, j, &r, &known);

	if (e != ERR_OK)
		return e;
	j->decision = decide_connect(&j->presented, &known, &g->config.rules.decide,
	    g->config.now());
	return ask_activation(g, t, &r, x, client, j);
}

/* While the broker asks again about all its sessions nothing is changed.  A client that a
 * plan accepted stays while the plan is being carried out. */
static void
judge_without_effects(struct gate *g, struct judgement *j)
{
	const struct principal *p = principal_find(&g->sessions, &j->presented.id);

	if (lets_in_by_plan(&j->decision) && (p == NULL || p->plan == NULL))
		j->decision = (struct decision){ .reason = REASON_REGISTERED_NOW };
	j->decision.effects = 0;
}

static enum err
judge_presented(struct gate *g, struct txn *txn_or_null, const struct client *c,
    struct judgement *j)
{
	struct facts facts = facts_of_connection(g, view_of(c->id), view_of(c->address));
	enum err e = x509_read(c->x, &j->presented);

	if (e != ERR_OK)
		return e;
	j->has_id = true;
	return txn_or_null != NULL ? judge_certificate(g, txn_or_null, c->x, &facts, j)
				   : ERR_STORAGE;
}

void
judge_client(struct gate *g, struct txn *txn_or_null, const struct client *c, struct judgement *j)
{
	enum err e;

	memset(j, 0, sizeof(*j));
	e = judge_presented(g, txn_or_null, c, j);
	if (e != ERR_OK) {
		judgement_clear(j);
		j->decision = (struct decision){ .reason = j->has_id || e != ERR_CERTIFICATE
			    ? REASON_REGISTRY_FAILED
			    : REASON_UNREADABLE };
	}
	if (j->decision.verdict == VERDICT_DEFER && name_is_certid(c->user_name, NULL))
		j->decision = (struct decision){ .reason = REASON_NAME_RESERVED };
	if (j->has_id && g->reloading)
		judge_without_effects(g, j);
}

void
judge_bypassed(struct gate *g, struct txn *txn_or_null, const struct client *c, struct judgement *j)
{
	struct certid claimed;

	judge_client(g, txn_or_null, c, j);
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
