/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_answer.h - values as answers have them, and errors that several commands give.
 *
 * cJSON leaves out what it cannot allocate memory for; request_answer.c finds that out.
 * The registrar's thread.
 */
#ifndef JITR_COMMAND_ANSWER_H
#define JITR_COMMAND_ANSWER_H

#include "command.h"

void add_view(cJSON *o, const char *name, struct view v);      /* not if empty */
void add_bytes(cJSON *o, const char *name, struct view bytes); /* up to what is not UTF-8 */
void add_text(cJSON *o, const char *name, const char *text);   /* as add_bytes() */
void add_hex(cJSON *o, const char *name, const uint8_t *bytes, size_t len); /* up to 32 bytes */
void add_time(cJSON *o, const char *name, int64_t ms); /* seconds with a fraction */
void add_uuid(cJSON *o, const char *name, const struct generation *g);
void add_validity(cJSON *o, int64_t not_before, int64_t not_after);

/* A string of an array. */
void add_item(cJSON *list, struct view text);

/* name NULL: o is an array. */
void add_id_arn(cJSON *o, const char *name, const struct command *c, enum resource r,
    const struct certid *id);
void add_name_arn(cJSON *o, const char *name, const struct command *c, enum resource r,
    struct view resource_name);

/* "policyName" and "policyArn" */
void add_policy_name(cJSON *o, const struct command *c, struct view name);

/* "certificatePem": as it was received; made from der when pem is empty. */
MUST_USE enum err add_pem(cJSON *o, struct view pem, struct view der);

/* A page of ARNs of certificates, and its mark.  ids has one more than the page if there
 * are more. */
void add_principals(cJSON *data, const char *name, const struct command *c,
    const struct certid *ids, size_t count);

/* To the member "warnings", which is made for the first one.  Those of a policy, see
 * policy_warning.h, begin with its name; NULL: without. */
void add_warning(cJSON *answer, const char *text);
void add_policy_warnings(cJSON *answer, const struct command *c, const struct policy *policy,
    const char *name);

/* ERR_LIMIT and its sentence: the answer has become too large, or the policies take too
 * many steps. */
enum err refuse_bytes(struct command *c);
enum err refuse_steps(struct command *c);

/* Reads the resource that the command names.  ERR_NOT_FOUND has its sentence. */
MUST_USE enum err lookup_ca(struct txn *t, struct command *c, struct ca *out);
MUST_USE enum err lookup_certificate(struct txn *t, struct command *c, struct cert *out);
MUST_USE enum err lookup_policy(struct txn *t, struct command *c, struct policy_record *out);
MUST_USE enum err lookup_thing(struct txn *t, struct command *c, struct thing *out);

#endif
