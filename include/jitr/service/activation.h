/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * activation.h - evaluates the rule or template of a CA for a certificate.
 *
 * Each is compiled once and kept until its CA, or the template, changes.
 * Broker thread.
 */
#ifndef JITR_ACTIVATION_H
#define JITR_ACTIVATION_H

#include "jitr/service/registry.h"
#include "jitr/core/rule.h"
#include "jitr/core/template.h"

#include "jitr/service/policy_cache.h"

struct x509_st;

#define ACTIVATIONS_MAX 64 /* cached */

struct activation {
	struct certid ca_id;
	struct ca_revision ca_revision;
	char template_name[TEMPLATE_NAME_MAX + 1]; /* of a template by name */
	struct generation template_generation;
	struct rule *rule;
	struct template *template;
	struct diag broken; /* why it could not be compiled; empty: the CA has neither */
	bool by_template;
	uint64_t used; /* 0: free */
};

struct activations {
	struct arn_scope scope;
	struct policy_cache *policies; /* borrowed */
	struct activation kept[ACTIVATIONS_MAX];
	uint64_t clock;
	uint8_t room[PLAN_ROOM];
};

void activations_clear(struct activations *a);

/*
 * The plan of the CA's rule or template for the certificate x; *out NULL: the CA has neither.
 * presented: x as it was read; client: the facts of the client, without those of the
 * certificate.  The plan is one allocation without references, freed with free().  A plan that
 * does not fit the registry fails, and so does one that attaches policies with rights over the
 * registry: these are attached by command only.
 */
MUST_USE enum err activation_plan(struct activations *a, struct txn *t, const struct ca *ca,
    struct x509_st *x, const struct presented *presented, const struct facts *client,
    struct plan **out);

/* Does the CA have a rule or a template? */
MUST_USE enum err activation_exists(struct activations *a, struct txn *t, const struct ca *ca,
    bool *exists);

/* The compiled rule or template of ca, compiled now if it is not cached. */
MUST_USE enum err activation_get(struct activations *a, struct txn *t, const struct ca *ca,
    struct activation **out);

/* Does the CA have neither rule nor template? */
bool activation_is_empty(const struct activation *a);

/* In one allocation, with all its texts; NULL: out of memory.  free(). */
struct plan *plan_copy(const struct plan *plan);

#endif
