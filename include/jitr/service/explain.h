/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * explain.h - what would happen: testAuthorization, getEffectivePolicies and
 * explain (aws-iot A.7).
 *
 * The same judgement of certificates, the same facts and the same policies as
 * for a client that is connected; nothing is registered, counted or logged.
 * Broker thread; inquiry_open() and inquiry_explain() inside a read transaction
 * of the caller, the rest without.
 */
#ifndef JITR_INQUIRY_H
#define JITR_INQUIRY_H

#include "jitr/service/gate.h"
#include "jitr/adapter/trust_chain.h"

/* Policies of one inquiry: those attached and those added. */
#define INQUIRY_POLICIES_MAX 30

struct inquiry_request {
	const struct certid *principal; /* NULL: none, only the policies added */
	struct x509_st *x;              /* a certificate, registered or not, to be explained;
	                                 * NULL */
	struct view client_id;          /* data NULL: not given */
	struct view source;             /* an IP address; data NULL: not given */
	const struct view *add, *skip;  /* names of policies */
	size_t add_count, skip_count;
	size_t *steps; /* what the policies take is added; NULL */
};

struct inquiry;

/* ERR_NOT_FOUND and *diag: no such certificate, or a policy that is named. */
MUST_USE enum err inquiry_open(struct gate *g, struct txn *t, const struct inquiry_request *r,
    struct inquiry **out, struct diag *diag);
void inquiry_close(struct inquiry *i); /* NULL is fine */

size_t inquiry_policy_count(const struct inquiry *i);
const char *inquiry_policy_name(const struct inquiry *i, size_t nth);
uint32_t inquiry_policy_version(const struct inquiry *i, size_t nth);
const struct policy *inquiry_policy(const struct inquiry *i,
    size_t nth); /* NULL: it cannot be used */

/* Memory ran out for a policy that has changed since: it cannot be asked now, and
 * what the rest say is no answer. */
bool inquiry_lacks_memory(const struct inquiry *i);

/* What a live client would be answered (access.h): all policies together, with the
 * configuration and the rights of an administrator; match.policy counts as
 * inquiry_policy_name() does.  A policy that cannot be used denies. */
struct access_decision inquiry_access(const struct inquiry *i, const struct access_question *q);
struct access_decision inquiry_connect(const struct inquiry *i, struct view client_id);

/* The same of one policy alone, whatever the configuration says. */
struct access_decision inquiry_access_by(const struct inquiry *i, size_t nth,
    const struct access_question *q);
struct access_decision inquiry_connect_by(const struct inquiry *i, size_t nth,
    struct view client_id);

/* The variables and condition keys that the policies name and that have no
 * value here, each once, at most max of them; answers how many. */
size_t inquiry_missing(const struct inquiry *i, struct view *names, size_t max);

/* What would be answered to a CONNECT with this certificate now. */
struct explanation {
	struct certid id, ca_id;
	bool registered, has_ca;
	enum cert_status status;  /* if registered */
	struct decision decision; /* with policies, where they decide */
	struct diag details;      /* of its reason; empty: there is no more to say */
	struct diag chain;        /* what could not be found out about its chain; empty:
	                              * nothing */
	const struct plan *plan;  /* what the rule or template of its CA says, as long as the
	                              * inquiry is open; NULL: it was not asked */
};

/* Of an inquiry with x. */
MUST_USE enum err inquiry_explain(const struct inquiry *i, struct txn *t, struct explanation *out);

/* What TLS would say to a certificate, as far as the registered CAs tell: as
 * trust_verify(). */
MUST_USE enum err inquiry_verify(struct gate *g, struct txn *t, struct x509_st *x,
    struct diag *diag);

#endif
