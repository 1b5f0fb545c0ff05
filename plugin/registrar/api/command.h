/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command.h - one command of a control request, and the rows that describe the commands.
 *
 * Each command has a row, struct command_type, beside the functions that it names: those
 * of CA certificates are ca_commands in command_ca.c.  command.c finds the row of a name
 * and does what all commands have in common.  The text arguments of a command point into
 * its request, which lives until it is answered.
 *
 * The rules are aws-iot A.1 to A.6; doc/api.md is checked against the rows.
 */
#ifndef JITR_COMMAND_H
#define JITR_COMMAND_H

#include "jitr/adapter/json.h"
#include "jitr/core/policy_warning.h"
#include "jitr/service/caller_rights.h"
#include "jitr/registrar/crls.h"
#include "jitr/service/explain.h"
#include "jitr/service/registry_template.h"
#include "jitr/service/registry_thing.h"

#include "budget.h"
#include "command_page.h"
#include "resource.h"

struct command_type;
struct content;
struct trial;
struct uploads;
struct x509_st;

/* What the commands of one request share; borrowed from the request. */
struct command_context {
	const struct account *account;
	struct judge *judge;
	const struct change_listener *listener;
	struct crls *crls;
	struct uploads *uploads;
	struct budget *budget;
	struct action_names actions;  /* those that stand for commands, for warnings */
	struct caller_rights *rights; /* of the caller */
	uint64_t session;             /* of the caller */
	const char *owner;            /* of uploads: the caller's user name, or client id */
	bool by_policy;               /* the caller's rights come from its policies */
};

/*
 * Arguments by the kind of resource.
 */

struct ca_arguments {
	struct ca record;
	struct ca_document document;
	char proof[REGISTRATION_CODE_SIZE];
	struct ca_update update; /* points to what follows */
	enum ca_status new_status;
	bool new_auto_registration;
	enum crl_check crl_check;
	struct view crl_file, activation, template_name;
};

struct cert_arguments {
	struct view pem;
	enum cert_status status; /* the new one, or the filter of a list */
	bool with_ca, force, by_status;
};

/* A revocation list, or a part of one. */
struct crl_arguments {
	struct view text, upload_id;
	size_t part, parts;
};

struct template_arguments {
	struct provisioning_template record;
	struct template_update update; /* points to record */
};

struct policy_arguments {
	struct view document;
	uint32_t number; /* of a version, named or made; 0: none */
	bool set_default;
};

struct thing_arguments {
	struct thing record;
	struct thing_update update;
	enum principal_type principal_type;
	struct view attribute_name, attribute_value, type_name; /* listThings */
	bool by_prefix;
};

#define AUTH_INFOS_MAX     10 /* aws-iot appendix 1 */
#define ADDED_POLICIES_MAX 10

struct explain_arguments {
	bool has_principal;
	const cJSON *auth_infos;
	struct view client_id, topic, source; /* data NULL: not given */
	struct view add[ADDED_POLICIES_MAX], skip[ADDED_POLICIES_MAX];
	size_t add_count, skip_count;
};

/* Arguments and outcome of one command. */
struct command {
	const struct command_type *type; /* NULL: not understood */
	const char *name, *correlation;  /* repeated in the answer; NULL: not given */
	const struct command_context *context;
	int64_t asked; /* ms since 1970 */
	enum err result;
	struct diag diag;
	struct changes changes; /* made by it (audit.h) */

	/* The resources named or made: a certificate or CA; a policy, thing or template. */
	struct certid id;
	struct view named;
	bool silent;   /* the change concerns no client: the listener is not told */
	bool complete; /* prepare() did all: no change follows */
	int64_t now;   /* ms since 1970, of the transaction that run() is in */

	struct x509_st *x, *issuer;  /* owned */
	struct crl_import *import;   /* owned; NULL: none is under way */
	struct trial *trial;         /* owned; NULL: none is under way */
	char *kept;                  /* owned, of cJSON's allocator: made from the request */
	struct view form, rule_form; /* owned: of its document (form.h), and of its rule */

	struct page page;
	union {
		char code[REGISTRATION_CODE_SIZE];
		struct ca_arguments ca;
		struct cert_arguments cert;
		struct policy_arguments policy;
		struct thing_arguments thing;
		struct crl_arguments crl;
		struct template_arguments template;
		struct explain_arguments explain;
	};
};

/*
 * A row.  A command either changes the registry (run) or reads it.  Functions run in the
 * order of this struct; content(), run() and read() in a transaction.
 */
struct command_type {
	const char *name;

	/* The caller's policies must allow the command on resource (RESOURCE_NONE: "*") and
	 * must not deny it on also (contract, section 3).  As in AWS's service authorization
	 * reference, those of an attachment are the certificate and the policy or thing. */
	enum resource resource, also;

	/* The resource that a change makes or alters: for the log, for the listener, and for
	 * the answer when it exists already. */
	enum resource changed;

	/* Members of JSON to arguments, and their syntax.  Does not read the registry.
	 * NULL: the command has no members of its own. */
	void (*parse)(struct members *m, struct command *c);

	/* Collects the rights that the content of a change exercises (content.h).  plain: it
	 * exercises none.  A change has one of them, so that neither is forgotten. */
	enum err (*content)(const struct command *c, struct content *out);
	bool plain;

	/* After authorization: checks and conversions that a change needs first. */
	enum err (*prepare)(struct command *c);

	/* In a job of the writer: the change. */
	enum err (*run)(struct txn *t, struct command *c);

	/* After the change was committed, failed, or was given up: c->result. */
	void (*conclude)(const struct command *c);

	/* The "data" of the answer, which is empty if both are NULL; at most one is set.
	 * read() takes it from the registry, answer() from the command.  If read() leaves
	 * c->trial set, it is called again in the next slice, with new data. */
	enum err (*read)(struct txn *t, struct command *c, cJSON *data);
	enum err (*answer)(struct command *c, cJSON *data);
};

/* The commands of one file. */
struct command_group {
	const struct command_type *types;
	size_t count;
};

extern const struct command_group attach_commands, ca_commands, certificate_commands,
    certificate_list_commands, code_commands, crl_commands, effective_policy_commands,
    endpoint_commands, explain_commands, policy_commands, policy_version_commands,
    template_commands, test_commands, thing_commands, thing_list_commands, thing_principal_commands;

/* NULL: there is no command with this name. */
const struct command_type *command_find(const char *name);

/* nth = 0, 1, ...; NULL: no more. */
const struct command_type *command_at(size_t nth);

/* The action that stands for the command in policies: "iot:DescribeCertificate". */
#define ACTION_SIZE 64
void command_action(const struct command_type *type, char out[ACTION_SIZE]);

/* The actions of all commands; static. */
#define COMMANDS_MAX 64
struct action_names command_actions(void);

/* Parses one element of "commands"; errors are in c->result.  json and context are borrowed
 * for the command's life; now: ms since 1970. */
void command_parse(const cJSON *json, struct command *c, const struct command_context *context,
    int64_t now);
void command_clear(struct command *c); /* frees what it owns */

/* Tells the listener which resource a committed change concerns. */
void command_notify(const struct command *c);

/* Ends a change: see conclude() of its row. */
void command_conclude(const struct command *c);

#endif
