/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_private.h - shared by the store*.c files.
 *
 * store_open.c opens and closes; store_writing.c has what changes a file, and is linked by
 * the registrar only; store_state.c notices a broken environment and files
 * that are gone, and opens again; store_lock.c and store_data_file.c prepare and check
 * the files of LMDB; store_schema.c has the tables; store_upgrade.c upgrades older
 * schemas; store.c has transactions and the table_ functions; store_room.c keeps the
 * reserve of free pages; store_walk.c iterates over tables; store_pair.c keeps two
 * tables that mirror each other; store_index.c keeps the indexes of certificates, and
 * store_count.c their numbers; each other file maps one kind of record to rows.
 */
#ifndef JITR_STORE_PRIVATE_H
#define JITR_STORE_PRIVATE_H

#include <lmdb.h>
#include <sys/types.h>

#include "jitr/adapter/store.h"

enum table {
	TABLE_META,
	TABLE_CA,
	TABLE_CA_DOCUMENT,
	TABLE_CA_BY_SUBJECT,
	TABLE_CA_BY_TIME,
	TABLE_CERT,
	TABLE_DOCUMENT,
	TABLE_CA_CERT,
	TABLE_STATUS_CERT,
	TABLE_SERIAL_CERT,
	TABLE_CONTENT_CERT,
	TABLE_EXPIRY,
	TABLE_MESSAGE,
	TABLE_POLICY,
	TABLE_POLICY_VERSION,
	TABLE_POLICY_BY_TIME,
	TABLE_POLICY_CERT,
	TABLE_CERT_POLICY,
	TABLE_THING,
	TABLE_THING_CERT,
	TABLE_CERT_THING,
	TABLE_CA_SETTINGS,
	TABLE_CRL,
	TABLE_REVOKED,
	TABLE_CERT_NOTE,
	TABLE_REFUSAL,
	TABLE_SCHEDULE,
	TABLE_TEMPLATE,
	TABLE_COUNT,
};

struct file_id {
	dev_t device;
	ino_t inode;
};

/* What the environment is used for in a way that excludes other uses. */
enum store_use {
	USE_SHARED,
	USE_WRITING,   /* a write transaction is open */
	USE_REPLACING, /* the environment or its map is being replaced */
};

/* What changes a file (store_writing.c).  The integers are LMDB's codes. */
struct store_writing {
	int (*put)(MDB_txn *txn, MDB_dbi table, MDB_val *key, MDB_val *value, unsigned flags);
	int (*del)(MDB_txn *txn, MDB_dbi table, MDB_val *key, MDB_val *value_or_null);
	int (*cursor_del)(MDB_cursor *rows, unsigned flags);
	int (*open_directory)(const char *path); /* creates it; a descriptor, or -1 and errno */
	int (*sync_directory)(const struct store *s);
	int (*reserve_lock_file)(struct store *s);
	int (*check_data_file)(MDB_env *env);
	int (*undo_creation)(const struct store *s);
	int (*upgrade_begin)(struct txn *t, uint64_t schema);
	int (*upgrade_step)(struct txn *t, bool *done);
};

struct store {
	MDB_env *env;                        /* NULL: it could not be opened again */
	const struct store_writing *writing; /* NULL: for reading only */
	struct store_config config;
	char *path; /* config.path, owned */
	MDB_dbi tables[TABLE_COUNT];
	struct store *next; /* of the stores that this process has open */

	int directory; /* kept open so that its inode number is not reused */
	struct file_id directory_id, data_id, lock_id; /* of path, data.mdb, lock.mdb */
	int lock;                                      /* broker.lock, or -1 */
	const char *warning;                           /* store_warning(); empty: none */

	enum err (*sha256)(struct view bytes, struct certid *out);
	enum err (*make_form)(enum form_kind kind, struct view document, struct view *form);

	/* The reusable read transaction keeps its slot in LMDB's reader
	 * table, so reading cannot fail because other processes fill the table. */
	MDB_txn *reader;
	bool reading; /* reader is in use */

	/* The last write. */
	const char *failure;
	int cause;    /* LMDB's return code, if the failure was one */
	bool changed; /* by the open write transaction */

	enum store_use use;
	enum store_state state;

