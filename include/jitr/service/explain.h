/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * explain.h - what would happen: testAuthorization, getEffectivePolicies and
 * explain (aws-iot A.7).
 *
 * Uses the functions that judge live clients, and changes nothing: no registration, no
 * counters, no log lines.  The judge's thread; explain_open() and explain_certificate() run
 * inside a read transaction of the caller, the rest without.
 */
#ifndef JITR_EXPLAIN_H
#define JITR_EXPLAIN_H

#include "jitr/service/judge.h"
#include "jitr/service/rights.h"

/* Attached policies and added ones. */
#define EXPLAIN_POLICIES_MAX POLICY_SET_MAX

struct explain_request {
	const struct certid *principal; /* NULL: none, only the policies added */
	struct x509_st *x;              /* a certificate to explain, registered or not; NULL:
					 * none */
	struct view client_id;          /* data NULL: not given */
	struct view source;             /* an IP address; data NULL: not given */
	const struct view *add, *skip;  /* names of policies */
	size_t add_count, skip_count;
	size_t *steps; /* the steps that policies take are added; NULL */
};

struct explain;

/* ERR_NOT_FOUND and *diag: no such certificate, or no such policy. */
MUST_USE enum err explain_open(struct judge *judge, struct txn *t, const struct explain_request *r,
    struct explain **out, struct diag *diag);
void explain_close(struct explain *e); /* NULL is fine */

size_t explain_policy_count(const struct explain *e);
const char *explain_policy_name(const struct explain *e, size_t nth);
uint32_t explain_policy_version(const struct explain *e, size_t nth);
const struct policy *explain_policy(const struct explain *e,
    size_t nth); /* NULL: it cannot be used */

/* Memory ran out for a policy that has changed since: it cannot be asked now, and the others
 * alone give no answer. */
bool explain_lacks_memory(const struct explain *e);

/* The answer to a live client (access.h): all policies together, with the configuration and
 * the rights of an administrator; match.policy is the index of explain_policy_name().  A
 * policy that cannot be used denies. */
struct access_decision explain_access(const struct explain *e, const struct access_question *q);
struct access_decision explain_connect(const struct explain *e, struct view client_id);

/* The answer of one policy alone, whatever the configuration says. */
struct access_decision explain_access_by(const struct explain *e, size_t nth,
    const struct access_question *q);
struct access_decision explain_connect_by(const struct explain *e, size_t nth,
    struct view client_id);

/* The variables and condition keys that the policies name and that have no
 * value here, each once, at most max of them; returns their number. */
size_t explain_missing(const struct explain *e, struct view *names, size_t max);

/* The answer to a CONNECT with this certificate now. */
struct explanation {
	struct certid id, ca_id;
	bool registered, has_ca;
	enum cert_status status;  /* if registered */
	struct decision decision; /* with policies, where they decide */
	struct diag details;      /* of its reason; empty: none */
	struct diag chain;        /* what could not be found out about its chain; empty:
				   * nothing */
	const struct plan *plan;  /* of the rule or template of its CA, valid until
				   * explain_close(); NULL: it was not asked */
};

/* For a request with x. */
MUST_USE enum err explain_certificate(const struct explain *e, struct txn *t,
    struct explanation *out);

#endif
