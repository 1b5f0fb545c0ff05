/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * decide.c - see decide.h.
 *
 * Checks in this order: known under another id; CA or certificate registered; within
 * its validity; state in the registry.  For a certificate that is not registered: may
 * its CA register it, and is it acceptable.
 */
#include "jitr/core/decide.h"

static struct decision
deny(enum reason reason)
{
	return (struct decision){ .verdict = VERDICT_DENY, .reason = reason };
}

/*
 * Applies to registered certificates, too.  AWS does not document what happens to an
 * ACTIVE certificate that expired; refusing is the safe reading (aws-iot J row 10).
 */
static enum reason
fault_of_validity(const struct presented *p, int64_t now)
{
	if (now < p->not_before)
		return REASON_NOT_YET_VALID;
	if (now > p->not_after)
		return REASON_EXPIRED;
	return REASON_NONE;
}

/* A certificate that is listed is refused whatever else the list covers, and with any reason
 * other than certificateHold it is revoked permanently.  A missing, outdated or not
 * applicable list matters only if the CA requires one. */
static enum reason
fault_of_revocation(const struct revocation *r, int64_t now)
{
	int64_t good_until = r->next_update;

	if (r->listed)
		return r->on_hold ? REASON_ON_HOLD : REASON_ON_LIST;
	if (r->check == CRL_IF_PRESENT)
		return REASON_NONE;
	if (!r->has_list)
		return REASON_LIST_MISSING;
	if (r->limited && !r->covered)
		return REASON_LIST_ELSEWHERE;
	if (r->check == CRL_GRACE)
		good_until += r->grace;
	return now > good_until ? REASON_LIST_STALE : REASON_NONE;
}

static struct decision
deny_revoked(unsigned effects)
{
	struct decision d = deny(REASON_ON_LIST);

	d.effects = effects | EFFECT_REVOKE;
	return d;
}

/* A certificate that is registered without a CA is on no list. */
static struct revocation
revocation_of(const struct known *known)
{
	if (!known->cert->has_ca)
		return (struct revocation){ .check = CRL_IF_PRESENT };
	return known->revocation;
}

static enum reason
fault_of_ca(const struct ca *ca, int64_t now)
{
	if (ca->status != CA_ACTIVE)
		return REASON_CA_INACTIVE;
	if (!ca_is_valid(ca, now))
		return REASON_CA_NOT_VALID;
	if (!ca->auto_registration)
		return REASON_AUTO_REGISTRATION_OFF;
	return REASON_NONE;
}

/*
 * A pending certificate is announced at every attempt (aws-iot D.2 row 6): this is how
 * activation is retried.  announce_interval limits clients that reconnect many times a
 * second.  If the clock was set back, the certificate is announced at once.
 *
 * The rule of its CA is evaluated again as well, provided that the CA may register and
 * that a required revocation list permits.
 */
static struct decision
deny_pending(const struct known *known, const struct revocation *r,
    const struct decide_rules *rules, int64_t now)
{
	enum reason fault = fault_of_revocation(r, now);
	struct decision d = deny(fault != REASON_NONE ? fault : REASON_PENDING_ACTIVATION);
	int64_t since = now - known->cert->announced;

	if (since < 0 || since >= rules->announce_interval)
		d.effects |= EFFECT_ANNOUNCE;
	if (fault == REASON_NONE && known->ca != NULL && fault_of_ca(known->ca, now) == REASON_NONE)
		d.effects |= EFFECT_PLAN;
	return d;
}

/* A full handshake refuses a certificate of an expired CA (RFC 5280 6.1.3 (a)(2));
 * a resumed TLS session verifies nothing. */
static struct decision
decide_active(const struct known *known, const struct revocation *r, int64_t now)
{
	enum reason fault = fault_of_revocation(r, now);

	if (known->issuer != NULL && !ca_is_valid(known->issuer, now))
		return deny(REASON_CA_NOT_VALID);
	if (fault != REASON_NONE)
		return deny(fault);
	return (struct decision){ .verdict = VERDICT_ALLOW };
}

static struct decision
decide_registered(const struct known *known, const struct decide_rules *rules, int64_t now)
{
	struct revocation r = revocation_of(known);
	enum cert_status status = known->cert->status;

	if (fault_of_revocation(&r, now) == REASON_ON_LIST &&
	    decide_status_change(status, CERT_REVOKED) && status != CERT_REVOKED)
		return deny_revoked(0);
	switch (status) {
	case CERT_ACTIVE:
		return decide_active(known, &r, now);
	case CERT_PENDING_ACTIVATION:
		return deny_pending(known, &r, rules, now);
	case CERT_PENDING_TRANSFER:
		return deny(REASON_PENDING_TRANSFER);
	case CERT_REVOKED:
		return deny(REASON_REVOKED);
	case CERT_INACTIVE:
		return deny(REASON_INACTIVE);
	}
	return deny(REASON_INACTIVE); /* a status unknown to this version */
}

