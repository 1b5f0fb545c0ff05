/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * proof.h - proof of possession: a verification certificate made on the spot.
 *
 * The CA's key is read, used once and wiped; it is never printed and never
 * sent (aws-iot C).  One thread.
 */
#ifndef CTL_PROOF_H
#define CTL_PROOF_H

#include "jitr/core/base.h"

struct ca_key;

/* The key in a PEM file, whose pass phrase is asked for on the terminal if it
 * has one, and the certificate it must belong to.  NULL: why in d. */
MUST_USE struct ca_key *ca_key_open(const char *path, const char *ca_pem, struct diag *d);
void ca_key_close(struct ca_key *key);

/* A certificate for a new key whose common name is the registration code,
 * signed by the CA: PEM text, to be free()d.  NULL: why in d. */
MUST_USE char *ca_key_prove(struct ca_key *key, const char *code, struct diag *d);

#endif
