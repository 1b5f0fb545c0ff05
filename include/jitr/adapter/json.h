/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * json.h - strict reading of JSON from outside.
 *
 * cJSON accepts more than we want: case-insensitive names, duplicate names,
 * bytes behind the end, broken UTF-8, deep nesting, NUL inside strings.  Here
 * all of that is an error.  A member that breaks a constraint is reported in
 * AWS's words (aws-iot 1.5).  Broker thread.
 */
#ifndef JITR_JSON_H
#define JITR_JSON_H

#include <cjson/cJSON.h>

#include "jitr/core/base.h"

/* Names of one object; a thing may have fifty attributes. */
#define JSON_MEMBERS_MAX 64

/* Values of one text, and characters written as \u.  To parse a value takes up
 * to half a microsecond and 64 bytes, however short it is. */
#define JSON_VALUES_MAX 10000

/* One value and nothing behind it.  Free with cJSON_Delete().  ERR_REQUEST and *diag;
 * ERR_NOMEM: nothing is known of the text. */
MUST_USE enum err json_parse(struct view text, size_t depth_max, cJSON **out, struct diag *diag);

/* The same of something that is no request: what it is, for the message. */
MUST_USE enum err json_parse_as(struct view text, const char *what, size_t depth_max, cJSON **out,
    struct diag *diag);

/* The members of one object, asked for one by one.  The first failure sticks:
 * later questions answer nothing, and failed is looked at once at the end. */
struct members {
	const cJSON *object;
	enum err failed;
	struct diag *diag;
};

struct members json_members(const cJSON *object, struct diag *diag);
bool json_has(const struct members *m, const char *name);

/* Lengths in characters.  NULL: absent (an error if required) or failed. */
const char *json_string(struct members *m, const char *name, size_t min, size_t max, bool required);
bool json_bool(struct members *m, const char *name, bool absent);
int64_t json_integer(struct members *m, const char *name, int64_t min, int64_t max, int64_t absent);
const cJSON *json_object(struct members *m, const char *name);
const cJSON *json_array(struct members *m, const char *name, size_t max);

/* A required 64-digit id, an optional or required word of a set (-1: absent
 * or failed), a string that matches AWS's pattern for it. */
void json_certid(struct members *m, const char *name, struct certid *out);
int json_word(struct members *m, const char *name, const char *const *words, size_t count,
    bool required);

/* Record a failure of the value of this member. */
void json_fail(struct members *m, const char *name, const char *value, const char *constraint);

/* Fails on a member that is none of these: a misspelt option must not be lost. */
void json_only(struct members *m, const char *const *names, size_t count);

#endif
