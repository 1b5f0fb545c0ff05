/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * policy_document.h - documents and numbers of policy versions in commands (aws-iot A.4).
 *
 * The registrar's thread.
 */
#ifndef JITR_POLICY_DOCUMENT_H
#define JITR_POLICY_DOCUMENT_H

#include "command.h"

/* A command with the one member "policyName". */
void parse_policy(struct members *m, struct command *c);

/* policyDocument.  Its content is checked after all other members. */
void parse_policy_document(struct members *m, struct command *c);
void check_policy_document(struct members *m, struct command *c);

/* Reserved if it allows actions of the registry (content.h). */
enum err content_of_policy(const struct command *c, struct content *out);

MUST_USE enum err lookup_policy_version(struct txn *t, struct command *c, uint32_t number,
    struct policy_version *out);

/* "policyDocument", as it was received; may be empty. */
MUST_USE enum err add_policy_document(cJSON *o, struct view document);

/* A version's id is a string (aws-iot 1.7, PolicyVersionId). */
void add_version_id(cJSON *o, const char *name, uint32_t number);

/* Warnings about the document of the command, which was accepted. */
void add_document_warnings(cJSON *answer, const struct command *c);

/* About the default version of a stored policy: its compiled form does not quote it. */
void add_stored_warnings(cJSON *answer, struct txn *t, const struct command *c, const char *name);

#endif
