/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * gate.h - which clients may connect, and what a connected client may do.
 *
 * The broker-thread half of the program: it reads the store, asks decide.h,
 * remembers connected clients, and submits jobs.  It never waits.
 *
 * A client is known by the broker's pointer to it and by a reference to its
 * certificate, held so that neither can be taken for another's.  When it leaves,
 * departed.h keeps what it was, for its will and its offline session.  A user name
 * counts only where gate_connect() saw it before others checked it.  A client
 * that is known by none of these has no rights.  Only the plugin gives names of the
 * shape of a certificateId: a session that was restored from disk is known by it.
 */
#ifndef JITR_GATE_H
#define JITR_GATE_H

#include "jitr/core/access.h"
#include "jitr/service/presence.h"
#include "jitr/service/registry.h"
#include "jitr/service/report.h"
#include "jitr/service/stats.h"
#include "jitr/adapter/trust.h"

/* One certificate, used by two clients or from two addresses at once. */
enum clone_policy {
	CLONE_ALLOW,  /* told of and counted */
	CLONE_NEWEST, /* the newest stays, the others are closed */
	CLONE_OLDEST, /* the new client is refused */
};

/* What clients without a certificate of ours may do. */
enum other_clients {
	OTHER_CLIENTS_UNSET, /* as DEFER, and the log says that it was not chosen */
	OTHER_CLIENTS_DEFER, /* other plugins and acl_file decide */
	OTHER_CLIENTS_ALLOW,
};

struct gate_config {
	struct registry_rules rules;
	enum authorization authorization;
	enum other_clients other_clients;
	bool deny_publish_disconnects;
	bool deny_subscribe_disconnects;
	bool client_id_as_is; /* facts.h */
	bool event_details;   /* event.h */
	bool presence;        /* events of connections */
	enum clone_policy clone_policy;
	enum trust_store trust_store; /* for explain */
	struct arn_scope scope;
	char *const *admin_users; /* borrowed for the gate's life */
	size_t admin_user_count;
	const struct certid *admin_certificates;
	size_t admin_certificate_count;
	struct store *store;
	struct writer *writer;
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
 * An MQTT CONNECT, in any form: BASIC_AUTH, EXT_AUTH_START, 2.1's CONNECT.
 * Registers or announces where the decision says so, remembers the client,
 * and renames it when it is let in.  VERDICT_DEFER: not ours to judge.
 */
enum verdict gate_connect(struct gate *g, const struct client *c);

/* A client is connected (2.1 tells, after it answered the client): judged now
 * if a listener option bypassed gate_connect(), and cut off if refused. */
void gate_connected(struct gate *g, const struct client *c);

/*
 * The broker has a pre-shared key with this identity, which use_identity_as_username makes
 * a user name: 2.0 tells a plugin nothing of such a client before it publishes or
 * subscribes, or is to receive what waits for it (mosquitto section 0, 6).  If a name of
 * ours is among them, nothing is remembered of the client that has it by right once it has
 * left: another one may be at its address.  true: it is such a name.
 */
bool gate_share_name(struct gate *g, const char *identity);

/* A client comes with a pre-shared key.  false: the identity is a name of ours. */
bool gate_psk(struct gate *g, const struct client *c, const char *identity);

/* Between gate_reload() and the next gate_tick() the broker asks again about
 * every session it has, offline ones included (mosquitto section 0, 1):
 * nothing is registered, announced or logged as a connection. */
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

/* What of the control API is open to this client. */
enum administration {
	ADMINISTRATION_NONE,
	ADMINISTRATION_BY_POLICY, /* what gate_may_control() allows */
	ADMINISTRATION_ALL,       /* admin_users, admin_certificates */
};

enum administration gate_administration(struct gate *g, const struct client *c);

/* May this client, whose rights come from its policies, do this?  action:
 * "iot:UpdateCertificate"; resource: the rest of the ARN behind the account,
 * "cert/<id>", NULL for an action without one (only Resource "*" allows it);
 * also: a second resource that must not be denied, NULL for none.  A resource
 * that ends with '/', "policy/", is every one of its kind.  The answer is no for a
 * client of any other kind. */
bool gate_may_control(struct gate *g, const struct client *c, const char *action,
    const char *resource, const char *also);

/* Does the configuration name this certificate in admin_certificates? */
bool gate_names_administrator(const struct gate *g, const struct certid *id);

/* A connection, as it was when it asked for something. */
struct caller {
	const void *handle;
	uint64_t session; /* 0: it was not seen at CONNECT */
};

struct caller gate_caller(struct gate *g, const struct client *c);
bool gate_is_connected(struct gate *g, const struct caller *caller);

/* The broker is given an answer for this connection, and looks its client id up later
 * (loop.c, queue_plugin_msgs()): until gate_release() no other connection gets that id.
 * false: there is no memory for it, and the answer must not be sent. */
MUST_USE bool gate_hold(struct gate *g, const struct caller *caller, const char *client_id);
void gate_release(struct gate *g);

/* end: why, as far as the broker says.  Until another client has its address, questions
 * about it are about its will and its offline session. */
void gate_disconnected(struct gate *g, const struct client *c, const struct presence_end *end);

/* This certificate changed; NULL: anything may have changed (another process
 * wrote).  Its clients are judged anew and cut off from gate_tick(). */
void gate_changed(struct gate *g, const struct certid *id_or_null);

/* A CA has another revocation list.  Every connection is judged anew, some at each
 * gate_tick(), those of the certificates that it is known to name first. */
void gate_crl_changed(struct gate *g, const struct certid *named, size_t count);

/* This policy has another default version, or was deleted; this thing changed. */
void gate_policy_changed(struct gate *g, struct view name);
void gate_thing_changed(struct gate *g, struct view name);

/* TICK: judge connections again after a change and close those that may not
 * stay, a bounded part of them at a time.  true: there are more, call
 * gate_go_on() at the next turn of the broker's loop and do not let it sleep. */
bool gate_tick(struct gate *g);

/* TICK, too, between two calls of gate_tick(): the next part.  true: as above. */
bool gate_go_on(struct gate *g);

/* Are there events that wait for their turn? */
bool gate_has_events(const struct gate *g);

/* Were registration events committed since the last call? */
bool gate_take_announced(struct gate *g);

#endif
