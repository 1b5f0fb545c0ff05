/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store.h - the registry on disk.
 *
 * The only door to LMDB, in the language of the domain: there is no key and
 * no value in this header.  doc/storage.md has the schema.
 *
 * Threads.  One writer: store_write() may be called by the writer thread only.
 * The broker thread reads: store_read() hands out one reusable read
 * transaction of the broker thread; it sees one moment in time, costs
 * microseconds and never waits for the writer.  Keep it within one callback,
 * and call nothing of the broker while it is open: an old reader keeps old
 * pages from being reused, and the broker may call us again.
 *
 * Lifetimes.  Views in records that a get function fills point into the
 * memory map and live until the transaction ends, in a write transaction
 * until its next change.  Records passed to a put function are copied before
 * anything changes: they may hold such views.
 *
 * Errors.  Getters answer ERR_OK, ERR_NOT_FOUND, ERR_CORRUPT or ERR_STORAGE.
 * Puts answer nothing: the first failure sticks to the transaction, later
 * puts do nothing, store_commit() reports it.  So a change reads as a list.
 * Once a failure sticks, everything the transaction did is dropped.
 */
#ifndef JITR_STORE_H
#define JITR_STORE_H

#include "jitr/core/model.h"

struct store;

#define STORE_SCHEMA 4 /* the version this program writes; an older one is upgraded */

struct store_config {
	const char *path; /* a directory, made with mode 0700 when missing */
	size_t map_size;  /* bytes, an upper bound; address space, not disk */
	bool exclusive;   /* refuse when another process holds it exclusively */
	enum err (*sha256)(struct view bytes, struct certid *out); /* x509.h has it; both threads */
};

/* On failure *diag says which path and why, and what to do. */
MUST_USE enum err store_open(const struct store_config *config, struct store **out,
    struct diag *diag);
void store_close(struct store *s); /* NULL is fine */

/* What may go wrong where it is, and what to do; empty: nothing.  For the log. */
const char *store_warning(const struct store *s);

/* Did a process other than this one commit since the last call?  May say yes
 * once too often, never too seldom.  Cheap; broker thread. */
bool store_changed_elsewhere(struct store *s);

/* A transaction lives on the caller's stack between begin and end. */
struct txn {
	struct store *store;
	void *handle;
	enum err failed;
	bool writing;
	bool step_uses_reserve;
	unsigned ordinary_steps; /* those that do not */
};

MUST_USE enum err store_read(struct store *s, struct txn *t);
MUST_USE enum err store_write(struct store *s, struct txn *t);
MUST_USE enum err store_commit(struct txn *t); /* ends t, also on failure */
void store_end(struct txn *t);                 /* ends t, drops changes; twice is fine */

/* For what may be missing: ERR_NOT_FOUND becomes ERR_OK with *found false. */
MUST_USE enum err store_optional(enum err e, bool *found);

/* A failure after the first put: the transaction commits nothing.  Returns the first
 * failure. */
enum err store_fail(struct txn *t, enum err e);

/*
 * A registry that is full must let itself be emptied, and let devices be shut out.  So a
 * part of the map is kept free (a 16th, but not less than 256 pages or a third, at most
 * 64 MiB): a transaction that adds something, and would leave less, fails at its commit as
 * it does at the end of the map.  A transaction may use that part if all of its steps said
 * store_use_reserve(): they delete, detach, deactivate, revoke.  Where it adds something
 * it may use half of it.  A transaction begins with its first step; a step is what one
 * caller asked for.
 */
void store_use_reserve(struct txn *t); /* the present step */
void store_next_step(struct txn *t);

/* Did the last write transaction change anything?  Without a change a commit
 * needs no disk.  Asked on the writer thread. */
bool store_changed(const struct store *s);

/* What made the last write or commit fail, in words ("No space left on device",
 * "Environment mapsize limit reached"), for the log.  Asked on the writer
 * thread; the text lives as long as the program. */
const char *store_failure(const struct store *s);

