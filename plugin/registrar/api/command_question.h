/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_question.h - questions to explain.h, for testAuthorization,
 * getEffectivePolicies (aws-iot A.7) and explain, which is not AWS's.
 *
 * The registrar's thread.
 */
#ifndef JITR_COMMAND_QUESTION_H
#define JITR_COMMAND_QUESTION_H

#include "command.h"

/* clientId; principal, which may be absent */
void parse_client_id(struct members *m, struct command *c);
void parse_optional_principal(struct members *m, struct command *c);

/* The arguments of the command.  steps: counts what its policies take; NULL. */
struct explain_request explain_request_of(const struct command *c, size_t *steps);

/* Takes *spent from the budget of the request and sets it to 0; false: that was more than
 * was left. */
bool pay_steps(struct command *c, size_t *spent);

/* One question: of the nth policy alone, or ALL_POLICIES: of all, as for a live client. */
#define ALL_POLICIES ((size_t)-1)
struct access_decision ask_policies(const struct explain *i, size_t nth, enum policy_action action,
    struct view name);

/* AWS has three results: a decision left to other plugins is IMPLICIT_DENY. */
enum policy_result result_of(const struct access_decision *d);
const char *result_name(enum policy_result result);

/* "missingContextValues": variables and condition keys without a value. */
void add_missing(cJSON *o, const struct explain *i);

#endif
