/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * fuzz_rows.c - a registry whose rows were changed by a damaged disk or another program.
 *
 * An input is a sequence of changes, each the number of a table, what is changed, the number of
 * a row, a length and as many bytes.  After them every record and every list is read, and some
 * are changed: the answer is a record, "not found" or an error, and every list ends.  Outbox
 * rows are read as the publisher does.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

#include "jitr/adapter/store.h"
#include "jitr/adapter/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAP_SIZE  (4u << 20)
#define ROWS_MAX  64 /* more than any table has */
#define PAGE_SIZE 4

#define CODE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define TABLES_MAX 64
#define NAME_SIZE  32

static char dir[64];
static uint8_t *template_file;
static size_t template_len;

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static bool
is_answer(enum err e)
{
	return e == ERR_OK || e == ERR_NOT_FOUND || e == ERR_CORRUPT || e == ERR_STORAGE;
}

static struct certid
id_of(uint8_t n)
{
	struct certid id = { { 0 } };

	id.b[0] = n;
	return id;
}

static const char *
file_name(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/*
 * A registry with some rows in every table, made once.
 */

static struct store *
open_store(void)
{
	struct store_config config = { .path = dir, .map_size = MAP_SIZE, .sha256 = sha256_of };
	struct diag diag = { "" };
	struct store *s = NULL;
	enum err e = store_open(&config, &s, &diag);

	require((e == ERR_OK) == (s != NULL) && (e == ERR_OK) == (diag.text[0] == '\0'));
	return s;
}

static void
put_ca(struct txn *t, uint8_t n)
{
	struct ca_document document = { .der = view_of("der"), .pem = view_of("pem") };
	struct ca_settings settings = { .crl_check = CRL_IF_PRESENT,
		.template_name = view_of("template") };
	struct crl crl = { .list = 1, .count = 1, .scope = CRL_SCOPE_ALL };
	struct revoked entry = { .date = 1 };
	struct ca ca = { .id = id_of(n), .status = CA_ACTIVE, .version = 1, .subject_hash = 7 };

	store_put_ca(t, &ca, &document);
	store_put_ca_settings(t, &ca.id, &settings);
	store_put_crl(t, &ca.id, &crl);
	if (n == 1)
		store_append_revoked(t, 1, view_of("\x05"), &entry);
}

/* The head of a certificate with a serial number; the rest is not read. */
static struct view
der_of(uint8_t n)
{
	static uint8_t der[] = { 0x30, 0x0a, 0x30, 0x08, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01,
		0 };

	der[sizeof(der) - 1] = n;
	return (struct view){ der, sizeof(der) };
}

static void
put_cert(struct txn *t, uint8_t n)
{
	struct cert cert = { .id = id_of(n),
		.has_ca = true,
		.ca_id = id_of(1),
		.status = n % 2 == 0 ? CERT_ACTIVE : CERT_PENDING_ACTIVATION,
		.not_after = 1000,
		.created = n,
		.version = 1 };
	struct cert_document document = { .der = der_of(n) };
	struct cert_note note = { .time = 1, .text = view_of("note") };
	struct refusal refusal = { .time = 1,
		.code = view_of("code"),
		.details = view_of("words"),
		.client_id = view_of("id"),
		.address = view_of("::1") };
	struct schedule_entry entry = { SCHEDULE_SUPERSEDE, 5, cert.id, id_of(9) };

	store_put_cert(t, &cert, &document);
	store_put_cert_note(t, &cert.id, &note);
	store_put_refusal(t, &cert.id, &refusal);
	store_put_schedule(t, &entry);
}

static void
put_named(struct txn *t)
{
	struct policy_record policy = { .name = view_of("p"),
		.default_version = 1,
		.last_version = 1 };
	struct policy_version version = { .number = 1, .document = view_of("{}") };
	struct thing thing = { .name = view_of("t"), .version = 1 };
	struct thing_principal principal = { id_of(3), view_of("t"), PRINCIPAL_EXCLUSIVE };
	struct provisioning_template made = { .name = view_of("template"), .body = view_of("{}") };

	store_put_policy(t, &policy);
	store_put_policy_version(t, policy.name, &version);
	store_attach(t, policy.name, &principal.id);
	store_put_thing(t, &thing);
	store_put_thing_principal(t, &principal);
	store_put_template(t, &made);
}

static void
make_registry(void)
{
	uint64_t list;
	struct store *s = open_store();
	struct txn t;

	require(s != NULL && store_write(s, &t) == ERR_OK);
	require(store_new_list(&t, &list) == ERR_OK && list == 1);
	put_ca(&t, 1);
	put_ca(&t, 2);
	for (uint8_t n = 3; n < 7; n++)
		put_cert(&t, n);
	put_named(&t);
	store_put_registration_code(&t, CODE);
	store_post(&t, view_of("topic"), view_of("payload"));
	store_post(&t, view_of("topic"), view_of("second"));
	require(store_commit(&t) == ERR_OK);
	store_close(s);
}

static void
make_dir(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	(void)snprintf(dir, sizeof(dir), "%s/jitr-fuzz-XXXXXX", base);
	require(mkdtemp(dir) != NULL);
}

static void
prepare(void)
{
	FILE *f;

	make_dir();
	make_registry();
	f = fopen(file_name("data.mdb"), "rb");
	require(f != NULL && fseek(f, 0, SEEK_END) == 0);
	template_len = (size_t)ftell(f);
	template_file = malloc(template_len);
	require(template_file != NULL && fseek(f, 0, SEEK_SET) == 0);
	require(fread(template_file, 1, template_len, f) == template_len && fclose(f) == 0);
	require(remove_tree(dir));
}

/*
 * Changes of rows.
 */

struct change {
	uint8_t table, how, row;
	struct view bytes;
};

static bool
take_change(struct view *rest, struct change *out)
{
	if (rest->len < 4)
		return false;
	*out = (struct change){ rest->data[0], rest->data[1] % 5, rest->data[2],
		{ rest->data + 4, rest->data[3] } };
	*rest = view_from(*rest, 4);
	if (out->bytes.len > rest->len)
		out->bytes.len = rest->len;
	*rest = view_from(*rest, out->bytes.len);
	return true;
}

static bool
find_row(MDB_cursor *cursor, uint8_t row, MDB_val *key, MDB_val *value)
{
	int rc = mdb_cursor_get(cursor, key, value, MDB_FIRST);

	for (row %= ROWS_MAX; rc == 0 && row > 0; row--)
		rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
	return rc == 0;
}

/* A new row: key and value are the two halves.  If the values of the table have one size, LMDB
 * takes as many bytes whatever the size that it is told. */
static void
insert_row(MDB_txn *txn, MDB_dbi table, struct view bytes)
{
	uint8_t copy[256 + 511] = { 0 };
	MDB_val key = { bytes.len / 2, copy };
	MDB_val value = { bytes.len - bytes.len / 2, copy + bytes.len / 2 };

	memcpy(copy, bytes.data, bytes.len);
	if (key.mv_size > 0)
		(void)mdb_put(txn, table, &key, &value, 0);
}

/* The value of the row after the change. */
static size_t
changed_value(const struct change *c, const MDB_val *value, uint8_t *out)
{
	size_t len = value->mv_size;

	memcpy(out, value->mv_data, len);
	if (c->how == 1 && len > 0 && c->bytes.len > 1)
		out[c->bytes.data[0] % len] ^= c->bytes.data[1];
	else if (c->how == 2)
		len = c->bytes.len > 0 ? c->bytes.data[0] % (len + 1) : 0;
	else if (c->how == 0) {
		memcpy(out, c->bytes.data, c->bytes.len);
		len = c->bytes.len;
	}
	return len;
}

static void
change_row(MDB_txn *txn, MDB_dbi table, const struct change *c)
{
	uint8_t name[512], bytes[4096] = { 0 };
	MDB_cursor *cursor;
	MDB_val key, value;

	require(mdb_cursor_open(txn, table, &cursor) == 0);
	if (find_row(cursor, c->row, &key, &value) && key.mv_size <= sizeof(name) &&
	    value.mv_size <= sizeof(bytes) - 256) {
		size_t len = changed_value(c, &value, bytes);

		memcpy(name, key.mv_data, key.mv_size);
		key.mv_data = name;
		(void)mdb_cursor_del(cursor, 0);
		value = (MDB_val){ len, bytes };
		if (c->how != 3)
			(void)mdb_put(txn, table, &key, &value, 0);
	}
	mdb_cursor_close(cursor);
}

/* The names of LMDB's own table of tables. */
static size_t
list_tables(MDB_txn *txn, char names[TABLES_MAX][NAME_SIZE])
{
	MDB_cursor *cursor;
	MDB_dbi all;
	MDB_val key, value;
	size_t count = 0;

	require(mdb_dbi_open(txn, NULL, 0, &all) == 0);
	require(mdb_cursor_open(txn, all, &cursor) == 0);
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0 && count < TABLES_MAX)
		(void)snprintf(names[count++], NAME_SIZE, "%.*s", (int)key.mv_size,
		    (const char *)key.mv_data);
	mdb_cursor_close(cursor);
	require(count > 0);
	return count;
}

