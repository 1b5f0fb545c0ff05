/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_schema.c - the tables of the database and their version.
 *
 * doc/storage.md documents the schema.
 */
#include "store_private.h"

#define SCHEMA_SIZE 4

static const struct {
	const char *name;
	unsigned since; /* schema that introduced it */
	unsigned flags;
} tables[TABLE_COUNT] = {
	[TABLE_META] = { "meta", 1, 0 },
	[TABLE_CA] = { "ca", 1, 0 },
	[TABLE_CA_DOCUMENT] = { "ca_document", 1, 0 },
	[TABLE_CA_BY_SUBJECT] = { "ca_by_subject", 1, MDB_DUPSORT | MDB_DUPFIXED },
	[TABLE_CA_BY_TIME] = { "ca_by_time", 1, 0 },
	[TABLE_CERT] = { "cert", 1, 0 },
	[TABLE_MESSAGE] = { "message", 1, 0 },
	[TABLE_POLICY] = { "policy", 2, 0 },
	[TABLE_POLICY_VERSION] = { "policy_version", 2, 0 },
	[TABLE_POLICY_BY_TIME] = { "policy_by_time", 2, 0 },
	[TABLE_POLICY_CERT] = { "policy_cert", 2, 0 },
	[TABLE_CERT_POLICY] = { "cert_policy", 2, 0 },
	[TABLE_THING] = { "thing", 2, 0 },
	[TABLE_THING_CERT] = { "thing_cert", 2, 0 },
	[TABLE_CERT_THING] = { "cert_thing", 2, 0 },
	[TABLE_CA_SETTINGS] = { "ca_settings", 3, 0 },
	[TABLE_CRL] = { "crl", 3, 0 },
	[TABLE_REVOKED] = { "revoked", 3, 0 },
	[TABLE_CERT_NOTE] = { "cert_note", 3, 0 },
	[TABLE_REFUSAL] = { "refusal", 3, 0 },
	[TABLE_SCHEDULE] = { "agenda", 3, 0 },
	[TABLE_TEMPLATE] = { "template", 3, 0 },
	[TABLE_DOCUMENT] = { "document", 5, 0 },
	[TABLE_CA_CERT] = { "ca_cert", 5, MDB_DUPSORT | MDB_DUPFIXED },
	[TABLE_STATUS_CERT] = { "status_cert", 5, MDB_DUPSORT | MDB_DUPFIXED },
	[TABLE_SERIAL_CERT] = { "serial_cert", 5, MDB_DUPSORT },
	[TABLE_CONTENT_CERT] = { "content_cert", 5, MDB_DUPSORT | MDB_DUPFIXED },
	[TABLE_EXPIRY] = { "expiry", 5, MDB_DUPSORT | MDB_DUPFIXED },
};

struct opened {
	uint64_t schema;
	bool pending; /* an upgrade is not complete */
};

static int
write_schema(struct store *s, MDB_txn *txn)
{
	uint8_t bytes[SCHEMA_SIZE];
	MDB_val key = val_of(view_of("schema"));
	MDB_val value = { sizeof(bytes), bytes };

	number_put(bytes, sizeof(bytes), STORE_SCHEMA);
	return s->writing->put(txn, s->tables[TABLE_META], &key, &value, 0);
}

static int
read_schema(struct store *s, MDB_txn *txn, uint64_t *schema)
{
	MDB_val key = val_of(view_of("schema")), value;
	int rc = mdb_get(txn, s->tables[TABLE_META], &key, &value);

	if (rc == 0 && value.mv_size != SCHEMA_SIZE)
		rc = MDB_CORRUPTED;
	if (rc == 0)
		*schema = number_get(value.mv_data, SCHEMA_SIZE);
	return rc;
}

/* Opens all tables; creates those introduced after this schema. */
static int
open_other_tables(struct store *s, MDB_txn *txn, uint64_t schema)
{
	int rc = 0;

	for (size_t i = TABLE_META + 1; rc == 0 && i < TABLE_COUNT; i++) {
		unsigned create = tables[i].since > schema ? MDB_CREATE : 0;

		rc = mdb_dbi_open(txn, tables[i].name, tables[i].flags | create, &s->tables[i]);
	}
	return rc;
}