/* The registration code: 64 lower-case hex digits (aws-iot A.1). */
#define REGISTRATION_CODE_SIZE 65
MUST_USE enum err store_get_registration_code(struct txn *t, char code[REGISTRATION_CODE_SIZE]);
void store_put_registration_code(struct txn *t, const char *code);
void store_delete_registration_code(struct txn *t);

/* CA certificates.  put without a document keeps the stored one. */
MUST_USE enum err store_get_ca(struct txn *t, const struct certid *id, struct ca *out);
MUST_USE enum err store_get_ca_document(struct txn *t, const struct certid *id,
    struct ca_document *out);
void store_put_ca(struct txn *t, const struct ca *ca, const struct ca_document *document_or_null);
void store_delete_ca(struct txn *t, const struct certid *id);

/* The validity of a CA that was deleted while certificates were registered under it:
 * fills that of *out and nothing else. */
MUST_USE enum err store_get_deleted_ca(struct txn *t, const struct certid *id, struct ca *out);

/* What was set for a CA; ERR_NOT_FOUND: nothing was.  Deleted with the CA. */
MUST_USE enum err store_get_ca_settings(struct txn *t, const struct certid *id,
    struct ca_settings *out);
void store_put_ca_settings(struct txn *t, const struct certid *id,
    const struct ca_settings *settings);

/* CAs in the order of their ids that have a setting: for what looks after
 * their files.  after NULL: from the start. */
struct ca_setting_entry {
	struct certid id;
	struct ca_settings settings;
};

MUST_USE enum err store_list_ca_settings(struct txn *t, const struct certid *after,
    struct ca_setting_entry *out, size_t max, size_t *count);

/* The CAs with this hash of their subject: nth = 0, 1, ... until ERR_NOT_FOUND.
 * Names are not unique (AWS allows ten CAs of one subject) and hashes less so:
 * check names and signatures. */
MUST_USE enum err store_find_issuer(struct txn *t, uint32_t subject_hash, size_t nth,
    struct ca *out);

/* Client certificates.  put without a document keeps the stored one. */
MUST_USE enum err store_get_cert(struct txn *t, const struct certid *id, struct cert *out);
MUST_USE enum err store_get_cert_document(struct txn *t, const struct certid *id,
    struct cert_document *out);
void store_put_cert(struct txn *t, const struct cert *cert,
    const struct cert_document *document_or_null);
void store_delete_cert(struct txn *t, const struct certid *id);

/* Its serial number, out of the stored certificate; empty: der.h. */
MUST_USE enum err store_get_cert_serial(struct txn *t, const struct certid *id, struct view *out);

/* SHA-256 of the signed part of the stored certificate.  ERR_CORRUPT: none can be
 * found in it (der.h). */
MUST_USE enum err store_get_cert_content(struct txn *t, const struct certid *id,
    struct certid *out);

/* All that are registered with this signed part, by their ids: under whatever CA,
 * with whatever status.  One, but for what older versions registered. */
MUST_USE enum err store_find_by_content(struct txn *t, const struct certid *content,
    struct certid *ids, size_t max, size_t *count);

/* Why it has its status, and when it was last turned away; deleted with the
 * certificate.  Longer texts than model.h says are cut. */
MUST_USE enum err store_get_cert_note(struct txn *t, const struct certid *id,
    struct cert_note *out);
void store_put_cert_note(struct txn *t, const struct certid *id, const struct cert_note *note);
void store_delete_cert_note(struct txn *t, const struct certid *id);
MUST_USE enum err store_get_refusal(struct txn *t, const struct certid *id, struct refusal *out);
void store_put_refusal(struct txn *t, const struct certid *id, const struct refusal *refusal);

/* Is there any certificate registered under this CA? */
MUST_USE enum err store_has_cert_of(struct txn *t, const struct certid *ca_id, bool *out);

/*
 * Listing, in order of creation, ties broken by id (aws-iot 1.6).  A position
 * names an entry, which need not exist any more; the listing goes on after it.
 * Fills at most max entries and answers how many in *count.
 */
