/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* allow_cache.c - see allow_cache.h. */
#include <string.h>

#include "jitr/service/allow_cache.h"

/* The end of a topic tells those of one device apart, its number those of
 * different devices.  Speed counts, not strength: what is found is compared. */
static size_t
place_of(const struct allow_cache_question *q)
{
	uint64_t end = 0;
	uint64_t mixed;

	if (q->topic.len >= sizeof(end))
		memcpy(&end, q->topic.data + q->topic.len - sizeof(end), sizeof(end));
	mixed = (end ^ q->session << 3 ^ q->topic.len << 32 ^ q->action) * 0x9e3779b97f4a7c15u;
	return mixed >> 52 & (ALLOW_CACHE_ENTRIES - 1);
}

bool
allow_cache_has(const struct allow_cache *r, const struct allow_cache_question *q)
{
	const struct allow_cache_entry *e = &r->entries[place_of(q)];

	return e->session == q->session && e->rights_version == q->rights_version &&
	    e->action == q->action && e->len == q->topic.len &&
	    memcmp(e->topic, q->topic.data, e->len) == 0;
}

void
allow_cache_keep(struct allow_cache *r, const struct allow_cache_question *q)
{
	struct allow_cache_entry *e = &r->entries[place_of(q)];

	if (q->topic.len > sizeof(e->topic))
		return;
	e->session = q->session;
	e->rights_version = q->rights_version;
	e->action = q->action;
	e->len = (uint32_t)q->topic.len;
	memcpy(e->topic, q->topic.data, q->topic.len);
}
