/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * trust_chain.h - would a TLS listener take this certificate?
 *
 * The verification of a handshake (X509_verify_cert, purpose client, partial chains
 * where they are allowed, OpenSSL's usual security level), from the CAs that a
 * function finds, as trust.h asks for them.  What is not known here: certificates
 * that a client sends along, and what a listener's own cafile, crlfile and ciphers
 * add.  Any thread.
 */
#ifndef JITR_TRUST_CHAIN_H
#define JITR_TRUST_CHAIN_H

#include "jitr/adapter/trust.h"

/* files_too of config: CAs of one subject are told apart as files are, by name and
 * key identifier; without it by the signature as well, as trust.h does.
 * now: ms since 1970.  ERR_CERTIFICATE and *diag: which certificate of the chain is
 * refused, and why; ERR_NOT_FOUND: nothing that is found has issued it. */
MUST_USE enum err trust_verify(struct x509_st *x, const struct trust_config *config, int64_t now,
    struct diag *diag);

/* What would keep every certificate of this CA, or some, from being taken; one line
 * for each.  What is above it does not matter: it is an anchor. */
typedef void trust_warner(void *context, const char *text);
void trust_check_ca(struct x509_st *ca, int64_t now, trust_warner *tell, void *context);

#endif
