/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command.h - the control API, one row per command.
 *
 * parse and render run on the broker thread (they use cJSON); change runs on
 * the writer thread and sees only its own parsed arguments.  Text arguments
 * point into the request, which lives until it is answered.
 *
 * The rules are aws-iot A.1 to A.6; doc/api.md is checked against the table.
 */
#ifndef JITR_COMMAND_H
#define JITR_COMMAND_H

#include "jitr/service/crls.h"
#include "jitr/service/explain.h"
#include "jitr/core/policy.h"
#include "jitr/core/policy_warning.h"
#include "jitr/service/registry_policy.h"
#include "jitr/service/registry_template.h"
#include "jitr/service/registry_thing.h"

#include "jitr/adapter/json.h"

#include "budget.h"

struct x509_st;
struct command_type;
struct trial;
struct uploads;

/* Account and region of ARNs, and the name of the broker. */
struct account {
	const char *id, *region, *endpoint;
	struct arn_scope scope;
};

/* What commands name, make and change. */
enum resource {
	RESOURCE_NONE,
	RESOURCE_CA,
	RESOURCE_CERTIFICATE,
	RESOURCE_POLICY,
	RESOURCE_THING,
	RESOURCE_CRL, /* of a CA, and with its id */
	RESOURCE_TEMPLATE,
};

enum { PAGE_MAX = 250, PAGE_DEFAULT = 25, PAGE_DEFAULT_THINGS = 50 }; /* aws-iot 1.6 */

/* A list of things that may be large ends its page early. */
#define PAGE_BYTES_MAX (128 * 1024)

/* What tells an entry of a list from its neighbours. */
enum page_key {
	KEY_CREATED_ID,
	KEY_CREATED_NAME,
	KEY_ID,
	KEY_NAME,
};

/* A place in a list, behind an entry that need not exist any more. */
struct mark {
	int64_t created;
	struct certid id;
	struct view name;
};

#define MARK_BYTES (8 + NAME_MAX_LENGTH)

struct page {
	enum page_key key;
	const char *next; /* how the answer calls the mark */
	size_t size;
	bool ascending, has_after;
	struct mark after;
	uint8_t bytes[MARK_BYTES]; /* what after.name points into */
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
	enum cert_status status; /* to have, or only those that have it */
	bool with_ca, force, by_status;
};

/* A list, or a part of one. */
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
	uint32_t number; /* of a version, named or made */
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

struct inquiry_arguments {
	bool has_principal;
	const cJSON *auth_infos;
	struct view client_id, topic, source; /* data NULL: not given */
	struct view add[ADDED_POLICIES_MAX], skip[ADDED_POLICIES_MAX];
	size_t add_count, skip_count;
};

/* One command of a request: its arguments and, later, its outcome. */
struct command {
	const struct command_type *type; /* NULL: not understood */
	const char *name, *correlation;  /* to be echoed; NULL: not given */
	const struct account *account;
	struct gate *gate; /* is asked by inquiries */
	struct crls *crls;
	struct uploads *uploads;
	struct caller caller; /* the connection that asks */
	const char *asker;    /* its user name, or client id */
	bool by_policy;       /* with rights that come from policies */
	int64_t asked;        /* when */
	enum err result;
	struct diag diag;
	struct changes changes; /* what it changed (audit.h) */

	/* The resources named or made: a certificate or CA, a policy or thing. */
	struct certid id;
	struct view named;
	bool silent;   /* the gate is not told of the change */
	bool prepared; /* and answered by that: there is nothing to change */

	struct x509_st *x, *issuer; /* owned */
	struct crl_import *import;  /* owned; NULL: none is under way */
	struct budget *budget;      /* of the request */
	struct trial *trial;        /* owned; NULL: none is under way */
	char *kept;                 /* owned by cJSON: texts made from the request's */

	struct page page;
	union {
		char code[REGISTRATION_CODE_SIZE];
		struct ca_arguments ca;
		struct cert_arguments cert;
		struct policy_arguments policy;
		struct thing_arguments thing;
		struct crl_arguments crl;
		struct template_arguments template;
		struct inquiry_arguments inquiry;
	};
};

struct command_type {
	const char *name;

