/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate.h - which clients may connect, and what a connected client may do.
 *
 * Runs on the broker's thread and never waits: it reads the store, calls decide.h, keeps the
 * sessions of clients and presents certificates for registration.
 *
 * A client is identified by the broker's pointer and by a reference to its certificate, which
 * is held so that its address is not reused.  After it left, its session is kept for its will
 * and its offline session (session_state.h).  A user name counts only if gate_connect() saw it
 * before other plugins checked it.  A client that is identified by none of these has no rights.
 * Only the plugin sets user names that look like a certificateId, so a session that was
 * restored from disk is identified by its user name.
 */
#ifndef JITR_GATE_H
#define JITR_GATE_H

#include "jitr/core/access.h"
#include "jitr/core/options.h"
#include "jitr/core/control_message.h"
#include "jitr/service/presence.h"
#include "jitr/service/registrations.h"
#include "jitr/service/registry.h"
#include "jitr/service/report.h"
#include "jitr/service/stats.h"
#include "jitr/adapter/trust.h"

struct gate_config {
	struct registry_rules rules;
	enum authorization authorization;
	enum other_clients other_clients;
	bool deny_publish_disconnects;
	bool deny_subscribe_disconnects;
	bool client_id_as_is; /* facts.h */
	bool event_details;   /* event.h */
	bool presence;        /* events of connections */
	enum shared_certificate shared_certificate;
	enum trust_store trust_store; /* for explain */
	struct arn_scope scope;
	char *const *admin_users; /* borrowed for the gate's life */
	size_t admin_user_count;
	const struct certid *admin_certificates;
	size_t admin_certificate_count;
	struct store *store;
	struct registrations registrations;
	struct report *report;
	struct stats *stats;
	const struct broker *broker;
	int64_t (*now)(void); /* ms since 1970 */
	struct pace *pace;    /* of events; NULL: none */
};

struct gate;

MUST_USE enum err gate_open(const struct gate_config *config, struct gate **out);
void gate_close(struct gate *g); /* NULL is fine */

/*
 * An MQTT CONNECT (BASIC_AUTH, EXT_AUTH_START), judged from one snapshot of the registry.
 * Registers or announces the certificate if the decision says so, keeps a session, and sets the
 * user name of an accepted client.  VERDICT_DEFER: other plugins decide.
 */
enum verdict gate_connect(struct gate *g, const struct client *c);

/* A client is connected (CONNECT of 2.1, after the broker answered the client): judged now
 * if a listener option bypassed gate_connect(), and disconnected if refused. */
void gate_connected(struct gate *g, const struct client *c);

/*
 * The broker has a pre-shared key with this identity, which use_identity_as_username makes
 * a user name.  2.0 does not tell plugins of such a client before it publishes or subscribes,
 * or before its queue is delivered (mosquitto section 0, 6), so it could be taken for a client
 * that left at its address.  If the identity is a certificateId or a name of admin_users, the
 * session of the client with that name is not kept after it left.  true: it is such a name.
 */
bool gate_add_psk_name(struct gate *g, const char *identity);

/* A client presents a pre-shared key.  false: its identity looks like a certificateId. */
bool gate_psk(struct gate *g, const struct client *c, const char *identity);

/* SIGHUP: until the next gate_tick() the broker asks again about every session, also offline
 * ones (mosquitto section 0, 1).  Nothing is registered, announced or logged as a
 * connection. */
void gate_reload(struct gate *g);

/* A question of the broker (ACL_CHECK). */
struct access_request {
	enum action action;
	const char *topic; /* or filter, as the client sent it */
	bool retain;       /* of ACTION_WRITE */
};

/* May this client do this?  A client that gate_connect() did not see is judged by its
 * certificate first: listener options can bypass the connect check (mosquitto section 0, 6).
 * Does not log and does not disconnect: gate_tick() does. */
enum access gate_access(struct gate *g, const struct client *c,
    const struct access_request *request);

/* A client as the broker's texts identify it. */
struct known_client {
	const void *handle;
	const char *id, *user_name; /* the broker's own texts */
};

