/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * decide.h - decides what happens to a client certificate at CONNECT.
 *
 * All rules of just-in-time registration in one pure function: no clock, no database,
 * no broker, no allocation.  For a first connection it runs twice: in the broker
 * over a snapshot, which gives the answer to the client, and in the registrar
 * inside the write transaction, which gives the change.  Being pure, the two runs need
 * no lock; the second one is final.
 *
 * The rules are the table of aws-iot D.2 and the requirements of aws-iot D.6;
 * test/unit/decisions.golden lists every case.
 */
#ifndef JITR_DECIDE_H
#define JITR_DECIDE_H

#include "jitr/core/plan.h"

/* Facts of the presented certificate itself.  is_leaf and the following members matter
 * only for a certificate that is not registered; zero means refuse. */
struct presented {
	struct certid id;
	struct certid content; /* SHA-256 of its signed part (der.h) */
	struct serial serial;
	int64_t not_before, not_after;
	bool is_leaf;             /* is not a CA certificate */
	bool strong_signature;    /* SHA-2 with RSA, DSA or ECDSA, or EdDSA */
	bool strong_key;          /* RSA of 2048 bits or more, NIST curve, Ed25519/448 */
	bool known_extensions;    /* has no unrecognised critical extension */
	enum answer issued_by_ca; /* signature verified with the key of the CA found */
};

/* The result of looking up a certificate in the revocation list of its CA.  Zero means
 * refuse. */
struct revocation {
	enum crl_check check;
	int64_t grace; /* ms, with CRL_GRACE */
	bool has_list;
	bool limited;        /* the list covers only some certificates of the CA */
	bool covered;        /* with limited: it covers this one (crl_scope.h) */
	int64_t next_update; /* of the list */
	bool listed;
	bool on_hold; /* listed with reason certificateHold: a later list may remove it */
};

/* What the registry contains for the certificate. */
struct known {
	/* The registered CA that is named as its issuer, or under which it was registered;
	 * NULL: none. */
	const struct ca *ca;

	const struct cert *cert; /* registered certificate with this id; NULL: none */

	/* Of a registered certificate: the CA that must be valid; NULL: not checked. */
	const struct ca *issuer;

	struct revocation revocation; /* ignored for a certificate registered without a CA */

	/* No other registered id with the same signed part takes precedence
	 * (signature_variants.h). */
	bool is_primary;
};

struct decide_rules {
	int64_t announce_interval; /* ms, per certificate; 0: at every attempt, as on AWS */
	bool defer_unknown;        /* unknown CA: leave the decision to other plugins */
	bool accept_first;         /* accept the first connection also where a template
				    * activates it; rules always do */
};

enum verdict {
	VERDICT_DENY,
	VERDICT_ALLOW,
	VERDICT_DEFER,
};

/* One row per reason: its name, the code in logs and events (aws-iot H.1 and our own),
 * and the text for logs. */
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
	/* set by decide_plan() */ \
	X(REASON_RULE_WAITS, "ACTIVATION_RULE_NOT_MET", "the rule of its CA leaves it pending") \
	X(REASON_RULE_REVOKES, "ACTIVATION_RULE_REVOKES", "revoked by the rule of its CA") \
	X(REASON_PROVISIONING_FAILED, "PROVISIONING_FAILED", \
	    "it could not be provisioned by the template of its CA") \
	X(REASON_PROVISIONED_NOW, "DEVICE_CERTIFICATE_PROVISIONED", \
	    "provisioned now, may connect the next time") \
	/* set by the gate (gate.h) */ \
	X(REASON_UNREADABLE, "CERTIFICATE_MALFORMED", "the certificate cannot be read") \
	X(REASON_DELETED, "DEVICE_CERTIFICATE_DELETED", "not registered any more") \
	X(REASON_NO_POLICY, "DEVICE_CERTIFICATE_NO_POLICY", "no policy is attached to it") \
	X(REASON_NOT_ALLOWED, "AUTHORIZATION_FAILURE", \
	    "its policies do not allow it to connect with this client id") \
	X(REASON_POLICY_UNUSABLE, "POLICY_UNUSABLE", "one of its policies cannot be used") \
	X(REASON_NAME_RESERVED, "NOT_AUTHENTICATED", \
	    "claims the name of a certificate without presenting it") \
	X(REASON_CLIENT_ID_BUSY, "CLIENT_ID_BUSY", \
	    "an answer to another connection with its client id is on its way") \
	X(REASON_SHARED, "DEVICE_CERTIFICATE_SHARED", "another client uses the same certificate") \
	X(REASON_NOT_STORED, "REGISTRATION_FAILED", "its registration could not be stored") \
	X(REASON_NO_REGISTRAR, "REGISTRAR_NOT_RUNNING", \
	    "the registrar is not running: it cannot be registered now") \
	/* explain only: a client that TLS refuses sends no CONNECT */ \
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
bool reason_is_of_plan(enum reason r); /* plan.reason has the details */

enum {
	EFFECT_REGISTER = 1u << 0, /* store the certificate */
	EFFECT_ANNOUNCE = 1u << 1, /* add a registered event to the outbox */
	EFFECT_REVOKE = 1u << 2,   /* set its status to REVOKED */
	EFFECT_PLAN = 1u << 3,     /* decide_connect(): evaluate the rule or template of the
				    * CA; decide_plan(): apply the plan */
};

struct decision {
	enum verdict verdict;
	enum reason reason;
	unsigned effects;
};

/* now: ms since 1970. */
struct decision decide_connect(const struct presented *p, const struct known *known,
    const struct decide_rules *rules, int64_t now);

/* Combines the decision of decide_connect() with the plan of the CA's rule or template;
 * plan NULL: the CA has neither.  A decision without EFFECT_PLAN is returned unchanged. */
struct decision decide_plan(struct decision d, const struct plan *plan,
    const struct decide_rules *rules);

/* For a pending certificate, if its CA has a rule or template that decide_connect() did
 * not allow to be evaluated: replaces the reason "waits for activation" by the cause. */
struct decision decide_plan_blocked(struct decision d, const struct ca *ca, int64_t now);

/* May updateCertificate change one status to the other (aws-iot A.3.6)?  To the same
 * status: yes, nothing changes. */
MUST_USE bool decide_status_change(enum cert_status from, enum cert_status to);

#endif
