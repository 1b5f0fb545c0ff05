/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* snapshot.c - read transactions of the gate. */
#include "gate_private.h"

struct txn *
gate_read(struct gate *g, struct txn *t)
{
	return store_read(g->config.store, t) == ERR_OK ? t : NULL;
}

void
gate_read_end(struct txn *txn_or_null)
{
	if (txn_or_null != NULL)
		store_end(txn_or_null);
}
