/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * decide.c - see decide.h.
 *
 * The order of the questions: is anything of it known to us, is it within its
 * validity, what does the registry say of it, and, for one that is not
 * registered, may its CA register it and is it fit to be registered.
 */
#include "jitr/decide.h"

static struct decision
deny(enum reason reason)
{
	return (struct decision){ .verdict = VERDICT_DENY, .reason = reason };
}

/*
 * A registered certificate too: AWS does not say what happens to an ACTIVE
 * one that expired, and refusing is the safe reading (aws-iot J, 10).
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

/*
 * A pending certificate is announced at every attempt (aws-iot D.2, row 6):
 * that is the only retry its activator has.  An impatient client tries many
 * times a second, hence the interval.  A clock set back announces at once.
 */
static struct decision
deny_pending(const struct cert *cert, const struct decide_rules *rules, int64_t now)
{
	struct decision d = deny(REASON_PENDING_ACTIVATION);
	int64_t since = now - cert->announced;

	if (since < 0 || since >= rules->announce_interval)
		d.effects = EFFECT_ANNOUNCE;
	return d;
}

static struct decision
decide_registered(const struct cert *cert, const struct decide_rules *rules, int64_t now)
{
	switch (cert->status) {
	case CERT_ACTIVE:
		return (struct decision){ .verdict = VERDICT_ALLOW };
	case CERT_PENDING_ACTIVATION:
		return deny_pending(cert, rules, now);
	case CERT_PENDING_TRANSFER:
		return deny(REASON_PENDING_TRANSFER);
	case CERT_REVOKED:
		return deny(REASON_REVOKED);
	case CERT_INACTIVE:
		return deny(REASON_INACTIVE);
	}
	return deny(REASON_INACTIVE); /* a status this version does not know */
}

static enum reason
fault_of_ca(const struct ca *ca, int64_t now)
{
	if (ca->status != CA_ACTIVE)
		return REASON_CA_INACTIVE;
	if (now < ca->not_before || now > ca->not_after)
		return REASON_CA_NOT_VALID;
	if (!ca->auto_registration)
		return REASON_AUTO_REGISTRATION_OFF;
	return REASON_NONE;
}

/* What forbids registering this certificate, whoever signed it (aws-iot D.6). */
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

static struct decision
decide_unregistered(const struct presented *p, const struct ca *ca, int64_t now)
{
	enum reason fault;
	struct decision d;

	if (p->issued_by_ca != ANSWER_YES)
		return deny(REASON_NOT_ISSUED_BY_CA);
	fault = fault_of_ca(ca, now);
	if (fault == REASON_NONE)
		fault = fault_of_certificate(p);
	if (fault != REASON_NONE)
		return deny(fault);

	d = deny(REASON_REGISTERED_NOW);
	d.effects = EFFECT_REGISTER | EFFECT_ANNOUNCE;
	return d;
}

struct decision
decide_connect(const struct presented *p, const struct ca *ca, const struct cert *cert,
    const struct decide_rules *rules, int64_t now)
{
	enum reason fault = fault_of_validity(p, now);

	if (cert == NULL && ca == NULL)
		return (struct decision){
			.verdict = rules->defer_unknown ? VERDICT_DEFER : VERDICT_DENY,
			.reason = REASON_UNKNOWN_CA,
		};
	if (fault != REASON_NONE)
		return deny(fault);
	if (cert != NULL)
		return decide_registered(cert, rules, now);
	return decide_unregistered(p, ca, now);
}

/*
 * REVOKED is final, the pending statuses are entered and PENDING_TRANSFER is
 * left by other operations only (aws-iot A.3.6, B.4).
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