/* The same without reading its certificate, for a session that was asked about before: the
 * broker still has its texts at the same addresses.  false: not known in this way, call
 * gate_access(). */
bool gate_access_known(struct gate *g, const struct known_client *c,
    const struct access_request *request, enum access *out);

/* The answer to this request was ACCESS_DEFER.  If other_clients is not set, the first such
 * request of a client that the option applies to is logged at the next gate_tick(): the
 * broker may deny it without a log line. */
void gate_deferred(struct gate *g, const struct client *c, const struct access_request *request);

/* The rights of a client to the control API. */
enum administration gate_administration(struct gate *g, const struct client *c);

/* The caller of a control request.  The texts of *out are those of c. */
void gate_describe_caller(struct gate *g, const struct client *c, struct caller_facts *out);

/* The connection that sent a request. */
struct caller {
	const void *handle;
	uint64_t session; /* its number; 0: it has no session */
};

struct caller gate_caller(struct gate *g, const struct client *c);
bool gate_is_connected(struct gate *g, const struct caller *caller);

/* An answer for this connection is passed to the broker, which looks up the client id later
 * (loop.c, queue_plugin_msgs()): until gate_release() no other connection gets this id.
 * false: out of memory, the answer must not be sent. */
MUST_USE bool gate_hold(struct gate *g, const struct caller *caller, const char *client_id);

/* At every TICK, before gate_tick() or gate_go_on(): the broker has sent the answers, and
 * clients that left before show their certificates no more (sessions_tick()). */
void gate_release(struct gate *g);

/* A client disconnected.  end: why, as far as the broker says.  Until another client has its
 * address, questions about it are about its will and its offline session. */
void gate_disconnected(struct gate *g, const struct client *c, const struct presence_end *end);

/*
 * The completion of what was presented to the registrations under this number.  Counts and
 * logs it, and judges the sessions again that its plan let in.  A number that is not under way
 * (completed, lost) is ignored.  outcome: not read after an error.  failure: why the commit
 * failed; NULL: it did not.
 */
void gate_presented(struct gate *g, uint64_t number, enum err result, const struct outcome *outcome,
    const char *failure);

/*
 * Nothing that is under way will be completed, and some of it may have been stored.  Every
 * session is judged again from the registry; one that a plan let in is closed unless the
 * registry has its certificate.  One log line has the number of certificates and why.
 */
void gate_registrations_lost(struct gate *g, const char *why);

/* This certificate changed; NULL: anything may have changed (another process
 * wrote).  Its clients are judged again, and disconnected from gate_tick(). */
void gate_changed(struct gate *g, const struct certid *id_or_null);

/* A CA has another revocation list.  Every session is judged again, some at each gate_tick(),
 * beginning with the certificates that the list is known to name. */
void gate_crl_changed(struct gate *g, const struct certid *named, size_t count);

/* This policy has another default version, or was deleted; this thing changed. */
void gate_policy_changed(struct gate *g, struct view name);
void gate_thing_changed(struct gate *g, struct view name);

/* slice.c: the broker's time, in ns. */
int64_t gate_clock_ns(void); /* monotonic; tests replace it */
int64_t gate_cpu_ns(void);   /* CPU time of this thread */

/* How long a slice of work at a turn of the broker's loop may take.  since_last: CPU time since
 * the end of the last slice; 0: there was nothing to do before. */
int64_t gate_slice_ns(int64_t since_last);

/* TICK: logs and publishes what waited for it, and does one slice of judging sessions again
 * after a change and disconnecting those that may not stay.  true: sessions are left, call
 * gate_go_on() at the next turn of the broker's loop and do not let it sleep. */
bool gate_tick(struct gate *g);

/* TICK, between two calls of gate_tick(): the next slice.  true: as above. */
bool gate_go_on(struct gate *g);

/* Do events of connections wait to be published? */
bool gate_has_events(const struct gate *g);

/* Were registration events committed since the last call? */
bool gate_take_announced(struct gate *g);

#endif
