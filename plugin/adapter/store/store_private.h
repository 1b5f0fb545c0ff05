/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_private.h - what the store*.c files share.  Private.
 *
 * store_open.c opens and closes, store_upgrade.c brings along what is older;
 * store.c begins and ends transactions and has the table_ functions;
 * store_walk.c goes through tables, store_pair.c keeps two that mirror each
 * other, store_index.c what certificates are found by; the other files know
 * which row goes where.
 */
#ifndef JITR_STORE_PRIVATE_H
#define JITR_STORE_PRIVATE_H

#include <lmdb.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "jitr/adapter/store.h"

enum table {
	TABLE_META,
	TABLE_CA,
	TABLE_CA_DOCUMENT,
	TABLE_CA_BY_SUBJECT,
	TABLE_CA_BY_TIME,
	TABLE_CERT,
	TABLE_CERT_DOCUMENT,
	TABLE_CERT_BY_TIME,
	TABLE_CERT_BY_CA,
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
	TABLE_CERT_BY_SERIAL,
	TABLE_CERT_BY_STATUS,
	TABLE_CERT_NOTE,
	TABLE_REFUSAL,
	TABLE_SCHEDULE,
	TABLE_TEMPLATE,
	TABLE_CERT_BY_CONTENT,
	TABLE_COUNT,
};

struct store {
	MDB_env *env;
	MDB_dbi tables[TABLE_COUNT];
	struct store *next; /* of those this process has open */

	int directory; /* kept open, so that its inode number stays its own */
	dev_t device;
	ino_t inode;
	int lock;            /* broker.lock, or -1 */
	const char *warning; /* of its place; empty: none */

	enum err (*sha256)(struct view bytes, struct certid *out);

	/* Broker thread.  The reusable read transaction keeps its place in
	 * LMDB's reader table: reading never fails because others fill it. */
	MDB_txn *reader;
	bool reading; /* and is in use */

	/* Writer thread. */
	const char *failure;
	int cause;    /* LMDB's code, where the failure was one of its calls */
	bool changed; /* by the write transaction that is open */

	/* Both; see store_changed_elsewhere().  Numbers of transactions. */
	atomic_size_t own;      /* our last; or the last when we opened */
	atomic_size_t reported; /* the last foreign one that was reported */
	atomic_bool foreign;    /* one that was not reported lies before our last */
};

/* LMDB's word for a write that was cut short, most often by a full disk. */
#define DISK_FAILED "input/output error: the disk is full or damaged"

/* What LMDB's return code is to our callers. */
enum err store_error(int rc);

/* The first failure sticks; words must live as long as the program. */
void txn_fail(struct txn *t, enum err e, const char *words);
void txn_check(struct txn *t, int rc); /* the same from LMDB's return code, when it is one */

/* MDB_MAP_FULL: the changes would take what is kept for others (store.h). */
MUST_USE int store_check_room(const struct txn *t);

/* LMDB takes keys and values as pointers to what it will not change. */
MDB_val val_of(struct view bytes);
struct view view_of_val(const MDB_val *val);

/* An empty key is one that cannot be: nothing is under it, and putting there
 * is a failure. */
MUST_USE int table_cursor(struct txn *t, enum table table, MDB_cursor **out);
MUST_USE enum err table_get(struct txn *t, enum table table, struct view key, struct view *value);
void table_put(struct txn *t, enum table table, struct view key, struct view value);

/* As table_put, for a key that sorts behind all others of the table. */
void table_append(struct txn *t, enum table table, struct view key, struct view value);

/* A row that is not there is no failure.  value: of a key with several; NULL. */
void table_delete(struct txn *t, enum table table, struct view key, const struct view *value);

/* Keys: big-endian, so that bytes sort like numbers. */
#define BY_TIME_SIZE        (8 + 32)
#define CERT_BY_CA_SIZE     (32 + BY_TIME_SIZE)
#define CERT_BY_STATUS_SIZE (1 + BY_TIME_SIZE)

void number_put(uint8_t *out, size_t size, uint64_t value);
uint64_t number_get(const uint8_t *in, size_t size);
struct view id_key(const struct certid *id); /* lives as long as *id */
struct view by_time_key(int64_t created, const struct certid *id, uint8_t out[BY_TIME_SIZE]);
struct view cert_by_ca_key(const struct certid *ca_id, int64_t created, const struct certid *id,
    uint8_t out[CERT_BY_CA_SIZE]);
struct view cert_by_status_key(enum cert_status status, int64_t created, const struct certid *id,
    uint8_t out[CERT_BY_STATUS_SIZE]);

/* The last number given, a row of TABLE_META of this name: it outlives what was
 * numbered, so no number is ever given twice.  0: none was given. */
