/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl.h - certificate revocation lists (RFC 5280 5): reads DER or PEM into entries.
 *
 * Reading checks everything: form, extensions, issuer, signature, dates.  A list of a
 * million entries takes half a second and 20 MB in addition to its bytes; OpenSSL,
 * which would need several hundred MB for it, is given the list without its entries.
 * The worst case of CRL_DER_MAX bytes takes some seconds, so never call this in the
 * broker.  OpenSSL's error queue is empty on return.  The registrar's thread.
 */
#ifndef JITR_CRL_H
#define JITR_CRL_H

#include "jitr/core/model.h"

struct x509_st;

#define CRL_DER_MAX ((size_t)128 << 20) /* bytes */
#define CRL_PEM_MAX \
	(CRL_DER_MAX / 3 * 4 + CRL_DER_MAX / 24 + 4096) /* with lines that end with CR LF */

struct crl_list;

/* The CA that must have issued the list, and the time at which it must be valid. */
struct crl_terms {
	struct x509_st *ca;
	int64_t grace; /* ms that the list may be past its nextUpdate */
	int64_t now;   /* ms since 1970 */
};

/*
 * Reads and checks a list.
 *
 * bytes: one list in DER, or one X509 CRL block of PEM (RFC 7468; text around it is
 * ignored).  They must stay valid as long as *out.
 *
 * ERR_CERTIFICATE: *diag has the reason.  If the only reason is a thisUpdate in the
 * future, *valid_from is that time, otherwise 0; valid_from may be NULL.
 */
MUST_USE enum err crl_read(struct view bytes, const struct crl_terms *terms, struct crl_list **out,
    int64_t *valid_from, struct diag *diag);
void crl_free(struct crl_list *l); /* NULL is fine */

/* Dates, number, scope, count and digest; other fields are zero. */
const struct crl *crl_facts(const struct crl_list *l);

/* Entries ordered by serial number, each number once: nth = 0, 1, ...
 * crl_facts()->count - 1.  The order is bytewise; a prefix of another number comes
 * before it.  Of several entries for one number, the first with a reason other than
 * certificateHold is used.  The view is valid as long as the list and the bytes. */
void crl_entry(const struct crl_list *l, size_t nth, struct view *serial, struct revoked *out);

/* May next replace present, the list in force?  ERR_OK: yes.  ERR_EXISTS: it is the
 * same list.  ERR_CERTIFICATE and *diag: it is older, has the number of a different
 * list (RFC 5280 5.2.3), or is for one distribution point while present is for another
 * one or for all certificates. */
MUST_USE enum err crl_succeeds(const struct crl *next, const struct crl *present,
    struct diag *diag);

#endif
