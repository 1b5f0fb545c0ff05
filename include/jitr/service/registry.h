/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry.h - every change to the registry, as a function of a transaction.
 *
 * Look, decide, then put: a function that answers an error has put nothing.
 * Each writes, in the same transaction, the outbox messages it causes.
 * Runs on the writer thread; in tests, on any thread that has a transaction.
 * The rules are aws-iot A.1 to A.3; *diag gets the sentence for the caller.
 */
#ifndef JITR_REGISTRY_H
#define JITR_REGISTRY_H

#include "jitr/core/decide.h"
#include "jitr/adapter/store.h"

struct x509_st;

#define CA_SAME_SUBJECT_MAX 10 /* aws-iot appendix 1 */

struct registry_rules {
	struct decide_rules decide;
	char account_id[13];
};

/* The state of a CA that a plan was made of. */
struct ca_revision {
	struct generation generation;
	uint32_t version;
};

static inline struct ca_revision
ca_revision_of(const struct ca *ca)
{
	return (struct ca_revision){ ca->generation, ca->version };
}

/* A client presented a certificate, and the broker thread thinks that something
 * should be done about it. */
struct presentation {
	struct presented presented;
	struct certid ca_id;
	struct view der;
	const struct plan *plan; /* what its CA's rule or template says; NULL: nothing */
	struct ca_revision ca_revision;
	struct view details;            /* of its events (event.h); empty: none */
	struct view client_id, address; /* for the record of a refusal */
};

struct outcome {
	struct decision decision; /* with what was done */
	enum cert_status status;  /* of the record, if there is one */
	struct diag details;      /* why, where the plan has words for it */
	bool failed;              /* the plan could not be carried out */
};

/* Decides again, on the state as it is now: the second of two simultaneous
 * first connections finds the first one's record.  A plan counts only as long
 * as its CA is as it was when the plan was made; one that the registry does not
 * bear out leaves the certificate pending. */
MUST_USE enum err registry_present(struct txn *t, const struct presentation *p,
    const struct registry_rules *rules, int64_t now, struct outcome *done);

/* It was turned away; nothing if there is no record of it. */
MUST_USE enum err registry_refused(struct txn *t, const struct certid *id,
    const struct refusal *refusal);

/* The code of this registry, made when there is none. */
MUST_USE enum err registry_registration_code(struct txn *t, char code[REGISTRATION_CODE_SIZE]);
MUST_USE enum err registry_delete_registration_code(struct txn *t, struct diag *diag);

/* What may be set besides; NULL leaves it.  template_name goes with
 * template_body and role_arn: AWS's registrationConfig is replaced as a whole. */
struct ca_settings_update {
	const enum crl_check *crl_check;
	uint32_t crl_grace_days; /* with crl_check */
	const struct view *crl_file;
	const struct view *activation;
	bool supersedes; /* with activation */
	int64_t supersede_after;
	const struct view *template_name;
};

/* ca: id, validity, hash, key id, status, auto_registration, mode are the
 * caller's; the rest is filled.  settings: what is set from the start.  proof:
 * the common name of the verification certificate in mode DEFAULT, NULL in
 * SNI_ONLY. */
MUST_USE enum err registry_add_ca(struct txn *t, struct ca *ca, const struct ca_document *document,
    const struct ca_settings_update *settings, const char *proof, int64_t now, struct diag *diag);

/* What updateCACertificate may change; NULL leaves it. */
struct ca_update {
	const enum ca_status *status;
	const bool *auto_registration;
	const struct view *template_body, *role_arn;
	bool remove_auto_registration;
	struct ca_settings_update settings;
};

MUST_USE enum err registry_update_ca(struct txn *t, const struct certid *id,
    const struct ca_update *update, int64_t now, struct diag *diag);
MUST_USE enum err registry_remove_ca(struct txn *t, const struct certid *id, struct diag *diag);

/* A certificate registered by call.  issuer: what caCertificatePem named, NULL
 * to look for it; with_ca false: registerCertificateWithoutCA. */
struct cert_registration {
	struct x509_st *x;
	struct view pem;
	bool with_ca;
	struct x509_st *issuer;
	enum cert_status status;
};

MUST_USE enum err registry_add_cert(struct txn *t, const struct cert_registration *r, int64_t now,
    struct certid *id, struct diag *diag);

/* *was: the status before.  One that becomes ACTIVE supersedes older ones of its
 * things, where its CA says so. */
MUST_USE enum err registry_set_cert_status(struct txn *t, const struct certid *id,
    enum cert_status status, int64_t now, enum cert_status *was, struct diag *diag);
/* force: policies that are attached to it are detached, things never.  arn_prefix:
 * what its ARN begins with, for the sentence ("arn:aws:iot:local:000000000000:"). */
MUST_USE enum err registry_remove_cert(struct txn *t, const struct certid *id, bool force,
    const char *arn_prefix, struct diag *diag);

/* Another status, and why; note NULL: it was given by a command. */
void registry_put_status(struct txn *t, struct cert *cert, enum cert_status status,
    const struct cert_note *note, int64_t now);

#endif
