/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_open.c - a registry is created and opened, or refused with the reason.
 *
 * Created by a process that is killed or has no room, it can be opened by the next one.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "census.h"
#include "child.h"
#include "records.h"
#include "stores.h"

/* The registry names every device, so its directory is 0700 and its files are 0600. */
START_TEST(only_the_owner_can_read_a_new_registry)
{
	static const char *const files[] = { "data.mdb", "lock.mdb", "broker.lock" };
	char dir[PATH_ROOM];
	struct diag diag;
	struct store *s;
	struct stat st;

	(void)umask(0);
	(void)snprintf(dir, sizeof(dir), "%s/registry", new_dir());
	ck_assert_int_eq(open_with(dir, MAP_SIZE, true, &s, &diag), ERR_OK);
	ck_assert_int_eq(stat(dir, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		ck_assert_int_eq(stat(path_in(dir, files[i]), &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0600);
	}
	store_close(s);
}
END_TEST

START_TEST(no_file_of_the_registry_is_inherited_by_child_processes)
{
	char dir[PATH_ROOM];
	struct diag diag;
	struct store *s;

	(void)snprintf(dir, sizeof(dir), "%s", new_dir());
	ck_assert_int_eq(open_with(dir, MAP_SIZE, true, &s, &diag), ERR_OK);
	for (int fd = 0; fd < 1000; fd++) {
		char link[64], file[2 * PATH_ROOM] = "";

		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, file, sizeof(file) - 1) > 0 && strstr(file, dir) == file)
			ck_assert_msg(fcntl(fd, F_GETFD) == FD_CLOEXEC, "%s", file);
	}
	store_close(s);
}
END_TEST

