/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * model.h - the registry as a few small tables: a specification that fuzz_registry.c compares
 * with the program after each step.
 *
 * It has no store, no certificate and no transaction: CAs, devices, policies, things and
 * templates are numbers, and each function says in plain C what aws-iot A, D.2 and E and the
 * contract, section 6 say in words.  Functions that change something return what the program
 * must return, and change nothing if that is an error.
 */
#ifndef JITR_FUZZ_MODEL_H
#define JITR_FUZZ_MODEL_H

#include "jitr/core/decide.h"

enum {
	CAS = 3,
	DEVICES = 10,
	POLICIES = 4,
	THINGS = 3,
	TEMPLATES = 2,
	RULES = 6,     /* rule 0 is none */
	DOCUMENTS = 4, /* of policies */
	VERSIONS = 12, /* of a policy, ever */
	OWED = 400,    /* events */
	SCHEDULED = 400,
	NONE = -1
};

/* What does not change: filled by the caller. */
struct model_world {
	struct {
		int name, key; /* CAs of one name may have one key */
		int64_t from, until;
	} ca[CAS];
	struct {
		int issuer_name; /* of CAs; NONE: no CA ever has this name */
		int signer_key;
		int content; /* devices of one content are forms of one certificate */
		int64_t from, until;
		struct certid id; /* ties in time are resolved by it */
	} device[DEVICES];
	int64_t announce_interval;
};

/* What a policy's document allows. */
struct model_document {
	bool allows_connect, allows_publish, denies_connect;
};
extern const struct model_document model_documents[DOCUMENTS];

/* What a rule or template does with a device. */
struct model_plan {
	bool exists, is_template, failed;
	enum cert_status status;
	unsigned policies; /* a bit each */
	int thing;         /* NONE: none */
	bool supersedes;
	int64_t after; /* ms */
};
extern const struct model_plan model_rules[RULES];
extern const struct model_plan model_templates[TEMPLATES];

struct model_ca {
	bool present, active, automatic;
	int64_t created;
	unsigned version;
	int rule;     /* 0: none */
	int template; /* NONE: none */
	enum crl_check check;
	unsigned grace_days;
	bool has_list;
	unsigned listed, on_hold; /* a bit for each content */
	int64_t next_update;
};

struct model_cert {
	bool present;
	int ca; /* NONE: registered without one */
	enum cert_status status;
	int64_t created, announced;
	unsigned version;
	unsigned policies;
	bool expiry_told; /* or was not worth telling */
	bool connected;
};

struct model_policy {
	bool present;
	unsigned default_version, last_version;
	int document[VERSIONS + 1]; /* by number; NONE: deleted */
};

struct model_thing {
	bool present, typed;
	unsigned version;
	struct {
		bool attached;
		enum principal_type type;
	} device[DEVICES];
};

struct model_template {
	bool present, enabled;
};

enum model_event_kind {
	EVENT_REGISTERED,
	EVENT_FAILED,
	EVENT_EXPIRING,
};

struct model_event {
	enum model_event_kind kind;
	int device, ca;
	enum cert_status status;
};

struct model_superseded {
	int64_t due;
	int device, successor;
};

struct model {
	const struct model_world *world;
	int64_t now;
	struct model_ca ca[CAS];
	struct model_cert cert[DEVICES];
	struct model_policy policy[POLICIES];
	struct model_thing thing[THINGS];
	struct model_template template[TEMPLATES];
	struct model_event owed[OWED]; /* not published yet, in order */
	size_t owed_count;
	struct model_superseded superseded[SCHEDULED];
	size_t superseded_count;
};

void model_begin(struct model *m, const struct model_world *w, int64_t now);

/* CAs. */
enum err model_add_ca(struct model *m, int ca, bool active, bool automatic);
enum err model_set_ca_status(struct model *m, int ca, bool active);
enum err model_set_automatic(struct model *m, int ca, bool automatic);
enum err model_remove_automatic(struct model *m, int ca);
enum err model_set_check(struct model *m, int ca, enum crl_check check, unsigned grace_days);
enum err model_set_rule(struct model *m, int ca, int rule);
enum err model_set_template(struct model *m, int ca, int template); /* NONE: remove it */
enum err model_remove_ca(struct model *m, int ca);
/* A new list, issued now, that names these contents. */
enum err model_import_list(struct model *m, int ca, unsigned listed, unsigned on_hold,
    int64_t next_update);
enum err model_remove_list(struct model *m, int ca);

/* Certificates. */
enum err model_add_cert(struct model *m, int device, bool with_ca, enum cert_status status);
enum err model_set_status(struct model *m, int device, enum cert_status status);
enum err model_remove_cert(struct model *m, int device, bool force);

/* Policies. */
enum err model_create_policy(struct model *m, int policy, int document);
enum err model_delete_policy(struct model *m, int policy);
enum err model_create_version(struct model *m, int policy, int document, bool set_default);
enum err model_set_default(struct model *m, int policy, unsigned number);
enum err model_delete_version(struct model *m, int policy, unsigned number);
enum err model_attach_policy(struct model *m, int policy, int device);
enum err model_detach_policy(struct model *m, int policy, int device);

/* Things. */
enum err model_create_thing(struct model *m, int thing, bool typed);
enum err model_update_thing(struct model *m, int thing, bool typed);
enum err model_delete_thing(struct model *m, int thing);
enum err model_attach_thing(struct model *m, int thing, int device, enum principal_type type);
enum err model_detach_thing(struct model *m, int thing, int device);

/* Templates. */
enum err model_create_template(struct model *m, int template);
enum err model_enable_template(struct model *m, int template, bool enabled);
enum err model_delete_template(struct model *m, int template);

/* What comes with time. */
void model_retire(struct model *m);
void model_announce_expiring(struct model *m, int64_t until);
void model_publish(struct model *m, size_t count); /* the first events are published */
void model_crash(struct model *m);                 /* connections end; all else stays */

/* A CONNECT: the answer.  The registry afterwards is that after the job. */
struct decision model_connect(struct model *m, int device);
void model_disconnect(struct model *m, int device);

/* Connections of devices that may not stay end. */
void model_close_connections(struct model *m);
bool model_may_publish(const struct model *m, int device);

#endif
