/* SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause */
/*
 * check_ca_dir.c - registered CAs are mirrored into the listener's capath.
 *
 * OpenSSL finds them there (mosquitto section 9.1), and the operator's files are not changed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jitr/registrar/ca_dir.h"
#include "jitr/adapter/x509.h"
#include "suite.h"
#include "world.h"

#define NOBODY 65534

static struct pki_cert *first, *second; /* of one subject */
static struct diag diag;

static void
set_up(void)
{
	world_open();
	first = pki_ca("Test CA");
	second = pki_ca("Test CA");
}

static void
tear_down(void)
{
	pki_free(first);
	pki_free(second);
	world_close();
}

static void
mirror(void)
{
	diag.text[0] = '\0';
	ck_assert_msg(ca_dir_sync(world.ca_path, world.store, &diag) == ERR_OK, "%s", diag.text);
}

/* The path of the nth file for CAs with the subject of this one. */
static const char *
path_of(const struct pki_cert *ca, unsigned n)
{
	static char paths[4][256];
	static unsigned nth;
	struct ca facts;

	nth = (nth + 1) % COUNT_OF(paths);
	ck_assert_int_eq(x509_read_ca(ca->x, &facts), ERR_OK);
	snprintf(paths[nth], sizeof(paths[nth]), "%s/%08x.%u", world.ca_path, facts.subject_hash,
	    n);
	return paths[nth];
}

/* Whether this file is the mirror of that CA. */
static bool
mirrors(const char *path, const struct pki_cert *ca)
{
	char *text = world_read_file(path), mark[120];
	struct x509_st *x = NULL;
	struct certid id = world_id(ca);
	struct presented p;
	bool same;

	if (text == NULL)
		return false;
	snprintf(mark, sizeof(mark), "# mosquitto-jitr: registered CA %s\n", world_hex(ca));
	same = strncmp(text, mark, strlen(mark)) == 0 &&
	    x509_from_pem(view_of(text), &x, NULL) == ERR_OK && x509_read(x, &p) == ERR_OK &&
	    certid_equal(&p.id, &id);
	x509_free(x);
	free(text);
	return same;
}

static size_t
count_files(void)
{
	DIR *dir = opendir(world.ca_path);
	size_t count = 0;

	ck_assert_ptr_nonnull(dir);
	for (struct dirent *d; (d = readdir(dir)) != NULL;)
		count += d->d_name[0] != '.' || strlen(d->d_name) > 2;
	closedir(dir);
	return count;
}

static void
remove_ca(const struct pki_cert *ca)
{
	struct certid id = world_id(ca);
	struct txn t;

	world_change(&t);
	store_delete_ca(&t, &id);
	world_commit(&t);
}

static void
remove_cert(const struct pki_cert *c)
{
	struct certid id = world_id(c);
	struct txn t;

	world_change(&t);
	store_delete_cert(&t, &id);
	world_commit(&t);
}

START_TEST(every_registered_ca_has_a_file_named_by_its_subject_hash)
{
	struct pki_cert *other = pki_ca("Another CA");
	struct stat st;

	world_put_ca(first, CA_ACTIVE, true);
	world_put_ca(other, CA_INACTIVE, false);
	mirror();
	ck_assert(mirrors(path_of(first, 0), first));
	ck_assert(mirrors(path_of(other, 0), other));
	ck_assert_uint_eq(count_files(), 2);
	ck_assert_int_eq(stat(path_of(first, 0), &st), 0);
	ck_assert_int_eq(st.st_mode & 0444, 0444); /* a broker of another user reads it */
	pki_free(other);
}
END_TEST