START_TEST(committed_records_survive_reopening)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct txn t = writing(s);
	char code[REGISTRATION_CODE_SIZE];
	struct cert cert, expected_cert = cert_number(4);
	struct ca ca, expected_ca = ca_number(2);
	struct ca_document document;

	put_ca_number(&t, 2);
	put_cert_number(&t, 4);
	store_put_registration_code(&t,
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	store_post(&t, view_of("a"), view_of(""));
	commit(&t);
	store_close(s);

	s = open_store(dir);
	t = reading(s);
	ck_assert_int_eq(store_get_ca(&t, &expected_ca.id, &ca), ERR_OK);
	assert_same_ca(&ca, &expected_ca);
	ck_assert_int_eq(store_get_ca_document(&t, &expected_ca.id, &document), ERR_OK);
	assert_view(document.der, "der");
	assert_view(document.tags, "[]");
	assert_view(document.role_arn, "");
	ck_assert_int_eq(store_get_cert(&t, &expected_cert.id, &cert), ERR_OK);
	assert_same_cert(&cert, &expected_cert);
	ck_assert_int_eq(store_get_registration_code(&t, code), ERR_OK);
	ck_assert_str_eq(code, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	store_end(&t);
	ck_assert_uint_eq(last_message(s), 1);
	assert_consistent(s, 10);
	store_close(s);
}
END_TEST

/* LMDB forbids opening a file twice, also by another path. */
START_TEST(a_process_opens_a_registry_only_once)
{
	char dir[PATH_ROOM], link[PATH_ROOM];
	struct store *s, *other;

	(void)snprintf(link, sizeof(link), "%s/link", new_dir());
	(void)snprintf(dir, sizeof(dir), "%s", new_dir());
	ck_assert_int_eq(symlink(dir, link), 0);
	s = open_store(dir);
	assert_refused(dir, false, "already open in this process");
	assert_refused(dir, true, "already open in this process");
	assert_refused(link, false, "already open in this process");

	other = open_store(new_dir());
	store_close(s);
	s = open_store(link);
	store_close(other);
	store_close(s);
	store_close(NULL);
}
END_TEST

START_TEST(a_second_broker_is_refused_and_a_tool_is_not)
{
	const char *dir = new_dir();
	struct child broker = child_start("hold", dir, NULL);
	struct diag diag;
	struct store *s;

	child_wait(&broker);
	assert_refused(dir, true, "in use by another broker");
	put_certs(s = open_store(dir), 0, 3);
	store_close(s);
	child_kill(&broker);

	ck_assert_int_eq(open_with(dir, MAP_SIZE, true, &s, &diag), ERR_OK);
	assert_consistent(s, 10);
	broker = child_start("hold", dir, NULL);
	ck_assert_int_eq(child_end(&broker), 2);
	store_close(s);

	broker = child_start("hold", dir, NULL);
	child_wait(&broker);
	ck_assert_int_eq(child_end(&broker), 0);
}
END_TEST

START_TEST(a_newer_schema_is_refused_with_advice)
{
	const char *dir = new_dir();

	store_close(open_store(dir));
	patch_database(dir, (struct view){ (const uint8_t *)"schema\0\0\0\5", 10 },
	    (struct view){ (const uint8_t *)"schema\0\0\0\7", 10 });
	assert_refused(dir, false,
	    ": made by a newer version (schema 7, this program reads up to "
	    "5): install that version or restore a backup");
	patch_database(dir, (struct view){ (const uint8_t *)"schema\0\0\0\7", 10 },
	    (struct view){ (const uint8_t *)"schema\0\0\0\5", 10 });
	store_close(open_store(dir));
}
END_TEST

START_TEST(a_database_of_another_program_is_refused)
{
	const char *dir = new_dir();

	store_close(open_store(dir));
	patch_database(dir, view_of("meta"), view_of("atem"));
	assert_refused(dir, false, "the database belongs to another program");
}
END_TEST

START_TEST(a_missing_table_is_reported_as_damage)
{
	const char *dir = new_dir();

	store_close(open_store(dir));
	patch_database(dir, view_of("message"), view_of("massage"));
	assert_refused(dir, false, "damaged");
}
END_TEST

static void
make_nothing(const char *dir)
{
	(void)dir;
}

static void
make_parent_a_file(const char *dir)
{
	char parent[PATH_ROOM];

	(void)snprintf(parent, sizeof(parent), "%s", dir);
	*strrchr(parent, '/') = '\0';
	ck_assert_int_eq(rmdir(parent), 0);
	write_file(parent, "", 1);
}

static void
make_parent_missing(const char *dir)
{
	char parent[PATH_ROOM];

	(void)snprintf(parent, sizeof(parent), "%s", dir);
	*strrchr(parent, '/') = '\0';
	ck_assert_int_eq(rmdir(parent), 0);
}

static void
make_file(const char *dir)
{
	write_file(dir, "", 1);
}

static void
make_short_text(const char *dir)
{
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	write_file(path_in(dir, "data.mdb"), "mine", 1);
}

static void
make_long_text(const char *dir)
{
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	write_file(path_in(dir, "data.mdb"), "mine, and longer than two pages. ", 500);
}

static void
make_readonly(const char *dir)
{
	ck_assert_int_eq(mkdir(dir, 0555), 0);
}

static void
make_private(const char *dir)
{
	ck_assert_int_eq(mkdir(dir, 0000), 0);
}

static void
make_lock_a_link(const char *dir)
{
	ck_assert_int_eq(mkdir(dir, 0777), 0);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert_int_eq(symlink("/dev/null", path_in(dir, "broker.lock")), 0);
}

static void
make_parent_readonly(const char *dir)
{
	char parent[PATH_ROOM];

	(void)snprintf(parent, sizeof(parent), "%s", dir);
	*strrchr(parent, '/') = '\0';
	ck_assert_int_eq(chmod(parent, 0555), 0);
}

static const struct {
	const char *what;
	void (*make)(const char *dir);
	bool as_other_user;
	const char *words;
} places[] = {
	{ "no parent", make_parent_missing, false, "the directory above it does not exist" },
	{ "below a file", make_parent_a_file, false, "not a directory" },
	{ "a file", make_file, false, "not a directory" },
	{ "a short data.mdb", make_short_text, false, "data.mdb is not an LMDB database" },
	{ "a long data.mdb", make_long_text, false, "data.mdb is not an LMDB database" },
	{ "may not be made", make_parent_readonly, true, "permission denied: it and its files" },
	{ "may not be written", make_readonly, true, "permission denied" },
	{ "may not be read", make_private, true, "permission denied" },
	{ "the lock is a link", make_lock_a_link, false, "symbolic links" },
	{ "of another user", make_nothing, true, "permission denied" },
};

START_TEST(an_unusable_path_is_refused_with_the_reason)
{
	char dir[PATH_ROOM];

	(void)snprintf(dir, sizeof(dir), "%s/registry", new_dir());
	places[_i].make(dir);
	if (places[_i].make == make_nothing)
		store_close(open_store(dir));
	if (places[_i].as_other_user && geteuid() == 0) {
		(void)chmod(base_dir(), 0755);
		ck_assert_int_eq(seteuid(65534), 0);
	} else if (places[_i].make == make_nothing) {
		(void)printf("skipped: %s: needs root\n", places[_i].what);
		return;
	}
	assert_refused(dir, true, places[_i].words);
	ck_assert_int_eq(seteuid(getuid()), 0);
	(void)prctl(PR_SET_DUMPABLE, 1); /* else the leak checker cannot attach */
}
END_TEST

START_TEST(a_refused_file_is_not_modified)
{
	const char *dir = new_dir();
	struct stat st;

	write_file(path_in(dir, "data.mdb"), "mine", 1000);
	assert_refused(dir, false, "data.mdb is not an LMDB database");
	ck_assert_int_eq(stat(path_in(dir, "data.mdb"), &st), 0);
	ck_assert_int_eq(st.st_size, 4000);
}
END_TEST

/* At every length the file is refused with the reason and not modified, or opened because
 * the missing part held no data.  There is never a SIGBUS. */
START_TEST(a_truncated_file_is_refused_or_complete)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct store_counts counts;
	struct stat st, now;
	struct diag diag;
	struct txn t;
	size_t refused = 0;

	put_certs(s, 0, 200);
	store_close(s);
	ck_assert_int_eq(stat(path_in(dir, "data.mdb"), &st), 0);
	for (off_t len = st.st_size - 1; len > 0; len -= len > 100000 ? 20011 : 1013) {
		ck_assert_int_eq(truncate(path_in(dir, "data.mdb"), len), 0);
		if (_i == 1)
			ck_assert_int_eq(truncate(path_in(dir, "lock.mdb"), len % 8192), 0);
		if (open_with(dir, MAP_SIZE, false, &s, &diag) == ERR_OK) {
			t = reading(s);
			ck_assert_int_eq(store_count(&t, &counts), ERR_OK);
			store_end(&t);
			store_close(s);
			continue;
		}
		refused++;
		ck_assert_msg(strstr(diag.text, "truncated") != NULL ||
			strstr(diag.text, "not an LMDB database") != NULL,
		    "%ld bytes: %s", (long)len, diag.text);
		ck_assert_int_eq(stat(path_in(dir, "data.mdb"), &now), 0);
		ck_assert_int_eq(now.st_size, len);
	}
	ck_assert_uint_gt(refused, 10);
}
END_TEST

