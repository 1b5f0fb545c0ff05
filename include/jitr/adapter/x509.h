/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509.h - certificates.  With crl.h and trust.h the only code that uses OpenSSL.
 *
 * Turns certificates into plain facts.  OpenSSL's types are declared, its headers are
 * not included.  Its error queue is empty on return.  Any thread; one object in one
 * thread at a time.
 */
#ifndef JITR_X509_H
#define JITR_X509_H

#include "jitr/core/decide.h"
#include "jitr/core/facts.h"

struct x509_st; /* OpenSSL's X509 */

#define X509_PEM_MAX 65536 /* characters (aws-iot 1.7, CertificatePem) */

/* Identity and validity, needed for each connection.  Fails on a certificate that
 * cannot be encoded, or has times that cannot be read. */
MUST_USE enum err x509_read(struct x509_st *x, struct presented *out);

/* The remaining facts, needed for registration: sets the rest of *out except
 * issued_by_ca.  ERR_NOMEM: they are unknown and refuse. */
enum err x509_read_strength(struct x509_st *x, struct presented *out);

/* Where to find the issuer: OpenSSL's X509_NAME_hash of the issuer name, and the key id
 * of the authorityKeyIdentifier, empty if there is none (RFC 5280 4.2.1.1).  The view
 * is valid as long as x. */
struct issuer_hint {
	uint32_t subject_hash;
	struct view key_id;
};

MUST_USE enum err x509_issuer_hint(struct x509_st *x, struct issuer_hint *out);

/* Exactly one certificate with nothing behind it.  Free with x509_free().  Otherwise
 * ERR_CERTIFICATE and *diag. */
MUST_USE enum err x509_from_der(struct view der, struct x509_st **out, struct diag *diag);

/* Exactly one CERTIFICATE block (RFC 7468); text around it is ignored. */
MUST_USE enum err x509_from_pem(struct view pem, struct x509_st **out, struct diag *diag);
void x509_free(struct x509_st *x); /* NULL is fine */
void x509_free_all(struct x509_st **x, size_t count);
void x509_hold(struct x509_st *x); /* adds a reference */

/* The DER of x as it was received, allocated; free with free(). */
MUST_USE enum err x509_to_der(struct x509_st *x, uint8_t **der, size_t *len);

/* Base64 (RFC 4648 section 4), ignoring white space; allocated, free with free().
 * ERR_CERTIFICATE: invalid. */
MUST_USE enum err base64_decode(struct view text, uint8_t **out, size_t *len);

/* PEM of a DER certificate, allocated and terminated; free with free(). */
MUST_USE enum err x509_pem_from_der(struct view der, char **pem);

/* Was x issued by ca: issuer name equal to ca's subject (RFC 5280 7.1), key identifiers
 * consistent, signature valid for ca's key?  Costs a public key operation, so only used
 * for certificates that are not registered.  ANSWER_NOT_ASKED: out of memory. */
enum answer x509_issued_by(struct x509_st *x, struct x509_st *ca);

/* May this certificate be registered as a CA now (aws-iot C)?  Checks basicConstraints
 * CA, keyCertSign if there is a keyUsage, key strength, validity, critical extensions.
 * ERR_CERTIFICATE and *diag. */
MUST_USE enum err x509_check_ca(struct x509_st *x, int64_t now, struct diag *diag);

/* The facts of a CA record: id, validity, subject hash, key id (a view valid as long as
 * x; empty if longer than 64 bytes). */
MUST_USE enum err x509_read_ca(struct x509_st *x, struct ca *out);

/* May this certificate be registered as a client's now (aws-iot D.6)?  Checks strength
 * and validity.  ERR_CERTIFICATE and *diag. */
MUST_USE enum err x509_check_client(struct x509_st *x, int64_t now, struct diag *diag);

/* Proof of possession (aws-iot C): the verification certificate must be signed with
 * ca's key, valid now, and have exactly one common name in its subject, which is copied
 * to code (at most 64 characters, otherwise ERR_PROOF). */
MUST_USE enum err x509_check_verification(struct x509_st *verification, struct x509_st *ca,
    int64_t now, char code[65], struct diag *diag);

/* The subject on one line as in RFC 2253, unescaped bytes.  Always terminated;
 * truncated if it does not fit. */
void x509_subject_text(struct x509_st *x, char *out, size_t size);

/* Lets TLS servers of this process accept a certificate that is not self-signed as a
 * trust anchor: a registered sub-CA is sufficient (mosquitto section 9.4).  Call once, before
 * listeners are opened.  undo restores OpenSSL's default. */
MUST_USE enum err x509_trust_partial_chains(void);
void x509_trust_partial_chains_undo(void);

/* The facts for policies and rules (facts.h).  Free with free(). */
MUST_USE enum err x509_read_facts(struct x509_st *x, struct cert_facts **out);

/* SHA-256. */
MUST_USE enum err sha256_of(struct view bytes, struct certid *out);

/* Random bytes for codes and ids. */
MUST_USE enum err random_fill(void *out, size_t len);

#endif
