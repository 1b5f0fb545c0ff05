/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * session.h - clients, connected or left, and their certificates.
 *
 * A session is one connection, and what the broker may still ask about after it: its will,
 * also a delayed one, and messages for its offline session.  A principal is one certificate,
 * with the last decision about it and its policies.  Most principals have sessions; some
 * without are kept for a while, because messages for offline sessions are judged by them.
 *
 * A client is identified by the broker's pointer and its certificate.  After it left, its
 * client id and user name tell it from a later client at the same address, since the broker
 * does not tell plugins of every CONNECT.  A session that left ends when the pointer belongs
 * to another client, and at the next tick if the broker keeps nothing of it.  No two have
 * the same pointer, so there are never more than the broker had clients at one time.  A
 * million offline clients are common, so struct live is freed when a client leaves; the rest
 * is less than 200 bytes.
 *
 * Broker thread.
 */
#ifndef JITR_SESSION_H
#define JITR_SESSION_H

#include <uthash.h>

#include "jitr/core/decide.h"
#include "jitr/service/fast_path.h"
#include "jitr/service/presence.h"
#include "jitr/service/rights.h"
#include "jitr/service/session_state.h"

struct x509_st;

/* Principals without a session that are kept. */
#define ABSENT_MAX 4096

/* Is a principal on the list of those that have sessions to disconnect? */
enum principal_closing {
	PRINCIPAL_STAYS,
	PRINCIPAL_CLOSES, /* on the list */
	PRINCIPAL_LOGGED, /* on the list, and its line is in the log */
};

struct principal {
	struct certid id;
	char hex[CERTID_HEX_SIZE];
	enum verdict verdict;
	enum reason reason;
	uint64_t generation; /* of the registry, when it was judged */
	uint64_t revision;   /* incremented when it is judged again */
	struct rights rights;
	struct plan *plan;        /* owned; accepted it before it is stored; NULL: it is
				   * stored, or was not accepted by a plan */
	uint64_t plan_number;     /* of the plan: no other plan has it */
	enum reason absence;      /* why the registry does not have it; REASON_NONE: because it
				   * was deleted */
	struct cert_facts *facts; /* owned; NULL: not needed yet */
	struct session *sessions; /* list; those to disconnect come first */
	enum principal_closing closing;
	enum reason close_reason;
	int64_t denial_logged;         /* ms; 0: never */
	int64_t shared_logged;         /* ms; 0: never */
	struct principal *next, *prev; /* of the list to disconnect, or of the absent ones */
	UT_hash_handle hh;
};

/* What is needed of a session only while it is connected. */
struct live {
	struct facts facts;               /* point to the members below and to the principal */
	const char *client_id, *address;  /* in texts; NULL: none */
	struct thing *thing;              /* owned, one allocation; NULL: none */
	struct presence_session presence; /* of its events */
	bool by_name;                     /* the broker may not find it by its client id yet:
					   * it is disconnected by its user name */
	char texts[];
};

/* What the broker keeps of a client that left, after the next tick. */
enum session_keeps {
	KEEPS_NOTHING, /* or a client with a PSK may have its names */
	KEEPS_QUEUE,   /* its protocol has no delayed wills */
	KEEPS_WILL,    /* and its queue */
};

struct session {
	const void *client;
	enum session_state state;
	enum reason shut_out;        /* why it is SHUT_OUT, which a new CONNECT of the same
				  * connection does not change; REASON_NONE: it is not */
	enum session_keeps keeps;    /* after it left */
	const char *broker_id;       /* the broker's text of the client id: at the same address
				  * as long as it is the same connection; not read */
	uint64_t number;             /* given to no other session */
	struct x509_st *x;           /* held until the tick after it left, so that its address is
				  * that of this certificate; NULL: none */
	uint64_t rights_version;     /* of principal and policies, when it was judged */
	uint64_t checked_at;         /* the gate's changes, when rights_version was compared */
	struct principal *principal; /* NULL: other plugins judge it, or it left */
	struct live *live;           /* owned; NULL: it left */

	struct certid id; /* after it left: of its certificate */
	uint64_t names;   /* after it left: a hash of its client id and user name */

	struct session *next, *prev; /* of the principal's list, or of those that left */
	UT_hash_handle hh;
};

struct sessions {
	struct session_index connected;
	struct session *left;    /* hash, by client */
	struct session *leaving; /* list: left since the last tick */
	struct principal *by_id;
	struct principal *closing; /* list: with sessions to disconnect */
	struct principal *absent;  /* list, the longest unused first */
	size_t absent_count;
	struct session *sweep;         /* the next to visit */
	size_t sweep_left;             /* sessions that are still to be visited */
	uint64_t numbered;             /* sessions so far */
	struct policy_cache *policies; /* the principals hold policies of it */
};

/* A connection as the broker describes it; borrowed for the call. */
struct connection {
	const void *client;
	struct x509_st *x;                    /* NULL: no certificate */
	const char *id, *address, *user_name; /* NULL: none */
};

/* The only way to change a session's state. */
static inline void
session_step(struct session *s, enum session_event event)
{
	s->state = session_next_state(s->state, event);
}

static inline bool
session_is_admitted(const struct session *s)
{
	return session_state_is_admitted(s->state);
}

/*
 * Connected.
 */

/* Adds a session in state NEW, or SHUT_OUT if the same connection was, and removes the earlier
 * session of this client.  id_or_null NULL: other plugins judge it.  NULL: out of memory. */
struct session *session_add(struct sessions *s, const struct connection *c,
    const struct certid *id_or_null);

/* The session of this client, if it still is the one with this certificate; x NULL:
 * without one. */
struct session *session_find(struct sessions *s, const void *client, const struct x509_st *x);

/* The connected session of this client, whatever its certificate; NULL: none. */
struct session *session_of(struct sessions *s, const void *client);

void session_remove(struct sessions *s, const void *client);

/*
 * Left.
 */

/* A client disconnects.  Its session, or a new one in state NEW if it has none, is kept for
 * session_find_left(); the caller steps it to a state that left.  NULL: out of memory, nothing
 * is known of it. */
struct session *session_leave(struct sessions *s, const struct connection *c,
    enum session_keeps keeps);

/* This client, if it left.  c->x: the certificate that the broker shows; NULL: none. */
struct session *session_find_left(struct sessions *s, const struct connection *c);

void session_forget_left(struct sessions *s, const void *client);

/* TICK: clients that left before show their certificates to no plugin any more.  Releases
 * these, and forgets sessions of which the broker keeps nothing. */
void sessions_tick(struct sessions *s);

void sessions_clear(struct sessions *s);

/*
 * Principals.
 */

struct principal *principal_find(struct sessions *s, const struct certid *id);

/* The same, created if there is none, for a certificate that is not connected; valid
 * until the next call of these functions.  NULL: out of memory. */
struct principal *principal_absent(struct sessions *s, const struct certid *id);

/* Puts it on the list of principals with sessions to disconnect. */
void principal_disconnect(struct sessions *s, struct principal *p, enum reason reason);

/* Takes the next principal off that list; NULL: none. */
struct principal *principal_next_to_disconnect(struct sessions *s);

/* Puts the session's principal on that list; the session becomes the first of its sessions. */
void session_disconnect(struct sessions *s, struct session *session, enum reason reason);

/* The session becomes the last of its principal's sessions. */
void session_put_last(struct session *session);

/*
 * The sweep: visits every session that is connected now, from where the last sweep ended, so
 * that frequent changes do not leave out a session.
 */
void sweep_start(struct sessions *s);
struct session *sweep_next(struct sessions *s);

#endif
