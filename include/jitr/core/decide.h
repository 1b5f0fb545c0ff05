/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * decide.h - what to do with a client certificate.
 *
 * The whole of just-in-time registration in one pure function: no clock, no
 * database, no broker, no allocation.  It is run twice for a first connection:
 * by the broker thread on its snapshot, for the answer to the client, and by
 * the writer thread inside the write transaction, for the change.  Because it
 * is pure the two runs need no lock between them; the second one decides.
 *
 * The rules are the table of aws-iot D.2 and aws-iot D.6;
 * test/unit/decisions.golden spells out every case.
 */
#ifndef JITR_DECIDE_H
#define JITR_DECIDE_H

#include "jitr/core/plan.h"

/* What the client presented, as far as the certificate itself tells.  The
 * facts from is_leaf on count only for a certificate that is not registered;
 * left zero, they refuse. */
struct presented {
	struct certid id;
	struct certid content; /* SHA-256 of its signed part (der.h) */
	struct serial serial;
	int64_t not_before, not_after;
	bool is_leaf;             /* not a CA certificate */
	bool strong_signature;    /* SHA-2 with RSA, DSA or ECDSA, or EdDSA */
	bool strong_key;          /* RSA of 2048 bits or more, NIST curve, Ed25519/448 */
	bool known_extensions;    /* no critical one that we do not understand */
	enum answer issued_by_ca; /* signature checked with the key of the CA given */
};

/* What the revocation list of its CA says of a certificate.  Left zero, it
 * lets none in. */
struct revocation {
	enum crl_check check;
	int64_t grace; /* ms, with CRL_GRACE */
	bool has_list;
	bool limited;        /* it is about some certificates of the CA, and: */
	bool covered;        /* this is one of them (crl_scope.h) */
	int64_t next_update; /* of the list */
	bool listed;
	bool on_hold; /* listed, but may be taken off again */
};

/* What the registry knows of it. */
struct known {
	const struct ca *ca;          /* the registered CA that the certificate names as its issuer,
	                          * or under which it was registered; NULL: there is none */
	const struct cert *cert;      /* the registered certificate with this id; NULL: none */
	const struct ca *issuer;      /* of a registered one: the CA certificate that has to be
	                            * valid for it; NULL: is not asked */
	struct revocation revocation; /* does not count for one registered without a CA */
	bool stands;                  /* its signed part is not known by another id that comes
	                            * before this one */
};

struct decide_rules {
	int64_t announce_interval; /* ms, per certificate; 0: at every attempt, as AWS */
	bool defer_unknown;        /* unknown CA: let another plugin judge */
	bool accept_first;         /* also a connection that a template activates; rules do */
};

enum verdict {
	VERDICT_DENY,
	VERDICT_ALLOW,
	VERDICT_DEFER,
};

/* One row per reason: our name, the code for programs (aws-iot H.1; the ones
 * AWS does not have are ours), and words for people. */
