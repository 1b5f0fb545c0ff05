/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_upgrade.c - an older schema is upgraded when it is opened.
 *
 * The older schema is written row by row (old_schema.h).
 */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "census.h"
#include "child.h"
#include "old_schema.h"
#include "records.h"
#include "stores.h"

#include "jitr/adapter/expression.h"
#include "jitr/adapter/x509.h"

/* Of every status; the expiry of every seventh is years ago, and was announced. */
static struct old_cert
old_cert_number(uint32_t n)
{
	struct old_cert o = { .cert = cert_number(n), .der = der_number(n, 900) };

	o.cert.status = (enum cert_status)(n % CERT_STATUS_COUNT);
	o.cert.not_after = CREATED - (int64_t)n % 7 * CREATED;
	return o;
}

static void
make_schema(const char *dir, unsigned schema)
{
	old_schema_make(dir, schema, 20, old_cert_number);
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
	ck_assert_uint_eq(old_schema_of(dir), STORE_SCHEMA);
}

START_TEST(an_older_schema_is_upgraded_when_it_is_opened)
{
	const char *dir = new_dir();

	make_schema(dir, (unsigned)_i);
	ck_assert_uint_eq(old_schema_of(dir), (unsigned)_i);
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
	ck_assert_uint_eq(old_schema_of(dir), (unsigned)_i);
}
END_TEST

START_TEST(an_upgrade_on_a_full_disk_leaves_the_older_schema)
{
	static const rlim_t limits[] = { 0, 4096, 8192 };
	const char *dir = new_dir();

	make_schema(dir, 1 + (unsigned)_i % OLD_SCHEMA_LAST);
	assert_refused_with_room(dir, limits[_i / OLD_SCHEMA_LAST]);
	ck_assert_uint_eq(old_schema_of(dir), 1 + (unsigned)_i % OLD_SCHEMA_LAST);
	assert_upgraded(dir);
}
END_TEST

