/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * content.h - the rights that the content of a command exercises.
 *
 * A rule or template that is stored acts later: it activates certificates, attaches
 * policies, makes things.  A caller with rights from policies needs the right to
 * each of these actions, on every resource that the content can name (contract, section
 * 6).  AWS asks for iam:PassRole here.
 *
 * Some content is reserved for administrators that the configuration names: policies that
 * allow or deny actions of the registry.  Otherwise a caller that may make and attach
 * policies could give itself every other right.
 *
 * Functions of command rows (command_type.content) collect both; authorize.c decides.
 * The registrar's thread.
 */
#ifndef JITR_CONTENT_H
#define JITR_CONTENT_H

#include "command.h"

/* An action that must be allowed on resource and not be denied on also (command.h).  A
 * resource that ends with '/' stands for every one of its kind. */
struct need {
	const char *action;
	char resource[RESOURCE_SIZE], also[RESOURCE_SIZE]; /* also: may be empty */
};

/* The policies that a plan names, and what else it can do. */
#define NEEDS_MAX (POLICIES_MAX + 8)

struct content {
	struct txn *txn; /* borrowed: a read transaction */
	struct need needs[NEEDS_MAX];
	size_t count;
	struct diag reserved; /* why only administrators may; empty: others may, too */
};

/* An action on one resource; an empty name, id NULL: on every resource of this kind. */
void content_need_name(struct content *out, const char *action, enum resource r, struct view name);
void content_need_id(struct content *out, const char *action, enum resource r,
    const struct certid *id);

/* An action that attaches a policy or thing to a certificate, or detaches it.  id NULL:
 * any certificate. */
void content_need_pair(struct content *out, const char *action, const struct certid *id,
    enum resource r, struct view name);

/* Reserved if the configuration names this certificate as administrator. */
void content_reserve_administrator(const struct command *c, const struct certid *id,
    struct content *out);

/* Reserved if the policy allows actions of the registry: a document; a stored version,
 * number 0: the default one.  A policy that does not exist, or does not compile, is the
 * command's error. */
enum err content_reserve_document(const struct command *c, struct view document,
    struct content *out);
enum err content_reserve_allowing(const struct command *c, struct view name, uint32_t number,
    struct content *out);

/* Reserved if the default version of the policy that the command names denies actions of
 * the registry: it is replaced or detached. */
enum err content_reserve_denying(const struct command *c, struct content *out);

/* The actions of a rule, of a template, of a template by its name (content_plan.c). */
enum err content_add_rule(const struct command *c, struct view text, struct content *out);
enum err content_add_body(const struct command *c, struct view body, struct content *out);
enum err content_add_template(const struct command *c, struct view name, struct content *out);

#endif