	/* What the caller's policies are asked about (contract, section 3), none:
	 * "*"; and what they must not deny besides. */
	enum resource asked, also;

	/* What a change makes or alters, for the log and for the gate, and what
	 * exists already when it does. */
	enum resource changed;

	/* JSON to arguments; never touches the store. */
	void (*parse)(struct members *m, struct command *c);

	/* Broker thread, once it is known that the caller may: what a change takes
	 * besides its arguments.  NULL: nothing. */
	enum err (*prepare)(struct command *c);

	/* For commands that change something; NULL for those that only read. */
	enum err (*change)(struct txn *t, struct command *c, int64_t now);

	/* Arguments and outcome to the "data" of the answer; NULL: empty.  With
	 * c->trial set afterwards it has not finished: it is called again, with new
	 * data, in the next slice. */
	enum err (*render)(struct txn *t, struct command *c, cJSON *data);
};

/* Sorted by name. */
extern const struct command_type command_types[];
extern const size_t command_type_count;

const struct command_type *command_find(const char *name);

/* What a policy calls it, "iot:DescribeCertificate". */
#define ACTION_SIZE 64
void command_action(const struct command_type *type, char out[ACTION_SIZE]);

/* To the member "warnings", which is there when there are some; those of a policy
 * (policy_warning.h) with its name, NULL: it is clear which. */
void add_warning(cJSON *answer, const char *text);
void add_policy_warnings(cJSON *answer, const struct policy *policy, const char *name);

/* Arguments from one element of "commands"; the outcome is in c->result.
 * account is borrowed for the command's life; now: ms since 1970. */
void command_parse(const cJSON *json, struct command *c, const struct account *a, int64_t now);
void command_clear(struct command *c); /* frees what it owns */

/* "policy/<name>", "cert/<id>": an ARN behind the account; "" for none. */
#define RESOURCE_SIZE 160
bool resource_has_id(enum resource r); /* rather than a name */
void resource_text(enum resource r, const struct certid *id, struct view name,
    char out[RESOURCE_SIZE]);

/* Refuses a command that the client's policies do not allow.  After syntax and
 * before anything else (aws-iot 1.5): what is wrong with the content is for
 * callers that may. */
void command_authorize(struct command *c, struct gate *g, const struct client *client);

/* The same for what the content of the command can exercise (command_content.c);
 * after command_authorize(). */
void command_authorize_content(struct command *c, struct store *store, struct gate *g,
    const struct client *client);

/* Tells the gate what a committed change concerns. */
void command_notify(const struct command *c, struct gate *g);

/* A change that is done, or could not be: an import ends. */
void command_conclude(struct command *c);

/* ERR_LIMIT, with a sentence: the answer has become too large, or what is asked
 * takes too many steps. */
enum err refuse_bytes(struct command *c);
enum err refuse_steps(struct command *c);

/* The parts that commands share (command_parts.c). */
void parse_nothing(struct members *m, struct command *c);
void parse_fail(struct members *m, enum err e, const char *why);
void parse_take(struct members *m, enum err e); /* the sentence is in place already */
void parse_markers(struct members *m, struct command *c, enum page_key key);
void parse_tokens(struct members *m, struct command *c, enum page_key key);
bool parse_pem(struct members *m, const char *name, bool required, struct x509_st **out);
void parse_tags(struct members *m);
void parse_policy_name(struct members *m, struct command *c);
void parse_template_name(struct members *m, const char *name, bool required, struct view *out);
MUST_USE enum err check_template_body(struct command *c, struct view body);
void parse_thing_name(struct members *m, const char *name, bool required, struct view *out);
void parse_principal(struct members *m, const char *name, struct command *c); /* ARN or id */

void add_view(cJSON *o, const char *name, struct view v);      /* not if empty */
void add_bytes(cJSON *o, const char *name, struct view bytes); /* as far as they are UTF-8 */
void add_text(cJSON *o, const char *name, const char *text);
void add_hex(cJSON *o, const char *name, const uint8_t *bytes, size_t len);
void add_time(cJSON *o, const char *name, int64_t ms); /* seconds with a fraction */
void add_id_arn(cJSON *o, const char *name, const struct account *a, enum resource r,
    const struct certid *id);
