/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* counters.c - see counters.h. */
#include <stdlib.h>

#include "jitr/service/counters.h"

/* How the registry stands, from one moment of it. */
static void
read_registry(struct counters *c, struct store_counts *counts, struct crl_entry *crls,
    struct gauges *out)
{
	const struct certid *after = c->more ? &c->last : NULL;
	struct txn t;

	if (store_read(c->store, &t) != ERR_OK)
		return;
	if (store_count(&t, counts) == ERR_OK)
		out->counts = counts;
	if (crls == NULL ||
	    store_list_crls(&t, after, crls, STATS_CRLS_MAX, &out->crl_count) != ERR_OK)
		out->crl_count = 0;
	store_end(&t);
	c->more = out->crl_count == STATS_CRLS_MAX;
	if (c->more)
		c->last = crls[STATS_CRLS_MAX - 1].ca_id;
}

static void
publish(struct counters *c)
{
	struct crl_entry *crls = calloc(STATS_CRLS_MAX, sizeof(*crls));
	struct gauges gauges = { .now = c->now(), .crls = crls };
	struct store_counts counts;

	read_registry(c, &counts, crls, &gauges);
	writer_look(c->writer, &gauges.writer);
	stats_publish(c->stats, &gauges, c->broker);
	free(crls);
}

void
counters_tick(struct counters *c, int64_t elapsed)
{
	if (c->interval == 0 || elapsed - c->published < c->interval)
		return;
	c->published = elapsed;
	publish(c);
}
