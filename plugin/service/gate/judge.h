/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * judge.h - judges a certificate that was presented.
 *
 * Live clients and explain call judge_certificate(), so that they cannot differ.
 * Broker thread, inside a read transaction of the caller.
 */
#ifndef JITR_JUDGE_H
#define JITR_JUDGE_H

#include "judgement.h"

#include "jitr/service/gate.h"

/* x was read into j->presented by x509_read(); j is otherwise zero.  client: the facts of
 * the client, without those of the certificate. */
MUST_USE enum err judge_certificate(struct gate *g, struct txn *t, struct x509_st *x,
    const struct facts *client, struct judgement *j);

/* The certificate of a CONNECT.  txn_or_null NULL: the registry cannot be read. */
void judge_client(struct gate *g, struct txn *txn_or_null, const struct client *c,
    struct judgement *j);

/* The certificate of a client that bypassed gate_connect().  Its user name comes from its
 * certificate and must not be the id of another certificate. */
void judge_bypassed(struct gate *g, struct txn *txn_or_null, const struct client *c,
    struct judgement *j);

#endif
