/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * x509_private.h - what the x509*.c files share.  Not for anybody else.
 */
#ifndef JITR_X509_PRIVATE_H
#define JITR_X509_PRIVATE_H

#include "jitr/x509.h"

/* DER above this has a PEM above X509_PEM_MAX: it could be shown to nobody. */
#define X509_DER_MAX 48000

/* Call when OpenSSL failed: empties its error queue and tells a shortage of
 * memory, which is nobody's fault, from everything else. */
enum err openssl_failure(enum err otherwise);

/* A key with which a signature is worth checking and not too dear to check. */
MUST_USE bool key_is_strong(struct x509_st *x);

/* The NID of the curve that an elliptic key names; NID_undef: it is none, or it
 * has parameters of its own. */
int named_curve(const struct x509_st *x);

/* In ms since 1970. */
MUST_USE bool validity_read(const struct x509_st *x, int64_t *not_before, int64_t *not_after);

#endif
