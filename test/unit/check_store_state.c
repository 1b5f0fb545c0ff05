/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_store_state.c - a store whose disk fails, whose files are gone, or that is read
 * while another process writes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "census.h"
#include "child.h"
#include "records.h"
#include "stores.h"

#include "jitr/adapter/x509.h"

/*
 * Failing disk: of this program's pwrite(), with which LMDB writes its two meta pages at the
 * start of the file, this many fail there.
 */
#define META_PAGES 8192

static int meta_failures;

static ssize_t
write_at(int fd, const void *data, size_t size, off_t at)
{
	ssize_t done;

	if (at < META_PAGES && meta_failures > 0) {
		meta_failures--;
		errno = EIO;
		return -1;
	}
	if (lseek(fd, at, SEEK_SET) < 0)
		return -1;
	done = write(fd, data, size);
	return done;
}

/* Called by LMDB; the offset of a file may have either type. */
__attribute__((visibility("default"))) ssize_t pwrite(int fd, const void *data, size_t size,
    off_t at);
__attribute__((visibility("default"))) ssize_t pwrite64(int fd, const void *data, size_t size,
    off_t at);

ssize_t
pwrite(int fd, const void *data, size_t size, off_t at)
{
	return write_at(fd, data, size, at);
}

ssize_t
pwrite64(int fd, const void *data, size_t size, off_t at)
{
	return write_at(fd, data, size, at);
}

static enum err
put_one(struct store *s, uint32_t n)
{
	struct txn t;
	enum err e = store_write(s, &t);

	if (e != ERR_OK)
		return e;
	put_cert_number(&t, n);
	return store_commit(&t);
}

static bool
has_cert(struct store *s, uint32_t n)
{
	struct certid id = id_number(n);
	struct txn t = reading(s);
	struct cert cert;
	enum err e = store_get_cert(&t, &id, &cert);

	store_end(&t);
	return e == ERR_OK;
}

static void
break_store(struct store *s, int failures)
{
	meta_failures = failures;
	ck_assert_int_eq(put_one(s, 90), ERR_STORAGE);
	ck_assert_str_eq(store_failure(s), "input/output error: the disk is full or damaged");
	ck_assert_int_eq(store_state(s), STORE_BROKEN);
}

START_TEST(a_broken_store_fails_until_it_is_reopened)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct diag diag;
	struct txn t;

	put_certs(s, 0, 10);
	ck_assert_int_eq(store_state(s), STORE_IN_ORDER);
	(void)store_changed_elsewhere(s);
	break_store(s, 1);
	ck_assert_int_eq(store_read(s, &t), ERR_STORAGE);
	store_end(&t);
	ck_assert_int_eq(put_one(s, 91), ERR_STORAGE);
	ck_assert_ptr_nonnull(strstr(store_failure(s), "is not open again yet"));

	ck_assert_msg(store_reopen(s, &diag) == ERR_OK, "%s", diag.text);
	ck_assert_int_eq(store_state(s), STORE_IN_ORDER);
	ck_assert(store_changed_elsewhere(s)); /* whatever was cached may be out of date */
	ck_assert(!store_changed_elsewhere(s));
	ck_assert(has_cert(s, 9));
	ck_assert(!has_cert(s, 90));
	ck_assert_int_eq(put_one(s, 91), ERR_OK);
	ck_assert(!store_changed_elsewhere(s));
	assert_consistent(s, 100);
	store_close(s);

	s = open_store(dir);
	ck_assert(has_cert(s, 91));
	store_close(s);
}
END_TEST

/* LMDB restores the page that it could not write, and that fails, too: the change may be
 * there or not, but not a part of it. */
START_TEST(a_page_that_cannot_be_restored_leaves_a_whole_change_or_none)
{
	struct store *s = open_store(new_dir());
	struct diag diag;

	put_certs(s, 0, 10);
	break_store(s, 2);
	ck_assert_int_eq(store_reopen(s, &diag), ERR_OK);
	assert_consistent(s, 100);
	ck_assert_int_eq(put_one(s, 91), ERR_OK);
	store_close(s);
}
END_TEST

