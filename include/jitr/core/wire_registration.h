/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wire_registration.h - encodes registrations and refusals to bytes and decodes them: the
 * payloads of PRESENT, DONE and REFUSED (wire.h).
 *
 * Pure, no allocation.  doc/link.md documents the bytes.  A decoder accepts only input that it
 * consumes exactly and that has every member within its limits; otherwise it returns
 * ERR_CORRUPT and a zeroed result.  An accepted input would be encoded to the same bytes.
 * Decoded views point into the input.  Any thread.
 */
#ifndef JITR_WIRE_REGISTRATION_H
#define JITR_WIRE_REGISTRATION_H

#include "jitr/core/registration.h"

#define WIRE_DER_MAX     65536
#define WIRE_FAILURE_MAX 512 /* bytes; a longer text is cut */

/* PRESENT.  The size of the encoding; 0: there is none, because a member exceeds its limit. */
size_t wire_presentation_size(const struct presentation *p);

/* out has room for that size. */
void wire_put_presentation(const struct presentation *p, uint8_t *out);

/* out->plan is plan, or NULL where there is none. */
MUST_USE enum err wire_get_presentation(struct view in, struct presentation *out,
    struct plan *plan);

/* DONE: how the job of a presentation ended. */
struct presentation_result {
	enum err result;
	struct outcome outcome; /* zero if result is an error */
	struct view failure;    /* why the commit failed; empty: it did not */
};

#define WIRE_RESULT_MAX (6 + 4 + sizeof(struct diag) + 4 + WIRE_FAILURE_MAX)

/* The length written; 0: a member exceeds its limit. */
size_t wire_put_result(const struct presentation_result *r, uint8_t out[WIRE_RESULT_MAX]);
MUST_USE enum err wire_get_result(struct view in, struct presentation_result *out);

/* REFUSED.  The time of a refusal is not encoded: the registry sets it. */
#define WIRE_REFUSED_MAX (32 + 4 * (4 + REFUSAL_TEXT_MAX))

/* The length written; 0: a text is too long. */
size_t wire_put_refused(const struct certid *id, const struct refusal *r,
    uint8_t out[WIRE_REFUSED_MAX]);
MUST_USE enum err wire_get_refused(struct view in, struct certid *id, struct refusal *out);

#endif