/* Creates what is missing, and begins the upgrade of an older schema. */
static int
create_tables(struct store *s, MDB_txn *txn, uint64_t schema, bool *pending)
{
	struct txn t = { .store = s, .handle = txn, .writing = true };
	int rc = open_other_tables(s, txn, schema);

	*pending = schema > 0;
	if (rc == 0)
		rc = write_schema(s, txn);
	if (rc == 0 && schema > 0)
		rc = s->writing->upgrade_begin(&t, schema);
	return rc;
}

static int
upgrade_is_pending(struct txn *t, bool *out)
{
	struct view row;
	enum err e = store_optional(table_get(t, TABLE_META, view_of(UPGRADE_ROW), &row), out);

	return e == ERR_OK ? 0 : MDB_CORRUPTED;
}

/* The schema is read first: a newer schema may have other tables.  An older one, or
 * none, is upgraded. */
static int
open_tables_in(struct store *s, MDB_txn *txn, unsigned flags, unsigned create,
    struct opened *opened)
{
	struct txn t = { .store = s, .handle = txn };
	int rc = mdb_dbi_open(txn, tables[TABLE_META].name, create, &s->tables[TABLE_META]);
	uint64_t schema = 0;

	if (rc == 0 && create == 0)
		rc = read_schema(s, txn, &schema);
	opened->schema = schema;
	if (rc != 0 || schema > STORE_SCHEMA)
		return rc;
	if (schema == STORE_SCHEMA) {
		rc = open_other_tables(s, txn, STORE_SCHEMA);
		return rc == 0 ? upgrade_is_pending(&t, &opened->pending) : rc;
	}
	if ((flags & MDB_RDONLY) != 0 || (schema == 0 && create == 0))
		return 0;
	opened->schema = STORE_SCHEMA;
	return create_tables(s, txn, schema, &opened->pending);
}

/* The first part of an upgrade is in the transaction that begins it. */
static int
upgrade(struct store *s, MDB_txn *txn, struct opened *opened)
{
	struct txn t = { .store = s, .handle = txn, .writing = true };
	bool done = false;
	int rc = s->writing->upgrade_step(&t, &done);

	opened->pending = !done;
	return rc;
}

/* Only an empty database becomes ours: one with content belongs to another program, or
 * another process created it meanwhile. */
static int
may_create(MDB_txn *txn, unsigned *create)
{
	MDB_dbi names;
	MDB_stat stat;
	int rc = mdb_dbi_open(txn, NULL, 0, &names);

	if (rc == 0)
		rc = mdb_stat(txn, names, &stat);
	if (rc == 0)
		*create = stat.ms_entries == 0 ? MDB_CREATE : 0;
	return rc;
}

static int
try_tables(struct store *s, unsigned flags, struct opened *opened)
{
	unsigned create = 0;
	MDB_txn *txn;
	int rc = mdb_txn_begin(s->env, NULL, flags, &txn);

	*opened = (struct opened){ 0, false };
	if (rc != 0)
		return rc;
	if (flags == 0)
		rc = may_create(txn, &create);
	if (rc == 0)
		rc = open_tables_in(s, txn, flags, create, opened);
	if (rc == 0 && flags == 0 && opened->pending)
		rc = upgrade(s, txn, opened);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static bool
is_current(const struct opened *opened)
{
	return opened->schema >= STORE_SCHEMA && !opened->pending;
}

int
schema_open(struct store *s, uint64_t *schema)
{
	struct opened opened;
	int rc = try_tables(s, MDB_RDONLY, &opened);

	*schema = opened.schema;
	if (s->writing == NULL)
		return rc == 0 && opened.pending ? NOT_UPGRADED : rc;
	if (rc == MDB_NOTFOUND || (rc == 0 && !is_current(&opened))) {
		do
			rc = try_tables(s, 0, &opened);
		while (rc == 0 && opened.schema == STORE_SCHEMA && opened.pending);
		if (rc == 0)
			rc = s->writing->sync_directory(s);
	}
	*schema = opened.schema;
	return rc == 0 && opened.schema < STORE_SCHEMA ? MDB_CORRUPTED : rc;
}
