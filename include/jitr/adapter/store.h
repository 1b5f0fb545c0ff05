/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store.h - the registry on disk.
 *
 * The only code that uses LMDB.  The interface has records, not keys and values;
 * doc/storage.md documents the schema.
 *
 * Processes.  Each has one thread.  There is one writer: only the registrar calls store_write().  Both processes
 * read: store_read() starts the one reusable read transaction of a store, which sees a
 * snapshot, costs microseconds and never waits for the writer.  In the broker, end it
 * within the same callback and call no function of the broker while it is open: an old
 * reader keeps old pages from being reused, and the broker may call the plugin again.
 *
 * Lifetimes.  Views in records filled by a get function point into the memory map.
 * They are valid until the transaction ends, in a write transaction until its next
 * change.  Put functions copy their records before anything changes, so these may
 * contain such views.
 *
 * Errors.  Get functions return ERR_OK, ERR_NOT_FOUND, ERR_CORRUPT or ERR_STORAGE.  Put
 * functions return nothing: the first failure sticks to the transaction, later puts do
 * nothing, and store_commit() reports it and drops all changes.  A change is therefore
 * a plain sequence of puts.
 */
#ifndef JITR_STORE_H
#define JITR_STORE_H

#include "jitr/core/codec_form.h"
#include "jitr/core/model.h"

struct store;

#define STORE_SCHEMA 5 /* version that this program writes; older databases are upgraded */

struct store_config {
	const char *path; /* directory, created with mode 0700 if missing */
	size_t map_size;  /* upper bound in bytes; address space, not disk space */
	bool exclusive;   /* fail if another process holds the database exclusively */
	enum err (*sha256)(struct view bytes, struct certid *out); /* for example sha256_of() of
								    * x509.h */

	/* The form of a document, for the upgrade of a database that has none: form_make()
	 * of form.h.  The caller frees it.  NULL: documents stay without, and are not
	 * usable. */
	enum err (*make_form)(enum form_kind kind, struct view document, struct view *form);
};

/*
 * On failure *diag has the path, the reason and the remedy.
 *
 * store_open_reader(): the registry must exist and have this schema, completely: nothing is
 * created, upgraded or repaired, the map cannot be written, and store_write() fails.  Another
 * process may write at the same time, also with a larger map_size.  It is linked without the
 * functions that write.
 */
MUST_USE enum err store_open(const struct store_config *config, struct store **out,
    struct diag *diag);
MUST_USE enum err store_open_reader(const struct store_config *config, struct store **out,
    struct diag *diag);
void store_close(struct store *s); /* NULL is fine */

/* A problem with the location of the database and its remedy, for the log; empty: none. */
const char *store_warning(const struct store *s);

/* Has another process committed, or was the store reopened, since the last call?  May
 * return true once too often, never too seldom.  Cheap. */
bool store_changed_elsewhere(struct store *s);

/*
 *                 a meta page could not be written
 *     IN_ORDER ───────────────────────────────────► BROKEN
 *      ▲  ▲ └───────────────┐                         │
 *      │  │ commit: the     │                         │
 *      │  │ files are gone  ▼                         │
 *      │  └─────────────── GONE                       │
 *      │  commit: back again                          │
 *      └──────────────────────────────────────────────┘
 *                      store_reopen()
 */
enum store_state {
	STORE_BROKEN, /* every transaction fails (LMDB's MDB_PANIC) */
	STORE_GONE,   /* removed, moved or replaced: reads see what was stored, commits fail */
	STORE_IN_ORDER,
};

enum store_state store_state(const struct store *s);

/* Opens a broken store again.  ERR_BUSY: a transaction is open.  After another error it
 * stays broken, and *diag says why. */
MUST_USE enum err store_reopen(struct store *s, struct diag *diag);

/* A transaction, on the caller's stack. */
struct txn {
	struct store *store;
	void *handle;
	enum err failed;
	bool writing;
	bool step_uses_reserve;
	unsigned ordinary_steps; /* steps that may not use the reserve */
};

MUST_USE enum err store_read(struct store *s, struct txn *t);
MUST_USE enum err store_write(struct store *s, struct txn *t);
MUST_USE enum err store_commit(struct txn *t); /* always ends t */
void store_end(struct txn *t);                 /* ends t and drops its changes; may be called
					        * again */

