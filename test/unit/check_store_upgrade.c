/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_upgrade.c - an older schema is upgraded when it is opened.
 *
 * The older schema is made by LMDB's own functions: the tables that came later are dropped.
 */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "census.h"
#include "child.h"
#include "records.h"
#include "stores.h"

#include "jitr/adapter/expression.h"
#include "jitr/adapter/x509.h"

static const struct {
	const char *name;
	unsigned since;
} later_tables[] = {
	{ "policy", 2 },
	{ "policy_version", 2 },
	{ "policy_by_time", 2 },
	{ "policy_cert", 2 },
	{ "cert_policy", 2 },
	{ "thing", 2 },
	{ "thing_cert", 2 },
	{ "cert_thing", 2 },
	{ "ca_settings", 3 },
	{ "crl", 3 },
	{ "revoked", 3 },
	{ "cert_by_serial", 3 },
	{ "cert_by_status", 3 },
	{ "cert_note", 3 },
	{ "refusal", 3 },
	{ "agenda", 3 },
	{ "template", 3 },
	{ "cert_by_content", 4 },
};

#define COUNTS_SINCE 3 /* they are in "meta" */

/* An older schema with certificates of every status. */
static void
make_schema_with(const char *dir, unsigned schema, uint32_t certs)
{
	const uint8_t number[] = { 0, 0, 0, (uint8_t)schema };
	MDB_val key = raw("schema", 6), counts = raw("counts", 6), value = raw(number, 4);
	struct store *s = open_store(dir);
	struct txn t = writing(s);
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi table;

	for (uint32_t n = 0; n < certs; n++) {
		struct cert cert = cert_number(n);
		struct cert_document document = { .der = der_number(n, 900) };

		cert.status = (enum cert_status)(n % CERT_STATUS_COUNT);
		cert.not_after = CREATED - (int64_t)n % 7 * CREATED;
		store_put_cert(&t, &cert, &document);
	}
	commit(&t);
	store_close(s);
	txn = raw_begin(dir, &env);
	for (size_t i = 0; i < COUNT_OF(later_tables); i++)
		if (later_tables[i].since > schema) {
			ck_assert_int_eq(mdb_dbi_open(txn, later_tables[i].name, 0, &table), 0);
			ck_assert_int_eq(mdb_drop(txn, table, 1), 0);
		}
	ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &table), 0);
	ck_assert_int_eq(mdb_put(txn, table, &key, &value, 0), 0);
	if (schema < COUNTS_SINCE)
		ck_assert_int_eq(mdb_del(txn, table, &counts, NULL), 0);
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void
make_schema(const char *dir, unsigned schema)
{
	make_schema_with(dir, schema, 20);
}

/* Reads the schema's number, and checks that it has the tables of that schema only. */
static unsigned
schema_of(const char *dir)
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
	for (size_t i = 0; i < COUNT_OF(later_tables); i++)
		ck_assert_int_eq(mdb_dbi_open(txn, later_tables[i].name, 0, &table) == 0,
		    later_tables[i].since <= schema);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return schema;
}

/* The records of make_schema() are there, and the tables of later schemas can be used. */
static void
assert_upgraded(const char *dir)
{
	struct policy_record p = { .name = view_of("p"), .default_version = 1, .last_version = 1 };
	struct store *s = open_store(dir);
	struct txn t = writing(s);

	ck_assert_uint_eq(count_certs(&t, 30), 20);
	store_put_policy(&t, &p);
	put_every_serial(&t, 30);
	commit(&t);
	assert_consistent(s, 30);
	assert_all_on_the_schedule(s, 30);
	store_close(s);
	store_close(open_store(dir));
	ck_assert_uint_eq(schema_of(dir), STORE_SCHEMA);
}

START_TEST(an_older_schema_is_upgraded_when_it_is_opened)
{
	const char *dir = new_dir();

	make_schema(dir, (unsigned)_i);
	ck_assert_uint_eq(schema_of(dir), (unsigned)_i);
	assert_upgraded(dir);
}
END_TEST