	/* See store_changed_elsewhere().  Transaction numbers. */
	size_t own;      /* our last commit, or the last one when we opened */
	size_t reported; /* the last foreign commit that was reported */
	bool foreign;    /* an unreported foreign commit precedes our last one, or the
				 * store was reopened */
};

/* LMDB's message for a short write, which usually means that the disk is full. */
#define DISK_FAILED "input/output error: the disk is full or damaged"

#define BEING_REOPENED \
	"the disk failed in the middle of a commit, and the registry is not open again yet"
#define FILES_GONE \
	"the files of the registry were removed or replaced while it is in use: move " \
	"them back, or restart the broker"

/* Maps LMDB's return code to an error. */
enum err store_error(int rc);

/* The first failure sticks; words must be static. */
void txn_fail(struct txn *t, enum err e, const char *words);
void txn_check(struct txn *t, int rc); /* as txn_fail(), if rc is a failure */

/* MDB_MAP_FULL: the changes would use the reserve (store.h). */
MUST_USE int store_check_room(const struct txn *t);

/* LMDB does not modify keys and values, although its pointers are not const. */
MDB_val val_of(struct view bytes);
struct view view_of_val(const MDB_val *val);

/* An empty key means "invalid": get finds nothing, put fails. */
MUST_USE int table_cursor(struct txn *t, enum table table, MDB_cursor **out);
MUST_USE enum err table_get(struct txn *t, enum table table, struct view key, struct view *value);
void table_put(struct txn *t, enum table table, struct view key, struct view value);

/* As table_put(), for a key that sorts behind all others of the table. */
void table_append(struct txn *t, enum table table, struct view key, struct view value);

/* As table_put(), but the key must be new; otherwise it fails with these static words.
 * A key behind all others is appended, which fills pages completely. */
void table_put_new(struct txn *t, enum table table, struct view key, struct view value,
    const char *words);

/* Adds a value to a key that may have several.  Values that mostly sort behind those
 * that exist fill their pages. */
void table_add(struct txn *t, enum table table, struct view key, struct view value,
    bool mostly_last);

/* A missing row is not a failure.  value: of a key with several values; otherwise NULL. */
void table_delete(struct txn *t, enum table table, struct view key, const struct view *value);

/* Memory to encode a row into, released with free().  Rows are encoded before any put,
 * since their texts may point into the map.  NULL: failed; a size of 0 fails with these
 * static words. */
MUST_USE uint8_t *row_allocate(struct txn *t, size_t size, const char *words);

/* Keys are big-endian, so bytewise order is numeric order. */
#define BY_TIME_SIZE (8 + 32)

void number_put(uint8_t *out, size_t size, uint64_t value);
uint64_t number_get(const uint8_t *in, size_t size);
struct view id_key(const struct certid *id); /* valid as long as *id */
struct view by_time_key(int64_t created, const struct certid *id, uint8_t out[BY_TIME_SIZE]);

/* Where a certificate is in every index: 6 bytes of its time of creation in ms, and the
 * first bytes of its id. */
#define PLACE_TIME 6
#define PLACE_ID   6
#define PLACE_SIZE (PLACE_TIME + PLACE_ID)

struct cert_place {
	uint8_t b[PLACE_SIZE];
};

struct cert_place cert_place_of(int64_t created, const struct certid *id);
struct view cert_place_key(const struct cert_place *p); /* valid as long as *p */
MUST_USE enum err cert_place_read(struct view bytes, struct cert_place *out);

/* The certificate at this place.  ERR_CORRUPT: its record cannot be read, and out->id
 * is its id.  ERR_NOT_FOUND: out->id only begins like the id that the place is of. */
MUST_USE enum err cert_place_find(struct txn *t, const struct cert_place *p, struct cert *out);

/* Documents of certificates.  ERR_NOT_FOUND: it has none. */
MUST_USE enum err document_get(struct txn *t, const struct cert_place *p,
    struct cert_document *out);
void document_put(struct txn *t, const struct cert_place *p,
    const struct cert_document *document_or_null, bool is_new);
void document_move(struct txn *t, const struct cert_place *from, const struct cert_place *to);
void document_delete(struct txn *t, const struct cert_place *p);

/* Sequence numbers: the last one given is a row of TABLE_META under this name.  It is
 * kept when the numbered records are deleted, so numbers are never reused.  0: none
 * given. */
