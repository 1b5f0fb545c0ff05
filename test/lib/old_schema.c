/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/* old_schema.c - see old_schema.h. */
#include <check.h>
#include <string.h>

#include "jitr/adapter/x509.h"
#include "jitr/core/der.h"
#include "old_schema.h"
#include "stores.h"

#define SEVERAL (MDB_DUPSORT | MDB_DUPFIXED)

static const struct {
	const char *name;
	unsigned since, until; /* schemas; 0: until now */
	unsigned flags;
} old_tables[] = {
	{ "cert_document", 1, 4, 0 },
	{ "cert_by_time", 1, 4, 0 },
	{ "cert_by_ca", 1, 4, 0 },
	{ "policy", 2, 0, 0 },
	{ "policy_version", 2, 0, 0 },
	{ "policy_by_time", 2, 0, 0 },
	{ "policy_cert", 2, 0, 0 },
	{ "cert_policy", 2, 0, 0 },
	{ "thing", 2, 0, 0 },
	{ "thing_cert", 2, 0, 0 },
	{ "cert_thing", 2, 0, 0 },
	{ "ca_settings", 3, 0, 0 },
	{ "crl", 3, 0, 0 },
	{ "revoked", 3, 0, 0 },
	{ "cert_by_serial", 3, 4, SEVERAL },
	{ "cert_by_status", 3, 4, 0 },
	{ "cert_note", 3, 0, 0 },
	{ "refusal", 3, 0, 0 },
	{ "agenda", 3, 0, 0 },
	{ "template", 3, 0, 0 },
	{ "cert_by_content", 4, 4, SEVERAL },
	{ "document", 5, 0, 0 },
	{ "ca_cert", 5, 0, SEVERAL },
	{ "status_cert", 5, 0, SEVERAL },
	{ "serial_cert", 5, 0, MDB_DUPSORT },
	{ "content_cert", 5, 0, SEVERAL },
	{ "expiry", 5, 0, SEVERAL },
};

#define COUNTS_SINCE 3 /* they are in "meta" */

static bool
has_table(size_t i, unsigned schema)
{
	return old_tables[i].since <= schema &&
	    (old_tables[i].until == 0 || old_tables[i].until >= schema);
}

/* Bytes of a key or value, one field after the other. */
struct bytes {
	size_t len;
	uint8_t at[1024];
};

static void
add(struct bytes *b, const void *bytes, size_t len)
{
	ck_assert_uint_le(b->len + len, sizeof(b->at));
	memcpy(b->at + b->len, bytes, len);
	b->len += len;
}

static void
add_number(struct bytes *b, uint64_t value, size_t size)
{
	for (size_t i = size; i-- > 0;) {
		uint8_t byte = (uint8_t)(value >> (8 * i));

		add(b, &byte, 1);
	}
}

static void
put(MDB_txn *txn, const char *table, const struct bytes *key, const struct bytes *value)
{
	MDB_val k = raw(key->at, key->len), v = raw(value->at, value->len);
	MDB_dbi dbi;

	ck_assert_int_eq(mdb_dbi_open(txn, table, 0, &dbi), 0);
	ck_assert_int_eq(mdb_put(txn, dbi, &k, &v, 0), 0);
}

static void
put_record(MDB_txn *txn, const struct cert *c, const struct bytes *id)
{
	struct bytes row = { 0, { 0 } };

	add_number(&row, 1, 1);
	add_number(&row, c->status, 1);
	add_number(&row, c->mode, 1);
	add_number(&row, (uint64_t)c->not_before, 8);
	add_number(&row, (uint64_t)c->not_after, 8);
	add_number(&row, (uint64_t)c->created, 8);
	add_number(&row, (uint64_t)c->modified, 8);
	add_number(&row, (uint64_t)c->announced, 8);
	add_number(&row, c->version, 4);
	add(&row, c->generation.b, sizeof(c->generation.b));
	add_number(&row, c->has_ca, 1);
	if (c->has_ca)
		add(&row, c->ca_id.b, sizeof(c->ca_id.b));
	put(txn, "cert", id, &row);
}

static void
put_document(MDB_txn *txn, struct view der, const struct bytes *id)
{
	struct bytes row = { 0, { 0 } };

	add_number(&row, 1, 1);
	add_number(&row, der.len, 4);
	add(&row, der.data, der.len);
	add_number(&row, 0, 4);
	put(txn, "cert_document", id, &row);
}

static void
put_by_serial(MDB_txn *txn, const struct cert *c, struct view der, const struct bytes *id)
{
	struct view serial = der_certificate_serial(der);
	struct bytes key = { 0, { 0 } };

	if (!c->has_ca || serial.len == 0)
		return;
	add(&key, c->ca_id.b, sizeof(c->ca_id.b));
	add(&key, serial.data, serial.len);
	put(txn, "cert_by_serial", &key, id);
}