START_TEST(a_store_in_use_is_not_reopened)
{
	struct store *s = open_store(new_dir());
	struct diag diag;
	struct txn t = reading(s);

	ck_assert_int_eq(store_reopen(s, &diag), ERR_BUSY);
	store_end(&t);
	t = writing(s);
	ck_assert_int_eq(store_reopen(s, &diag), ERR_BUSY);
	put_cert_number(&t, 1);
	commit(&t);
	t = writing(s);
	store_end(&t);
	ck_assert_int_eq(store_reopen(s, &diag), ERR_OK);
	ck_assert(has_cert(s, 1));
	store_close(s);
}
END_TEST

/* A removed file stays open: a change to it would succeed, and be lost at the next start. */
static void
remove_data(const char *dir)
{
	ck_assert_int_eq(unlink(path_in(dir, "data.mdb")), 0);
}

static void
remove_lock(const char *dir)
{
	ck_assert_int_eq(unlink(path_in(dir, "lock.mdb")), 0);
}

static void
replace_data(const char *dir)
{
	remove_data(dir);
	write_file(path_in(dir, "data.mdb"), "another", 1);
}

static void
move_directory(const char *dir)
{
	char elsewhere[PATH_ROOM + 8];

	(void)snprintf(elsewhere, sizeof(elsewhere), "%s.moved", dir);
	ck_assert_int_eq(rename(dir, elsewhere), 0);
}

static void (*const removals[])(
    const char *dir) = { remove_data, remove_lock, replace_data, move_directory };

START_TEST(a_store_whose_files_are_gone_is_read_and_not_changed)
{
	char dir[PATH_ROOM];
	struct store *s;
	struct diag diag;

	(void)snprintf(dir, sizeof(dir), "%s", new_dir());
	s = open_store(dir);
	put_certs(s, 0, 10);
	removals[_i](dir);
	ck_assert_int_eq(put_one(s, 90), ERR_STORAGE);
	ck_assert_int_eq(store_state(s), STORE_GONE);
	ck_assert_ptr_nonnull(strstr(store_failure(s), "removed or replaced"));
	ck_assert(has_cert(s, 9));
	ck_assert(!has_cert(s, 90));
	ck_assert_int_eq(store_reopen(s, &diag), ERR_STORAGE);
	ck_assert_ptr_nonnull(strstr(diag.text, "removed or replaced"));
	ck_assert(has_cert(s, 9));
	store_close(s);
}
END_TEST

START_TEST(files_that_are_back_are_changed_again)
{
	char dir[PATH_ROOM], elsewhere[PATH_ROOM + 8];
	struct store *s;

	(void)snprintf(dir, sizeof(dir), "%s", new_dir());
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s.moved", dir);
	s = open_store(dir);
	move_directory(dir);
	ck_assert_int_eq(put_one(s, 90), ERR_STORAGE);
	ck_assert_int_eq(rename(elsewhere, dir), 0);
	ck_assert_int_eq(put_one(s, 90), ERR_OK);
	ck_assert_int_eq(store_state(s), STORE_IN_ORDER);
	store_close(s);
}
END_TEST

/* The environment is closed by then, so nothing can be read either. */
START_TEST(a_store_that_cannot_be_reopened_is_tried_again)
{
	char dir[PATH_ROOM], data[PATH_ROOM + 16];
	struct store *s;
	struct diag diag;
	struct txn t;

	(void)snprintf(dir, sizeof(dir), "%s", new_dir());
	(void)snprintf(data, sizeof(data), "%s/data.mdb", dir);
	s = open_store(dir);
	put_certs(s, 0, 10);
	patch_database(dir, view_of("message"), view_of("massage"));
	break_store(s, 1);
	ck_assert_int_eq(store_reopen(s, &diag), ERR_STORAGE);
	ck_assert_ptr_nonnull(strstr(diag.text, "damaged"));
	ck_assert_int_eq(store_state(s), STORE_BROKEN);
	ck_assert_int_eq(store_read(s, &t), ERR_STORAGE);
	store_end(&t);
	ck_assert_int_eq(put_one(s, 91), ERR_STORAGE);
	ck_assert(!store_changed_elsewhere(s));

	patch_database(dir, view_of("massage"), view_of("message"));
	ck_assert_int_eq(store_reopen(s, &diag), ERR_OK);
	ck_assert(has_cert(s, 9));
	store_close(s);
}
END_TEST