START_TEST(schema_number_0_is_reported_as_damage)
{
	const char *dir = new_dir();

	store_close(open_store(dir));
	patch_database(dir, (struct view){ (const uint8_t *)"schema\0\0\0\5", 10 },
	    (struct view){ (const uint8_t *)"schema\0\0\0\0", 10 });
	assert_refused(dir, false, "damaged");
}
END_TEST

START_TEST(an_older_schema_without_one_of_its_tables_is_reported_as_damage)
{
	const char *dir = new_dir();

	make_schema(dir, (unsigned)_i);
	patch_database(dir, view_of("message"), view_of("massage"));
	assert_refused(dir, false, "damaged");
	ck_assert_uint_eq(schema_of(dir), (unsigned)_i);
}
END_TEST

START_TEST(an_upgrade_on_a_full_disk_leaves_the_older_schema)
{
	static const rlim_t limits[] = { 0, 4096, 8192 };
	const char *dir = new_dir();

	make_schema(dir, 1 + (unsigned)_i % 3);
	assert_refused_with_room(dir, limits[_i / 3]);
	ck_assert_uint_eq(schema_of(dir), 1 + (unsigned)_i % 3);
	assert_upgraded(dir);
}
END_TEST

START_TEST(an_upgrade_is_completed_after_a_kill)
{
	uint64_t state = 1181783497276652981u;

	for (int round = 0; round < 25; round++) {
		const char *dir = new_dir();
		struct child c;

		make_schema(dir, 1 + (unsigned)round % 3);
		c = child_start("create", dir, NULL);
		child_wait(&c);
		spin(random_number(&state) % 12000);
		(void)kill(c.pid, SIGKILL);
		(void)child_end(&c);
		ck_assert_uint_le(schema_of(dir), STORE_SCHEMA);
		assert_upgraded(dir);
	}
}
END_TEST

/* The text says which option to raise, and the registry is not changed. */
START_TEST(an_upgrade_that_does_not_fit_into_the_map_names_the_option)
{
	const char *dir = new_dir();
	struct diag diag;
	struct store *s;
	struct stat st;

	make_schema_with(dir, 2, 3000);
	ck_assert_int_eq(stat(path_in(dir, "data.mdb"), &st), 0);
	ck_assert_int_eq(open_with(dir, (size_t)st.st_size / 2, false, &s, &diag), ERR_STORAGE);
	ck_assert_msg(strstr(diag.text, "does not fit: raise db_map_size_mb") != NULL, "%s",
	    diag.text);
	ck_assert_uint_eq(schema_of(dir), 2);
	s = open_store(dir);
	assert_consistent(s, 3000);
	assert_all_on_the_schedule(s, 3000);
	store_close(s);
}
END_TEST

/* The damaged record can be neither read, replaced nor deleted. */
static void
assert_still_damaged(struct store *s, uint32_t n)
{
	struct cert cert = cert_number(n), got;
	struct txn t = reading(s);

	ck_assert_int_eq(store_get_cert(&t, &cert.id, &got), ERR_CORRUPT);
	store_end(&t);
	t = writing(s);
	store_put_cert(&t, &cert, NULL);
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
	t = writing(s);
	store_delete_cert(&t, &cert.id);
	ck_assert_int_eq(store_commit(&t), ERR_CORRUPT);
}

static size_t
count_named_of_all(struct txn *t)
{
	size_t count = 0;

	for (uint32_t n = 0; n < CA_COUNT; n++) {
		struct certid id = ca_id_number(n);

		count += count_named(t, &id);
	}
	return count;
}

/* One record is damaged, one has a damaged document, one key is not an id.  The other 18
 * certificates are indexed, 15 of them under a CA. */
