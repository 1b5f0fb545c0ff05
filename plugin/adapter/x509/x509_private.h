/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509_private.h - what the x509*.c and crl*.c files share.  Private.
 */
#ifndef JITR_X509_PRIVATE_H
#define JITR_X509_PRIVATE_H

#include "jitr/adapter/x509.h"

struct X509_name_st; /* OpenSSL's X509_NAME */

/* DER above this has a PEM above X509_PEM_MAX: it could not be shown. */
#define X509_DER_MAX 48000

#define EXTENSIONS_MAX 64 /* looking for double ones is quadratic */

/*
 * A function that asks OpenSSL about what came from outside begins with
 * openssl_begin(), and ends with openssl_failure() where it fails: that empties the error
 * queue and tells a shortage of memory, which is no fault of the input, from everything
 * else.  Not each place in OpenSSL that runs out of memory says so in the queue; malloc()
 * says it in errno (POSIX).
 */
void openssl_begin(void);
enum err openssl_failure(enum err otherwise);

/* For the end of one that succeeds: has memory run out since openssl_begin()?  OpenSSL may
 * have gone on without what it could not read, and keeps it so. */
MUST_USE enum err memory_or_ok(void);

/* As OpenSSL names the files of a capath. */
MUST_USE bool name_hash(const struct X509_name_st *name, uint32_t *out);

/* What a PEM text has to hold one of. */
struct pem_kind {
	const char *label; /* RFC 7468; at most 16 characters */
	const char *noun;  /* for *diag */
	size_t max;        /* characters; at most INT_MAX */
};

#define PEM_CERTIFICATE "CERTIFICATE"

/* The bytes of the only block, allocated; free with free().  ERR_CERTIFICATE
 * and *diag when it is not that. */
MUST_USE enum err pem_decode(struct view pem, const struct pem_kind *kind, uint8_t **der,
    size_t *len, struct diag *diag);

/* Are signatures by this kind of key over this digest accepted?  Numbers of
 * OpenSSL; NID_undef for the digest that EdDSA brings along. */
MUST_USE bool algorithm_is_strong(int key, int digest);

#define STRONG_ALGORITHMS \
	"SHA-256, SHA-384 or SHA-512 with RSA or ECDSA, SHA-256 with DSA, and EdDSA are"

/* A name on one line, as x509_subject_text() has it. */
void name_text(const struct X509_name_st *name, char *out, size_t size);

/* A key with which a signature is worth checking and not too expensive to check. */
MUST_USE bool key_is_strong(struct x509_st *x);

/* The NID of the curve that an elliptic key names; NID_undef: it is none, or it
 * has parameters of its own. */
int named_curve(const struct x509_st *x);

/* In ms since 1970. */
MUST_USE bool validity_read(const struct x509_st *x, int64_t *not_before, int64_t *not_after);

#endif
