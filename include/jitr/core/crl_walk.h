/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_walk.h - splits a DER revocation list into its parts and iterates over its
 * entries.
 *
 * Pure, no allocation.  Checks structure only, not the signature (crl.h).  Any thread.
 */
#ifndef JITR_CRL_WALK_H
#define JITR_CRL_WALK_H

#include "jitr/core/der.h"
#include "jitr/core/model.h"

/* CertificateList (RFC 5280 5.1): each member is a sequence of complete DER values. */
struct crl_parts {
	struct view tbs;       /* tbsCertList with tag and length: the signed bytes */
	struct view head;      /* tbsCertList content from version to nextUpdate */
	struct view entries;   /* content of revokedCertificates; empty if absent */
	struct view tail;      /* tbsCertList content behind the entries: crlExtensions, if
			        * any */
	struct view signature; /* signatureAlgorithm and signatureValue */
};

/* Splits exactly one list; false if malformed or if bytes follow it. */
MUST_USE bool crl_split(struct view der, struct crl_parts *out);

enum crl_step {
	CRL_STEP_ENTRY,
	CRL_STEP_END,
	CRL_STEP_BROKEN,   /* malformed DER or date, or a serial number longer than SERIAL_MAX */
	CRL_STEP_INDIRECT, /* entry of another issuer (RFC 5280 5.3.3) */
	CRL_STEP_DELTA,    /* removeFromCRL (RFC 5280 5.3.1) */
	CRL_STEP_UNKNOWN,  /* unrecognised critical extension */
};

/* Parses the first entry of *rest and advances *rest past it. */
enum crl_step crl_next(struct view *rest, struct view *serial, struct revoked *out);

#endif
