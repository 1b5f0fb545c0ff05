/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * facts.h - gathers the facts that policies and rules look at (jitr/core/facts.h).
 *
 * For live clients and explain alike.  The judge's thread; functions with a transaction run
 * inside a read transaction of the caller.
 */
#ifndef JITR_SERVICE_FACTS_H
#define JITR_SERVICE_FACTS_H

#include "jitr/service/judge.h"

/* The facts of a connection, without those of its certificate.  Borrows the texts. */
struct facts facts_of_connection(const struct judge *judge, struct view client_id,
    struct view address);

/* The names in a registered certificate; the caller frees *out with free(). */
MUST_USE enum err read_stored_facts(struct txn *t, const struct certid *id,
    struct cert_facts **out);

/* The thing of a connection: the one that the certificate is attached to exclusively,
 * whatever the client id; otherwise the one named like the client id, if the certificate is
 * attached to it (AWS IoT developer guide, "Associating an AWS IoT thing to an MQTT client
 * connection").  *out is valid as long as the transaction. */
MUST_USE enum err find_thing(struct txn *t, const struct certid *id, struct view client_id,
    struct thing *out, bool *found);

/* The thing that a plan attaches, if it is named like the client id.  *out is valid as long
 * as the transaction and the plan. */
MUST_USE enum err find_planned_thing(struct txn *t, const struct plan *plan, struct view client_id,
    struct thing *out, bool *found);

/* One allocation with all texts, freed with free(); NULL: out of memory. */
struct thing *thing_copy(const struct thing *thing);

/* find_thing(), and if the certificate has none, find_planned_thing(). */
MUST_USE enum err find_thing_or_planned(struct txn *t, const struct certid *id,
    const struct plan *plan_or_null, struct view client_id, struct thing *out, bool *found);

#endif
