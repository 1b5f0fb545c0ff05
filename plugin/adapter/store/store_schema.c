/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * store_schema.c - the tables of the database and their version.
 *
 * doc/storage.md documents the schema.
 */
#include <errno.h>
#include <unistd.h>

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
	[TABLE_CERT_DOCUMENT] = { "cert_document", 1, 0 },
	[TABLE_CERT_BY_TIME] = { "cert_by_time", 1, 0 },
	[TABLE_CERT_BY_CA] = { "cert_by_ca", 1, 0 },
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
	[TABLE_CERT_BY_SERIAL] = { "cert_by_serial", 3, MDB_DUPSORT | MDB_DUPFIXED },
	[TABLE_CERT_BY_STATUS] = { "cert_by_status", 3, 0 },
	[TABLE_CERT_NOTE] = { "cert_note", 3, 0 },
	[TABLE_REFUSAL] = { "refusal", 3, 0 },
	[TABLE_SCHEDULE] = { "agenda", 3, 0 },
	[TABLE_TEMPLATE] = { "template", 3, 0 },
	[TABLE_CERT_BY_CONTENT] = { "cert_by_content", 4, MDB_DUPSORT | MDB_DUPFIXED },
};

static int
write_schema(struct store *s, MDB_txn *txn)
{
	uint8_t bytes[SCHEMA_SIZE];
	MDB_val key = val_of(view_of("schema"));
	MDB_val value = { sizeof(bytes), bytes };

	number_put(bytes, sizeof(bytes), STORE_SCHEMA);
	return mdb_put(txn, s->tables[TABLE_META], &key, &value, 0);
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

/* The schema is read first: a newer schema may have other tables.  An older one, or
 * none, is upgraded. */
static int
open_tables_in(struct store *s, MDB_txn *txn, unsigned flags, unsigned create, uint64_t *schema)
{
	int rc = mdb_dbi_open(txn, tables[TABLE_META].name, create, &s->tables[TABLE_META]);

	*schema = 0;
	if (rc == 0 && create == 0)
		rc = read_schema(s, txn, schema);
	if (rc != 0 || *schema > STORE_SCHEMA)
		return rc;
	if (*schema == STORE_SCHEMA)
		return open_other_tables(s, txn, STORE_SCHEMA);
	if ((flags & MDB_RDONLY) != 0 || (*schema == 0 && create == 0))
		return 0;
	rc = open_other_tables(s, txn, *schema);
	if (rc == 0 && *schema > 0)
		rc = schema_upgrade(s, txn, *schema);
	if (rc == 0)
		rc = write_schema(s, txn);
	*schema = STORE_SCHEMA;
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
try_tables(struct store *s, unsigned flags, uint64_t *schema)
{
	unsigned create = 0;
	MDB_txn *txn;
	int rc = mdb_txn_begin(s->env, NULL, flags, &txn);

	if (rc != 0)
		return rc;
	if (flags == 0)
		rc = may_create(txn, &create);
	if (rc == 0)
		rc = open_tables_in(s, txn, flags, create, schema);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

int
schema_open(struct store *s, uint64_t *schema)
{
	int rc;

	*schema = 0;
	rc = try_tables(s, MDB_RDONLY, schema);
	if (s->config.read_only)
		return rc;
	if (rc == MDB_NOTFOUND || (rc == 0 && *schema < STORE_SCHEMA)) {
		rc = try_tables(s, 0, schema);
		if (rc == 0 && fsync(s->directory) != 0)
			rc = errno;
	}
	return rc == 0 && *schema < STORE_SCHEMA ? MDB_CORRUPTED : rc;
}
