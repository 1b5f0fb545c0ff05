/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * envelope.h - encodes requests and decodes answers on $CONTROL/jitr/v1.
 *
 * Request: {"commands":[{"command":...,"correlationData":...,members...}]}.  Answer:
 * {"responses":[{"command":...,"correlationData":...,"data":{...}}]} (doc/commands.md).
 * Any thread.
 */
#ifndef CTL_ENVELOPE_H
#define CTL_ENVELOPE_H

#include <cjson/cJSON.h>

#include "jitr/core/base.h"

/* The text of a request for an operation such as RegisterCACertificate; release with
 * free().  members stays the caller's. */
MUST_USE char *envelope_seal(const char *operation, const char *correlation, const cJSON *members);

/* The answer with this correlation, or the error that refuses the whole request; owned
 * by the caller.  payload may be anything that a broker sent.  NULL: no matching
 * answer.  Members that are null are removed, as in the AWS CLI's output (aws-iot 1.3). */
MUST_USE cJSON *envelope_open(struct view payload, const char *correlation);

/* Writes 2 * bytes random hex digits (at most 32 bytes), for correlation ids and upload
 * ids. */
MUST_USE bool random_hex(char *hex, size_t bytes);

/* The data of an answer (may be NULL), and its error, or NULL. */
const cJSON *answer_data(const cJSON *answer);
const char *answer_error(const cJSON *answer);
const char *answer_message(const cJSON *answer); /* "" if there is none */

#endif