#define SEQUENCE_SIZE 8

MUST_USE enum err sequence_last(struct txn *t, const char *name, uint64_t *last);
void sequence_put(struct txn *t, const char *name, uint64_t last);

/* Keys with a name in them, empty when it cannot be one: 1 to NAME_MAX_LENGTH
 * bytes, none of them zero.  Zero ends a name that something follows. */
#define KEY_MAX (NAME_MAX_LENGTH + 1 + 32)

struct view named_key(struct view before, struct view name, struct view behind,
    uint8_t out[KEY_MAX]);
struct view name_key(struct view name, uint8_t out[KEY_MAX]);
struct view name_prefix(struct view name, uint8_t out[KEY_MAX]); /* of all that follow it */
struct view name_id_key(struct view name, const struct certid *id, uint8_t out[KEY_MAX]);
struct view id_name_key(const struct certid *id, struct view name, uint8_t out[KEY_MAX]);

/* kind, time (so that those before 1970 come first), id. */
#define SCHEDULE_SIZE (1 + 8 + 32)

struct view schedule_key(enum schedule_kind kind, int64_t time, const struct certid *id,
    uint8_t out[SCHEDULE_SIZE]);

/* What a certificate is found by: its record, and what its document says. */
struct indexed {
	struct cert cert;
	struct indexed_document {
		size_t serial_len; /* 0: not by its serial number */
		uint8_t serial[SERIAL_MAX];
		bool has_content; /* false: not by its signed part, of which this is
		                            * the SHA-256: */
		struct certid content;
	} document;
};

/* A serial number that is too long, or a part that cannot be found: not by it. */
MUST_USE enum err indexed_read(const struct store *s, struct view der,
    struct indexed_document *out);

/* The rows of before become those of after; NULL: there are none. */
void index_change(struct txn *t, const struct indexed *before, const struct indexed *after);

/* Those that came later than this schema. */
void index_add_later(struct txn *t, const struct indexed *of, uint64_t schema);

/* How many certificates there are of each status. */
struct counts {
	uint64_t certs[CERT_STATUS_COUNT];
};

void counts_put(struct txn *t, const struct counts *counts);
void counts_change(struct txn *t, const struct indexed *before, const struct indexed *after);

/* What is known of a deleted CA goes with the last certificate of it. */
void deleted_ca_tidy(struct txn *t, const struct certid *ca_id);

/* Fills what came later than this schema from what is there.  LMDB's code. */
MUST_USE int upgrade(struct store *s, MDB_txn *txn, uint64_t schema);

/* Makes lock.mdb with its blocks; errno. */
MUST_USE int reserve_lock_file(struct store *s);

/* A code of ours among LMDB's: data.mdb was cut short. */
#define CUT_SHORT (MDB_LAST_ERRCODE + 1000)

/* Are all pages in the file that LMDB would read?  0, CUT_SHORT or LMDB's code. */
MUST_USE int check_whole(MDB_env *env);

/* The keys of a table that begin with the same prefix, from where on. */
struct range {
	enum table table;
	struct view prefix;
	struct view after; /* the rest of a key, which need not exist; empty: from an end */
	bool ascending;
	size_t least, most; /* bytes of a key behind the prefix */
};

struct row {
	struct view key, rest, value; /* rest: the key behind the prefix; all in the map */
};

struct walk {
	MDB_cursor *cursor;
	const struct range *range;
	bool started;
	size_t len;
	uint8_t start[KEY_MAX + 8]; /* the walk is beyond this, not at it */
};

/* walk_end() also where walk_begin() failed. */
MUST_USE enum err walk_begin(struct walk *w, struct txn *t, const struct range *range);
MUST_USE enum err walk_next(struct walk *w, struct row *row); /* until ERR_NOT_FOUND */
void walk_end(struct walk *w);

/* What to make of a row: an entry of an array. */
struct taker {
	enum err (*take)(struct txn *t, const void *of, const struct row *row, void *out);
	const void *of;
	void *out;
	size_t size; /* of an entry */
};

MUST_USE enum err list_rows(struct txn *t, const struct range *range, const struct taker *taker,
    size_t max, size_t *count);

/* Pairs of a name and a certificate, each with a type below types. */
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
	struct view after; /* empty: from an end */
	bool ascending;
	void *out;
	size_t size, max; /* of an entry, and how many */
};

MUST_USE enum err pairs_of_id(struct txn *t, const struct pairs *p, const struct certid *id,
    const struct page *page, size_t *count);
MUST_USE enum err pairs_of_name(struct txn *t, const struct pairs *p, struct view name,
    const struct page *page, size_t *count);

#endif