/*
 * Read-only.
 */

static enum err
open_reader_with(const char *dir, size_t map_size, struct store **s, struct diag *diag)
{
	struct store_config config = { .path = dir, .map_size = map_size, .sha256 = sha256_of };

	*s = NULL;
	diag->text[0] = '\0';
	return store_open_reader(&config, s, diag);
}

static struct store *
open_reader(const char *dir, size_t map_size)
{
	struct store *s;
	struct diag diag;

	ck_assert_msg(open_reader_with(dir, map_size, &s, &diag) == ERR_OK, "%s", diag.text);
	return s;
}

static void
assert_reader_refused(const char *dir, const char *words)
{
	struct store *s;
	struct diag diag;

	ck_assert_int_ne(open_reader_with(dir, MAP_SIZE, &s, &diag), ERR_OK);
	ck_assert_msg(strstr(diag.text, words) != NULL, "not '%s': %s", words, diag.text);
}

START_TEST(a_reader_refuses_every_change)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct certid id = id_number(1);
	struct txn t;

	put_certs(s, 0, 10);
	store_close(s);
	s = open_reader(dir, MAP_SIZE);
	ck_assert(has_cert(s, 9));
	ck_assert_int_eq(store_write(s, &t), ERR_STORAGE);
	ck_assert_str_eq(store_failure(s), "the registry is open for reading only");
	put_cert_number(&t, 90);
	store_delete_cert(&t, &id);
	store_drop_messages(&t, 1);
	ck_assert_int_eq(store_commit(&t), ERR_STORAGE);
	ck_assert_int_eq(store_state(s), STORE_IN_ORDER);
	ck_assert(!store_changed(s));
	assert_consistent(s, 100);
	store_close(s);
}
END_TEST

START_TEST(a_reader_creates_and_upgrades_nothing)
{
	char dir[PATH_ROOM], missing[PATH_ROOM + 16];
	struct stat st;

	(void)snprintf(dir, sizeof(dir), "%s", new_dir());
	(void)snprintf(missing, sizeof(missing), "%s/missing", dir);
	assert_reader_refused(missing, "there is no registry");
	ck_assert_int_ne(stat(missing, &st), 0);
	assert_reader_refused(dir, "there is no registry");
	ck_assert_int_ne(stat(path_in(dir, "lock.mdb"), &st), 0);

	store_close(open_store(dir));
	patch_database(dir, (struct view){ (const uint8_t *)"schema\0\0\0\5", 10 },
	    (struct view){ (const uint8_t *)"schema\0\0\0\3", 10 });
	assert_reader_refused(dir, "made by an older version (schema 3, this program reads 5)");
	patch_database(dir, (struct view){ (const uint8_t *)"schema\0\0\0\3", 10 },
	    (struct view){ (const uint8_t *)"schema\0\0\0\7", 10 });
	assert_reader_refused(dir, "made by a newer version (schema 7");
	patch_database(dir, (struct view){ (const uint8_t *)"schema\0\0\0\7", 10 },
	    (struct view){ (const uint8_t *)"schema\0\0\0\5", 10 });
	store_close(open_reader(dir, MAP_SIZE));
	ck_assert_int_eq(truncate(path_in(dir, "data.mdb"), 12288), 0);
	assert_reader_refused(dir, "truncated");
	ck_assert_int_eq(stat(path_in(dir, "data.mdb"), &st), 0);
	ck_assert_int_eq(st.st_size, 12288);
}
END_TEST

