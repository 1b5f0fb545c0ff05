/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* fast_path.c - see fast_path.h. */
#include <string.h>

/* Report a lack of memory instead of exiting. */
#define HASH_NONFATAL_OOM 1

#include "jitr/service/fast_path.h"
#include "jitr/service/session.h"

/*
 * Sessions by client.
 */

/* Clients are some kilobytes apart. */
static struct session **
front_of(struct session_index *index, const void *client)
{
	uintptr_t at = (uintptr_t)client;

	return &index->front[(at >> 4 ^ at >> 14) & (FRONT_SIZE - 1)];
}

struct session *
session_index_find(struct session_index *index, const void *client)
{
	struct session **front = front_of(index, client), *session;

	if (*front != NULL && (*front)->client == client)
		return *front;
	HASH_FIND_PTR(index->by_client, &client, session);
	if (session != NULL)
		*front = session;
	return session;
}

bool
session_index_add(struct session_index *index, struct session *session)
{
	HASH_ADD_PTR(index->by_client, client, session);
	return session_index_find(index, session->client) == session;
}

void
session_index_remove(struct session_index *index, struct session *session)
{
	struct session **front = front_of(index, session->client);

	if (*front == session)
		*front = NULL;
	HASH_DELETE(hh, index->by_client, session);
}

struct session *
session_known(struct session_index *index, const void *client, const char *broker_id,
    const char *user_name)
{
	struct session *session = session_index_find(index, client);

	if (session == NULL || session->principal == NULL || session->broker_id != broker_id ||
	    broker_id == NULL || user_name == NULL)
		return NULL;
	return strcmp(user_name, session->principal->hex) == 0 ? session : NULL;
}

/*
 * Recent permissions.
 */

/* The end of a topic differs between the topics of one device, the number between devices.
 * The hash need not be strong: what is found is compared. */
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
allow_cache_has(const struct allow_cache *c, const struct allow_cache_question *q)
{
	const struct allow_cache_entry *e = &c->entries[place_of(q)];

	return e->session == q->session && e->rights_version == q->rights_version &&
	    e->action == q->action && e->len == q->topic.len &&
	    memcmp(e->topic, q->topic.data, e->len) == 0;
}

void
allow_cache_keep(struct allow_cache *c, const struct allow_cache_question *q)
{
	struct allow_cache_entry *e = &c->entries[place_of(q)];

	if (q->topic.len > sizeof(e->topic))
		return;
	e->session = q->session;
	e->rights_version = q->rights_version;
	e->action = q->action;
	e->len = (uint32_t)q->topic.len;
	memcpy(e->topic, q->topic.data, q->topic.len);
}
