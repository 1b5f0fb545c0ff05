/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * trust_chain.h - tests whether a TLS listener would accept a certificate.
 *
 * Verifies as in a handshake (X509_verify_cert, purpose client, partial chains where
 * allowed, OpenSSL's default security level), with CAs from a function as in trust.h.
 * Unknown here: certificates that a client sends along, and the listener's own cafile,
 * crlfile and ciphers.  Any thread.
 */
#ifndef JITR_TRUST_CHAIN_H
#define JITR_TRUST_CHAIN_H

#include "jitr/adapter/trust.h"

/* With files_too, CAs of one subject are distinguished as files are, by name and key
 * identifier; without it also by the signature, as in trust.h.  now: ms since 1970.
 * ERR_CERTIFICATE: *diag has the refused certificate of the chain and the reason.
 * ERR_NOT_FOUND: no CA found has issued it. */
MUST_USE enum err trust_verify(struct x509_st *x, const struct trust_config *config, int64_t now,
    struct diag *diag);

/* Reports everything that would make TLS refuse all or some certificates of this CA,
 * one line each.  CAs above it do not matter: it is a trust anchor. */
typedef void trust_warner(void *context, const char *text);
void trust_check_ca(struct x509_st *ca, int64_t now, trust_warner *tell, void *context);

#endif