void add_name_arn(cJSON *o, const char *name, const struct account *a, enum resource r,
    struct view resource_name);
void add_uuid(cJSON *o, const char *name, const struct generation *g);
void add_validity(cJSON *o, int64_t not_before, int64_t not_after);
enum err add_pem(cJSON *o, struct view pem, struct view der);
void add_mark(cJSON *data, const struct command *c, const struct mark *last);

/* A page of principals, ARNs of certificates, and the mark behind it.  ids has
 * one more than the page if there are more. */
void add_principals(cJSON *data, const char *name, const struct command *c,
    const struct certid *ids, size_t count);

/* ERR_NOT_FOUND, with a sentence, when there is no such resource. */
enum err check_principal(struct txn *t, struct command *c, struct cert *out);
enum err check_policy(struct txn *t, struct command *c, struct policy_record *out);

/* The rows of command_ca.c. */
void parse_register_ca(struct members *m, struct command *c);
void parse_ca_id(struct members *m, struct command *c);
void parse_update_ca(struct members *m, struct command *c);
void parse_list_cas(struct members *m, struct command *c);
enum err change_get_code(struct txn *t, struct command *c, int64_t now);
enum err change_delete_code(struct txn *t, struct command *c, int64_t now);
enum err change_register_ca(struct txn *t, struct command *c, int64_t now);
enum err change_update_ca(struct txn *t, struct command *c, int64_t now);
enum err change_delete_ca(struct txn *t, struct command *c, int64_t now);
enum err render_code(struct txn *t, struct command *c, cJSON *data);
enum err render_ca_made(struct txn *t, struct command *c, cJSON *data);
enum err render_ca(struct txn *t, struct command *c, cJSON *data);
enum err render_cas(struct txn *t, struct command *c, cJSON *data);
enum err prepare_ca(struct command *c);

/* What is set for a CA's revocation list. */
enum err add_crl_settings(struct txn *t, const struct command *c, cJSON *data);

/* Of command_cert.c. */
void parse_register_cert(struct members *m, struct command *c);
void parse_register_cert_without_ca(struct members *m, struct command *c);
void parse_cert_id(struct members *m, struct command *c);
void parse_update_cert(struct members *m, struct command *c);
void parse_delete_cert(struct members *m, struct command *c);
void parse_list_certs(struct members *m, struct command *c);
void parse_list_certs_by_ca(struct members *m, struct command *c);
enum err change_register_cert(struct txn *t, struct command *c, int64_t now);
enum err change_update_cert(struct txn *t, struct command *c, int64_t now);
enum err change_delete_cert(struct txn *t, struct command *c, int64_t now);
enum err render_cert_made(struct txn *t, struct command *c, cJSON *data);
enum err render_cert(struct txn *t, struct command *c, cJSON *data);
enum err render_certs(struct txn *t, struct command *c, cJSON *data);
enum err render_certs_by_ca(struct txn *t, struct command *c, cJSON *data);

/* Of command_endpoint.c. */
void parse_endpoint(struct members *m, struct command *c);
enum err render_endpoint(struct txn *t, struct command *c, cJSON *data);

/* Of command_crl.c. */
void parse_import_crl(struct members *m, struct command *c);
void parse_crl(struct members *m, struct command *c);
enum err prepare_import_crl(struct command *c);
enum err change_import_crl(struct txn *t, struct command *c, int64_t now);
enum err change_delete_crl(struct txn *t, struct command *c, int64_t now);
enum err render_import_crl(struct txn *t, struct command *c, cJSON *data);
enum err render_crl(struct txn *t, struct command *c, cJSON *data);

/* Of command_template.c. */
void parse_create_template(struct members *m, struct command *c);
void parse_template(struct members *m, struct command *c);
void parse_update_template(struct members *m, struct command *c);
void parse_list_templates(struct members *m, struct command *c);
enum err prepare_create_template(struct command *c);
enum err change_create_template(struct txn *t, struct command *c, int64_t now);
enum err change_update_template(struct txn *t, struct command *c, int64_t now);
enum err change_delete_template(struct txn *t, struct command *c, int64_t now);
enum err render_template_made(struct txn *t, struct command *c, cJSON *data);
enum err render_template(struct txn *t, struct command *c, cJSON *data);
enum err render_templates(struct txn *t, struct command *c, cJSON *data);

