/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * judge.c - see judge.h.
 *
 * At CONNECT a certificate is judged from what was presented, with the rule or template of
 * its CA; later by its id, from the registry alone (registered.c).
 */
#include <stdio.h>
#include <stdlib.h>

#include "jitr/service/judge.h"
#include "jitr/service/revocation.h"
#include "jitr/service/signature_variants.h"

#include "jitr/adapter/x509.h"

static void
name_resources(struct judge *judge)
{
	for (enum policy_action a = 0; a < POLICY_CONTROL; a++) {
		(void)snprintf(judge->arn_prefix_text[a], sizeof(judge->arn_prefix_text[a]),
		    "%s%s/", judge->config.scope.prefix, policy_resource_type(a));
		judge->arn_prefix[a] = view_of(judge->arn_prefix_text[a]);
	}
}

void
judge_init(struct judge *judge, const struct judge_config *config)
{
	*judge = (struct judge){ .config = *config };
	judge->policies.scope = config->scope;
	judge->activations.scope = config->scope;
	judge->activations.policies = &judge->policies;
	name_resources(judge);
}

void
judge_clear(struct judge *judge)
{
	issuer_cache_clear(&judge->issuers);
	activations_clear(&judge->activations);
}

bool
judge_names_administrator(const struct judge *judge, const struct certid *id)
{
	for (size_t i = 0; i < judge->config.admin_certificate_count; i++)
		if (certid_equal(&judge->config.admin_certificates[i], id))
			return true;
	return false;
}

void
judge_policies_changed(struct judge *judge)
{
	judge->policies.round++;
}

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
find_ca(struct judge *judge, struct txn *t, struct x509_st *x, struct judgement *j,
    struct records *r)
{
	enum err e = issuer_find(t, &judge->issuers, x, &r->issuer);

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
find_valid_ca(struct judge *judge, struct txn *t, struct x509_st *x, struct records *r)
{
	int64_t now = judge->config.now();
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
	return issuer_validity(t, &judge->issuers, x, now, &r->valid_ca, &r->has_valid_ca);
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
read_records(struct judge *judge, struct txn *t, struct x509_st *x, struct judgement *j,
    struct records *r, struct known *known)
{
	enum err e = store_get_cert(t, &j->presented.id, &r->cert);

	r->registered = e == ERR_OK;
	r->has_ca = r->has_valid_ca = false;
	if (r->registered)
		e = read_ca(t, j, r);
	else if (e == ERR_NOT_FOUND)
		e = find_ca(judge, t, x, j, r);
	if (e == ERR_OK && r->registered)
		e = find_valid_ca(judge, t, x, r);
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
name_obstacle(struct judge *judge, struct txn *t, const struct records *r, struct judgement *j)
{
	bool exists = false;
	enum err e;

	if (j->decision.reason != REASON_PENDING_ACTIVATION || !r->has_ca)
		return ERR_OK;
	e = activation_exists(&judge->activations, t, &r->ca, &exists);
	if (exists)
		j->decision = decide_plan_blocked(j->decision, &r->ca, judge->config.now());
	return e;
}

/* Evaluates the rule or template of its CA, if the decision has EFFECT_PLAN. */
static enum err
ask_activation(struct judge *judge, struct txn *t, const struct records *r, struct x509_st *x,
    const struct facts *client, struct judgement *j)
{
	enum err e;

	if (!(j->decision.effects & EFFECT_PLAN))
		return name_obstacle(judge, t, r, j);
	e = activation_plan(&judge->activations, t, &r->ca, x, &j->presented, client, &j->plan);
	if (e != ERR_OK)
		return e;
	j->ca_revision = ca_revision_of(&r->ca);
	j->plan_number = ++judge->planned;
	j->decision = decide_plan(j->decision, j->plan, &judge->config.rules.decide);
	if (j->plan != NULL && reason_is_of_plan(j->decision.reason))
		j->details = j->plan->reason;
	return ERR_OK;
}

enum err
judge_certificate(struct judge *judge, struct txn *t, struct x509_st *x, const struct facts *client,
    struct judgement *j)
{
	struct known known = { .ca = NULL };
	struct records r = { .registered = false };
	enum err e = read_records(judge, t, x, j, &r, &known);

	if (e != ERR_OK)
		return e;
	j->decision = decide_connect(&j->presented, &known, &judge->config.rules.decide,
	    judge->config.now());
	return ask_activation(judge, t, &r, x, client, j);
}

void
judgement_clear(struct judgement *j)
{
	free(j->plan);
	j->plan = NULL;
}