/* LMDB does not write pages that one transaction allocated and freed at the end of the
 * file: the file is shorter than its last page number says, and intact. */
START_TEST(a_file_without_its_unused_last_pages_is_opened)
{
	const char *dir = new_dir();
	char *large = calloc(1, 200000);
	MDB_val key = { 1, "k" }, value = { 200000, large };
	struct stat st;
	struct store *s;
	MDB_envinfo info;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi meta;

	store_close(open_store(dir));
	for (int n = 0; n < 50; n++) { /* more free pages make it more likely */
		value.mv_size = 4000u * (unsigned)(n + 1);
		txn = raw_begin(dir, &env);
		ck_assert_int_eq(mdb_dbi_open(txn, "meta", 0, &meta), 0);
		ck_assert_int_eq(mdb_put(txn, meta, &key, &value, 0), 0);
		ck_assert_int_eq(mdb_del(txn, meta, &key, NULL), 0);
		ck_assert_int_eq(mdb_txn_commit(txn), 0);
		ck_assert_int_eq(mdb_env_info(env, &info), 0);
		ck_assert_int_eq(stat(path_in(dir, "data.mdb"), &st), 0);
		mdb_env_close(env);
		if (info.me_last_pgno >= (size_t)st.st_size / 4096)
			break;
	}
	ck_assert_uint_ge(info.me_last_pgno, (size_t)st.st_size / 4096);
	s = open_store(dir);
	put_certs(s, 0, 20);
	assert_consistent(s, 40);
	store_close(s);
	free(large);
}
END_TEST

