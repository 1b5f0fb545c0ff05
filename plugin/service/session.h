/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * session.h - connected clients and the certificates they came with.
 *
 * A session is one connection; a principal is one certificate with at least
 * one session, and carries what was last decided about it.  Broker thread.
 */
#ifndef JITR_SESSION_H
#define JITR_SESSION_H

#include <uthash.h>

#include "jitr/decide.h"

struct x509_st;

struct principal {
	struct certid    id;
	enum verdict     verdict;
	enum reason      reason;
	uint64_t         generation; /* of the registry, when it was judged */
	unsigned         sessions;
	bool             to_cut;     /* on the list of those to be cut off */
	struct principal *next, *prev;
	UT_hash_handle   hh;
};

struct session {
	const void       *client;
	struct x509_st   *x;         /* held: its address stays this certificate's */
	struct principal *principal; /* NULL: a stranger, other plugins judge it */
	bool              named_by_others; /* a stranger whose user name they checked */
	UT_hash_handle    hh;
};

struct sessions {
	struct session   *by_client;
	struct principal *by_id;
	struct principal *to_cut; /* list */
	struct principal *sweep;  /* the next to look after; NULL: none */
};

/* Forgets what was remembered of this client before.  id NULL: a stranger.
 * NULL: out of memory. */
struct session   *session_add(struct sessions *s, const void *client, struct x509_st *x,
      const struct certid *id_or_null);

/* The session of this client, if it still is the one with this certificate. */
struct session   *session_find(struct sessions *s, const void *client, const struct x509_st *x);
struct principal *principal_find(struct sessions *s, const struct certid *id);
void              session_remove(struct sessions *s, const void *client);
void              sessions_clear(struct sessions *s);

/* To be cut off at the next tick; once. */
void              principal_cut(struct sessions *s, struct principal *p);
/* The next to cut off, taken from the list; NULL: none. */
struct principal *principal_next_cut(struct sessions *s);

void              sweep_start(struct sessions *s);
struct principal *sweep_next(struct sessions *s);

#endif
