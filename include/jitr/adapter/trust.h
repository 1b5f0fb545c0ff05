/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * trust.h - supplies TLS listeners with trusted CAs at each handshake.
 *
 * OpenSSL fills a listener's certificate store from cafile and capath and never removes
 * anything from it (mosquitto section 9.1).  Here the two look-ups of the store, "which CA
 * issued this certificate" and "which certificates have this subject", call a function
 * instead: a CA is trusted exactly as long as the function returns it, also if several
 * have one subject, and also over websockets.  Dates, purposes, depth, partial chains
 * and crlfile remain as configured for the listener, and its own certificate chain
 * still comes from cafile.
 *
 * A listener is a server that requires a client certificate, with an SSL_CTX created
 * after trust_start() by the thread that called it.  It is recognised by its first
 * ClientHello, including contexts that the broker creates again at SIGHUP.  Its
 * sessions are not resumed, because a resumed session verifies nothing, and its
 * CertificateRequest names no CAs, so clients choose their certificate freely.
 *
 * Uses public functions of OpenSSL only; at most one per process.  Handshakes on other
 * threads are not affected, except that one with a listener's context finds no CAs.
 */
#ifndef JITR_TRUST_H
#define JITR_TRUST_H

#include "jitr/core/base.h"

struct x509_st; /* OpenSSL's X509 */

#define TRUST_SAME_SUBJECT_MAX 16 /* CAs examined per name */

/* Certificates of a chain, including the device's, for which the issuer is looked up.
 * The client may send up to a hundred certificates, and several CAs of one subject cost
 * a signature verification each. */
#define TRUST_CHAIN_MAX 5

/* Finds certificates with this X509_NAME_hash of their subject, at most max, each with
 * a reference that the caller releases.  CAs that cannot be read are left out, and so
 * are not trusted.  Called within a handshake: must not wait. */
typedef size_t trust_finder(void *context, uint32_t subject_hash, struct x509_st **found,
    size_t max);

struct trust_config {
	trust_finder *find;
	void *context;
	bool files_too; /* also trust the listener's cafile and capath */
};

/* ERR_EXISTS: already started. */
MUST_USE enum err trust_start(const struct trust_config *config);

/* The function is not called afterwards.  Does nothing if not started. */
void trust_stop(void);

#endif
