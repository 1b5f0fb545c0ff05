/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* departed.c - see departed.h. */
#include <stdlib.h>

/* Out of memory is an answer here, not the end of the broker. */
#define HASH_NONFATAL_OOM 1

#include "departed.h"
#include <utlist.h>

#include "jitr/adapter/x509.h"

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

/* The byte at the end tells NULL from an empty text, and one text from the next. */
static uint64_t
hash_text(uint64_t hash, const char *text)
{
	const uint8_t end = text != NULL;

	return hash_bytes(hash_bytes(hash, view_of(text)), (struct view){ &end, 1 });
}

/* Two that collide on purpose gain nothing: either may choose the other's names. */
uint64_t
names_hash(const char *client_id, const char *user_name)
{
	return hash_text(hash_text(HASH_START, client_id), user_name);
}

/* A client that the broker is freeing has neither address nor user name any more. */
struct departed *
departed_find(struct departures *all, const struct client *c)
{
	struct departed *d = find(all, c->handle);

	if (d == NULL)
		return NULL;
	if (c->x != NULL)
		return c->x == d->x ? d : NULL;
	return c->address == NULL || d->names == names_hash(c->id, c->user_name) ? d : NULL;
}

void
departed_tick(struct departures *all)
{
	struct departed *d;

	while ((d = all->fresh) != NULL) {
		leave_fresh(all, d);
		if (d->freed_at_once || d->shared)
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
