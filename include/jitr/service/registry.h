/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * registry.h - changes to the registry, each as a function of a write transaction.
 *
 * Read, decide, then put: a function that returns an error has put nothing.  A function also
 * puts the outbox messages of its change, in the same transaction.  The registrar's thread.  The rules are aws-iot A.1 to A.3; *diag is the error
 * message for the caller.
 */
#ifndef JITR_REGISTRY_H
#define JITR_REGISTRY_H

#include "jitr/core/registration.h"
#include "jitr/adapter/store.h"

struct x509_st;

#define CA_SAME_SUBJECT_MAX 10 /* aws-iot appendix 1 */

struct registry_rules {
	struct decide_rules decide;
	char account_id[13];
};

/* Decides again, in the write transaction: the second of two simultaneous first connections
 * finds the record of the first one.  A plan is ignored if its CA has changed since it was
 * made; if it cannot be carried out, the certificate stays pending. */
MUST_USE enum err registry_connect(struct txn *t, const struct presentation *p,
    const struct registry_rules *rules, int64_t now, struct outcome *done);

/* Records that a connection was refused, if the certificate is registered. */
MUST_USE enum err registry_refused(struct txn *t, const struct certid *id,
    const struct refusal *refusal);

/* The registration code; made if there is none. */
MUST_USE enum err registry_registration_code(struct txn *t, char code[REGISTRATION_CODE_SIZE]);
MUST_USE enum err registry_delete_registration_code(struct txn *t, struct diag *diag);

/* Settings that are not members of struct ca; NULL: unchanged.  template_name is set together
 * with template_body and role_arn, because AWS's registrationConfig is replaced as a whole. */
struct ca_settings_update {
	const enum crl_check *crl_check;
	uint32_t crl_grace_days; /* with crl_check */
	const struct view *crl_file;
	const struct view *activation;
	struct view activation_form; /* with activation (codec_form.h) */
	bool supersedes;             /* with activation */
	int64_t supersede_after;
	const struct view *template_name;
};

struct ca_registration {
	struct ca *ca; /* the caller sets id, validity, hash, key id, status,
	                * auto_registration and mode; the other members are set here */
	const struct ca_document *document;
	const struct ca_settings_update *settings; /* the first ones */
	const char *proof; /* the common name of the verification certificate; NULL in mode
	                    * SNI_ONLY */
};

MUST_USE enum err registry_add_ca(struct txn *t, const struct ca_registration *r, int64_t now,
    struct diag *diag);

/* What updateCACertificate changes; NULL: unchanged. */
struct ca_update {
	const enum ca_status *status;
	const bool *auto_registration;
	const struct view *template_body, *role_arn;
	struct view template_form; /* with template_body (codec_form.h) */
	bool remove_auto_registration;
	struct ca_settings_update settings;
};

MUST_USE enum err registry_update_ca(struct txn *t, const struct certid *id,
    const struct ca_update *update, int64_t now, struct diag *diag);
MUST_USE enum err registry_remove_ca(struct txn *t, const struct certid *id, struct diag *diag);

/* A certificate registered by a command. */
struct cert_registration {
	struct x509_st *x;
	struct view pem;
	bool with_ca;           /* false: registerCertificateWithoutCA */
	struct x509_st *issuer; /* caCertificatePem; NULL: searched among the registered CAs */
	enum cert_status status;
};

/* *id: of the new certificate; after ERR_EXISTS: of the one that is registered. */
MUST_USE enum err registry_add_cert(struct txn *t, const struct cert_registration *r, int64_t now,
    struct certid *id, struct diag *diag);

/* *was: the status before.  A certificate that becomes ACTIVE supersedes the older ones of
 * its things if its CA is configured so. */
MUST_USE enum err registry_set_cert_status(struct txn *t, const struct certid *id,
    enum cert_status status, int64_t now, enum cert_status *was, struct diag *diag);
/* force: detaches its policies; attached things are an error in any case.  arn_prefix: the
 * beginning of its ARN, for *diag ("arn:aws:iot:local:000000000000:"). */
MUST_USE enum err registry_remove_cert(struct txn *t, const struct certid *id, bool force,
    const char *arn_prefix, struct diag *diag);

/* Sets the status.  note: the reason; NULL: a command. */
void registry_put_status(struct txn *t, struct cert *cert, enum cert_status status,
    const struct cert_note *note, int64_t now);

#endif