/* For records that may be missing: turns ERR_NOT_FOUND into ERR_OK with *found false. */
MUST_USE enum err store_optional(enum err e, bool *found);

/* Fails the transaction after the first put, so that it commits nothing.  Returns its
 * first failure. */
enum err store_fail(struct txn *t, enum err e);

/*
 * Reserve.  Even if the registry is full it must be possible to delete from it and to
 * refuse devices.  A part of the map is therefore kept free: a sixteenth, at least 256
 * pages or a third, at most 64 MiB.  A transaction that adds data and would leave less
 * than that fails at its commit as if the map were full.  A transaction may use the
 * reserve if all of its steps called store_use_reserve(): steps that delete, detach,
 * deactivate or revoke.  If it also adds data it may use half of the reserve.  A step
 * is one caller's change; a transaction begins with its first step.
 */
void store_use_reserve(struct txn *t); /* for the current step */
void store_next_step(struct txn *t);

/* Did the last write transaction change anything?  If not, its commit did not write to
 * disk. */
bool store_changed(const struct store *s);

/* Why the last write or commit failed ("No space left on device", "Environment mapsize
 * limit reached"), for the log.  A static text. */
const char *store_failure(const struct store *s);

/* The registration code: 64 lower-case hex digits (aws-iot A.1). */
#define REGISTRATION_CODE_SIZE 65
MUST_USE enum err store_get_registration_code(struct txn *t, char code[REGISTRATION_CODE_SIZE]);
void store_put_registration_code(struct txn *t, const char *code);
void store_delete_registration_code(struct txn *t);

/* CA certificates.  With document NULL, put keeps the stored one. */
MUST_USE enum err store_get_ca(struct txn *t, const struct certid *id, struct ca *out);
MUST_USE enum err store_get_ca_document(struct txn *t, const struct certid *id,
    struct ca_document *out);
void store_put_ca(struct txn *t, const struct ca *ca, const struct ca_document *document_or_null);
void store_delete_ca(struct txn *t, const struct certid *id);

/* The validity of a CA that was deleted while certificates were registered under it:
 * sets not_before and not_after of *out, nothing else. */
MUST_USE enum err store_get_deleted_ca(struct txn *t, const struct certid *id, struct ca *out);

/* Settings of a CA; ERR_NOT_FOUND: none.  Deleted with the CA. */
MUST_USE enum err store_get_ca_settings(struct txn *t, const struct certid *id,
    struct ca_settings *out);
void store_put_ca_settings(struct txn *t, const struct certid *id,
    const struct ca_settings *settings);

/* CAs that have settings, ordered by id.  after NULL: from the start. */
struct ca_setting_entry {
	struct certid id;
	struct ca_settings settings;
};

MUST_USE enum err store_list_ca_settings(struct txn *t, const struct certid *after,
    struct ca_setting_entry *out, size_t max, size_t *count);

/* CAs with this hash of their subject: nth = 0, 1, ... until ERR_NOT_FOUND.  Neither
 * names (AWS allows ten CAs of one subject) nor hashes are unique: check names and
 * signatures. */
MUST_USE enum err store_find_issuer(struct txn *t, uint32_t subject_hash, size_t nth,
    struct ca *out);

/* Client certificates.  With document NULL, put keeps the stored one. */
MUST_USE enum err store_get_cert(struct txn *t, const struct certid *id, struct cert *out);
MUST_USE enum err store_get_cert_document(struct txn *t, const struct certid *id,
    struct cert_document *out);
void store_put_cert(struct txn *t, const struct cert *cert,
    const struct cert_document *document_or_null);
void store_delete_cert(struct txn *t, const struct certid *id);

/* The serial number in the stored certificate; empty: see der.h. */
MUST_USE enum err store_get_cert_serial(struct txn *t, const struct certid *id, struct view *out);

/* SHA-256 of the signed part of the stored certificate.  ERR_CORRUPT: it has none
 * (der.h). */
MUST_USE enum err store_get_cert_content(struct txn *t, const struct certid *id,
    struct certid *out);

