/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * trust.h - the CAs that TLS listeners trust: asked for at each handshake.
 *
 * OpenSSL fills a listener's store from cafile and capath, and what it has
 * found there once it never forgets (mosquitto section 9.1).  Here the store's two
 * questions, which CA issued this certificate and which certificates have this
 * subject, are answered by a function instead: a CA is trusted from the moment
 * the function finds it to the moment it does not, several of one subject as
 * well, and over websockets as well.  Dates, purposes, depth, partial chains
 * and crlfile stay what the listener says, and its own certificate gets its chain
 * from cafile as ever.
 *
 * A listener is a server that demands a client certificate and whose context
 * was made after trust_start(), by the thread that called it; it is known by
 * its first ClientHello, and those that the broker makes anew at SIGHUP are,
 * too.  Its sessions are not resumed, as a resumed one is not asked about, and it names no
 * CA in its CertificateRequest, so that clients choose their certificate freely.
 *
 * Public functions of OpenSSL only; one in a process.  Handshakes on other
 * threads are left alone; one with a context of a listener's finds none.
 */
#ifndef JITR_TRUST_H
#define JITR_TRUST_H

#include "jitr/core/base.h"

struct x509_st; /* OpenSSL's X509 */

#define TRUST_SAME_SUBJECT_MAX 16 /* CAs that are looked at for one name */

/* Certificates of a chain, the device's among them, whose issuer is looked for.  What
 * comes along in a handshake is the client's, up to a hundred of them, and CAs of one
 * subject cost a signature each. */
#define TRUST_CHAIN_MAX 5

/* Certificates with this X509_NAME_hash of their subject, as many as there are up
 * to max, each with a reference that the caller frees.  What cannot be read is
 * not trusted.  Called within a handshake: it waits for nothing. */
typedef size_t trust_finder(void *context, uint32_t subject_hash, struct x509_st **found,
    size_t max);

/* What the TLS listeners trust. */
enum trust_store {
	TRUST_STORE_CAPATH,          /* as the broker does: registered CAs are in a capath */
	TRUST_STORE_LIVE,            /* registered CAs and nothing else */
	TRUST_STORE_LIVE_AND_CAFILE, /* what the listener's files hold as well */
};

struct trust_config {
	trust_finder *find;
	void *context;
	bool files_too; /* what the listener's cafile and capath hold as well */
};

/* ERR_EXISTS: it is started already. */
MUST_USE enum err trust_start(const struct trust_config *config);

/* The function is not called any more; not started is fine. */
void trust_stop(void);

#endif
