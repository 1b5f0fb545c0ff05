/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * inquiry.h - what would happen: testAuthorization, getEffectivePolicies and
 * explain (aws-iot A.7).
 *
 * The same judgement of certificates, the same facts and the same policies as
 * for a client that is connected; nothing is registered, counted or logged.
 * Broker thread; inquiry_open() and inquiry_explain() inside a read transaction
 * of the caller, the rest without.
 */
#ifndef JITR_INQUIRY_H
#define JITR_INQUIRY_H

#include "jitr/gate.h"

/* Policies of one inquiry: those attached and those added. */
#define INQUIRY_POLICIES_MAX 30

struct inquiry_request {
	const struct certid *principal; /* NULL: none, only the policies added */
	struct x509_st      *x;         /* a certificate, registered or not, to be explained;
	                                 * NULL */
	struct view          client_id; /* data NULL: not given */
	struct view          source;    /* an IP address; data NULL: not given */
	const struct view   *add, *skip; /* names of policies */
	size_t               add_count, skip_count;
	size_t              *steps; /* what the policies take is added; NULL */
};

struct inquiry;

/* ERR_NOT_FOUND and *diag: no such certificate, or a policy that is named. */
MUST_USE enum err inquiry_open(struct gate *g, struct txn *t, const struct inquiry_request *r,
    struct inquiry **out, struct diag *diag);
void inquiry_close(struct inquiry *i); /* NULL is fine */

size_t      inquiry_policy_count(const struct inquiry *i);
const char *inquiry_policy_name(const struct inquiry *i, size_t nth);
uint32_t    inquiry_policy_version(const struct inquiry *i, size_t nth);

/* All policies together; ground->policy counts as inquiry_policy_name() does.
 * A policy that cannot be used denies. */
enum policy_result inquiry_ask(const struct inquiry *i, enum policy_action action,
    struct view name, struct policy_ground *ground);

/* One of them alone. */
enum policy_result inquiry_ask_one(const struct inquiry *i, size_t nth,
    enum policy_action action, struct view name);

/* The variables and condition keys that the policies name and that have no
 * value here, each once, at most max of them; answers how many. */
size_t inquiry_missing(const struct inquiry *i, struct view *names, size_t max);

/* What would be answered to a CONNECT with this certificate now. */
struct explanation {
	struct certid      id, ca_id;
	bool               registered, has_ca;
	enum cert_status   status;   /* if registered */
	struct decision    decision; /* with policies, where they decide */
	struct diag        details;  /* of its reason; empty: there is no more to say */
	const struct plan *plan;     /* what the rule or template of its CA says, as long as the
	                              * inquiry is open; NULL: it was not asked */
};

/* Of an inquiry with x. */
MUST_USE enum err inquiry_explain(struct gate *g, struct txn *t, const struct inquiry *i,
    struct explanation *out);

#endif