START_TEST(a_file_that_is_up_to_date_is_not_written_again)
{
	struct stat before, after;

	world_put_ca(first, CA_ACTIVE, true);
	mirror();
	ck_assert_int_eq(stat(path_of(first, 0), &before), 0);
	mirror();
	ck_assert_int_eq(stat(path_of(first, 0), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

START_TEST(cas_of_one_subject_are_numbered_without_gaps)
{
	struct pki_cert *third = pki_ca("Test CA");

	world_put_ca(first, CA_ACTIVE, true);
	world_wait(1000);
	world_put_ca(second, CA_ACTIVE, true);
	world_wait(1000);
	world_put_ca(third, CA_ACTIVE, true);
	mirror();
	ck_assert(mirrors(path_of(first, 0), first));
	ck_assert(mirrors(path_of(first, 1), second));
	ck_assert(mirrors(path_of(first, 2), third));
	remove_ca(first);
	mirror();
	ck_assert(mirrors(path_of(first, 0), third)); /* OpenSSL stops at the first gap */
	ck_assert(mirrors(path_of(first, 1), second));
	ck_assert_uint_eq(count_files(), 2);
	remove_ca(second);
	remove_ca(third);
	mirror();
	ck_assert_uint_eq(count_files(), 0);
	pki_free(third);
}
END_TEST

START_TEST(the_file_of_a_deleted_ca_stays_while_it_has_certificates)
{
	struct pki_cert *device = pki_device(first, "device-1");

	world_put_ca(first, CA_INACTIVE, false);
	world_put_cert(device, first, CERT_ACTIVE);
	mirror();
	remove_ca(first);
	mirror();
	ck_assert(mirrors(path_of(first, 0), first));
	remove_cert(device);
	mirror();
	ck_assert_uint_eq(count_files(), 0);
	pki_free(device);
}
END_TEST

START_TEST(a_damaged_file_of_the_plugin_is_written_again)
{
	char half[200], *whole;

	world_put_ca(first, CA_ACTIVE, true);
	mirror();
	whole = world_read_file(path_of(first, 0));
	snprintf(half, sizeof(half), "%s", whole);
	world_write_file(path_of(first, 0), half);
	ck_assert(!mirrors(path_of(first, 0), first));
	mirror();
	ck_assert(mirrors(path_of(first, 0), first));
	whole = realloc(whole, strlen(whole) + 10);
	world_write_file(path_of(first, 0), strcat(whole, "garbage\n"));
	mirror();
	free(whole);
	whole = world_read_file(path_of(first, 0));
	ck_assert_ptr_null(strstr(whole, "garbage"));
	ck_assert_uint_eq(count_files(), 1);
	free(whole);
}
END_TEST

/* A crash between writing the temporary file and renaming it. */
START_TEST(a_temporary_file_left_by_a_crash_is_no_obstacle)
{
	char aside[256];

	snprintf(aside, sizeof(aside), "%s/.jitr-new", world.ca_path);
	world_write_file(aside, "half of something that is longer than what is written over it");
	world_put_ca(first, CA_ACTIVE, true);
	mirror();
	ck_assert(mirrors(path_of(first, 0), first));
	ck_assert_uint_eq(count_files(), 1);
}
END_TEST

/*
 * The operator's own files.
 */

static void
check_text(const char *path, const char *expected)
{
	char *text = world_read_file(path);

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(a_file_of_the_operator_keeps_its_name)
{
	world_write_file(path_of(first, 0), "mine");
	world_put_ca(first, CA_ACTIVE, true);
	mirror();
	check_text(path_of(first, 0), "mine");
	ck_assert(mirrors(path_of(first, 1), first));
	remove_ca(first);
	mirror();
	check_text(path_of(first, 0), "mine");
	ck_assert_uint_eq(count_files(), 1);
}
END_TEST

/* OpenSSL stops at the first missing number, so it would not reach the operator's file. */
START_TEST(a_file_of_the_plugin_stays_before_one_of_the_operator)
{
	world_put_ca(first, CA_ACTIVE, true);
	mirror();
	world_write_file(path_of(first, 1), "mine");
	remove_ca(first);
	mirror();
	check_text(path_of(first, 1), "mine");
	ck_assert(mirrors(path_of(first, 0), first));
	unlink(path_of(first, 1));
	mirror();
	ck_assert_uint_eq(count_files(), 0);
}
END_TEST

START_TEST(files_of_the_operator_are_never_changed)
{
	static const char *const names[] = { "README", "root.pem", "12345678.r0", "1234ABCD.0",
		"12345678.00", "12345678.-1", "12345678.0x", "123.0", "12345678.0.bak",
		"12345678.99999999999", " 2345678.0" };
	char path[256];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", world.ca_path, names[i]);
		world_write_file(path, names[i]);
	}
	world_put_ca(first, CA_ACTIVE, true);
	mirror();
	remove_ca(first);
	mirror();
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", world.ca_path, names[i]);
		check_text(path, names[i]);
	}
	ck_assert_uint_eq(count_files(), COUNT_OF(names));
}
END_TEST

/* The mark in its first line differs from the plugin's; its CA is not registered. */
START_TEST(a_file_that_only_resembles_one_of_the_plugin_is_not_changed)
{
	world_write_file(path_of(first, 0),
	    "# mosquitto-jitr: registered CA of mine, do not remove\n"
	    "and more text so that the line would be long enough to hold an id of a CA\n");
	world_write_file(path_of(first, 1), "# mosquitto-jitr: registered CA 0123");
	mirror();
	ck_assert_uint_eq(count_files(), 2);
}
END_TEST

/* Reading a pipe would wait for ever. */
START_TEST(a_name_taken_by_a_pipe_or_directory_is_skipped)
{
	ck_assert_int_eq(mkfifo(path_of(first, 0), 0600), 0);
	ck_assert_int_eq(mkdir(path_of(first, 1), 0700), 0);
	world_put_ca(first, CA_ACTIVE, true);
	mirror();
	ck_assert(mirrors(path_of(first, 2), first));
}
END_TEST

/*
 * Failures.
 */

START_TEST(a_missing_directory_is_reported_by_name)
{
	struct diag d = { "" };

	ck_assert_int_eq(ca_dir_sync("/nowhere/at/all", world.store, &d), ERR_STORAGE);
	ck_assert_str_eq(d.text, "ca_path /nowhere/at/all: No such file or directory");
	ck_assert_int_eq(ca_dir_sync("/nowhere/at/all", world.store, NULL), ERR_STORAGE);
}
END_TEST

/* Root may write anywhere, so the test becomes another user. */
START_TEST(an_unwritable_directory_is_reported_with_the_file)
{
	char expected[320];
	struct diag d = { "" };
	bool root = geteuid() == 0;
	enum err e;

	world_put_ca(first, CA_ACTIVE, true);
	ck_assert_int_eq(chmod(world.dir, 0755), 0);
	ck_assert_int_eq(chmod(world.ca_path, 0555), 0);
	ck_assert(!root || seteuid(NOBODY) == 0);
	e = ca_dir_sync(world.ca_path, world.store, &d);
	ck_assert(!root || seteuid(0) == 0);
	ck_assert_int_eq(e, ERR_STORAGE);
	snprintf(expected, sizeof(expected), "ca_path %s: Permission denied", path_of(first, 0));
	ck_assert_str_eq(d.text, expected);
	ck_assert_uint_eq(count_files(), 0);
}
END_TEST

START_TEST(an_unwritable_file_is_reported_and_written_the_next_time)
{
	char aside[256];
	struct diag d = { "" };

	world_put_ca(first, CA_ACTIVE, true);
	snprintf(aside, sizeof(aside), "%s/.jitr-new", world.ca_path);
	ck_assert_int_eq(mkdir(aside, 0700), 0);
	ck_assert_int_eq(ca_dir_sync(world.ca_path, world.store, &d), ERR_STORAGE);
	ck_assert_ptr_nonnull(strstr(d.text, path_of(first, 0)));
	rmdir(aside);
	mirror();
	ck_assert(mirrors(path_of(first, 0), first));
}
END_TEST

/* More than one page of a listing. */
START_TEST(a_hundred_cas_are_mirrored)
{
	enum { MANY = 100 };
	struct pki_cert *many[MANY];
	char name[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "CA %d", i);
		many[i] = pki_ca(name);
		world_put_ca(many[i], CA_ACTIVE, true);
	}
	mirror();
	ck_assert_uint_eq(count_files(), MANY);
	for (int i = 0; i < MANY; i++) {
		ck_assert(mirrors(path_of(many[i], 0), many[i]));
		pki_free(many[i]);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ca_dir");
	TCase *t = suite_case(suite, "ours");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 20);
	tcase_add_test(t, every_registered_ca_has_a_file_named_by_its_subject_hash);
	tcase_add_test(t, a_file_that_is_up_to_date_is_not_written_again);
	tcase_add_test(t, cas_of_one_subject_are_numbered_without_gaps);
	tcase_add_test(t, the_file_of_a_deleted_ca_stays_while_it_has_certificates);
	tcase_add_test(t, a_damaged_file_of_the_plugin_is_written_again);
	tcase_add_test(t, a_temporary_file_left_by_a_crash_is_no_obstacle);
	tcase_add_test(t, a_hundred_cas_are_mirrored);
	t = suite_case(suite, "others and failures");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 20);
	tcase_add_test(t, a_file_of_the_operator_keeps_its_name);
	tcase_add_test(t, a_file_of_the_plugin_stays_before_one_of_the_operator);
	tcase_add_test(t, files_of_the_operator_are_never_changed);
	tcase_add_test(t, a_file_that_only_resembles_one_of_the_plugin_is_not_changed);
	tcase_add_test(t, a_name_taken_by_a_pipe_or_directory_is_skipped);
	tcase_add_test(t, a_missing_directory_is_reported_by_name);
	tcase_add_test(t, an_unwritable_directory_is_reported_with_the_file);
	tcase_add_test(t, an_unwritable_file_is_reported_and_written_the_next_time);
	return suite_run(suite);
}
