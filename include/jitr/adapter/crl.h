/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl.h - certificate revocation lists (RFC 5280 5): bytes to entries.
 *
 * Reading one checks all there is to check about it: form, extensions, issuer,
 * signature, dates.  A list of a million entries takes half a second and some
 * 20 MB besides its bytes: OpenSSL, which would make several hundred MB of it,
 * is shown the list without its entries.  The worst that CRL_DER_MAX bytes can
 * hold takes some seconds.  OpenSSL's error queue is empty on return.  Any
 * thread, but not the broker's; one object in one thread at a time.
 */
#ifndef JITR_CRL_H
#define JITR_CRL_H

#include "jitr/core/model.h"

struct x509_st;

#define CRL_DER_MAX ((size_t)128 << 20)                             /* bytes */
#define CRL_PEM_MAX (CRL_DER_MAX / 3 * 4 + CRL_DER_MAX / 24 + 4096) /* lines end with CR and LF */

struct crl_list;

/*
 * bytes: one list in DER, or one X509 CRL block of PEM (RFC 7468; text around
 * it is ignored).  They must live as long as *out.
 *
 * ca: the list must be its own.  grace: how long beyond its nextUpdate, in ms, a
 * list may be and still be taken.
 *
 * ERR_CERTIFICATE and *diag: what is wrong with it.
 */
MUST_USE enum err crl_read(struct view bytes, struct x509_st *ca, int64_t grace, int64_t now,
    struct crl_list **out, struct diag *diag);
void crl_free(struct crl_list *l); /* NULL is fine */

/* The same; where nothing is wrong with the list but that its thisUpdate is still to come,
 * *valid_from is that, otherwise 0. */
MUST_USE enum err crl_read_when(struct view bytes, struct x509_st *ca, int64_t grace, int64_t now,
    struct crl_list **out, int64_t *valid_from, struct diag *diag);

/* Dates, number, count and digest; the rest is zero. */
const struct crl *crl_facts(const struct crl_list *l);

/* Entries in the order of their serial numbers, each number once: nth = 0, 1,
 * ... crl_facts()->count - 1.  The order is by bytes, the shorter first where
 * one begins like the other; of entries of one number the first that is no
 * hold.  The view lives as long as the list and the bytes. */
void crl_entry(const struct crl_list *l, size_t nth, struct view *serial, struct revoked *out);

/* May it take the place of present?  ERR_OK; ERR_EXISTS: it is present, or says
 * the same; ERR_CERTIFICATE and *diag: it is older, or numbered like another
 * one (RFC 5280 5.2.3), or is only for one distribution point where present is for
 * another one or for all. */
MUST_USE enum err crl_succeeds(const struct crl *next, const struct crl *present,
    struct diag *diag);

#endif