#define REASON_TABLE(X) \
	X(REASON_NONE, "", "") \
	X(REASON_UNKNOWN_CA, "CA_CERTIFICATE_NOT_REGISTERED", \
	    "issued by a CA that is not registered") \
	X(REASON_NOT_ISSUED_BY_CA, "CERTIFICATE_NOT_ISSUED_BY_CA", \
	    "names a registered CA that did not sign it") \
	X(REASON_CA_INACTIVE, "CA_CERTIFICATE_INACTIVE", "its CA is not active") \
	X(REASON_CA_NOT_VALID, "CA_CERTIFICATE_NOT_VALID", "its CA is outside its validity") \
	X(REASON_AUTO_REGISTRATION_OFF, "CA_AUTO_REGISTRATION_DISABLED", \
	    "its CA does not register automatically") \
	X(REASON_IS_CA, "CERTIFICATE_IS_CA", "a CA certificate used as a client's") \
	X(REASON_WEAK_SIGNATURE, "CERTIFICATE_SIGNATURE_ALGORITHM_UNSUPPORTED", \
	    "signed with an algorithm that is not accepted") \
	X(REASON_WEAK_KEY, "CERTIFICATE_KEY_UNSUPPORTED", "its key is too weak or unsupported") \
	X(REASON_UNKNOWN_EXTENSION, "CERTIFICATE_EXTENSION_UNSUPPORTED", \
	    "has a critical extension that is not understood") \
	X(REASON_NOT_YET_VALID, "CERTIFICATE_NOT_YET_VALID", "not valid yet") \
	X(REASON_EXPIRED, "CERTIFICATE_EXPIRED", "expired") \
	X(REASON_OTHER_FORM, "CERTIFICATE_IN_ANOTHER_FORM", \
	    "known by another id, with its signature in another form") \
	X(REASON_REGISTERED_NOW, "DEVICE_CERTIFICATE_NOT_REGISTERED", \
	    "registered now, waits for activation") \
	X(REASON_PENDING_ACTIVATION, "DEVICE_CERTIFICATE_PENDING_ACTIVATION", \
	    "waits for activation") \
	X(REASON_PENDING_TRANSFER, "DEVICE_CERTIFICATE_PENDING_TRANSFER", "waits for transfer") \
	X(REASON_INACTIVE, "DEVICE_CERTIFICATE_INACTIVE", "inactive") \
	X(REASON_REVOKED, "DEVICE_CERTIFICATE_REVOKED", "revoked") \
	X(REASON_ON_LIST, "CERTIFICATE_ON_REVOCATION_LIST", "on the revocation list of its CA") \
	X(REASON_ON_HOLD, "CERTIFICATE_ON_HOLD", "on hold by the revocation list of its CA") \
	X(REASON_LIST_MISSING, "REVOCATION_LIST_MISSING", \
	    "its CA has no revocation list, and one is required") \
	X(REASON_LIST_ELSEWHERE, "REVOCATION_LIST_NOT_APPLICABLE", \
	    "the revocation list of its CA is for another distribution point than the certificate") \
	X(REASON_LIST_STALE, "REVOCATION_LIST_STALE", \
	    "the revocation list of its CA is out of date") \
	/* decide_plan's. */ \
	X(REASON_RULE_WAITS, "ACTIVATION_RULE_NOT_MET", "the rule of its CA leaves it pending") \
	X(REASON_RULE_REVOKES, "ACTIVATION_RULE_REVOKES", "revoked by the rule of its CA") \
	X(REASON_PROVISIONING_FAILED, "PROVISIONING_FAILED", \
	    "it could not be provisioned by the template of its CA") \
	X(REASON_PROVISIONED_NOW, "DEVICE_CERTIFICATE_PROVISIONED", \
	    "provisioned now, may connect the next time") \
	/* Not decide_connect's: gate.h's own refusals. */ \
	X(REASON_UNREADABLE, "CERTIFICATE_MALFORMED", "the certificate cannot be read") \
	X(REASON_DELETED, "DEVICE_CERTIFICATE_DELETED", "not registered any more") \
	X(REASON_NO_POLICY, "DEVICE_CERTIFICATE_NO_POLICY", "no policy is attached to it") \
	X(REASON_NOT_ALLOWED, "AUTHORIZATION_FAILURE", \
	    "its policies do not allow it to connect with this client id") \
	X(REASON_POLICY_UNUSABLE, "POLICY_UNUSABLE", "a policy of it cannot be used") \
	X(REASON_NAME_RESERVED, "NOT_AUTHENTICATED", \
	    "claims the name of a certificate without presenting it") \
	X(REASON_CLIENT_ID_BUSY, "CLIENT_ID_BUSY", \
	    "an answer to another connection with its client id is on its way") \
	X(REASON_CLONE, "DEVICE_CERTIFICATE_SHARED", "another client uses the same certificate") \
	X(REASON_NOT_STORED, "REGISTRATION_FAILED", "its registration could not be stored") \
	/* Of explain alone: a client that TLS refuses never gets as far as a CONNECT. */ \
	X(REASON_CHAIN_REFUSED, "CERTIFICATE_CHAIN_REFUSED", "TLS does not accept its chain") \
	X(REASON_REGISTRY_FAILED, "INTERNAL_SERVER_ERROR", "the registry cannot be read")

enum reason {
#define X(name, code, text) name,
	REASON_TABLE(X)
#undef X
	    REASON_COUNT
};

const char *reason_text(enum reason r);
const char *reason_code(enum reason r);
bool reason_is_of_plan(enum reason r); /* the plan's own reason says more */

enum {
	EFFECT_REGISTER = 1u << 0, /* store the certificate */
	EFFECT_ANNOUNCE = 1u << 1, /* put a registered-event in the outbox */
	EFFECT_REVOKE = 1u << 2,   /* it is REVOKED from now on */
	EFFECT_PLAN = 1u << 3,     /* from decide_connect(): its CA's rule or template may say
	                            * what is to become of it; from decide_plan(): what that
	                            * says is to be carried out */
};

struct decision {
	enum verdict verdict;
	enum reason reason;
	unsigned effects;
};

/* now: ms since 1970. */
struct decision decide_connect(const struct presented *p, const struct known *known,
    const struct decide_rules *rules, int64_t now);

/* What a plan makes of a decision of decide_connect(); NULL: the CA has neither
 * rule nor template.  Without EFFECT_PLAN there nothing changes here. */
struct decision decide_plan(struct decision d, const struct plan *plan,
    const struct decide_rules *rules);

/* The CA has a rule or template, which decide_connect() did not let be asked: what is
 * in its way is a nearer cause than that the certificate waits. */
struct decision decide_unasked(struct decision d, const struct ca *ca, int64_t now);

/* May updateCertificate take a certificate from one status to the other
 * (aws-iot A.3.6)?  To the same status: yes, it changes nothing. */
MUST_USE bool decide_status_change(enum cert_status from, enum cert_status to);

#endif
