/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_private.h - shared by the crl*.c files.
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
	struct X509_crl_st *skeleton; /* the list without its entries */
	struct crl_terms terms;
	int64_t valid_from; /* thisUpdate of a list that is not valid yet; otherwise 0 */
};

/* Checks everything except the entries; sets dates, number and scope of *facts. */
MUST_USE bool crl_check(struct crl_reading *r, struct crl *facts, struct diag *diag);

/* The signature scheme of a list; NIDs of OpenSSL. */
struct crl_scheme {
	int key, digest; /* as for algorithm_is_strong() */
	int mask_digest; /* RSA-PSS: digest of its mask generation function */
	long salt_len;   /* RSA-PSS: salt length */
};

MUST_USE bool crl_scheme_read(const struct X509_algor_st *algorithm, struct crl_scheme *out);

/* Verifies the signature over the received bytes with the key of the CA, which must be
 * strong. */
MUST_USE bool crl_signature_is_good(const struct crl_parts *parts, const struct crl_scheme *scheme,
    struct x509_st *ca);

/* Offsets of the entries in order of their serial numbers, each number once: allocated,
 * free with free(); NULL if there are none.  ERR_CERTIFICATE and *diag: an entry is
 * invalid. */
MUST_USE enum err crl_sort(struct view entries, uint32_t **offsets, uint32_t *count,
    struct diag *diag);

/* The entry at an offset. */
MUST_USE bool crl_entry_at(struct view entries, uint32_t offset, struct view *serial,
    struct revoked *out);

#endif