#define SEQUENCE_SIZE 8

MUST_USE enum err sequence_last(struct txn *t, const char *name, uint64_t *last);
void sequence_put(struct txn *t, const char *name, uint64_t last);

/* Keys that contain a name.  Empty if the name is invalid: 1 to NAME_MAX_LENGTH bytes
 * without NUL.  A NUL terminates a name that is followed by something. */
#define KEY_MAX (NAME_MAX_LENGTH + 1 + 32)

struct view named_key(struct view before, struct view name, struct view behind,
    uint8_t out[KEY_MAX]);
struct view name_key(struct view name, uint8_t out[KEY_MAX]);
struct view name_prefix(struct view name, uint8_t out[KEY_MAX]); /* of all keys with this name */
struct view name_id_key(struct view name, const struct certid *id, uint8_t out[KEY_MAX]);
struct view id_name_key(const struct certid *id, struct view name, uint8_t out[KEY_MAX]);

/* Rows of TABLE_EXPIRY and TABLE_CONTENT_CERT are values of one key. */
struct view common_key(void);

/* time (signed: before 1970 sorts first), place */
#define EXPIRY_SIZE (8 + PLACE_SIZE)

struct view expiry_value(int64_t time, const struct cert_place *p, uint8_t out[EXPIRY_SIZE]);

/* The beginning of the SHA-256 of the signed part, place */
#define CONTENT_ID   5
#define CONTENT_SIZE (CONTENT_ID + PLACE_SIZE)

struct view content_value(const struct certid *content, const struct cert_place *p,
    uint8_t out[CONTENT_SIZE]);

/* A serial number so that no value is the beginning of another one, place.  place NULL:
 * sorts before all values of this serial number and behind those of smaller ones. */
#define SERIAL_VALUE_MAX (2 * SERIAL_MAX + 1 + PLACE_SIZE)

struct view serial_value(struct view serial, const struct cert_place *p,
    uint8_t out[SERIAL_VALUE_MAX]);
MUST_USE enum err serial_value_read(struct view value, uint8_t serial[SERIAL_MAX], size_t *len,
    struct cert_place *p);

/* The data by which a certificate is indexed: its record, and parts of its document. */
struct indexed {
	struct cert cert;
	struct indexed_document {
		size_t serial_len; /* 0: not indexed by serial number */
		uint8_t serial[SERIAL_MAX];
		bool has_content; /* false: not indexed by content, the SHA-256 of its signed
				   * part */
		struct certid content;
	} document;
};

/* If the serial number is too long, or the signed part not found, it is not indexed by
 * it. */
MUST_USE enum err indexed_read(const struct store *s, struct view der,
    struct indexed_document *out);

/* Replaces the index rows of before by those of after; NULL: none. */
void index_change(struct txn *t, const struct indexed *before, const struct indexed *after);

/* Stores a certificate that is new or was in no index: its record, with *of's new
 * knowledge whether its signed part is shared, and its index rows. */
void cert_put_indexed(struct txn *t, const struct indexed *before_or_null, struct indexed *of);

/* Number of certificates in each status. */
struct counts {
	uint64_t certs[CERT_STATUS_COUNT];
};

void counts_put(struct txn *t, const struct counts *counts);
void counts_change(struct txn *t, const struct indexed *before, const struct indexed *after);

/* Deletes what is stored of a deleted CA when its last certificate is gone. */
void deleted_ca_tidy(struct txn *t, const struct certid *ca_id);

/* Additional return code: the upgrade of an older schema is not finished. */
#define NOT_UPGRADED (CUT_SHORT + 1)

/* Opens all tables, and in a store for writing creates or upgrades them if
 * necessary; a current database is opened without waiting for its writer.  Sets the
 * version of the schema; if it is not STORE_SCHEMA the tables are not open.  Returns
 * LMDB's code or NOT_UPGRADED. */
MUST_USE int schema_open(struct store *s, uint64_t *schema);

/*
 * An upgrade to schema 5 (store_upgrade.c).  upgrade_begin() notes in the transaction that
 * creates the new tables that it has begun, and compiles the documents; upgrade_step()
 * moves certificates: it does a bounded part of it in a transaction, and sets *done with the last part.  Return LMDB's
 * code.
 */
