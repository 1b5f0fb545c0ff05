/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * revocation.h - is a certificate on the revocation list of its CA?
 *
 * A few look-ups in the registry, however long the list is.  Any thread that has a
 * transaction.
 */
#ifndef JITR_REVOCATION_H
#define JITR_REVOCATION_H

#include "jitr/core/decide.h"
#include "jitr/adapter/store.h"

/* The defaults if no settings were made or the CA is not registered. */
MUST_USE enum err revocation_settings(struct txn *t, const struct certid *ca_id,
    struct ca_settings *out);

MUST_USE enum err revocation_read(struct txn *t, const struct certid *ca_id, struct view serial,
    struct revocation *out);

/* If out->limited is set: sets out->covered, whether the list's scope includes this
 * certificate (in DER). */
MUST_USE enum err revocation_cover(struct txn *t, const struct certid *ca_id,
    struct view certificate, struct revocation *out);

/* The serial number of the presented certificate. */
struct view serial_of(const struct presented *p);

/* "key compromise" (RFC 5280 5.3.1). */
const char *revocation_reason_text(uint8_t reason);

#endif
