/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* recent.c - see recent.h. */
#include <string.h>

#include "recent.h"

/* The end of a topic tells those of one device apart, its number those of
 * different devices.  Speed counts, not strength: what is found is compared. */
static size_t
place_of(const struct recent_question *q)
{
	uint64_t end = 0;
	uint64_t mixed;

	if (q->topic.len >= sizeof(end))
		memcpy(&end, q->topic.data + q->topic.len - sizeof(end), sizeof(end));
	mixed = (end ^ q->session << 3 ^ q->topic.len << 32 ^ q->action) * 0x9e3779b97f4a7c15u;
	return mixed >> 52 & (RECENT_ENTRIES - 1);
}

bool
recent_has(const struct recent *r, const struct recent_question *q)
{
	const struct recent_entry *e = &r->entries[place_of(q)];

	return e->session == q->session && e->stamp == q->stamp && e->action == q->action &&
	    e->len == q->topic.len && memcmp(e->topic, q->topic.data, e->len) == 0;
}

void
recent_keep(struct recent *r, const struct recent_question *q)
{
	struct recent_entry *e = &r->entries[place_of(q)];

	if (q->topic.len > sizeof(e->topic))
		return;
	e->session = q->session;
	e->stamp = q->stamp;
	e->action = q->action;
	e->len = (uint32_t)q->topic.len;
	memcpy(e->topic, q->topic.data, q->topic.len);
}