static void
apply_changes(struct view rest)
{
	char tables[TABLES_MAX][NAME_SIZE];
	struct change c;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi table;
	size_t count;

	require(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, TABLES_MAX) == 0);
	require(mdb_env_set_mapsize(env, MAP_SIZE) == 0);
	require(mdb_env_open(env, dir, MDB_NOSYNC, 0600) == 0);
	require(mdb_txn_begin(env, NULL, 0, &txn) == 0);
	count = list_tables(txn, tables);
	while (take_change(&rest, &c)) {
		require(mdb_dbi_open(txn, tables[c.table % count], 0, &table) == 0);
		if (c.how == 4)
			insert_row(txn, table, c.bytes);
		else
			change_row(txn, table, &c);
	}
	require(mdb_txn_commit(txn) == 0);
	mdb_env_close(env);
}

/*
 * Reading.
 */

static void
read_cert(struct txn *t, const struct certid *id)
{
	struct cert_document document;
	struct cert_note note;
	struct refusal refusal;
	struct certid content, ids[PAGE_SIZE];
	struct view serial;
	struct cert cert;
	size_t count;
	enum err e = store_get_cert(t, id, &cert);

	require(is_answer(e));
	if (e == ERR_OK)
		require(certid_equal(&cert.id, id) && cert.status < CERT_STATUS_COUNT);
	require(is_answer(store_get_cert_document(t, id, &document)));
	require(is_answer(store_get_cert_note(t, id, &note)));
	require(is_answer(store_get_refusal(t, id, &refusal)));
	require(is_answer(store_get_cert_serial(t, id, &serial)));
	if (store_get_cert_content(t, id, &content) == ERR_OK)
		require(is_answer(store_find_by_content(t, &content, ids, PAGE_SIZE, &count)));
}

