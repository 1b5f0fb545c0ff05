/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * der.h - the little of DER (X.690) that is read without OpenSSL: lengths, and
 * what is in what.
 *
 * Pure, no allocation, exact: definite lengths in their shortest form only,
 * single-byte tags only.  Any thread.
 */
#ifndef JITR_DER_H
#define JITR_DER_H

#include "jitr/core/base.h"

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT_0 = 0xa0, /* [0] EXPLICIT */
};

struct der {
	uint8_t tag;
	struct view content;
	struct view whole; /* tag and length included */
};

/* Takes the first value off *rest; false: there is none, or it is no DER. */
MUST_USE bool der_next(struct view *rest, struct der *out);

/* The same, if it has this tag; otherwise nothing is taken. */
MUST_USE bool der_take(struct view *rest, uint8_t tag, struct der *out);

/* UTCTime or GeneralizedTime in the forms of RFC 5280 4.1.2.5, in ms since
 * 1970. */
MUST_USE bool der_time(const struct der *value, int64_t *ms);

/* Is this the content of an INTEGER or ENUMERATED as DER writes it? */
MUST_USE bool der_is_shortest(struct view integer);

/* The serial number of a certificate: the content of its INTEGER (RFC 5280
 * 4.1.2.2).  Empty: it cannot be found, or is longer than SERIAL_MAX; OpenSSL
 * takes certificates whose signed part is BER, which is not read here.  Then no
 * list can be asked, which is not the same as not being on it.  The view points
 * into the certificate. */
struct view der_certificate_serial(struct view certificate);

/* What its signature is made over, tag and length included (RFC 5280 4.1.1.1).
 * Two that have it in common are one: some signatures have several forms, which can be
 * made of each other.  Empty: it cannot be found. */
struct view der_certificate_signed_part(struct view certificate);

#endif