static void
put_by_content(MDB_txn *txn, struct view der, const struct bytes *id)
{
	struct view part = der_certificate_signed_part(der);
	struct bytes key = { 0, { 0 } };
	struct certid content;

	if (part.len == 0)
		return;
	ck_assert_int_eq(sha256_of(part, &content), ERR_OK);
	add(&key, content.b, sizeof(content.b));
	put(txn, "cert_by_content", &key, id);
}

static void
put_cert(MDB_txn *txn, unsigned schema, const struct old_cert *o)
{
	const struct cert *c = &o->cert;
	struct bytes id = { 0, { 0 } }, none = id, time = id, ca = id, status = id, expiry = id;

	add(&id, c->id.b, sizeof(c->id.b));
	add_number(&time, (uint64_t)c->created, 8);
	add(&time, id.at, id.len);
	add(&ca, c->ca_id.b, sizeof(c->ca_id.b));
	add(&ca, time.at, time.len);
	add_number(&status, c->status, 1);
	add(&status, time.at, time.len);
	add_number(&expiry, 0, 1);
	add_number(&expiry, (uint64_t)c->not_after ^ (uint64_t)1 << 63, 8);
	add(&expiry, id.at, id.len);
	put_record(txn, c, &id);
	put_document(txn, o->der, &id);
	put(txn, "cert_by_time", &time, &none);
	if (c->has_ca)
		put(txn, "cert_by_ca", &ca, &none);
	if (schema >= 3) {
		put_by_serial(txn, c, o->der, &id);
		put(txn, "cert_by_status", &status, &none);
		if (!o->announced)
			put(txn, "agenda", &expiry, &none);
	}
	if (schema >= 4)
		put_by_content(txn, o->der, &id);
}

static void
make_tables(MDB_txn *txn, unsigned schema)
{
	MDB_dbi table;

	for (size_t i = 0; i < COUNT_OF(old_tables); i++) {
		int rc = mdb_dbi_open(txn, old_tables[i].name, 0, &table);

		if (rc == 0 && !has_table(i, schema))
			ck_assert_int_eq(mdb_drop(txn, table, 1), 0);
		if (rc != 0 && has_table(i, schema))
			ck_assert_int_eq(mdb_dbi_open(txn, old_tables[i].name,
					     MDB_CREATE | old_tables[i].flags, &table),
			    0);
	}
}

void
old_schema_make(const char *dir, unsigned schema, uint32_t count,
    struct old_cert (*cert)(uint32_t n))
{
	struct bytes name = { 0, { 0 } }, number = name, counts_name = name, counts = name;
	uint64_t statuses[CERT_STATUS_COUNT] = { 0 };
	MDB_env *env;
	MDB_txn *txn;

	store_close(open_store(dir));
	txn = raw_begin(dir, &env);
	make_tables(txn, schema);
	for (uint32_t n = 0; n < count; n++) {
		struct old_cert o = cert(n);

		put_cert(txn, schema, &o);
		statuses[o.cert.status]++;
	}
	add(&name, "schema", 6);
	add_number(&number, schema, 4);
	put(txn, "meta", &name, &number);
	add(&counts_name, "counts", 6);
	for (size_t i = 0; i < CERT_STATUS_COUNT; i++)
		add_number(&counts, statuses[i], 8);
	if (schema >= COUNTS_SINCE)
		put(txn, "meta", &counts_name, &counts);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

unsigned
old_number_of(const char *dir)
{
	MDB_val key = raw("schema", 6), value;
	MDB_env *env;
	MDB_txn *txn = raw_begin(dir, &env);
	MDB_dbi table;
	unsigned schema;

	ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &table), 0);
	ck_assert_int_eq(mdb_get(txn, table, &key, &value), 0);
	schema = ((uint8_t *)value.mv_data)[3];
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return schema;
}

unsigned
old_schema_of(const char *dir)
{
	MDB_val key = raw("schema", 6), counts = raw("counts", 6), value;
	MDB_env *env;
	MDB_txn *txn = raw_begin(dir, &env);
	MDB_dbi table;
	unsigned schema;

	ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &table), 0);
	ck_assert_int_eq(mdb_get(txn, table, &key, &value), 0);
	schema = ((uint8_t *)value.mv_data)[3];
	ck_assert_int_eq(mdb_get(txn, table, &counts, &value) == 0, schema >= COUNTS_SINCE);
	for (size_t i = 0; i < COUNT_OF(old_tables); i++)
		ck_assert_int_eq(mdb_dbi_open(txn, old_tables[i].name, 0, &table) == 0,
		    has_table(i, schema));
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return schema;
}
