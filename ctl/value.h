/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * value.h - what a flag's value means: text, file://, a path, shorthand, JSON.
 *
 * Results are the caller's: free() for text, cJSON_Delete() for JSON.  A file
 * is read up to VALUE_MAX bytes and no further.  A private key is refused
 * wherever a certificate is meant: it would be sent.  Any thread.
 */
#ifndef CTL_VALUE_H
#define CTL_VALUE_H

#include <cjson/cJSON.h>

#include "commands.h"

#define VALUE_MAX (1024 * 1024) /* AWS takes 64 KiB of PEM at most (aws-iot 1.7) */

/* Literal text, or the content of file://... and fileb://... */
MUST_USE char *value_text(const char *given, struct diag *d);

/* The same, and a plain path: what is not PEM text is a path. */
MUST_USE char *value_pem(const char *given, struct diag *d);

/* The same, and a plain path: what does not begin as JSON does is a path. */
MUST_USE char *value_document(const char *given, struct diag *d);

/* The same, and the words rule and none as they are. */
MUST_USE char *value_rule(const char *given, struct diag *d);

/* A path, or nothing, as it is: not file:// and not ./, it is not read here. */
MUST_USE char *value_broker_path(const char *given, struct diag *d);

/* Words with one blank between them. */
MUST_USE char *value_phrase(const char *first, char *const *more, int count, struct diag *d);

/* Shorthand (key=value,...), JSON, or a file with JSON, as an object whose
 * members are all among parts. */
MUST_USE cJSON *value_object(const char *given, const struct part *parts, struct diag *d);

/* One or more of these, as an array; JSON may bring several at once. */
MUST_USE cJSON *value_list(const char *first, char *const *more, int count,
    const struct part *parts, struct diag *d);

/* Words, or one JSON array of them. */
MUST_USE cJSON *value_words(const char *first, char *const *more, int count, struct diag *d);

MUST_USE bool value_number(const char *given, int *out, struct diag *d);

/* The path in file://path or a plain path, with ~/ spelled out. */
MUST_USE char *value_path(const char *given, struct diag *d);

#endif
