/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_scope.h - which certificates a revocation list covers: its
 * issuingDistributionPoint (RFC 5280 5.2.5) and their cRLDistributionPoints (4.2.1.13).
 *
 * A CA may spread its certificates over several lists.  Such a list names its
 * distribution point and does not cover certificates that name another one, so the
 * absence of an entry says nothing about them.
 *
 * Pure, no allocation.  Any thread.
 */
#ifndef JITR_CRL_SCOPE_H
#define JITR_CRL_SCOPE_H

#include "jitr/core/der.h"
#include "jitr/core/model.h"

/* Maximum number of distribution point names examined, of a list and of a certificate
 * each.  A list with more is not accepted; a certificate with more is covered by no
 * list that has a distribution point. */
#define CRL_POINT_NAMES_MAX 16

/* Parses the value of an issuingDistributionPoint extension and sets scope, only_users,
 * point and point_len of *out; other fields are ignored.  False: malformed, longer than
 * CRL_POINT_MAX, or more than CRL_POINT_NAMES_MAX names. */
MUST_USE bool crl_scope_read(struct view extension, struct crl *out);

/* Does the list cover only some certificates, so that crl_scope_covers() has to be
 * asked? */
bool crl_scope_is_limited(const struct crl *list);

/* RFC 5280 6.3.3 (b)(2): does the list cover this certificate (DER) of its issuer?  A
 * certificate without cRLDistributionPoints has its issuer's name as distribution point
 * (last paragraph of 6.3.3).  False also if the certificate cannot be parsed. */
MUST_USE bool crl_scope_covers(const struct crl *list, struct view certificate);

/* Do the distribution points of two lists have a name in common? */
MUST_USE bool crl_scope_same_point(const struct crl *a, const struct crl *b);

/* The nth name of the list's distribution point: text if it is a URI, otherwise DER.
 * False: there are no more names.  The view points into the list. */
bool crl_scope_name(const struct crl *list, size_t nth, struct view *name, bool *is_text);

#endif
