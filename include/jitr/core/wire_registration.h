/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * wire_registration.h - encodes registrations and refusals to bytes and decodes them.
 *
 * Pure, no allocation.  Integers are big-endian, texts have their length before them.  A
 * decoder accepts only input that it consumes exactly and that has every member within its
 * limits; otherwise it returns ERR_CORRUPT and a zeroed result.  An accepted input would be
 * encoded to the same bytes.  Decoded views point into the input.  Any thread.
 *
 *	presentation  id 32, content 32, serial (1 + n), not before 8, not after 8, leaf 1,
 *	              strong signature 1, strong key 1, known extensions 1, issued by CA 1,
 *	              CA id 32, DER (4 + n), details (4 + n), client id (4 + n),
 *	              address (4 + n), has plan 1, plan
 *	plan          CA generation 16, CA version 4, origin 1, template (1 + n), status 1,
 *	              failed 1, no memory 1, reason (4 + n), number of policies 1, of each
 *	              the name (1 + n) and the document (4 + n), thing (1 + n), thing type
 *	              (1 + n), billing group (1 + n), attributes (4 + n), override of
 *	              attributes 1, override of type 1, supersedes 1, delay 8
 *	result        error 1, verdict 1, reason 1, effects 1, status 1, failed 1,
 *	              details (4 + n), failure (4 + n)
 *	refusal       id 32, code (4 + n), details (4 + n), client id (4 + n), address (4 + n)
 */
#ifndef JITR_WIRE_REGISTRATION_H
#define JITR_WIRE_REGISTRATION_H

#include "jitr/core/registration.h"

#define WIRE_DER_MAX     65536
#define WIRE_FAILURE_MAX 512 /* bytes; a longer text is cut */

/* The size of the encoding; 0: there is none, because a member exceeds its limit. */
size_t wire_presentation_size(const struct presentation *p);

/* out has room for that size. */
void wire_put_presentation(const struct presentation *p, uint8_t *out);

/* out->plan is plan, or NULL where there is none. */
MUST_USE enum err wire_get_presentation(struct view in, struct presentation *out,
    struct plan *plan);

/* How the job of a presentation ended. */
struct presentation_result {
	enum err result;
	struct outcome outcome; /* zero if result is an error */
	struct view failure;    /* why the commit failed; empty: it did not */
};

#define WIRE_RESULT_MAX (6 + 4 + sizeof(struct diag) + 4 + WIRE_FAILURE_MAX)

/* The length written; 0: a member exceeds its limit. */
size_t wire_put_result(const struct presentation_result *r, uint8_t out[WIRE_RESULT_MAX]);
MUST_USE enum err wire_get_result(struct view in, struct presentation_result *out);

/* The time of a refusal is not encoded: the registry sets it. */
#define WIRE_REFUSED_MAX (32 + 4 * (4 + REFUSAL_TEXT_MAX))

/* The length written; 0: a text is too long. */
size_t wire_put_refused(const struct certid *id, const struct refusal *r,
    uint8_t out[WIRE_REFUSED_MAX]);
MUST_USE enum err wire_get_refused(struct view in, struct certid *id, struct refusal *out);

#endif
