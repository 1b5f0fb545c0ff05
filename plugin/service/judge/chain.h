/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * chain.h - what TLS would say to a certificate, from the registered CAs.
 *
 * Inside a read transaction of the caller.
 */
#ifndef JITR_CHAIN_H
#define JITR_CHAIN_H

#include "jitr/service/judge.h"

/* As trust_verify(). */
MUST_USE enum err chain_verify(struct judge *judge, struct txn *t, struct x509_st *x,
    struct diag *diag);

/* Does TLS trust the registered CAs alone (trust_store live)? */
bool chain_is_live(const struct judge *judge);

#endif
