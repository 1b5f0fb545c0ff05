/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509_private.h - shared by the x509*.c and crl*.c files.
 */
#ifndef JITR_X509_PRIVATE_H
#define JITR_X509_PRIVATE_H

#include "jitr/adapter/x509.h"

struct X509_name_st; /* OpenSSL's X509_NAME */

/* The PEM of a longer DER would exceed X509_PEM_MAX. */
#define X509_DER_MAX 48000

#define EXTENSIONS_MAX 64 /* the search for duplicates is quadratic */

/*
 * Functions that let OpenSSL process data from outside begin with openssl_begin() and,
 * if they fail, end with openssl_failure().  It empties the error queue and
 * distinguishes a lack of memory, which is not the input's fault, from other errors.
 * Not every allocation failure in OpenSSL is in the queue, but malloc() sets errno
 * (POSIX).
 */
void openssl_begin(void);
enum err openssl_failure(enum err otherwise);

/* At the end of a successful function: ERR_NOMEM if memory ran out since
 * openssl_begin().  OpenSSL may have gone on without data that it could not read, and
 * would keep it that way. */
MUST_USE enum err memory_or_ok(void);

/* The hash by which OpenSSL names the files of a capath. */
MUST_USE bool name_hash(const struct X509_name_st *name, uint32_t *out);

/* The kind of block that a PEM text must contain. */
struct pem_kind {
	const char *label; /* RFC 7468 label, at most 16 characters */
	const char *noun;  /* for *diag */
	size_t max;        /* characters, at most INT_MAX */
};

#define PEM_CERTIFICATE "CERTIFICATE"

/* The bytes of the only block, allocated; free with free().  Otherwise ERR_CERTIFICATE
 * and *diag. */
MUST_USE enum err pem_decode(struct view pem, const struct pem_kind *kind, uint8_t **der,
    size_t *len, struct diag *diag);

/* Are signatures by this kind of key over this digest accepted?  NIDs of OpenSSL;
 * NID_undef for the digest that is part of EdDSA. */
MUST_USE bool algorithm_is_strong(int key, int digest);

#define STRONG_ALGORITHMS \
	"SHA-256, SHA-384 or SHA-512 with RSA or ECDSA, SHA-256 with DSA, and EdDSA are"

/* A name on one line, in the form of x509_subject_text(). */
void name_text(const struct X509_name_st *name, char *out, size_t size);

#define KEY_BITS_MIN 2048 /* of RSA and DSA (aws-iot D.6) */
#define KEY_BITS_MAX 8192 /* verifying takes 0.3 ms; four times as long for twice the size */

/* Is the key strong enough, and its verification cheap enough? */
MUST_USE bool key_is_strong(struct x509_st *x);

/* Was the certificate signed with an accepted algorithm? */
MUST_USE bool signature_is_strong(struct x509_st *x);

/* Are all extensions well-formed, unique, and known if critical? */
MUST_USE bool extensions_are_known(struct x509_st *x);

MUST_USE bool is_ca_certificate(struct x509_st *x); /* basicConstraints */

/* The NID of an elliptic curve key's named curve; NID_undef: another kind of key, or
 * explicit parameters. */
int named_curve(const struct x509_st *x);

/* ms since 1970 */
MUST_USE bool validity_read(const struct x509_st *x, int64_t *not_before, int64_t *not_after);

#endif