START_TEST(an_upgrade_is_completed_after_a_kill)
{
	uint64_t state = 1181783497276652981u;

	for (int round = 0; round < 25; round++) {
		const char *dir = new_dir();
		struct child c;

		make_schema(dir, 1 + (unsigned)round % OLD_SCHEMA_LAST);
		c = child_start("create", dir, NULL);
		child_wait(&c);
		spin(random_number(&state) % 12000);
		(void)kill(c.pid, SIGKILL);
		(void)child_end(&c);
		ck_assert_uint_le(old_schema_of(dir), STORE_SCHEMA);
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

	old_schema_make(dir, 2, 3000, old_cert_number);
	ck_assert_int_eq(stat(path_in(dir, "data.mdb"), &st), 0);
	ck_assert_int_eq(open_with(dir, (size_t)st.st_size / 2, false, &s, &diag), ERR_STORAGE);
	ck_assert_msg(strstr(diag.text, "does not fit: raise db_map_size_mb") != NULL, "%s",
	    diag.text);
	ck_assert_uint_eq(old_schema_of(dir), 2);
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

/* Number 20 and 21 are two forms of one certificate: an older version could register both.
 * The others are alone. */
static struct old_cert
old_form_number(uint32_t n)
{
	struct old_cert o = old_cert_number(n);

	o.der = der_number(n, 900 + n);
	if (n >= 20)
		o.der = der_in_form(25, (uint8_t)(n - 20));
	return o;
}

START_TEST(an_upgrade_finds_certificates_that_share_a_signed_part)
{
	struct certid content = content_of(25), ids[3];
	const char *dir = new_dir();
	struct store *s;
	struct cert cert;
	struct txn t;
	size_t count;

	old_schema_make(dir, (unsigned)_i, 22, old_form_number);
	s = open_store(dir);
	t = reading(s);
	ck_assert_int_eq(store_find_by_content(&t, &content, ids, 3, &count), ERR_OK);
	ck_assert_uint_eq(count, 2);
	assert_statuses_agree(&t, 22);
	for (uint32_t n = 0; n < 22; n++) {
		struct certid id = id_number(n);

		ck_assert_int_eq(store_get_cert(&t, &id, &cert), ERR_OK);
		ck_assert_msg(cert.shared == (n / 2 == 10), "certificate %u", n);
	}
	store_end(&t);
	store_close(s);
	ck_assert_uint_eq(old_schema_of(dir), STORE_SCHEMA);
}
END_TEST

/* Its event is not published again. */
static struct old_cert
announced_number(uint32_t n)
{
	struct old_cert o = old_cert_number(n);

	o.announced = n % 2 == 0;
	return o;
}

START_TEST(an_upgrade_keeps_what_is_on_the_schedule)
{
	const char *dir = new_dir();
	struct schedule_entry entry;
	struct store *s;
	struct txn t;
	size_t count = 0;

	old_schema_make(dir, (unsigned)_i, 20, announced_number);
	s = open_store(dir);
	t = writing(s);
	for (; store_next_schedule(&t, SCHEDULE_EXPIRY, &entry) == ERR_OK; count++) {
		ck_assert_uint_eq(number_of(&entry.id) % 2, 1);
		store_delete_schedule(&t, &entry);
	}
	ck_assert_uint_eq(count, 10);
	store_end(&t);
	store_close(s);
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
	ck_assert_uint_eq(old_schema_of(dir), STORE_SCHEMA);
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

/*
 * In several transactions.
 */

/* So many that one transaction is not enough. */
#define MANY 25000

static struct old_cert
small_number(uint32_t n)
{
	struct old_cert o = old_cert_number(n);

	o.der = der_number(n, 400);
	return o;
}

/* Another program opens the registry, or the same one again, after each part. */
START_TEST(a_long_upgrade_is_completed_after_a_kill)
{
	uint64_t state = 7316541;
	const char *dir = new_dir();
	struct store *s;
	struct txn t;
	int kills = 0;

	s = open_store(dir);
	put_documents(s, 100);
	store_close(s);
	old_schema_make(dir, OLD_SCHEMA_LAST, MANY, small_number);
	for (int round = 0; round < 12; round++) {
		struct child c = child_start("create", dir, NULL);

		child_wait(&c);
		spin(random_number(&state) % 200000);
		kills += kill(c.pid, SIGKILL) == 0;
		(void)child_end(&c);
	}
	ck_assert_int_gt(kills, 0);
	s = open_store(dir);
	assert_consistent(s, MANY);
	assert_all_on_the_schedule(s, MANY);
	t = reading(s);
	assert_policy_forms(&t, 100);
	store_end(&t);
	store_close(s);
	ck_assert_uint_eq(old_schema_of(dir), STORE_SCHEMA);
}
END_TEST

/* Opened for reading, in words; NULL: it can be. */
static const char *
refused_reader(const char *dir)
{
	static struct diag why;
	struct store_config config = { .path = dir, .map_size = MAP_SIZE, .sha256 = sha256_of };
	struct store *s = NULL;

	if (store_open_reader(&config, &s, &why) != ERR_OK)
		return why.text;
	store_close(s);
	return NULL;
}

/* The map has room for the first transaction, and not for all. */
static void
begin_upgrade(const char *dir)
{
	struct diag diag;
	struct store *s;
	struct stat st;
	size_t size;

	ck_assert_int_eq(stat(path_in(dir, "data.mdb"), &st), 0);
	size = (size_t)st.st_size;
	do {
		ck_assert_int_eq(open_with(dir, size, false, &s, &diag), ERR_STORAGE);
		size += (size_t)1 << 21;
	} while (old_number_of(dir) == OLD_SCHEMA_LAST);
}

START_TEST(a_registry_in_the_middle_of_an_upgrade_is_not_opened_for_reading)
{
	const char *dir = new_dir(), *why;
	struct store *s = open_store(dir);
	struct txn t;

	put_documents(s, 100);
	store_close(s);
	old_schema_make(dir, OLD_SCHEMA_LAST, MANY, small_number);
	why = refused_reader(dir);
	ck_assert_msg(why != NULL && strstr(why, "made by an older version") != NULL, "%s", why);
	begin_upgrade(dir);
	why = refused_reader(dir);
	ck_assert_msg(why != NULL && strstr(why, "its upgrade is not finished") != NULL, "%s", why);
	s = open_store(dir);
	assert_consistent(s, MANY);
	t = reading(s);
	assert_policy_forms(&t, 100);
	assert_other_forms(&t);
	store_end(&t);
	store_close(s);
	ck_assert_ptr_null(refused_reader(dir));
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
	tcase_add_loop_test(t, an_upgrade_on_a_full_disk_leaves_the_older_schema, 0,
	    3 * OLD_SCHEMA_LAST);
	tcase_add_test(t, an_upgrade_is_completed_after_a_kill);
	tcase_add_test(t, an_upgrade_that_does_not_fit_into_the_map_names_the_option);
	tcase_add_loop_test(t, an_upgrade_does_not_change_damaged_rows, 1, 3);
	tcase_add_loop_test(t, an_upgrade_finds_certificates_that_share_a_signed_part, 1,
	    STORE_SCHEMA);
	tcase_add_loop_test(t, an_upgrade_keeps_what_is_on_the_schedule, 3, STORE_SCHEMA);
	tcase_add_test(t, a_long_upgrade_is_completed_after_a_kill);
	tcase_add_test(t, an_upgrade_compiles_all_documents);
	tcase_add_test(t, without_a_compiler_the_documents_have_no_form);
	tcase_add_test(t, a_registry_in_the_middle_of_an_upgrade_is_not_opened_for_reading);
	return stores_main(suite, argc, argv);
}
