/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* anchors.c - see anchors.h. */
#include <stdlib.h>

#include "jitr/service/issuer.h"

#include "jitr/service/anchors.h"

struct anchors {
	struct store *store;
	struct issuer_cache cache;
};

enum err
anchors_open(struct store *store, struct anchors **out)
{
	struct anchors *a = calloc(1, sizeof(*a));

	*out = a;
	if (a == NULL)
		return ERR_NOMEM;
	a->store = store;
	return ERR_OK;
}

void
anchors_close(struct anchors *a)
{
	if (a == NULL)
		return;
	issuer_cache_clear(&a->cache);
	free(a);
}

size_t
anchors_find(void *context, uint32_t subject_hash, struct x509_st **found, size_t max)
{
	struct anchors *a = context;
	struct txn t;
	struct ca ca;
	size_t count = 0;

	if (store_read(a->store, &t) != ERR_OK)
		return 0;
	for (size_t nth = 0; count < max; nth++) {
		if (store_find_issuer(&t, subject_hash, nth, &ca) != ERR_OK)
			break;
		if (issuer_get_ca(&t, &a->cache, &ca.id, &found[count]) == ERR_OK)
			count++;
	}
	store_end(&t);
	return count;
}