#define UPGRADE_ROW    "upgrade" /* of TABLE_META, until it is finished */
#define UPGRADE_TABLES 6         /* of earlier schemas, while they are read */

MUST_USE int upgrade_begin(struct txn *t, uint64_t schema);
MUST_USE int upgrade_step(struct txn *t, bool *done);

#define DATA_FILE "data.mdb"
#define LOCK_FILE "lock.mdb"

/* writing NULL: for reading only. */
MUST_USE enum err store_open_with(const struct store_writing *writing,
    const struct store_config *config, struct store **out, struct diag *diag);

/* The environment, its tables and the reusable read transaction. */
MUST_USE enum err environment_open(struct store *s, struct diag *diag);
void environment_close(struct store *s);

/* Claims the environment for this use; false: it has another one. */
MUST_USE bool environment_claim(struct store *s, enum store_use use);
void environment_release(struct store *s);

/* Is the environment broken?  Called after a failed commit. */
void environment_check(struct store *s);

/* Another process has enlarged the map: adopts its size.  No read transaction of the
 * store is open.  Returns LMDB's code. */
MUST_USE int environment_resize(struct store *s);

/* Remembers which files were opened.  Returns an errno. */
MUST_USE int files_remember(struct store *s);

/* Are they still in their place?  Sets the state. */
MUST_USE bool files_are_there(struct store *s);
/* Gives a form to each document that has none of this version.  Returns LMDB's code. */
MUST_USE int forms_add(struct txn *t);

/* Creates lock.mdb with its blocks allocated.  Returns an errno. */
MUST_USE int lock_file_reserve(struct store *s);

/* Additional return code: data.mdb is truncated. */
#define CUT_SHORT (MDB_LAST_ERRCODE + 1000)

/* Are all pages that LMDB could read within the file?  0, CUT_SHORT or LMDB's code. */
MUST_USE int data_file_check(MDB_env *env);

/* Is the file shorter than the last page that LMDB has allocated? */
MUST_USE bool data_file_is_shorter(MDB_env *env);

/* Keys of a table with a common prefix. */
struct range {
	enum table table;
	struct view prefix;
	struct view after; /* start behind this rest of a key, which need not exist; empty: at
			    * the start or end */
	bool ascending;
	size_t least, most; /* length of a key behind the prefix, in bytes */
};

struct row {
	struct view key, rest, value; /* rest: the key behind the prefix; all point into the
				       * map */
};

struct walk {
	MDB_cursor *cursor;
	const struct range *range;
	bool started;
	size_t len;
	uint8_t start[KEY_MAX + 8]; /* continue behind this key */
};

/* Call walk_end() even if walk_begin() failed. */
MUST_USE enum err walk_begin(struct walk *w, struct txn *t, const struct range *range);
MUST_USE enum err walk_next(struct walk *w, struct row *row); /* ERR_NOT_FOUND: no more */
void walk_end(struct walk *w);

/* Converts rows to entries of an array. */
struct row_reader {
	enum err (*read)(struct txn *t, const void *context, const struct row *row, void *out);
	const void *context;
	void *out;
	size_t size; /* of an entry */
};

MUST_USE enum err list_rows(struct txn *t, const struct range *range,
    const struct row_reader *reader, size_t max, size_t *count);

/* Sets of (name, certificate) pairs, each with a type less than types. */
struct pairs {
	enum table by_name, by_id;
	unsigned types;
};

struct pair {
	struct view name;
	struct certid id;
	unsigned type;
};

MUST_USE enum err pair_get(struct txn *t, const struct pairs *p, struct view name,
    const struct certid *id, unsigned *type);
void pair_put(struct txn *t, const struct pairs *p, struct view name, const struct certid *id,
    unsigned type);
void pair_delete(struct txn *t, const struct pairs *p, struct view name, const struct certid *id);

struct page {
	void (*emit)(const struct pair *pair, void *out);
	struct view after; /* empty: from the start or end */
	bool ascending;
	void *out;
	size_t size, max; /* size of an entry, and maximum number */
};

MUST_USE enum err pairs_of_id(struct txn *t, const struct pairs *p, const struct certid *id,
    const struct page *page, size_t *count);
MUST_USE enum err pairs_of_name(struct txn *t, const struct pairs *p, struct view name,
    const struct page *page, size_t *count);

#endif
