/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* departed.c - see departed.h. */
#include <stdlib.h>

/* Out of memory is an answer here, not the end of the broker. */
#define HASH_NONFATAL_OOM 1

#include "departed.h"
#include <utlist.h>

#include "jitr/x509.h"

static struct departed *
find(struct departures *all, const void *client)
{
	struct departed *d;

	HASH_FIND_PTR(all->by_client, &client, d);
	return d;
}

/* After the next tick the broker shows the certificate to no plugin any more. */
static void
leave_fresh(struct departures *all, struct departed *d)
{
	if (!d->fresh)
		return;
	x509_free(d->x);
	d->x = NULL;
	d->fresh = false;
	DL_DELETE(all->fresh, d);
}

void
departed_forget(struct departures *all, const void *client)
{
	struct departed *d = find(all, client);

	if (d == NULL)
		return;
	leave_fresh(all, d);
	HASH_DELETE(hh, all->by_client, d);
	free(d);
}

void
departed_add(struct departures *all, const struct departed *d)
{
	struct departed *copy;

	departed_forget(all, d->client);
	copy = malloc(sizeof(*copy));
	if (copy == NULL)
		return;
	*copy = *d;
	HASH_ADD_PTR(all->by_client, client, copy);
	if (find(all, d->client) == NULL) {
		free(copy);
		return;
	}
	if (copy->x != NULL)
		x509_hold(copy->x);
	copy->fresh = true;
	DL_APPEND(all->fresh, copy);
}

struct departed *
departed_find(struct departures *all, const void *client, const struct x509_st *x)
{
	struct departed *d = find(all, client);

	return d != NULL && (x == NULL || x == d->x) ? d : NULL;
}

void
departed_tick(struct departures *all)
{
	struct departed *d;

	while ((d = all->fresh) != NULL) {
		leave_fresh(all, d);
		if (d->freed_at_once)
			departed_forget(all, d->client);
	}
}

void
departed_clear(struct departures *all)
{
	struct departed *d, *next;

	HASH_ITER(hh, all->by_client, d, next)
		departed_forget(all, d->client);
}
