/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509.h - the door to OpenSSL, with crl.h and trust.h the only one.
 *
 * Turns certificates into plain facts.  OpenSSL types are named, never
 * included; OpenSSL's error queue is empty on return.  Any thread, but one
 * object is used by one thread at a time.
 */
#ifndef JITR_X509_H
#define JITR_X509_H

#include "jitr/core/decide.h"
#include "jitr/core/facts.h"

struct x509_st; /* OpenSSL's X509 */

#define X509_PEM_MAX 65536 /* characters (aws-iot 1.7, CertificatePem) */

/* The hot facts: identity and validity.  Fails on a certificate that cannot
 * be encoded or whose times cannot be read. */
MUST_USE enum err x509_read(struct x509_st *x, struct presented *out);

/* The facts that registration needs as well: fills the rest of *out but
 * issued_by_ca.  ERR_NOMEM: they are not known; they refuse. */
enum err x509_read_strength(struct x509_st *x, struct presented *out);

/* Where to look for the issuer: OpenSSL's X509_NAME_hash of the issuer name,
 * and the authorityKeyIdentifier's key id, empty when there is none (RFC 5280
 * 4.2.1.1).  The view lives as long as x. */
struct issuer_hint {
	uint32_t subject_hash;
	struct view key_id;
};

MUST_USE enum err x509_issuer_hint(struct x509_st *x, struct issuer_hint *out);

/* Exactly one certificate and nothing behind it.  Free with x509_free().
 * ERR_CERTIFICATE and *diag on anything else. */
MUST_USE enum err x509_from_der(struct view der, struct x509_st **out, struct diag *diag);

/* Exactly one CERTIFICATE block (RFC 7468); text around it is ignored. */
MUST_USE enum err x509_from_pem(struct view pem, struct x509_st **out, struct diag *diag);
void x509_free(struct x509_st *x); /* NULL is fine */
void x509_free_all(struct x509_st **x, size_t count);
void x509_hold(struct x509_st *x); /* one more reference */

/* The DER of x as it was received, allocated; free with free(). */
MUST_USE enum err x509_to_der(struct x509_st *x, uint8_t **der, size_t *len);

/* Base64 (RFC 4648 section 4), white space skipped; allocated, free with free().
 * ERR_CERTIFICATE: it is none. */
MUST_USE enum err base64_decode(struct view text, uint8_t **out, size_t *len);

/* PEM of a DER certificate, allocated, terminated; free with free(). */
MUST_USE enum err x509_pem_from_der(struct view der, char **pem);

/* Is x issued by ca: issuer name equal to ca's subject (RFC 5280 7.1), key
 * identifiers not contradicting, signature good under ca's key?  Costs a
 * public key operation: asked only for certificates that are not registered.
 * ANSWER_NOT_ASKED: out of memory. */
enum answer x509_issued_by(struct x509_st *x, struct x509_st *ca);

/* May this certificate be registered as a CA at this time (aws-iot C)?
 * basicConstraints CA, keyCertSign if there is a keyUsage, key strength,
 * validity, no unknown critical extension.  ERR_CERTIFICATE and *diag. */
MUST_USE enum err x509_check_ca(struct x509_st *x, int64_t now, struct diag *diag);

/* The facts of a CA record: id, validity, subject hash, key id (a view that
 * lives as long as x, empty when longer than 64 bytes). */
MUST_USE enum err x509_read_ca(struct x509_st *x, struct ca *out);

/* May this certificate be registered as a client's at this time (aws-iot
 * D.6)?  Strength and validity; ERR_CERTIFICATE and *diag. */
MUST_USE enum err x509_check_client(struct x509_st *x, int64_t now, struct diag *diag);

/* Proof of possession (aws-iot C): a verification certificate signed by ca's
 * key, within its validity, with exactly one subject common name, which is
 * copied to code (at most 64 characters, else ERR_PROOF). */
MUST_USE enum err x509_check_verification(struct x509_st *verification, struct x509_st *ca,
    int64_t now, char code[65], struct diag *diag);

/* The subject on one line, RFC 2253 style, raw bytes: escape before use.
 * Always terminated; cut when it does not fit. */
void x509_subject_text(struct x509_st *x, char *out, size_t size);

/* Let a certificate that is not self-signed be a trust anchor of TLS servers
 * in this process: a registered sub-CA vouches by itself (mosquitto section 9.4).
 * Once, before listeners are opened.  undo gives OpenSSL's rule back. */
MUST_USE enum err x509_trust_partial_chains(void);
void x509_trust_partial_chains_undo(void);

/* What policies may ask of it: facts.h.  Free with free(). */
MUST_USE enum err x509_read_facts(struct x509_st *x, struct cert_facts **out);

/* SHA-256. */
MUST_USE enum err sha256_of(struct view bytes, struct certid *out);

/* Random bytes for codes and ids. */
MUST_USE enum err random_fill(void *out, size_t len);

#endif