START_TEST(a_reader_opens_beside_a_writer_and_sees_its_changes)
{
	const char *dir = new_dir();
	struct child writer;
	struct store *s;

	store_close(open_store(dir));
	writer = child_start("hold", dir, NULL);
	child_wait(&writer);
	s = open_reader(dir, MAP_SIZE);
	ck_assert(!store_changed_elsewhere(s));
	child_run("put", dir, "5");
	ck_assert(store_changed_elsewhere(s));
	ck_assert(!store_changed_elsewhere(s));
	ck_assert(has_cert(s, 5));
	child_kill(&writer);
	ck_assert(has_cert(s, 5));
	child_run("put", dir, "6"); /* the reader keeps the lock file in use meanwhile */
	ck_assert(store_changed_elsewhere(s));
	ck_assert(has_cert(s, 6));
	store_close(s);
}
END_TEST

static off_t
data_size(const char *dir)
{
	struct stat st;

	ck_assert_int_eq(stat(path_in(dir, "data.mdb"), &st), 0);
	return st.st_size;
}

/* 1: with a second read transaction open, the map is not replaced under it. */
START_TEST(a_map_that_another_process_enlarges_is_adopted)
{
	enum { SMALL = 1 << 20 };
	const char *dir = new_dir();
	struct child writer;
	struct store *s;
	struct txn outer, inner;

	store_close(open_store(dir));
	s = _i == 2 ? NULL : open_reader(dir, SMALL);
	if (s == NULL) {
		struct diag diag;

		ck_assert_int_eq(open_with(dir, SMALL, false, &s, &diag), ERR_OK);
	}
	outer = reading(s);
	writer = child_start("churn", dir, "7");
	while (data_size(dir) < 3 * SMALL)
		child_wait(&writer);
	child_kill(&writer);
	if (_i == 1) {
		ck_assert_int_eq(store_read(s, &inner), ERR_STORAGE);
		store_end(&inner);
	}
	store_end(&outer);
	ck_assert(store_changed_elsewhere(s));
	inner = reading(s);
	store_end(&inner);
	ck_assert_int_eq(store_state(s), STORE_IN_ORDER);
	assert_consistent(s, CHURN_CERTS + 40);
	if (_i == 2)
		ck_assert_int_eq(put_one(s, 1), ERR_OK);
	store_close(s);
}
END_TEST

START_TEST(a_reader_of_files_that_are_gone_goes_on)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct diag diag;

	put_certs(s, 0, 10);
	store_close(s);
	s = open_reader(dir, MAP_SIZE);
	remove_data(dir);
	ck_assert(has_cert(s, 9));
	ck_assert_int_eq(store_reopen(s, &diag), ERR_STORAGE);
	ck_assert(has_cert(s, 9));
	store_close(s);
}
END_TEST

START_TEST(a_reader_is_reopened)
{
	const char *dir = new_dir();
	struct store *s = open_store(dir);
	struct diag diag;

	put_certs(s, 0, 10);
	store_close(s);
	s = open_reader(dir, MAP_SIZE);
	ck_assert_int_eq(store_reopen(s, &diag), ERR_OK);
	ck_assert(store_changed_elsewhere(s));
	ck_assert(has_cert(s, 9));
	store_close(s);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("store_state");
	TCase *t = stores_case(suite, "state");

	tcase_add_test(t, a_broken_store_fails_until_it_is_reopened);
	tcase_add_test(t, a_page_that_cannot_be_restored_leaves_a_whole_change_or_none);
	tcase_add_test(t, a_store_in_use_is_not_reopened);
	tcase_add_loop_test(t, a_store_whose_files_are_gone_is_read_and_not_changed, 0,
	    COUNT_OF(removals));
	tcase_add_test(t, files_that_are_back_are_changed_again);
	tcase_add_test(t, a_store_that_cannot_be_reopened_is_tried_again);
	tcase_add_test(t, a_reader_refuses_every_change);
	tcase_add_test(t, a_reader_creates_and_upgrades_nothing);
	tcase_add_test(t, a_reader_opens_beside_a_writer_and_sees_its_changes);
	tcase_add_loop_test(t, a_map_that_another_process_enlarges_is_adopted, 0, 3);
	tcase_add_test(t, a_reader_of_files_that_are_gone_goes_on);
	tcase_add_test(t, a_reader_is_reopened);
	return stores_main(suite, argc, argv);
}