START_TEST(a_long_path_leaves_room_for_the_reason)
{
	char path[1000] = "/";
	struct diag diag;
	struct store *s;

	for (size_t i = 0; i < 90; i++)
		strcat(path, "nowhere/");
	ck_assert_int_eq(open_with(path, MAP_SIZE, false, &s, &diag), ERR_STORAGE);
	ck_assert_ptr_nonnull(strstr(diag.text, "the directory above it does not exist"));
}
END_TEST

/* A limit on the size of files stops the creation at several points.  8192 bytes are the
 * two meta pages of LMDB. */
START_TEST(creation_is_completed_after_the_disk_was_full)
{
	static const rlim_t limits[] = { 0, 4096, 8192, 12288 };
	const char *dir = new_dir();
	struct store *s;

	write_file(path_in(dir, "lock.mdb"), "", 1);
	ck_assert_int_eq(truncate(path_in(dir, "lock.mdb"), _i % 2 == 0 ? 0 : 8192), 0);
	assert_refused_with_room(dir, limits[_i / 3]);
	s = open_store(dir);
	put_certs(s, 0, 10);
	assert_consistent(s, 20);
	store_close(s);
}
END_TEST

START_TEST(creation_is_completed_after_a_kill)
{
	uint64_t state = 88172645463325252u;

	for (int round = 0; round < 25; round++) {
		const char *dir = new_dir();
		struct child c = child_start("create", dir, NULL);
		struct store *s;

		child_wait(&c);
		spin(random_number(&state) % 3000);
		(void)kill(c.pid, SIGKILL);
		(void)child_end(&c);
		s = open_store(dir);
		put_certs(s, 0, 2);
		assert_consistent(s, 10);
		store_close(s);
	}
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("store_open");
	TCase *t = stores_case(suite, "open");

	tcase_add_test(t, only_the_owner_can_read_a_new_registry);
	tcase_add_test(t, no_file_of_the_registry_is_inherited_by_child_processes);
	tcase_add_test(t, committed_records_survive_reopening);
	tcase_add_test(t, a_process_opens_a_registry_only_once);
	tcase_add_test(t, a_second_broker_is_refused_and_a_tool_is_not);
	tcase_add_test(t, a_newer_schema_is_refused_with_advice);
	tcase_add_test(t, a_database_of_another_program_is_refused);
	tcase_add_test(t, a_missing_table_is_reported_as_damage);
	tcase_add_loop_test(t, an_unusable_path_is_refused_with_the_reason, 0, COUNT_OF(places));
	tcase_add_test(t, a_refused_file_is_not_modified);
	tcase_add_loop_test(t, a_truncated_file_is_refused_or_complete, 0, 2);
	tcase_add_test(t, a_file_without_its_unused_last_pages_is_opened);
	tcase_add_test(t, a_long_path_leaves_room_for_the_reason);
	tcase_add_loop_test(t, creation_is_completed_after_the_disk_was_full, 0, 8);
	tcase_add_test(t, creation_is_completed_after_a_kill);
	return stores_main(suite, argc, argv);
}
