/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * session.h - connected clients and the certificates they came with.
 *
 * A session is one connection; a principal is one certificate, and carries
 * what was last decided about it and the policies it has.  Most principals
 * have sessions; some that have none are kept for a while, because messages
 * for offline sessions are judged by them.  Broker thread.
 */
#ifndef JITR_SESSION_H
#define JITR_SESSION_H

#include <uthash.h>

#include "jitr/core/decide.h"
#include "jitr/service/presence.h"

#include "jitr/service/rights.h"

struct x509_st;

/* Principals without a session that are kept. */
#define ABSENT_MAX 4096

struct principal {
	struct certid id;
	char hex[CERTID_HEX_SIZE];
	enum verdict verdict;
	enum reason reason;
	uint64_t generation; /* of the registry, when it was judged */
	uint64_t revision;   /* grows when it was judged anew */
	struct rights rights;
	struct plan *plan;        /* owned; what let it in before it is stored; NULL: it
	                                * is stored, or was not let in so */
	uint64_t plan_number;     /* of the plan */
	bool not_stored;          /* it could not be, and those connected are told so */
	struct cert_facts *facts; /* owned; NULL: not needed so far */
	struct session *sessions; /* list */
	enum reason cut_reason;
	bool to_cut;         /* on the list of those to be cut off */
	bool cut_told;       /* that it is being cut off, since it is on that list */
	int64_t denial_told; /* ms; 0: never */
	int64_t shared_told;
	struct principal *next, *prev; /* of that list, or of the absent ones */
	UT_hash_handle hh;
};

struct session {
	const void *client;
	const char *broker_id;       /* the broker's own text: as long as it is the same
	                              * connection, it is at the same place */
	uint64_t number;             /* given to no other session */
	struct x509_st *x;           /* held: its address stays this certificate's */
	struct principal *principal; /* NULL: other plugins judge it */
	char *checked_name;          /* owned; without a principal: the user name that others
	                              * checked at CONNECT; NULL: none, or it was not checked */

	bool admitted;           /* the certificate may, and may connect like this */
	enum reason shut_out;    /* for good, and why; REASON_NONE: it is not */
	uint64_t rights_version; /* of principal and policies, when that was found out */
	uint64_t checked_at;     /* gate's changes, when the rights_version was last compared */
	bool kicked;             /* by us */
	bool by_name;            /* the broker may not find it by its client id yet: it is
	                              * kicked by its user name */
	struct presence_session presence; /* of its events */
	struct facts facts;               /* point to what follows, and to the principal's */
	char *client_id, *address;        /* owned */
	struct thing *thing;              /* owned, one allocation; NULL: none */
	struct session *next, *prev;      /* of the principal's list */
	UT_hash_handle hh;
};

/* The sessions that are asked for again and again are found by one look. */
#define FRONT_SIZE 1024 /* a power of two */

struct sessions {
	struct session *by_client;
	struct session *front[FRONT_SIZE];
	struct principal *by_id;
	struct principal *to_cut; /* list */
	struct principal *absent; /* list, the longest unused first */
	size_t absent_count;
	struct session *sweep; /* the next to look after */
	size_t sweep_left;
	uint64_t numbered;             /* sessions so far */
	struct policy_cache *policies; /* the principals hold policies of it */
};

/* What the broker says of a connection; borrowed for the call. */
struct connection {
	const void *client;
	struct x509_st *x;
	const char *id, *address; /* NULL: none */
	const char *checked_name; /* as in struct session */
};

/* Forgets what was remembered of this client before.  id NULL: other plugins judge it.
 * NULL: out of memory. */
struct session *session_add(struct sessions *s, const struct connection *c,
    const struct certid *id_or_null);

/* The session of this client, if it still is the one with this certificate; x NULL:
 * without one. */
struct session *session_find(struct sessions *s, const void *client, const struct x509_st *x);

struct session *session_of(struct sessions *s, const void *client); /* whatever it is now */

/* The same without a look at the certificate: by the addresses of the broker's own
 * texts, once the name among them was seen to be the certificateId that the plugin
 * gave.  NULL: ask session_find(). */
struct session *session_known(struct sessions *s, const void *client, const char *broker_id,
    const char *user_name);
void session_remove(struct sessions *s, const void *client);
void sessions_clear(struct sessions *s);

struct principal *principal_find(struct sessions *s, const struct certid *id);

/* The same, made when there is none, for one that is not connected; lives
 * until the next call of these functions.  NULL: out of memory. */
struct principal *principal_absent(struct sessions *s, const struct certid *id);

/* To be closed at the next tick; once. */
void principal_disconnect(struct sessions *s, struct principal *p, enum reason reason);
/* The next of those to close, taken from the list; NULL: none. */
struct principal *principal_next_to_disconnect(struct sessions *s);

/* The same for one session of a principal, which becomes the first of its list. */
void session_disconnect(struct sessions *s, struct session *session, enum reason reason);
/* Becomes the last of its principal's list. */
void session_put_last(struct session *session);

/* Every session there is now will be visited, beginning where the last visit
 * ended: changes that come faster than a round ends leave none out. */
void sweep_start(struct sessions *s);
struct session *sweep_next(struct sessions *s);

#endif
