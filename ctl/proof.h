/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * proof.h - proof of possession: creates a verification certificate.
 *
 * The CA's key is read, used once and wiped; it is never printed or sent (aws-iot C).
 * One thread.
 */
#ifndef CTL_PROOF_H
#define CTL_PROOF_H

#include "jitr/core/base.h"

struct ca_key;

/* Reads a key in PEM, asking for its pass phrase on the terminal if necessary, and the
 * certificate that it must belong to.  NULL: *d has the reason. */
MUST_USE struct ca_key *ca_key_open(const char *path, const char *ca_pem, struct diag *d);
void ca_key_close(struct ca_key *key);

/* A certificate for a new key with the registration code as common name, signed by the
 * CA: PEM, release with free().  NULL: *d has the reason. */
MUST_USE char *ca_key_prove(struct ca_key *key, const char *code, struct diag *d);

#endif