static void
read_ca(struct txn *t, const struct certid *id)
{
	struct ca_document document;
	struct ca_settings settings;
	struct revoked entry;
	struct crl crl;
	struct ca ca;
	bool used;

	require(is_answer(store_get_ca(t, id, &ca)));
	require(is_answer(store_get_deleted_ca(t, id, &ca)));
	require(is_answer(store_get_ca_document(t, id, &document)));
	require(is_answer(store_get_ca_settings(t, id, &settings)));
	require(is_answer(store_has_cert_of(t, id, &used)));
	if (store_get_crl(t, id, &crl) == ERR_OK)
		require(is_answer(store_get_revoked(t, crl.list, view_of("\x05"), &entry)));
	for (size_t n = 0; n < ROWS_MAX && store_find_issuer(t, 7, n, &ca) == ERR_OK; n++)
		require(ca.subject_hash == 7);
}

/* Page by page in both directions; a list that repeats itself would not end. */
static void
list_certs(struct txn *t, const struct certid *ca, const enum cert_status *status, bool ascending)
{
	struct listing l = { .ca = ca, .status = status, .ascending = ascending };
	struct position last;
	struct cert certs[PAGE_SIZE];
	size_t count = 1, all = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && count > 0) {
		e = store_list_certs(t, &l, certs, PAGE_SIZE, &count);
		require(is_answer(e) && count <= PAGE_SIZE && (all += count) < 1000);
		if (count > 0)
			last = (struct position){ certs[count - 1].created, certs[count - 1].id };
		l.after = &last;
	}
}

static void
list_cas(struct txn *t)
{
	struct listing l = { .ascending = true };
	struct ca_setting_entry settings[PAGE_SIZE];
	struct crl_entry crls[PAGE_SIZE];
	struct ca cas[PAGE_SIZE];
	size_t count;

	require(is_answer(store_list_cas(t, &l, cas, PAGE_SIZE, &count)));
	require(is_answer(store_list_ca_settings(t, NULL, settings, PAGE_SIZE, &count)));
	require(is_answer(store_list_crls(t, NULL, crls, PAGE_SIZE, &count)));
}

static void
read_policies(struct txn *t)
{
	struct policy_version versions[PAGE_SIZE];
	struct policy_record policies[PAGE_SIZE];
	struct view names[PAGE_SIZE], p = view_of("p");
	struct certid ids[PAGE_SIZE], id = id_of(3);
	size_t count;
	bool attached;

	require(is_answer(store_get_policy(t, p, policies)));
	require(is_answer(store_get_policy_version(t, p, 1, versions)));
	require(is_answer(store_list_policy_versions(t, p, versions, PAGE_SIZE, &count)));
	require(is_answer(store_list_policies(t, NULL, true, policies, PAGE_SIZE, &count)));
	require(is_answer(store_is_attached(t, p, &id, &attached)));
	require(is_answer(store_list_attached(t, &id, NULL, true, names, PAGE_SIZE, &count)));
	require(is_answer(store_list_targets(t, p, NULL, false, ids, PAGE_SIZE, &count)));
}

