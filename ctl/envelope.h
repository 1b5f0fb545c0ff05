/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * envelope.h - what is around a request and an answer on $CONTROL/jitr/v1.
 *
 * {"commands":[{"command":...,"correlationData":...,members...}]} there,
 * {"responses":[{"command":...,"correlationData":...,"data":{...}}]} back
 * (doc/commands.md).  Any thread.
 */
#ifndef CTL_ENVELOPE_H
#define CTL_ENVELOPE_H

#include <cjson/cJSON.h>

#include "jitr/core/base.h"

/* The text of a request for an operation such as RegisterCACertificate.  The
 * members stay the caller's, the text is free()d. */
MUST_USE char *envelope_seal(const char *operation, const char *correlation, const cJSON *members);

/* The answer with that correlation, or the error that refuses the request as a
 * whole, out of whatever a broker sent; the caller's.  NULL: not ours.  Members that are null are left out, as in the
 * AWS CLI's view of an answer (aws-iot 1.3). */
MUST_USE cJSON *envelope_open(struct view payload, const char *correlation);

/* 2 * bytes random digits (32 bytes at most), to know what belongs together: a
 * request and its answer, the parts of a list. */
MUST_USE bool random_hex(char *hex, size_t bytes);

/* Of an answer: its data (may be NULL), or the error it reports, else NULL. */
const cJSON *answer_data(const cJSON *answer);
const char *answer_error(const cJSON *answer);
const char *answer_message(const cJSON *answer); /* "" when there is none */

#endif