START_TEST(an_upgrade_does_not_change_damaged_rows)
{
	struct certid cert = id_number(2), document = id_number(3);
	const char *dir = new_dir();
	struct schedule_entry entry;
	struct store *s;
	struct txn t;
	size_t on_schedule = 0;

	make_schema(dir, (unsigned)_i);
	raw_put(dir, "cert", (struct view){ cert.b, sizeof(cert.b) }, "rubbish");
	raw_put(dir, "cert_document", (struct view){ document.b, sizeof(document.b) }, "rubbish");
	raw_put(dir, "cert", view_of("short"), "rubbish");
	s = open_store(dir);
	t = writing(s);
	put_every_serial(&t, 30);
	ck_assert_uint_eq(count_named_of_all(&t), 15);
	assert_statuses_agree(&t, 19);
	while (store_next_schedule(&t, SCHEDULE_EXPIRY, &entry) == ERR_OK) {
		store_delete_schedule(&t, &entry);
		on_schedule++;
	}
	ck_assert_uint_eq(on_schedule, 19);
	store_end(&t);
	assert_still_damaged(s, 2);
	store_close(s);
}
END_TEST

/* An older version could register two forms of one certificate: both records stay and both
 * are found.  Counts of schema 3 are kept. */
START_TEST(an_upgrade_indexes_certificates_that_share_a_signed_part)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t = writing(s);

	for (uint8_t form = 0; form < 2; form++)
		put_in_form(&t, 25, form);
	commit(&t);
	store_close(s);
	make_schema(dir, 3);
	s = open_store(dir);
	t = reading(s);
	ck_assert_uint_eq(count_forms(&t, 25), 2);
	assert_statuses_agree(&t, 22);
	store_end(&t);
	store_close(s);
	ck_assert_uint_eq(schema_of(dir), STORE_SCHEMA);
}
END_TEST

/*
 * Forms.
 */

#define GOOD_POLICY \
	"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\"," \
	"\"Action\":\"iot:Connect\",\"Resource\":\"*\"}}"
#define GOOD_TEMPLATE \
	"{\"Parameters\":{\"AWS::IoT::Certificate::Id\":{\"Type\":\"String\"}}," \
	"\"Resources\":{\"c\":{\"Type\":\"AWS::IoT::Certificate\",\"Properties\":" \
	"{\"CertificateId\":{\"Ref\":\"AWS::IoT::Certificate::Id\"}}}}}"

/* Documents without forms, as schema 4 had them: valid, invalid, none. */
static void
put_documents(struct store *s, unsigned policies)
{
	struct ca ca = ca_number(0);
	struct ca_document document = { .template_body = view_of(GOOD_TEMPLATE) };
	struct ca_settings settings = CA_SETTINGS_DEFAULT;
	struct provisioning_template template = { .name = view_of("t"), .body = view_of("{}") };
	struct txn t = writing(s);

	settings.activation = view_of(
	    "{\"conditions\":{\"StringMatches\":{\"iot:ClientId\":\"a+\"}}}");
	for (uint32_t n = 1; n <= policies; n++) {
		struct policy_version v = { .number = n,
			.document = view_of(n % 2 == 1 ? GOOD_POLICY : "{\"Version\":1}") };

		store_put_policy_version(&t, view_of(n % 3 == 0 ? "p" : "q"), &v);
	}
	store_put_ca(&t, &ca, &document);
	store_put_ca_settings(&t, &ca.id, &settings);
	store_put_template(&t, &template);
	commit(&t);
}

static void
assert_policy_forms(struct txn *t, unsigned policies)
{
	struct policy_version v;
	struct diag why;
	size_t size;

	for (uint32_t n = 1; n <= policies; n++) {
		ck_assert_int_eq(store_get_policy_version(t, view_of(n % 3 == 0 ? "p" : "q"), n,
				     &v),
		    ERR_OK);
		ck_assert_int_eq(policy_memory(v.form, &size, &why),
		    n % 2 == 1 ? ERR_OK : ERR_REQUEST);
		if (n % 2 == 0)
			ck_assert_str_eq(why.text, "Version: must be a string");
	}
}

