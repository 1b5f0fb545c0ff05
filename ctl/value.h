/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * value.h - interprets a flag's value: text, file://, path, shorthand, JSON.
 *
 * The caller owns the results: free() for text, cJSON_Delete() for JSON.  Files are
 * limited to VALUE_MAX bytes.  A private key is refused where a certificate is
 * expected, because it would be sent.  Any thread.
 */
#ifndef CTL_VALUE_H
#define CTL_VALUE_H

#include <cjson/cJSON.h>

#include "commands.h"

#define VALUE_MAX (1024 * 1024) /* AWS's limit is 64 KiB of PEM (aws-iot 1.7) */

/* Literal text, or the content of file://... or fileb://... */
MUST_USE char *value_text(const char *given, struct diag *d);

/* As value_text(), but anything that is not PEM is a path. */
MUST_USE char *value_pem(const char *given, struct diag *d);

/* As value_text(), but anything that does not begin like JSON is a path. */
MUST_USE char *value_document(const char *given, struct diag *d);

/* As value_document(), or one of the words rule and none. */
MUST_USE char *value_rule(const char *given, struct diag *d);

/* A path on the broker's machine, or nothing; file:// and ./ are refused. */
MUST_USE char *value_broker_path(const char *given, struct diag *d);

/* The words joined with spaces. */
MUST_USE char *value_phrase(const char *first, char *const *more, int count, struct diag *d);

/* Shorthand (key=value,...), JSON, or a file with JSON: an object with members from
 * parts only. */
MUST_USE cJSON *value_object(const char *given, const struct part *parts, struct diag *d);

/* One or more of these as an array; JSON may contain several. */
MUST_USE cJSON *value_list(const char *first, char *const *more, int count,
    const struct part *parts, struct diag *d);

/* Words, or one JSON array of them. */
MUST_USE cJSON *value_words(const char *first, char *const *more, int count, struct diag *d);

MUST_USE bool value_number(const char *given, int *out, struct diag *d);

/* The path of file://path, or a plain path; expands ~/. */
MUST_USE char *value_path(const char *given, struct diag *d);

#endif
