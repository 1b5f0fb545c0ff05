/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * der.h - the subset of DER (X.690) that is parsed without OpenSSL.
 *
 * Pure, no allocation.  Strict: definite lengths in their shortest form and single-byte
 * tags only.  Any thread.
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
	struct view whole; /* including tag and length */
};

/* Parses the first value of *rest and advances *rest past it.  False: *rest is empty or
 * is not DER. */
MUST_USE bool der_next(struct view *rest, struct der *out);

/* As der_next(), if the value has this tag; otherwise false and *rest is unchanged. */
MUST_USE bool der_take(struct view *rest, uint8_t tag, struct der *out);

/* UTCTime or GeneralizedTime as in RFC 5280 4.1.2.5, in ms since 1970. */
MUST_USE bool der_time(const struct der *value, int64_t *ms);

/* Is this content of an INTEGER or ENUMERATED in DER's shortest form? */
MUST_USE bool der_is_shortest(struct view integer);

/* The serial number of a certificate: the content of its INTEGER (RFC 5280 4.1.2.2).
 * Empty: not found, or longer than SERIAL_MAX.  OpenSSL accepts certificates with a
 * signed part in BER, which this parser does not.  A certificate without a serial
 * number cannot be looked up in a list, and must not be treated as "not listed".  The
 * view points into the certificate. */
struct view der_certificate_serial(struct view certificate);

/* The signed part of a certificate, including tag and length (RFC 5280 4.1.1.1).  Some
 * signatures can be re-encoded without the key, so two certificates with the same
 * signed part are the same certificate.  Empty: not found. */
struct view der_certificate_signed_part(struct view certificate);

#endif
