/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate_private.h - the state that the files of the gate share, and their functions.
 *
 * Broker thread.
 *
 * A parameter txn_or_null is the snapshot of the registry that the caller has open; NULL:
 * the registry cannot be read, and the answer is a refusal.  LMDB allows one read
 * transaction per thread, so a function with a transaction opens none.
 */
#ifndef JITR_GATE_PRIVATE_H
#define JITR_GATE_PRIVATE_H

#include <stdio.h>
#include <string.h>

#include "jitr/service/gate.h"

#include "notices.h"
#include "jitr/service/judge.h"
#include "jitr/service/session.h"

struct owner;        /* the certificate of a session that the broker keeps */
struct takeover;     /* a connection that resumed another certificate's session */
struct registration; /* completion.c */
struct held;         /* a client id that an answer is sent to */

struct gate {
	struct gate_config config;
	struct judge judge;
	struct sessions sessions;
	struct presence presence;
	uint64_t generation;                /* incremented when any certificate may have changed */
	uint64_t changes;                   /* incremented with every change */
	uint64_t presented;                 /* certificates presented to the registrations so far */
	struct registration *registrations; /* hash by number: those under way */
	bool reloading;                     /* from SIGHUP to the next tick: see gate_reload() */
	struct psk_name *psk_names;         /* hash: names that are PSK identities too */
	struct held *held;                  /* list: client ids that an answer is sent to */
	size_t held_count;
	bool announced; /* for gate_take_announced() */
	struct notices notices;
	bool deferred_is_noted;     /* that other_clients is not set: logged once */
	struct owner *owners;       /* hash: certificates of the sessions that the broker keeps */
	struct takeover *takeovers; /* list: connections that resumed another one's */
	struct certid *named;       /* owned; the sweep visits these before others */
	size_t named_count;
	int64_t worked; /* ns of CPU time; the end of the last slice; 0: nothing was left */
	int64_t turned; /* ns; the start of the tick; 0: there was nothing to do then */
	struct allow_cache allow_cache;
};

static inline struct connection
connection_of(const struct client *c)
{
	return (struct connection){ c->handle, c->x, c->id, c->address, c->user_name };
}

/* Copies text, or "" for NULL; cuts off what does not fit. */
static inline void
keep_text(char *out, size_t size, const char *text)
{
	(void)snprintf(out, size, "%s", text != NULL ? text : "");
}

/* The text, or its first bytes; NULL is empty. */
static inline struct view
view_up_to(const char *text, size_t max)
{
	return (struct view){ (const uint8_t *)text, text != NULL ? strnlen(text, max) : 0 };
}

/*
 * snapshot.c
 */

/* Opens a snapshot of the registry in *t and returns t; NULL: it cannot be read. */
struct txn *gate_read(struct gate *g, struct txn *t);
void gate_read_end(struct txn *txn_or_null);

/*
 * identity.c: names.
 */

/* Has this user name the shape of a certificateId?  The id is optional. */
bool name_is_certid(const char *name, struct certid *id_or_null);

bool is_admin_name(const struct gate *g, const char *name); /* of admin_users; NULL: no */

/* Has the client of this session, which has no certificate of ours, a name of admin_users
 * that others checked when it connected? */
bool is_admin_session(const struct gate *g, const struct session *session, const char *user_name);

/* A session that was restored from disk and has a name of admin_users. */
bool is_admin_restored(const struct gate *g, const struct client *c);

/* Is this name also a PSK identity? */
bool is_psk_name(const struct gate *g, const char *name);
void psk_names_clear(struct gate *g);

/*
 * caller.c
 */

/* Is an answer being sent to another connection with this client id? */
bool is_held(const struct gate *g, const struct client *c);

/*
 * presented.c
 */

/* The certificate of a CONNECT.  txn_or_null NULL: the registry cannot be read. */
void judge_client(struct gate *g, struct txn *txn_or_null, const struct client *c,
    struct judgement *j);

/* The certificate of a client that bypassed gate_connect().  Its user name comes from its
 * certificate and must not be the id of another certificate. */
void judge_bypassed(struct gate *g, struct txn *txn_or_null, const struct client *c,
    struct judgement *j);

/*
 * gather.c
 */

/* Gathers what the policies of a session use.  false: something that is there could not be
 * read: a Deny that needs it would be lost, so the session must be refused. */
MUST_USE bool gather_facts(struct txn *t, struct session *session);

/* The same for a certificate that is not connected; *thing is valid as long as the
 * transaction. */
MUST_USE bool gather_absent_facts(const struct gate *g, struct txn *t, struct principal *p,
    struct view client_id, struct facts *facts, struct thing *thing);

/*
 * principal.c: a certificate judged by its id, from the registry alone, with its policies.
 */

/* Keeps what CONNECT decided, and reads the policies as far as they were not read before. */
void principal_keep_judgement(struct gate *g, struct txn *txn_or_null, struct principal *p,
    const struct decision *d);

/* May the registry say something else about it than when it was judged last? */
bool principal_is_stale(const struct gate *g, const struct principal *p);

/* Judges it again, with its policies, if it is stale. */
void principal_refresh(struct gate *g, struct txn *txn_or_null, struct principal *p);

/* A certificate that is not connected, judged by its id; valid as long as principal_absent()
 * says.  NULL: it may not connect, or is not known. */
