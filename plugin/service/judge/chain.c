/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* chain.c - see chain.h. */
#include "chain.h"
#include "jitr/adapter/trust_chain.h"

struct registered {
	struct txn *t;
	struct issuer_cache *issuers;
};

/* A trust_finder: finds CAs as handshakes do (anchors.h), in this transaction. */
static size_t
find_registered(void *context, uint32_t subject_hash, struct x509_st **found, size_t max)
{
	struct registered *r = context;
	struct ca ca;
	size_t count = 0;

	for (size_t nth = 0; count < max; nth++) {
		if (store_find_issuer(r->t, subject_hash, nth, &ca) != ERR_OK)
			break;
		if (issuer_get_ca(r->t, r->issuers, &ca.id, &found[count]) == ERR_OK)
			count++;
	}
	return count;
}

enum err
chain_verify(struct judge *judge, struct txn *t, struct x509_st *x, struct diag *diag)
{
	struct registered r = { t, &judge->issuers };
	struct trust_config config = { .find = find_registered,
		.context = &r,
		.files_too = judge->config.trust_store == TRUST_STORE_CAPATH };

	return trust_verify(x, &config, judge->config.now(), diag);
}

bool
chain_is_live(const struct judge *judge)
{
	return judge->config.trust_store == TRUST_STORE_LIVE;
}
