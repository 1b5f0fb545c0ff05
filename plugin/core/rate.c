/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* rate.c - see rate.h. */
#include "jitr/core/rate.h"

#define SECOND_US 1000000

static const struct rate refusal_rate = { 20, 2 };
static const struct rate line_rate = { 5 * (LINES_INTERVAL_US / SECOND_US), 1 };

/* The level rises by whole units; the rest of the time counts the next time. */
int64_t
bucket_level(struct bucket *b, const struct rate *r, int64_t now)
{
	int64_t elapsed = now - b->filled, gained;

	if (b->filled == 0 || elapsed / SECOND_US > (r->most - b->level) / r->a_second) {
		*b = (struct bucket){ r->most, now };
		return b->level;
	}
	gained = elapsed * r->a_second / SECOND_US;
	if (gained > r->most - b->level)
		gained = r->most - b->level;
	if (gained <= 0)
		return b->level;
	b->level += gained;
	b->filled += gained * SECOND_US / r->a_second;
	if (b->level == r->most)
		b->filled = now;
	return b->level;
}

void
bucket_take(struct bucket *b, int64_t amount)
{
	b->level -= amount;
}

/* With the secret seed a caller cannot choose a name that shares another's budget. */
uint64_t
caller_hash(uint64_t seed, const char *name)
{
	uint64_t hash = hash_bytes(HASH_START ^ seed, view_of(name));

	return hash ^ hash >> 32;
}

bool
refusals_may_answer(struct refusals *r, uint64_t caller, int64_t now)
{
	size_t i = caller % CALLERS_MAX;

	if (now - r->callers[i].asked >= REFUSAL_PAUSE_US)
		r->callers[i].answered = 0;
	r->callers[i].asked = now;
	if (r->callers[i].answered == REFUSALS_AT_ONCE ||
	    bucket_level(&r->all, &refusal_rate, now) <= 0)
		return false;
	r->callers[i].answered++;
	bucket_take(&r->all, 1);
	return true;
}

bool
lines_may_log(struct lines *l, int64_t now)
{
	int64_t cost = LINES_INTERVAL_US / SECOND_US;

	if (bucket_level(&l->bucket, &line_rate, now) >= cost) {
		bucket_take(&l->bucket, cost);
		return true;
	}
	if (l->suppressed++ == 0)
		l->since = now;
	return false;
}

uint64_t
lines_suppressed(struct lines *l, int64_t now)
{
	uint64_t suppressed = l->suppressed;

	if (suppressed == 0 || now - l->since < LINES_INTERVAL_US)
		return 0;
	l->suppressed = 0;
	return suppressed;
}