/* Of command_policy.c. */
void parse_create_policy(struct members *m, struct command *c);
void parse_policy(struct members *m, struct command *c);
void parse_list_policies(struct members *m, struct command *c);
void parse_create_policy_version(struct members *m, struct command *c);
void parse_policy_version(struct members *m, struct command *c);
enum err change_create_policy(struct txn *t, struct command *c, int64_t now);
enum err change_delete_policy(struct txn *t, struct command *c, int64_t now);
enum err change_create_policy_version(struct txn *t, struct command *c, int64_t now);
enum err change_set_default_policy_version(struct txn *t, struct command *c, int64_t now);
enum err change_delete_policy_version(struct txn *t, struct command *c, int64_t now);
enum err render_policy_made(struct txn *t, struct command *c, cJSON *data);
enum err render_policy(struct txn *t, struct command *c, cJSON *data);
enum err render_policies(struct txn *t, struct command *c, cJSON *data);
enum err render_policy_version_made(struct txn *t, struct command *c, cJSON *data);
enum err render_policy_version(struct txn *t, struct command *c, cJSON *data);
enum err render_policy_versions(struct txn *t, struct command *c, cJSON *data);

/* Of command_attach.c. */
void parse_attach_policy(struct members *m, struct command *c);
void parse_attach_principal_policy(struct members *m, struct command *c);
void parse_list_attached_policies(struct members *m, struct command *c);
void parse_list_targets(struct members *m, struct command *c);
void parse_list_principal_policies(struct members *m, struct command *c);
void parse_list_policy_principals(struct members *m, struct command *c);
enum err change_attach_policy(struct txn *t, struct command *c, int64_t now);
enum err change_detach_policy(struct txn *t, struct command *c, int64_t now);
enum err render_attached_policies(struct txn *t, struct command *c, cJSON *data);
enum err render_targets(struct txn *t, struct command *c, cJSON *data);
enum err render_policy_principals(struct txn *t, struct command *c, cJSON *data);

/* Of command_thing.c. */
void parse_create_thing(struct members *m, struct command *c);
void parse_thing(struct members *m, struct command *c);
void parse_update_thing(struct members *m, struct command *c);
void parse_delete_thing(struct members *m, struct command *c);
void parse_list_things(struct members *m, struct command *c);
void parse_attach_thing(struct members *m, struct command *c);
void parse_detach_thing(struct members *m, struct command *c);
void parse_list_thing_principals(struct members *m, struct command *c);
void parse_list_principal_things(struct members *m, struct command *c);
enum err change_create_thing(struct txn *t, struct command *c, int64_t now);
enum err change_update_thing(struct txn *t, struct command *c, int64_t now);
enum err change_delete_thing(struct txn *t, struct command *c, int64_t now);
enum err change_attach_thing(struct txn *t, struct command *c, int64_t now);
enum err change_detach_thing(struct txn *t, struct command *c, int64_t now);
enum err render_thing_made(struct txn *t, struct command *c, cJSON *data);
enum err render_thing(struct txn *t, struct command *c, cJSON *data);
enum err render_things(struct txn *t, struct command *c, cJSON *data);
enum err render_thing_principals(struct txn *t, struct command *c, cJSON *data);
enum err render_principal_things(struct txn *t, struct command *c, cJSON *data);

/* Of command_content.c: is it known what the content of this command can exercise?
 * It has to be for each that changes something. */
bool command_content_is_known(const struct command_type *type);

/* Of command_explain.c. */
void trial_free(struct trial *trial); /* NULL is fine */
void parse_test_authorization(struct members *m, struct command *c);
void parse_get_effective_policies(struct members *m, struct command *c);
void parse_explain(struct members *m, struct command *c);
enum err render_test_authorization(struct txn *t, struct command *c, cJSON *data);
enum err render_effective_policies(struct txn *t, struct command *c, cJSON *data);
enum err render_explain(struct txn *t, struct command *c, cJSON *data);

#endif