/* All certificates with this signed part, in the order of their creation, under any CA
 * and in any status.  A record that is not shared is the only one.  There is at most one,
 * except for those registered by older versions. */
MUST_USE enum err store_find_by_content(struct txn *t, const struct certid *content,
    struct certid *ids, size_t max, size_t *count);

/* Why a certificate has its status, and its last refusal; deleted with the certificate.
 * Texts longer than model.h allows are truncated. */
MUST_USE enum err store_get_cert_note(struct txn *t, const struct certid *id,
    struct cert_note *out);
void store_put_cert_note(struct txn *t, const struct certid *id, const struct cert_note *note);
void store_delete_cert_note(struct txn *t, const struct certid *id);
MUST_USE enum err store_get_refusal(struct txn *t, const struct certid *id, struct refusal *out);
void store_put_refusal(struct txn *t, const struct certid *id, const struct refusal *refusal);

/* Is any certificate registered under this CA? */
MUST_USE enum err store_has_cert_of(struct txn *t, const struct certid *ca_id, bool *out);

/*
 * Listings, ordered by creation time, then id (aws-iot 1.6).  A position names an
 * entry, which may have been deleted; the listing continues after it.  Fills at most
 * max entries and sets *count.
 */
struct position {
	int64_t created;
	struct certid id;
};

struct listing {
	const struct certid *ca;        /* only certificates of this CA; NULL: all */
	const enum cert_status *status; /* only this status; NULL, or if ca is set: all */
	const struct position *after;   /* NULL: from the start */
	bool ascending;
};

MUST_USE enum err store_list_cas(struct txn *t, const struct listing *l, struct ca *out, size_t max,
    size_t *count);
MUST_USE enum err store_list_certs(struct txn *t, const struct listing *l, struct cert *out,
    size_t max, size_t *count);

/*
 * Revocation lists.  Entries are stored under a list number, whether or not a CA refers
 * to it: a list is written or removed in many transactions and put in force by one.
 */
MUST_USE enum err store_get_crl(struct txn *t, const struct certid *ca_id, struct crl *out);
void store_put_crl(struct txn *t, const struct certid *ca_id, const struct crl *crl);
void store_delete_crl(struct txn *t, const struct certid *ca_id);

/* CAs that have a list, ordered by id; after NULL: from the start. */
struct crl_entry {
	struct certid ca_id;
	struct crl crl;
};

MUST_USE enum err store_list_crls(struct txn *t, const struct certid *after, struct crl_entry *out,
    size_t max, size_t *count);

/* A new list number; the commit makes sure that it is never given again. */
MUST_USE enum err store_new_list(struct txn *t, uint64_t *list);

/* Adds an entry.  Fast if list is the newest list and serial sorts behind all of its
 * entries (bytewise; a prefix sorts first).  The transaction fails if the list has this
 * serial number already. */
void store_append_revoked(struct txn *t, uint64_t list, struct view serial,
    const struct revoked *entry);
MUST_USE enum err store_get_revoked(struct txn *t, uint64_t list, struct view serial,
    struct revoked *out);

/* The first list at or behind this number that has entries. */
MUST_USE enum err store_next_list(struct txn *t, uint64_t from, uint64_t *list);

/* Removes at most max entries of the list; *left: there are more. */
MUST_USE enum err store_drop_revoked(struct txn *t, uint64_t list, size_t max, bool *left);

/*
 * Iterates over the certificates of a CA that a list revokes, ordered by serial number.
 * A zeroed walk is the start.  It may continue in a later transaction, whatever changed
 * in between, but does not see certificates registered behind its position.  The caller
 * checks whether *id exists, so a damaged index does not stop the others.
 *
 * Examines at most *steps rows, at least 3, and counts them down.  ERR_NOT_FOUND with
 * *steps 0: call again later; otherwise there are no more.
 */
struct revoked_walk {
	uint8_t serial[SERIAL_MAX]; /* certificates with smaller serial numbers are done */
	size_t serial_len;
	bool answered; /* those with this serial number are done up to this position */
	struct position position;
};

MUST_USE enum err store_next_revoked_cert(struct txn *t, const struct certid *ca_id, uint64_t list,
    struct revoked_walk *walk, size_t *steps, struct certid *id, struct revoked *out);

