/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_scope.h - which certificates a revocation list is about: its
 * issuingDistributionPoint (RFC 5280 5.2.5) and their cRLDistributionPoints (4.2.1.13).
 *
 * A CA may spread its certificates over several lists.  Such a list names the place it
 * is published at, and is silent about certificates that name another one: that one of
 * them is not on it says nothing.
 *
 * Pure, no allocation.  Any thread.
 */
#ifndef JITR_CRL_SCOPE_H
#define JITR_CRL_SCOPE_H

#include "jitr/core/der.h"
#include "jitr/core/model.h"

/* Names that are looked at, of a list and of a certificate each.  More make a list one
 * that is not taken, and a certificate one that no list with a place is about. */
#define CRL_PLACE_NAMES_MAX 16

/* The value of an issuingDistributionPoint: fills scope, only_users and place of *out.
 * What it says besides is not looked at.  False: it cannot be read, or its place is longer
 * than CRL_PLACE_MAX or has more than CRL_PLACE_NAMES_MAX names. */
MUST_USE bool crl_scope_read(struct view extension, struct crl *out);

/* Need a certificate be asked about? */
bool crl_scope_is_limited(const struct crl *list);

/* RFC 5280 6.3.3 (b)(2): does the list count for this certificate, in DER, of its issuer?
 * A certificate without cRLDistributionPoints has the name of its issuer for one (the last
 * paragraph of 6.3.3).  One that cannot be read: no. */
MUST_USE bool crl_scope_covers(const struct crl *list, struct view certificate);

/* Are both published at one place: has one a name of the other? */
MUST_USE bool crl_scope_same_place(const struct crl *a, const struct crl *b);

/* The nth name of its place, as text where it has one (a URI), otherwise in DER; false:
 * there is no such.  The view lives as long as the list. */
bool crl_scope_name(const struct crl *list, size_t nth, struct view *name, bool *is_text);

#endif
