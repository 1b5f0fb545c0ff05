/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * crl_walk.h - the parts of a DER revocation list, and its entries one by one.
 *
 * Pure, no allocation.  Structure only: the signature is crl.h's
 * business.  Any thread.
 */
#ifndef JITR_CRL_WALK_H
#define JITR_CRL_WALK_H

#include "jitr/core/der.h"
#include "jitr/core/model.h"

/* CertificateList (RFC 5280 5.1): whole values, one behind the other. */
struct crl_parts {
	struct view tbs;       /* tbsCertList, with tag and length: what is signed */
	struct view head;      /* of its content: version to nextUpdate */
	struct view entries;   /* the content of revokedCertificates; empty: none */
	struct view tail;      /* of its content: crlExtensions, if any */
	struct view signature; /* signatureAlgorithm and signatureValue */
};

/* Exactly one, and nothing behind it. */
MUST_USE bool crl_split(struct view der, struct crl_parts *out);

enum crl_step {
	CRL_STEP_ENTRY,
	CRL_STEP_END,
	CRL_STEP_BROKEN,   /* no DER, no date, no serial number up to SERIAL_MAX */
	CRL_STEP_INDIRECT, /* an entry of another issuer (RFC 5280 5.3.3) */
	CRL_STEP_DELTA,    /* removeFromCRL (RFC 5280 5.3.1) */
	CRL_STEP_UNKNOWN,  /* a critical extension that is not understood */
};

/* Takes the first entry off *rest. */
enum crl_step crl_next(struct view *rest, struct view *serial, struct revoked *out);

#endif
