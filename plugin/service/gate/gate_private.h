/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* gate_private.h - what the gate*.c files share.  Broker thread. */
#ifndef JITR_GATE_PRIVATE_H
#define JITR_GATE_PRIVATE_H

#include <stdio.h>

#include "jitr/service/gate.h"

#include "activation.h"
#include "departed.h"
#include "jitr/service/issuer.h"
#include "jitr/service/allow_cache.h"
#include "jitr/service/session.h"

struct late;     /* a client that got past gate_connect() and was not reported yet */
struct denial;   /* something a client was not allowed, not reported yet */
struct clone;    /* a certificate that two clients use, not reported yet */
struct owner;    /* the certificate of a session that the broker keeps */
struct takeover; /* a connection that resumed another certificate's session */
struct held;     /* a client id that an answer is on its way to */

/* gate_left.c: the first client that was left to others while other_clients is
 * not set.  Logged once, at a tick. */
struct left {
	enum { LEFT_NONE, LEFT_NOTED, LEFT_LOGGED } state;
	enum action action;
	char client_id[132], user_name[132], address[64], topic[260];
};

struct gate {
	struct gate_config config;
	struct sessions sessions;
	struct issuer_cache issuers;
	struct policy_cache policies;
	struct presence presence;
	struct activations activations;
	uint64_t generation; /* grows when anything may have changed */
	uint64_t changes;    /* grows with every change */
	uint64_t planned;    /* plans so far */
	bool reloading;
	struct departures departures;
	struct shared_name *shared_names; /* hash: names that pre-shared keys have, too */
	struct held *held;                /* list: client ids that an answer is on its way to */
	size_t held_count;
	bool announced;
	struct late *late; /* list */
	size_t late_count;
	struct denial *denials; /* list */
	size_t denial_count;
	struct clone *clones; /* list */
	size_t clone_count;
	struct owner *owners;       /* hash: certificates of the sessions that the broker keeps */
	struct takeover *takeovers; /* list: connections that resumed another one's */
	size_t refusals_waiting;
	struct certid *named; /* owned; the sweep visits these before others */
	size_t named_count;
	int64_t worked; /* ns; the end of the last slice; 0: nothing was left to do */
	struct allow_cache allow_cache;
	struct left left;

	/* The resources of device actions: "arn:aws:iot:<region>:<account>:topic/". */
	char head_text[POLICY_ACTION_COUNT][ARN_PREFIX_SIZE + 16];
	struct view head[POLICY_ACTION_COUNT];
};

/* A certificate, what the registry knows of it, and what follows. */
struct judgement {
	struct presented presented;
	struct certid ca_id;
	bool has_id, has_ca, registered;
	struct decision decision;
	struct plan *plan;    /* owned; what its CA's rule or template says; NULL: nothing */
	uint64_t plan_number; /* of the plan; 0: none */
	struct ca_revision ca_revision; /* of the plan */
	struct diag details;            /* of the reason; empty: there is no more to say */
	struct certid original; /* with REASON_OTHER_FORM: the certificate it is a form of */
};

void judgement_clear(struct judgement *j);

/* Before its certificate is stored as ACTIVE. */
static inline bool
lets_in_by_plan(const struct decision *d)
{
	return d->verdict == VERDICT_ALLOW && d->effects & EFFECT_PLAN;
}

/* NULL: as empty.  What does not fit is cut. */
static inline void
keep_text(char *out, size_t size, const char *text)
{
	(void)snprintf(out, size, "%s", text != NULL ? text : "");
}

/*
 * gate_judge.c: certificates.
 */

/* After x509_read(), of a judgement that is otherwise empty.  client: what is
 * known of the client itself. */
MUST_USE enum err judge_in(struct gate *g, struct txn *t, struct x509_st *x,
    const struct facts *client, struct judgement *j);
void gate_judge(struct gate *g, const struct client *c, struct judgement *j);

/* A client that the broker let in without asking: its user name comes from its
 * certificate, and must not be the name of another certificate. */
void gate_judge_unasked(struct gate *g, const struct client *c, struct judgement *j);

/* A principal as it was judged at CONNECT, with its policies, as far as they
 * were not read before. */
void gate_keep_judgement(struct gate *g, struct principal *p, const struct decision *d);

/* Judge a principal again, with its policies, if it may have changed. */
void gate_refresh(struct gate *g, struct principal *p);

/* A certificate that is not connected, judged by its id; lives as principal_absent()
 * says.  NULL: it may not connect, or is not known. */
struct principal *gate_find_absent(struct gate *g, const struct certid *id);

/*
 * gate_present.c: register, announce, revoke, activate, as the judgement says.
 */

/* Submits what has to be done.  Where that fails the judgement becomes one that neither
 * lets the client in by it nor says that it is registered. */
enum err gate_submit(struct gate *g, const struct client *c, struct judgement *j);
void gate_report_not_submitted(struct gate *g, const struct judgement *j, enum err e);

/*
 * gate.c: connections.
 */

/* A session for a client that was judged, refused ones included, and its name.
 * The decision becomes a refusal where policies do not let it connect.  NULL:
 * it cannot be remembered, and must not be let in. */
struct session *gate_remember(struct gate *g, const struct client *c, struct judgement *j);

