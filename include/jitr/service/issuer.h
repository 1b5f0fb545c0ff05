/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * issuer.h - which registered CA issued a certificate.
 *
 * By name, then by key identifier, then by signature: names are not unique,
 * and its name can be written without its key.  At most
 * CA_SAME_SUBJECT_MAX signatures are checked.
 */
#ifndef JITR_ISSUER_H
#define JITR_ISSUER_H

#include "jitr/adapter/store.h"

struct x509_st;

/* CA certificates parsed once: parsing costs more than the signature check.
 * An id names its certificate for ever, so an entry never grows stale. */
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

/* The parsed CA, with a reference that the caller frees; c may be NULL. */
MUST_USE enum err issuer_get_ca(struct txn *t, struct issuer_cache *c, const struct certid *id,
    struct x509_st **out);

struct issuer {
	struct ca ca; /* key_id points into the transaction */
	/* NO: a registered CA has that name, but did not sign; ca is one of them.
	 * NOT_ASKED: no registered CA has that name. */
	enum answer issued;
	size_t matches; /* how many registered CAs signed it: same name, same key */
};

/* Of several that match, the one that may register is taken, then the newest
 * (aws-iot D.2).  cache may be NULL.  One thread per cache. */
MUST_USE enum err issuer_find(struct txn *t, struct issuer_cache *cache, struct x509_st *x,
    struct issuer *out);

/*
 * A CA certificate that is valid now and whose key signed x; otherwise one that is not
 * valid, if *found does not say that the caller has one in *out already.
 *
 * Without a CA of its name that is out of its validity no signature is checked and
 * nothing changes: then there is no fault to find.  cache may be NULL.
 */
MUST_USE enum err issuer_validity(struct txn *t, struct issuer_cache *cache, struct x509_st *x,
    int64_t now, struct ca *out, bool *found);

#endif
