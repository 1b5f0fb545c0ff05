/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* counters.c - see counters.h. */
#include <stdlib.h>

#include "jitr/service/counters.h"

struct counters {
	struct counters_config config;
	int64_t published;       /* ms, monotonic */
	struct certid last_list; /* the CA of the list that was published last */
	bool more_lists;         /* there may be lists after that one */
};

enum err
counters_open(const struct counters_config *config, struct counters **out)
{
	struct counters *c = calloc(1, sizeof(*c));

	*out = c;
	if (c == NULL)
		return ERR_NOMEM;
	c->config = *config;
	return ERR_OK;
}

void
counters_close(struct counters *c)
{
	free(c);
}

/* All values come from one snapshot of the registry.  lists: of STATS_CRLS_MAX; NULL: no
 * memory. */
static void
read_registry(struct counters *c, struct store_counts *counts, struct crl_entry *lists,
    struct gauges *out)
{
	const struct certid *after = c->more_lists ? &c->last_list : NULL;
	struct txn t;

	if (store_read(c->config.store, &t) != ERR_OK)
		return;
	if (store_count(&t, counts) == ERR_OK)
		out->counts = counts;
	if (lists == NULL ||
	    store_list_crls(&t, after, lists, STATS_CRLS_MAX, &out->crl_count) != ERR_OK)
		out->crl_count = 0;
	store_end(&t);
	c->more_lists = out->crl_count == STATS_CRLS_MAX;
	if (c->more_lists)
		c->last_list = lists[STATS_CRLS_MAX - 1].ca_id;
}

static void
publish(struct counters *c)
{
	struct crl_entry *lists = calloc(STATS_CRLS_MAX, sizeof(*lists));
	struct gauges gauges = { .now = c->config.now(), .crls = lists };
	struct store_counts counts;

	read_registry(c, &counts, lists, &gauges);
	c->config.writer.read(c->config.writer.context, &gauges.writer);
	stats_publish(c->config.stats, &gauges, c->config.broker);
	free(lists);
}

void
counters_tick(struct counters *c, int64_t now)
{
	if (c->config.interval == 0 || now - c->published < c->config.interval)
		return;
	c->published = now;
	publish(c);
}