struct position {
	int64_t created;
	struct certid id;
};

struct listing {
	const struct certid *ca;        /* only certificates of this CA; NULL: all */
	const enum cert_status *status; /* only those of this status; NULL, or with ca: all */
	const struct position *after;   /* NULL: from the start */
	bool ascending;
};

MUST_USE enum err store_list_cas(struct txn *t, const struct listing *l, struct ca *out, size_t max,
    size_t *count);
MUST_USE enum err store_list_certs(struct txn *t, const struct listing *l, struct cert *out,
    size_t max, size_t *count);

/*
 * Revocation lists.  The entries of a list are stored under its number, before
 * and after a CA refers to it: many transactions make or remove a list, one
 * puts it in force.
 */
MUST_USE enum err store_get_crl(struct txn *t, const struct certid *ca_id, struct crl *out);
void store_put_crl(struct txn *t, const struct certid *ca_id, const struct crl *crl);
void store_delete_crl(struct txn *t, const struct certid *ca_id);

/* CAs that have a list, in the order of their ids; after NULL: from the start. */
struct crl_entry {
	struct certid ca_id;
	struct crl crl;
};

MUST_USE enum err store_list_crls(struct txn *t, const struct certid *after, struct crl_entry *out,
    size_t max, size_t *count);

/* A number that no list has had: it is used up by the commit. */
MUST_USE enum err store_new_list(struct txn *t, uint64_t *list);

/* Quickest where list is the newest there is and serial beyond all that were
 * appended to it, byte by byte (of two where one goes on from the other, the
 * longer one is beyond).  Of a list that has this serial number the
 * transaction fails. */
void store_append_revoked(struct txn *t, uint64_t list, struct view serial,
    const struct revoked *entry);
MUST_USE enum err store_get_revoked(struct txn *t, uint64_t list, struct view serial,
    struct revoked *out);

/* The first list at or behind this number that has entries. */
MUST_USE enum err store_next_list(struct txn *t, uint64_t from, uint64_t *list);

/* Removes at most max entries of the list; *left: there are more. */
MUST_USE enum err store_drop_revoked(struct txn *t, uint64_t list, size_t max, bool *left);

/*
 * The next certificate registered under the CA that the list names, in the
 * order of serial numbers.  The walk begins with all zero and may go on in a
 * later transaction, whatever came and went in between; what was registered
 * behind it is not seen.  Whether *id is there is for the caller to see: an
 * index that is damaged does not hold up the others.
 *
 * Looks at no more than *steps rows, at least 3, and counts them down.
 * ERR_NOT_FOUND with *steps 0: go on later; otherwise there is no other.
 */
struct revoked_walk {
	uint8_t serial[SERIAL_MAX]; /* certificates before this one are done */
	size_t serial_len;
	bool answered; /* so are those of it up to: */
	struct certid id;
};

MUST_USE enum err store_next_revoked_cert(struct txn *t, const struct certid *ca_id, uint64_t list,
    struct revoked_walk *walk, size_t *steps, struct certid *id, struct revoked *out);

/* What is to be done at a time of its own: the earliest of a kind.  An entry of
 * SCHEDULE_EXPIRY is made when a certificate is stored or its notAfter changes,
 * and goes with it; those of SCHEDULE_SUPERSEDE stay.  ERR_CORRUPT: it cannot be
 * read, but dropped. */
MUST_USE enum err store_next_schedule(struct txn *t, enum schedule_kind kind,
    struct schedule_entry *out);
void store_put_schedule(struct txn *t, const struct schedule_entry *entry);
void store_delete_schedule(struct txn *t, const struct schedule_entry *entry);
void store_drop_schedule(struct txn *t, enum schedule_kind kind); /* the earliest */

/* Provisioning templates, under their names, and listed in that order. */
MUST_USE enum err store_get_template(struct txn *t, struct view name,
    struct provisioning_template *out);
void store_put_template(struct txn *t, const struct provisioning_template *made);
void store_delete_template(struct txn *t, struct view name);
MUST_USE enum err store_list_templates(struct txn *t, const struct view *after,
    struct provisioning_template *out, size_t max, size_t *count);