/* Scheduled changes: returns the earliest of a kind.  SCHEDULE_EXPIRY entries are
 * maintained together with the certificate and its notAfter; SCHEDULE_SUPERSEDE entries
 * stay until deleted.  ERR_CORRUPT: the entry cannot be read; drop it. */
MUST_USE enum err store_next_schedule(struct txn *t, enum schedule_kind kind,
    struct schedule_entry *out);
void store_put_schedule(struct txn *t, const struct schedule_entry *entry);
void store_delete_schedule(struct txn *t, const struct schedule_entry *entry);
void store_drop_schedule(struct txn *t, enum schedule_kind kind); /* drops the earliest */

/* Provisioning templates, by name; listed in that order. */
MUST_USE enum err store_get_template(struct txn *t, struct view name,
    struct provisioning_template *out);
void store_put_template(struct txn *t, const struct provisioning_template *made);
void store_delete_template(struct txn *t, struct view name);
MUST_USE enum err store_list_templates(struct txn *t, const struct view *after,
    struct provisioning_template *out, size_t max, size_t *count);

/* Number of records; each costs no more than a look-up. */
struct store_counts {
	uint64_t certs[CERT_STATUS_COUNT];
	uint64_t cas, policies, things, messages;
	uint64_t bytes_used, bytes_most; /* used part of the file, and its upper bound
					  * (db_map_size_mb) */
};

MUST_USE enum err store_count(struct txn *t, struct store_counts *out);

/*
 * Policies, by name.  A record returned by get has the name that was passed.  Deleting
 * a policy deletes its versions, but does not detach it.
 */
MUST_USE enum err store_get_policy(struct txn *t, struct view name, struct policy_record *out);
void store_put_policy(struct txn *t, const struct policy_record *policy);
void store_delete_policy(struct txn *t, struct view name);

MUST_USE enum err store_get_policy_version(struct txn *t, struct view name, uint32_t number,
    struct policy_version *out);
void store_put_policy_version(struct txn *t, struct view name,
    const struct policy_version *version);
void store_delete_policy_version(struct txn *t, struct view name, uint32_t number);

/* Highest number first, with documents. */
MUST_USE enum err store_list_policy_versions(struct txn *t, struct view name,
    struct policy_version *out, size_t max, size_t *count);

/* Policies, ordered by creation time, then name. */
struct name_position {
	int64_t created;
	struct view name;
};

MUST_USE enum err store_list_policies(struct txn *t, const struct name_position *after,
    bool ascending, struct policy_record *out, size_t max, size_t *count);

/*
 * Attachments of policies to certificates, readable from both sides.  Listed in order
 * of names or ids; after NULL: from the start (descending: from the end).
 */
MUST_USE enum err store_is_attached(struct txn *t, struct view policy, const struct certid *id,
    bool *out);
void store_attach(struct txn *t, struct view policy, const struct certid *id);
void store_detach(struct txn *t, struct view policy, const struct certid *id);
MUST_USE enum err store_list_attached(struct txn *t, const struct certid *id,
    const struct view *after, bool ascending, struct view *out, size_t max, size_t *count);
MUST_USE enum err store_list_targets(struct txn *t, struct view policy, const struct certid *after,
    bool ascending, struct certid *out, size_t max, size_t *count);

/* Things, by name; listed in that order. */
MUST_USE enum err store_get_thing(struct txn *t, struct view name, struct thing *out);
void store_put_thing(struct txn *t, const struct thing *thing);
void store_delete_thing(struct txn *t, struct view name);
MUST_USE enum err store_list_things(struct txn *t, const struct view *after, struct thing *out,
    size_t max, size_t *count);

/* Attachments of certificates to things, as of policies. */
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
 * The outbox: messages to publish, stored by the transaction that causes them and
 * removed once published.  A message may be published twice, but is never lost.
 */
struct message {
	uint64_t seq; /* 1, 2, 3, ...; never reused */
	struct view topic;
	struct view payload;
};

void store_post(struct txn *t, struct view topic, struct view payload);
MUST_USE enum err store_next_message(struct txn *t, uint64_t after_seq, struct message *out);
void store_drop_messages(struct txn *t, uint64_t up_to_seq);

#endif
