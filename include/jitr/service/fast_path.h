/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fast_path.h - three shortcuts for the packets of known clients.
 *
 * Each only saves work: without it the slow way gives the same answer.  A publication takes
 * 217 instructions of the plugin, counted under callgrind with 64 sessions and one policy of
 * three statements (x86-64, gcc -O2, LTO).  Without one of the shortcuts it takes:
 *
 *	front of the index     310
 *	session_known()       1427   by gate_access(), which reads the certificate; the broker's
 *	                             part of that is not counted
 *	recent permissions    1434
 *
 * A topic that is not among the recent permissions takes 57 more than without them.
 *
 * Broker thread.
 */
#ifndef JITR_FAST_PATH_H
#define JITR_FAST_PATH_H

#include "jitr/core/base.h"

struct session;

/*
 * Sessions by the broker's pointer to the client: a hash, and in front of it the sessions
 * that were found last.
 */
#define FRONT_SIZE 1024 /* a power of two */

struct session_index {
	struct session *by_client; /* uthash */
	struct session *front[FRONT_SIZE];
};

struct session *session_index_find(struct session_index *index, const void *client);

/* false: out of memory. */
MUST_USE bool session_index_add(struct session_index *index, struct session *session);
void session_index_remove(struct session_index *index, struct session *session);

/*
 * A session by the addresses of the broker's own texts, without reading the certificate of
 * the connection.  The user name must be the certificateId that the plugin set: it is
 * compared each time, since another text may be at its address (the broker frees it
 * and takes one from the certificate at SIGHUP; mosquitto section 0, 6).  NULL: call
 * session_find().
 */
struct session *session_known(struct session_index *index, const void *client,
    const char *broker_id, const char *user_name);

/*
 * Recent permissions: a device publishes mostly to a few topics, and its policies need not be
 * asked again as long as nothing has changed.  Only permissions are kept.  The whole
 * question is compared, so a collision cannot give a wrong answer.
 */
#define ALLOW_CACHE_ENTRIES   4096 /* a power of two */
#define ALLOW_CACHE_TOPIC_MAX 215

struct allow_cache_entry {
	uint64_t session;        /* its number; 0: empty */
	uint64_t rights_version; /* of its rights */
	uint32_t len;
	uint8_t action;
	char topic[ALLOW_CACHE_TOPIC_MAX];
};

struct allow_cache {
	struct allow_cache_entry entries[ALLOW_CACHE_ENTRIES];
};

struct allow_cache_question {
	uint64_t session, rights_version;
	uint8_t action;
	struct view topic;
};

bool allow_cache_has(const struct allow_cache *c, const struct allow_cache_question *q);
void allow_cache_keep(struct allow_cache *c, const struct allow_cache_question *q);

#endif
