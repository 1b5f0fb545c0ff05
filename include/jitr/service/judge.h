/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * judge.h - judges certificates from a snapshot of the registry, without any session.
 *
 * The gate judges live clients with it; the control API explains and authorizes with one of
 * its own.  Both call the same functions, so that they cannot differ.  A judge owns what it
 * keeps between two questions: parsed CA certificates, compiled rules, templates and
 * policies.  One thread per judge.  Functions with a transaction run inside a read
 * transaction of the caller.
 */
#ifndef JITR_JUDGE_H
#define JITR_JUDGE_H

#include "jitr/core/access.h"
#include "jitr/core/options.h"
#include "jitr/core/policy.h"
#include "jitr/service/activation.h"
#include "jitr/service/issuer.h"
#include "jitr/service/judgement.h"
#include "jitr/service/policy_cache.h"
#include "jitr/service/registry.h"

struct judge_config {
	struct registry_rules rules;
	enum authorization authorization;
	enum trust_store trust_store; /* for explain */
	bool client_id_as_is;         /* jitr/core/facts.h */
	struct arn_scope scope;
	const struct certid *admin_certificates; /* borrowed for the judge's life */
	size_t admin_certificate_count;
	struct store *store;
	int64_t (*now)(void); /* ms since 1970 */
};

struct judge {
	struct judge_config config;
	struct issuer_cache issuers;
	struct policy_cache policies;
	struct activations activations;
	uint64_t planned; /* plans so far */

	/* The resources of device actions: "arn:aws:iot:<region>:<account>:topic/". */
	char arn_prefix_text[POLICY_ACTION_COUNT][ARN_PREFIX_SIZE + 16];
	struct view arn_prefix[POLICY_ACTION_COUNT];
};

/* The judge must not be moved afterwards. */
void judge_init(struct judge *judge, const struct judge_config *config);
void judge_clear(struct judge *judge); /* when nothing holds its policies any more */

/* x was read into j->presented by x509_read(); j is otherwise zero.  client: the facts of
 * the client, without those of the certificate. */
MUST_USE enum err judge_certificate(struct judge *judge, struct txn *t, struct x509_st *x,
    const struct facts *client, struct judgement *j);

/* A certificate by its id, from its record alone: for an offline session, for a client that
 * connected before the registry changed, and for the caller of a control request.  The
 * decision has no effects.  REASON_DELETED: it is not registered. */
struct decision judge_registered(const struct judge *judge, struct txn *t, const struct certid *id);

/* Is this certificate one of admin_certificates? */
bool judge_names_administrator(const struct judge *judge, const struct certid *id);

/* Any policy may have changed: each is compared with the registry before its next use. */
void judge_policies_changed(struct judge *judge);

#endif
