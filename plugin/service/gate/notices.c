/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* notices.c - see notices.h. */
#include <stdlib.h>

#include "notices.h"

void *
notice_add(struct notices *all, const struct notice_type *type, size_t size)
{
	struct notice *n = all->count[type->kind] < type->max ? calloc(1, size) : NULL;

	if (n == NULL)
		return NULL;
	n->type = type;
	if (all->first == NULL)
		all->first = n;
	else
		all->last->next = n;
	all->last = n;
	all->count[type->kind]++;
	return n;
}

static struct notice *
take_first(struct notices *all)
{
	struct notice *n = all->first;

	all->first = n->next;
	all->count[n->type->kind]--;
	return n;
}

static void
notice_free(struct notice *n)
{
	if (n->type->clear != NULL)
		n->type->clear(n);
	free(n);
}

/* A log line may call the plugin again: what is appended meanwhile waits for the next tick. */
void
notices_log(struct gate *g, struct notices *all)
{
	size_t waiting = 0;

	for (size_t k = 0; k < NOTICE_KIND_COUNT; k++)
		waiting += all->count[k];
	for (; waiting > 0; waiting--) {
		struct notice *n = take_first(all);

		n->type->log(g, n);
		notice_free(n);
	}
}

void
notices_clear(struct notices *all)
{
	while (all->first != NULL)
		notice_free(take_first(all));
}
