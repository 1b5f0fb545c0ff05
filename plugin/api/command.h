/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * command.h - the control API, one row per command.
 *
 * parse and render run on the broker thread (they use cJSON); change runs on
 * the writer thread and sees only its own parsed arguments.  Text arguments
 * point into the request, which lives until it is answered.
 *
 * The rules are aws-iot A.1 to A.3; doc/api.md is checked against the table.
 */
#ifndef JITR_COMMAND_H
#define JITR_COMMAND_H

#include "jitr/registry.h"

#include "jitr/json.h"

struct x509_st;
struct command_type;

/* Where we stand in an ARN, and whose the resources are. */
struct account {
	const char *id, *region;
};

enum { PAGE_DEFAULT = 25, PAGE_MAX = 250 }; /* aws-iot 1.6 */

/* One command of a request: its arguments and, later, its outcome. */
struct command {
	const struct command_type *type; /* NULL: not understood */
	const char                *name, *correlation; /* to be echoed; NULL: not given */
	enum err                   result;
	struct diag                diag;

	struct certid id;      /* the resource named or made */
	char          code[REGISTRATION_CODE_SIZE];

	struct ca          ca; /* registerCACertificate */
	struct ca_document document;
	char               proof[REGISTRATION_CODE_SIZE];
	struct x509_st    *x;  /* owned; what ca.key_id points into */
	char              *tags; /* owned by cJSON */

	struct ca_update update;
	enum ca_status   new_ca_status;
	bool             new_auto_registration;

	struct cert_registration registration; /* x and issuer owned by the command */
	enum cert_status         status;       /* updateCertificate */
	bool                     force;        /* deleteCertificate */

	struct position after; /* lists */
	bool            has_after, ascending;
	size_t          page_size;
};

/* What a change may concern beyond its own row. */
enum concern {
	CONCERNS_NOTHING,
	CONCERNS_CA,
	CONCERNS_CERTIFICATE,
};

struct command_type {
	const char  *name;
	enum concern concern;

	/* JSON to arguments; never touches the store.  now: ms since 1970. */
	void (*parse)(struct members *m, struct command *c, int64_t now);

	/* For commands that change something; NULL for those that only read. */
	enum err (*change)(struct txn *t, struct command *c, int64_t now);

	/* Arguments and outcome to the "data" of the answer; NULL: empty. */
	enum err (*render)(struct txn *t, struct command *c, const struct account *a, cJSON *data);
};

/* Sorted by name. */
extern const struct command_type command_types[];
extern const size_t              command_type_count;

const struct command_type *command_find(const char *name);

/* Arguments from one element of "commands"; the outcome is in c->result. */
void command_parse(const cJSON *json, struct command *c, int64_t now);
void command_clear(struct command *c); /* frees what it owns */

/* The parts that command_ca.c and command_cert.c share. */
void     parse_nothing(struct members *m, struct command *c, int64_t now);
void     parse_listing(struct members *m, struct command *c);
bool     parse_pem(struct members *m, const char *name, bool required, struct x509_st **out);
void     add_hex(cJSON *o, const char *name, const uint8_t *bytes, size_t len);
void     add_time(cJSON *o, const char *name, int64_t ms); /* seconds with a fraction */
void     add_arn(cJSON *o, const char *name, const struct account *a, const char *type,
         const struct certid *id);
void     add_generation(cJSON *o, const struct generation *g);
void     add_validity(cJSON *o, int64_t not_before, int64_t not_after);
enum err add_pem(cJSON *o, struct view pem, struct view der);
void     add_marker(cJSON *data, int64_t created, const struct certid *id);
struct listing command_listing(const struct command *c);

/* The rows of command_ca.c and command_cert.c. */
void     parse_register_ca(struct members *m, struct command *c, int64_t now);
void     parse_ca_id(struct members *m, struct command *c, int64_t now);
void     parse_update_ca(struct members *m, struct command *c, int64_t now);
void     parse_list_cas(struct members *m, struct command *c, int64_t now);
enum err change_get_code(struct txn *t, struct command *c, int64_t now);
enum err change_delete_code(struct txn *t, struct command *c, int64_t now);
enum err change_register_ca(struct txn *t, struct command *c, int64_t now);
enum err change_update_ca(struct txn *t, struct command *c, int64_t now);
enum err change_delete_ca(struct txn *t, struct command *c, int64_t now);
enum err render_code(struct txn *t, struct command *c, const struct account *a, cJSON *data);
enum err render_ca_made(struct txn *t, struct command *c, const struct account *a, cJSON *data);
enum err render_ca(struct txn *t, struct command *c, const struct account *a, cJSON *data);
enum err render_cas(struct txn *t, struct command *c, const struct account *a, cJSON *data);

void     parse_register_cert(struct members *m, struct command *c, int64_t now);
void     parse_register_cert_without_ca(struct members *m, struct command *c, int64_t now);
void     parse_cert_id(struct members *m, struct command *c, int64_t now);
void     parse_update_cert(struct members *m, struct command *c, int64_t now);
void     parse_delete_cert(struct members *m, struct command *c, int64_t now);
void     parse_list_certs(struct members *m, struct command *c, int64_t now);
void     parse_list_certs_by_ca(struct members *m, struct command *c, int64_t now);
enum err change_register_cert(struct txn *t, struct command *c, int64_t now);
enum err change_update_cert(struct txn *t, struct command *c, int64_t now);
enum err change_delete_cert(struct txn *t, struct command *c, int64_t now);
enum err render_cert_made(struct txn *t, struct command *c, const struct account *a, cJSON *data);
enum err render_cert(struct txn *t, struct command *c, const struct account *a, cJSON *data);
enum err render_certs(struct txn *t, struct command *c, const struct account *a, cJSON *data);
enum err render_certs_by_ca(struct txn *t, struct command *c, const struct account *a,
    cJSON *data);

#endif