/* Properties that make a certificate unacceptable for any CA (aws-iot D.6). */
static enum reason
fault_of_certificate(const struct presented *p)
{
	if (!p->known_extensions)
		return REASON_UNKNOWN_EXTENSION;
	if (!p->is_leaf)
		return REASON_IS_CA;
	if (!p->strong_signature)
		return REASON_WEAK_SIGNATURE;
	if (!p->strong_key)
		return REASON_WEAK_KEY;
	return REASON_NONE;
}

static enum reason
fault_of_registration(const struct presented *p, const struct ca *ca, int64_t now)
{
	enum reason fault = fault_of_ca(ca, now);

	if (p->issued_by_ca != ANSWER_YES)
		return REASON_NOT_ISSUED_BY_CA;
	return fault != REASON_NONE ? fault : fault_of_certificate(p);
}

static struct decision
decide_unregistered(const struct presented *p, const struct known *known, int64_t now)
{
	enum reason fault = fault_of_registration(p, known->ca, now);
	struct decision d;

	if (fault != REASON_NONE)
		return deny(fault);
	fault = fault_of_revocation(&known->revocation, now);
	if (fault == REASON_ON_LIST)
		return deny_revoked(EFFECT_REGISTER | EFFECT_ANNOUNCE);
	d = deny(fault != REASON_NONE ? fault : REASON_REGISTERED_NOW);
	d.effects = EFFECT_REGISTER | EFFECT_ANNOUNCE;
	if (fault == REASON_NONE)
		d.effects |= EFFECT_PLAN;
	return d;
}

struct decision
decide_connect(const struct presented *p, const struct known *known,
    const struct decide_rules *rules, int64_t now)
{
	enum reason fault = fault_of_validity(p, now);

	if (!known->is_primary)
		return deny(REASON_OTHER_FORM);
	if (known->cert == NULL && known->ca == NULL)
		return (struct decision){
			.verdict = rules->defer_unknown ? VERDICT_DEFER : VERDICT_DENY,
			.reason = REASON_UNKNOWN_CA,
		};
	if (fault != REASON_NONE)
		return deny(fault);
	if (known->cert != NULL)
		return decide_registered(known, rules, now);
	return decide_unregistered(p, known, now);
}

/* The certificate keeps its status.  The reason is recorded only if a record is written
 * anyway. */
static struct decision
keep_status(struct decision d, const struct plan *plan)
{
	if (plan->origin == PLAN_RULE)
		d.reason = REASON_RULE_WAITS;
	else if (plan->failed)
		d.reason = REASON_PROVISIONING_FAILED;
	if (!(d.effects & (EFFECT_REGISTER | EFFECT_ANNOUNCE)))
		d.effects &= ~(unsigned)EFFECT_PLAN;
	return d;
}

/* The plan sets the status: the event is not needed unless it announces the
 * registration. */
static struct decision
set_status(struct decision d, enum reason reason)
{
	if (!(d.effects & EFFECT_REGISTER))
		d.effects &= ~(unsigned)EFFECT_ANNOUNCE;
	d.reason = reason;
	d.verdict = reason == REASON_NONE ? VERDICT_ALLOW : VERDICT_DENY;
	return d;
}

struct decision
decide_plan(struct decision d, const struct plan *plan, const struct decide_rules *rules)
{
	if (!(d.effects & EFFECT_PLAN))
		return d;
	if (plan == NULL) {
		d.effects &= ~(unsigned)EFFECT_PLAN;
		return d;
	}
	switch (plan->status) {
	case CERT_ACTIVE:
		return set_status(d,
		    plan->origin == PLAN_RULE || rules->accept_first ? REASON_NONE
								     : REASON_PROVISIONED_NOW);
	case CERT_REVOKED:
		return set_status(d, REASON_RULE_REVOKES);
	case CERT_INACTIVE:
		return set_status(d, REASON_INACTIVE);
	case CERT_PENDING_ACTIVATION:
	case CERT_PENDING_TRANSFER:
		break;
	}
	return keep_status(d, plan);
}

struct decision
decide_plan_blocked(struct decision d, const struct ca *ca, int64_t now)
{
	enum reason fault = fault_of_ca(ca, now);

	if (d.reason == REASON_PENDING_ACTIVATION && !(d.effects & EFFECT_PLAN) &&
	    fault != REASON_NONE)
		d.reason = fault;
	return d;
}

/*
 * REVOKED is final; only other operations enter the pending statuses and leave
 * PENDING_TRANSFER (aws-iot A.3.6, B.4).
 */
bool
decide_status_change(enum cert_status from, enum cert_status to)
{
	if (to == CERT_PENDING_ACTIVATION || to == CERT_PENDING_TRANSFER)
		return false;
	if (from == CERT_PENDING_TRANSFER)
		return false;
	return from != CERT_REVOKED || to == CERT_REVOKED;
}

static const struct {
	const char *code;
	const char *text;
} reasons[REASON_COUNT] = {
#define X(name, code, text) [name] = { code, text },
	REASON_TABLE(X)
#undef X
};

const char *
reason_text(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? reasons[r].text : "";
}

const char *
reason_code(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? reasons[r].code : "";
}

bool
reason_is_of_plan(enum reason r)
{
	return r == REASON_RULE_WAITS || r == REASON_RULE_REVOKES ||
	    r == REASON_PROVISIONING_FAILED;
}
