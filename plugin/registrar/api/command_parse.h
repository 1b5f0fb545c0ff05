/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command_parse.h - members that several commands have.
 *
 * As in json.h the first failure sticks: it is the answer to the command.  The registrar's thread.
 */
#ifndef JITR_COMMAND_PARSE_H
#define JITR_COMMAND_PARSE_H

#include "command.h"

/* Fails on members other than these and the two of every command. */
#define PARSE_ONLY(m, ...) \
	parse_only((m), (const char *const[]){ "command", "correlationData", __VA_ARGS__, NULL })
void parse_only(struct members *m, const char *const *names);

/* Record a failure, if it is the first; parse_result(): its sentence is set already. */
void parse_fail(struct members *m, enum err e, const char *why);
void parse_result(struct members *m, enum err e);

/* A certificate in PEM; false: absent or failed.  *out is the caller's. */
bool parse_pem(struct members *m, const char *name, bool required, struct x509_st **out);

/* AWS's tags: checked, not kept. */
void parse_tags(struct members *m);

/* A command with this one member. */
void parse_certificate_id(struct members *m, struct command *c); /* "certificateId" */

/* The status of a client certificate; false: absent or failed.  REGISTER_INACTIVE is an old
 * word for INACTIVE when a certificate is registered; a certificate cannot change to it
 * (aws-iot A.3.6). */
bool parse_cert_status(struct members *m, const char *name, bool required, enum cert_status *out);

/* "policyName", to c->named. */
void parse_policy_name(struct members *m, struct command *c);

void parse_template_name(struct members *m, const char *name, bool required, struct view *out);
void parse_thing_name(struct members *m, const char *name, bool required, struct view *out);

/* Compiles the body of a provisioning template: sets c->form, or an error and c->diag. */
MUST_USE enum err check_template_body(struct command *c, struct view body);

/* A certificate, by its ARN or its id, to c->id. */
void parse_principal(struct members *m, const char *name, struct command *c);

#endif
