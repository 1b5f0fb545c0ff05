/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* explain.c - see explain.h: a certificate and its facts, and the answer to its CONNECT. */
#include <stdlib.h>
#include <string.h>

#include "explain_private.h"

#include "jitr/service/admission.h"
#include "chain.h"
#include "jitr/service/facts.h"
#include "jitr/adapter/x509.h"

void
explain_close(struct explain *e)
{
	if (e == NULL)
		return;
	for (size_t n = 0; n < e->count; n++)
		policy_cache_release(&e->judge->policies, e->held[n]);
	judgement_clear(&e->judgement);
	free(e->thing);
	free(e->cert);
	free(e);
}

/*
 * Facts.
 */

/* If the names in the certificate cannot be read it is judged without them. */
static enum err
read_presented_facts(struct explain *e, struct x509_st *x)
{
	enum err err = x509_read_facts(x, &e->cert);

	e->unreadable = err == ERR_CERTIFICATE;
	return e->unreadable ? ERR_OK : err;
}

/* Answers that are asked later have no transaction. */
static enum err
keep_thing(struct explain *e, const struct thing *thing)
{
	free(e->thing);
	e->facts.thing = e->thing = thing_copy(thing);
	return e->thing != NULL ? ERR_OK : ERR_NOMEM;
}

static enum err
read_certificate(struct explain *e, struct txn *t, const struct explain_request *r,
    struct diag *diag)
{
	enum err err = ERR_OK;

	if (r->x != NULL)
		err = read_presented_facts(e, r->x);
	else if (r->principal != NULL)
		err = read_stored_facts(t, r->principal, &e->cert);
	if (err == ERR_NOT_FOUND)
		diag_set(diag, "Certificate not found (id: %s)", e->hex);
	return err;
}

static enum err
read_thing(struct explain *e, struct txn *t, const struct explain_request *r)
{
	bool found = false;
	struct thing thing;
	enum err err = find_thing(t, r->principal, r->client_id, &thing, &found);

	return err == ERR_OK && found ? keep_thing(e, &thing) : err;
}

/* Of the connection itself: no persistent session; the will is hidden, as it always is. */
static enum err
gather(struct explain *e, struct txn *t, const struct explain_request *r, struct diag *diag)
{
	enum err err;

	e->facts = facts_of_connection(e->judge, r->client_id, r->source);
	e->facts.persistent_connect = ANSWER_NO;
	if (r->principal != NULL)
		certid_to_hex(r->principal, e->hex);
	err = read_certificate(e, t, r, diag);
	if (r->principal == NULL || err != ERR_OK)
		return err;
	e->administrator = judge_names_administrator(e->judge, r->principal);
	e->facts.certificate_id = view_of(e->hex);
	e->facts.cert = e->cert;
	return read_thing(e, t, r);
}

/*
 * A certificate that is explained.
 */

static enum err
verify(struct explain *e, struct txn *t, struct x509_st *x)
{
	const struct judgement *j = &e->judgement;
	struct ca ca;

	e->ca_is_deleted = j->has_ca && store_get_ca(t, &j->ca_id, &ca) == ERR_NOT_FOUND;
	e->chain = chain_verify(e->judge, t, x, &e->chain_fault);
	return e->chain == ERR_CERTIFICATE || e->chain == ERR_NOT_FOUND ? ERR_OK : e->chain;
}

/* The answer to its CONNECT, and the thing that its plan would attach. */
static enum err
judge_presented(struct explain *e, struct txn *t, struct x509_st *x)
{
	struct judgement *j = &e->judgement;
	bool found = false;
	struct thing thing;
	enum err err = x509_read(x, &j->presented);

	if (err == ERR_OK)
		err = judge_certificate(e->judge, t, x, &e->facts, j);
	if (err == ERR_OK && lets_in_by_plan(&j->decision) && e->facts.thing == NULL)
		err = find_planned_thing(t, j->plan, e->facts.client_id, &thing, &found);
	if (err == ERR_OK && found)
		err = keep_thing(e, &thing);
	return err == ERR_OK ? verify(e, t, x) : err;
}

enum err
explain_open(struct judge *judge, struct txn *t, const struct explain_request *r,
    struct explain **out, struct diag *diag)
{
	struct explain *e = calloc(1, sizeof(*e));
	enum err err;

	*out = NULL;
	if (e == NULL)
		return ERR_NOMEM;
	e->judge = judge;
	judge_policies_changed(judge);
	e->steps = r->steps;
	err = gather(e, t, r, diag);
	if (err == ERR_OK && r->x != NULL)
		err = judge_presented(e, t, r->x);
	if (err == ERR_OK)
		err = explain_hold_policies(e, t, r, diag);
	if (err != ERR_OK) {
		explain_close(e);
		return err;
	}
	*out = e;
	return ERR_OK;
}

/* These reasons say the same as the chain, and more precisely. */
static bool
is_more_precise_than_chain(const struct decision *d)
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
explain_chain(const struct explain *e, struct explanation *out)
{
	bool live = chain_is_live(e->judge);

	if (is_more_precise_than_chain(&out->decision) || e->chain == ERR_OK)
		return;
	if (e->chain == ERR_CERTIFICATE)
		refuse_chain(out, e->chain_fault.text);
	else if (live && e->ca_is_deleted)
		refuse_chain(out,
		    "the CA under which it was registered is not registered any more, and "
		    "trust_store live trusts no other");
	else
		diag_set(&out->chain,
		    "no registered CA has issued this certificate: whether TLS accepts "
		    "it depends on %s",
		    live
			? "the chain that the client sends"
			: "the listener's cafile and capath and on the chain that the client sends");
}

enum err
explain_certificate(const struct explain *e, struct txn *t, struct explanation *out)
{
	const struct judgement *j = &e->judgement;
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
	explain_chain(e, out);
	if (out->decision.verdict != VERDICT_ALLOW)
		return ERR_OK;
	reason = explain_connect_reason(e);
	if (reason == REASON_NONE)
		return ERR_OK;
	out->decision.verdict = VERDICT_DENY;
	out->decision.reason = reason;
	return ERR_OK;
}