/* How much there is of everything; each costs no more than a look-up. */
struct store_counts {
	uint64_t certs[CERT_STATUS_COUNT];
	uint64_t cas, policies, things, messages;
	uint64_t bytes_used, bytes_most; /* of the file, whose pages are used again, and
	                                  * db_map_size_mb */
};

MUST_USE enum err store_count(struct txn *t, struct store_counts *out);

/*
 * Policies, under their names.  A put copies what it is given; what a get
 * answers has the name it was given.  Deleting a policy deletes its versions;
 * it does not detach it.
 */
MUST_USE enum err store_get_policy(struct txn *t, struct view name, struct policy_record *out);
void store_put_policy(struct txn *t, const struct policy_record *policy);
void store_delete_policy(struct txn *t, struct view name);

MUST_USE enum err store_get_policy_version(struct txn *t, struct view name, uint32_t number,
    struct policy_version *out);
void store_put_policy_version(struct txn *t, struct view name,
    const struct policy_version *version);
void store_delete_policy_version(struct txn *t, struct view name, uint32_t number);

/* Highest number first; the documents are there. */
MUST_USE enum err store_list_policy_versions(struct txn *t, struct view name,
    struct policy_version *out, size_t max, size_t *count);

/* Policies in order of creation, ties broken by name. */
struct name_position {
	int64_t created;
	struct view name;
};

MUST_USE enum err store_list_policies(struct txn *t, const struct name_position *after,
    bool ascending, struct policy_record *out, size_t max, size_t *count);

/*
 * Which policies are attached to which certificates: a set, seen from both
 * sides.  Names and ids are listed in their own order; after NULL: from the
 * start (when descending, the end).
 */
MUST_USE enum err store_is_attached(struct txn *t, struct view policy, const struct certid *id,
    bool *out);
void store_attach(struct txn *t, struct view policy, const struct certid *id);
void store_detach(struct txn *t, struct view policy, const struct certid *id);
MUST_USE enum err store_list_attached(struct txn *t, const struct certid *id,
    const struct view *after, bool ascending, struct view *out, size_t max, size_t *count);
MUST_USE enum err store_list_targets(struct txn *t, struct view policy, const struct certid *after,
    bool ascending, struct certid *out, size_t max, size_t *count);

/* Things, under their names, and listed in that order. */
MUST_USE enum err store_get_thing(struct txn *t, struct view name, struct thing *out);
void store_put_thing(struct txn *t, const struct thing *thing);
void store_delete_thing(struct txn *t, struct view name);
MUST_USE enum err store_list_things(struct txn *t, const struct view *after, struct thing *out,
    size_t max, size_t *count);

/* Which certificates are attached to which things: as policies are. */
struct thing_principal {
	struct certid id;
	struct view thing;
	enum principal_type type;
};

MUST_USE enum err store_get_thing_principal(struct txn *t, struct view thing,
    const struct certid *id, enum principal_type *out);
void store_put_thing_principal(struct txn *t, const struct thing_principal *p);
void store_delete_thing_principal(struct txn *t, struct view thing, const struct certid *id);
MUST_USE enum err store_list_thing_principals(struct txn *t, struct view thing,
    const struct certid *after, struct thing_principal *out, size_t max, size_t *count);
MUST_USE enum err store_list_principal_things(struct txn *t, const struct certid *id,
    const struct view *after, struct thing_principal *out, size_t max, size_t *count);

/*
 * The outbox: messages to publish, written by the transaction that causes
 * them, removed once published.  A message may be published twice, never lost.
 */
struct message {
	uint64_t seq; /* 1, 2, 3, ... for ever, also over restarts and removals */
	struct view topic;
	struct view payload;
};

void store_post(struct txn *t, struct view topic, struct view payload);
MUST_USE enum err store_next_message(struct txn *t, uint64_t after_seq, struct message *out);
void store_drop_messages(struct txn *t, uint64_t up_to_seq);

#endif
