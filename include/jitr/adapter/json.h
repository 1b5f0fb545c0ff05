/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * json.h - strict parsing of JSON from outside.
 *
 * cJSON accepts more than is safe: case-insensitive names, duplicate names, bytes
 * behind the end, invalid UTF-8, deep nesting, NUL inside strings.  Here all of these
 * are errors.  A member that violates a constraint is reported in AWS's words (aws-iot
 * 1.5).  The registrar's thread.
 */
#ifndef JITR_JSON_H
#define JITR_JSON_H

#include <cjson/cJSON.h>

#include "jitr/core/base.h"

/* Members of one object; a thing may have fifty attributes. */
#define JSON_MEMBERS_MAX 64

/* Values of one text, plus characters written as \u.  Parsing a value takes up to half
 * a microsecond and 64 bytes, however short it is. */
#define JSON_VALUES_MAX 10000

/* Parses one value with nothing behind it.  Free with cJSON_Delete().  ERR_REQUEST:
 * invalid, and *diag has the reason.  ERR_NOMEM: unknown whether it is valid. */
MUST_USE enum err json_parse(struct view text, size_t depth_max, cJSON **out, struct diag *diag);

/* As json_parse(), for a text other than a request; what names it in the message. */
MUST_USE enum err json_parse_as(struct view text, const char *what, size_t depth_max, cJSON **out,
    struct diag *diag);

/* Is the number an exact integer?  JSON numbers are doubles, exact up to 2^53. */
bool json_is_integer(double number);

/* Sorts members of objects by name. */
void json_sort(const cJSON **members, size_t count);

/* Reads the members of an object one by one.  The first failure sticks: later calls
 * return nothing, and the caller checks failed once at the end. */
struct members {
	const cJSON *object;
	enum err failed;
	struct diag *diag;
};

struct members json_members(const cJSON *object, struct diag *diag);
bool json_has(const struct members *m, const char *name);

/* Lengths are in characters.  NULL: absent (an error if required) or failed.  Results point
 * into the object. */
const char *json_string(struct members *m, const char *name, size_t min, size_t max, bool required);
const cJSON *json_object(struct members *m, const char *name);
const cJSON *json_array(struct members *m, const char *name, size_t max);

/* absent: the result if there is no such member. */
bool json_bool(struct members *m, const char *name, bool absent);
int64_t json_integer(struct members *m, const char *name, int64_t min, int64_t max, int64_t absent);

/* A required id of 64 hex digits. */
void json_certid(struct members *m, const char *name, struct certid *out);

/* The index of one of these words; -1: absent or failed. */
int json_word(struct members *m, const char *name, const char *const *words, size_t count,
    bool required);

/* Reports that the value of this member violates a constraint. */
void json_fail(struct members *m, const char *name, const char *value, const char *constraint);

/* Fails if there is a member other than these: a misspelt option must not be ignored. */
void json_only(struct members *m, const char *const *names, size_t count);

#endif