static void
read_things(struct txn *t)
{
	struct provisioning_template templates[PAGE_SIZE];
	struct thing_principal principals[PAGE_SIZE];
	struct thing things[PAGE_SIZE];
	struct certid id = id_of(3);
	enum principal_type type;
	size_t count;

	require(is_answer(store_get_thing(t, view_of("t"), things)));
	require(is_answer(store_list_things(t, NULL, things, PAGE_SIZE, &count)));
	require(is_answer(store_get_thing_principal(t, view_of("t"), &id, &type)));
	require(is_answer(
	    store_list_thing_principals(t, view_of("t"), NULL, principals, PAGE_SIZE, &count)));
	require(
	    is_answer(store_list_principal_things(t, &id, NULL, principals, PAGE_SIZE, &count)));
	require(is_answer(store_get_template(t, view_of("template"), templates)));
	require(is_answer(store_list_templates(t, NULL, templates, PAGE_SIZE, &count)));
}

static void
read_others(struct txn *t)
{
	char code[REGISTRATION_CODE_SIZE];
	struct schedule_entry entry;
	struct message m = { .seq = 0 };
	struct store_counts counts;
	size_t messages = 0;
	uint64_t list;

	require(is_answer(store_get_registration_code(t, code)));
	require(is_answer(store_next_schedule(t, SCHEDULE_EXPIRY, &entry)));
	require(is_answer(store_next_schedule(t, SCHEDULE_SUPERSEDE, &entry)));
	require(is_answer(store_next_list(t, 0, &list)));
	require(is_answer(store_count(t, &counts)));
	for (uint64_t last = 0; store_next_message(t, last, &m) == ERR_OK; last = m.seq)
		require(m.seq > last && ++messages < 1000);
}

static void
walk_revoked(struct txn *t)
{
	struct revoked_walk walk = { .serial_len = 0 };
	struct certid ca = id_of(1), id;
	struct revoked entry;
	size_t steps = 1000;

	while (store_next_revoked_cert(t, &ca, 1, &walk, &steps, &id, &entry) == ERR_OK)
		require(steps > 0);
}

static void
read_all(struct txn *t)
{
	static const enum cert_status active = CERT_ACTIVE;
	struct certid ca = id_of(1);

	for (uint8_t n = 0; n < 10; n++) {
		struct certid id = id_of(n);

		read_cert(t, &id);
		read_ca(t, &id);
	}
	list_certs(t, NULL, NULL, true);
	list_certs(t, NULL, NULL, false);
	list_certs(t, &ca, NULL, true);
	list_certs(t, NULL, &active, true);
	list_cas(t);
	read_policies(t);
	read_things(t);
	read_others(t);
	walk_revoked(t);
}

/* Changes of damaged records fail, or are made. */
static void
change_all(struct store *s)
{
	struct schedule_entry entry = { SCHEDULE_SUPERSEDE, 5, id_of(3), id_of(9) };
	struct certid cert = id_of(3), ca = id_of(1);
	struct txn t;
	bool left;

	for (int step = 0; step < 7; step++) {
		if (store_write(s, &t) != ERR_OK)
			return;
		if (step == 0)
			put_cert(&t, 3);
		else if (step == 1)
			store_delete_cert(&t, &cert);
		else if (step == 2)
			store_delete_ca(&t, &ca);
		else if (step == 3)
			put_named(&t);
		else if (step == 4)
			store_delete_schedule(&t, &entry);
		else if (step == 5)
			store_drop_messages(&t, 1);
		else
			(void)!store_drop_revoked(&t, 1, PAGE_SIZE, &left);
		require(is_answer(store_commit(&t)));
	}
}

static void
run(struct view in)
{
	struct store *s;
	struct txn t;

	apply_changes(in);
	s = open_store();
	if (s == NULL)
		return;
	require(store_read(s, &t) == ERR_OK);
	read_all(&t);
	store_end(&t);
	change_all(s);
	store_close(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *f;

	if (template_file == NULL)
		prepare();
	make_dir();
	f = fopen(file_name("data.mdb"), "wb");
	require(f != NULL && fwrite(template_file, 1, template_len, f) == template_len);
	require(fclose(f) == 0);
	run((struct view){ data, size });
	require(remove_tree(dir));
	return 0;
}
