/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * report.h - log lines about decisions.
 *
 * Each decision is one line of key=value in the broker's log and, if a log file is
 * configured, one JSON object as AWS writes to CloudWatch (aws-iot H.1).  Text from clients
 * is escaped, so that a client cannot forge a line (mosquitto section 0, 19).  The lines are
 * handed to a sink, which must not wait for a disk; the number of lines of the file that could
 * not be written is logged.
 *
 * The thread of the sink; never with a store transaction open.
 */
#ifndef JITR_REPORT_H
#define JITR_REPORT_H

#include "jitr/service/broker.h"
#include "jitr/service/client.h"
#include "jitr/core/decide.h"
#include "jitr/core/plan.h"
#include "jitr/core/model.h"

struct report;

/* Where lines go.  The texts are borrowed for the call. */
struct report_sink {
	void *context;

	/* A line of the broker's log, as of struct broker. */
	void (*log)(void *context, enum log_level level, const char *line);

	/* A line of the log file, with its end.  ERR_BUSY, ERR_NOMEM, ERR_STORAGE (the
	 * registrar is not running): it is lost.  Not called without a log file. */
	enum err (*record)(void *context, const char *text, size_t len);
};

struct report_config {
	struct report_sink sink;
	const char *log_file; /* its path, for messages; borrowed.  NULL: there is no file */
	const char *account_id;
	int64_t (*now)(void);
};

MUST_USE enum err report_open(const struct report_config *config, struct report **out);
void report_close(struct report *r); /* NULL is fine */

/* A line of the file was taken by the sink and could not be written. */
void report_lost(struct report *r, const char *why);

/* A client with a certificate was accepted or refused.  Borrowed for the call. */
struct connection_line {
	const struct client *client;
	const struct certid *id, *ca_id; /* NULL: not known */
	const struct decision *decision;
	const char *details; /* follow the text of the reason; NULL: none */
	bool registered;     /* the certificate: a refusal is not a failed registration */
};

void report_connection(struct report *r, const struct connection_line *l);

/* A live connection is closed because its certificate may no longer be used. */
void report_closed(struct report *r, const struct certid *id, enum reason reason);

/* A client was not allowed to "publish", "subscribe" or "receive". */
void report_denied(struct report *r, const struct client *c, const struct certid *id,
    const char *what, const char *topic);

/* A registration by a first connection was committed, or failed. */
void report_registration(struct report *r, const struct certid *id, const struct certid *ca_id,
    enum err result, const char *details);

/* The committed result of the rule or template of a certificate's CA. */
struct activation_line {
	struct certid id, ca_id;
	enum plan_origin origin;
	const char *template_name; /* NULL: a rule, or a template without a name */
	enum cert_status status;   /* after it */
	bool failed;               /* the plan could not be made or carried out: details say why */
	const char *details;       /* NULL: none */
};

void report_activation(struct report *r, const struct activation_line *a);

/* A revocation list was put in force (crl), or rejected (crl NULL, result, details). */
void report_crl(struct report *r, const struct certid *ca_id, const struct crl *crl,
    enum err result, const char *details);

/* A certificate is used by two clients at once: c and other_id.  done: the consequence, as
 * "both may stay"; other_address NULL: not known. */
void report_shared(struct report *r, const struct client *c, const struct certid *id,
    const char *other_id, const char *other_address, const char *done);

/* One value that a command changed; an empty text: no value. */
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

/* The object of a command: word is its name in the log ("policy"), member in the file
 * ("policyName").  An empty name: the command failed before it was known. */
struct request_subject {
	const char *word, *member;
	struct view name;
};

/* A command that changes something was carried out or failed.  Borrowed for the call. */
struct request_line {
	const char *command;
	const char *user_name, *client_id; /* of the caller */
	const char *address;               /* of the caller; NULL: not known */
	struct request_subject subjects[2];
	const struct changes *changes; /* none if it failed */
	enum err result;
	const char *details; /* why it failed; NULL: see result */
};

void report_request(struct report *r, const struct request_line *l);

/* A request, or one command of it, that is not allowed.  Borrowed for the call. */
struct denied_line {
	const char *reason;
	const char *user_name, *client_id; /* of the caller; NULL: none */
	const char *address;               /* NULL: not known */
	const char *command;               /* NULL: none was parsed */
};

void report_denied_request(struct report *r, const struct denied_line *l);

/* More of them without a line each: so many in the last seconds. */
void report_denied_requests(struct report *r, uint64_t count, int seconds);

/* A line of the broker's log, not of the file. */
void report_line(struct report *r, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
