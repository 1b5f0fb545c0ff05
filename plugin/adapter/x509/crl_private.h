/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_private.h - what the crl*.c files share.  Private.
 */
#ifndef JITR_CRL_PRIVATE_H
#define JITR_CRL_PRIVATE_H

#include "jitr/adapter/crl.h"
#include "jitr/core/crl_walk.h"

struct X509_crl_st;   /* OpenSSL's X509_CRL */
struct X509_algor_st; /* OpenSSL's X509_ALGOR */

/* A list that is being read. */
struct crl_reading {
	struct crl_parts parts;
	struct X509_crl_st *frame; /* the list without its entries, as OpenSSL sees it */
	struct x509_st *ca;
	int64_t grace, now;
	int64_t valid_from; /* of one that is not valid yet; otherwise 0 */
};

/* All there is to check but the entries; dates and number go to *facts. */
MUST_USE bool crl_check(struct crl_reading *r, struct crl *facts, struct diag *diag);

/* How a list is signed; numbers of OpenSSL. */
struct crl_scheme {
	int key, digest; /* as algorithm_is_strong() takes them */
	int mask_digest; /* of RSA-PSS: its mask generation function */
	long salt_len;   /* the same */
};

MUST_USE bool crl_scheme_read(const struct X509_algor_st *algorithm, struct crl_scheme *out);

/* Is the list signed so with the key of the CA, which is a strong one?  Over its
 * bytes as they came. */
MUST_USE bool crl_signature_is_good(const struct crl_parts *parts, const struct crl_scheme *scheme,
    struct x509_st *ca);

/* The places of entries in the order of their serial numbers, each number once:
 * allocated, free with free(); NULL when there are none.  ERR_CERTIFICATE and
 * *diag: an entry is not fit. */
MUST_USE enum err crl_sort(struct view entries, uint32_t **places, uint32_t *count,
    struct diag *diag);

/* The entry at a place. */
MUST_USE bool crl_entry_at(struct view entries, uint32_t place, struct view *serial,
    struct revoked *out);

#endif