struct principal *principal_find_absent(struct gate *g, struct txn *txn_or_null,
    const struct certid *id);

/*
 * admit.c: may this session connect, and may it stay?
 */

struct admission;
struct admission admission_of(const struct gate *g, const struct principal *p,
    const struct facts *facts);

/* Gathers the facts that the session's policies use and asks whether it may connect:
 * REASON_NONE, or why not.  Changes the session's state. */
enum reason session_admit(struct gate *g, struct txn *txn_or_null, struct session *session);

/* The same again if something has changed since; the session is put on the list of those
 * to disconnect if it may not stay. */
void session_refresh(struct gate *g, struct session *session);

/* Admitted, and nothing has changed since: session_refresh() would do nothing. */
static inline bool
session_is_current(const struct gate *g, const struct session *session)
{
	return session_is_admitted(session) && session->checked_at == g->changes;
}

/* A connected client is refused from now on, whatever is decided about its certificate,
 * and disconnected at the next tick. */
void session_shut_out(struct gate *g, struct session *session, enum reason reason);

/* May a certificate that is not connected connect, by its record? */
bool may_connect_absent(struct gate *g, struct txn *txn_or_null, const struct certid *id,
    struct view client_id);

/*
 * disconnect.c
 */

/* Disconnects one client.  The broker calls gate_disconnected() meanwhile, so the session
 * and its principal may be freed afterwards.  TICK only. */
void disconnect_session(struct gate *g, struct session *session);

/* Disconnects sessions on the list until this time, at least one. */
void disconnect_until(struct gate *g, int64_t until);

/*
 * sweep.c
 */

/* Sessions of one certificate that are judged within one call. */
#define SESSIONS_AT_ONCE 16

/* The work of a tick counts from here, if sessions are left from the one before. */
void slice_begin(struct gate *g);

/* Judges the sessions of a certificate again.  false: there are more, for the sweep. */
bool refresh_sessions(struct gate *g, struct principal *p);

/*
 * register.c: registers, announces, revokes, activates, as the judgement says.
 */

/* Presents it to the registrations.  Where that fails j becomes a judgement that neither lets
 * the client in by it nor says that it is registered, and j->submitted says why. */
void registration_submit(struct gate *g, const struct client *c, struct judgement *j);

/* Logs and counts j->submitted, if it is an error. */
void registration_report(struct gate *g, const struct judgement *j);

/*
 * completion.c: what was presented and is under way, and gate_presented().
 */

/* Returns its number; 0: out of memory. */
uint64_t registration_add(struct gate *g, const struct judgement *j);
void registration_forget(struct gate *g, uint64_t number); /* it was not taken */
void registrations_clear(struct gate *g);

/*
 * connect.c
 */

/* The result of judging a client. */
struct attempt {
	struct judgement judgement; /* judgement_clear() */
	struct session *session;    /* of a client that was judged; NULL: none could be made */
};

/* The session of a client that was judged, refused clients included.  The decision becomes a
 * refusal where policies do not let it connect, or where there is no memory. */
void connect_remember(struct gate *g, struct txn *txn_or_null, const struct client *c,
    struct attempt *a);

/* Sets its user name.  Where the broker has no memory for it the session is removed and
 * the client refused.  Outside of a transaction. */
void connect_name(struct gate *g, const struct client *c, struct attempt *a);

/* Log, counters, events, the record.  session: of an accepted client. */
void connect_report(struct gate *g, const struct client *c, const struct judgement *j,
    struct session *session_or_null);

/*
 * bypass.c: clients that bypassed gate_connect().  They are judged as there, but reported
 * at the next tick, since the broker may be in the middle of a delivery.  NULL: out of
 * memory, the client may do nothing.
 */
struct session *bypass_connect(struct gate *g, const struct client *c);

/*
 * refusal.c: the last refusal is kept on the certificate's record, the same one at most
 * once a minute.
 */

/* Sets j->record_refusal if the refusal differs from the one on the record. */
void refusal_check(struct gate *g, struct txn *txn_or_null, struct judgement *j);

/* Sends it to the registrations. */
void refusal_record(struct gate *g, const struct client *c, const struct judgement *j);

/*
 * shared.c: one certificate, several clients.  REASON_NONE, or why an admitted session is
 * refused.
 */
enum reason shared_admit(struct gate *g, struct session *session);

/*
 * takeover.c: a client that resumes the session of another certificate.
 */

/* For an admitted session.  false: out of memory, the client must be refused. */
bool takeover_note(struct gate *g, const struct client *c, const struct session *session);

/* The broker has a session with this client id that belongs to this certificate. */
void takeover_learn(struct gate *g, const char *client_id, const struct certid *id);
void takeover_tick(struct gate *g);
void takeover_forget_all(struct gate *g);

/*
 * denied.c: counts a denial, and logs it at the next tick.
 */
void denial_note(struct gate *g, struct principal *p, const struct facts *facts,
    const struct access_question *q);

/*
 * other.c: clients without a certificate of ours.
 */

/* An administrator may do this, whatever other plugins say. */
bool is_admin_access(const struct access_question *q);
enum access access_of_others(const struct gate *g, const struct access_question *q);

/*
 * absent.c: clients that are not connected.
 */
enum access access_of_unknown(struct gate *g, const struct client *c,
    const struct access_question *q);
enum access access_of_left(struct gate *g, struct session *session, const struct client *c,
    const struct access_question *q);

#endif
