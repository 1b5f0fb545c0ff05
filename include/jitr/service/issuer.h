/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * issuer.h - finds the registered CA that issued a certificate.
 *
 * By name, then by key identifier, then by signature: names are not unique, and a
 * certificate can name any issuer, but only the CA's key can sign it.  At most
 * CA_SAME_SUBJECT_MAX signatures are checked.
 */
#ifndef JITR_ISSUER_H
#define JITR_ISSUER_H

#include "jitr/adapter/store.h"

struct x509_st;

/* Parsed CA certificates: parsing costs more than checking a signature.  An entry never
 * becomes stale, because an id (a hash) always names the same certificate.  One thread per
 * cache. */
#define ISSUER_CACHE_SIZE 64

struct issuer_cache {
	struct {
		struct certid id;
		struct x509_st *x; /* NULL: free */
		uint64_t used;
	} entry[ISSUER_CACHE_SIZE];
	uint64_t clock;
};

void issuer_cache_clear(struct issuer_cache *c);

/* The parsed CA: a reference, which the caller frees.  c may be NULL. */
MUST_USE enum err issuer_get_ca(struct txn *t, struct issuer_cache *c, const struct certid *id,
    struct x509_st **out);

struct issuer {
	struct ca ca; /* key_id points into the transaction */
	/* NO: registered CAs have the issuer's name, but none of them signed; ca is one of
	 * them.  NOT_ASKED: no registered CA has that name. */
	enum answer issued;
	size_t matches; /* registered CAs with that name and the key that signed */
};

/* Of several matches, one that may register certificates is preferred, then the newest
 * (aws-iot D.2).  cache may be NULL. */
MUST_USE enum err issuer_find(struct txn *t, struct issuer_cache *cache, struct x509_st *x,
    struct issuer *out);

/*
 * Finds the CA certificate that signed x and is valid now.  If there is none, *out
 * is one that has expired or is not yet valid, unless *found says that the caller has one in
 * *out already.
 *
 * If the caller has none and all CAs of that name are valid, no signature is checked and
 * nothing changes.  cache may be NULL.
 */
MUST_USE enum err issuer_validity(struct txn *t, struct issuer_cache *cache, struct x509_st *x,
    int64_t now, struct ca *out, bool *found);

#endif