static void
assert_other_forms(struct txn *t)
{
	struct certid id = ca_id_number(0);
	struct ca_document document;
	struct ca_settings settings;
	struct provisioning_template template;
	struct diag why;
	size_t size;

	ck_assert_int_eq(store_get_ca_document(t, &id, &document), ERR_OK);
	ck_assert_int_eq(template_memory(document.template_form, &size, &why), ERR_OK);
	ck_assert_int_eq(store_get_ca_settings(t, &id, &settings), ERR_OK);
	ck_assert_int_eq(rule_memory(settings.activation_form, &posix_expressions, &size, &why),
	    ERR_OK);
	ck_assert_int_eq(store_get_template(t, view_of("t"), &template), ERR_OK);
	ck_assert_int_eq(template_memory(template.form, &size, &why), ERR_REQUEST);
	ck_assert_str_eq(why.text, "templateBody: Resources: is missing");
}

/* Many pages of rows; one is damaged and stays as it is. */
START_TEST(an_upgrade_compiles_all_documents)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct ca_document none;
	struct certid other = ca_id_number(1);
	struct policy_version v;
	struct txn t;

	put_documents(s, 1000);
	store_close(s);
	make_schema(dir, 4);
	raw_put(dir, "policy_version", (struct view){ (const uint8_t *)"q\0\0\0\0\0", 6 },
	    "rubbish");
	s = open_store(dir);
	t = reading(s);
	assert_policy_forms(&t, 1000);
	assert_other_forms(&t);
	ck_assert_int_eq(store_get_policy_version(&t, view_of("q"), 0, &v), ERR_CORRUPT);
	ck_assert_int_eq(store_get_ca_document(&t, &other, &none), ERR_NOT_FOUND);
	store_end(&t);
	store_close(s);
	ck_assert_uint_eq(schema_of(dir), STORE_SCHEMA);
}
END_TEST

START_TEST(without_a_compiler_the_documents_have_no_form)
{
	const char *dir = new_dir();
	struct store_config config = { .path = dir, .map_size = 1 << 24, .sha256 = sha256_of };
	struct store *s = open_store(dir);
	struct policy_version v;
	struct diag why;
	struct txn t;
	size_t size;

	put_documents(s, 1);
	store_close(s);
	make_schema(dir, 4);
	ck_assert_int_eq(store_open(&config, &s, &why), ERR_OK);
	t = reading(s);
	ck_assert_int_eq(store_get_policy_version(&t, view_of("q"), 1, &v), ERR_OK);
	ck_assert_int_eq(policy_memory(v.form, &size, &why), ERR_REQUEST);
	ck_assert_str_eq(why.text, "it has no compiled form");
	store_end(&t);
	store_close(s);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("store_upgrade");
	TCase *t = stores_case(suite, "upgrade");

	tcase_add_loop_test(t, an_older_schema_is_upgraded_when_it_is_opened, 1, STORE_SCHEMA);
	tcase_add_test(t, schema_number_0_is_reported_as_damage);
	tcase_add_loop_test(t, an_older_schema_without_one_of_its_tables_is_reported_as_damage, 1,
	    STORE_SCHEMA);
	tcase_add_loop_test(t, an_upgrade_on_a_full_disk_leaves_the_older_schema, 0, 9);
	tcase_add_test(t, an_upgrade_is_completed_after_a_kill);
	tcase_add_test(t, an_upgrade_that_does_not_fit_into_the_map_names_the_option);
	tcase_add_loop_test(t, an_upgrade_does_not_change_damaged_rows, 1, 3);
	tcase_add_test(t, an_upgrade_indexes_certificates_that_share_a_signed_part);
	tcase_add_test(t, an_upgrade_compiles_all_documents);
	tcase_add_test(t, without_a_compiler_the_documents_have_no_form);
	return stores_main(suite, argc, argv);
}
