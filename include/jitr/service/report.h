/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report.h - what was decided, for people and for programs.
 *
 * One line per decision: key=value in the broker's log, and, where a log file
 * is configured, one JSON object as AWS writes to CloudWatch (aws-iot H.1).
 * Text from clients is escaped, so that no client can write a line of its own
 * (mosquitto section 0, 19).  The file is written by the writer thread: the
 * broker never waits for it; lines that cannot be written are counted in the
 * broker's log.
 *
 * Broker thread; never with a store transaction open.
 */
#ifndef JITR_REPORT_H
#define JITR_REPORT_H

#include "jitr/service/broker.h"
#include "jitr/core/decide.h"
#include "jitr/core/plan.h"
#include "jitr/service/writer.h"

struct x509_st;

/* A client as the broker knows it.  Everything is borrowed for the call. */
struct client {
	void *handle;
	const char *id;        /* NULL: none yet */
	const char *user_name; /* NULL: none */
	const char *address;   /* NULL: bridge, restored session */
	struct x509_st *x;     /* NULL: no certificate */
	int port;              /* 0: not known (before 2.1) */
	bool websockets;
	bool clean_session; /* of MQTT 5: clean start */
	bool name_to_check; /* others check the user name if the plugin defers */
	int version;        /* of MQTT: 3, 4, 5; 0: not known */
	bool extended;      /* asked about by extended authentication: the broker may not
	                            * have it among its clients yet */
};

struct report;

struct report_config {
	const char *path; /* of the log file; NULL: none */
	const char *account_id;
	const struct broker *broker;
	int64_t (*now)(void);
};

MUST_USE enum err report_open(const struct report_config *config, struct report **out,
    struct diag *diag);
void report_close(struct report *r);                   /* after writer_stop(); NULL is fine */
void report_start(struct report *r, struct writer *w); /* the file is written from here on */

/* Open the file again, after it was moved away (SIGHUP, as logrotate does). */
void report_reopen(struct report *r);

/* A client with a certificate was judged.  id and ca_id NULL: not known.
 * details: what there is to say behind the words of the reason; NULL: nothing.
 * registered: a refusal is not one of a registration. */
void report_connection(struct report *r, const struct client *c, const struct certid *id,
    const struct certid *ca_id, const struct decision *d, const char *details, bool registered);

/* A live connection is closed because its certificate may not be used any more. */
void report_cut(struct report *r, const struct certid *id, enum reason reason);

/* A client was not allowed to "publish", "subscribe" or "receive". */
void report_denied(struct report *r, const struct client *c, const struct certid *id,
    const char *what, const char *topic);

/* The registration by a first connection was committed, or could not be. */
void report_registration(struct report *r, const struct certid *id, const struct certid *ca_id,
    enum err result, const char *details);

/* What the rule or the template of its CA has made of a certificate, committed. */
struct activation_line {
	struct certid id, ca_id;
	enum plan_origin origin;
	const char *template_name; /* NULL: a rule, or a template without a name */
	enum cert_status status;   /* what it is now */
	bool failed;               /* the plan could not be made or carried out: details say why */
	const char *details;       /* NULL: none */
};

void report_activation(struct report *r, const struct activation_line *a);

/* A revocation list was put in force: crl; or was not: NULL, result, details. */
void report_crl(struct report *r, const struct certid *ca_id, const struct crl *crl,
    enum err result, const char *details);

/* A certificate is in use at two places at once: by c, and by the other one.
 * done: what became of it, "both may stay"; other_address NULL: not known. */
void report_shared(struct report *r, const struct client *c, const struct certid *id,
    const char *other_id, const char *other_address, const char *done);

/* One value that a command changed; an empty text: there was or is none. */
#define CHANGE_TEXT 64

struct change {
	const char *name; /* "status" */
	char from[CHANGE_TEXT], to[CHANGE_TEXT];
};

#define CHANGES_MAX 10

struct changes {
	size_t count;
	struct change list[CHANGES_MAX];
};

/* What a command is about: "policy" in the log, "policyName" in the file, its
 * name.  An empty name: the command did not get as far as naming it. */
struct request_subject {
	const char *word, *member;
	struct view name;
};

/* A command that changes something was carried out or failed.  Borrowed for the call. */
struct request_line {
	const char *command;
	const char *user_name, *client_id; /* of the client that asked */
	const char *address;               /* and from where; NULL: not known */
	struct request_subject subjects[2];
	const struct changes *changes; /* what it changed; of one that failed: nothing */
	enum err result;
	const char *details; /* why it failed; NULL: no more than result says */
};

void report_request(struct report *r, const struct request_line *l);

/* A line of the broker's log alone. */
void report_line(struct report *r, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
