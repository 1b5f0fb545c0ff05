/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * revocation.h - what the revocation list of a CA says of a certificate.
 *
 * A few look-ups in the registry, however long the list is.  Any thread that
 * has a transaction.
 */
#ifndef JITR_REVOCATION_H
#define JITR_REVOCATION_H

#include "jitr/core/decide.h"
#include "jitr/adapter/store.h"

/* Settings that were never made, and a CA that is gone, are the defaults. */
MUST_USE enum err revocation_settings(struct txn *t, const struct certid *ca_id,
    struct ca_settings *out);

MUST_USE enum err revocation_read(struct txn *t, const struct certid *ca_id, struct view serial,
    struct revocation *out);

/* Where *out says that the list is limited: is this certificate, in DER, one of those that
 * it is about? */
MUST_USE enum err revocation_cover(struct txn *t, const struct certid *ca_id,
    struct view certificate, struct revocation *out);

/* The serial number of what was presented. */
struct view serial_of(const struct presented *p);

/* "key compromise" (RFC 5280 5.3.1). */
const char *revocation_reason_text(uint8_t reason);

#endif