/* Log, counters, events, the record.  session: of one that was let in. */
void gate_report_judged(struct gate *g, const struct client *c, const struct judgement *j,
    struct session *session_or_null);

/* Does this user name have the shape of a certificateId?  id: which; NULL: it does
 * not matter. */
bool name_is_certid(const char *name, struct certid *id_or_null);

/* A connected client is refused from here on, whatever is decided about its certificate,
 * and cut off at the next tick. */
void shut_out(struct gate *g, struct session *session, enum reason reason);

/*
 * gate_identity.c: what a client has proved, connected or departed.
 */

/* A user name of admin_users that others checked when this client connected. */
bool is_admin_session(const struct gate *g, const struct session *session, const char *user_name);

/* A session that was restored from disk and bears a name of admin_users. */
bool is_admin_restored(const struct gate *g, const struct client *c);

/* The client leaves: what is remembered of it for its will and its offline session. */
void remember_departure(struct gate *g, const struct client *c, const struct session *session);

void shared_names_clear(struct gate *g);

/* Is an answer on its way to another connection with this client id? */
bool is_held(const struct gate *g, const struct client *c);

/*
 * gate_cut.c: judge again and close, in slices.
 */
/* Closes this one; it and its principal may be gone after that.  TICK only. */
void gate_close_session(struct gate *g, struct session *session);
int64_t gate_clock_ns(void); /* of a clock that is never set; tests replace it */

/* How long a slice may take, so long after the end of the last one; 0: there was
 * nothing to do before. */
int64_t gate_slice_ns(int64_t since_last);

/* Sessions of one certificate that are judged within one call. */
#define SESSIONS_AT_ONCE 64

/* All of them?  Otherwise the rest is for the sweep. */
bool gate_refresh_sessions(struct gate *g, struct principal *p);

/*
 * gate_late.c: clients that got past gate_connect().  As there, but reported
 * at the next tick, since the broker may be in the middle of a delivery.
 * NULL: it cannot be remembered, and must not do anything.
 */
struct session *gate_connect_late(struct gate *g, const struct client *c);
void late_report_all(struct gate *g);
void late_forget_all(struct gate *g);

/*
 * gate_policy.c: what the policies say.
 */

/* Gather what the policies of a session look at and ask whether it may
 * connect: REASON_NONE, or why not.  Changes session->admitted. */
enum reason session_admit(struct gate *g, struct session *session);

/* The same again if something changed since; to be cut off if it may not any
 * more. */
void session_refresh(struct gate *g, struct session *session);

/* What a registered certificate says of itself; free with free(). */
MUST_USE enum err read_stored_facts(struct txn *t, const struct certid *id,
    struct cert_facts **out);

/* The connection's thing: the one that the certificate is attached to exclusively,
 * whatever the client id, else the one named like the client id, if the certificate is
 * attached to it (AWS IoT developer guide, "Associating an AWS IoT thing to an MQTT
 * client connection"); lives as long as the transaction. */
MUST_USE enum err find_thing(struct txn *t, const struct certid *id, struct view client_id,
    struct thing *out, bool *found);

/* The thing that a plan attaches, if it is named like the client id; lives as
 * long as the transaction and the plan. */
MUST_USE enum err find_planned_thing(struct txn *t, const struct plan *plan, struct view client_id,
    struct thing *out, bool *found);

/* What gate_rights() asks policies for: a certificate with these facts; borrowed. */
struct rights_asker {
	const struct gate *g;
	const struct principal *p;
	const struct facts *facts;
};

struct access_rights gate_rights(const struct rights_asker *asker);

/* The facts of a certificate that is not connected, from the registry.  If it answers
 * true *t is open, because a thing among them lives there: store_end() it. */
bool gate_facts_absent(struct gate *g, struct principal *p, struct view client_id,
    struct facts *facts, struct thing *thing, struct txn *t);

/* May a certificate that is not connected connect, as far as its record says? */
bool gate_may_connect_absent(struct gate *g, const struct certid *id, struct view client_id);

/*
 * gate_refusal.c: the last refusal is kept on the certificate's record, the
 * same one at most once a minute.
 */
void refusal_note(struct gate *g, const struct client *c, const struct judgement *j);

/*
 * gate_clone.c: one certificate, several clients.  What becomes of one that was
 * admitted: REASON_NONE, or why it is not.
 */
enum reason clone_admit(struct gate *g, struct session *session);
void clone_report_all(struct gate *g);
void clone_forget_all(struct gate *g);

/*
 * gate_takeover.c: a client that resumes the session of another certificate.
 */

/* Of one that was admitted.  false: it cannot be noted, and must not be let in. */
bool takeover_note(struct gate *g, const struct client *c, const struct session *session);

/* The broker says of a session that it is this certificate's. */
void takeover_learn(struct gate *g, const char *client_id, const struct certid *id);
void takeover_tick(struct gate *g);
void takeover_forget_all(struct gate *g);

/*
 * gate_denied.c: what was not allowed, for the log, at the next tick.
 */
void denial_note(struct gate *g, struct principal *p, const struct facts *facts, const char *what,
    const char *topic);
void denial_report_all(struct gate *g);
void denial_forget_all(struct gate *g);

/* gate_left.c: TICK. */
void left_report(struct gate *g);

#endif
